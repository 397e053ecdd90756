//! What must stand in an event for a rule to hold: its witness.
//!
//! In: the parts of a clause, which all must hold. Out: groups of alternatives, of each of which every event has one for
//! which the clause holds: a name (the last component of a value), an end, a start, a literal, a number, or, where nothing better
//! is known, any value of a field. Of the parts those are taken that events have most rarely, until few events have all;
//! an `or` needs all of its parts; `not` gives nothing, nor does absence. How rare something is, is a guess from its
//! length and letters: a wrong guess costs time, never a verdict.

use super::fold::fold_text;
use super::literal::{LITERAL_BYTES, rarity};
use super::node::Node;
use super::record::{Key, bool_text};
use super::test::{RegexTest, Test};
use super::text::TextMatcher;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Literal};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};
use std::collections::{BTreeMap, BTreeSet};
use strategy::yaml::Number;

/// Something that an event must have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Want<K> {
    /// Where; `None`: in any value of the event.
    pub(super) key: Option<K>,
    pub(super) what: What,
}

/// Folded text that must be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// The last `/` or `\` of the value and what follows it: the whole value where there is neither.
    Name(String),
    /// The value ends with it.
    End(String),
    /// The value begins with it.
    Start(String),
    /// Stands anywhere in the value.
    Literal(String),
    /// Two ASCII letters that stand anywhere in the value.
    Pair([u8; 2]),
    /// The value is this number, or a text that is.
    Number(i64),
    /// The value is not ASCII.
    Foreign,
    /// The field has a value.
    Present,
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

/// Most groups of a clause beside the rarest.
pub(super) const BESIDE_LIMIT: usize = 2;
/// How many of a million events may be candidates before a further group is worth its cost.
/// Literals that guard a clause are themselves found and compared: at 1,000, an event cost a fifth more.
const RARE_ENOUGH: u64 = 4_000;
/// What more events than this of a million have is not worth looking for beside something else.
const WORTH_BESIDE: u64 = 60_000;
/// What more events than this of a million have tells little.
const TOO_COMMON: u64 = 150_000;

/// How many of a million events must be candidates without a pass over a field for the pass to be worth its cost: one
/// pass costs about what asking one or two clauses does.
const WORTH_A_PASS: u64 = 1_000_000;
/// Most texts of an expression.
const ALTERNATIVES_LIMIT: usize = 256;
/// Most ends of an expression.
const ENDS_LIMIT: usize = 64;
/// Most whole numbers that a float tells apart (2^53).
const EXACT_LIMIT: i64 = 9_007_199_254_740_992;

/// Alternatives, of which every event has one for which the rule holds.
#[derive(Debug)]
pub(super) struct Group<K> {
    pub(super) wants: Vec<Want<K>>,
    /// The part of the rule (of its outermost `and`) of which nothing is left to ask where one of them stands.
    pub(super) proves: Option<u32>,
}

/// Of the groups of a clause those that are worth looking for, the rarest first; none only where there are none.
pub(super) fn choose<K: Key>(mut groups: Vec<Group<K>>, passed_over: &BTreeSet<Option<K>>) -> Vec<Group<K>> {
    let needs_a_pass = |group: &Group<K>| literal_fields(group).any(|key| !passed_over.contains(&key));
    groups.sort_by_key(|group| (needs_a_pass(group), frequency(&group.wants)));
    let mut expected = 1_000_000;
    let mut kept = Vec::new();
    for group in groups {
        let frequency = frequency(&group.wants);
        // Whether something stands in any value is not remembered with a value.
        let is_of_fields = group.wants.iter().all(|want| want.key.is_some());
        let is_worth = expected > RARE_ENOUGH && frequency < WORTH_BESIDE && !needs_a_pass(&group);
        if kept.is_empty() || is_worth && is_of_fields && kept.len() <= BESIDE_LIMIT {
            expected = expected * frequency / 1_000_000;
            kept.push(group);
        }
    }
    kept
}

