//! What a file holds, told by its first bytes.

use crate::cli::Kind;
use sense::capture::Unpacked;
use sense::kubernetes_audit;
use sense::logs;
use sense::zeek::{self, Log};
use std::io;

/// A first line is looked for in so many bytes: audit events are long.
const LINE_BYTES: usize = 1 << 20;
/// The head of a log of Zeek that is text stands in so many.
const HEAD_BYTES: usize = 4096;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Lines, each an event.
    Lines(LineKind),
    /// Packets.
    Capture,
    /// A log of Zeek; which one it says itself where it is not given.
    Zeek(Option<Log>),
}

/// What lines hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A head, then our own events.
    Events,
    /// Kubernetes audit events.
    KubernetesAudit,
    /// System logs: syslog, the journal, the audit log, logs of services and containers.
    Log,
}

impl Content {
    /// The content that the user names.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Events => Content::Lines(LineKind::Events),
            Kind::KubernetesAudit => Content::Lines(LineKind::KubernetesAudit),
            Kind::Log => Content::Lines(LineKind::Log),
            Kind::Capture => Content::Capture,
            Kind::ZeekConn => Content::Zeek(Some(Log::Conn)),
            Kind::ZeekDns => Content::Zeek(Some(Log::Dns)),
            Kind::ZeekSsl => Content::Zeek(Some(Log::Ssl)),
            Kind::ZeekHttp => Content::Zeek(Some(Log::Http)),
        }
    }
}

/// Looks at the start of a file. What is none of the other kinds is taken for our own events, whose head says so.
pub fn recognise(bytes: &mut Unpacked) -> io::Result<Content> {
    if bytes.is_capture()? {
        return Ok(Content::Capture);
    }
    let line = String::from_utf8_lossy(bytes.first_line(LINE_BYTES)?).into_owned();
    if line.trim_start_matches('\u{feff}').starts_with('#') {
        let head = String::from_utf8_lossy(bytes.start(HEAD_BYTES)?).into_owned();
        return Ok(zeek::recognise(&head).map_or(Content::Lines(LineKind::Events), |_| Content::Zeek(None)));
    }
    if zeek::recognise(&line).is_some() {
        return Ok(Content::Zeek(None));
    }
    Ok(Content::Lines(if kubernetes_audit::is_audit_line(&line) {
        LineKind::KubernetesAudit
    } else if logs::is_log_line(line.lines().next().unwrap_or_default()) {
        LineKind::Log
    } else {
        LineKind::Events
    }))
}
