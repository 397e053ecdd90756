//! What is kept of one group, by what the correlation asks.

use super::blocks::Blocks;
use super::compile::{Correlation, Gauge, Kind, Origin};
use super::count::Count;
use super::joinable::{self, Joinable};
use super::log::Log;
use super::order::Order;
use super::together::Together;
use super::total::Sum;
use super::values::Values;
use super::window::{Measured, Window};
use crate::judge::{Group, Moment};
use foldhash::fast::FixedState;
use strategy::yaml::Number;

/// A judgement on its way into a group.
pub(super) struct Taken<'a, R> {
    pub(super) event: R,
    /// When it became true.
    pub(super) moment: Moment,
    /// That of the event: the same for all judgements of one event, and read without touching the event.
    pub(super) of_event: Moment,
    /// Values by which it groups, where a correlation gave it.
    pub(super) group: Option<&'a Group>,
    /// Its place among the members.
    pub(super) place: usize,
    /// When it was, in nanoseconds.
    pub(super) time: u64,
    /// How far apart the first and the last may be.
    pub(super) timespan: u64,
}

/// What fired: the events that are shown, first to last, and what was counted or measured.
#[derive(Debug)]
pub(super) struct Met<R> {
    pub(super) members: Vec<R>,
    pub(super) count: f64,
}

/// What a group works with beside its own state.
pub(super) struct Around<'a, R> {
    pub(super) log: &'a mut Log<R>,
    pub(super) blocks: &'a mut Blocks,
    pub(super) scratch: &'a mut String,
    pub(super) hasher: &'a FixedState,
    pub(super) tally: &'a mut Tally,
}

/// What is lost or cannot be used, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Values that there was no room for.
    pub(super) lost: u64,
    /// Judgements without the value that is measured.
    pub(super) unmeasured: u64,
}

/// What a group is to do at a time.
pub(super) enum Settled<R> {
    /// Nothing before this time.
    Later(u64),
    /// It is over, with what it still says.
    Over(Option<Met<R>>),
}

/// What is kept of a group.
#[derive(Debug)]
pub(super) enum State<R> {
    Count(Count),
    Values(Box<Values>),
    Sum(Box<Sum>),
    Together(Box<Together<R>>),
    Order(Order<R>),
    Window(Box<Window<R>>),
}

impl<R: Joinable> State<R> {
    /// The state of a group whose first event is at `time`.
    pub(super) fn new(kind: &Kind, time: u64) -> Self {
        match kind {
            Kind::Events { .. } => State::Count(Count::default()),
            Kind::Values { .. } => State::Values(Box::default()),
            Kind::Sum { .. } => State::Sum(Box::default()),
            Kind::Together { .. } => State::Together(Box::default()),
            Kind::InOrder { chains } => State::Order(Order::new(chains)),
            Kind::AtEnd { gauge, .. } => State::Window(Box::new(Window::new(*gauge, time))),
        }
    }

    /// Takes a judgement; says what it completes.
    #[inline]
    pub(super) fn take(
        &mut self,
        correlation: &Correlation<R::Field>,
        taken: Taken<'_, R>,
        around: Around<'_, R>,
    ) -> Option<Met<R>> {
        let Around { log, blocks, scratch, hasher, tally } = around;
        let (time, timespan) = (taken.time, taken.timespan);
        let shown = match (self, &correlation.kind) {
            (State::Count(count), Kind::Events { at_least }) => {
                let number = log.push(time, taken.of_event, taken.event);
                let met = count.take(blocks, (time, number), (timespan, *at_least));
                met.map(|(shown, count)| (log.numbers(&shown), count))
            }
            (State::Values(values), Kind::Values { at_least }) => {
                if !correlation.text(&taken, scratch) {
                    tally.unmeasured += 1;
                    return None;
                }
                let number = log.push(time, taken.of_event, taken.event);
                values.take((time, number), (scratch, hasher), (timespan, *at_least))
            }
            (State::Sum(sum), Kind::Sum { bounds }) => {
                let Some(value) = correlation.number(&taken) else {
                    tally.unmeasured += 1;
                    return None;
                };
                let number = log.push(time, taken.of_event, taken.event);
                sum.take((time, number), value, (timespan, bounds), &mut tally.lost)
            }
            (State::Together(together), Kind::Together { holds }) => {
                return together.take(taken, (correlation.members.len(), holds), |event| log.spend(event));
            }
            (State::Order(order), Kind::InOrder { chains }) => return order.take(&taken, chains),
            (State::Window(window), Kind::AtEnd { gauge, .. }) => {
                match correlation.measured(*gauge, &taken, scratch) {
                    Some(measured) => {
                        if let Some(middle) = window.take(taken, &measured, &mut tally.lost) {
                            log.spend(middle);
                        }
                    }
                    None => tally.unmeasured += 1,
                }
                return None;
            }
            _ => return None,
        };
        shown.map(|(numbers, count)| Met { members: log.events(numbers.into_iter()), count })
    }

    /// Reads what taking a judgement reads at which all before `oldest` is over, so that it is near when one is taken;
    /// what it gives has no meaning.
    pub(super) fn fetch(&self, blocks: &Blocks, oldest: u64) -> u64 {
        match self {
            State::Count(count) => count.fetch(blocks, oldest),
            State::Values(values) => values.fetch(),
            State::Sum(sum) => sum.fetch(),
            State::Together(together) => together.fetch(),
            State::Order(order) => order.fetch(),
            State::Window(window) => window.fetch(),
        }
    }

