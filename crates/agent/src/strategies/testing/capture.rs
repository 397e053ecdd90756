//! Captures that tests name: whatever `replay` reads.

use crate::recording::{Fault, Recording};
use event::Event;
use std::path::Path;

/// Largest capture, in bytes.
const CAPTURE_BYTES: u64 = 64 << 20;

/// The events of the capture at `path`, at most `limit` of them.
///
/// # Errors
/// A file that cannot be read or is of no known kind, its first part that is no event, and more events than `limit`.
pub fn read(path: &Path, limit: usize) -> Result<Vec<Event>, String> {
    let name = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("capture {name}: {error}"))?;
    if !metadata.is_file() || metadata.len() > CAPTURE_BYTES {
        return Err(format!("capture {name} is not a regular file of at most {CAPTURE_BYTES} bytes"));
    }
    let mut recording =
        Recording::open(path, None).map_err(|failure| format!("capture {}", failure.message))?;
    let mut events = Vec::new();
    loop {
        match recording.next_or_fault() {
            Ok(Some(_)) if events.len() >= limit => {
                return Err(format!("capture {name} has more than {limit} events"));
            }
            Ok(Some(event)) => events.push(event),
            Ok(None) => return Ok(events),
            Err(Fault::LeftOut(why)) => return Err(format!("capture {why}")),
            Err(Fault::Ends(failure)) => return Err(format!("capture {}", failure.message)),
        }
    }
}
