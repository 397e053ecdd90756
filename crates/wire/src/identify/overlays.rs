//! Probes of tunnels and peer-to-peer networks.

use super::text::has;
use crate::Direction::{self, ToClient, ToServer};
use crate::Probe::{self, Certain, No, Unsure};
use crate::bytes::Reader;

/// OpenVPN's opcodes of the first packets, in the upper five bits; the key id below is 0.
const CLIENT_RESET_V2: u8 = 7 << 3;
const SERVER_RESET_V2: u8 = 8 << 3;
const CLIENT_RESET_V3: u8 = 10 << 3;
/// Opcode, session id, length of the acknowledgements, packet id.
const RESET_BYTES: usize = 14;
/// Authentication in front: HMAC of the digest that is configured, packet id, time.
const HMAC_BYTES: [usize; 5] = [16, 20, 32, 48, 64];

/// OpenVPN over UDP (its protocol document, "Control channel"): the resets that open a session.
pub(super) fn openvpn(datagram: &[u8], direction: Direction) -> Probe {
    let Some(first) = datagram.first() else { return No };
    let plain = |extra: usize| {
        datagram.len() == RESET_BYTES + extra
            || HMAC_BYTES.iter().any(|hmac| datagram.len() == RESET_BYTES + extra + hmac + 8)
    };
    // The packet id of the first control packet is 0, and so is the number of acknowledgements.
    let ends_with_zeros =
        |count: usize| datagram.len() > count && datagram.iter().rev().take(count).all(|byte| *byte == 0);
    match (direction, *first) {
        (ToServer, CLIENT_RESET_V2) if plain(0) && ends_with_zeros(5) => Certain("OpenVPN client reset"),
        // An acknowledgement of four bytes and the client's session id come in between.
        (ToClient, SERVER_RESET_V2) if plain(12) && ends_with_zeros(4) => Certain("OpenVPN server reset"),
        // Encrypted control channel: only opcode and length show.
        (ToServer, CLIENT_RESET_V2) if datagram.len() == 54 => Unsure("OpenVPN encrypted client reset"),
        (ToServer, CLIENT_RESET_V3) if datagram.len() > 300 => Unsure("OpenVPN client reset with its key"),
        (ToClient, SERVER_RESET_V2) if (54..=130).contains(&datagram.len()) => {
            Unsure("OpenVPN encrypted server reset")
        }
        _ => No,
    }
}

/// OpenVPN over TCP: two bytes of length in front of each packet.
pub(super) fn openvpn_stream(stream: &[u8], direction: Direction) -> Probe {
    let [high, low, packet @ ..] = stream else { return No };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    match packet.get(..length) {
        Some(packet) => openvpn(packet, direction),
        None => No,
    }
}

/// BEP 15: what a client sends to a tracker first.
const TRACKER_MAGIC: &[u8] = &[0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0];
/// The handshake follows uTP's header and its extensions at once.
const MAX_UTP_HANDSHAKE_BYTES: usize = 96;
/// BEP 29: the header of uTP.
const UTP_BYTES: usize = 20;

/// BitTorrent over UDP: distributed hash table (BEP 5), tracker (BEP 15), uTP (BEP 29), local discovery (BEP 14).
pub(super) fn bittorrent_datagram(datagram: &[u8], _direction: Direction) -> Probe {
    if datagram.starts_with(b"d1:") || datagram.starts_with(b"d2:ip") {
        let is_query = has(datagram, b"1:y1:q") && has(datagram, b"1:q");
        let is_answer = has(datagram, b"1:y1:r") || has(datagram, b"1:y1:e");
        if is_query || is_answer || has(datagram, b"2:id20:") {
            return Certain("BitTorrent hash table message");
        }
    }
    if datagram.starts_with(b"BT-SEARCH * HTTP/1.1\r\n") {
        return Certain("BitTorrent local discovery");
    }
    if datagram.len() >= 16 && datagram.starts_with(TRACKER_MAGIC) {
        return Certain("BitTorrent tracker connect");
    }
    if has(datagram.get(..MAX_UTP_HANDSHAKE_BYTES).unwrap_or(datagram), b"\x13BitTorrent protocol") {
        return Certain("BitTorrent handshake in uTP");
    }
    utp(datagram)
}

/// A uTP opening: type SYN, version 1, no acknowledgement and no delay measured yet.
fn utp(datagram: &[u8]) -> Probe {
    let mut reader = Reader::new(datagram);
    let head = reader.array::<2>();
    let (Some(_id), Some(_time), Some(delay), Some(window)) =
        (reader.u16(), reader.u32(), reader.u32(), reader.u32())
    else {
        return No;
    };
    let (sequence, acknowledged) = (reader.u16(), reader.u16());
    match (head, sequence, acknowledged) {
        (Some([0x41, 0 | 2]), Some(1..), Some(0))
            if delay == 0 && window > 0 && matches!(datagram.len(), UTP_BYTES | 30) =>
        {
            Unsure("uTP opening")
        }
        _ => No,
    }
}
