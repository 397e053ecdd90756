//! Correlations in `match`.
//!
//! In: which rules an event matched, and what of it correlations read. Out: what correlations say. Time is that of the
//! events, from a field; all files are one stream, and what comes out of order within `detect.lag` counts as if in order.
//! An event without a time that can be read is joined to nothing, and counted.

use super::NAMED;
use super::rules::Loaded;
use crate::failure::say;
use detect::Config;
use detect::joined::{Correlations, Joined, Noted, Value};
use detect::plain::{JsonRules, Rejected};
use event::BootTime;
use strategy::sigma::Item;

/// Where a time is looked for, the first that is one: the names of Elastic, of most programs, of Windows, of Zeek.
const TIME_FIELDS: [&str; 7] =
    ["@timestamp", "timestamp", "time", "TimeCreated", "SystemTime", "UtcTime", "ts"];

/// Correlations, and what they are given.
pub struct Joining {
    correlations: Correlations<Noted>,
    time_fields: Vec<String>,
    /// The files that were begun, each with how many events came before it.
    files: Vec<(u64, String)>,
    now: BootTime,
    untimed: u64,
}

impl Joining {
    /// The correlations among the rules that were read; `rejected` are the rules that do not run, and `rules` learns
    /// which fields it has to keep.
    pub fn new(
        loaded: &Loaded,
        rejected: &[Rejected],
        (rules, time): (&mut JsonRules, Option<&str>),
        config: &Config,
    ) -> (Self, Vec<Rejected>) {
        let absent: Vec<usize> = rejected.iter().map(|one| one.item).collect();
        let (correlations, refused) = Correlations::<Noted>::without(&loaded.items, &absent, config);
        let mut refused: Vec<Rejected> =
            refused.into_iter().map(|(item, fault)| Rejected { item, fault }).collect();
        let time_fields: Vec<String> = match time {
            Some(field) => vec![field.to_owned()],
            None => TIME_FIELDS.map(str::to_owned).to_vec(),
        };
        let fields: Vec<String> = correlations.fields().iter().chain(&time_fields).cloned().collect();
        if let Err(fault) = rules.read(&fields) {
            let all = loaded.items.iter().enumerate();
            let all = all.filter(|(_, item)| matches!(item, Item::Correlation(_)));
            refused = all.map(|(item, _)| Rejected { item, fault: fault.clone() }).collect();
            let none = Correlations::<Noted>::without(&[], &[], config).0;
            return (Self::of(none, time_fields), refused);
        }
        (Self::of(correlations, time_fields), refused)
    }

    fn of(correlations: Correlations<Noted>, time_fields: Vec<String>) -> Self {
        Self { correlations, time_fields, files: Vec::new(), now: BootTime(0), untimed: 0 }
    }

    /// Whether there is no correlation.
    pub fn is_empty(&self) -> bool {
        self.correlations.is_empty()
    }

    /// Whether any correlation joins one of the rules at these places.
    pub fn wants(&self, matched: &[usize]) -> bool {
        matched.iter().any(|item| self.correlations.joins(*item))
    }

    /// Whether the rule at this place speaks for itself.
    pub fn speaks(&self, item: usize) -> bool {
        self.correlations.speaks(item)
    }

    /// The events that follow are those of `file`; `before` came before it.
    pub fn begin(&mut self, file: &str, before: u64) {
        self.files.push((before, file.to_owned()));
    }

    /// The file of an event, and its number there.
    pub fn place(&self, event: &Noted) -> (&str, u64) {
        let number = event.number();
        let after = self.files.partition_point(|(before, _)| *before <= number);
        let file = after.checked_sub(1).and_then(|place| self.files.get(place));
        file.map_or(("", number), |(before, file)| (file.as_str(), number - before))
    }

    /// Takes the `number`th event of all, which the rules at `matched` hold for.
    pub fn take(
        &mut self,
        number: u64,
        matched: &[usize],
        mut values: Vec<Option<Value>>,
        out: &mut Vec<Joined<Noted>>,
    ) {
        let times = values.split_off(self.correlations.fields().len().min(values.len()));
        let Some(time) = times.iter().flatten().find_map(Value::time) else {
            self.untimed += 1;
            if self.untimed <= NAMED {
                let file = self.files.last().map_or("", |(_, file)| file.as_str());
                let before = self.files.last().map_or(0, |(before, _)| *before);
                let fields = self.time_fields.join(", ");
                say(&format!(
                    "{file}: event {}: joined to nothing, as no time can be read in {fields}; hint: name the field with --time",
                    number - before
                ));
            }
            return;
        };
        let event = Noted::new(time, number, values);
        for item in matched {
            self.correlations.push(*item, event.clone());
        }
        self.now = self.now.max(time);
        self.correlations.advance(self.now, out);
    }

    /// The input ended: all windows end. What could not be joined is told.
    pub fn finish(&mut self, out: &mut Vec<Joined<Noted>>) {
        self.correlations.finish(out);
        let counts = self.correlations.unjoined();
        for (count, what) in [
            (self.untimed, "events without a time that can be read were joined to nothing"),
            (counts.late, "matches came too late to be seen in the order of their time"),
            (counts.ungrouped, "matches lack a field to group by, and belong to no group"),
            (counts.unmeasured, "matches lack the value that is counted or summed"),
            (counts.evicted, "groups or values of groups gave way for lack of room (detect.groups_all)"),
        ] {
            if count > 0 {
                say(&format!("correlations: {count} {what}"));
            }
        }
    }
}
