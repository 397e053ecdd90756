//! Sigma correlations alone: for people who only need the engine.
//!
//! In: correlations among Sigma's items, and which of the items said yes to an event. Out: what the correlations say. No
//! strategy and no alert: whoever calls judges the rules, and decides what to do with an answer. Events are typed
//! ([`Correlations<Arc<Event>>`]) or of any kind, told by the values of the fields that correlations read ([`Noted`]).

use crate::correlate::{self, Correlation, Correlator, Joinable, Limits, Names, number, push_cut};
use crate::engine::Config;
use crate::error::Fault;
use crate::judge::{Judgement, Moment};
use crate::rule;
use event::{BootTime, Event, EventId};
use std::sync::Arc;
use strategy::sigma::{self, Item};
use strategy::yaml::Number;

/// Correlations over events of one kind, and their state.
#[derive(Debug)]
pub struct Correlations<E: Joinable> {
    correlator: Correlator<E>,
    /// By item: whether a correlation joins it that does not let it speak alone.
    silent: Vec<bool>,
    /// The names of the fields that are read, by number.
    fields: Vec<String>,
    said: Vec<Judgement<E>>,
}

/// A correlation's yes.
#[derive(Debug, Clone)]
pub struct Joined<E> {
    /// The place of the correlation among the items.
    pub item: usize,
    /// When it became true.
    pub time: BootTime,
    /// The values that it groups by, in the order of its text.
    pub group: Vec<String>,
    /// What it counted or measured.
    pub count: f64,
    /// The first and the last events that led to it.
    pub events: Vec<E>,
}

/// An event of any kind: its time, its number, and the values of the fields that correlations read.
#[derive(Debug, Clone)]
pub struct Noted(Arc<(Moment, Box<[Option<Value>]>)>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text. One that is a number can be summed.
    Text(String),
    /// A number.
    Number(Number),
}

impl std::fmt::Display for Value {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Text(text) => to.write_str(text),
            Value::Number(Number::Integer(number)) => number.fmt(to),
            Value::Number(Number::Float(number)) => number.fmt(to),
        }
    }
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unjoined {
    /// Judgements that came too late for their order.
    pub late: u64,
    /// Judgements without a field to group by.
    pub ungrouped: u64,
    /// Judgements without the value that is counted or summed.
    pub unmeasured: u64,
    /// Groups, and values of groups, that gave way for lack of room.
    pub evicted: u64,
}

impl Correlations<Arc<Event>> {
    /// The correlations among `items`, over typed events; and the places of those that cannot run, with the reason.
    pub fn new(items: &[Item], config: &Config) -> (Self, Vec<(usize, Fault)>) {
        Self::with(items, config, &mut rule::field)
    }
}

impl Correlations<Noted> {
    /// The correlations among `items`, over events with any fields; and the places of those that cannot run, with the
    /// reason.
    pub fn new(items: &[Item], config: &Config) -> (Self, Vec<(usize, Fault)>) {
        let mut fields: Vec<String> = Vec::new();
        let mut field = |name: &str| {
            let known = fields.iter().position(|known| known == name);
            Ok(known.unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            }))
        };
        let (mut correlations, rejected) = Self::with(items, config, &mut field);
        correlations.fields = fields;
        (correlations, rejected)
    }

    /// The names of the fields whose values a [`Noted`] needs, in the order in which it needs them.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }
}

impl<E: Joinable> Correlations<E> {
    fn with(
        items: &[Item],
        config: &Config,
        field: &mut dyn FnMut(&str) -> Result<E::Field, Fault>,
    ) -> (Self, Vec<(usize, Fault)>) {
        let (correlations, rejected) = load(items, field);
        let mut silent = vec![false; items.len()];
        for correlation in &correlations {
            let Some(Item::Correlation(read)) = items.get(correlation.judge) else { continue };
            for member in correlation.members.iter().filter(|_| !read.generate) {
                if let Some(silent) = silent.get_mut(*member) {
                    *silent = true;
                }
            }
        }
        let limits = Limits {
            lag: config.lag,
            groups_each: config.groups_each,
            groups_all: config.groups_all,
            bytes_all: config.group_bytes,
        };
        let correlator = Correlator::new(correlations, items.len(), limits);
        (Self { correlator, silent, fields: Vec::new(), said: Vec::new() }, rejected)
    }

    /// Whether any correlation joins the item at this place.
    pub fn joins(&self, item: usize) -> bool {
        self.correlator.joins(item)
    }

    /// Whether the item at this place speaks for itself; one that a correlation joins without `generate` does not.
    pub fn speaks(&self, item: usize) -> bool {
        !self.silent.get(item).copied().unwrap_or(false)
    }

