//! Who an MQTT client says it is: CONNECT of versions 3.1, 3.1.1 and 5 (OASIS MQTT 5.0 §3.1, MQTT 3.1.1 §3.1).
//!
//! In: the client's first bytes. Out: its [`Connect`]. Left out on purpose: the last will, the password, properties, and
//! every later packet.

use crate::bytes::Reader;

/// Bytes of a name that are kept.
pub const MAX_NAME_BYTES: usize = 128;
/// Version 5, which has properties in front of the payload.
const WITH_PROPERTIES: u8 = 5;
/// MQTT 5.0 §3.1.2.3: flags of the payload's parts.
const USER: u8 = 0x80;
const WILL: u8 = 0x04;

/// A client's first packet. Text is escaped to printable ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// 3, 4 (3.1.1) or 5.
    pub version: u8,
    /// Its name; a broker gives one where it is empty.
    pub client_id: String,
    /// Its login.
    pub user: Option<String>,
}

/// Reads a CONNECT; `None` if it is cut before the client's name, or something else.
///
/// ```
/// let connect = wire::mqtt::connect(b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x3c\x00\x03bot").ok_or("no connect")?;
/// assert_eq!((connect.version, connect.client_id.as_str()), (4, "bot"));
/// # Ok::<(), &str>(())
/// ```
pub fn connect(stream: &[u8]) -> Option<Connect> {
    let mut reader = Reader::new(stream);
    if reader.u8()? != 0x10 {
        return None;
    }
    variable(&mut reader)?;
    if !matches!(text(&mut reader)?, b"MQTT" | b"MQIsdp") {
        return None;
    }
    let [version, flags] = reader.array()?;
    let _keep_alive = reader.u16()?;
    if version == WITH_PROPERTIES {
        skip_properties(&mut reader)?;
    }
    let client_id = shown(text(&mut reader)?);
    Some(Connect { version, client_id, user: user(&mut reader, version, flags).map(shown) })
}

/// The login, behind the last will if there is one.
fn user<'a>(reader: &mut Reader<'a>, version: u8, flags: u8) -> Option<&'a [u8]> {
    if flags & WILL != 0 {
        if version == WITH_PROPERTIES {
            skip_properties(reader)?;
        }
        text(reader)?;
        text(reader)?;
    }
    if flags & USER == 0 { None } else { text(reader) }
}

fn skip_properties(reader: &mut Reader<'_>) -> Option<()> {
    let length = variable(reader)?;
    reader.take(length).map(|_| ())
}

/// MQTT 5.0 §1.5.5: seven bits a byte, at most four bytes.
fn variable(reader: &mut Reader<'_>) -> Option<usize> {
    let mut value = 0;
    for place in 0..4 {
        let byte = reader.u8()?;
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = reader.u16()?;
    reader.take(usize::from(length))
}

fn shown(name: &[u8]) -> String {
    name.get(..MAX_NAME_BYTES).unwrap_or(name).escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_five_with_properties_will_and_login_is_read_and_every_prefix_is_refused_or_less() {
        let packet = b"\x10\x29\x00\x04MQTT\x05\xc4\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x03bot\x00\x00\x01w\x00\x01m\x00\x04user\x00\x02pw";
        let whole = connect(packet).expect("a connect");
        assert_eq!(
            (whole.version, whole.client_id.as_str(), whole.user.as_deref()),
            (5, "bot", Some("user"))
        );
        for end in 0..packet.len() {
            let cut = connect(&packet[..end]);
            assert!(cut.is_none_or(|cut| cut.client_id == "bot"), "prefix of {end} bytes");
        }
        assert_eq!(connect(b"\x10\xff\xff\xff\xff\xff"), None);
        assert_eq!(connect(b"GET / HTTP/1.1\r\n"), None);
    }
}
