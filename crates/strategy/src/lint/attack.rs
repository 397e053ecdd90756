//! ATT&CK: the front matter's mapping and the ids that the Categorization section names.

use std::sync::LazyLock;

use regex::Regex;

use crate::attack::{self, Status, Technique};
use crate::diagnostic::{Problem, codes};
use crate::document::Document;
use crate::document::front::{FrontMatter, Mapping, PLATFORMS};
use crate::document::place;
use crate::document::section::SectionKind;
use crate::source::{Source, Span};
use crate::suggest;
use crate::yaml::Node;

/// Technique ids in prose, and in addresses of ATT&CK's site, where a slash stands for the dot.
static MENTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bT\d{4}(?:[./]\d{3})?\b").ok());

/// Checks what `document` says of ATT&CK.
pub(super) fn check(document: &Document, source: &Source<'_>, problems: &mut Vec<Problem>) {
    let mut checked: Vec<String> = Vec::new();
    if let (Some(front), Some(node)) = (&document.front, &document.front_node) {
        version(&front.value, node, problems);
        let nodes = node.entry("attack").and_then(Node::sequence).unwrap_or_default();
        for (mapping, node) in front.value.attack.iter().zip(nodes) {
            checked.push(mapping.technique.clone());
            let technique = technique(&mapping.technique, place(node, "technique"), problems);
            tactic(mapping, technique, place(node, "tactic"), problems);
            if let Some(technique) = technique {
                platform(technique, &front.value, place(node, "technique"), problems);
            }
        }
    }
    mentions(document, source, &mut checked, problems);
}

/// Ids in the Categorization section, but for those that the front matter has: each once, at its first place.
fn mentions(
    document: &Document,
    source: &Source<'_>,
    checked: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) {
    let Some(section) = document.section(SectionKind::Categorization) else { return };
    let Some(pattern) = &*MENTION else { return };
    for found in pattern.find_iter(source.slice(section.body)) {
        let id = found.as_str().replace('/', ".");
        if !checked.contains(&id) {
            let start = section.body.start + found.start();
            technique(&id, Span { start, end: start + found.len() }, problems);
            checked.push(id);
        }
    }
}

fn version(front: &FrontMatter, node: &Node, problems: &mut Vec<Problem>) {
    let written = front.attack_version.trim_start_matches('v');
    let major = written.split('.').next().unwrap_or(written);
    if major != attack::version() {
        let message = format!("mapped to ATT&CK {written}, the built-in data is {}", attack::version());
        problems.push(Problem::new(codes::ATTACK_VERSION, place(node, "attack_version"), message));
    }
}

/// The technique, if it may be used.
fn technique(id: &str, span: Span, problems: &mut Vec<Problem>) -> Option<&'static Technique> {
    let Some(technique) = attack::technique(id) else {
        let hint = suggest::nearest(id, attack::techniques().iter().map(|technique| technique.id))
            .filter(|_| !attack::is_technique_id(id))
            .map(|id| format!("did you mean `{id}`?"));
        let problem = Problem::new(codes::ATTACK_UNKNOWN, span, format!("ATT&CK has no technique `{id}`"));
        problems.push(problem.with_hint_if(hint));
        return None;
    };
    if technique.status != Status::Active {
        let word = if technique.status == Status::Deprecated { "deprecated" } else { "revoked" };
        let hint = technique.successor().map(|next| format!("use {} ({})", next.id, next.name));
        let message = format!("{id} ({}) is {word}", technique.name);
        problems.push(Problem::new(codes::ATTACK_REVOKED, span, message).with_hint_if(hint));
        return None;
    }
    if technique.is_preparation() {
        let message =
            format!("{id} ({}) is of the PRE platform, which host telemetry cannot observe", technique.name);
        let problem = Problem::new(codes::ATTACK_PRE, span, message);
        problems.push(problem.with_hint("add the techniques that the rules observe, such as T1610 or T1571"));
    }
    Some(technique)
}

fn tactic(mapping: &Mapping, technique: Option<&Technique>, span: Span, problems: &mut Vec<Problem>) {
    let Some(tactic) = attack::tactic(&mapping.tactic) else {
        let hint = suggest::hint(&mapping.tactic, attack::tactics().iter().map(|tactic| tactic.short));
        let problem =
            Problem::new(codes::ATTACK_UNKNOWN, span, format!("ATT&CK has no tactic `{}`", mapping.tactic));
        return problems.push(problem.with_hint_if(hint));
    };
    let Some(technique) = technique else { return };
    if !technique.tactics.contains(&tactic.short) {
        let message = format!("{} does not serve the tactic `{}`", technique.id, tactic.short);
        let hint = format!("{} serves {}", technique.id, technique.tactics.join(", "));
        problems.push(Problem::new(codes::ATTACK_TACTIC, span, message).with_hint(hint));
    }
}

fn platform(technique: &Technique, front: &FrontMatter, span: Span, problems: &mut Vec<Problem>) {
    let covers = |platform: &String| {
        PLATFORMS.iter().any(|(name, covered)| {
            name == platform && covered.iter().any(|covered| technique.platforms.contains(covered))
        })
    };
    let known = !technique.platforms.is_empty() && !technique.is_preparation();
    if known && !front.platforms.iter().any(covers) {
        let message = format!(
            "{} exists on {}, not on the strategy's platforms",
            technique.id,
            technique.platforms.join(", ")
        );
        problems.push(Problem::new(codes::ATTACK_PLATFORM, span, message));
    }
}