    /// Gives back what it has of `blocks`: the group is over.
    pub(super) fn release(&mut self, blocks: &mut Blocks) {
        if let State::Count(count) = self {
            count.release(blocks);
        }
    }

    /// When something is to be done next, where `last` is the time of the group's last event. Never later than it is.
    pub(super) fn due(&self, last: u64, timespan: u64) -> u64 {
        let unused = last.saturating_add(timespan);
        match self {
            State::Window(window) => window.ends(timespan),
            State::Order(order) => order.due(timespan).map_or(unused, |due| due.min(unused)),
            _ => unused,
        }
    }

    /// It is `now`, and no event up to then is still to come.
    pub(super) fn settle(&mut self, kind: &Kind, (last, now): (u64, u64), timespan: u64) -> Settled<R> {
        if let State::Order(order) = self
            && let Some(met) = order.settle(now, timespan)
        {
            return Settled::Over(Some(met));
        }
        let due = self.due(last, timespan);
        if due > now {
            return Settled::Later(due);
        }
        let (State::Window(window), Kind::AtEnd { gauge, asks }) = (self, kind) else {
            return Settled::Over(None);
        };
        let ended = std::mem::replace(&mut **window, Window::new(*gauge, now));
        Settled::Over(ended.end(asks))
    }

    /// About how much is held beside the state itself and its blocks.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        match self {
            State::Count(_) => 0,
            State::Values(values) => size_of::<Values>() + values.bytes(),
            State::Sum(sum) => size_of::<Sum>() + sum.bytes(),
            State::Together(together) => size_of::<Together<R>>() + together.bytes(),
            State::Order(order) => order.bytes(),
            State::Window(window) => window.bytes(),
        }
    }
}

impl<F: Copy> Correlation<F> {
    /// Writes the values by which a judgement of the member at `place` is grouped; `false` where one is missing.
    pub(super) fn push_key<R: Joinable<Field = F>>(
        &self,
        (event, group): (&R, Option<&Group>),
        place: usize,
        key: &mut String,
    ) -> bool {
        key.clear();
        self.group_by.get(place).is_some_and(|origins| push_values(origins, event, group, key))
    }

    /// Writes the value that is counted; `false` where there is none.
    fn text<R: Joinable<Field = F>>(&self, taken: &Taken<'_, R>, text: &mut String) -> bool {
        text.clear();
        self.measured
            .get(taken.place)
            .is_some_and(|origins| push_values(origins, &taken.event, taken.group, text))
    }

    fn number<R: Joinable<Field = F>>(&self, taken: &Taken<'_, R>) -> Option<Number> {
        match self.measured.get(taken.place)?.first()? {
            Origin::Field(field) => taken.event.number(*field),
            Origin::Group(place) => joinable::number(taken.group?.get(*place)?),
        }
    }

    fn measured<'s, R: Joinable<Field = F>>(
        &self,
        gauge: Gauge,
        taken: &Taken<'_, R>,
        scratch: &'s mut String,
    ) -> Option<Measured<'s>> {
        match gauge {
            Gauge::Events | Gauge::Members => Some(Measured::Nothing),
            Gauge::Values => self.text(taken, scratch).then_some(Measured::Text(scratch)),
            Gauge::Sum | Gauge::Mean | Gauge::Median | Gauge::Percentile(_) => {
                self.number(taken).map(Measured::Number)
            }
        }
    }
}

/// Appends values so that no two lists of them look the same: the values, then the lengths of all but the last, each as
/// the character of that number. `false` where one is missing.
fn push_values<R: Joinable>(
    origins: &[Origin<R::Field>],
    event: &R,
    group: Option<&Group>,
    text: &mut String,
) -> bool {
    if let [Origin::Field(field)] = origins {
        return event.push_text(*field, text);
    }
    let mut lengths = smallvec::SmallVec::<[char; 4]>::new();
    for origin in origins {
        let before = text.len();
        let found = match origin {
            Origin::Field(field) => event.push_text(*field, text),
            Origin::Group(place) => match group.and_then(|group| group.get(*place)) {
                Some(value) => {
                    text.push_str(value);
                    true
                }
                None => false,
            },
        };
        if !found {
            return false;
        }
        let length = u32::try_from(text.len() - before).ok().and_then(char::from_u32);
        lengths.push(length.unwrap_or(char::MAX));
    }
    lengths.pop();
    text.extend(lengths);
    true
}

/// The `count` values of a text that [`push_values`] wrote.
pub(super) fn values_of(text: &str, count: usize) -> Group {
    let mut rest = text;
    let mut lengths = smallvec::SmallVec::<[usize; 4]>::new();
    for _ in 1..count {
        let Some(length) = rest.chars().next_back() else { break };
        rest = rest.get(..rest.len() - length.len_utf8()).unwrap_or("");
        lengths.push(usize::try_from(u32::from(length)).unwrap_or(usize::MAX));
    }
    let mut values = Group::new();
    while let Some(length) = lengths.pop() {
        let (value, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        values.push(value.into());
        rest = after;
    }
    if count > 0 {
        values.push(rest.into());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_its_values_back() {
        let key = |values: &[&str]| {
            let mut text: String = values.concat();
            let lengths = values.iter().rev().skip(1).rev();
            text.extend(lengths.map(|value| char::from_u32(u32::try_from(value.len()).unwrap()).unwrap()));
            text
        };
        for values in [&["a"][..], &["ab", "c"], &["a", "bc"], &["é", "\u{1}", "x\u{0}"], &[]] {
            let read: Vec<String> =
                values_of(&key(values), values.len()).iter().map(|v| v.to_string()).collect();
            assert_eq!(read, values);
        }
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    }
}
