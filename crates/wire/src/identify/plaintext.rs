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
    let texts = sides.map(is_text);
    let all_text = sides.iter().zip(texts).all(|(side, text)| side.is_empty() || text);
    let verdict =
        |confidence, evidence| Some(Verdict::new(Protocol::PlaintextInteractive, confidence, evidence));
    let unknown = |confidence, evidence| Some(Verdict::new(Protocol::Unknown, confidence, evidence));

    let shell = sides.iter().zip(texts).filter(|(_, text)| *text).find_map(|(side, _)| command_text(side));
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
        return unknown(60, "plain text in a form for programs");
    }
    let typed = spoken().all(is_typed);
    let ended = spoken().filter(|side| side.contains(&b'\n') || side.contains(&b'\r')).count();
    match (transport, spoken().count(), ended) {
        (Transport::Tcp, 2, 1 | 2) | (Transport::Udp, 2, 2) if typed => {
            verdict(75, "short lines of plain text in both directions")
        }
        // One text datagram is more often a metric or a log than a conversation.
        (Transport::Tcp, 1, 1) if typed => verdict(55, "short lines of plain text, no answer yet"),
        _ => unknown(50, "plain text of no protocol that is recognised"),
    }
}

/// Nearly all printable or valid UTF-8, with the controls that terminals send, and no zero byte.
fn is_text(bytes: &[u8]) -> bool {
    // Most of what is no text says so at once.
    if bytes.is_empty() || memchr::memchr(0, bytes).is_some() {
        return false;
    }
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
    let shows_something =
        bytes.iter().any(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r') || !byte.is_ascii());
    shows_something && (in_valid + beyond) * 20 >= bytes.len() * MIN_TEXT_TWENTIETHS
}

/// The last line is the question of a login program.
fn asks_for_login(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let lower = last.trim_ascii_end().to_ascii_lowercase();
    last.len() <= MAX_TYPED_LINE_BYTES
        && [&b"login:"[..], b"password:", b"username:"].iter().any(|question| lower.ends_with(question))
}

/// The form of JSON or XML, a line that ends in a time stamp, or one that names a protocol version.
fn is_for_programs(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let is_stamp = last.len() >= MIN_TIMESTAMP_DIGITS
        && last.len() < line.len()
        && last.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let has_version = line.split(|byte| *byte == b' ').any(is_protocol_version);
    matches!(text.first(), Some(b'{' | b'[' | b'<')) || is_stamp || has_version
}

/// A word such as `RTSP/1.0`, which request and status lines of many protocols hold.
fn is_protocol_version(word: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', word) else { return false };
    let (name, version) = word.split_at(slash);
    name.len() >= 3
        && name.iter().all(u8::is_ascii_uppercase)
        && matches!(version, [b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// Every line is short enough for a person or a prompt.
fn is_typed(bytes: &[u8]) -> bool {
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).all(|line| line.len() <= MAX_TYPED_LINE_BYTES)
}
