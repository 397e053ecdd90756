//! `exceptions test`: what each exception would have hidden of a recording.
//!
//! One engine judges without any exception, and one for each exception with that one alone; the difference of their
//! alerts is what it hides. All of them see the same events, so that correlations count the same.

use super::{Form, Silence, Test, silences};
use crate::config::Config;
use crate::content;
use crate::failure::{Exit, Failure};
use crate::intel;
use crate::recording::Recordings;
use detect::Engine;
use detect::intel::Set;
use enrich::Enricher;
use event::{Alert, Event, WallTime};
use respond::escape::escaped;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use strategy::Strategy;
use strategy::document::Placed;
use strategy::source::Span;

/// Exceptions that are tried at a time, each with an engine of its own.
const TRIED: usize = 64;
/// Hidden alerts that are shown one by one.
const SHOWN: usize = 20;
/// Longest message that is shown, in characters.
const MESSAGE: usize = 300;

/// Replays the recordings.
///
/// # Errors
/// Documents, a configuration or recordings that cannot be read, or an output that cannot be written.
pub fn run(args: &Test) -> Result<Exit, Failure> {
    let config = Config::load(args.sources.config.as_deref())?;
    let documents = content::load(args.sources.strategies.as_deref())?;
    let strategies = crate::strategies::check(&documents, &config)?.strategies;
    let chosen = chosen(&strategies, args.id.as_deref())?;
    let mut out = io::stdout().lock();
    if chosen.is_empty() {
        writeln!(out, "no exceptions").map_err(|error| Failure::output(&error))?;
        return Ok(Exit::Fine);
    }
    if chosen.len() > TRIED {
        return Err(Failure::usage(
            format!("{} exceptions are more than the {TRIED} that are tried at a time", chosen.len()),
            "name one with --id",
        ));
    }
    let lists = intel::load(&config)?;
    let mut hides = false;
    let mut recordings = Recordings::new(&args.files, args.kind);
    while let Some(mut recording) = recordings.next()? {
        let mut bench = Bench::new(&strategies, &chosen, (&config, &lists))?;
        while let Some(event) = recording.next_event()? {
            bench.push(event);
        }
        for outcome in bench.finish() {
            hides |= !outcome.hidden.is_empty();
            outcome.print(&mut out, args.sources.format).map_err(|error| Failure::output(&error))?;
        }
    }
    Ok(if hides { Exit::Findings } else { Exit::Fine })
}

fn chosen<'s>(strategies: &'s [Strategy], id: Option<&str>) -> Result<Vec<Silence<'s>>, Failure> {
    let mut chosen = silences(strategies);
    let Some(id) = id else { return Ok(chosen) };
    chosen.retain(|silence| silence.exception.id == id);
    if chosen.is_empty() {
        return Err(Failure::usage(
            format!("there is no exception `{id}`"),
            "`watchkeeper exceptions list` shows all of them",
        ));
    }
    Ok(chosen)
}

/// An alert as it stood last.
#[derive(Debug, Clone)]
struct Seen {
    /// Strategy, rule and group: what stays the same where an exception covers only an alert's first events.
    key: [String; 3],
    first: WallTime,
    last: WallTime,
    rule: String,
    message: String,
    count: u64,
}

impl Seen {
    fn of(alert: &Alert) -> Self {
        Self {
            key: [alert.strategy.id.to_string(), alert.rule_id.to_string(), alert.group_key.to_string()],
            first: alert.first,
            last: alert.last,
            rule: alert.rule_title.to_string(),
            message: alert.message.clone(),
            count: alert.count,
        }
    }
}

/// One engine with what it raised, by the alerts' uids.
struct Lane {
    engine: Engine,
    alerts: BTreeMap<String, Seen>,
    scratch: Vec<Alert>,
}

impl Lane {
    fn new(strategies: &[Strategy], (config, lists): (&Config, &Arc<Set>)) -> Result<Self, Failure> {
        let (mut engine, _) = Engine::new(strategies, &config.detect).map_err(|error| {
            Failure::usage(
                format!("configuration of detection: {error}"),
                "docs/watchkeeper.toml has the defaults",
            )
        })?;
        engine.take_lists(lists.clone());
        Ok(Self { engine, alerts: BTreeMap::new(), scratch: Vec::new() })
    }

    fn push(&mut self, event: Event) {
        self.engine.push(event, &mut self.scratch);
        self.keep();
    }

    fn keep(&mut self) {
        for alert in self.scratch.drain(..) {
            self.alerts.insert(alert.uid.to_string(), Seen::of(&alert));
        }
    }

    /// The alerts of `without` that this engine did not raise, not even later.
    fn misses<'w>(&self, without: &'w Self) -> Vec<(&'w String, &'w Seen)> {
        let mut begins: BTreeMap<&[String; 3], Vec<WallTime>> = BTreeMap::new();
        for seen in self.alerts.values() {
            begins.entry(&seen.key).or_default().push(seen.first);
        }
        let is_raised = |uid: &String, seen: &Seen| {
            self.alerts.contains_key(uid)
                || begins
                    .get(&seen.key)
                    .is_some_and(|begins| begins.iter().any(|begin| (seen.first..=seen.last).contains(begin)))
        };
        without.alerts.iter().filter(|(uid, seen)| !is_raised(uid, seen)).collect()
    }

    fn finish(&mut self) {
        self.engine.finish(&mut self.scratch);
        self.keep();
    }
}

