//! Lines of JSON that hold a line of a log: the journal's export and Docker's log files.
//!
//! Fields of the journal that begin with `_` are its own word; others are claims of the program that wrote. What a user's
//! own program says in the name of a service of the system is not believed ([`Wrapped::is_vouched`]).
//!
//! Source: systemd.journal-fields(7), `journalctl -o json` in systemd's documentation of the journal's JSON format; Docker's
//! `json-file` logging driver.

use super::time::{self, Time};
use serde_json::{Map, Value};

/// A line of a log inside a line of JSON.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    pub(super) time: Option<Time>,
    pub(super) host: String,
    pub(super) program: String,
    pub(super) unit: String,
    pub(super) message: String,
    /// Whether it came from the kernel or a process of root.
    pub(super) is_vouched: bool,
    /// Whether more of the same line follows in the next one.
    pub(super) is_part: bool,
}

/// An entry of the journal.
pub(super) fn journal(object: &Map<String, Value>) -> Option<Wrapped> {
    let micros = text(object, "__REALTIME_TIMESTAMP").parse::<u64>().ok()?;
    let identifier = text(object, "SYSLOG_IDENTIFIER");
    let program = if identifier.is_empty() { text(object, "_COMM") } else { identifier };
    let unit =
        ["UNIT", "_SYSTEMD_UNIT"].map(|name| text(object, name)).into_iter().find(|unit| !unit.is_empty());
    let user = text(object, "_UID");
    Some(Wrapped {
        time: Some(Time::Known { ns: micros.saturating_mul(1000), zoned: true }),
        host: text(object, "_HOSTNAME"),
        program,
        unit: unit.unwrap_or_default(),
        message: text(object, "MESSAGE"),
        is_vouched: user == "0" || text(object, "_TRANSPORT") == "kernel",
        is_part: false,
    })
}

/// A line of a container's output.
pub(super) fn docker(object: &Map<String, Value>) -> Option<Wrapped> {
    let log = object.get("log")?.as_str()?;
    let stamp = object.get("time")?.as_str()?;
    let message = log.strip_suffix('\n');
    Some(Wrapped {
        time: time::leading(stamp).map(|(time, _)| time),
        message: message.unwrap_or(log).to_owned(),
        // Docker cuts lines at 16 KiB.
        is_part: message.is_none(),
        is_vouched: true,
        ..Wrapped::default()
    })
}

/// A field; bytes that are no UTF-8 stand as a list of numbers.
fn text(object: &Map<String, Value>, name: &str) -> String {
    match object.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(bytes)) => {
            let bytes: Vec<u8> = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::new(),
    }
}
