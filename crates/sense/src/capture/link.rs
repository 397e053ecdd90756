//! Frames of a link to the IP packet inside.
//!
//! Ethernet with VLAN tags (IEEE 802.1Q, 802.1ad), MPLS (RFC 3032, RFC 4385) and PPPoE (RFC 2516); Linux cooked
//! captures, version 1 and 2; raw IP; BSD loopback; PPP and Cisco HDLC; 802.11 data frames, with radiotap in front.

use wire::packet::ppp;

/// LINKTYPE values of the tcpdump.org registry.
mod linktype {
    pub const NULL: u32 = 0;
    pub const ETHERNET: u32 = 1;
    pub const PPP: u32 = 9;
    pub const RAW_BSD: u32 = 12;
    pub const RAW_OPENBSD: u32 = 14;
    pub const PPP_SERIAL: u32 = 50;
    pub const PPP_ETHERNET: u32 = 51;
    pub const RAW: u32 = 101;
    pub const C_HDLC: u32 = 104;
    pub const IEEE_802_11: u32 = 105;
    pub const LOOP: u32 = 108;
    pub const LINUX_SLL: u32 = 113;
    pub const RADIOTAP: u32 = 127;
    pub const IPV4: u32 = 228;
    pub const IPV6: u32 = 229;
    pub const LINUX_SLL2: u32 = 276;
}

/// EtherTypes.
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE_SESSION: u16 = 0x8864;
/// IEEE 802.3: smaller values are a length, and LLC follows.
const MIN_ETHERTYPE: u16 = 0x0600;
/// Tags and labels that are passed over, all kinds together.
const MAX_TAGS: usize = 16;

const ETHERNET_ADDRESSES_BYTES: usize = 12;
const PPPOE_BYTES: usize = 6;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer3<'a> {
    /// An IP packet, with whatever padding the link put behind it.
    Ip(&'a [u8]),
    /// Something else, such as ARP, or a frame that ends too early.
    Other,
    /// A link type that is not read here.
    UnknownLink,
}

/// Finds the IP packet in a frame of a LINKTYPE. Costs no allocation.
pub fn layer3(link: u32, frame: &[u8]) -> Layer3<'_> {
    let inside = match link {
        linktype::ETHERNET => ethernet(frame),
        linktype::RAW | linktype::RAW_BSD | linktype::RAW_OPENBSD | linktype::IPV4 | linktype::IPV6 => {
            Some(frame)
        }
        // The family before the packet differs between systems; the packet's version does not.
        linktype::NULL | linktype::LOOP => frame.get(4..),
        linktype::LINUX_SLL => typed(frame, 14, 16),
        linktype::LINUX_SLL2 => typed(frame, 0, 20),
        linktype::PPP | linktype::PPP_SERIAL => hdlc(frame),
        linktype::PPP_ETHERNET => frame.get(PPPOE_BYTES..).and_then(ppp),
        linktype::C_HDLC => typed(frame, 2, 4),
        linktype::IEEE_802_11 => wireless(frame),
        linktype::RADIOTAP => radiotap(frame).and_then(wireless),
        _ => return Layer3::UnknownLink,
    };
    match inside {
        Some(packet @ [first, ..]) if matches!(first >> 4, 4 | 6) => Layer3::Ip(packet),
        _ => Layer3::Other,
    }
}

#[inline]
fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    // What nearly every frame is: no tags, IPv4.
    if let Some((head, packet)) = frame.split_first_chunk::<{ ETHERNET_ADDRESSES_BYTES + 2 }>()
        && head.last_chunk() == Some(&IPV4.to_be_bytes())
    {
        return Some(packet);
    }
    typed(frame, ETHERNET_ADDRESSES_BYTES, ETHERNET_ADDRESSES_BYTES + 2)
}

/// A header with an EtherType at `at`, the payload behind it at `payload`.
fn typed(frame: &[u8], at: usize, payload: usize) -> Option<&[u8]> {
    let mut kind = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
    let mut rest = frame.get(payload..)?;
    for _ in 0..MAX_TAGS {
        if matches!(kind, IPV4 | IPV6) {
            return Some(rest);
        }
        if MPLS.contains(&kind) {
            return mpls(rest);
        }
        if kind == PPPOE_SESSION {
            return rest.get(PPPOE_BYTES..).and_then(ppp);
        }
        if kind < MIN_ETHERTYPE {
            (kind, rest) = llc(rest)?;
            continue;
        }
        if !VLAN.contains(&kind) {
            return None;
        }
        let [_, _, high, low] = *rest.first_chunk()?;
        (kind, rest) = (u16::from_be_bytes([high, low]), rest.get(4..)?);
    }
    None
}