    /// Takes the yes of the rule at place `item` to `event`, which waits for its turn.
    pub fn push(&mut self, item: usize, event: E) {
        self.correlator.push(item, event);
    }

    /// Time passed to `now`: appends what correlations say of what has waited long enough.
    pub fn advance(&mut self, now: BootTime, out: &mut Vec<Joined<E>>) {
        self.correlator.advance(now, &mut self.said);
        out.extend(self.said.drain(..).map(Joined::of));
    }

    /// The input ended: everything that waits is judged, and every window ends.
    pub fn finish(&mut self, out: &mut Vec<Joined<E>>) {
        self.correlator.finish(&mut self.said);
        out.extend(self.said.drain(..).map(Joined::of));
    }

    /// Groups in memory, and about how many bytes they hold.
    pub fn held(&self) -> (usize, usize) {
        self.correlator.held()
    }

    /// What could not be joined so far.
    pub fn unjoined(&self) -> Unjoined {
        let counts = self.correlator.counts();
        Unjoined {
            late: counts.late,
            ungrouped: counts.ungrouped,
            unmeasured: counts.unmeasured,
            evicted: counts.evicted,
        }
    }
}

/// Compiles the correlations among `items`, those that are joined before those that join them. A judge's number is the
/// place of its item.
fn load<F: Copy>(
    items: &[Item],
    field: &mut dyn FnMut(&str) -> Result<F, Fault>,
) -> (Vec<Correlation<F>>, Vec<(usize, Fault)>) {
    let find = |reference: &str| {
        items.iter().position(|item| !matches!(item, Item::Filter(_)) && item.head().is(reference))
    };
    let mut left: Vec<(usize, &sigma::Correlation)> = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| match item {
            Item::Correlation(correlation) => Some((place, correlation)),
            _ => None,
        })
        .collect();
    let (mut compiled, mut rejected): (Vec<Correlation<F>>, Vec<(usize, Fault)>) = Default::default();
    loop {
        let waiting: Vec<usize> = left.iter().map(|(place, _)| *place).collect();
        let refused: Vec<usize> = rejected.iter().map(|(place, _)| *place).collect();
        left.retain(|(place, correlation)| {
            let members = || correlation.rules.iter().filter_map(|rule| find(&rule.name));
            if members().any(|member| waiting.contains(&member)) {
                return true;
            }
            let lost = correlation
                .rules
                .iter()
                .find(|rule| find(&rule.name).is_some_and(|member| refused.contains(&member)));
            let mut names = Names { judge: &find, field, correlations: &compiled };
            let one = match lost {
                Some(rule) => Err(Fault::UnknownReference(rule.name.clone())),
                None => correlate::compile(correlation, *place, &mut names),
            };
            match one {
                Ok(one) => compiled.push(one),
                Err(fault) => rejected.push((*place, fault)),
            }
            false
        });
        if left.len() == waiting.len() {
            break;
        }
    }
    rejected.extend(left.iter().map(|(place, correlation)| {
        let inner = correlation.rules.iter().find(|rule| {
            find(&rule.name).is_some_and(|member| left.iter().any(|(place, _)| *place == member))
        });
        (*place, Fault::Cycle(inner.map_or_else(String::new, |rule| rule.name.clone())))
    }));
    (compiled, rejected)
}

impl<E> Joined<E> {
    fn of(judgement: Judgement<E>) -> Self {
        let group = judgement.group.unwrap_or_default();
        Self {
            item: judgement.judge,
            time: judgement.moment.0,
            group: group.iter().map(ToString::to_string).collect(),
            count: judgement.count,
            events: judgement.members,
        }
    }
}

impl Noted {
    /// The event `number` at `time`, with the values of [`Correlations::fields`] in their order.
    pub fn new(time: BootTime, number: u64, values: Vec<Option<Value>>) -> Self {
        let id = EventId { sequence: number, ..EventId::default() };
        Self(Arc::new(((time, id), values.into())))
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.0.0.1.sequence
    }

    fn value(&self, field: usize) -> Option<&Value> {
        self.0.1.get(field)?.as_ref()
    }
}

impl Joinable for Noted {
    type Field = usize;
    // The values of a few fields.
    const HELD_BYTES: usize = 256;

    fn moment(&self) -> Moment {
        self.0.0
    }

    fn push_text(&self, field: usize, text: &mut String) -> bool {
        match self.value(field) {
            Some(Value::Text(value)) if !value.is_empty() => push_cut(value, text),
            Some(number @ Value::Number(_)) => push_cut(&number.to_string(), text),
            _ => return false,
        }
        true
    }

    fn number(&self, field: usize) -> Option<Number> {
        match self.value(field)? {
            Value::Text(text) => number(text),
            Value::Number(number) => Some(*number),
        }
    }
}
