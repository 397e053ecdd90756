//! Records, hello and extensions.

use super::{ClientHello, Error, MAX_HELLO_BYTES, MAX_LISTED, MAX_RECORD_BYTES, MAX_SERVER_NAME_BYTES};
use crate::bytes::Reader;

/// RFC 8446 §5.1 and §4.
const HANDSHAKE_RECORD: u8 = 22;
const RECORD_HEADER_BYTES: usize = 5;
const CLIENT_HELLO: u8 = 1;
/// IANA TLS ExtensionType Values.
const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
/// RFC 6066 §3: the only kind of server name.
const HOST_NAME: u8 = 0;
/// RFC 8446 §4.1.2.
const RANDOM_BYTES: usize = 32;
/// Application protocol names that are kept.
const MAX_ALPN: usize = 16;

/// Reads the ClientHello at the start of a TLS stream; it may span several records.
///
/// # Errors
/// When the stream does not begin with one. What goes wrong later is in [`ClientHello::incomplete`].
pub fn client_hello(stream: &[u8]) -> Result<ClientHello, Error> {
    let mut message = Vec::new();
    let mut rest = stream;
    // Type, version 3.x, length; records of other types end the hello.
    while let [HANDSHAKE_RECORD, 3, _, high, low, body @ ..] = rest {
        let record_bytes = usize::from(u16::from_be_bytes([*high, *low]));
        if record_bytes == 0 || record_bytes > MAX_RECORD_BYTES {
            break;
        }
        let room = MAX_HELLO_BYTES.saturating_sub(message.len());
        let taken = body.get(..record_bytes).unwrap_or(body);
        message.extend_from_slice(taken.get(..room).unwrap_or(taken));
        let Some(after) = body.get(record_bytes..).filter(|_| room > record_bytes) else { break };
        if message_bytes(&message).is_some_and(|needed| message.len() >= needed) {
            break;
        }
        rest = after;
    }
    client_hello_message(&message)
}

/// True if more bytes would tell no more about the hello at the start of a stream: it is whole, or none. Costs no
/// allocation, unlike reading it.
pub fn is_hello_over(stream: &[u8]) -> bool {
    let mut rest = stream;
    let (mut needed, mut have_bytes) = (None, 0);
    while let [HANDSHAKE_RECORD, 3, _, high, low, body @ ..] = rest {
        let record_bytes = usize::from(u16::from_be_bytes([*high, *low]));
        if record_bytes == 0 || record_bytes > MAX_RECORD_BYTES || have_bytes > MAX_HELLO_BYTES {
            return true;
        }
        if needed.is_none() && record_bytes < 4 {
            // The message's length itself is cut in two: rare enough to read the whole.
            return client_hello(stream).map_or(true, |hello| hello.incomplete.is_none());
        }
        let Some(wanted) = needed.or_else(|| message_bytes(body)) else { return false };
        needed = Some(wanted);
        have_bytes += record_bytes.min(body.len());
        if have_bytes >= wanted {
            return true;
        }
        let Some(after) = body.get(record_bytes..) else { return false };
        rest = after;
    }
    // Another record's header is still to come, or another type of record ends the hello.
    rest.len() >= RECORD_HEADER_BYTES
}

/// Reads a ClientHello without record headers, as QUIC carries it.
///
/// # Errors
/// When the bytes are of another message.
pub fn client_hello_message(message: &[u8]) -> Result<ClientHello, Error> {
    if message.first() != Some(&CLIENT_HELLO) {
        return Err(Error::NotHello);
    }
    let mut hello = ClientHello::default();
    let needed = message_bytes(message);
    if let Some(len_bytes) = needed.filter(|needed| *needed > MAX_HELLO_BYTES) {
        return Err(Error::Length { part: "ClientHello", len_bytes, limit: MAX_HELLO_BYTES });
    }
    let visible = needed.and_then(|needed| message.get(..needed)).unwrap_or(message);
    let is_whole = needed.is_some_and(|needed| message.len() >= needed);
    hello.incomplete = match read_hello(visible, &mut hello) {
        Ok(()) if !is_whole => Some(Error::Truncated { part: "message", offset: message.len() }),
        other => other.err(),
    };
    Ok(hello)
}

/// The length of the handshake message with its header.
fn message_bytes(message: &[u8]) -> Option<usize> {
    let [_kind, high, middle, low] = *message.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok().map(|length| length + 4)
}

fn read_hello(message: &[u8], hello: &mut ClientHello) -> Result<(), Error> {
    let mut reader = Reader::at(message, 4);
    let cut = |part, reader: &Reader<'_>| Error::Truncated { part, offset: reader.position() };
    hello.legacy_version = reader.u16().ok_or_else(|| cut("version", &reader))?;
    reader.take(RANDOM_BYTES).ok_or_else(|| cut("random", &reader))?;
    vector_u8(&mut reader).ok_or_else(|| cut("session id", &reader))?;
    let suites = vector_u16(&mut reader).ok_or_else(|| cut("cipher suites", &reader))?;
    hello.cipher_suites = words(suites);
    vector_u8(&mut reader).ok_or_else(|| cut("compression methods", &reader))?;
    if reader.remaining() == 0 {
        return Ok(()); // Extensions are optional before TLS 1.3.
    }
    let _extensions_bytes = reader.u16().ok_or_else(|| cut("extensions", &reader))?;
    while reader.remaining() > 0 && hello.extensions.len() < MAX_LISTED {
        let kind = reader.u16().ok_or_else(|| cut("extension", &reader))?;
        hello.extensions.push(kind);
        let data = vector_u16(&mut reader).ok_or_else(|| cut("extension", &reader))?;
        read_extension(kind, data, hello)?;
    }
    Ok(())
}

fn read_extension(kind: u16, data: &[u8], hello: &mut ClientHello) -> Result<(), Error> {
    let mut reader = Reader::new(data);
    match kind {
        SERVER_NAME => {
            let mut names = Reader::new(vector_u16(&mut reader).unwrap_or_default());
            if names.u8() == Some(HOST_NAME)
                && let Some(name) = vector_u16(&mut names)
            {
                if name.len() > MAX_SERVER_NAME_BYTES {
                    let (part, limit) = ("server name", MAX_SERVER_NAME_BYTES);
                    return Err(Error::Length { part, len_bytes: name.len(), limit });
                }
                hello.server_name = Some(name.escape_ascii().to_string());
            }
        }
        SIGNATURE_ALGORITHMS => {
            hello.signature_algorithms = words(vector_u16(&mut reader).unwrap_or_default());
        }
        SUPPORTED_VERSIONS => hello.versions = words(vector_u8(&mut reader).unwrap_or_default()),
        ALPN => {
            let mut names = Reader::new(vector_u16(&mut reader).unwrap_or_default());
            while let Some(name) = vector_u8(&mut names).filter(|_| hello.alpn.len() < MAX_ALPN) {
                hello.alpn.push(name.to_vec());
            }
        }
        _ => {}
    }
    Ok(())
}

/// A vector with one byte of length.
fn vector_u8<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = reader.u8()?;
    reader.take(usize::from(length))
}

/// A vector with two bytes of length.
fn vector_u16<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = reader.u16()?;
    reader.take(usize::from(length))
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().take(MAX_LISTED).map(|pair| u16::from_be_bytes(*pair)).collect()
}
