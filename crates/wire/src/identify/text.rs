//! Probes of protocols whose first bytes are lines of text, mail and file transfer apart.

use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};
pub(super) use crate::bytes::contains as has;

/// The first line without its end, and whether the end was there.
pub(super) fn first_line(bytes: &[u8]) -> (&[u8], bool) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => {
            let line = bytes.get(..end).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), true)
        }
        None => (bytes, false),
    }
}

/// True if the bytes begin with one of the words, in any case.
pub(super) fn starts_with_any(bytes: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes())))
}

/// The longest method in use is WebDAV's `BASELINE-CONTROL`, RFC 3253 §12.6.
const MAX_HTTP_METHOD_BYTES: usize = 20;
/// Methods that are believed before the version is seen.
const HTTP_METHODS: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"REPORT ",
];

/// The method token before the first space, RFC 9110 §9.1: upper case by custom.
fn http_method(line: &[u8]) -> Option<&[u8]> {
    let space = memchr::memchr(b' ', line.get(..=MAX_HTTP_METHOD_BYTES).unwrap_or(line))?;
    let method = line.get(..space)?;
    let is_token = method.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    (is_token && method.len() >= 3).then_some(method)
}

/// Where the last version of HTTP/1 stands in a line.
fn version_of_http(line: &[u8]) -> Option<usize> {
    memchr::memrchr_iter(b' ', line)
        .find(|at| line.get(*at..).is_some_and(|rest| rest.starts_with(b" HTTP/1.")))
}

/// HTTP/1, RFC 9112 §3 and §4: request line and status line.
pub(super) fn http(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    match direction {
        ToServer => {
            if http_method(line).is_none() {
                return No;
            }
            match (version_of_http(line), complete) {
                (Some(_), _) => Certain("HTTP/1 request line"),
                _ if !HTTP_METHODS.iter().any(|method| line.starts_with(method)) => No,
                (None, false) => Unsure("start of an HTTP request line"),
                // HTTP/0.9 had neither version nor headers.
                (None, true)
                    if line.starts_with(b"GET /")
                        && line.iter().filter(|byte| **byte == b' ').count() == 1 =>
                {
                    Unsure("HTTP/0.9 request line")
                }
                (None, true) => No,
            }
        }
        ToClient if line.starts_with(b"HTTP/1.") => Certain("HTTP/1 status line"),
        ToClient => No,
    }
}

/// WebSocket, RFC 6455 §4: the upgrade of an HTTP exchange.
pub(super) fn websocket(bytes: &[u8], direction: Direction) -> Probe {
    let is_http = matches!(http(bytes, direction), Certain(_));
    let accepted = direction == ToServer || bytes.get(8..13).is_some_and(|status| status == b" 101 ");
    if is_http && accepted && upgrades_to_websocket(bytes) {
        Certain("HTTP upgrade to WebSocket")
    } else {
        No
    }
}

/// The field in any case, without a copy of the head.
fn upgrades_to_websocket(head: &[u8]) -> bool {
    const FIELD: &[u8] = b"\r\nupgrade: websocket";
    memchr::memchr_iter(b'\r', head)
        .any(|at| head.get(at..at + FIELD.len()).is_some_and(|line| line.eq_ignore_ascii_case(FIELD)))
}

/// WebSocket in the middle, RFC 6455 §5.2: a whole frame under 126 bytes, masked by the client; text from the server.
pub(super) fn websocket_frame(bytes: &[u8], direction: Direction) -> Probe {
    /// Shorter text proves too little.
    const MIN_TEXT_BYTES: usize = 4;
    match (direction, bytes) {
        (ToServer, [0x81 | 0x82, length @ 0x81..=0xfd, masked @ ..])
            if masked.len() == usize::from(length & 0x7f) + 4 =>
        {
            Unsure("masked WebSocket frame")
        }
        (ToClient, [0x81, length @ 1..=125, rest @ ..]) => match rest.get(..usize::from(*length)) {
            Some(text)
                if text.len() >= MIN_TEXT_BYTES && text.iter().all(|byte| matches!(byte, b' '..=b'~')) =>
            {
                Unsure("WebSocket text frame")
            }
            _ => No,
        },
        _ => No,
    }
}

