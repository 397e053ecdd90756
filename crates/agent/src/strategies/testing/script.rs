//! The events of a test with absolute times: lines repeated as they say, captures, ticks between them.

use super::capture;
use event::{BootTime, Event, EventId, Kind, Sensor, WallTime, recording};
use std::path::Path;
use std::time::Duration;
use strategy::Strategy;
use strategy::document::test_block::{TestCase, TestEvent, TestInput};
use strategy::source::{Source, Span};

/// Boot time at which a test begins.
const BEGIN: Duration = Duration::from_secs(1000);
/// Wall time at which a test begins: 2026-01-01 UTC.
const BEGIN_WALL: Duration = Duration::from_secs(1_767_225_600);
/// Ticks come this often, and for this long after the last event.
const TICK: Duration = Duration::from_millis(100);
const AFTER: Duration = Duration::from_secs(2);
/// Longest silence between two events that is filled with ticks; longer ones get one tick at their end.
const FILLED: Duration = Duration::from_secs(5);
/// Most events of one test, repetitions counted.
const EVENTS: usize = 1_000_000;

/// Why a test cannot be run.
pub struct Fault {
    /// What is wrong.
    pub why: String,
    /// Line of the document, where it is not that of the test's begin.
    pub line: Option<usize>,
}

/// The events of a test.
pub struct Script {
    events: Vec<Event>,
    /// When each comes, and its number in `events`; in order.
    order: Vec<(Duration, usize)>,
}

impl Script {
    /// Reads the events of `test`; captures lie below `folder`.
    ///
    /// # Errors
    /// An event or a capture that cannot be read, or more events than a test may have.
    pub fn read(strategy: &Strategy, test: &TestCase, folder: Option<&Path>) -> Result<Self, Fault> {
        let mut script = Self { events: Vec::new(), order: Vec::new() };
        for input in &test.inputs {
            let (added, span) = match input {
                TestInput::Event(line) => (script.line(line), line.span),
                TestInput::Capture(path, span) => (script.capture(path, folder), *span),
            };
            added.map_err(|why| Fault { why, line: Some(line_of(strategy, span)) })?;
        }
        script.order.sort_by_key(|(at, _)| *at);
        Ok(script)
    }

    fn line(&mut self, line: &TestEvent) -> Result<(), String> {
        // As recordings are read: reading the value itself would be the same code once more, for another input.
        let event = recording::from_line(&line.event.to_string()).map_err(|error| {
            let text = error.to_string();
            let (why, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
            format!("an event of the test cannot be read: {why}")
        })?;
        let repeat = usize::try_from(line.repeat.max(1)).unwrap_or(usize::MAX);
        self.room_for(repeat)?;
        let number = self.events.len();
        self.events.push(event);
        let at = |index| line.at.saturating_add(line.every.saturating_mul(index));
        self.order.extend((0..u32::try_from(repeat).unwrap_or(u32::MAX)).map(|index| (at(index), number)));
        Ok(())
    }

    /// Events of a recording beside the document, from its first event's time on.
    fn capture(&mut self, path: &str, folder: Option<&Path>) -> Result<(), String> {
        let Some(folder) = folder else {
            return Err(format!(
                "the capture {path} is not in the program: give the document's path to `strategy test`"
            ));
        };
        let events = capture::read(&folder.join(path), EVENTS)?;
        self.room_for(events.len())?;
        let begin = events.first().map_or(BootTime(0), |event| event.boot);
        for event in events {
            self.order.push((event.boot.since(begin), self.events.len()));
            self.events.push(event);
        }
        Ok(())
    }

    fn room_for(&self, more: usize) -> Result<(), String> {
        if self.order.len().saturating_add(more) > EVENTS {
            return Err(format!("the test has more than {EVENTS} events"));
        }
        Ok(())
    }

    /// Gives every event to `push`, with ticks between and after them.
    pub fn play(&self, push: &mut dyn FnMut(Event)) {
        let mut sequence = 0;
        let mut emit = |event: &Event, at| {
            let mut event = at_time(event.clone(), at);
            event.id = EventId { sensor: event.id.sensor, sequence };
            sequence += 1;
            push(event);
        };
        let tick = Event::new(Sensor::Own, BootTime(0), Kind::Tick);
        let mut clock = Duration::ZERO;
        for (at, number) in &self.order {
            let Some(event) = self.events.get(*number) else { continue };
            if at.saturating_sub(clock) > FILLED {
                clock = *at;
                emit(&tick, clock);
            }
            while clock + TICK <= *at {
                clock += TICK;
                emit(&tick, clock);
            }
            emit(event, *at);
        }
        let end = clock + AFTER;
        while clock < end {
            clock += TICK;
            emit(&tick, clock);
        }
    }
}

fn line_of(strategy: &Strategy, span: Span) -> usize {
    Source::new(&strategy.path, &strategy.text).position(span.start).line
}

fn at_time(mut event: Event, at: Duration) -> Event {
    let nanos = |begin: Duration| u64::try_from(begin.saturating_add(at).as_nanos()).unwrap_or(u64::MAX);
    event.boot = BootTime(nanos(BEGIN));
    event.wall = WallTime(nanos(BEGIN_WALL));
    // Ages in a test are relative to its begin, as its times are; so a `ppid` alone names a process of the test.
    if let Some(actor) = &mut event.actor {
        let begin = BootTime(u64::try_from(BEGIN.as_nanos()).unwrap_or(u64::MAX));
        for start in [&mut actor.start, &mut actor.parent_start] {
            if *start == BootTime(0) {
                *start = begin;
            }
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use strategy::document::test_block::Expect;

    fn script(lines: &[(u64, u64, u64)]) -> Result<Script, Fault> {
        let event = || serde_json::json!({"kind": {"health": {"signal": "docker", "state": "up"}}});
        let inputs = lines.iter().map(|(at, repeat, every)| {
            TestInput::Event(TestEvent {
                at: Duration::from_millis(*at),
                repeat: *repeat,
                every: Duration::from_millis(*every),
                event: event(),
                span: Span::default(),
            })
        });
        let test = TestCase {
            line: 1,
            span: Span::default(),
            name: None,
            expect: Expect::Silence,
            inputs: inputs.collect(),
        };
        let built_in = crate::content::built_in();
        let (strategies, _) = strategy::load(&built_in);
        Script::read(strategies.first().unwrap(), &test, None)
    }

    #[test]
    fn lines_interleave_by_time_with_ticks_between() {
        let Ok(script) = script(&[(0, 3, 1000), (1500, 1, 0)]) else { panic!() };
        let mut seen = Vec::new();
        let mut ticks = 0;
        script.play(&mut |event| {
            if matches!(event.kind, Kind::Tick) {
                ticks += 1;
            } else {
                seen.push(event.boot.0 / 1_000_000 - 1_000_000);
            }
        });
        assert_eq!(seen, [0, 1000, 1500, 2000]);
        assert_eq!(ticks, 40);
    }

    #[test]
    fn a_test_has_a_bounded_number_of_events() {
        assert!(script(&[(0, 1_000_000, 1)]).is_ok());
        let Err(fault) = script(&[(0, 1_000_000, 1), (0, 1, 0)]) else { panic!() };
        assert!(fault.why.contains("more than 1000000"), "{}", fault.why);
    }
}
