//! Probes of stream protocols with binary first bytes.

use super::text::has;
use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};
use crate::bytes::Reader;

/// RFC 8446 §5.1: the largest TLS record that may be sent, 2^14 + 256.
const MAX_TLS_RECORD_BYTES: u16 = 16_640;

/// TLS, RFC 8446 §4 and §5.1: a handshake record that begins with the hello of its direction, or an
/// alert.
pub(super) fn tls(bytes: &[u8], direction: Direction) -> Probe {
    let [kind, 3, minor, high, low, rest @ ..] = bytes else { return ssl2(bytes, direction) };
    let record_bytes = u16::from_be_bytes([*high, *low]);
    if *minor > 4 || record_bytes == 0 || record_bytes > MAX_TLS_RECORD_BYTES {
        return No;
    }
    match (kind, direction, rest) {
        // Handshake type, three bytes of length (a hello is far under 64 KiB), version 3.x.
        (22, ToServer, [1, 0, _, _, 3, version, ..]) if *version <= 4 => Certain("TLS ClientHello"),
        (22, ToClient, [2, 0, _, _, 3, version, ..]) if *version <= 4 => Certain("TLS ServerHello"),
        // Alert: level warning or fatal, two bytes in all.
        (21, _, [1 | 2, _, ..]) if record_bytes == 2 => Unsure("TLS alert"),
        // Encrypted bytes are no text, which is all that is left of a shell behind a record's header.
        (23, _, _) if is_text(rest) => No,
        (20..=23, _, _) => Unsure("TLS record"),
        _ => No,
    }
}

