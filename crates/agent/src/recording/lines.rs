//! Files whose lines are events: our own recordings, and Kubernetes audit logs.

use super::Fault;
use super::kind::LineKind;
use crate::failure::Failure;
use event::Event;
use event::recording::{Head, from_line};
use sense::kubernetes_audit;
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
}

impl Lines {
    /// Reads the head, where the kind has one.
    ///
    /// # Errors
    /// A file that is empty or begins with no such head.
    pub fn new(name: &str, input: Box<dyn BufRead>, kind: LineKind) -> Result<(Self, Option<Head>), Failure> {
        let mut lines = Self { name: name.to_owned(), input, kind, number: 0, sequence: 0 };
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
        while let Some(line) = self.line().map_err(Fault::Ends)? {
            if line.is_empty() {
                continue;
            }
            let place = |error| {
                Fault::LeftOut(format!("{}:{}: not an event, left out: {error}", self.name, self.number))
            };
            return match self.kind {
                LineKind::Events => from_line(&line).map(Some).map_err(|error| place(error.to_string())),
                LineKind::KubernetesAudit => {
                    let mut event = kubernetes_audit::event(&line).map_err(place)?;
                    event.id.sequence = self.sequence;
                    self.sequence += 1;
                    Ok(Some(event))
                }
            };
        }
        Ok(None)
    }
}
