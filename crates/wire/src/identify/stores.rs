//! Probes of databases, queues and file services whose frames carry a length, a kind and no mark: the fields must fit
//! together.

use super::text::{first_line, has, starts_with_any};
use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};
use crate::bytes::Reader;

/// Kafka protocol guide: the highest API key and version in use, with room for growth.
const MAX_KAFKA_API: u16 = 100;
const MAX_KAFKA_VERSION: u16 = 20;
/// `ApiVersions`, with which clients since 0.10 begin.
const KAFKA_API_VERSIONS: u16 = 18;

/// Kafka: size, API key, version, correlation id, client id; the answer repeats the correlation id.
pub(super) fn kafka(bytes: &[u8], direction: Direction) -> Probe {
    let mut reader = Reader::new(bytes);
    let Some(size) = reader.u32().and_then(|size| usize::try_from(size).ok()) else { return No };
    // What is kept may be less than the frame, never more unless a second one follows.
    let fits = size + 4 == bytes.len() || bytes.len() >= super::MAX_KEPT_BYTES && size > bytes.len();
    match direction {
        ToServer => {
            let (Some(api), Some(version), Some(_), Some(name)) =
                (reader.u16(), reader.u16(), reader.u32(), reader.u16())
            else {
                return No;
            };
            let name = reader.take(usize::from(name)).unwrap_or_default();
            let is_named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
            match (fits && is_named && api <= MAX_KAFKA_API && version <= MAX_KAFKA_VERSION, api) {
                (true, KAFKA_API_VERSIONS) => Certain("Kafka ApiVersions"),
                (true, _) => Unsure("Kafka request"),
                (false, _) => No,
            }
        }
        // Correlation ids count from zero.
        ToClient if fits && matches!(reader.u32(), Some(0..=0xffff)) => Unsure("Kafka response"),
        ToClient => No,
    }
}

/// Cassandra's native protocol, versions 1 to 5 §2: version, flags, stream, opcode, length.
pub(super) fn cassandra(bytes: &[u8], direction: Direction) -> Probe {
    // Between nodes every connection begins with this number.
    if bytes.starts_with(&[0xca, 0x55, 0x2d, 0xfa]) {
        return Certain("Cassandra node protocol");
    }
    let (version, flags, opcode, length) = match bytes {
        // Versions 1 and 2 have a stream id of one byte.
        [version @ (1 | 2 | 0x81 | 0x82), flags, _, opcode, rest @ ..] => {
            (*version, *flags, *opcode, Reader::new(rest).u32())
        }
        [version @ (3..=5 | 0x83..=0x85), flags, _, _, opcode, rest @ ..] => {
            (*version, *flags, *opcode, Reader::new(rest).u32())
        }
        _ => return No,
    };
    let header_bytes: usize = if version & 0x7f <= 2 { 8 } else { 9 };
    let fits = length.and_then(|length| usize::try_from(length).ok()).is_some_and(|length| {
        // A quarter of a gigabyte is the specification's limit.
        length <= 1 << 28 && (length + header_bytes >= bytes.len() || opcode == 1 || opcode == 5)
    });
    if flags > 0x1f || !fits {
        return No;
    }
    match (direction, version >= 0x80, opcode) {
        (ToServer, false, 1) if has(bytes, b"CQL_VERSION") => Certain("Cassandra STARTUP"),
        (ToClient, true, 6) if has(bytes, b"CQL_VERSION") => Certain("Cassandra SUPPORTED"),
        (ToServer, false, 5 | 7 | 9..=11 | 13 | 15) => Unsure("Cassandra request"),
        (ToClient, true, 0 | 2 | 3 | 6 | 8 | 12 | 14 | 16) => Unsure("Cassandra response"),
        _ => No,
    }
}

/// STOMP 1.0 to 1.2: a command on the first line, headers below.
pub(super) fn stomp(bytes: &[u8], direction: Direction) -> Probe {
    let (line, complete) = first_line(bytes);
    let has_header = |name: &[u8]| has(bytes, name);
    match (direction, line, complete) {
        (ToServer, b"STOMP" | b"CONNECT", true)
            if has_header(b"\naccept-version:") || has_header(b"\nlogin:") || has_header(b"\nhost:") =>
        {
            Certain("STOMP CONNECT")
        }
        (ToServer, b"SEND" | b"SUBSCRIBE", true) if has_header(b"\ndestination:") => Certain("STOMP frame"),
        (ToClient, b"CONNECTED", true) if has_header(b"\nversion:") || has_header(b"\nsession:") => {
            Certain("STOMP CONNECTED")
        }
        _ => No,
    }
}

