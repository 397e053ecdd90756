//! Headers to [`Packet`].

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Error, MAX_EXTENSION_HEADERS, Packet, TcpFlags};
use crate::Transport;
use crate::bytes::Reader;

/// IANA protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;

/// RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1 and RFC 768: the fixed parts.
const IPV4_MIN_BYTES: usize = 20;
const IPV6_BYTES: usize = 40;
const TCP_MIN_BYTES: usize = 20;
const UDP_BYTES: usize = 8;

/// What the network layer hands to the transport.
struct Carried<'a> {
    addresses: (std::net::IpAddr, std::net::IpAddr),
    number: u8,
    bytes: &'a [u8],
    truncated: bool,
}

/// Reads one layer-3 packet. Costs no allocation.
///
/// ```
/// let packet = [
///     0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     0x30, 0x39, 0, 53, 0, 10, 0, 0, b'h', b'i', // UDP
/// ];
/// let packet = wire::packet::parse(&packet)?;
/// assert_eq!((packet.dport, packet.payload), (53, &b"hi"[..]));
/// # Ok::<(), wire::packet::Error>(())
/// ```
///
/// # Errors
/// When the headers are cut, malformed, of a later fragment, or of another transport.
pub fn parse(packet: &[u8]) -> Result<Packet<'_>, Error> {
    let version = packet.first().ok_or(Error::Truncated { header: "ip" })? >> 4;
    let carried = match version {
        4 => ipv4(packet)?,
        6 => ipv6(packet)?,
        _ => return Err(Error::Version { version }),
    };
    match carried.number {
        TCP => tcp(&carried),
        UDP => udp(&carried),
        number => Err(Error::Transport { number }),
    }
}

fn ipv4(packet: &[u8]) -> Result<Carried<'_>, Error> {
    let cut = || Error::Truncated { header: "ipv4" };
    let mut reader = Reader::new(packet);
    let [first, _tos] = reader.array().ok_or_else(cut)?;
    let total_bytes = usize::from(reader.u16().ok_or_else(cut)?);
    let _identification = reader.u16().ok_or_else(cut)?;
    let fragment = reader.u16().ok_or_else(cut)?;
    let [_ttl, number] = reader.array().ok_or_else(cut)?;
    let _checksum = reader.u16().ok_or_else(cut)?;
    let src = Ipv4Addr::from(reader.u32().ok_or_else(cut)?);
    let dst = Ipv4Addr::from(reader.u32().ok_or_else(cut)?);

    let header_bytes = usize::from(first & 0x0f) * 4;
    if header_bytes < IPV4_MIN_BYTES {
        return Err(Error::HeaderLength { header: "ipv4", len_bytes: header_bytes });
    }
    let offset_bytes = usize::from(fragment & 0x1fff) * 8;
    if offset_bytes > 0 {
        return Err(Error::LaterFragment { offset_bytes });
    }
    // Segmentation offload leaves the length zero on packets over 64 KiB.
    let total_bytes = if total_bytes == 0 { packet.len() } else { total_bytes };
    if total_bytes < header_bytes {
        return Err(Error::HeaderLength { header: "ipv4", len_bytes: total_bytes });
    }
    let captured = packet.get(..total_bytes).unwrap_or(packet);
    Ok(Carried {
        addresses: (src.into(), dst.into()),
        number,
        bytes: captured.get(header_bytes..).ok_or_else(cut)?,
        truncated: packet.len() < total_bytes || fragment & MORE_FRAGMENTS_V4 != 0,
    })
}

/// RFC 791 §3.1, the third bit of the fragment word.
const MORE_FRAGMENTS_V4: u16 = 0x2000;

fn ipv6(packet: &[u8]) -> Result<Carried<'_>, Error> {
    let cut = || Error::Truncated { header: "ipv6" };
    let mut reader = Reader::new(packet);
    let _version_class_label = reader.u32().ok_or_else(cut)?;
    let payload_bytes = usize::from(reader.u16().ok_or_else(cut)?);
    let [number, _hops] = reader.array().ok_or_else(cut)?;
    let src = Ipv6Addr::from(reader.array::<16>().ok_or_else(cut)?);
    let dst = Ipv6Addr::from(reader.array::<16>().ok_or_else(cut)?);

    // Zero is a jumbogram (RFC 2675) or segmentation offload: the capture is all that is known.
    let total_bytes = if payload_bytes == 0 { packet.len() } else { IPV6_BYTES + payload_bytes };
    let captured = packet.get(..total_bytes).unwrap_or(packet);
    let extensions = skip_extensions(Reader::at(captured, IPV6_BYTES), number)?;
    Ok(Carried {
        addresses: (src.into(), dst.into()),
        number: extensions.number,
        bytes: captured.get(extensions.end..).ok_or_else(cut)?,
        truncated: packet.len() < total_bytes || extensions.more_fragments,
    })
}

