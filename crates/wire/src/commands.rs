//! What a client of a line protocol asks for, in plain: SMTP (RFC 5321), FTP (RFC 959, RFC 4217), POP3 (RFC 1939), IMAP
//! (RFC 9051), IRC (RFC 2812).
//!
//! In: the first bytes of the client, from the begin. Out: the [`Commands`]: verbs in the order of their first use, whom
//! it calls itself, and what follows where it asked for TLS on the same connection (STARTTLS and its kin).
//!
//! Left out on purpose: answers, passwords, the bodies of messages, and commands that are not in the tables.

use crate::Protocol;

/// Lines that are read.
pub const MAX_LINES: usize = 64;
/// Bytes of a name that are kept.
pub const MAX_NAME_BYTES: usize = 128;

/// What a client asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands<'a> {
    /// Each known command once, in upper case.
    pub verbs: Vec<&'static str>,
    /// Its login, nick or sender, escaped to printable ASCII.
    pub user: Option<String>,
    /// The bytes behind the line that asks for TLS.
    pub behind_tls: Option<&'a [u8]>,
}

const SMTP: &[&str] = &[
    "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "STARTTLS", "AUTH", "VRFY", "EXPN", "RSET",
    "NOOP", "QUIT",
];
const FTP: &[&str] = &[
    "USER", "PASS", "AUTH", "SYST", "FEAT", "PASV", "EPSV", "PORT", "EPRT", "TYPE", "LIST", "NLST", "RETR",
    "STOR", "DELE", "CWD", "MKD", "SITE", "QUIT",
];
const POP3: &[&str] =
    &["CAPA", "USER", "PASS", "APOP", "STLS", "AUTH", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "QUIT"];
const IMAP: &[&str] = &[
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "STARTTLS",
    "ID",
    "SELECT",
    "EXAMINE",
    "FETCH",
    "UID",
    "LIST",
    "APPEND",
    "LOGOUT",
];
const IRC: &[&str] =
    &["NICK", "USER", "PASS", "CAP", "JOIN", "PRIVMSG", "NOTICE", "MODE", "PING", "PONG", "QUIT"];

/// Reads a client's commands; `None` for a protocol that is not of this kind.
///
/// ```
/// use wire::{Protocol, commands};
/// let found = commands::commands(Protocol::Smtp, b"EHLO a\r\nMAIL FROM:<b@c.test>\r\n").ok_or("no commands")?;
/// assert_eq!((found.verbs, found.user.as_deref()), (vec!["EHLO", "MAIL"], Some("b@c.test")));
/// # Ok::<(), &str>(())
/// ```
pub fn commands(protocol: Protocol, client: &[u8]) -> Option<Commands<'_>> {
    let table = match protocol {
        Protocol::Smtp => SMTP,
        Protocol::Ftp => FTP,
        Protocol::Pop3 => POP3,
        Protocol::Imap => IMAP,
        Protocol::Irc => IRC,
        _ => return None,
    };
    let mut found = Commands::default();
    let mut rest = client;
    for _ in 0..MAX_LINES {
        let Some(end) = memchr::memchr(b'\n', rest) else { break };
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let line = line.trim_ascii();
        // IMAP puts a tag in front.
        let line = if protocol == Protocol::Imap { word(line).1 } else { line };
        let (verb, argument) = word(line);
        let Some(verb) = table.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(verb)) else {
            continue;
        };
        if !found.verbs.contains(verb) {
            found.verbs.push(verb);
        }
        if found.user.is_none() {
            found.user = user(protocol, verb, argument);
        }
        if asks_for_tls(verb, argument) {
            found.behind_tls = Some(rest);
            break;
        }
        // What follows is the message, which may quote commands.
        if matches!(*verb, "DATA" | "BDAT" | "APPEND") {
            break;
        }
    }
    Some(found)
}

/// The first word and what follows it.
fn word(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', line) {
        Some(at) => {
            let (word, rest) = line.split_at(at);
            (word, rest.trim_ascii())
        }
        None => (line, &[]),
    }
}

fn asks_for_tls(verb: &str, argument: &[u8]) -> bool {
    match verb {
        "STARTTLS" | "STLS" => true,
        "AUTH" => argument.eq_ignore_ascii_case(b"TLS") || argument.eq_ignore_ascii_case(b"SSL"),
        _ => false,
    }
}

fn user(protocol: Protocol, verb: &str, argument: &[u8]) -> Option<String> {
    let name = match (protocol, verb) {
        (Protocol::Ftp | Protocol::Pop3, "USER") | (Protocol::Irc, "NICK") => argument,
        (Protocol::Pop3, "APOP") | (Protocol::Imap, "LOGIN") => word(argument).0,
        // `FROM:<a@b> SIZE=1`.
        (Protocol::Smtp, "MAIL") => {
            let from = argument.get(b"FROM:".len()..)?.trim_ascii();
            from.strip_prefix(b"<")?.split(|byte| *byte == b'>').next()?
        }
        _ => return None,
    };
    let name = name.get(..MAX_NAME_BYTES).unwrap_or(name);
    (!name.is_empty()).then(|| name.escape_ascii().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_gives_its_verbs_and_its_user() {
        let check = |protocol, text: &str, verbs: &[&str], user: Option<&str>| {
            let found = commands(protocol, text.as_bytes()).expect("of this kind");
            assert_eq!((found.verbs.as_slice(), found.user.as_deref()), (verbs, user), "{text}");
        };
        check(
            Protocol::Ftp,
            "USER bob\r\nPASS x\r\nxyzzy\r\nRETR a\r\n",
            &["USER", "PASS", "RETR"],
            Some("bob"),
        );
        check(Protocol::Pop3, "capa\r\nAPOP bob 0123\r\n", &["CAPA", "APOP"], Some("bob"));
        check(Protocol::Imap, "a1 LOGIN bob pw\r\na2 SELECT x\r\n", &["LOGIN", "SELECT"], Some("bob"));
        check(Protocol::Irc, "NICK bot\nJOIN #c2\nJOIN #d\n", &["NICK", "JOIN"], Some("bot"));
        check(Protocol::Smtp, "MAIL FROM:<a@b> SIZE=1\nDATA\nRCPT TO:<q>\n", &["MAIL", "DATA"], Some("a@b"));
        assert_eq!(commands(Protocol::Http, b"GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn what_follows_the_wish_for_tls_is_given() {
        for (protocol, text) in [
            (Protocol::Smtp, "EHLO a\r\nSTARTTLS\r\n"),
            (Protocol::Pop3, "STLS\r\n"),
            (Protocol::Imap, "a STARTTLS\r\n"),
            (Protocol::Ftp, "AUTH tls\r\n"),
        ] {
            let bytes = [text.as_bytes(), &[22, 3, 1]].concat();
            let found = commands(protocol, &bytes).expect("of this kind");
            assert_eq!(found.behind_tls, Some(&[22, 3, 1][..]), "{text}");
        }
        assert_eq!(commands(Protocol::Smtp, b"AUTH PLAIN x\r\n").and_then(|found| found.behind_tls), None);
    }

    #[test]
    fn every_prefix_is_read_and_names_are_bounded_and_escaped() {
        let text = [b"USER \x1b[2J".as_slice(), &[b'x'; 400], b"\r\nPASS\r\n"].concat();
        for end in 0..text.len() {
            assert!(commands(Protocol::Ftp, &text[..end]).is_some());
        }
        let user = commands(Protocol::Ftp, &text).and_then(|found| found.user).expect("a user");
        assert!(user.starts_with("\\x1b[2Jxx") && user.len() <= 4 * MAX_NAME_BYTES, "{user}");
    }
}