/// HTTP/2 with prior knowledge, RFC 9113 §3.4: the client's preface, the server's SETTINGS frame.
pub(super) fn http2(bytes: &[u8], direction: Direction) -> Probe {
    match direction {
        ToServer if bytes.starts_with(crate::http2::PREFACE) => Certain("HTTP/2 preface"),
        ToClient => match bytes {
            // Length, type SETTINGS, flags, stream 0; each setting has six bytes.
            [0, _, length, 4, 0, 0, 0, 0, 0, ..] if length % 6 == 0 => Unsure("HTTP/2 SETTINGS frame"),
            _ => No,
        },
        ToServer => No,
    }
}

/// SSH, RFC 4253 §4.2; the server may send other lines first.
pub(super) fn ssh(bytes: &[u8], direction: Direction) -> Probe {
    let is_banner = |at: &[u8]| at.starts_with(b"SSH-2.0-") || at.starts_with(b"SSH-1.");
    if is_banner(bytes) {
        return Certain("SSH version banner");
    }
    if direction == ToClient && has(bytes, b"\r\nSSH-2.0-") {
        return Certain("SSH version banner behind a greeting");
    }
    No
}

/// Stratum and its relatives: JSON-RPC of mining pools (Bitcoin's `mining.*`, Monero's `login` and `job`,
/// Ethereum's `eth_*`).
pub(super) fn stratum(bytes: &[u8], direction: Direction) -> Probe {
    if bytes.first() != Some(&b'{') {
        return No;
    }
    let mining: &[&[u8]] = &[
        b"\"mining.subscribe\"",
        b"\"mining.authorize\"",
        b"\"mining.notify\"",
        b"\"mining.set_difficulty\"",
        b"\"mining.submit\"",
        b"\"mining.extranonce",
        b"\"eth_submitLogin\"",
        b"\"eth_getWork\"",
        b"\"eth_submitWork\"",
    ];
    if mining.iter().any(|method| has(bytes, method)) {
        return Certain("mining method in JSON-RPC");
    }
    let login = has(bytes, b"\"login\"") && has(bytes, b"\"pass\"");
    let job = has(bytes, b"\"job_id\"") && (has(bytes, b"\"blob\"") || has(bytes, b"\"target\""));
    if login && has(bytes, b"\"agent\"") || job {
        return Certain("mining login or job in JSON-RPC");
    }
    // The answer to mining.subscribe; pools differ in what the inner array holds.
    if direction == ToClient && has(bytes, b"\"result\":[[") {
        return Unsure("JSON-RPC result of nested arrays");
    }
    No
}

/// IRC, RFC 2812 §3.1 and §5.
pub(super) fn irc(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    match direction {
        ToServer => {
            let rest = bytes.get(line.len()..).unwrap_or_default();
            if starts_with_any(line, &["CAP LS", "CAP REQ", "PRIVMSG #", "JOIN #", "JOIN &"]) {
                return Certain("IRC client command");
            }
            let registers = |line: &[u8]| line.iter().filter(|byte| **byte == b' ').count() >= 4;
            if starts_with_any(line, &["USER "]) && registers(line) {
                return Certain("IRC USER with four parameters");
            }
            if starts_with_any(line, &["NICK ", "PASS ", "USER "]) && complete {
                let lower = rest.to_ascii_lowercase();
                let follows = has(&lower, b"\nuser ") || has(&lower, b"\nnick ");
                let is_nick = starts_with_any(line, &["NICK "]);
                // POP3 and FTP have USER and PASS as well: there the other of the two follows, not NICK.
                let follows = follows && (is_nick || has(&lower, b"\nnick "));
                return match (is_nick, follows) {
                    (_, true) => Certain("IRC NICK and USER"),
                    (true, false) => Unsure("IRC NICK"),
                    (false, false) => No,
                };
            }
            No
        }
        ToClient => {
            let Some(message) = line.strip_prefix(b":") else {
                return if line.starts_with(b"NOTICE AUTH :") { Certain("IRC NOTICE") } else { No };
            };
            let mut words = message.split(|byte| *byte == b' ').skip(1);
            match words.next() {
                Some(word) if word.len() == 3 && word.iter().all(u8::is_ascii_digit) => {
                    Certain("IRC numeric reply")
                }
                Some(b"NOTICE" | b"PRIVMSG" | b"JOIN" | b"MODE" | b"CAP" | b"PING") => {
                    Certain("IRC server message")
                }
                _ => No,
            }
        }
    }
}

