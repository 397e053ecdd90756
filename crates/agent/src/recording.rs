//! Recordings as streams of events: what `watch --record` wrote, and Kubernetes audit logs.
//!
//! In: a file. Out: its events in arrival order. A line that is no event is said and left out.

use crate::cli::Kind;
use crate::failure::{Failure, say};
use event::Event;
use event::recording::{Head, from_line};
use sense::kubernetes_audit;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 16 << 20;
/// Lines that are named one by one before they are only counted.
const NAMED: u64 = 5;

/// A file of events in one of the kinds.
pub struct Recording {
    name: String,
    lines: Box<dyn BufRead>,
    kind: Kind,
    head: Head,
    /// A first line that is an event already.
    first: Option<String>,
    number: u64,
    unreadable: u64,
    sequence: u64,
}

impl Recording {
    /// Opens the file and recognises its kind; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read or is of no known kind.
    pub fn open(path: &Path, kind: Option<Kind>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let lines: Box<dyn BufRead> = if name == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path).map_err(|error| {
                Failure::usage(
                    format!("cannot read {name}: {error}"),
                    "give a recording, or `-` for standard input",
                )
            })?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        };
        let mut recording = Self {
            name,
            lines,
            kind: kind.unwrap_or(Kind::Events),
            head: Head::new(env!("CARGO_PKG_VERSION"), "", ""),
            first: None,
            number: 0,
            unreadable: 0,
            sequence: 0,
        };
        recording.recognise(kind)?;
        Ok(recording)
    }

    fn recognise(&mut self, wanted: Option<Kind>) -> Result<(), Failure> {
        let Some(first) = self.line()? else {
            return Err(Failure::usage(
                format!("{} is empty", self.name),
                "record with `watch --record FILE`",
            ));
        };
        let kind =
            wanted.or_else(|| kubernetes_audit::is_audit_line(&first).then_some(Kind::KubernetesAudit));
        match kind.unwrap_or(Kind::Events) {
            Kind::Events => {
                self.head = Head::parse(&first).map_err(|error| {
                    Failure::usage(
                        format!("{}: {error}", self.name),
                        "replay reads what `watch --record` writes, and Kubernetes audit logs (`--as kubernetes-audit`)",
                    )
                })?;
            }
            Kind::KubernetesAudit => {
                self.kind = Kind::KubernetesAudit;
                self.first = Some(first);
            }
        }
        Ok(())
    }

    /// The next line without its end; `None` at the end of the file.
    fn line(&mut self) -> Result<Option<String>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.lines).take(LINE_BYTES).read_until(b'\n', &mut bytes);
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

    /// The host of which it tells.
    pub fn host(&self) -> respond::Host {
        respond::Host {
            hostname: self.head.hostname.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The next event; `None` at the end. Lines that are no events are named on standard error, then counted.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_event(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                continue;
            }
            match self.event(&line) {
                Ok(event) => return Ok(Some(event)),
                Err(error) => self.not_readable(&error),
            }
        }
        if self.unreadable > NAMED {
            say(&format!("{}: {} lines in all are not events and were left out", self.name, self.unreadable));
        }
        Ok(None)
    }

    fn event(&mut self, line: &str) -> Result<Event, String> {
        match self.kind {
            Kind::Events => from_line(line).map_err(|error| error.to_string()),
            Kind::KubernetesAudit => {
                let mut event = kubernetes_audit::event(line)?;
                event.id.sequence = self.sequence;
                self.sequence += 1;
                Ok(event)
            }
        }
    }

    fn not_readable(&mut self, error: &str) {
        self.unreadable += 1;
        if self.unreadable <= NAMED {
            say(&format!("{}:{}: not an event, left out: {error}", self.name, self.number));
        }
    }
}
