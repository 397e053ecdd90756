//! What must stand in an event for a rule to hold: its witness.
//!
//! In: a compiled condition. Out: alternatives, one of which every event has for which the condition holds: a name (the
//! last component of a value) or a literal. Of the parts of an `and` the one that events have most rarely is taken; an
//! `or` needs all of its parts; `not` gives nothing, nor do numbers, comparisons and absence. How rare something is, is
//! a guess from its length and letters: a wrong guess costs time, never a verdict.

use super::fold::fold_text;
use super::literal::rarity;
use super::node::Node;
use super::record::Key;
use super::test::Test;
use regex_syntax::hir::{Class, Hir, HirKind};

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
    /// What follows the last `/` or `\` of the value: the whole value where there is neither.
    Name(String),
    /// Stands anywhere in the value.
    Literal(String),
}

/// Names that so many events have that a literal beside them tells more.
const COMMON_NAMES: &[&str] = &[
    "bash", "sh", "dash", "zsh", "busybox", "python", "python3", "perl", "node", "java", "root", "cmd.exe",
    "powershell.exe", "pwsh.exe", "svchost.exe", "explorer.exe", "rundll32.exe",
];

/// The alternatives for `node`; `None` where an event without any sign may hold.
pub(super) fn of<K: Key>(node: &Node<K>) -> Option<Vec<Want<K>>> {
    match node {
        Node::And(parts) => parts.iter().filter_map(of).min_by_key(|wants| frequency(wants)),
        Node::Or(parts) => each(parts.iter().map(of)),
        Node::Ask(key, tests) => each(tests.iter().map(|test| of_test(Some(*key), test))),
        Node::Keywords(tests) => each(tests.iter().map(|test| of_test(None, test))),
        Node::Not(_) | Node::Null(_) | Node::Exists(..) | Node::Items(_) => None,
    }
}

fn each<K>(parts: impl Iterator<Item = Option<Vec<Want<K>>>>) -> Option<Vec<Want<K>>> {
    let all = parts.collect::<Option<Vec<_>>>()?.concat_wants();
    (!all.is_empty()).then_some(all)
}

trait Concat<K> {
    fn concat_wants(self) -> Vec<Want<K>>;
}

impl<K> Concat<K> for Vec<Vec<Want<K>>> {
    fn concat_wants(self) -> Vec<Want<K>> {
        self.into_iter().flatten().collect()
    }
}

fn of_test<K: Key>(key: Option<K>, test: &Test<K>) -> Option<Vec<Want<K>>> {
    match test {
        Test::Text(matcher) => {
            // A name is looked up once, whatever the number of rules; it needs a field.
            let name = matcher.last_component().filter(|_| key.is_some()).map(fold_text);
            let what = match name {
                Some(name) => What::Name(name),
                None => What::Literal(matcher.required_literal().map(fold_text)?),
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
        What::Name(name) if COMMON_NAMES.contains(&name.as_str()) => 30_000,
        What::Name(_) => 300,
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
    if texts.iter().any(|text| text.len() < 3) || texts.len() > 256 { Vec::new() } else { texts }
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
