//! The engine: events in, alerts out.
//!
//! In: enriched events in arrival order, ticks among them. Out: alerts. No I/O, no threads, no wall clock: the same
//! events give the same alerts.

use crate::alerting::{Alerts, Blind, ExceptionUse, Exceptions, Health, Now, Surroundings, Verdict};
use crate::analytic::{Analytics, Made};
use crate::correlate::{Correlator, Limits};
use crate::error::CompileError;
use crate::judge::{Judge, Judgement};
use crate::late::Late;
use crate::program::{self, Compiled};
use crate::rule::{ClassMarks, Placeholders, Program, Rules};
use compact_str::CompactString;
use event::alert::StrategyHead;
use event::file::FileOp;
use event::health::{Loss, LossAt};
use event::{
    Alert, BootTime, Class, Container, ContainerId, Event, EventId, Kind, Sensor, WallTime, Wants, WatchList,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use strategy::Strategy;
use thiserror::Error;

/// What an engine may keep, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seconds of event time that correlations wait for judgements that are earlier in time. Default 0.5.
    #[serde(with = "event::time_form::seconds")]
    pub lag: Duration,
    /// Alerts that are open at once. Default 10,000.
    pub open_alerts: usize,
    /// Groups of one correlation. Default 10,000.
    pub groups_each: usize,
    /// Groups of all correlations. Default 100,000.
    pub groups_all: usize,
    /// About how many bytes all groups hold, the events that they keep included. Default 64 MiB.
    pub group_bytes: usize,
    /// What `%name%` stands for in rules under `|expand`: values by name. Default: nothing.
    pub placeholders: Placeholders,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lag: Duration::from_millis(500),
            open_alerts: 10_000,
            groups_each: 10_000,
            groups_all: 100_000,
            group_bytes: 64 << 20,
            placeholders: Placeholders::new(),
        }
    }
}

/// An engine that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A limit that leaves no room.
    #[error("limit `{0}` is zero")]
    NoRoom(&'static str),
}

/// What the engine counted since it began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events seen.
    pub events: u64,
    /// Yeses of rules and correlations.
    pub judgements: u64,
    /// Judgements that correlations saw out of order.
    pub late: u64,
    /// Judgements that lacked a field to group by.
    pub ungrouped: u64,
    /// Judgements that lacked the value that a correlation counts or sums.
    pub unmeasured: u64,
    /// Groups of correlations, and values of groups, that gave way for lack of room.
    pub groups_evicted: u64,
    /// Alerts that were closed for lack of room.
    pub alerts_evicted: u64,
    /// Flows and the like that analytics gave up for lack of room.
    pub state_evicted: u64,
    /// What each exception did.
    pub exceptions: Vec<ExceptionUse>,
}

/// Detection, from strategies.
#[derive(Debug)]
pub struct Engine {
    judges: Vec<Judge>,
    program: Program,
    marks: ClassMarks,
    wanted: Wants,
    analytics: Analytics,
    /// Events that analytics made of the one at hand.
    made: Made,
    late: Late,
    correlator: Correlator<Arc<Event>>,
    exceptions: Exceptions,
    alerts: Alerts,
    health: Health,
    strategies: Vec<Arc<StrategyHead>>,
    requires: Vec<Vec<CompactString>>,
    needs: Vec<Vec<(CompactString, bool)>>,
    now: Now,
    counted: Counted,
    scratch: Vec<Judgement>,
}

/// Counts of the engine itself.
#[derive(Debug, Default)]
struct Counted {
    events: u64,
    /// Events that analytics made.
    made: u64,
    judgements: u64,
    state_evicted: u64,
    /// Losses that [`Engine::take_losses`] has told.
    told: (u64, u64),
}

impl Engine {
    /// An engine that runs `strategies`, and what of them cannot run.
    ///
    /// # Errors
    /// A limit of `config` that leaves no room.
    pub fn new(strategies: &[Strategy], config: &Config) -> Result<(Self, Vec<CompileError>), Error> {
        let Config { lag, open_alerts, groups_each, groups_all, group_bytes, .. } = *config;
        for (limit, name) in [
            (open_alerts, "open_alerts"),
            (groups_each, "groups_each"),
            (groups_all, "groups_all"),
            (group_bytes, "group_bytes"),
        ] {
            if limit == 0 {
                return Err(Error::NoRoom(name));
            }
        }
        let compiled = program::compile(strategies, &config.placeholders);
        let judges = compiled.judges.len();
        let wanted = wanted(&compiled);
        let engine = Self {
            wanted,
            marks: ClassMarks::default(),
            analytics: Analytics::new(compiled.parameters, &compiled.fields),
            made: Made::new(),
            late: Late::new(&compiled.fields),
            correlator: Correlator::new(
                compiled.correlations,
                judges,
                Limits { lag, groups_each, groups_all, bytes_all: group_bytes },
            ),
            judges: compiled.judges,
            program: compiled.program,
            exceptions: compiled.exceptions,
            alerts: Alerts::new(open_alerts),
            health: Health::default(),
            strategies: compiled.strategies,
            requires: compiled.requires,
            needs: strategies.iter().map(needs).collect(),
            now: Now { boot: BootTime(0), wall: WallTime(0) },
            counted: Counted::default(),
            scratch: Vec::new(),
        };
        Ok((engine, compiled.errors))
    }

