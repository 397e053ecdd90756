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

impl Value {
    /// Nanoseconds since 1970, where it is a time: a number of seconds, milliseconds, microseconds or nanoseconds, told
    /// apart by its size, or a text as in RFC 3339.
    pub fn time(&self) -> Option<BootTime> {
        let nanoseconds = match self {
            Value::Number(number) => of_number(*number),
            Value::Text(text) => number(text).map_or_else(|| of_text(text), of_number),
        };
        nanoseconds.map(BootTime)
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
        Self::with((items, &[]), config, &mut rule::field)
    }
}

impl Correlations<Noted> {
    /// The correlations among `items`, over events with any fields; and the places of those that cannot run, with the
    /// reason.
    pub fn new(items: &[Item], config: &Config) -> (Self, Vec<(usize, Fault)>) {
        Self::without(items, &[], config)
    }

    /// The same, where the rules at the places `absent` do not run: what joins them cannot run either.
    pub fn without(items: &[Item], absent: &[usize], config: &Config) -> (Self, Vec<(usize, Fault)>) {
        let mut fields: Vec<String> = Vec::new();
        let mut field = |name: &str| {
            let known = fields.iter().position(|known| known == name);
            Ok(known.unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            }))
        };
        let (mut correlations, rejected) = Self::with((items, absent), config, &mut field);
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
        (items, absent): (&[Item], &[usize]),
        config: &Config,
        field: &mut dyn FnMut(&str) -> Result<E::Field, Fault>,
    ) -> (Self, Vec<(usize, Fault)>) {
        let (correlations, rejected) = load(items, absent, field);
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

    /// Whether there is nothing that joins.
    pub fn is_empty(&self) -> bool {
        self.correlator.is_empty()
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

    /// About how many of these bytes are events that are kept only to be shown, as far as there is room.
    pub fn shown_bytes(&self) -> usize {
        self.correlator.shown_bytes()
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
    absent: &[usize],
    field: &mut dyn FnMut(&str) -> Result<F, Fault>,
) -> (Vec<Correlation<F>>, Vec<(usize, Fault)>) {
    let find = |reference: &str| {
        let can_be = |(place, item): &(usize, &Item)| {
            let is_judge = !matches!(item, Item::Filter(_)) && !absent.contains(place);
            is_judge && item.head().is(reference)
        };
        items.iter().enumerate().find(can_be).map(|(place, _)| place)
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

/// Nanoseconds of a number of seconds or of a thousandth, a millionth or a billionth of them.
fn of_number(number: Number) -> Option<u64> {
    // As seconds, numbers from here on would lie after the year 5138.
    const FIRST_MILLISECONDS: u64 = 100_000_000_000;
    match number {
        Number::Integer(whole) => {
            let whole = u64::try_from(whole).ok()?;
            let mut scale = 1_000_000_000;
            while scale > 1 && whole >= FIRST_MILLISECONDS.saturating_mul(1_000_000_000 / scale) {
                scale /= 1000;
            }
            whole.checked_mul(scale)
        }
        Number::Float(real) => {
            let mut seconds = real;
            while (1e11..1e30).contains(&seconds) {
                seconds /= 1000.0;
            }
            let time = std::time::Duration::try_from_secs_f64(seconds).ok()?;
            u64::try_from(time.as_nanos()).ok()
        }
    }
}

/// Nanoseconds of a time as in RFC 3339.
fn of_text(text: &str) -> Option<u64> {
    let seconds = u64::try_from(rule::time::seconds(rule::Scalar::Text(text))?).ok()?;
    let fraction = text.split_once(['.', ',']).map_or("", |(_, after)| after);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).take(9);
    let (mut nanoseconds, mut unit) = (0_u64, 100_000_000);
    for digit in digits {
        nanoseconds += u64::from(digit - b'0') * unit;
        unit /= 10;
    }
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
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

    fn fetch(&self) -> u64 {
        self.0.0.0.0
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_unit_and_as_text() {
        let text = |text: &str| Value::Text(text.to_owned());
        let whole = |number| Value::Number(Number::Integer(number));
        let time = 1_700_000_000_250_000_000;
        for (value, expect) in [
            (whole(1_700_000_000), Some(1_700_000_000_000_000_000)),
            (whole(1_700_000_000_250), Some(time)),
            (whole(1_700_000_000_250_000), Some(time)),
            (whole(1_700_000_000_250_000_000), Some(time)),
            (Value::Number(Number::Float(1_700_000_000.25)), Some(time)),
            (text("1700000000.25"), Some(time)),
            (text("2023-11-14T22:13:20.250Z"), Some(time)),
            (text("2023-11-15 00:13:20,25+02:00"), Some(time)),
            (text("2023-11-14T22:13:20"), Some(1_700_000_000_000_000_000)),
            (text("yesterday"), None),
            (whole(-5), None),
            (Value::Number(Number::Float(f64::INFINITY)), None),
        ] {
            assert_eq!(value.time(), expect.map(BootTime), "{value:?}");
        }
    }
}
