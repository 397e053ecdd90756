//! Files whose lines are events: our own recordings, and Kubernetes audit logs.

use super::Fault;
use super::kind::LineKind;
use crate::failure::Failure;
use event::Event;
use event::recording::{Head, from_line};
use sense::kubernetes_audit;
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
}

impl Lines {
    /// Reads the head, where the kind has one.
    ///
    /// # Errors
    /// A file that is empty or begins with no such head.
    pub fn new(name: &str, input: Box<dyn BufRead>, kind: LineKind) -> Result<(Self, Option<Head>), Failure> {
        let mut lines =
            Self { name: name.to_owned(), input, kind, number: 0, sequence: 0, waiting: VecDeque::new() };
        if kind != LineKind::Events {
            return Ok((lines, None));
        }
        let Some(first) = lines.line()? else {
            return Err(Failure::usage(format!("{name} is empty"), "record with `watch --record FILE`"));
        };
        let head = Head::parse(&first).map_err(|error| {
            Failure::usage(
                format!("{name}: {error}"),
                "replay reads what `watch --record` writes, captures (pcap, pcapng), Kubernetes audit logs, and Zeek's conn, dns, ssl and http logs; `--as` names the kind",
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
            let Some(line) = self.line().map_err(Fault::Ends)? else { return Ok(None) };
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
            }
        }
    }
}
