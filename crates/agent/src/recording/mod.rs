//! Recordings as streams of events: what `watch --record` wrote, captures, system logs, and the logs of Kubernetes and Zeek.
//!
//! In: files, plain or gzip-compressed, whose kind is told by their content. Out: their events in order. Logs of Zeek that
//! stand one after the other are of one sensor and become one recording: they are joined. What of a file is no event is
//! said and counted.

mod kind;
mod lines;
mod progress;

use crate::cli::Kind;
use crate::failure::{Failure, say};
use event::recording::Head;
use event::{Event, WallTime};
use kind::Content;
use lines::{Around, Lines};
use progress::Counted;
pub use progress::{Bar, Beside};
use sense::capture::{Capture, Unpacked};
use sense::logs::Pattern;
use sense::traffic::{Traffic, Unread};
use sense::zeek::{self, Logs};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

/// What is read at once of text.
const CHUNK_BYTES: usize = 1 << 20;
/// Parts of a file that are named one by one before they are only counted.
const NAMED: u64 = 5;

/// Files of events.
pub struct Recording {
    name: String,
    source: Source,
    head: Head,
    bar: Rc<Bar>,
    /// Parts that are no events.
    left_out: u64,
}

enum Source {
    Lines(Box<Lines>),
    Capture(Box<Traffic>),
    Zeek(Box<Logs>),
}

/// Why there is no event.
pub enum Fault {
    /// This part of the file is none; what comes behind it is read.
    LeftOut(String),
    /// The file cannot be read on.
    Ends(Failure),
}

/// A file that is open, and what it holds.
struct Opened {
    name: String,
    /// When it was written last, so that no line of it is later.
    until: WallTime,
    bytes: Unpacked,
    content: Content,
    bar: Rc<Bar>,
}

/// Files as recordings, opened as they are asked for.
pub struct Recordings {
    paths: VecDeque<PathBuf>,
    kind: Option<Kind>,
    next: Option<Opened>,
    patterns: Vec<Pattern>,
}

impl Recordings {
    /// The recordings in `paths`, all of `kind` where one is given.
    pub fn new(paths: &[PathBuf], kind: Option<Kind>) -> Self {
        Self { paths: paths.iter().cloned().collect(), kind, next: None, patterns: Vec::new() }
    }

    /// The same, whose logs are read with `patterns` before those that are built in.
    #[must_use]
    pub fn with_patterns(mut self, patterns: &[Pattern]) -> Self {
        self.patterns = patterns.to_vec();
        self
    }

    /// The next recording.
    ///
    /// # Errors
    /// A file that cannot be read or is of no known kind.
    pub fn next(&mut self) -> Result<Option<Recording>, Failure> {
        let Some(first) = self.open()? else { return Ok(None) };
        let Content::Zeek(_) = first.content else { return Recording::of(first, &self.patterns).map(Some) };
        let mut logs = vec![first];
        while let Some(next) = self.open()? {
            if !matches!(next.content, Content::Zeek(_)) {
                self.next = Some(next);
                break;
            }
            logs.push(next);
        }
        Ok(Some(Recording::of_logs(logs)))
    }

    fn open(&mut self) -> Result<Option<Opened>, Failure> {
        if let Some(opened) = self.next.take() {
            return Ok(Some(opened));
        }
        self.paths.pop_front().map(|path| Opened::new(&path, self.kind)).transpose()
    }
}

impl Opened {
    fn new(path: &Path, kind: Option<Kind>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let cannot = |error: io::Error| {
            Failure::usage(
                format!("cannot read {name}: {error}"),
                "give a recording, or `-` for standard input",
            )
        };
        let (bar, bytes, until) = if name == "-" {
            (Bar::new(None), Unpacked::new(io::stdin()), SystemTime::now())
        } else {
            let file = File::open(path).map_err(cannot)?;
            let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file);
            let until = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            let bar = Bar::new(metadata.map(|metadata| metadata.len()));
            let counted = Counted::new(file, &bar);
            (bar, Unpacked::new(counted), until.unwrap_or_else(SystemTime::now))
        };
        let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let until = WallTime(u64::try_from(until.as_nanos()).unwrap_or(u64::MAX));
        let mut bytes = bytes.map_err(cannot)?;
        let content = match kind {
            Some(kind) => Content::of(kind),
            None => kind::recognise(&mut bytes).map_err(cannot)?,
        };
        Ok(Self { name, until, bytes, content, bar: Rc::new(bar) })
    }
}

impl Recording {
    /// Opens one file and recognises its kind; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be read or is of no known kind.
    pub fn open(path: &Path, kind: Option<Kind>) -> Result<Self, Failure> {
        let opened = Opened::new(path, kind)?;
        if matches!(opened.content, Content::Zeek(_)) {
            return Ok(Self::of_logs(vec![opened]));
        }
        Self::of(opened, &[])
    }

