//! Lines of system logs to events: syslog, the journal, the audit log, logs of services, the output of containers.
//!
//! In: a line, and when it was read. Out: its events, each with what the line tells ([`event::log`]). A line is known by its
//! form:
//!
//! | form | module |
//! |---|---|
//! | RFC 3164 and 5424, as in `/var/log/auth.log` | `syslog` |
//! | `journalctl -o json` | `json` |
//! | Docker's `json-file` | `json` |
//! | the audit log, raw or as `ausearch` prints it | `audit` |
//! | access logs of web servers | `access` |
//! | any other: what a service writes into a file of its own | `pattern` |
//!
//! The journal is read through `journalctl`: its own files hold fields compressed in three ways, and a reader of them would be
//! larger than all of this module.
//!
//! Time: see [`Clock`]. Memory: a line is at most [`LINE_BYTES`] long, of a message [`MESSAGE_BYTES`] are kept, of a container's
//! line in parts `PART_BYTES`.

mod access;
mod audit;
mod clock;
mod config;
mod json;
mod pattern;
mod syslog;
mod table;
#[cfg(test)]
mod tests;
mod time;

use compact_str::{CompactString, format_compact};
use event::identity::UnknownOwner;
use event::log::{Act, LogRecord};
use event::{ContainerId, Event, Kind, Owner, Sensor};
use json::Wrapped;
use std::collections::BTreeMap;
use std::sync::Arc;
use table::Table;
use time::Time;

pub use clock::Clock;
pub use config::Config;
pub use pattern::{Pattern, PatternError};

/// Longest line that is read, in bytes; what is behind is left out, and the line's event says so.
pub const LINE_BYTES: usize = 1 << 20;
/// What is kept of a message, in bytes.
pub const MESSAGE_BYTES: usize = 4096;
/// Bytes of a container's line that comes in parts.
const PART_BYTES: usize = 64 << 10;
/// Containers whose lines come in parts at the same time.
const PARTS: usize = 256;

/// What happens to programs that the audit log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Executions {
    /// They are events: nobody else tells of them.
    #[default]
    Told,
    /// They are left to the kernel sensor.
    LeftOut,
}

/// Lines to events.
#[derive(Debug)]
pub struct Parser {
    table: Table,
    clock: Clock,
    executions: Executions,
    calls: audit::Calls,
    /// The start of lines whose end has not come yet.
    parts: BTreeMap<Option<ContainerId>, String>,
}

impl Parser {
    /// A parser with `patterns` before its own.
    ///
    /// # Errors
    /// What is wrong with a pattern.
    pub fn new(patterns: &[Pattern], clock: Clock, executions: Executions) -> Result<Self, PatternError> {
        let table = Table::new(patterns)?;
        Ok(Self { table, clock, executions, calls: audit::Calls::default(), parts: BTreeMap::new() })
    }

