//! Logs of Zeek to events: `conn`, `dns`, `ssl` and `http`, as tab-separated text or JSON.
//!
//! In: the lines of one or several logs of the same sensor. Out: the events that a capture gives of the same
//! connections, in the order of their times:
//!
//! | log | events |
//! |---|---|
//! | `conn` | connection `connect` or `accept`, `connected` or `close`; flow `end` |
//! | `dns` | the query, and the response where there was one |
//! | `ssl` | flow `begin`, whose protocol is TLS; its names go to the flow's `end` where `conn` is given too |
//! | `http` | HTTP request; its names go to the flow's `end` likewise |
//!
//! Lines of a log stand in the order in which Zeek wrote them: a connection's when it was over. Events are put in order
//! within [`IN_ORDER`] of them; what is further off comes late. Names wait for their connection's end, at most
//! [`UIDS`] of them.
//!
//! The own end is the one that `local_orig` and `local_resp` of `conn` call local, if that is one of the two; else, and in the
//! other logs, it is chosen as in captures.
//!
//! Left out on purpose: other logs, and payload.
//!
//! Source: the reference of Zeek's logs, and its ASCII and JSON writers.

mod convert;
mod form;
mod record;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, BufRead};

use event::identity::UnknownOwner;
use event::network::FlowNames;
use event::{BootTime, Event, EventId, Kind, Owner, Sensor, WallTime};

use form::Form;
pub use form::{Log, recognise};
use record::Record;

/// Events that are held to put them in order.
pub const IN_ORDER: usize = 65_536;
/// Connections whose names wait for their end.
pub const UIDS: usize = 262_144;
/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 1 << 20;
/// Lines that are no records and are told one by one before they are only counted.
pub const TOLD: u64 = 5;
/// Windows move on ticks at least this far apart.
const TICK_NS: u64 = 1_000_000_000;