/// The fields that are passed over for literals: those without which too many clauses would be candidates.
pub(super) fn passed_over<K: Key>(clauses: &[Vec<Group<K>>]) -> BTreeSet<Option<K>> {
    let mut lost: BTreeMap<Option<K>, u64> = BTreeMap::new();
    for groups in clauses {
        let fields: BTreeSet<Option<K>> = groups.iter().flat_map(literal_fields).collect();
        for field in fields {
            let others = groups.iter().filter(|group| literal_fields(group).all(|key| key != field));
            let without = others.map(|group| frequency(&group.wants)).min().unwrap_or(1_000_000);
            *lost.entry(field).or_default() += without.min(1_000_000);
        }
    }
    lost.into_iter().filter(|(_, lost)| *lost >= WORTH_A_PASS).map(|(key, _)| key).collect()
}

fn literal_fields<K: Key>(group: &Group<K>) -> impl Iterator<Item = Option<K>> {
    group.wants.iter().filter(|want| matches!(want.what, What::Literal(_))).map(|want| want.key)
}

/// All that must stand in an event for which all of `parts` hold; none where nothing is known.
pub(super) fn groups_of<K: Key>(parts: &[&Node<K>]) -> Vec<Group<K>> {
    let of_part = |(number, part): (u32, &&Node<K>)| {
        let proves = (number < u64::BITS && is_proven(part)).then_some(number);
        wanted(part).into_iter().map(move |wants| Group { wants, proves })
    };
    (0..).zip(parts).flat_map(of_part).collect()
}

/// Whether `node` holds wherever one of its witnesses stands.
pub(super) fn is_proven<K: Key>(node: &Node<K>) -> bool {
    match node {
        Node::Or(parts) => parts.iter().all(is_proven),
        Node::Ask(_, tests) => tests.iter().all(|test| match test {
            Test::Text(text) => {
                text.is_its_component()
                    || text.is_its_end()
                    || text.is_its_start()
                    || text.is_its_literal()
                        && text.required_literal().is_some_and(|text| text.len() >= LITERAL_BYTES)
            }
            Test::Number(number) => whole(*number).is_some(),
            Test::Bool(_) => true,
            _ => false,
        }),
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
        Node::Exists(key, true) if key.is_rare() => {
            vec![vec![Want { key: Some(*key), what: What::Present }]]
        }
        Node::Single(single) => wanted(&single.node),
        Node::Shared(part) => wanted(part),
        Node::Not(_) | Node::Null(_) | Node::Exists(..) | Node::Items(_) | Node::Made(_) => Vec::new(),
    }
}

/// One group of the alternatives of all parts; none where a part has none.
fn either<K>(parts: impl Iterator<Item = Option<Vec<Want<K>>>>) -> Vec<Vec<Want<K>>> {
    let all = parts.collect::<Option<Vec<_>>>().map(|parts| parts.into_iter().flatten().collect::<Vec<_>>());
    all.into_iter().filter(|wants| !wants.is_empty()).collect()
}

fn of_test<K: Key>(key: Option<K>, test: &Test<K>) -> Option<Vec<Want<K>>> {
    let one = |what| Some(vec![Want { key, what }]);
    match test {
        Test::Text(matcher) => of_text(matcher, key.is_some()).map(|what| vec![Want { key, what }]),
        Test::Regex(regex) if key.is_some() && !regex.ends.is_empty() => {
            let ends = regex.ends.iter().map(|text| What::End(text.clone()));
            Some(ends.map(|what| Want { key, what }).collect())
        }
        Test::Regex(RegexTest { needs, .. }) if !needs.texts.is_empty() => {
            let texts = needs.texts.iter().map(|text| of_literal(text, key.is_some()));
            let foreign = needs.or_foreign.then_some(key.map(|_| What::Foreign));
            texts.chain(foreign).map(|what| what.map(|what| Want { key, what })).collect()
        }
        // In any value means in one that is text.
        _ if key.is_none() => None,
        Test::Number(number) => one(whole(*number).map_or(What::Present, What::Number)),
        Test::Bool(flag) => one(What::Name(bool_text(*flag).to_owned())),
        _ => one(What::Present),
    }
}