/// The text behind the header of a TLS record that holds nothing but text, and any other bytes as they are: what hides
/// behind a header is judged without it.
pub(super) fn behind_false_record(bytes: &[u8]) -> &[u8] {
    match bytes {
        [20..=23, 3, 0..=4, _, _, rest @ ..] if is_text(rest) => rest,
        _ => bytes,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// SSL 2 and the hello in its form that later versions understood, RFC 5246 appendix E.2: length, type, version, lengths of
/// the lists. A suite has three bytes.
fn ssl2(bytes: &[u8], direction: Direction) -> Probe {
    match (direction, bytes) {
        (ToServer, [0x80..=0xbf, _, 1, 0, 2, suites_high, suites_low, ..])
        | (ToServer, [0x80..=0xbf, _, 1, 3, 0..=3, suites_high, suites_low, ..]) => {
            let suites_bytes = u16::from_be_bytes([*suites_high, *suites_low]);
            match suites_bytes > 0 && suites_bytes.is_multiple_of(3) {
                true => Unsure("ClientHello in the form of SSL 2"),
                false => No,
            }
        }
        // Session known or not, kind of certificate, version.
        (ToClient, [0x80..=0xbf, _, 4, 0 | 1, 1, 0, 2, ..]) => Unsure("ServerHello of SSL 2"),
        _ => No,
    }
}

/// Telnet, RFC 854 and RFC 855: option negotiation. A session without any (BusyBox on an odd port) is
/// seen as plain text instead.
pub(super) fn telnet(bytes: &[u8], _direction: Direction) -> Probe {
    match bytes {
        [IAC, WILL..=DONT, option, rest @ ..] if is_telnet_option(*option) => match rest {
            [] | [IAC, ..] => Certain("telnet option negotiation"),
            [next, ..] if next.is_ascii() => Certain("telnet option negotiation"),
            _ => Unsure("telnet option negotiation"),
        },
        [IAC, SUBNEGOTIATION, option, ..] if is_telnet_option(*option) => {
            Unsure("telnet option subnegotiation")
        }
        _ if bytes.is_ascii() => No,
        _ => match negotiation_in_text(bytes) {
            true => Unsure("telnet option negotiation in text"),
            false => No,
        },
    }
}

/// RFC 854: the escape byte and the four verbs; RFC 855: the start of a subnegotiation.
const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const WILL: u8 = 251;
const DONT: u8 = 254;

/// IANA Telnet Options: 0 to 49 are assigned, 255 is the extended list.
fn is_telnet_option(option: u8) -> bool {
    option <= 49 || option == 255
}

fn negotiation_in_text(bytes: &[u8]) -> bool {
    let Some(at) = memchr::memchr(IAC, bytes) else { return false };
    let (before, after) = bytes.split_at(at);
    before.is_ascii() && matches!(after, [IAC, WILL..=DONT, option, ..] if is_telnet_option(*option))
}

/// MQTT 3.1, 3.1.1 and 5: CONNECT and CONNACK (OASIS MQTT 5.0 §3.1, §3.2).
pub(super) fn mqtt(bytes: &[u8], direction: Direction) -> Probe {
    let Some((kind, after_kind)) = bytes.split_first() else { return No };
    // The remaining length takes one to four bytes; all but the last have the top bit set.
    let more = after_kind.iter().take(3).take_while(|byte| **byte & 0x80 != 0).count();
    let body = after_kind.get(more + 1..).unwrap_or_default();
    match (direction, kind) {
        (ToServer, 0x10) if body.starts_with(b"\x00\x04MQTT") || body.starts_with(b"\x00\x06MQIsdp") => {
            Certain("MQTT CONNECT")
        }
        (ToClient, 0x20) if more == 0 && matches!(body, [0 | 1, _, ..]) => Unsure("MQTT CONNACK"),
        (ToServer, 0xc0) | (ToClient, 0xd0) if after_kind.first() == Some(&0) => Unsure("MQTT ping"),
        (_, 0x30..=0x3d) => publish(body),
        _ => No,
    }
}

/// A PUBLISH, OASIS MQTT 5.0 §3.3: the topic's length and the topic, which is text with levels.
fn publish(body: &[u8]) -> Probe {
    let mut reader = Reader::new(body);
    let topic = reader.u16().and_then(|length| reader.take(usize::from(length))).unwrap_or_default();
    let is_text = topic.len() >= 3 && topic.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if is_text { Unsure("MQTT PUBLISH with its topic") } else { No }
}

/// AMQP 0-9-1 §4.2.2 and 1.0 §2.2: the protocol header; a 0-9-1 server answers with connection.start.
pub(super) fn amqp(bytes: &[u8], direction: Direction) -> Probe {
    match bytes {
        [b'A', b'M', b'Q', b'P', ..] => Certain("AMQP protocol header"),
        [1, 0, 0, _, _, _, _, 0, 10, 0, 10, ..] if direction == ToClient => Certain("AMQP connection.start"),
        _ => No,
    }
}

/// PostgreSQL frontend/backend protocol 3.0: start-up packet, SSL and GSS requests, first replies.
pub(super) fn postgresql(bytes: &[u8], direction: Direction) -> Probe {
    let mut reader = Reader::new(bytes);
    match direction {
        ToServer => match (reader.u32(), reader.u32()) {
            (Some(8), Some(80_877_103)) => Certain("PostgreSQL SSLRequest"),
            (Some(8), Some(80_877_104)) => Certain("PostgreSQL GSSENCRequest"),
            (Some(16), Some(80_877_102)) => Certain("PostgreSQL CancelRequest"),
            // Version 3.0 or 3.2, then parameters by name; a start-up packet is under 10,000 bytes.
            (Some(9..=10_000), Some(0x0003_0000 | 0x0003_0002)) if has(bytes, b"user\0") => {
                Certain("PostgreSQL start-up packet")
            }
            _ => No,
        },
        ToClient => match bytes {
            [b'S' | b'N'] => Unsure("one-byte answer to an SSLRequest"),
            [b'S' | b'N', rest @ ..] if is_authentication(rest) => Certain("PostgreSQL authentication"),
            [b'E', 0, 0, ..] if has(bytes, b"SERROR\0") || has(bytes, b"SFATAL\0") => {
                Certain("PostgreSQL error")
            }
            _ if is_authentication(bytes) => Certain("PostgreSQL authentication"),
            // After 'S' a TLS handshake follows on the same stream.
            [b'S', 22, 3, ..] => Unsure("TLS after an SSLRequest"),
            _ => No,
        },
    }
}

/// `R`, a length under 256, a method of at most 12.
fn is_authentication(bytes: &[u8]) -> bool {
    matches!(bytes, [b'R', 0, 0, 0, 8..=255, 0, 0, 0, 0..=12, ..])
}

/// MySQL client/server protocol: initial handshake version 10 or an early error; the login that follows.
pub(super) fn mysql(bytes: &[u8], direction: Direction) -> Probe {
    match (direction, bytes) {
        (ToClient, [_, _, 0, 0, 10, version @ ..]) => {
            let text = version.split(|byte| *byte == 0).next().unwrap_or_default();
            let is_version = text.first().is_some_and(u8::is_ascii_digit)
                && text.len() < 80
                && text.iter().all(u8::is_ascii_graphic);
            if is_version { Certain("MySQL greeting") } else { No }
        }
        (ToClient, [_, _, 0, 0, 0xff, ..]) if has(bytes, b"Host ") || has(bytes, b"connections") => {
            Certain("MySQL refusal")
        }
        // Sequence 1, capabilities with PROTOCOL_41 (bit 9), maximum packet, character set, zeros.
        (ToServer, [_, _, 0, 1, _, capabilities, _, _, _, _, _, _, _, 0, 0, ..])
            if capabilities & 0x02 != 0 =>
        {
            Unsure("MySQL login")
        }
        _ => No,
    }
}

/// MongoDB wire protocol: the little-endian header with OP_MSG, OP_QUERY or OP_REPLY.
pub(super) fn mongodb(bytes: &[u8], direction: Direction) -> Probe {
    // Length (under 48 MB), request id, response to, opcode.
    let [_, _, _, 0..=2, _, _, _, _, _, _, _, _, opcode @ ..] = bytes else { return No };
    match opcode {
        [0xdd, 0x07, 0, 0, ..] => Certain("MongoDB OP_MSG"),
        [0xdc, 0x07, 0, 0, ..] => Certain("MongoDB OP_COMPRESSED"),
        [0xd1..=0xd3 | 0xd5..=0xd7, 0x07, 0, 0, ..] => Unsure("MongoDB older operation"),
        [0xd4, 0x07, 0, 0, ..] => Certain("MongoDB OP_QUERY"),
        [1, 0, 0, 0, ..] if direction == ToClient => Unsure("MongoDB OP_REPLY"),
        _ => No,
    }
}

/// The content of a BER element whose tag was read, and its length; the content may be cut. Lengths of up to four bytes.
fn ber(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let count = match first {
        0..=0x7f => return Some((usize::from(*first), rest)),
        0x81..=0x84 => usize::from(first & 0x0f),
        _ => return None,
    };
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    Some((length, rest))
}

/// LDAP, RFC 4511 §4.1.1: a BER sequence of message id and operation, which fills it.
pub(super) fn ldap(bytes: &[u8], direction: Direction) -> Probe {
    let [0x30, rest @ ..] = bytes else { return No };
    let Some((_, [2, id_bytes @ 1..=4, rest @ ..])) = ber(rest) else { return No };
    let Some([operation, rest @ ..]) = rest.get(usize::from(*id_bytes)..) else { return No };
    let Some((length, body)) = ber(rest) else { return No };
    match (direction, operation, body) {
        // A bind names its version, 2 or 3.
        (ToServer, 0x60, [2, 1, 2 | 3, 4, ..]) => Certain("LDAP bind request"),
        (ToClient, 0x61, [10, 1, ..]) => Certain("LDAP bind response"),
        // Unbind has no content; the others: search, modify, add, compare, extended, abandon, delete, rename.
        (ToServer, 0x42, _) if length == 0 => Unsure("LDAP unbind request"),
        (ToServer, 0x63 | 0x66 | 0x68 | 0x6e, [4 | 0x30, ..]) => Unsure("LDAP request"),
        (ToServer, 0x77, [0x80, ..]) | (ToServer, 0x6c, [4, ..]) => Unsure("LDAP request"),
        (ToServer, 0x4a, [_, ..]) if length <= MAX_LDAP_NAME_BYTES => Unsure("LDAP delete request"),
        (ToServer, 0x50, [_, ..]) if length <= 4 => Unsure("LDAP abandon request"),
        (ToClient, 0x64, [4, ..]) | (ToClient, 0x73, [4, ..]) => Unsure("LDAP search response"),
        (ToClient, 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78, [10, 1, ..]) => Unsure("LDAP response"),
        _ => No,
    }
}

/// A distinguished name longer than this is no one's; servers refuse far shorter ones.
const MAX_LDAP_NAME_BYTES: usize = 4096;

/// Kerberos 5, RFC 4120 §5.4: the version and message type at the head of a request or reply. Streams
/// put four bytes of length first (§7.2.2).
pub(super) fn kerberos(bytes: &[u8], direction: Direction) -> Probe {
    /// Length prefix, application tag, sequence tag, each with up to five bytes of length.
    const HEAD_BYTES: usize = 4 + 6 + 6 + 16;
    // The upper byte of a stream's length, or the class and number of the message.
    if !matches!(bytes.first(), Some(0 | 0x60..=0x7f)) {
        return No;
    }
    let head = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let (marks, evidence): (&[&[u8]], _) = match direction {
        ToServer => (
            &[b"\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a", b"\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0c"],
            "Kerberos request",
        ),
        ToClient => (
            &[
                b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0b",
                b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0d",
                b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e",
            ],
            "Kerberos reply",
        ),
    };
    if marks.iter().any(|mark| has(head, mark)) { Certain(evidence) } else { No }
}

/// SMB over TCP: NetBIOS session header (RFC 1002 §4.3), then the magic of \[MS-SMB\] or \[MS-SMB2\].
pub(super) fn smb(bytes: &[u8], _direction: Direction) -> Probe {
    match bytes {
        [0, _, _, _, 0xfd..=0xff, b'S', b'M', b'B', ..] => Certain("SMB header"),
        [0x81 | 0x82, 0, 0, _, ..] => Unsure("NetBIOS session message"),
        _ => No,
    }
}

/// RDP: TPKT (RFC 1006 §6), then an X.224 connection request or confirm.
pub(super) fn rdp(bytes: &[u8], direction: Direction) -> Probe {
    match (direction, bytes) {
        // Parameters of ISO transport, X.224 §13.3.4, as other protocols on this layer send them and RDP does not.
        (_, [3, 0, _, _, _, 0xe0 | 0xd0, _, _, _, _, _, 0xc0..=0xc2, ..]) => No,
        (ToServer, [3, 0, 0, _, _, 0xe0, 0, 0, ..]) => {
            if has(bytes, b"Cookie: mstshash=") {
                Certain("RDP cookie")
            } else {
                Unsure("X.224 connection request")
            }
        }
        (ToClient, [3, 0, 0, _, _, 0xd0, 0, 0, ..]) => Unsure("X.224 connection confirm"),
        _ => No,
    }
}

/// VNC, RFC 6143 §7.1.1: both sides send twelve bytes of version.
pub(super) fn vnc(bytes: &[u8], _direction: Direction) -> Probe {
    match bytes {
        [b'R', b'F', b'B', b' ', b'0', _, _, b'.', _, _, _, b'\n', ..] => Certain("RFB version"),
        _ => No,
    }
}

/// SOCKS 5 (RFC 1928 §3) and SOCKS 4: greeting or request, and the answer.
pub(super) fn socks(bytes: &[u8], direction: Direction) -> Probe {
    match (direction, bytes) {
        (ToServer, [5, count @ 1..=16, rest @ ..]) => {
            let offered = rest.get(..usize::from(*count));
            let is_known = |method: &u8| matches!(method, 0..=9 | 0x80);
            match offered {
                // What follows the offer, in a stream, is authentication (1) or the request (5).
                Some(methods) if methods.iter().all(is_known) => match rest.get(usize::from(*count)..) {
                    Some([] | [1, ..]) => Unsure("SOCKS5 methods"),
                    Some([5, 1..=3, 0, 1 | 3 | 4, ..]) => Certain("SOCKS5 methods and request"),
                    _ => No,
                },
                _ => No,
            }
        }
        (ToServer, [4, 1 | 2, port_high, port_low, _, _, _, _, user @ ..])
            if user.contains(&0) && (*port_high, *port_low) != (0, 0) =>
        {
            Unsure("SOCKS4 request")
        }
        (ToClient, [5, 0 | 1 | 2 | 0xff]) => Unsure("SOCKS5 method choice"),
        (ToClient, [5, 0, 5, 0..=8, 0, 1 | 3 | 4, ..]) => Certain("SOCKS5 method choice and reply"),
        (ToClient, [5, 2, 1, 0, ..]) => Unsure("SOCKS5 method choice and authentication"),
        (ToClient, [0, 0x5a..=0x5d, _, _, _, _, _, _, ..]) => Unsure("SOCKS4 reply"),
        _ => No,
    }
}

/// BitTorrent, BEP 3: the peer handshake.
pub(super) fn bittorrent(bytes: &[u8], _direction: Direction) -> Probe {
    if bytes.starts_with(b"\x13BitTorrent protocol") { Certain("BitTorrent handshake") } else { No }
}