/// RFC 5531 §9: message types, the version of the protocol.
const RPC_CALL: u32 = 0;
const RPC_REPLY: u32 = 1;
const RPC_VERSION: u32 = 2;
/// IANA RPC program numbers.
const PORTMAPPER: u32 = 100_000;
const NFS: u32 = 100_003;
const MOUNT: u32 = 100_005;
const LOCK: u32 = 100_021;
const STATUS: u32 = 100_024;
const ACCESS_LISTS: u32 = 100_227;

fn serves_nfs(program: u32) -> bool {
    matches!(program, NFS | MOUNT | LOCK | STATUS | ACCESS_LISTS)
}

/// NFS with the services that belong to it, over ONC RPC, RFC 5531 §9 and RFC 1813.
pub(super) fn nfs(datagram: &[u8], direction: Direction) -> Probe {
    let mut reader = Reader::new(datagram);
    let (Some(_), Some(kind)) = (reader.u32(), reader.u32()) else { return No };
    match (direction, kind) {
        (ToServer, RPC_CALL) => match (reader.u32(), reader.u32(), reader.u32(), reader.u32()) {
            (Some(RPC_VERSION), Some(program), Some(1..=4), Some(0..=25)) if serves_nfs(program) => {
                Certain("RPC call to NFS or its helpers")
            }
            (Some(RPC_VERSION), Some(PORTMAPPER), Some(2..=4), Some(_)) => {
                // Behind two empty authentications stands the program that is asked for.
                let asked = Reader::at(datagram, 40).u32();
                if asked.is_some_and(serves_nfs) { Certain("RPC port mapping for NFS") } else { No }
            }
            _ => No,
        },
        // Accepted, an authentication of at most 400 bytes, success.
        (ToClient, RPC_REPLY) => match (reader.u32(), reader.u32(), reader.u32()) {
            (Some(0), Some(0 | 6), Some(0..=400)) => Unsure("RPC reply"),
            _ => No,
        },
        _ => No,
    }
}

/// The same over TCP: RFC 5531 §11 puts a length with a mark for the last fragment in front.
pub(super) fn nfs_stream(stream: &[u8], direction: Direction) -> Probe {
    match stream {
        [0x80, 0..=16, _, _, message @ ..] => nfs(message, direction),
        _ => No,
    }
}

/// RADIUS, RFC 2865 §3 and RFC 2866 §3: code, identifier, length, authenticator, attributes that fill the rest.
pub(super) fn radius(datagram: &[u8], direction: Direction) -> Probe {
    const HEADER_BYTES: usize = 20;
    let [code, _, high, low, ..] = datagram else { return No };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let fits = match direction {
        ToServer => matches!(code, 1 | 4 | 12 | 40 | 43),
        ToClient => matches!(code, 2 | 3 | 5 | 11 | 13 | 41 | 42 | 44 | 45),
    };
    if !fits || length < HEADER_BYTES || length != datagram.len() {
        return No;
    }
    let mut rest = datagram.get(HEADER_BYTES..).unwrap_or_default();
    let mut attributes = 0;
    while let [kind, size @ 2..=255, ..] = rest {
        if *kind == 0 {
            return No;
        }
        attributes += 1;
        let Some(after) = rest.get(usize::from(*size)..) else { return No };
        rest = after;
    }
    match (rest.is_empty(), attributes) {
        (true, 2..) => Certain("RADIUS attributes"),
        (true, _) => Unsure("RADIUS header"),
        (false, _) => No,
    }
}

/// XMPP in the middle of a stream, RFC 6120 §8.1: one of the three stanzas.
pub(super) fn xmpp_stanza(bytes: &[u8]) -> bool {
    starts_with_any(bytes, &["<iq ", "<presence", "<message "]) && has(bytes, b">")
}
