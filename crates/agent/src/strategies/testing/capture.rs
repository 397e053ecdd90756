//! Captures that tests name: Watchkeeper events and Kubernetes audit logs. Others are refused by name.

use event::Event;
use event::recording::{Head, from_line};
use sense::kubernetes_audit;
use std::path::Path;

/// Largest capture, in bytes.
const CAPTURE_BYTES: u64 = 64 << 20;
/// First bytes of formats that are recognised and not read.
const NOT_READ: &[(&[u8], &str)] = &[
    (&[0xd4, 0xc3, 0xb2, 0xa1], "a pcap file"),
    (&[0xa1, 0xb2, 0xc3, 0xd4], "a pcap file"),
    (&[0x4d, 0x3c, 0xb2, 0xa1], "a pcap file"),
    (&[0xa1, 0xb2, 0x3c, 0x4d], "a pcap file"),
    (&[0x0a, 0x0d, 0x0d, 0x0a], "a pcapng file"),
    (&[0x1f, 0x8b], "compressed"),
];

/// The events of the capture at `path`.
///
/// # Errors
/// A file that cannot be read or is of no kind that tests take, and its first line that is no event.
pub fn read(path: &Path) -> Result<Vec<Event>, String> {
    let name = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("capture {name}: {error}"))?;
    if !metadata.is_file() || metadata.len() > CAPTURE_BYTES {
        return Err(format!("capture {name} is not a regular file of at most {CAPTURE_BYTES} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("capture {name}: {error}"))?;
    if let Some((_, what)) = NOT_READ.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(format!(
            "capture {name} is {what}, which tests do not read yet: write Watchkeeper events (`watch --record`)"
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("capture {name} is not text"))?;
    let first = text.lines().next().unwrap_or("");
    let is_audit = kubernetes_audit::is_audit_line(first);
    if !is_audit {
        Head::parse(first).map_err(|error| format!("capture {name}: {error}"))?;
    }
    let mut events = Vec::new();
    for (index, line) in text.lines().enumerate().skip(usize::from(!is_audit)) {
        if line.trim().is_empty() {
            continue;
        }
        let event = if is_audit {
            kubernetes_audit::event(line)
        } else {
            from_line(line).map_err(|error| error.to_string())
        };
        events.push(event.map_err(|error| format!("capture {name}:{}: {error}", index + 1))?);
    }
    Ok(events)
}