/// XMPP, RFC 6120 §4.2.
pub(super) fn xmpp(bytes: &[u8], _direction: Direction) -> Probe {
    if !bytes.trim_ascii_start().starts_with(b"<") {
        return No;
    }
    if has(bytes, b"<stream:stream") || bytes.starts_with(b"</stream:stream>") {
        return Certain("XMPP stream header");
    }
    if super::stores::xmpp_stanza(bytes) { Unsure("XMPP stanza") } else { No }
}

/// NATS client protocol: the server's INFO, the client's CONNECT with JSON.
pub(super) fn nats(bytes: &[u8], direction: Direction) -> Probe {
    match direction {
        ToClient if bytes.starts_with(b"INFO {") => Certain("NATS INFO"),
        ToServer if bytes.starts_with(b"CONNECT {") => Certain("NATS CONNECT"),
        _ => No,
    }
}

/// Redis serialization protocol (RESP): arrays of bulk strings from the client, typed replies.
pub(super) fn redis(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    let Some((kind, value)) = line.split_first() else { return No };
    let is_number = |value: &[u8]| {
        let digits = value.strip_prefix(b"-").unwrap_or(value);
        (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    };
    if !complete {
        return No;
    }
    match (direction, kind) {
        (ToServer, b'*') if is_number(value) && has(bytes, b"\r\n$") => Certain("RESP array of a client"),
        (ToServer, _) if starts_with_any(line, &["PING", "INFO", "CONFIG ", "SLAVEOF ", "FLUSHALL"]) => {
            Unsure("Redis inline command")
        }
        (ToClient, b'+') if matches!(value, b"OK" | b"PONG" | b"QUEUED") => Unsure("RESP simple reply"),
        (ToClient, b'-') if starts_with_any(value, &["ERR ", "NOAUTH ", "WRONGPASS ", "DENIED Redis"]) => {
            Certain("RESP error reply")
        }
        (ToClient, b'$' | b':' | b'*' | b'%') if is_number(value) => Unsure("RESP typed reply"),
        _ => No,
    }
}

/// Memcached text protocol (its protocol.txt).
pub(super) fn memcached(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    if !complete {
        return No;
    }
    let words = line.split(|byte| *byte == b' ').count();
    match direction {
        ToServer => match line.split(|byte| *byte == b' ').next() {
            Some(b"set" | b"add" | b"replace") if words >= 5 => Certain("memcached storage command"),
            Some(b"get" | b"gets") if words >= 2 => Unsure("memcached retrieval command"),
            Some(b"stats" | b"version" | b"flush_all") if words <= 2 => Unsure("memcached command"),
            _ => No,
        },
        ToClient if starts_with_any(line, &["VALUE ", "STAT ", "STORED", "VERSION ", "END"]) => {
            Unsure("memcached reply")
        }
        ToClient => No,
    }
}

/// SIP, RFC 3261 §7.1.
pub(super) fn sip(bytes: &[u8], _direction: Direction) -> Probe {
    // Every method of the IANA registry is of letters.
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return No;
    }
    let (line, _) = first_line(bytes);
    if line.ends_with(b" SIP/2.0") || line.starts_with(b"SIP/2.0 ") {
        return Certain("SIP start line");
    }
    No
}