    /// Takes lists of what is known to be bad, in the place of those that it had: analytics ask them.
    pub fn take_lists(&mut self, lists: Arc<crate::intel::Set>) {
        self.analytics.take_lists(lists);
    }

    /// Takes the next event; appends the alerts that it raises, updates or closes.
    pub fn push(&mut self, event: Event, out: &mut Vec<Alert>) {
        self.counted.events += 1;
        self.take(event, out);
        while let Some(mut event) = self.made.pop_front() {
            event.id = EventId { sensor: Sensor::Analytic, sequence: self.counted.made };
            self.counted.made += 1;
            self.take(event, out);
        }
        self.advance(out);
    }

    fn take(&mut self, mut event: Event, out: &mut Vec<Alert>) {
        self.now = Now { boot: self.now.boot.max(event.boot), wall: event.wall };
        self.health.observe(&event);
        self.analytics.observe(&mut event, &mut self.made);
        if let Kind::Container(change) = &event.kind
            && let Some(id) = change.record.id
        {
            let record = event.context.container.clone().unwrap_or_else(|| Arc::new(change.record.clone()));
            self.fill_in(id, &record, out);
            self.judge_again(id, &record, out);
        }
        let rules = self.rules_for(&event);
        self.late.keep(&event, &rules, self.now.boot);
        self.raise(event, rules, out);
    }

    /// The facts of a container came: what was judged without them is judged with them, and raises what it did not
    /// raise before.
    fn judge_again(&mut self, id: ContainerId, record: &Arc<Container>, out: &mut Vec<Alert>) {
        for (mut event, before) in self.late.take(id, record, self.now.boot) {
            self.analytics.describe(&mut event);
            let mut rules = self.rules_for(&event);
            rules.retain(|rule| !before.contains(rule));
            self.raise(event, rules, out);
        }
    }

    fn rules_for(&mut self, event: &Event) -> Rules {
        let mut rules = Rules::new();
        self.program.judge(event, &mut self.marks, &mut rules);
        rules
    }

    fn raise(&mut self, mut event: Event, rules: Rules, out: &mut Vec<Alert>) {
        if rules.is_empty() {
            return;
        }
        self.analytics.complete(&mut event);
        let event = Arc::new(event);
        for rule in rules {
            self.judged(Judgement::of_rule(rule, event.clone()), out);
        }
    }

    /// The input ended: judges what waits and closes every alert.
    pub fn finish(&mut self, out: &mut Vec<Alert>) {
        let mut judgements = std::mem::take(&mut self.scratch);
        self.correlator.finish(&mut judgements);
        self.alert_all(&mut judgements, out);
        self.scratch = judgements;
        let (alerts, around) = self.alerts_and_surroundings();
        alerts.finish(&around, out);
    }

    /// The strategies that see nothing or less than they should, and why.
    pub fn health(&self) -> Vec<Blind> {
        let each = self.strategies.iter().zip(&self.requires).zip(&self.needs);
        let blind = each.map(|((head, requires), needs)| {
            let mut signals = requires.clone();
            signals.extend(needs.iter().map(|(signal, _)| signal.clone()));
            let because = self.health.sentences(&signals, self.now.boot);
            let down = |signal: &CompactString| self.health.is_down(signal);
            let entirely = requires.iter().any(down)
                || needs.iter().any(|(signal, blind_when_missing)| *blind_when_missing && down(signal));
            Blind { strategy: head.slug.clone(), because, entirely }
        });
        blind.filter(|blind| !blind.because.is_empty()).collect()
    }

    /// What the rules can want.
    pub fn wanted(&self) -> Wants {
        self.wanted.clone()
    }

    /// What was counted since the start.
    pub fn stats(&self) -> Stats {
        let correlated = self.correlator.counts();
        Stats {
            events: self.counted.events,
            judgements: self.counted.judgements,
            late: correlated.late,
            ungrouped: correlated.ungrouped,
            unmeasured: correlated.unmeasured,
            groups_evicted: correlated.evicted,
            alerts_evicted: self.alerts.evicted(),
            state_evicted: self.counted.state_evicted,
            exceptions: self.exceptions.usage(),
        }
    }

    /// Alerts that are open, and groups of correlations in memory.
    pub fn sizes(&self) -> (usize, usize) {
        (self.alerts.open(), self.correlator.held().0)
    }

    /// About how many bytes the groups of correlations hold.
    pub fn group_bytes(&self) -> usize {
        self.correlator.held().1
    }