    fn of(opened: Opened, patterns: &[Pattern]) -> Result<Self, Failure> {
        let Opened { name, until, bytes, content, bar } = opened;
        let mut head = Head::new(env!("CARGO_PKG_VERSION"), "", "");
        let source = match content {
            Content::Capture => {
                let capture = Capture::of(bytes).map_err(|error| {
                    Failure::usage(
                        format!("cannot read {name}: {error}"),
                        "give captures in pcap or pcapng, plain or gzip-compressed",
                    )
                })?;
                Source::Capture(Box::new(Traffic::new(capture, crate::flows::limits())))
            }
            Content::Lines(kind) => {
                let input = Box::new(BufReader::with_capacity(CHUNK_BYTES, bytes));
                let (lines, own) = Lines::new(&name, input, kind, &Around { until, patterns })?;
                head = own.unwrap_or(head);
                Source::Lines(Box::new(lines))
            }
            Content::Zeek(log) => {
                let content = Content::Zeek(log);
                return Ok(Self::of_logs(vec![Opened { name, until, bytes, content, bar }]));
            }
        };
        Ok(Self { name, source, head, bar, left_out: 0 })
    }

    fn of_logs(logs: Vec<Opened>) -> Self {
        let name = logs.first().map(|log| log.name.clone()).unwrap_or_default();
        let bar = logs.last().map_or_else(|| Rc::new(Bar::new(None)), |log| log.bar.clone());
        let sources = logs.into_iter().map(|log| {
            let kind = match log.content {
                Content::Zeek(kind) => kind,
                _ => None,
            };
            let input: Box<dyn io::BufRead> = Box::new(BufReader::new(log.bytes));
            (log.name, input, kind)
        });
        let source = Source::Zeek(Box::new(Logs::new(sources.collect())));
        let head = Head::new(env!("CARGO_PKG_VERSION"), "", "");
        Self { name, source, head, bar, left_out: 0 }
    }

    /// The host of which it tells.
    pub fn host(&self) -> respond::Host {
        respond::Host {
            hostname: self.head.hostname.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Its file, or the first of those that are joined.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether flows are among its events: of what the kernel sensor recorded they are made later.
    pub fn has_flows(&self) -> bool {
        !matches!(self.source, Source::Lines(_))
    }

    /// How far it is read.
    pub fn bar(&self) -> Rc<Bar> {
        self.bar.clone()
    }

    /// The next event; `None` at the end. Parts that are no events are named on standard error, then counted.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_event(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            match self.next_or_fault() {
                Ok(Some(event)) => {
                    self.bar.draw();
                    return Ok(Some(event));
                }
                Ok(None) => {
                    self.bar.clear();
                    self.report();
                    return Ok(None);
                }
                Err(Fault::LeftOut(what)) => {
                    self.left_out += 1;
                    if self.left_out <= NAMED {
                        self.bar.clear();
                        say(&what);
                    }
                }
                Err(Fault::Ends(failure)) => return Err(failure),
            }
        }
    }

    /// The next event, or why there is none.
    ///
    /// # Errors
    /// A part of the file that is no event, or a file that cannot be read on.
    pub fn next_or_fault(&mut self) -> Result<Option<Event>, Fault> {
        match &mut self.source {
            Source::Lines(lines) => lines.next_event(),
            Source::Capture(traffic) => traffic.next_event().map_err(|error| {
                Fault::LeftOut(format!("{}: {error}; what stands before it is read", self.name))
            }),
            Source::Zeek(logs) => logs.next_event().map_err(|error| match error {
                zeek::Error::Line { .. } => Fault::LeftOut(format!("{error}; left out")),
                zeek::Error::Io { .. } => {
                    Fault::LeftOut(format!("{error}; what stands before it in that file is read"))
                }
            }),
        }
    }

    /// Says what was left out in all.
    fn report(&mut self) {
        let left_out = match &self.source {
            Source::Zeek(logs) => logs.left_out(),
            Source::Lines(_) => self.left_out,
            Source::Capture(traffic) => {
                if let Some(sentence) = unread(&traffic.unread()) {
                    say(&format!("{}: {sentence}", self.name));
                }
                return;
            }
        };
        if left_out > NAMED {
            say(&format!("{}: {left_out} lines in all are not events and were left out", self.name));
        }
    }
}

/// What of a capture was not read, in words; `None` where all was.
pub fn unread(unread: &Unread) -> Option<String> {
    let Unread { flows: counts, without_ip, unknown_links, link } = unread;
    let parts = [
        (*without_ip, "frames without IP"),
        (counts.unreadable, "packets with headers that are cut or malformed"),
        (counts.other_transports, "packets of other transports than tcp, udp and icmp"),
        (counts.fragments_lost, "fragments that never made a packet"),
        (counts.tunnels_too_deep, "packets in tunnels too deep"),
        (counts.evicted, "flows ended early by the memory cap"),
    ];
    let mut parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if *unknown_links > 0 {
        parts.push(format!("{unknown_links} frames of link type {link}"));
    }
    (!parts.is_empty()).then(|| {
        format!("{} of {} packets are in flows; {}", counts.in_flows, counts.packets, parts.join(", "))
    })
}
