//! Probes of protocols that run over UDP; DNS brings its own.

use super::text::has;
use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};
use crate::bytes::Reader;

/// RFC 9000 §14.1: a client pads its first datagram to this.
const MIN_QUIC_INITIAL_BYTES: usize = 1200;
/// The longest connection id of version 1, RFC 9000 §17.2.
const MAX_CONNECTION_ID_BYTES: u8 = 20;

/// QUIC, RFC 9000 §17.2 and RFC 9369: a long header of a known version.
pub(super) fn quic(bytes: &[u8], direction: Direction) -> Probe {
    // Google's first versions: flags with a version and a connection id of eight bytes, then `Q0` and two digits.
    if let [9 | 13, _, _, _, _, _, _, _, _, b'Q', b'0', b'0'..=b'9', b'0'..=b'9', ..] = bytes {
        return Certain("QUIC of Google with its version");
    }
    let mut reader = Reader::new(bytes);
    let (Some(first), Some(version), Some(id_bytes)) = (reader.u8(), reader.u32(), reader.u8()) else {
        return No;
    };
    // Long header and fixed bit.
    if first & 0xc0 != 0xc0 {
        return No;
    }
    // Google's Q046 to Q050 have the lengths of both connection ids in one byte.
    if matches!(version, 0x5130_3436..=0x5130_3530) {
        return Certain("QUIC of Google with its version");
    }
    if id_bytes > MAX_CONNECTION_ID_BYTES {
        return No;
    }
    // What is kept of a datagram is less than what was sent; a whole short one is no Initial.
    let long_enough =
        direction == ToClient || bytes.len() >= super::MAX_KEPT_BYTES.min(MIN_QUIC_INITIAL_BYTES);
    match (version, long_enough) {
        (1 | 0x6b33_43cf, true) => Certain("QUIC long header"),
        (1 | 0x6b33_43cf, false) => Unsure("QUIC long header in a short datagram"),
        // Drafts of the IETF, Google's T050 to T051, and Meta's mvfst.
        (0xff00_0000..=0xff00_00ff, _) | (0x5430_3530..=0x5430_3531, _) | (0xface_b000..=0xface_b00f, _) => {
            Unsure("QUIC draft version")
        }
        _ => No,
    }
}

/// DTLS 1.0 and 1.2, RFC 6347 §4.1: a handshake record of epoch 0.
pub(super) fn dtls(bytes: &[u8], direction: Direction) -> Probe {
    // Type, version, epoch, sequence of six bytes, length of two, handshake type.
    match bytes {
        [22, 0xfe, 0xff | 0xfd, 0, 0, _, _, _, _, _, _, _, _, hello, ..] => match (direction, hello) {
            (ToServer, 1) => Certain("DTLS ClientHello"),
            (ToClient, 2 | 3) => Certain("DTLS ServerHello"),
            _ => Unsure("DTLS handshake"),
        },
        [20..=25, 0xfe, 0xff | 0xfd, ..] => Unsure("DTLS record"),
        // Before the standard, as an old VPN still sends it.
        [20..=23, 1, 0, 0, 0 | 1, _, _, _, _, _, _, high, low, rest @ ..]
            if usize::from(u16::from_be_bytes([*high, *low])) == rest.len() =>
        {
            Unsure("DTLS record of OpenSSL's draft")
        }
        _ => No,
    }
}

/// RFC 8489 §5: the header of a message.
const STUN_BYTES: usize = 20;

/// STUN, RFC 8489 §5: the magic cookie and a length in words of four bytes; RFC 3489 §11.1 had no cookie, so that its
/// attributes must fill the message exactly.
pub(super) fn stun(bytes: &[u8], _direction: Direction) -> Probe {
    let [0..=0x3f, _, high, length, rest @ ..] = bytes else { return No };
    if length % 4 == 0 && rest.starts_with(&[0x21, 0x12, 0xa4, 0x42]) {
        return Certain("STUN magic cookie");
    }
    let is_binding = matches!(bytes, [0 | 1, 1 | 2 | 0x11 | 0x12, ..]);
    let body_bytes = usize::from(u16::from_be_bytes([*high, *length]));
    if !is_binding || body_bytes + STUN_BYTES != bytes.len() {
        return No;
    }
    let mut attributes = bytes.get(STUN_BYTES..).unwrap_or_default();
    let mut known = 0;
    while let [kind_high, kind_low, size_high, size_low, after @ ..] = attributes {
        let (kind, size) =
            (u16::from_be_bytes([*kind_high, *kind_low]), u16::from_be_bytes([*size_high, *size_low]));
        // RFC 3489 §11.2: the types from MAPPED-ADDRESS to REFLECTED-FROM.
        known += usize::from((1..=0x0b).contains(&kind));
        let Some(next) = after.get(usize::from(size)..) else { return No };
        attributes = next;
    }
    match (attributes.is_empty(), known) {
        (true, 1..) => Certain("STUN attributes without the cookie"),
        (true, 0) if body_bytes == 0 => Unsure("STUN header without the cookie"),
        _ => No,
    }
}