    /// What the engine itself had to give up since the last call. Its caller makes events of it, like of any other
    /// loss, and pushes them: only then does the health of strategies suffer from it.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        let evicted = self.correlator.counts().evicted;
        let now = (evicted, self.counted.state_evicted);
        let told = std::mem::replace(&mut self.counted.told, now);
        [(LossAt::Correlation, now.0 - told.0), (LossAt::State, now.1 - told.1)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(at, count)| Loss { at, count, ..Loss::default() })
            .collect()
    }

    /// Gives a judgement to correlations and, if it alerts, to the table of alerts.
    fn judged(&mut self, judgement: Judgement, out: &mut Vec<Alert>) {
        if self.correlator.joins(judgement.judge) {
            self.correlator.push(judgement.judge, judgement.event.clone());
        }
        self.alert(judgement, out);
    }

    fn alert(&mut self, judgement: Judgement, out: &mut Vec<Alert>) {
        self.counted.judgements += 1;
        let Some(judge) = self.judges.get(judgement.judge).filter(|judge| judge.alerts) else { return };
        let handles = [judge.name.as_str(), judge.id.as_str(), judge.title.as_str()];
        // What an open alert counts stays true: an exception keeps alerts from being raised, and hides no repeats.
        if self.exceptions.ask(judge.strategy, &handles, &judgement.event) == Verdict::Silence
            && !self.alerts.is_open(judge, &judgement)
        {
            return;
        }
        let (alerts, around) = self.alerts_and_surroundings();
        alerts.take(judgement, &around, out);
    }

    fn alert_all(&mut self, judgements: &mut Vec<Judgement>, out: &mut Vec<Alert>) {
        for judgement in judgements.drain(..) {
            self.alert(judgement, out);
        }
    }

    fn advance(&mut self, out: &mut Vec<Alert>) {
        let mut judgements = std::mem::take(&mut self.scratch);
        self.correlator.advance(self.now.boot, &mut judgements);
        self.alert_all(&mut judgements, out);
        self.scratch = judgements;
        self.counted.state_evicted += self.analytics.lost() + self.late.take_lost();
        let (alerts, around) = self.alerts_and_surroundings();
        alerts.advance(&around, out);
    }

    fn fill_in(&mut self, id: ContainerId, record: &Arc<Container>, out: &mut Vec<Alert>) {
        let (alerts, around) = self.alerts_and_surroundings();
        alerts.fill_in(&id, record, &around, out);
    }

    fn alerts_and_surroundings(&mut self) -> (&mut Alerts, Surroundings<'_>) {
        let Self { alerts, judges, requires, health, now, .. } = self;
        (alerts, Surroundings { judges, requires, health, now: *now })
    }
}

/// System calls that put something over what was there.
const MOUNTING: &[&str] = &["mount", "move_mount"];

/// What the engine can want of sensors.
fn wanted(compiled: &Compiled) -> Wants {
    // What the engine needs for itself: records of containers, its own health and the passing of time.
    let mut classes = BTreeSet::from([Class::Container, Class::Health, Class::Tick]);
    classes.extend(compiled.judged.keys());
    if classes.contains(&Class::NetworkFlow) || classes.contains(&Class::Fact) {
        // What the engine makes flows of, those that go on, and facts about who speaks to whom.
        classes.extend([Class::NetworkConnection, Class::NetworkPayload, Class::NetworkFlow, Class::Dns]);
    }
    if classes.contains(&Class::Http) {
        // Requests are read from the first payload.
        classes.insert(Class::NetworkPayload);
    }
    if classes.contains(&Class::NetworkPayload) {
        // Whose flow it is, and when it ends.
        classes.insert(Class::NetworkConnection);
    }
    let whole = [Class::Container, Class::Health, Class::Tick, Class::NetworkConnection, Class::NetworkFlow];
    let partial = compiled.operations.iter().filter(|(class, _)| !whole.contains(class));
    let mut operations: BTreeMap<Class, BTreeSet<CompactString>> =
        partial.map(|(class, operations)| (*class, operations.clone())).collect();
    // Whose changes of content are judged; looks at them follow what the kernel sensor says of files and mounts.
    let watched = if classes.contains(&Class::FileChange) {
        for (class, changing) in [(Class::FileEvent, FileOp::CHANGING), (Class::Syscall, MOUNTING)] {
            // A class that rules want as a whole has no list of operations.
            if classes.insert(class) || operations.contains_key(&class) {
                operations
                    .entry(class)
                    .or_default()
                    .extend(changing.iter().map(|name| CompactString::from(*name)));
            }
        }
        compiled.parameters.watched.clone()
    } else {
        WatchList::default()
    };
    Wants { classes, operations, file_names: compiled.file_names.clone(), watched }
}

/// The signals that a strategy's assumptions need, each with whether it is blind without.
fn needs(strategy: &Strategy) -> Vec<(CompactString, bool)> {
    let assumptions = strategy.document.assumptions.iter().map(|placed| &placed.value);
    assumptions
        .flat_map(|one| one.needs.iter().map(|signal| (signal.as_str().into(), one.blind_when_missing)))
        .collect()
}
