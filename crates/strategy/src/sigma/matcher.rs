//! What a value asks of a field, after its modifiers: the values of a rule, made ready to be matched.

use std::net::IpAddr;

use super::pattern::{Openness, Pattern};
use crate::yaml::Number;

/// What one value asks of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// The field is absent or null.
    Null,
    /// The field is there, even if null (`|exists`), or is not.
    Exists(bool),
    /// This truth value.
    Bool(bool),
    /// This number, as a number or as its text.
    Number(Number),
    /// This string.
    Pattern(Pattern),
    /// This regular expression, unanchored.
    Regex(Regex),
    /// An address of this block.
    Cidr(Cidr),
    /// A number on this side of another.
    Compare(Order, Number),
    /// The value of another field.
    Field(FieldRef),
    /// A part of a time.
    TimePart(TimePart, Order, Number),
}

/// A regular expression that needs no backtracking.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Regex {
    /// The expression as written.
    pub source: String,
    /// `|i`: case does not matter.
    pub ignore_case: bool,
    /// `|m`: `^` and `$` match at line breaks.
    pub multi_line: bool,
    /// `|s`: `.` matches line breaks.
    pub dot_all: bool,
}

/// An address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// An address in it; bits after the prefix do not count.
    pub address: IpAddr,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}

/// A comparison with another field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// The other field.
    pub name: String,
    /// Whether any text may precede the other field's value.
    pub before: Openness,
    /// Whether any text may follow it.
    pub after: Openness,
    /// Whether case matters.
    pub cased: bool,
}

/// A part of a time, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, from 1.
    Day,
    /// ISO 8601 week, from 1.
    Week,
    /// From 1.
    Month,
    /// All four digits.
    Year,
}
