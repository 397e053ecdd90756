//! What must stand in an event for a rule to hold: its witness.
//!
//! In: a compiled condition. Out: groups of alternatives, of each of which every event has one for which the condition
//! holds: a name (the last component of a value) or a literal. Of the parts of an `and` those that events have most
//! rarely are taken, until few events have all; an `or` needs all of its parts; `not` gives nothing, nor do numbers,
//! comparisons and absence. How rare something is, is a guess from its length and letters: a wrong guess costs time,
//! never a verdict.

use super::fold::fold_text;
use super::literal::{LITERAL_BYTES, rarity};
use super::node::Node;
use super::record::Key;
use super::test::Test;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::{BTreeMap, BTreeSet};

/// Something that an event must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want<K> {
    /// Where; `None`: in any value of the event.
    pub(super) key: Option<K>,
    pub(super) what: What,
}

/// Folded text that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The last `/` or `\` of the value and what follows it: the whole value where there is neither.
    Name(String),
    /// Stands anywhere in the value.
    Literal(String),
}

/// Names that so many events have that a literal beside them tells more.
const COMMON_NAMES: &[&str] = &[
    "bash",
    "sh",
    "dash",
    "zsh",
    "busybox",
    "python",
    "python3",
    "perl",
    "node",
    "java",
    "root",
    "cmd.exe",
    "powershell.exe",
    "pwsh.exe",
    "svchost.exe",
    "explorer.exe",
    "rundll32.exe",
];

/// Most groups of one rule.
pub(super) const GROUPS_LIMIT: usize = 3;
/// How many of a million events may be candidates before a further group is worth its cost.
const RARE_ENOUGH: u64 = 2_000;
/// What more events than this of a million have is not worth looking for beside something else.
const TOO_COMMON: u64 = 150_000;

/// Rules that must have literals in a field before its values are passed over for rules that can do without.
const WORTH_A_PASS: usize = 2;

/// Alternatives, of which every event has one for which the rule holds.
#[derive(Debug)]
pub(super) struct Group<K> {
    pub(super) wants: Vec<Want<K>>,
    /// The part of the rule (of its outermost `and`) of which nothing is left to ask where one of them stands.
    pub(super) proves: Option<u32>,
}

/// Of the groups of a rule those that are worth looking for; none only where there are none.
pub(super) fn choose<K: Key>(mut groups: Vec<Group<K>>, passed_over: &BTreeSet<Option<K>>) -> Vec<Group<K>> {
    let needs_a_pass = |group: &Group<K>| literal_fields(group).any(|key| !passed_over.contains(&key));
    groups.sort_by_key(|group| (needs_a_pass(group), frequency(&group.wants)));
    let mut expected = 1_000_000;
    let mut kept = Vec::new();
    for group in groups {
        let frequency = frequency(&group.wants);
        let is_worth = expected > RARE_ENOUGH && frequency < TOO_COMMON && !needs_a_pass(&group);
        if kept.is_empty() || is_worth && kept.len() < GROUPS_LIMIT {
            expected = expected * frequency / 1_000_000;
            kept.push(group);
        }
    }
    kept
}

/// The fields in which so many rules have literals that their values are passed over in any case.
pub(super) fn passed_over<K: Key>(rules: &[Vec<Group<K>>]) -> BTreeSet<Option<K>> {
    let mut rules_by_field: BTreeMap<Option<K>, usize> = BTreeMap::new();
    for groups in rules {
        let fields: BTreeSet<Option<K>> = groups.iter().flat_map(literal_fields).collect();
        for field in fields {
            *rules_by_field.entry(field).or_default() += 1;
        }
    }
    rules_by_field.into_iter().filter(|(_, rules)| *rules >= WORTH_A_PASS).map(|(key, _)| key).collect()
}

fn literal_fields<K: Key>(group: &Group<K>) -> impl Iterator<Item = Option<K>> {
    group.wants.iter().filter(|want| matches!(want.what, What::Literal(_))).map(|want| want.key)
}

/// All that must stand in an event for which `rule` holds; none where nothing is known.
pub(super) fn groups_of<K: Key>(rule: &Node<K>) -> Vec<Group<K>> {
    let parts = match rule {
        Node::And(parts) => &**parts,
        one => std::slice::from_ref(one),
    };
    let of_part = |(number, part): (u32, &Node<K>)| {
        let proves = (number < u64::BITS && is_proven(part)).then_some(number);
        wanted(part).into_iter().map(move |wants| Group { wants, proves })
    };
    (0..).zip(parts).flat_map(of_part).collect()
}

/// Whether `node` holds wherever one of its witnesses stands.
fn is_proven<K: Key>(node: &Node<K>) -> bool {
    match node {
        Node::Or(parts) => parts.iter().all(is_proven),
        Node::Ask(_, tests) => tests
            .iter()
            .all(|test| matches!(test, Test::Text(text) if text.is_its_component() || text.is_its_literal())),
        Node::Keywords(tests) => {
            tests.iter().all(|test| matches!(test, Test::Text(text) if text.is_its_literal()))
        }
        _ => false,
    }
}