/// BOOTP's fixed part, RFC 2131 §2; the magic cookie follows.
const DHCP_COOKIE_OFFSET: usize = 236;

/// DHCP, RFC 2131 §2 and §3.
pub(super) fn dhcp(bytes: &[u8], direction: Direction) -> Probe {
    let cookie = Reader::at(bytes, DHCP_COOKIE_OFFSET).u32();
    match (direction, bytes.first(), cookie) {
        (ToServer, Some(1), Some(0x6382_5363)) | (ToClient, Some(2), Some(0x6382_5363)) => {
            Certain("DHCP magic cookie")
        }
        _ => No,
    }
}

/// DHCP for IPv6, RFC 8415 §8 and §21: a message type, and options that fill the rest, with an identifier among them.
pub(super) fn dhcp6(bytes: &[u8], _direction: Direction) -> Probe {
    /// Option codes: client and server identifier, elapsed time, option request.
    const NAMING: [u16; 4] = [1, 2, 6, 8];
    let [1..=11, _, _, _, options @ ..] = bytes else { return No };
    let mut reader = Reader::new(options);
    let (mut count, mut naming) = (0, 0);
    while let (Some(code), Some(size)) = (reader.u16(), reader.u16()) {
        // IANA has assigned fewer than 150 codes.
        if code == 0 || code > 150 || reader.take(usize::from(size)).is_none() {
            return No;
        }
        count += 1;
        naming += usize::from(NAMING.contains(&code));
    }
    if reader.remaining() == 0 && count >= 2 && naming >= 1 { Certain("DHCPv6 options") } else { No }
}

/// Memcached over UDP (its protocol.txt): eight bytes of frame header, then the text protocol.
pub(super) fn memcached(bytes: &[u8], direction: Direction) -> Probe {
    match bytes {
        [_, _, 0, 0, 0, 1..=255, 0, 0, text @ ..] => match super::text::memcached(text, direction) {
            Certain(evidence) | Unsure(evidence) => Certain(evidence),
            No => No,
        },
        _ => No,
    }
}

/// WireGuard's four messages have fixed types and lengths (Donenfeld 2017, §5.4).
pub(super) fn wireguard(bytes: &[u8], direction: Direction) -> Probe {
    match (direction, bytes, bytes.len()) {
        (ToServer, [1, 0, 0, 0, ..], 148) => Certain("WireGuard initiation"),
        (ToClient, [2, 0, 0, 0, ..], 92) => Certain("WireGuard response"),
        (_, [4, 0, 0, 0, ..], 32..) if bytes.len().is_multiple_of(16) => Unsure("WireGuard transport data"),
        _ => No,
    }
}

/// RFC 5905 §7.3: the header without extensions.
const NTP_BYTES: usize = 48;

/// NTP, RFC 5905 §7.3. The form has no mark of its own: version 1 to 4, a mode that fits the direction, a
/// stratum of at most 16.
pub(super) fn ntp(bytes: &[u8], direction: Direction) -> Probe {
    let [first, stratum, poll, ..] = bytes else { return No };
    if matches!(first & 7, 6 | 7) {
        return ntp_control(bytes);
    }
    if bytes.len() < NTP_BYTES || !bytes.len().is_multiple_of(4) || *stratum > 16 || *poll > 17 {
        return No;
    }
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) {
        return No;
    }
    match (direction, mode) {
        // RFC 5905 §7.3 and RFC 8573: behind the header, a key's number and a digest.
        (ToServer, 3) if matches!(bytes.len(), NTP_BYTES | 52 | 68 | 72) => Unsure("NTP client request"),
        (ToClient, 4) => Unsure("NTP server reply"),
        (_, 1 | 2 | 5) => Unsure("NTP peer or broadcast"),
        _ => No,
    }
}