/// IEEE 802.2 with SNAP, RFC 1042: EtherType and payload. Plain LLC with service access point 6 is IP.
fn llc(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match bytes {
        [0xaa, 0xaa, 3, _, _, _, high, low, rest @ ..] => Some((u16::from_be_bytes([*high, *low]), rest)),
        [6, 6, 3, rest @ ..] => Some((IPV4, rest)),
        _ => None,
    }
}

/// Labels of four bytes; the lowest bit of the third marks the last. What follows tells itself by its first bits: IP, or
/// the control word of a pseudowire with Ethernet inside.
fn mpls(mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_TAGS {
        let [_, _, bottom, _, rest @ ..] = bytes else { return None };
        bytes = rest;
        if bottom & 1 == 1 {
            return match bytes.first()? >> 4 {
                4 | 6 => Some(bytes),
                0 => bytes.get(4..).and_then(ethernet),
                _ => None,
            };
        }
    }
    None
}

/// PPP, or Cisco HDLC in the same captures.
fn hdlc(frame: &[u8]) -> Option<&[u8]> {
    match frame {
        [0x0f | 0x8f, 0, ..] => typed(frame, 2, 4),
        _ => ppp(frame),
    }
}

/// The frame behind a radiotap header, whose length is little-endian.
fn radiotap(frame: &[u8]) -> Option<&[u8]> {
    let [_, _, low, high, ..] = frame else { return None };
    frame.get(usize::from(u16::from_le_bytes([*low, *high]))..)
}

/// IEEE 802.11 §9.2: a data frame that is not encrypted, without its addresses.
fn wireless(frame: &[u8]) -> Option<&[u8]> {
    let [control, flags, ..] = frame else { return None };
    let (is_data, has_body, has_quality) = (control & 0x0c == 8, control & 0x40 == 0, control & 0x80 != 0);
    if !is_data || !has_body || flags & 0x40 != 0 {
        return None;
    }
    let fourth_address = if flags & 3 == 3 { 6 } else { 0 };
    let header_bytes = 24 + fourth_address + if has_quality { 2 } else { 0 };
    let (kind, rest) = llc(frame.get(header_bytes..)?)?;
    matches!(kind, IPV4 | IPV6).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: &[u8] = &[0x45, 0, 0, 20];

    fn check(link: u32, header: &[u8], expect: Layer3<'_>) {
        let frame = [header, IP].concat();
        assert_eq!(layer3(link, &frame), expect, "link {link}, header {header:02x?}");
    }

    #[test]
    fn the_packet_is_found_behind_each_kind_of_header() {
        let addresses = [0u8; 12];
        let ethernet = |rest: &[u8]| [&addresses[..], rest].concat();
        let found = Layer3::Ip(IP);
        check(linktype::ETHERNET, &ethernet(&[8, 0]), found);
        check(linktype::ETHERNET, &ethernet(&[0x81, 0, 0, 5, 8, 0]), found);
        check(linktype::ETHERNET, &ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]), found);
        check(linktype::ETHERNET, &ethernet(&[0x88, 0x47, 0, 0, 0, 9, 0, 0, 1, 9]), found);
        let pseudowire = [&[0x88, 0x47, 0, 0, 1, 9, 0, 0, 0, 0][..], &addresses, &[8, 0]].concat();
        check(linktype::ETHERNET, &ethernet(&pseudowire), found);
        check(linktype::ETHERNET, &ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x21]), found);
        check(linktype::ETHERNET, &ethernet(&[0, 28, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), found);
        check(linktype::LINUX_SLL, &[&[0; 14][..], &[8, 0]].concat(), found);
        check(linktype::LINUX_SLL2, &[&[8, 0][..], &[0; 18]].concat(), found);
        check(linktype::RAW, &[], found);
        check(linktype::NULL, &[2, 0, 0, 0], found);
        check(linktype::PPP, &[0xff, 3, 0, 0x21], found);
        check(linktype::C_HDLC, &[0x0f, 0, 8, 0], found);
        let wireless = [&[8, 1][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat();
        check(linktype::IEEE_802_11, &wireless, found);
        check(linktype::RADIOTAP, &[&[0, 0, 8, 0, 0, 0, 0, 0][..], &wireless].concat(), found);
    }

    #[test]
    fn what_holds_no_ip_is_told_apart_from_what_is_not_read() {
        check(linktype::ETHERNET, &[&[0; 12][..], &[8, 6]].concat(), Layer3::Other);
        assert_eq!(layer3(linktype::ETHERNET, &[0; 13]), Layer3::Other);
        assert_eq!(layer3(147, IP), Layer3::UnknownLink);
    }

    #[test]
    fn endless_tags_end() {
        let tags = [0x81, 0, 0, 1].repeat(1000);
        assert_eq!(layer3(linktype::ETHERNET, &[&[0; 12][..], &tags].concat()), Layer3::Other);
    }
}
