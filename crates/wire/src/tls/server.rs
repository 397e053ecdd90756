//! The server's first flight: ServerHello (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3) and, up to TLS 1.2 where it is plain, the
//! leaf of its Certificate (RFC 5246 §7.4.2).

use super::certificate::{Certificate, certificate};
use super::{MAX_LISTED, MAX_RECORD_BYTES};
use crate::bytes::Reader;

const HANDSHAKE_RECORD: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
/// After this nothing follows that is read here.
const SERVER_HELLO_DONE: u8 = 14;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const TLS_1_3: u16 = 0x0304;
const RANDOM_BYTES: usize = 32;
/// Bytes of a flight that are read: a leaf has one to two thousand, and what authorities follow is not looked at.
const MAX_FLIGHT_BYTES: usize = 16_384;

/// What a server chose, and who it says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFlight {
    /// The version that counts: of the extension where there is one.
    pub version: u16,
    /// The cipher suite.
    pub cipher_suite: u16,
    /// The application protocol that was chosen, as bytes.
    pub alpn: Option<Vec<u8>>,
    /// The leaf, where it is plain and could be read.
    pub certificate: Option<Certificate>,
    /// True if more bytes would tell more.
    pub incomplete: bool,
}

/// Reads the server's first flight at the start of a TLS stream; `None` if there is no whole ServerHello.
///
/// ```
/// assert_eq!(wire::tls::server_flight(b"HTTP/1.1 200 OK\r\n"), None);
/// ```
pub fn server_flight(stream: &[u8]) -> Option<ServerFlight> {
    let (messages, ended) = join_records(stream);
    let mut reader = Reader::new(&messages);
    let mut flight = None;
    while let Some([kind, high, middle, low]) = reader.array() {
        let length = usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()?;
        let Some(body) = reader.take(length) else { break };
        match (kind, &mut flight) {
            (SERVER_HELLO, None) => flight = Some(server_hello(body)?),
            (CERTIFICATE, Some(flight)) => {
                flight.certificate = leaf(body).and_then(certificate);
                flight.incomplete = false;
                break;
            }
            (SERVER_HELLO_DONE, Some(flight)) => {
                flight.incomplete = false;
                break;
            }
            (_, None) => return None,
            _ => {}
        }
    }
    if let Some(flight) = &mut flight {
        flight.incomplete &= !ended;
    }
    flight
}

/// True if more bytes would not tell more about the server's first flight, or if there is none.
pub fn is_flight_over(stream: &[u8]) -> bool {
    if !stream.starts_with(&[HANDSHAKE_RECORD, 3]) {
        return stream.len() > 1;
    }
    let (messages, ended) = join_records(stream);
    let mut reader = Reader::new(&messages);
    while let Some([kind, high, middle, low]) = reader.array() {
        let length = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
        let Some(body) = reader.take(length) else { break };
        let is_last = match kind {
            SERVER_HELLO => server_hello(body).is_none_or(|flight| !flight.incomplete),
            CERTIFICATE | SERVER_HELLO_DONE => true,
            _ => false,
        };
        if is_last {
            return true;
        }
    }
    ended
}

/// The handshake bytes of the records, and whether something else ended them: an alert or the change of cipher.
fn join_records(stream: &[u8]) -> (Vec<u8>, bool) {
    let mut messages = Vec::new();
    let mut rest = stream;
    while let [HANDSHAKE_RECORD, 3, _, high, low, body @ ..] = rest {
        let record_bytes = usize::from(u16::from_be_bytes([*high, *low]));
        let room = MAX_FLIGHT_BYTES.saturating_sub(messages.len());
        let taken = body.get(..record_bytes).unwrap_or(body);
        messages.extend_from_slice(taken.get(..room).unwrap_or(taken));
        if record_bytes == 0 || record_bytes > MAX_RECORD_BYTES || room <= taken.len() {
            return (messages, true);
        }
        let Some(after) = body.get(record_bytes..) else { return (messages, false) };
        rest = after;
    }
    let ended = rest.first().is_some_and(|kind| *kind != HANDSHAKE_RECORD);
    (messages, ended)
}

fn server_hello(body: &[u8]) -> Option<ServerFlight> {
    let mut reader = Reader::new(body);
    let mut flight = ServerFlight { version: reader.u16()?, incomplete: true, ..ServerFlight::default() };
    reader.take(RANDOM_BYTES)?;
    let session_bytes = reader.u8()?;
    reader.take(usize::from(session_bytes))?;
    flight.cipher_suite = reader.u16()?;
    let _compression = reader.u8()?;
    let _extensions_bytes = reader.u16();
    for _ in 0..MAX_LISTED {
        let (Some(kind), Some(length)) = (reader.u16(), reader.u16()) else { break };
        let Some(data) = reader.take(usize::from(length)) else { break };
        match (kind, data) {
            (SUPPORTED_VERSIONS, [high, low]) => flight.version = u16::from_be_bytes([*high, *low]),
            // A list of one name.
            (ALPN, [_, _, length, name @ ..]) if usize::from(*length) == name.len() => {
                flight.alpn = Some(name.to_vec());
            }
            _ => {}
        }
    }
    // RFC 8446 §4.4: from here on everything is encrypted.
    flight.incomplete = flight.version < TLS_1_3;
    Some(flight)
}

/// The first certificate of the list.
fn leaf(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let _list_bytes = length_u24(&mut reader)?;
    let length = length_u24(&mut reader)?;
    reader.take(length)
}

fn length_u24(reader: &mut Reader<'_>) -> Option<usize> {
    let [high, middle, low] = reader.array()?;
    usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()
}

/// The name of a version of TLS, as people write it.
pub fn version_name(version: u16) -> &'static str {
    match version {
        0x0300 => "ssl 3.0",
        0x0301 => "1.0",
        0x0302 => "1.1",
        0x0303 => "1.2",
        TLS_1_3 => "1.3",
        _ => "unknown",
    }
}