/// The engines side by side.
struct Bench<'s> {
    strategies: &'s [Strategy],
    chosen: &'s [Silence<'s>],
    enricher: Enricher,
    enriched: Vec<Event>,
    without: Lane,
    with: Vec<Lane>,
}

impl<'s> Bench<'s> {
    fn new(
        strategies: &'s [Strategy],
        chosen: &'s [Silence<'s>],
        (config, lists): (&Config, &Arc<Set>),
    ) -> Result<Self, Failure> {
        let mut bare = strategies.to_vec();
        bare.iter_mut().for_each(|strategy| strategy.document.exceptions.clear());
        let without = Lane::new(&bare, (config, lists))?;
        let mut with = Vec::new();
        for silence in chosen {
            let mut alone = bare.clone();
            for number in &silence.strategies {
                if let Some(strategy) = alone.get_mut(*number) {
                    let exception = silence.exception.clone();
                    strategy.document.exceptions.push(Placed { span: Span::default(), value: exception });
                }
            }
            with.push(Lane::new(&alone, (config, lists))?);
        }
        let enricher = Enricher::new(config.enrich.clone());
        Ok(Self { strategies, chosen, enricher, enriched: Vec::new(), without, with })
    }

    fn push(&mut self, event: Event) {
        self.enricher.push(event, &mut self.enriched);
        self.judge();
    }

    fn judge(&mut self) {
        for event in self.enriched.drain(..) {
            self.with.iter_mut().for_each(|lane| lane.push(event.clone()));
            self.without.push(event);
        }
    }

    fn finish(mut self) -> Vec<Outcome<'s>> {
        self.enricher.finish(&mut self.enriched);
        self.judge();
        self.without.finish();
        self.with.iter_mut().for_each(Lane::finish);
        let Self { strategies, chosen, without, with, .. } = self;
        let outcome = |(silence, lane): (&'s Silence<'s>, &Lane)| {
            let (silenced, expired) = silence.usage(&lane.engine.stats().exceptions);
            let hidden = lane.misses(&without).into_iter();
            Outcome {
                silence,
                strategy: silence.strategy(strategies),
                silenced,
                expired,
                hidden: hidden.map(|(uid, seen)| (uid.clone(), seen.clone())).collect(),
            }
        };
        chosen.iter().zip(&with).map(outcome).collect()
    }
}

/// What one exception did to a recording.
struct Outcome<'s> {
    silence: &'s Silence<'s>,
    /// Its strategy, or how many it has.
    strategy: String,
    /// Judgements that it covered.
    silenced: u64,
    /// Judgements that it would have covered, had it not expired at that time.
    expired: u64,
    /// Alerts that are not raised with it, by uid.
    hidden: Vec<(String, Seen)>,
}

impl Outcome<'_> {
    fn print(&self, out: &mut impl Write, form: Form) -> io::Result<()> {
        match form {
            Form::Text => self.text(out),
            Form::Json => self.json(out),
        }
    }

    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let exception = self.silence.exception;
        let source = if self.silence.span.is_none() { ", in the configuration" } else { "" };
        writeln!(
            out,
            "{} of {}{source} (owner {}, until {}): hides {} alerts, covers {} judgements",
            escaped(&exception.id, MESSAGE),
            self.strategy,
            escaped(&exception.owner, MESSAGE),
            exception.expires,
            self.hidden.len(),
            self.silenced
        )?;
        if self.expired > 0 {
            writeln!(
                out,
                "  EXPIRED: {} judgements came after {}; they were not silenced",
                self.expired, exception.expires
            )?;
        }
        for (uid, seen) in self.hidden.iter().take(SHOWN) {
            writeln!(out, "  {:>6} × {}", seen.count, escaped(&seen.rule, MESSAGE))?;
            writeln!(out, "           {}", escaped(&seen.message, MESSAGE))?;
            writeln!(out, "           alert {uid}")?;
        }
        if self.hidden.len() > SHOWN {
            writeln!(out, "  and {} more", self.hidden.len() - SHOWN)?;
        }
        Ok(())
    }

    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let hidden: Vec<_> = self
            .hidden
            .iter()
            .map(|(uid, seen)| {
                json!({"uid": uid, "rule": seen.rule, "message": seen.message, "count": seen.count})
            })
            .collect();
        let exception = self.silence.exception;
        let object = json!({
            "id": exception.id,
            "strategy": self.strategy,
            "owner": exception.owner,
            "expires": exception.expires,
            "silenced": self.silenced,
            "not_honoured": self.expired,
            "hidden": hidden,
        });
        writeln!(out, "{object}")
    }
}
