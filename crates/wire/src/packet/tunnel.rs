//! Packets inside packets: IP in IP (RFC 2003), IPv6 in IPv4 (RFC 4213) and back (RFC 2473), GRE (RFC 2784
//! with the key and sequence number of RFC 2890, and version 1 of RFC 2637 with PPP inside, and ERSPAN types I to III of
//! draft-foschiano-erspan-03); over UDP the overlays of container networks and of mobile ones: VXLAN (RFC 7348), Geneve
//! (RFC 8926), VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe), GRE (RFC 8086), Teredo (RFC 4380) and GTP-U (3GPP TS 29.281 §5.1).

use super::number::UDP;
use super::{Datagram, network};
use crate::bytes::Reader;

/// IANA protocol numbers.
const IPV4_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;

/// EtherTypes that GRE names its payload by.
const ETHER_IPV4: u16 = 0x0800;
const ETHER_IPV6: u16 = 0x86dd;
const ETHER_TEB: u16 = 0x6558;
const ETHER_PPP: u16 = 0x880b;
const ETHER_ERSPAN: u16 = 0x88be;
const ETHER_ERSPAN_III: u16 = 0x22eb;
/// draft-foschiano-erspan-03 §4.2 and §4.3: type II has eight bytes of header, type III twelve and, with a flag, eight more.
const ERSPAN_II_BYTES: usize = 8;
const ERSPAN_III_BYTES: usize = 12;
const ERSPAN_SUBHEADER_BYTES: usize = 8;
/// RFC 7348 §5 and IEEE 802.3: the two addresses of the Ethernet frame inside, before its type.
const ETHERNET_ADDRESSES_BYTES: usize = 12;

/// RFC 2784 §2.1, RFC 2890 §2, RFC 2637 §4.1: which optional fields follow.
const CHECKSUM_PRESENT: u16 = 0x8000;
const ROUTING_PRESENT: u16 = 0x4000;
const KEY_PRESENT: u16 = 0x2000;
const SEQUENCE_PRESENT: u16 = 0x1000;
const ACKNOWLEDGEMENT_PRESENT: u16 = 0x0080;
const VERSION_MASK: u16 = 0x0007;

impl<'a> Datagram<'a> {
    /// The layer-3 packet that this one carries, if it is a tunnel's. `None` for a fragment, for what is no
    /// tunnel, and for a tunnel of something else than IP. Look again into the result, a bounded number of times.
    #[inline]
    pub fn tunnelled(&self) -> Option<&'a [u8]> {
        if self.fragment.is_some() {
            return None;
        }
        match self.number {
            IPV4_IN_IP | IPV6_IN_IP => Some(self.payload),
            GRE => gre(self.payload),
            // Any UDP may look like this, so what is inside must be a whole IP packet.
            UDP => over_udp(self.payload).filter(|inner| {
                network(inner).is_ok_and(|datagram| !datagram.truncated && datagram.len_bytes > 0)
            }),
            _ => None,
        }
    }
}

/// IANA ports, and the one that Linux used for VXLAN before it had a number.
const VXLAN: [u16; 2] = [4789, 8472];
const GTP_U: u16 = 2152;
const GENEVE: u16 = 6081;
const GRE_IN_UDP: u16 = 4754;
const VXLAN_GPE: u16 = 4790;
const TEREDO: u16 = 3544;