    /// The clock: who reads a log that grows sets it before each line.
    pub fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// Appends the events of `line`, which `container` wrote where it is given.
    pub fn read(&mut self, line: &str, container: Option<ContainerId>, out: &mut Vec<Event>) {
        let line = line.trim_end_matches(['\r', '\n', ' ', '\0']);
        if line.is_empty() || audit::is_divider(line) {
            return;
        }
        if audit::is_record(line) && container.is_none() {
            return self.audit(line, out);
        }
        if line.starts_with('{')
            && let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line)
        {
            if let Some(entry) = json::journal(&object) {
                return self.journal(entry, out);
            }
            if let Some(entry) = json::docker(&object) {
                return self.container(entry, container, out);
            }
        }
        let log = container.map_or("file".into(), name_of);
        self.plain(line, (log, None, container), out);
    }

    /// The input ended: appends what still waited.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        let mut executed = Vec::new();
        self.calls.finish(&mut executed);
        self.executed(executed, out);
        for (container, line) in std::mem::take(&mut self.parts) {
            let log = container.map_or("container".into(), name_of);
            self.plain(&line, (log, None, container), out);
        }
    }

    fn audit(&mut self, line: &str, out: &mut Vec<Event>) {
        for record in audit::records(line) {
            let mut executed = Vec::new();
            let is_exec = self.calls.take(&record, &mut executed);
            self.executed(executed, out);
            if is_exec {
                continue;
            }
            let mut told = LogRecord { log: "audit".into(), ..LogRecord::default() };
            record.tell(&mut told);
            told.message = pattern::cut(record.text, MESSAGE_BYTES);
            let time = record.time_ns.map(|ns| Time::Known { ns, zoned: true });
            self.event(time, told, None, out);
        }
    }

    fn executed(&mut self, executed: Vec<audit::Executed>, out: &mut Vec<Event>) {
        if self.executions == Executions::LeftOut {
            return;
        }
        for audit::Executed { time_ns, mut actor, exec } in executed {
            let (boot, wall) = self.clock.place(Some(Time::Known { ns: time_ns, zoned: true }));
            actor.start = boot;
            let mut event = Event::new(Sensor::Log, boot, Kind::Exec(Arc::new(exec)));
            event.wall = wall;
            event.owner = Owner::Unknown(UnknownOwner::NotSaid);
            event.actor = Some(actor);
            out.push(event);
        }
    }

    fn journal(&mut self, entry: Wrapped, out: &mut Vec<Event>) {
        let mut record = LogRecord {
            log: "journal".into(),
            host: pattern::short(&entry.host),
            program: pattern::short(&entry.program),
            unit: pattern::short(&entry.unit),
            message: pattern::cut(&entry.message, MESSAGE_BYTES),
            ..LogRecord::default()
        };
        self.table.read(entry.message.trim_end(), entry.is_vouched, &mut record);
        self.event(entry.time, record, None, out);
    }

    fn container(&mut self, entry: Wrapped, container: Option<ContainerId>, out: &mut Vec<Event>) {
        let Wrapped { time, mut message, is_part, .. } = entry;
        if let Some(before) = self.parts.remove(&container) {
            message.insert_str(0, &before);
        }
        if is_part && message.len() < PART_BYTES && self.parts.len() < PARTS {
            self.parts.insert(container, message);
            return;
        }
        let log = container.map_or("container".into(), name_of);
        self.plain(&message, (log, time, container), out);
    }

    /// A line of syslog, of an access log, or of a service; what wrapped it may know its time.
    fn plain(
        &mut self,
        line: &str,
        (log, time, container): (CompactString, Option<Time>, Option<ContainerId>),
        out: &mut Vec<Event>,
    ) {
        let mut record = LogRecord { log, ..LogRecord::default() };
        if let Some(request) = access::read(line) {
            let time = time.or(Some(request.time));
            if request.refusal(&mut record) {
                record.message = pattern::cut(line, MESSAGE_BYTES);
                self.event(time, record, container, out);
            }
            let mut event = self.placed(time, Kind::Http(Box::new(request.http)), container);
            if container.is_none() {
                event.owner = Owner::Unknown(UnknownOwner::NotSaid);
            }
            out.push(event);
            return;
        }
        let Some(line) = syslog::read(line) else {
            record.message = pattern::cut(line, MESSAGE_BYTES);
            self.table.read(line, true, &mut record);
            return self.event(time.or_else(|| own_time(line)), record, container, out);
        };
        if container.is_none() {
            record.log = "syslog".into();
        }
        record.host = pattern::short(line.host);
        record.program = pattern::short(line.program);
        record.message = pattern::cut(line.message, MESSAGE_BYTES);
        let message = line.message.trim_end();
        if message.contains("audit(") && record.program == "kernel" {
            kernel_audit(message, &mut record);
        }
        if record.act == Act::Message {
            self.table.read(message.strip_suffix(" [preauth]").unwrap_or(message), true, &mut record);
        }
        // What a web server sends to syslog is a line of its access log.
        if record.act == Act::Message && access::read(message).is_some() {
            let log = record.log.clone();
            return self.plain(message, (log, line.time, container), out);
        }
        self.event(time.or(line.time), record, container, out);
    }

    fn event(
        &mut self,
        time: Option<Time>,
        record: LogRecord,
        container: Option<ContainerId>,
        out: &mut Vec<Event>,
    ) {
        let event = self.placed(time, Kind::Log(Arc::new(record)), container);
        out.push(event);
    }

    fn placed(&mut self, time: Option<Time>, kind: Kind, container: Option<ContainerId>) -> Event {
        let (boot, wall) = self.clock.place(time);
        let mut event = Event::new(Sensor::Log, boot, kind);
        event.wall = wall;
        event.owner = container.map_or(Owner::Host, Owner::Container);
        event
    }
}

/// The log of a container.
fn name_of(container: ContainerId) -> CompactString {
    let id = container.to_string();
    format_compact!("container {}", id.get(..12).unwrap_or(&id))
}

/// What the kernel writes to syslog where no audit daemon listens: `audit: type=1400 audit(…): …`.
fn kernel_audit(message: &str, record: &mut LogRecord) {
    let Some((_, rest)) = message.split_once("audit: type=") else { return };
    let Some((number, _)) = rest.split_once(' ') else { return };
    record.record = pattern::short(number);
}

/// The time that a service's own line begins with, or has in a member of its JSON or its pairs.
fn own_time(line: &str) -> Option<Time> {
    let begin = line.strip_prefix('[').unwrap_or(line);
    if let Some((time, _)) = time::leading(begin) {
        return Some(time);
    }
    ["\"$date\":\"", "\"time\":\"", "\"t\":\"", "\"timestamp\":\"", " t=", " | ", "ts="]
        .into_iter()
        .find_map(|mark| Some(time::leading(line.split_once(mark)?.1)?.0))
}

/// Whether `line` has one of the forms of logs, so that a file that begins with it is taken for one.
pub fn is_log_line(line: &str) -> bool {
    let line = line.trim_end();
    if audit::is_record(line)
        || audit::is_divider(line)
        || syslog::read(line).is_some()
        || access::read(line).is_some()
    {
        return true;
    }
    match serde_json::from_str(line) {
        Ok(serde_json::Value::Object(object)) => {
            json::journal(&object).is_some() || json::docker(&object).is_some()
        }
        _ => !line.starts_with('{') && own_time(line).is_some(),
    }
}
