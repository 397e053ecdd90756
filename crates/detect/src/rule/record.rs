//! What a rule reads: the values of an event's fields, whatever the event is made of.
//!
//! Two kinds of events are records: typed ones, whose fields are those of the catalogue (`typed`), and JSON with any
//! names (`crate::json`). A field is known by a key that the schema gave out when the rule was compiled. A field may
//! hold several values; a question to it holds where it holds for one of them.

use super::node::{Tests, any_holds};
use super::single::Single;
use crate::error::Fault;
use crate::json::JsonItem;
use compact_str::ToCompactString;
use std::fmt::Debug;
use std::hash::Hash;
use std::net::IpAddr;
use strategy::yaml::Number;

/// A field, as its schema knows it.
pub(crate) trait Key: Copy + Ord + Hash + Debug {
    /// Whether most events have the same few values in it, so that a value tells little.
    fn has_few_values(self) -> bool;
    /// Whether all events that a rule is asked about have the same value in it, so that a value tells nothing.
    fn is_of_class(self) -> bool {
        false
    }
    /// Whether few events have it at all, and its value is one text wherever it is there.
    fn is_rare(self) -> bool {
        false
    }
    /// Whether its value may be a text that the event holds: others are never [`Alone::Text`].
    fn may_be_text(self) -> bool {
        true
    }
    /// How much reading it costs, roughly.
    fn cost(self) -> u32;
    /// A small number that no other key of its schema has.
    fn number(self) -> usize;
}

/// Names to keys: what tells the kinds of events apart while rules are compiled.
pub(crate) trait Schema {
    /// Its keys.
    type Key: Key;
    /// Whether an empty text cannot be told from a field that is missing.
    const EMPTY_IS_MISSING: bool;
    /// The key of the field `name`.
    fn field(&mut self, name: &str) -> Result<Self::Key, Fault>;
    /// The key of the array `name`, whose items are asked.
    fn array(&mut self, name: &str) -> Result<Self::Key, Fault>;
    /// The key of the item itself, where the record is an item of an array.
    fn item(&mut self) -> Result<Self::Key, Fault>;
}

/// An event that rules can be asked about.
pub(crate) trait Record<K> {
    /// Whether the field is there.
    fn presence(&self, key: K) -> Presence;
    /// Whether `ask` says yes to one of the values of the field.
    fn any(&self, key: K, ask: impl FnMut(Scalar<'_>) -> bool) -> bool;
    /// Whether `ask` says yes to one of the values of the whole event.
    fn any_value(&self, ask: impl FnMut(Scalar<'_>) -> bool) -> bool;
    /// Calls `see` for each item of the array; a value that is no array is its own only item.
    fn for_each_item(&self, key: K, see: &mut dyn FnMut(JsonItem<'_>));
    /// The value of the field, where it is one text.
    fn alone(&self, key: K) -> Alone<'_>;
    /// The fields that have values, each once, where the record knows them.
    fn keys(&self) -> Option<&[K]> {
        None
    }
    /// Whether one of `tests` holds for one of the values of the field.
    fn ask(&self, key: K, tests: &Tests<K>) -> bool
    where
        K: Key,
        Self: Sized,
    {
        self.any(key, |value| any_holds(tests, value, self))
    }
    /// Whether a condition over one field holds.
    fn ask_single(&self, single: &Single<K>) -> bool
    where
        K: Key,
        Self: Sized,
    {
        single.node.holds(self)
    }
}

/// The value of a field that has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Alone<'a> {
    /// There is none.
    Nothing,
    Text(&'a str),
    /// Several, or one that is no text.
    Other,
}

/// Whether a field is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Missing,
    /// There, and null.
    Null,
    Here,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    /// A number as it is written in JSON.
    Number(&'a str),
    Bool(bool),
    Ip(IpAddr),
    /// A map: it is there, but equals nothing.
    Map,
}

impl Scalar<'_> {
    /// Calls `ask` with the value as text; a value without one gets no.
    pub(crate) fn is_text(self, ask: impl FnOnce(&str) -> bool) -> bool {
        match self {
            Scalar::Text(text) | Scalar::Number(text) => ask(text),
            Scalar::Integer(number) => ask(&number.to_compact_string()),
            Scalar::Bool(flag) => ask(bool_text(flag)),
            Scalar::Ip(ip) => ask(&ip.to_compact_string()),
            Scalar::Null | Scalar::Map => false,
        }
    }

    /// The value as a number: a number, or a text that is one.
    pub(crate) fn number(self) -> Option<Number> {
        match self {
            Scalar::Integer(number) => Some(Number::Integer(number)),
            Scalar::Text(text) | Scalar::Number(text) => number(text),
            Scalar::Bool(_) | Scalar::Ip(_) | Scalar::Null | Scalar::Map => None,
        }
    }
}

/// The word for a truth value.
pub(crate) fn bool_text(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
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