fn over_udp(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    let [source, port, _length, _checksum] = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    let payload = bytes.get(reader.position()..)?;
    if source == TEREDO || port == TEREDO {
        return teredo(payload);
    }
    match (port, payload) {
        // Flags with a network id, reserved bytes, the id, an Ethernet frame.
        (port, [8, 0, 0, 0, _, _, _, 0, frame @ ..]) if VXLAN.contains(&port) => ethernet(frame),
        // Version 0 with the options' length in words, flags, what is carried, the network's id, options.
        (GENEVE, [words @ 0..=0x3f, _, kind_high, kind_low, _, _, _, 0, rest @ ..]) => {
            let inner = rest.get(usize::from(*words) * 4..)?;
            match u16::from_be_bytes([*kind_high, *kind_low]) {
                ETHER_TEB => ethernet(inner),
                ETHER_IPV4 | ETHER_IPV6 => Some(inner),
                _ => None,
            }
        }
        (GRE_IN_UDP, packet) => gre(packet),
        // Flags with a network id and a next protocol; version 0.
        (VXLAN_GPE, [0x0c | 0x0d, 0, 0, next, _, _, _, _, inner @ ..]) => match next {
            1 | 2 => Some(inner),
            3 => ethernet(inner),
            _ => None,
        },
        // Version 1, a carried packet, its length and tunnel; then optional fields all at once.
        (GTP_U, [first @ 0x30..=0x37, 0xff, _, _, _, _, _, _, rest @ ..]) => match first & 7 {
            0 => Some(rest),
            flags => match rest {
                // The last of the optional bytes names an extension header, if its flag is set.
                [_, _, _, next, inner @ ..] if flags & 4 == 0 || *next == 0 => Some(inner),
                [_, _, _, _, 1, _, _, 0, inner @ ..] => Some(inner),
                _ => None,
            },
        },
        _ => None,
    }
}

/// RFC 4380 §5.1.1: authentication and origin may stand in front of the IPv6 packet.
fn teredo(payload: &[u8]) -> Option<&[u8]> {
    /// Behind identifier and authentication: nonce and confirmation.
    const NONCE_BYTES: usize = 8 + 1;
    let payload = match payload {
        [0, 1, id_bytes, value_bytes, rest @ ..] => {
            rest.get(usize::from(*id_bytes) + usize::from(*value_bytes) + NONCE_BYTES..)?
        }
        _ => payload,
    };
    let payload = match payload {
        [0, 0, _, _, _, _, _, _, rest @ ..] => rest,
        _ => payload,
    };
    (payload.first()? >> 4 == 6).then_some(payload)
}

fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    match frame.get(ETHERNET_ADDRESSES_BYTES..)? {
        [0x08, 0x00, inner @ ..] | [0x86, 0xdd, inner @ ..] => Some(inner),
        // IEEE 802.1Q: a tag of four bytes.
        [0x81, 0x00, _, _, 0x08, 0x00, inner @ ..] | [0x81, 0x00, _, _, 0x86, 0xdd, inner @ ..] => {
            Some(inner)
        }
        _ => None,
    }
}

fn gre(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    let flags = reader.u16()?;
    let carried = reader.u16()?;
    if flags & ROUTING_PRESENT != 0 {
        return None;
    }
    let acknowledged = flags & VERSION_MASK == 1 && flags & ACKNOWLEDGEMENT_PRESENT != 0;
    let optional = [CHECKSUM_PRESENT, KEY_PRESENT, SEQUENCE_PRESENT];
    let words = optional.iter().filter(|flag| flags & **flag != 0).count() + usize::from(acknowledged);
    reader.take(words * 4)?;
    let rest = bytes.get(reader.position()..)?;
    match carried {
        ETHER_IPV4 | ETHER_IPV6 => Some(rest),
        ETHER_TEB => ethernet(rest),
        ETHER_PPP => ppp(rest),
        // Type I has no header, and no sequence number by which type II is known.
        ETHER_ERSPAN if flags & SEQUENCE_PRESENT == 0 => ethernet(rest),
        ETHER_ERSPAN => ethernet(rest.get(ERSPAN_II_BYTES..)?),
        ETHER_ERSPAN_III => {
            let has_subheader = rest.get(ERSPAN_III_BYTES - 1)? & 1 == 1;
            let header_bytes = ERSPAN_III_BYTES + if has_subheader { ERSPAN_SUBHEADER_BYTES } else { 0 };
            ethernet(rest.get(header_bytes..)?)
        }
        _ => None,
    }
}

/// The IP packet in a PPP frame, RFC 1661 §2 and RFC 1662 §3.2: address and control may be left out, and so may the
/// first byte of the protocol.
pub fn ppp(frame: &[u8]) -> Option<&[u8]> {
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    match frame {
        [0x00, 0x21 | 0x57, inner @ ..] | [0x21 | 0x57, inner @ ..] => Some(inner),
        _ => None,
    }
}
