//! One question to one field.
//!
//! In: the value of a field. Out: yes or no. How values meet: a number equals its text (`42` and `"42"`), a truth
//! value equals its word, an address is compared as its text, a list answers yes where one member does, and a field
//! that the event does not have is null. The catalogue does not tell an empty text from a missing one, so `''` asks for
//! either.

use super::text::TextMatcher;
use compact_str::{CompactString, ToCompactString};
use event::{Event, Field, Value};
use std::net::IpAddr;
use strategy::sigma::{Cidr, Openness, Order, TimePart};
use strategy::yaml::Number;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Test {
    Null,
    Exists(bool),
    Bool(bool),
    Number(Number),
    Text(TextMatcher),
    Regex(regex::Regex),
    Cidr(Cidr),
    Compare(Order, Number),
    Field { other: Field, before: Openness, after: Openness, cased: bool },
    Time(TimePart, Order, Number),
}

impl Test {
    /// Asks `value`, which is a field of `event`.
    pub(crate) fn holds(&self, value: &Value<'_>, event: &Event) -> bool {
        match self {
            Test::Null => value.is_absent(),
            Test::Exists(wanted) => value.is_absent() != *wanted,
            Test::Bool(wanted) => match value {
                Value::Bool(flag) => flag == wanted,
                other => any_text(other, |text| text.eq_ignore_ascii_case(bool_text(*wanted))),
            },
            Test::Number(wanted) => numbers(value, |number| compare(number, Order::Eq, *wanted)),
            Test::Text(matcher) => {
                any_text(value, |text| matcher.matches(text))
                    || value.is_absent() && matcher.exact() == Some("")
            }
            Test::Regex(regex) => any_text(value, |text| regex.is_match(text)),
            Test::Cidr(cidr) => match value {
                Value::Ip(ip) => contains(*cidr, *ip),
                other => any_text(other, |text| text.parse().is_ok_and(|ip| contains(*cidr, ip))),
            },
            Test::Compare(order, wanted) => numbers(value, |number| compare(number, *order, *wanted)),
            Test::Field { other, before, after, cased } => {
                let theirs = other.of(event);
                any_text(&theirs, |their| any_text(value, |own| meets(own, their, (*before, *after), *cased)))
            }
            Test::Time(part, order, wanted) => {
                numbers(value, |number| time_part(number, *part).is_some_and(|n| compare(n, *order, *wanted)))
            }
        }
    }

    /// How much asking costs, roughly: the cheap ones are asked first.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            Test::Null | Test::Exists(_) | Test::Bool(_) => 1,
            Test::Number(_) | Test::Compare(..) | Test::Cidr(_) => 2,
            Test::Text(matcher) => matcher.cost(),
            Test::Field { .. } | Test::Time(..) => 20,
            Test::Regex(_) => 50,
        }
    }
}

fn bool_text(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// Whether `holds` holds for the text of the value, or of one of its members.
pub(crate) fn any_text(value: &Value<'_>, mut holds: impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::Absent => false,
        Value::Str(text) => holds(text),
        Value::Owned(text) => holds(text),
        Value::Int(number) => holds(&number.to_compact_string()),
        Value::Bool(flag) => holds(bool_text(*flag)),
        Value::Ip(ip) => holds(&ip.to_compact_string()),
        Value::List(items) => items.iter().any(|item| holds(item)),
    }
}

fn numbers(value: &Value<'_>, mut holds: impl FnMut(Number) -> bool) -> bool {
    match value {
        Value::Int(number) => holds(Number::Integer(*number)),
        Value::Bool(_) | Value::Ip(_) | Value::Absent => false,
        other => any_text(other, |text| number(text).is_some_and(&mut holds)),
    }
}

fn number(text: &str) -> Option<Number> {
    // `inf` and `nan` are words to a rule, not numbers.
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    match text.parse() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => text.parse::<f64>().ok().filter(|real| real.is_finite()).map(Number::Float),
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
    let fold = |text: &str| -> CompactString {
        if cased { text.into() } else { super::fold::fold_text(text).into() }
    };
    let (own, their) = (fold(own), fold(their));
    match (before, after) {
        (Openness::Closed, Openness::Closed) => own == their,
        (Openness::Closed, Openness::Any) => own.starts_with(&*their),
        (Openness::Any, Openness::Closed) => own.ends_with(&*their),
        (Openness::Any, Openness::Any) => own.contains(&*their),
    }
}

/// Part of a time in seconds since 1970, UTC. Source of the calendar: the proleptic Gregorian one, by the counting of
/// days from 1 March that has the leap day at the end of its year.
fn time_part(seconds: Number, part: TimePart) -> Option<Number> {
    let Number::Integer(seconds) = seconds else { return None };
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970; 146,097 are 400 years.
    let shifted = days.checked_add(719_468)?;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some(Number::Integer(match part {
        TimePart::Minute => second_of_day / 60 % 60,
        TimePart::Hour => second_of_day / 3600,
        TimePart::Day => day,
        TimePart::Week => iso_week(days, year),
        TimePart::Month => month,
        TimePart::Year => year,
    }))
}

/// ISO 8601 week: the week belongs to the year of its Thursday.
fn iso_week(days: i64, year: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let new_year = |year: i64| {
        let before = year - 1;
        before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
    };
    let first = [year + 1, year, year - 1].map(new_year).into_iter().find(|first| *first <= thursday);
    (thursday - first.unwrap_or(thursday)) / 7 + 1
}