fn wanted<K: Key>(node: &Node<K>) -> Vec<Vec<Want<K>>> {
    match node {
        Node::And(parts) => parts.iter().flat_map(wanted).collect(),
        Node::Or(parts) => {
            either(parts.iter().map(|part| wanted(part).into_iter().min_by_key(|wants| frequency(wants))))
        }
        Node::Ask(key, tests) => either(tests.iter().map(|test| of_test(Some(*key), test))),
        Node::Keywords(tests) => either(tests.iter().map(|test| of_test(None, test))),
        Node::One(parts) => {
            either(parts.iter().map(|part| wanted(part).into_iter().min_by_key(|wants| frequency(wants))))
        }
        Node::Not(_) | Node::Null(_) | Node::Exists(..) | Node::Items(_) | Node::Made(_) => Vec::new(),
    }
}

/// One group of the alternatives of all parts; none where a part has none.
fn either<K>(parts: impl Iterator<Item = Option<Vec<Want<K>>>>) -> Vec<Vec<Want<K>>> {
    let all = parts.collect::<Option<Vec<_>>>().map(|parts| parts.into_iter().flatten().collect::<Vec<_>>());
    all.into_iter().filter(|wants| !wants.is_empty()).collect()
}

fn of_test<K: Key>(key: Option<K>, test: &Test<K>) -> Option<Vec<Want<K>>> {
    match test {
        Test::Text(matcher) => {
            // A name is looked up once, whatever the number of rules; it needs a field.
            let name = matcher.last_component().filter(|_| key.is_some()).map(fold_text);
            let what = match name {
                Some(name) => What::Name(name),
                None => What::Literal(
                    matcher.required_literal().map(fold_text).filter(|text| text.len() >= LITERAL_BYTES)?,
                ),
            };
            Some(vec![Want { key, what }])
        }
        Test::Regex(regex) if !regex.needs.is_empty() => {
            let wants = regex.needs.iter().map(|text| Want { key, what: What::Literal(text.clone()) });
            Some(wants.collect())
        }
        _ => None,
    }
}

/// How many of a million events have one of `wants`, roughly.
pub(super) fn frequency<K: Key>(wants: &[Want<K>]) -> u64 {
    wants.iter().map(frequency_of).sum()
}

fn frequency_of<K: Key>(want: &Want<K>) -> u64 {
    if want.key.is_some_and(Key::has_few_values) {
        return 200_000;
    }
    match &want.what {
        What::Name(name) if COMMON_NAMES.contains(&name.trim_start_matches(['/', '\\'])) => 30_000,
        What::Name(_) => 5_000,
        What::Literal(text) if text.len() == LITERAL_BYTES => 2 * TOO_COMMON,
        What::Literal(text) => {
            // Each letter more, and each that is rare, makes a text rarer.
            let letters: i64 = text.bytes().map(|byte| 2 + rarity(byte)).sum();
            400_000_u64 >> (letters / 3).clamp(0, 12)
        }
    }
}

/// The texts of which one stands in every match of the expression; empty where none is known.
pub(super) fn of_regex(source: &str, ignore_case: bool) -> Vec<String> {
    let parsed = regex_syntax::ParserBuilder::new().case_insensitive(ignore_case).build().parse(source);
    let texts = parsed.ok().and_then(|tree| needed(&tree)).unwrap_or_default();
    if texts.iter().any(|text| text.len() < LITERAL_BYTES) || texts.len() > 256 { Vec::new() } else { texts }
}

/// Folded texts of which one stands in whatever `tree` matches.
fn needed(tree: &Hir) -> Option<Vec<String>> {
    match tree.kind() {
        HirKind::Concat(parts) => {
            let (mut best, mut run) = (None, String::new());
            for part in parts {
                if let Some(text) = literal(part) {
                    run.push_str(&text);
                    continue;
                }
                if !matches!(part.kind(), HirKind::Look(_)) {
                    better(&mut best, Some(vec![std::mem::take(&mut run)]));
                    better(&mut best, needed(part));
                }
            }
            better(&mut best, Some(vec![run]));
            best
        }
        HirKind::Alternation(parts) => {
            parts.iter().map(needed).collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Capture(capture) => needed(&capture.sub),
        _ => literal(tree).map(|text| vec![text]),
    }
}

/// Keeps the alternatives whose shortest text is longest.
fn better(best: &mut Option<Vec<String>>, other: Option<Vec<String>>) {
    let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
    if other.as_ref().map_or(0, shortest) > best.as_ref().map_or(0, shortest) {
        *best = other;
    }
}

/// The text of a literal, or of a class whose members are one letter in several cases; folded.
fn literal(tree: &Hir) -> Option<String> {
    match tree.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(fold_text),
        HirKind::Class(Class::Unicode(class)) => {
            let mut letters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            let first = super::fold::fold(letters.next()?);
            letters.take(8).all(|letter| super::fold::fold(letter) == first).then(|| first.into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_its_longest_text() {
        for (source, expect) in [
            (r"\d+curl\s+-k", vec!["curl"]),
            ("(?i)CURL", vec!["curl"]),
            ("(wget|curl) http", vec![" http"]),
            ("(?:wget|curl)x?", vec!["wget", "curl"]),
            ("(abc)+", vec!["abc"]),
            ("(abc)*", vec![]),
            ("a|bcd", vec![]),
            (r"^/bin/\bsh$", vec!["/bin/sh"]),
            (".*", vec![]),
            ("[abc]def", vec!["def"]),
        ] {
            assert_eq!(of_regex(source, false), expect, "{source}");
        }
        assert_eq!(of_regex("Straße", true), ["straße"]);
    }
}
