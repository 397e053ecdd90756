//! `strategy test`: runs the tests inside the documents, exact both ways.
//!
//! Each test runs its own strategy alone, through enrichment and detection, from an empty state. An alert that was not
//! expected fails as an alert that was missed does; a blind spot marked `missed` fails on the day that it is detected.

use super::{loaded, unwritable};
use crate::cli::Documents;
use crate::content::Document;
use crate::failure::{Exit, Failure};
use event::alert::{Activity, Alert};
use event::{BootTime, Event, EventId, Kind, Sensor, WallTime};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use strategy::Strategy;
use strategy::document::test_block::{Expect, TestCase, TestInput};

/// Boot time at which a test begins.
const BEGIN: Duration = Duration::from_secs(1000);
/// Wall time at which a test begins: 2026-01-01 UTC.
const BEGIN_WALL: Duration = Duration::from_secs(1_767_225_600);
/// Ticks come this often, and for this long after the last event.
const TICK: Duration = Duration::from_millis(100);
const AFTER: Duration = Duration::from_secs(2);
/// Longest silence between two events that is filled with ticks; longer ones get one tick at their end.
const FILLED: Duration = Duration::from_secs(5);

/// Runs the tests of `documents` whose name contains the filter.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(documents: &[Document], args: &Documents) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let (mut passed, mut failed) = (0u32, 0u32);
    let strategies = loaded(documents);
    for strategy in &strategies {
        for (section, test) in &strategy.document.tests {
            let name = name(strategy, test, section.heading());
            if args.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            match check(strategy, test) {
                Ok(()) => passed += 1,
                Err(failure) => {
                    failed += 1;
                    report(&mut out, strategy, test, &name, &failure).map_err(unwritable)?;
                }
            }
        }
    }
    let left_out = documents.len() - strategies.len();
    if left_out > 0 {
        writeln!(out, "{left_out} documents cannot run; `watchkeeper strategy lint` says why")
            .map_err(unwritable)?;
    }
    writeln!(out, "{passed} passed, {failed} failed").map_err(unwritable)?;
    Ok(if failed > 0 || left_out > 0 { Exit::Findings } else { Exit::Fine })
}

fn name(strategy: &Strategy, test: &TestCase, section: &str) -> String {
    let own = test.name.clone().unwrap_or_else(|| format!("line {}", test.line));
    format!("{} / {section} / {own}", strategy.front.slug)
}

/// What was expected and what came.
struct Difference {
    expected: String,
    got: String,
    why: String,
}

fn report(
    out: &mut impl Write,
    strategy: &Strategy,
    test: &TestCase,
    name: &str,
    failure: &Difference,
) -> io::Result<()> {
    writeln!(out, "FAILED {}:{}  {name}", strategy.path, test.line)?;
    writeln!(out, "  {}", failure.why)?;
    writeln!(out, "  expected: {}", failure.expected)?;
    writeln!(out, "  got:      {}", failure.got)?;
    let filter = test.name.clone().unwrap_or_else(|| format!("line {}", test.line));
    writeln!(out, "  again:    watchkeeper strategy test {} --filter '{filter}'\n", strategy.path)
}

fn check(strategy: &Strategy, test: &TestCase) -> Result<(), Difference> {
    let expected: BTreeSet<String> = match &test.expect {
        Expect::Alerts(rules) => rules.iter().cloned().collect(),
        Expect::Silence | Expect::Missed => BTreeSet::new(),
    };
    let broken = |why: String| Difference { expected: words(&expected), got: "nothing was run".into(), why };
    let events = events(strategy, test).map_err(broken)?;
    let alerts = alerts(strategy, events).map_err(broken)?;
    let got: BTreeSet<String> = alerts.iter().map(|alert| handle(strategy, alert)).collect();
    if got == expected {
        return Ok(());
    }
    let why = match &test.expect {
        Expect::Missed => "a blind spot is detected now: take it out of the blind spots",
        Expect::Silence => "silence was expected",
        Expect::Alerts(_) => "the alerts are not those expected",
    };
    let messages: Vec<String> =
        alerts.iter().map(|alert| format!("{} ({})", handle(strategy, alert), alert.message)).collect();
    let got = if messages.is_empty() { "silence".to_owned() } else { messages.join("; ") };
    Err(Difference { expected: words(&expected), got, why: why.to_owned() })
}