/// A line that is no record, or a file that cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{name}:{line}: cannot be read: {error}")]
    Io {
        /// The file.
        name: String,
        /// The line that was to be read.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// A line is no record of the log. Those behind it are read.
    #[error("{name}:{line}: no record of Zeek: {reason}")]
    Line {
        /// The file.
        name: String,
        /// Its number.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// One log.
struct Source {
    name: String,
    input: Box<dyn BufRead>,
    form: Form,
    number: u64,
    /// The next record, with the time by which logs are merged.
    next: Option<Record>,
}

/// Logs of one sensor as a stream of events.
pub struct Logs {
    sources: Vec<Source>,
    /// Sources that have a next record, by its time and their number.
    heads: std::collections::BinaryHeap<Reverse<(u64, usize)>>,
    started: bool,
    names: HashMap<u64, FlowNames>,
    arrival: VecDeque<u64>,
    /// Events by time and number.
    waiting: BTreeMap<(u64, u64), Kind>,
    made: u64,
    sequence: u64,
    ticked_ns: Option<u64>,
    errors: VecDeque<Error>,
    left_out: u64,
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Logs").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

impl Logs {
    /// The logs of `sources`, each with the name by which errors call it and its kind where that should not be
    /// recognised.
    pub fn new(sources: Vec<(String, Box<dyn BufRead>, Option<Log>)>) -> Self {
        let source =
            |(name, input, kind)| Source { name, input, form: Form::new(kind), number: 0, next: None };
        Self {
            sources: sources.into_iter().map(source).collect(),
            heads: Default::default(),
            started: false,
            names: HashMap::new(),
            arrival: VecDeque::new(),
            waiting: BTreeMap::new(),
            made: 0,
            sequence: 0,
            ticked_ns: None,
            errors: VecDeque::new(),
            left_out: 0,
        }
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// One of the first [`TOLD`] lines that are no records, or a log that cannot be read on. Ask again: the rest is read.
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        if !std::mem::replace(&mut self.started, true) {
            (0..self.sources.len()).for_each(|number| self.advance(number));
        }
        loop {
            if let Some(error) = self.errors.pop_front() {
                return Err(error);
            }
            if self.waiting.len() < IN_ORDER
                && let Some(Reverse((_, number))) = self.heads.pop()
            {
                let record = self.sources.get_mut(number).and_then(|source| source.next.take());
                self.advance(number);
                if let Some(record) = record {
                    self.take(&record);
                }
                continue;
            }
            let Some((place, kind)) = self.waiting.pop_first() else { return Ok(None) };
            return Ok(Some(self.event(place, kind)));
        }
    }

    /// Lines that are no records so far.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// An event, or the tick before it.
    fn event(&mut self, place: (u64, u64), kind: Kind) -> Event {
        let time_ns = place.0;
        let last = *self.ticked_ns.get_or_insert(time_ns);
        let kind = if time_ns.saturating_sub(last) >= TICK_NS {
            self.ticked_ns = Some(time_ns);
            self.waiting.insert(place, kind);
            Kind::Tick
        } else {
            kind
        };
        let mut event = Event::new(Sensor::Zeek, BootTime(time_ns), kind);
        event.id = EventId { sensor: Sensor::Zeek, sequence: self.sequence };
        event.wall = WallTime(time_ns);
        event.owner = Owner::Unknown(UnknownOwner::NotSaid);
        self.sequence += 1;
        event
    }

    fn put(&mut self, time_ns: u64, kind: Kind) {
        self.waiting.insert((time_ns, self.made), kind);
        self.made += 1;
    }

    fn take(&mut self, record: &Record) {
        let names = match record {
            Record::Conn(conn) => self.names.remove(&conn.head.uid),
            Record::Ssl(ssl) => {
                self.remember(ssl.head.uid, ssl.names());
                None
            }
            Record::Http(http) => {
                self.remember(http.head.uid, http.names());
                None
            }
            Record::Dns(_) => None,
        };
        for (time_ns, kind) in convert::events(record, names.unwrap_or_default()) {
            self.put(time_ns, kind);
        }
    }

    /// Keeps names for the end of their connection; the first of each sort counts.
    fn remember(&mut self, uid: u64, new: FlowNames) {
        if uid == 0 {
            return; // A record without one belongs to no connection.
        }
        if !self.names.contains_key(&uid) {
            self.arrival.push_back(uid);
            // Names that no connection asked for, oldest first; they were told with their own event.
            while self.arrival.len() > UIDS {
                if let Some(oldest) = self.arrival.pop_front() {
                    self.names.remove(&oldest);
                }
            }
        }
        let known = self.names.entry(uid).or_default();
        for (own, new) in [
            (&mut known.sni, new.sni),
            (&mut known.alpn, new.alpn),
            (&mut known.ja4, new.ja4),
            (&mut known.subject, new.subject),
            (&mut known.issuer, new.issuer),
            (&mut known.host, new.host),
            (&mut known.agent, new.agent),
        ] {
            if own.is_empty() {
                *own = new;
            }
        }
    }

    /// Reads the next record of a source.
    fn advance(&mut self, number: usize) {
        let Some(source) = self.sources.get_mut(number) else { return };
        loop {
            match source.read() {
                Ok(Some(record)) => {
                    self.heads.push(Reverse((record.written_ns(), number)));
                    source.next = Some(record);
                    return;
                }
                Ok(None) => return,
                Err(error) => {
                    let ends = matches!(error, Error::Io { .. });
                    self.left_out += u64::from(!ends);
                    if ends || self.left_out <= TOLD {
                        self.errors.push_back(error);
                    }
                    if ends {
                        return;
                    }
                }
            }
        }
    }
}

impl Source {
    fn read(&mut self) -> Result<Option<Record>, Error> {
        loop {
            let mut bytes = Vec::new();
            self.number += 1;
            let read = io::Read::take(&mut self.input, LINE_BYTES).read_until(b'\n', &mut bytes);
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(Error::Io { name: self.name.clone(), line: self.number, error }),
            }
            let text = String::from_utf8_lossy(&bytes);
            let line = text.trim_end_matches(['\n', '\r']);
            match self.form.record(line) {
                Ok(None) => {}
                Ok(record) => return Ok(record),
                Err(reason) => {
                    return Err(Error::Line { name: self.name.clone(), line: self.number, reason });
                }
            }
        }
    }
}
