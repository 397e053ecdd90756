//! `replay`: the same pipeline over recordings, in event time.
//!
//! A recording holds what crossed from sense to enrich in arrival order, so the alerts are those of the live run.

use crate::cli::{self, Kind};
use crate::config::Config;
use crate::content;
use crate::failure::{Exit, Failure, say};
use crate::live;
use crate::pipeline::Pipeline;
use event::Event;
use event::recording::{Head, from_line};
use sense::kubernetes_audit;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 16 << 20;
/// Lines that are named one by one before they are only counted.
const NAMED: u64 = 5;

/// Runs `replay`.
///
/// # Errors
/// A file that cannot be read or is of no known kind; a configuration or strategies that are wrong.
pub fn run(args: &cli::Replay) -> Result<Exit, Failure> {
    let config = Config::load(args.judging.config.as_deref())?;
    let documents = content::load(args.judging.strategies.as_deref())?;
    let strategies = crate::strategies::check(&documents)?;
    let mut out = BufWriter::new(io::stdout());
    let mut raised = 0;
    for path in &args.files {
        let mut recording = Recording::open(path, args.kind)?;
        let host = respond::Host {
            hostname: recording.head.hostname.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let format = live::form(args.judging.format).into();
        let mut pipeline = Pipeline::new(&strategies, &config, format, host)?;
        raised += recording.play(&mut pipeline, &mut out)?;
    }
    Ok(if raised > 0 { Exit::Findings } else { Exit::Fine })
}

/// A file of events in one of the kinds.
struct Recording {
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
    fn open(path: &Path, kind: Option<Kind>) -> Result<Self, Failure> {
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

    /// Plays everything; returns the alerts raised.
    fn play(&mut self, pipeline: &mut Pipeline, out: &mut impl Write) -> Result<u64, Failure> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                continue;
            }
            match self.event(&line) {
                Ok(event) => pipeline.push(event, out).map_err(broken)?,
                Err(error) => self.not_readable(&error),
            }
        }
        pipeline.finish(out).map_err(broken)?;
        if self.unreadable > NAMED {
            say(&format!("{}: {} lines in all are not events and were left out", self.name, self.unreadable));
        }
        Ok(pipeline.raised())
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

fn broken(error: io::Error) -> Failure {
    Failure::output(&error)
}
