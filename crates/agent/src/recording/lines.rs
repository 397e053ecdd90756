//! Files whose lines are events: our own recordings, Kubernetes audit logs, system logs.

use super::Fault;
use super::kind::LineKind;
use crate::failure::Failure;
use event::recording::{Head, from_line};
use event::{ContainerId, Event, WallTime};
use sense::kubernetes_audit;
use sense::logs::{Clock, Executions, Parser, Pattern};
use std::collections::VecDeque;
use std::io::{BufRead, Read};

/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 16 << 20;

/// Lines of one file.
pub struct Lines {
    name: String,
    input: Box<dyn BufRead>,
    kind: LineKind,
    number: u64,
    sequence: u64,
    /// Events of a line that tells of several.
    waiting: VecDeque<Event>,
    /// Reads system logs, until they end.
    logs: Option<Parser>,
    /// Whose output it is, where the file's name says so.
    container: Option<ContainerId>,
}

/// What is known of a log besides its lines.
#[derive(Debug, Default)]
pub struct Around<'a> {
    /// When it was written last.
    pub until: WallTime,
    /// Patterns of the configuration.
    pub patterns: &'a [Pattern],
}

impl Lines {
    /// Reads the head, where the kind has one.
    ///
    /// # Errors
    /// A file that is empty or begins with no such head.
    pub fn new(
        name: &str,
        input: Box<dyn BufRead>,
        kind: LineKind,
        around: &Around<'_>,
    ) -> Result<(Self, Option<Head>), Failure> {
        let logs = (kind == LineKind::Log).then(|| parser(around)).transpose()?;
        let mut lines = Self {
            name: name.to_owned(),
            input,
            kind,
            number: 0,
            sequence: 0,
            waiting: VecDeque::new(),
            logs,
            container: container(name),
        };
        if kind != LineKind::Events {
            return Ok((lines, None));
        }
        let Some(first) = lines.line()? else {
            return Err(Failure::usage(format!("{name} is empty"), "record with `watch --record FILE`"));
        };
        let head = Head::parse(&first).map_err(|error| {
            Failure::usage(
                format!("{name}: {error}"),
                "replay reads what `watch --record` writes, captures (pcap, pcapng), Kubernetes audit logs, system logs, and Zeek's conn, dns, ssl and http logs; `--as` names the kind",
            )
        })?;
        Ok((lines, Some(head)))
    }

    /// The next line without its end; `None` at the end of the file.
    fn line(&mut self) -> Result<Option<String>, Failure> {
        let mut bytes = Vec::new();
        let read = (&mut self.input).take(LINE_BYTES).read_until(b'\n', &mut bytes);
        self.number += 1;
        match read {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned())),
            Err(error) => Err(Failure::usage(
                format!("cannot read {} at line {}: {error}", self.name, self.number),
                "copy the file again, or cut it before that line",
            )),
        }
    }

    /// The next event; `None` at the end.
    pub fn next_event(&mut self) -> Result<Option<Event>, Fault> {
        loop {
            if let Some(mut event) = self.waiting.pop_front() {
                event.id.sequence = self.sequence;
                self.sequence += 1;
                return Ok(Some(event));
            }
            let Some(line) = self.line().map_err(Fault::Ends)? else {
                // What still waits of a log comes behind its last line.
                let Some(mut logs) = self.logs.take() else { return Ok(None) };
                let mut events = Vec::new();
                logs.finish(&mut events);
                self.waiting.extend(events);
                continue;
            };
            if line.is_empty() {
                continue;
            }
            let place = |error| {
                Fault::LeftOut(format!("{}:{}: not an event, left out: {error}", self.name, self.number))
            };
            match self.kind {
                LineKind::Events => {
                    return from_line(&line).map(Some).map_err(|error| place(error.to_string()));
                }
                LineKind::KubernetesAudit => {
                    self.waiting.extend(kubernetes_audit::events(&line).map_err(place)?);
                }
                LineKind::Log => {
                    let mut events = Vec::new();
                    if let Some(logs) = &mut self.logs {
                        logs.read(&line, self.container, &mut events);
                    }
                    self.waiting.extend(events);
                }
            }
        }
    }
}

fn parser(around: &Around<'_>) -> Result<Parser, Failure> {
    Parser::new(around.patterns, Clock::recorded(around.until), Executions::Told).map_err(|error| {
        Failure::usage(error.to_string(), "docs/logs.md says how a pattern under [[logs.pattern]] is written")
    })
}

/// The container of Docker's `ID/ID-json.log`.
fn container(name: &str) -> Option<ContainerId> {
    let file = name.rsplit('/').next()?;
    file.split_once("-json.log")?.0.parse().ok()
}