fn words(rules: &BTreeSet<String>) -> String {
    if rules.is_empty() { "silence".to_owned() } else { rules.iter().cloned().collect::<Vec<_>>().join(", ") }
}

/// The word by which tests call the alert's rule.
fn handle(strategy: &Strategy, alert: &Alert) -> String {
    strategy
        .document
        .items
        .iter()
        .map(strategy::sigma::Item::head)
        .find(|head| head.is(&alert.rule_id))
        .map_or_else(|| alert.rule_id.to_string(), |head| head.handle().to_owned())
}

fn alerts(strategy: &Strategy, events: Vec<Event>) -> Result<Vec<Alert>, String> {
    let one = std::slice::from_ref(strategy);
    let (mut engine, errors) =
        detect::Engine::new(one, &detect::Config::default()).map_err(|error| error.to_string())?;
    if !errors.is_empty() {
        return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    let mut enricher = enrich::Enricher::new(enrich::Config::default());
    let (mut enriched, mut alerts) = (Vec::new(), Vec::new());
    for event in events {
        enricher.push(event, &mut enriched);
        enriched.drain(..).for_each(|event| engine.push(event, &mut alerts));
    }
    enricher.finish(&mut enriched);
    enriched.drain(..).for_each(|event| engine.push(event, &mut alerts));
    engine.finish(&mut alerts);
    alerts.retain(|alert| alert.activity == Activity::Create);
    Ok(alerts)
}

/// The events of a test with absolute times, ticks between them, and sequence numbers.
fn events(strategy: &Strategy, test: &TestCase) -> Result<Vec<Event>, String> {
    let mut timed: Vec<(Duration, Event)> = Vec::new();
    for input in &test.inputs {
        match input {
            TestInput::Event(line) => {
                let event: Event = serde_json::from_value(line.event.clone())
                    .map_err(|error| format!("an event of the test cannot be read: {error}"))?;
                for index in 0..line.repeat.max(1) {
                    let offset = line.every.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
                    timed.push((line.at + offset, event.clone()));
                }
            }
            TestInput::Capture(path, _) => capture(strategy, path, &mut timed)?,
        }
    }
    timed.sort_by_key(|(at, _)| *at);
    Ok(with_ticks(timed))
}

/// Events of a recording beside the document, from its first event's time on.
fn capture(strategy: &Strategy, path: &str, timed: &mut Vec<(Duration, Event)>) -> Result<(), String> {
    let file = Path::new(&strategy.path).parent().unwrap_or(Path::new("")).join(path);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut begin = None;
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let event =
            event::recording::from_line(line).map_err(|error| format!("{}: {error}", file.display()))?;
        let begin = *begin.get_or_insert(event.boot);
        timed.push((event.boot.since(begin), event));
    }
    Ok(())
}

fn with_ticks(timed: Vec<(Duration, Event)>) -> Vec<Event> {
    let mut events = Vec::with_capacity(timed.len() * 2);
    let mut clock = Duration::ZERO;
    for (at, event) in timed {
        if at.saturating_sub(clock) > FILLED {
            clock = at;
            events.push(at_time(Event::new(Sensor::Own, BootTime(0), Kind::Tick), clock));
        }
        while clock + TICK <= at {
            clock += TICK;
            events.push(at_time(Event::new(Sensor::Own, BootTime(0), Kind::Tick), clock));
        }
        events.push(at_time(event, at));
    }
    let end = clock + AFTER;
    while clock < end {
        clock += TICK;
        events.push(at_time(Event::new(Sensor::Own, BootTime(0), Kind::Tick), clock));
    }
    for (sequence, event) in (0u64..).zip(&mut events) {
        event.id = EventId { sensor: event.id.sensor, sequence };
    }
    events
}

fn at_time(mut event: Event, at: Duration) -> Event {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    event.boot = BootTime(nanos(BEGIN + at));
    event.wall = WallTime(nanos(BEGIN_WALL + at));
    // Ages in a test are relative to its begin, as its times are; so a `ppid` alone names a process of the test.
    if let Some(actor) = &mut event.actor {
        for start in [&mut actor.start, &mut actor.parent_start] {
            if *start == BootTime(0) {
                *start = BootTime(nanos(BEGIN));
            }
        }
    }
    event
}
