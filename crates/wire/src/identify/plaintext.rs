//! Lines of plain text that no known protocol claims: a shell over a bare socket, `nc`, `telnet` without
//! negotiation, a home-made command channel.
//!
//! Left out on purpose: text that programs exchange. JSON, XML and metric lines end as unknown, since
//! nobody types them; a command channel in JSON is found by other evidence.

use super::Verdict;
use crate::session::{CommandKind, command_text};
use crate::{Protocol, Transport};

/// Longest line that a person types or a prompt shows, roughly two terminal lines.
const MAX_TYPED_LINE_BYTES: usize = 160;
/// Of 20 bytes, one may be something else, such as a cut character or a terminal's control code.
const MIN_TEXT_TWENTIETHS: usize = 19;
/// A last word of this many digits is a time stamp: the line is a metric or a log.
const MIN_TIMESTAMP_DIGITS: usize = 9;

/// Judges the kept bytes of a connection that no protocol claims.
pub(super) fn judge(transport: Transport, to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    let sides = [to_server, to_client];
    let spoken = || sides.into_iter().filter(|side| !side.is_empty());
    let all_text = spoken().all(is_text);
    let verdict = |confidence, evidence| {
        Some(Verdict { protocol: Protocol::PlaintextInteractive, confidence, evidence })
    };

    let shell = spoken().filter(|side| is_text(side)).find_map(command_text);
    if let Some(found) = shell {
        let evidence = match found.kind {
            CommandKind::Command => "shell command in plain text",
            CommandKind::Prompt => "shell prompt in plain text",
            CommandKind::Output => "output of a shell command in plain text",
        };
        return verdict(if all_text { 95 } else { 70 }, evidence);
    }
    if !all_text {
        return None;
    }
    if spoken().any(asks_for_login) {
        return verdict(85, "login prompt in plain text");
    }
    if spoken().any(is_for_programs) {
        return Some(Verdict {
            protocol: Protocol::Unknown,
            confidence: 60,
            evidence: "plain text in a form for programs",
        });
    }
    match (spoken().count(), spoken().all(is_typed)) {
        (2, true) => verdict(75, "short lines of plain text in both directions"),
        // One text datagram is more often a metric or a log than a conversation.
        (1, true) if transport == Transport::Tcp => verdict(55, "short lines of plain text, no answer yet"),
        _ => Some(Verdict {
            protocol: Protocol::Unknown,
            confidence: 50,
            evidence: "plain text of no protocol that is recognised",
        }),
    }
}

/// Nearly all printable or valid UTF-8, with the controls that terminals send, and no zero byte.
fn is_text(bytes: &[u8]) -> bool {
    let is_terminal = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x07 | 0x08 | 0x1b | 0x7f);
    let valid_bytes = match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    let in_valid = bytes
        .iter()
        .take(valid_bytes)
        .filter(|byte| !byte.is_ascii() || matches!(byte, b' '..=b'~') || is_terminal(**byte))
        .count();
    let beyond = bytes.iter().skip(valid_bytes).filter(|byte| matches!(byte, b' '..=b'~')).count();
    !bytes.contains(&0) && (in_valid + beyond) * 20 >= bytes.len() * MIN_TEXT_TWENTIETHS
}

/// The last line is the question of a login program.
fn asks_for_login(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let lower = last.trim_ascii_end().to_ascii_lowercase();
    last.len() <= MAX_TYPED_LINE_BYTES
        && [&b"login:"[..], b"password:", b"username:"].iter().any(|question| lower.ends_with(question))
}

/// The form of JSON or XML, or a line that ends in a time stamp.
fn is_for_programs(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let is_stamp = last.len() >= MIN_TIMESTAMP_DIGITS
        && last.len() < line.len()
        && last.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    matches!(text.first(), Some(b'{' | b'[' | b'<')) || is_stamp
}

/// Every line is short enough for a person or a prompt.
fn is_typed(bytes: &[u8]) -> bool {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).all(|line| line.len() <= MAX_TYPED_LINE_BYTES)
}