/// NTP's control messages (RFC 9327 §2) and ntpd's private ones, with which servers are asked for their peers.
fn ntp_control(bytes: &[u8]) -> Probe {
    /// RFC 9327 §2: operations 0 to 12 and 31.
    const MAX_OPERATION: u8 = 12;
    match bytes {
        [first, operation, _, _, _, _, _, _, _, _, count_high, count_low, data @ ..]
            if first & 0xc7 == 6 && operation & 0x1f <= MAX_OPERATION =>
        {
            let count = usize::from(u16::from_be_bytes([*count_high, *count_low]));
            // Data is padded to four bytes and may be followed by a digest.
            let version_fits = (1..=4).contains(&(first >> 3 & 7));
            if version_fits && count <= data.len() && (count > 0 || data.is_empty()) {
                return Unsure("NTP control message");
            }
            No
        }
        // Version 2, implementation ntpd, a request that exists, no error, items.
        [0x17 | 0x97, _, 2 | 3, 0..=49, 0, _, _, _, ..] => Unsure("NTP private message"),
        _ => No,
    }
}

/// SNMP, RFC 1157 §4 and RFC 3412 §6: a BER sequence that begins with the version.
pub(super) fn snmp(bytes: &[u8], _direction: Direction) -> Probe {
    let body = match bytes {
        [0x30, 0x81, _, body @ ..] | [0x30, 0x82, _, _, body @ ..] => body,
        [0x30, length, body @ ..] if *length < 0x80 => body,
        _ => return No,
    };
    match body {
        // Versions 1 and 2c: the community follows as an octet string, then a PDU of context class.
        [2, 1, 0 | 1, 4, length, rest @ ..] if *length < 0x80 => match rest.get(usize::from(*length)) {
            Some(0xa0..=0xa8) => Certain("SNMP community and PDU"),
            _ => No,
        },
        [2, 1, 3, 0x30, ..] => Certain("SNMPv3 header"),
        _ => No,
    }
}

/// Syslog, RFC 3164 §4.1.1 and RFC 5424 §6.2.1: a priority of at most 191 in angle brackets.
pub(super) fn syslog(bytes: &[u8], _direction: Direction) -> Probe {
    let Some(rest) = bytes.strip_prefix(b"<") else { return No };
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let value = rest.iter().take(digits).fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    if (1..=3).contains(&digits) && value <= 191 && rest.get(digits) == Some(&b'>') {
        return Certain("syslog priority");
    }
    No
}

/// A request must fit a block, RFC 1350 §5.
const MAX_TFTP_NAME_BYTES: usize = 512;

/// TFTP, RFC 1350 §5: a read or write request with its mode. The transfer goes on between other ports, with data and
/// its acknowledgement in turn.
pub(super) fn tftp(bytes: &[u8], _direction: Direction) -> Probe {
    /// Opcode and block number, and the data of a full block.
    const BLOCK_BYTES: usize = 4 + 512;
    let rest = match bytes {
        [0, 1 | 2, rest @ ..] => rest,
        // What is kept of a full block is less than the block.
        [0, 3, 0, 1, ..] if bytes.len() >= super::MAX_KEPT_BYTES.min(BLOCK_BYTES) => {
            return Unsure("TFTP first block");
        }
        [0, 4, 0, 0 | 1] => return Unsure("TFTP acknowledgement"),
        // RFC 2347: options by name.
        [0, 6, options @ ..] if has(options, b"blksize\0") || has(options, b"tsize\0") => {
            return Certain("TFTP options");
        }
        _ => return No,
    };
    // The name of a file, its end, the mode, its end.
    let Some(end) = memchr::memchr(0, rest.get(..MAX_TFTP_NAME_BYTES).unwrap_or(rest)).filter(|end| *end > 0)
    else {
        return No;
    };
    let mode = rest.get(end + 1..).unwrap_or_default();
    let is_mode = |name: &[u8]| mode.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if is_mode(b"octet\0") || is_mode(b"netascii\0") { Certain("TFTP request") } else { No }
}
