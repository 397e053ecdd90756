//! ATT&CK: the front matter's mapping and the ids that the Categorization section names.

use std::sync::LazyLock;

use regex::Regex;

use crate::attack::{self, Status, Tactic, Technique};
use crate::diagnostic::{Problem, codes};
use crate::document::Document;
use crate::document::front::{FrontMatter, Mapping, PLATFORMS};
use crate::document::place;
use crate::document::section::SectionKind;
use crate::sigma::Head;
use crate::source::{Source, Span};
use crate::suggest;
use crate::yaml::Node;

/// Technique ids in prose, and in addresses of ATT&CK's site, where a slash stands for the dot.
static MENTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bT\d{4}(?:[./]\d{3})?\b").ok());

/// Tactics of earlier versions, and what became of them.
const EARLIER_TACTICS: &[(&str, &str)] = &[(
    "defense-evasion",
    "ATT&CK 19 divides it into `stealth` (TA0005) and `defense-impairment` (TA0112): use the one that the technique serves",
)];

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
    for item in &document.items {
        tags(item.head(), document, source, problems);
    }
    for emulation in &document.emulations {
        let Some(id) = &emulation.value.technique else { continue };
        if !checked.contains(id) {
            technique(id, emulation.span, problems);
        }
    }
    mentions(document, source, &mut checked, problems);
}

/// The ATT&CK tags of a rule: that they exist, and that the front matter has them. Groups and software are not in the
/// table.
fn tags(head: &Head, document: &Document, source: &Source<'_>, problems: &mut Vec<Problem>) {
    let mapped: &[Mapping] = document.front.as_ref().map_or(&[], |front| &front.value.attack);
    for tag in &head.tags {
        let Some(word) = tag.strip_prefix("attack.") else { continue };
        let start = source.slice(head.span).find(tag.as_str()).unwrap_or(0) + head.span.start;
        let span = Span { start, end: start + tag.len() };
        let id = word.to_ascii_uppercase();
        let is_mapped = if attack::is_technique_id(&id) {
            if technique_exists(&id, span, problems).is_none() {
                continue;
            }
            mapped.iter().any(|mapping| mapping.technique == id)
        } else if is_other_id(&id) {
            continue;
        } else {
            let name = word.replace('_', "-");
            let Some(tactic) = tactic_exists(&name, span, problems) else { continue };
            mapped.iter().any(|mapping| attack::tactic(&mapping.tactic) == Some(tactic))
        };
        if !is_mapped && document.front.is_some() {
            let message = format!("the tag `{tag}` names what the front matter does not map");
            problems.push(Problem::new(codes::ATTACK_TAG, span, message));
        }
    }
}

/// Ids of groups, software, campaigns and data sources.
fn is_other_id(id: &str) -> bool {
    id.split_at_checked(1).is_some_and(|(letter, number)| {
        matches!(letter, "G" | "S" | "C" | "D")
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
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
    // Without front matter the prose is the mapping.
    let named = if document.front.is_none() { tactics_named(&section.prose) } else { Vec::new() };
    for found in pattern.find_iter(source.slice(section.body)) {
        let id = found.as_str().replace('/', ".");
        if !checked.contains(&id) {
            let start = section.body.start + found.start();
            let span = Span { start, end: start + found.len() };
            if let Some(technique) = technique(&id, span, problems)
                && !named.is_empty()
                && !named.iter().any(|tactic| technique.tactics.contains(tactic))
            {
                let message = format!("{id} does not serve the tactics that the section names");
                let hint = format!("{id} serves {}", technique.tactics.join(", "));
                problems.push(Problem::new(codes::ATTACK_TACTIC, span, message).with_hint(hint));
            }
            checked.push(id);
        }
    }
}

/// Short names of the tactics whose names `prose` holds.
fn tactics_named(prose: &str) -> Vec<&'static str> {
    let prose = prose.to_lowercase();
    let is_named = |tactic: &&attack::Tactic| prose.contains(&tactic.name.to_lowercase());
    attack::tactics().iter().filter(is_named).map(|tactic| tactic.short).collect()
}

fn version(front: &FrontMatter, node: &Node, problems: &mut Vec<Problem>) {
    let written = front.attack_version.trim_start_matches('v');
    let major = written.split('.').next().unwrap_or(written);
    if major != attack::version() {
        let message = format!("mapped to ATT&CK {written}, the built-in data is {}", attack::version());
        problems.push(Problem::new(codes::ATTACK_VERSION, place(node, "attack_version"), message));
    }
}

/// The technique, if it may be used; one of the PRE platform may, with a warning.
fn technique(id: &str, span: Span, problems: &mut Vec<Problem>) -> Option<&'static Technique> {
    let technique = technique_exists(id, span, problems)?;
    if technique.is_preparation() {
        let message =
            format!("{id} ({}) is of the PRE platform, which host telemetry cannot observe", technique.name);
        let problem = Problem::new(codes::ATTACK_PRE, span, message);
        problems.push(problem.with_hint("add the techniques that the rules observe, such as T1610 or T1571"));
    }
    Some(technique)
}

/// The technique, if it exists and is neither revoked nor deprecated.
fn technique_exists(id: &str, span: Span, problems: &mut Vec<Problem>) -> Option<&'static Technique> {
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
    Some(technique)
}

fn tactic_exists(name: &str, span: Span, problems: &mut Vec<Problem>) -> Option<&'static Tactic> {
    let known = attack::tactic(name);
    if known.is_none() {
        let earlier = EARLIER_TACTICS.iter().find(|(earlier, _)| name.eq_ignore_ascii_case(earlier));
        let hint = earlier
            .map(|(_, what)| (*what).to_owned())
            .or_else(|| suggest::hint(name, attack::tactics().iter().map(|tactic| tactic.short)));
        let problem = Problem::new(codes::ATTACK_UNKNOWN, span, format!("ATT&CK has no tactic `{name}`"));
        problems.push(problem.with_hint_if(hint));
    }
    known
}

fn tactic(mapping: &Mapping, technique: Option<&Technique>, span: Span, problems: &mut Vec<Problem>) {
    let Some(tactic) = tactic_exists(&mapping.tactic, span, problems) else { return };
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