/// A name, an end or a start is looked up once, whatever the number of rules; it needs a field.
fn of_text(matcher: &TextMatcher, has_field: bool) -> Option<What> {
    if has_field && matcher.exact() == Some("") {
        return Some(What::Name(String::new()));
    }
    if let Some(name) = matcher.last_component().filter(|_| has_field) {
        return Some(What::Name(fold_text(name)));
    }
    if let Some(end) = matcher.end().filter(|_| has_field) {
        return Some(What::End(fold_text(end)));
    }
    if let Some(start) = matcher.start().filter(|_| has_field) {
        return Some(What::Start(fold_text(start)));
    }
    of_literal(&matcher.required_literal().map(fold_text).unwrap_or_default(), has_field)
}

/// What stands in a value in which this folded text does.
fn of_literal(text: &str, has_field: bool) -> Option<What> {
    match *text.as_bytes() {
        _ if text.len() >= LITERAL_BYTES => Some(What::Literal(text.to_owned())),
        _ if !has_field => None,
        _ if !text.is_ascii() => Some(What::Foreign),
        [first, second] => Some(What::Pair([first, second])),
        _ => Some(What::Present),
    }
}

/// The whole number that all numbers of this value are, where a float tells it from its neighbours.
pub(super) fn whole(number: Number) -> Option<i64> {
    let exact = |number: &i64| number.abs() < EXACT_LIMIT;
    match number {
        Number::Integer(number) => Some(number).filter(exact),
        Number::Float(real) if real.fract() == 0.0 => format!("{real:.0}").parse().ok().filter(exact),
        Number::Float(_) => None,
    }
}

/// How many of a million events have one of `wants`, roughly.
pub(super) fn frequency<K: Key>(wants: &[Want<K>]) -> u64 {
    wants.iter().map(frequency_of).sum()
}

fn frequency_of<K: Key>(want: &Want<K>) -> u64 {
    if want.key.is_some_and(Key::is_of_class) {
        return 1_000_000;
    }
    if want.key.is_some_and(Key::has_few_values) {
        return 200_000;
    }
    match &want.what {
        What::Name(name) if COMMON_NAMES.contains(&name.trim_start_matches(['/', '\\'])) => 30_000,
        What::Number(number) if (0..10).contains(number) => 100_000,
        What::Name(name) if name.len() < 2 => 100_000,
        What::Name(_) | What::Number(_) => 5_000,
        What::Foreign => 10_000,
        What::Pair(_) => 3 * TOO_COMMON,
        What::Present if want.key.is_some_and(Key::is_rare) => 20_000,
        What::Present => 1_000_000,
        What::End(text) | What::Start(text) => 100_000 >> (2 * text.len()).min(6),
        What::Literal(text) if text.len() == LITERAL_BYTES => 2 * TOO_COMMON,
        What::Literal(text) => {
            // Each letter more, and each that is rare, makes a text rarer.
            let letters: i64 = text.bytes().map(|byte| 2 + rarity(byte)).sum();
            400_000_u64 >> (letters / 3).clamp(0, 12)
        }
    }
}

/// What stands in whatever an expression matches.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Needs {
    /// Folded texts, one of which stands in every match; empty where none is known.
    texts: Vec<String>,
    /// Whether a match may have a letter beyond ASCII in their place.
    or_foreign: bool,
}

/// What stands in every match of the expression.
pub(super) fn of_regex(tree: &Hir) -> Needs {
    let are_at_least = |texts: &Vec<String>, length: usize| {
        let are_long = texts.iter().all(|text| text.len() >= length);
        are_long && (1..=ALTERNATIVES_LIMIT).contains(&texts.len())
    };
    if let Some(texts) = needed(tree).filter(|texts| are_at_least(texts, LITERAL_BYTES)) {
        return Needs { texts, or_foreign: false };
    }
    let mut or_foreign = false;
    let ascii = of_ascii(tree, &mut or_foreign);
    let lengths = [LITERAL_BYTES, 2].into_iter();
    let texts = lengths
        .filter_map(|length| beginnings(&ascii, length).filter(|texts| are_at_least(texts, length)))
        .next();
    texts.map(|texts| Needs { texts, or_foreign }).unwrap_or_default()
}

