//! Probes of mail and file transfer: the server greets, the client names itself.
//!
//! SMTP and FTP share their reply codes; the greeting's words or the client's command decide.

use super::text::{first_line, has, starts_with_any};
use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};

/// A three-digit reply code at the start of a line, RFC 5321 §4.2 and RFC 959 §4.2.
fn reply_code(line: &[u8]) -> Option<[u8; 3]> {
    let code = line.first_chunk::<3>().filter(|code| code.iter().all(u8::is_ascii_digit))?;
    matches!(line.get(3), None | Some(b' ' | b'-')).then_some(*code)
}

/// SMTP, RFC 5321 §3.1 and §4.1.1.
pub(super) fn smtp(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    match direction {
        ToServer if complete && starts_with_any(line, &["EHLO ", "HELO ", "LHLO "]) => Certain("SMTP hello"),
        ToServer if starts_with_any(line, &["MAIL FROM:", "EHLO", "HELO"]) => Unsure("SMTP command"),
        ToServer => No,
        ToClient => {
            let Some(code) = reply_code(line) else { return No };
            let lower = line.to_ascii_lowercase();
            match &code {
                b"220" if has(&lower, b"ftp") => No,
                b"220" if has(&lower, b"smtp") || has(&lower, b"lmtp") => Certain("SMTP greeting"),
                b"220" | b"250" | b"421" | b"554" => Unsure("reply code of a mail server"),
                _ => No,
            }
        }
    }
}

fn has_two_words(line: &[u8]) -> bool {
    line.iter().filter(|byte| **byte == b' ').count() == 1
}

/// FTP, RFC 959 §5.3 and RFC 2228.
pub(super) fn ftp(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    match direction {
        ToServer => {
            let only = ["AUTH TLS", "AUTH SSL", "SYST", "FEAT", "PASV", "EPSV", "TYPE I", "TYPE A"];
            if complete && only.iter().any(|command| line.eq_ignore_ascii_case(command.as_bytes())) {
                return Unsure("FTP command");
            }
            if complete && starts_with_any(line, &["USER "]) && has_two_words(line) {
                return Unsure("USER with one parameter");
            }
            No
        }
        ToClient => {
            let Some(code) = reply_code(line) else { return No };
            let lower = line.to_ascii_lowercase();
            match &code {
                b"220" if has(&lower, b"smtp") => No,
                b"220" if has(&lower, b"ftp") || has(bytes, b"\n331 ") => Certain("FTP greeting"),
                b"220" | b"331" | b"421" | b"530" => Unsure("reply code of an FTP server"),
                _ => No,
            }
        }
    }
}

/// POP3, RFC 1939 §3 to §5.
pub(super) fn pop3(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    match direction {
        ToServer => {
            if complete && line.eq_ignore_ascii_case(b"CAPA") || starts_with_any(line, &["APOP "]) {
                return Certain("POP3 command");
            }
            if complete && starts_with_any(line, &["USER "]) && has_two_words(line) {
                return Unsure("USER with one parameter");
            }
            let alone = [&b"AUTH"[..], b"STLS"];
            if complete && alone.iter().any(|command| line.eq_ignore_ascii_case(command)) {
                return Unsure("POP3 extension command");
            }
            No
        }
        ToClient => {
            if !matches!(line, [b'+' | b'-', ..]) {
                return No;
            }
            let lower = line.to_ascii_lowercase();
            match line {
                [b'+', b'O', b'K', b' ', ..] if has(&lower, b"pop") => Certain("POP3 greeting"),
                [b'+', b'O', b'K', b' ', ..] => Unsure("+OK with a text"),
                _ if line.starts_with(b"-ERR ") && has(&lower, b"pop") => Unsure("POP3 refusal"),
                _ => No,
            }
        }
    }
}

/// IMAP, RFC 9051 §2.2 and §7.1: untagged greeting, tagged command.
pub(super) fn imap(bytes: &[u8], direction: Direction) -> Probe {
    let (line, _) = first_line(bytes);
    match direction {
        ToServer => {
            /// Longer tags are not in use, and none has a space.
            const MAX_TAG_BYTES: usize = 16;
            let Some(space) = memchr::memchr(b' ', line.get(..=MAX_TAG_BYTES).unwrap_or(line)) else {
                return No;
            };
            let (tag, rest) = line.split_at(space);
            let rest = rest.get(1..).unwrap_or_default();
            let command = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
            let is_tag =
                !tag.is_empty() && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
            let commands = ["CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ID"];
            let is_command = commands.iter().any(|known| command.eq_ignore_ascii_case(known.as_bytes()));
            if is_tag && is_command { Unsure("IMAP tagged command") } else { No }
        }
        ToClient => {
            if starts_with_any(line, &["* OK", "* PREAUTH", "* BYE"]) {
                let lower = line.to_ascii_lowercase();
                return if has(&lower, b"imap") || has(&lower, b"capability") {
                    Certain("IMAP greeting")
                } else {
                    Unsure("untagged OK")
                };
            }
            No
        }
    }
}
