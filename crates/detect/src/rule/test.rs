//! One question to one value of a field.
//!
//! How values meet: a number equals its text (`42` and `"42"`), a truth value equals its word, an address is compared
//! as its text. A list is asked value by value, before it comes here.

use super::fold::fold_text;
use super::record::{Record, Scalar, bool_text};
use super::text::TextMatcher;
use super::time::{seconds, time_part};
use super::witness;
use compact_str::CompactString;
use regex_syntax::hir::Hir;
use std::net::IpAddr;
use std::sync::OnceLock;
use strategy::sigma::{Cidr, Openness, Order, REGEX_LIMIT_BYTES, Regex, TimePart, expression};
use strategy::yaml::Number;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Test<K> {
    Bool(bool),
    Number(Number),
    Text(TextMatcher),
    Regex(RegexTest),
    Cidr(Cidr),
    Compare(Order, Number),
    Field {
        other: K,
        before: Openness,
        after: Openness,
        cased: bool,
    },
    Time(TimePart, Order, Number),
    /// The value is a number that, masked, is one of these.
    Bits(u64, Box<[u64]>),
    /// None of these holds.
    Not(Box<[Test<K>]>),
}

/// A regular expression, built when it is first asked: most never are.
#[derive(Debug)]
pub(crate) struct RegexTest {
    source: Regex,
    built: OnceLock<Option<regex::Regex>>,
    /// What stands in every match.
    pub(crate) needs: witness::Needs,
    /// Folded texts of which one ends whatever matches; empty where none are known.
    pub(crate) ends: Vec<String>,
}

impl RegexTest {
    /// Makes it ready; `tree` is that of `source`. `None` where it is too large to be built.
    pub(crate) fn new(source: Regex, tree: &Hir) -> Option<Self> {
        let built = OnceLock::new();
        if !expression::fits(tree) {
            built.get_or_init(|| build(&source)).as_ref()?;
        }
        Some(Self { source, built, needs: witness::of_regex(tree), ends: witness::ends_of_regex(tree) })
    }

    fn is_match(&self, text: &str) -> bool {
        // What fits can be built.
        self.built.get_or_init(|| build(&self.source)).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

fn build(source: &Regex) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&source.source)
        .case_insensitive(source.ignore_case)
        .multi_line(source.multi_line)
        .dot_matches_new_line(source.dot_all)
        .size_limit(REGEX_LIMIT_BYTES)
        .build()
        .ok()
}

impl<K: Copy> Test<K> {
    /// Asks `value`, which stands in `record`.
    pub(crate) fn holds<R: Record<K>>(&self, value: Scalar<'_>, record: &R) -> bool {
        match self {
            Test::Bool(wanted) => match value {
                Scalar::Bool(flag) => flag == *wanted,
                other => other.is_text(|text| text.eq_ignore_ascii_case(bool_text(*wanted))),
            },
            Test::Number(wanted) => value.number().is_some_and(|number| compare(number, Order::Eq, *wanted)),
            Test::Text(matcher) => match value {
                Scalar::Map => matcher.is_any(),
                other => other.is_text(|text| matcher.matches(text)),
            },
            Test::Regex(test) => value.is_text(|text| test.is_match(text)),
            Test::Cidr(cidr) => match value {
                Scalar::Ip(ip) => contains(*cidr, ip),
                other => other.is_text(|text| text.parse().is_ok_and(|ip| contains(*cidr, ip))),
            },
            Test::Compare(order, wanted) => {
                value.number().is_some_and(|number| compare(number, *order, *wanted))
            }
            Test::Field { other, before, after, cased } => record.any(*other, |theirs| {
                theirs.is_text(|their| value.is_text(|own| meets(own, their, (*before, *after), *cased)))
            }),
            Test::Time(part, order, wanted) => seconds(value)
                .and_then(|at| time_part(at, *part))
                .is_some_and(|n| compare(n, *order, *wanted)),
            Test::Bits(mask, wanted) => match value.number() {
                Some(Number::Integer(number)) => wanted.contains(&(number.cast_unsigned() & mask)),
                _ => false,
            },
            Test::Not(tests) => !tests.iter().any(|test| test.holds(value, record)),
        }
    }

    /// Whether the answer depends on the value alone.
    pub(super) fn is_of_value(&self) -> bool {
        match self {
            Test::Field { .. } => false,
            Test::Not(tests) => tests.iter().all(Self::is_of_value),
            _ => true,
        }
    }

    /// How much asking costs, roughly: the cheap ones are asked first.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Test::Bool(_) => 1,
            Test::Number(_) | Test::Compare(..) | Test::Cidr(_) | Test::Bits(..) => 2,
            Test::Text(matcher) => matcher.cost(),
            Test::Field { .. } | Test::Time(..) => 20,
            Test::Regex(_) => 50,
            Test::Not(tests) => tests.iter().map(Test::cost).fold(1, u32::saturating_add),
        }
    }
}

fn compare(number: Number, order: Order, wanted: Number) -> bool {
    let ordering = match (number, wanted) {
        (Number::Integer(own), Number::Integer(wanted)) => Some(own.cmp(&wanted)),
        _ => number.as_f64().partial_cmp(&wanted.as_f64()),
    };
    ordering.is_some_and(|ordering| in_order(ordering, order))
}

/// Whether something that compares as `ordering` stands in `order`.
pub(crate) fn in_order(ordering: std::cmp::Ordering, order: Order) -> bool {
    match order {
        Order::Eq => ordering.is_eq(),
        Order::Neq => ordering.is_ne(),
        Order::Lt => ordering.is_lt(),
        Order::Lte => ordering.is_le(),
        Order::Gt => ordering.is_gt(),
        Order::Gte => ordering.is_ge(),
    }
}

/// Whether `ip` lies in the block; an IPv4 address that is mapped into IPv6 is the IPv4 address.
fn contains(cidr: Cidr, ip: IpAddr) -> bool {
    let prefix = u32::from(cidr.prefix);
    match (cidr.address.to_canonical(), ip.to_canonical()) {
        (IpAddr::V4(block), IpAddr::V4(ip)) => {
            let differing = block.to_bits() ^ ip.to_bits();
            differing.checked_shr(32_u32.saturating_sub(prefix)).unwrap_or(0) == 0
        }
        (IpAddr::V6(block), IpAddr::V6(ip)) => {
            let differing = block.to_bits() ^ ip.to_bits();
            differing.checked_shr(128_u32.saturating_sub(prefix)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn meets(own: &str, their: &str, (before, after): (Openness, Openness), cased: bool) -> bool {
    let fold = |text: &str| -> CompactString { if cased { text.into() } else { fold_text(text).into() } };
    let (own, their) = (fold(own), fold(their));
    match (before, after) {
        (Openness::Closed, Openness::Closed) => own == their,
        (Openness::Closed, Openness::Any) => own.starts_with(&*their),
        (Openness::Any, Openness::Closed) => own.ends_with(&*their),
        (Openness::Any, Openness::Any) => own.contains(&*their),
    }
}