/// The expression as it is where a text is ASCII; `is_less` where that is not all of it. A class like `\s` has few members
/// then.
fn of_ascii(tree: &Hir, is_less: &mut bool) -> Hir {
    let mut each = |parts: &[Hir]| parts.iter().map(|part| of_ascii(part, is_less)).collect();
    match tree.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let mut own = class.clone();
            own.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7F')]));
            *is_less |= own != *class;
            Hir::class(Class::Unicode(own))
        }
        HirKind::Concat(parts) => Hir::concat(each(parts)),
        HirKind::Alternation(parts) => Hir::alternation(each(parts)),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(of_ascii(&repetition.sub, is_less));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => of_ascii(&capture.sub, is_less),
        _ => tree.clone(),
    }
}

/// Folded texts with one of which every text ends that the expression matches; empty where it may go on behind, or none
/// are known.
pub(super) fn ends_of_regex(tree: &Hir) -> Vec<String> {
    if !tree.properties().look_set_suffix().contains(Look::End) {
        return Vec::new();
    }
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Suffix).limit_class(16).limit_literal_len(24).limit_total(ENDS_LIMIT);
    let found = extractor.extract(tree);
    let folded = |text: &Literal| std::str::from_utf8(text.as_bytes()).ok().map(fold_text);
    let texts = found.literals().map(|texts| texts.iter().map(folded).collect::<Option<BTreeSet<String>>>());
    let texts: Vec<String> = texts.flatten().unwrap_or_default().into_iter().collect();
    if texts.iter().all(|text| text.len() >= LITERAL_BYTES) { texts } else { Vec::new() }
}

/// Folded texts of this length with one of which every match begins.
fn beginnings(tree: &Hir, length: usize) -> Option<Vec<String>> {
    let mut extractor = Extractor::new();
    extractor.limit_class(16).limit_literal_len(length);
    let found = extractor.extract(tree);
    let texts = found.literals()?.iter().map(|text| std::str::from_utf8(text.as_bytes()).ok().map(fold_text));
    let texts: BTreeSet<String> = texts.collect::<Option<_>>()?;
    Some(texts.into_iter().collect())
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
    use strategy::sigma::Regex;

    fn tree(source: &str, ignore_case: bool) -> Hir {
        let regex = Regex { source: source.into(), ignore_case, multi_line: false, dot_all: false };
        regex.tree().unwrap()
    }

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
            ("-(W|R)[^a]", vec!["-r", "-w"]),
            (r"-(W|R)['\x22]?x", vec!["-r\"", "-r'", "-rx", "-w\"", "-w'", "-wx"]),
        ] {
            assert_eq!(of_regex(&tree(source, false)).texts, expect, "{source}");
        }
        assert_eq!(of_regex(&tree("Straße", true)).texts, ["straße"]);
    }

    #[test]
    fn a_class_with_letters_beyond_ascii_asks_for_its_ascii_members_or_a_letter_beyond() {
        let Needs { texts, or_foreign } = of_regex(&tree(r"-W\s", false));
        assert_eq!(texts, ["-w\t", "-w\n", "-w\u{b}", "-w\u{c}", "-w\r", "-w "]);
        assert!(or_foreign);
        assert!(!of_regex(&tree("-W[ x]", false)).or_foreign);
    }

    #[test]
    fn an_expression_that_ends_with_the_value_gives_its_ends() {
        for (source, ignore_case, expect) in [
            ("/(?:runc|crun)$", false, vec!["/crun", "/runc"]),
            ("/(?:runc|crun)", false, vec![]),
            ("(?m)/runc$", false, vec![]),
            (r"\.PHP$", true, vec![".php"]),
            ("a$|bcd$", false, vec![]),
            ("x*$", false, vec![]),
            (".*/nc(?:at)?$", false, vec!["/nc", "/ncat"]),
        ] {
            assert_eq!(ends_of_regex(&tree(source, ignore_case)), expect, "{source}");
        }
    }
}
