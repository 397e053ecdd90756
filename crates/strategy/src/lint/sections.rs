//! Sections: there, in order, filled, and in agreement with the front matter.

use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostic::{Problem, codes};
use crate::document::Document;
use crate::document::front::PLATFORMS;
use crate::document::markdown::Section;
use crate::document::place;
use crate::document::section::SectionKind;
use crate::source::Span;
use crate::suggest;

/// Sections this short are placeholders when they say that there is nothing.
const SHORT_WORDS: usize = 40;

/// Marks that nobody leaves in a finished text.
static UNFINISHED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:TODO|TBD|FIXME|XXX)\b|(?i:lorem ipsum|to be (?:defined|determined|written|done))").ok()
});
/// "Nothing here", as people write it.
static NOTHING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:no|none)\b[^.\n]{0,80}\bavailable\b|^\W*(?:none|n/?a|nothing)\W*$").ok()
});

/// Checks the sections of `document`.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    missing(document, problems);
    order(document, problems);
    for section in &document.sections {
        filled(section, problems);
        if section.heading.level != 2 {
            let message =
                format!("`{}` is a heading of level {}", section.heading.text, section.heading.level);
            let problem = Problem::new(codes::SECTION_LEVEL, section.heading.span, message);
            problems.push(problem.with_hint("sections are second-level headings: `## Goal`"));
        }
    }
    agreement(document, problems);
}

fn missing(document: &Document, problems: &mut Vec<Problem>) {
    // Named at the end of the section before it, which is where it belongs.
    let mut before = Span::at(0);
    for kind in SectionKind::ALL {
        match document.section(kind) {
            Some(section) => before = section.heading.span,
            None => {
                let message = format!("the section `{}` is missing", kind.heading());
                problems.push(Problem::new(codes::SECTION_MISSING, before, message));
            }
        }
    }
}

fn order(document: &Document, problems: &mut Vec<Problem>) {
    let mut seen: Vec<SectionKind> = Vec::new();
    for section in &document.sections {
        let (kind, span) = (section.kind, section.heading.span);
        if seen.contains(&kind) {
            let message = format!("the section `{}` stands twice", kind.heading());
            problems.push(Problem::new(codes::SECTION_TWICE, span, message));
        } else if let Some(later) = seen.iter().find(|earlier| earlier.rank() > kind.rank()) {
            let message = format!("`{}` stands after `{}`", kind.heading(), later.heading());
            let names = SectionKind::ALL.map(SectionKind::heading).join(", ");
            let problem = Problem::new(codes::SECTION_ORDER, span, message);
            problems
                .push(problem.with_hint(format!("the order is {names}; Validation may precede Priority")));
        }
        seen.push(kind);
    }
}

fn filled(section: &Section, problems: &mut Vec<Problem>) {
    let words =
        section.prose.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    let name = section.kind.heading();
    if words == 0 {
        let message = format!("the section `{name}` has no text");
        problems.push(Problem::new(codes::SECTION_EMPTY, section.heading.span, message));
        return;
    }
    let first_sentence = section.prose.split_once(". ").map_or(section.prose.as_str(), |(first, _)| first);
    let about_nothing = if words <= SHORT_WORDS { &section.prose } else { first_sentence };
    let found = |pattern: &LazyLock<Option<Regex>>, text: &str| {
        let pattern: &Option<Regex> = pattern;
        pattern.as_ref().and_then(|pattern| pattern.find(text)).map(|found| found.as_str().trim().to_owned())
    };
    let says_nothing = || about_nothing.lines().find_map(|line| found(&NOTHING, line));
    if let Some(mark) = found(&UNFINISHED, &section.prose).or_else(says_nothing) {
        let message = format!("the section `{name}` is a placeholder: \"{mark}\"");
        problems.push(Problem::new(codes::SECTION_PLACEHOLDER, section.heading.span, message));
    }
}

/// Title, platforms and severity are the same in the text and in the front matter.
fn agreement(document: &Document, problems: &mut Vec<Problem>) {
    let (Some(front), Some(node)) = (&document.front, &document.front_node) else { return };
    if let Some(title) = &document.title
        && !title.text.trim().ends_with(front.value.title.trim())
    {
        let message = format!("the heading is not the front matter's title `{}`", front.value.title);
        problems.push(Problem::new(codes::TITLE, title.span, message));
    }
    for platform in &front.value.platforms {
        let names = PLATFORMS.iter().map(|(name, _)| *name);
        if !names.clone().any(|name| name == platform) {
            let message = format!("unknown platform `{platform}`");
            let problem = Problem::new(codes::PLATFORM_UNKNOWN, place(node, "platforms"), message);
            problems.push(problem.with_hint_if(suggest::hint(platform, names)));
        }
    }
    let severity = front.value.severity.as_str();
    if let Some(section) = document.section(SectionKind::Priority)
        && !section.prose.to_lowercase().contains(severity)
    {
        let message = format!("Priority does not name the severity `{severity}` of the front matter");
        problems.push(Problem::new(codes::PRIORITY_SEVERITY, section.heading.span, message));
    }
}