struct Extensions {
    number: u8,
    end: usize,
    more_fragments: bool,
}

/// Follows the chain of extension headers, RFC 8200 §4.
fn skip_extensions(mut reader: Reader<'_>, first: u8) -> Result<Extensions, Error> {
    let cut = || Error::Truncated { header: "ipv6 extension" };
    let mut number = first;
    let mut more_fragments = false;
    for _ in 0..=MAX_EXTENSION_HEADERS {
        // Each arm says how many bytes of the header follow its first two.
        let rest_bytes = match number {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | FRAGMENT | AUTHENTICATION => {
                let [next, length] = reader.array().ok_or_else(cut)?;
                let current = std::mem::replace(&mut number, next);
                match current {
                    FRAGMENT => {
                        let word = reader.u16().ok_or_else(cut)?;
                        let offset_bytes = usize::from(word & 0xfff8);
                        if offset_bytes > 0 {
                            return Err(Error::LaterFragment { offset_bytes });
                        }
                        more_fragments |= word & 1 == 1;
                        4
                    }
                    // RFC 4302 §2.2: in words of four bytes, minus two.
                    AUTHENTICATION => usize::from(length) * 4 + 6,
                    _ => usize::from(length) * 8 + 6,
                }
            }
            _ => return Ok(Extensions { number, end: reader.position(), more_fragments }),
        };
        reader.take(rest_bytes).ok_or_else(cut)?;
    }
    Err(Error::ExtensionHeaders)
}

fn tcp<'a>(carried: &Carried<'a>) -> Result<Packet<'a>, Error> {
    let cut = || Error::Truncated { header: "tcp" };
    let mut reader = Reader::new(carried.bytes);
    let sport = reader.u16().ok_or_else(cut)?;
    let dport = reader.u16().ok_or_else(cut)?;
    let _sequence = reader.u32().ok_or_else(cut)?;
    let _acknowledgement = reader.u32().ok_or_else(cut)?;
    let [offset, flags] = reader.array().ok_or_else(cut)?;
    let header_bytes = usize::from(offset >> 4) * 4;
    if header_bytes < TCP_MIN_BYTES {
        return Err(Error::HeaderLength { header: "tcp", len_bytes: header_bytes });
    }
    Ok(Packet {
        src: carried.addresses.0,
        dst: carried.addresses.1,
        sport,
        dport,
        transport: Transport::Tcp,
        tcp_flags: TcpFlags(flags),
        payload: carried.bytes.get(header_bytes..).ok_or_else(cut)?,
        truncated: carried.truncated,
    })
}

fn udp<'a>(carried: &Carried<'a>) -> Result<Packet<'a>, Error> {
    let cut = || Error::Truncated { header: "udp" };
    let mut reader = Reader::new(carried.bytes);
    let sport = reader.u16().ok_or_else(cut)?;
    let dport = reader.u16().ok_or_else(cut)?;
    let len_bytes = usize::from(reader.u16().ok_or_else(cut)?);
    let _checksum = reader.u16().ok_or_else(cut)?;
    // Zero is a jumbogram or segmentation offload, as in IPv6.
    if len_bytes != 0 && len_bytes < UDP_BYTES {
        return Err(Error::HeaderLength { header: "udp", len_bytes });
    }
    let wanted = if len_bytes == 0 { reader.remaining() } else { len_bytes - UDP_BYTES };
    let captured = carried.bytes.get(UDP_BYTES..).ok_or_else(cut)?;
    Ok(Packet {
        src: carried.addresses.0,
        dst: carried.addresses.1,
        sport,
        dport,
        transport: Transport::Udp,
        tcp_flags: TcpFlags::default(),
        payload: captured.get(..wanted).unwrap_or(captured),
        truncated: carried.truncated || captured.len() < wanted,
    })
}
