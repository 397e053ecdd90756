//! The NDJSON form of events.
//!
//! First line: [`Head`]. Every other line: one [`Event`]. A recording holds what crosses from sense to enrich, in
//! arrival order; replaying it gives the same alerts.

use crate::event::Event;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Version of the NDJSON form. It changes when a reader of the old form would misread the new one.
pub const SCHEMA: u32 = 1;

/// First line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Head {
    /// Always `events`: tells a recording from other NDJSON.
    pub watchkeeper: CompactString,
    /// [`SCHEMA`].
    pub schema: u32,
    /// Program version that wrote it.
    pub version: CompactString,
    /// Host name.
    pub hostname: CompactString,
    /// Kernel release.
    #[serde(default)]
    pub kernel: CompactString,
}

impl Head {
    /// The head of a recording made here.
    pub fn new(version: &str, hostname: &str, kernel: &str) -> Self {
        Self {
            watchkeeper: "events".into(),
            schema: SCHEMA,
            version: version.into(),
            hostname: hostname.into(),
            kernel: kernel.into(),
        }
    }

    /// Reads a first line.
    ///
    /// # Errors
    /// Says what is wrong where the line is no head, or one of a schema that this program does not read.
    pub fn parse(line: &str) -> Result<Self, String> {
        let head: Head = serde_json::from_str(line)
            .map_err(|error| format!("first line is not the head of a Watchkeeper recording: {error}"))?;
        if head.watchkeeper != "events" {
            return Err(format!("first line says `{}` where `events` is expected", head.watchkeeper));
        }
        if head.schema != SCHEMA {
            return Err(format!("recording has schema {}, this program reads {SCHEMA}", head.schema));
        }
        Ok(head)
    }
}

/// One event as a line, without the line's end.
///
/// # Errors
/// None that a valid event can cause; the error is that of the serializer.
pub fn to_line(event: &Event) -> Result<String, serde_json::Error> {
    serde_json::to_string(event)
}

/// Reads one event from a line.
///
/// # Errors
/// Says which member is wrong and where.
pub fn from_line(line: &str) -> Result<Event, serde_json::Error> {
    serde_json::from_str(line)
}
