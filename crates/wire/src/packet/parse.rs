//! Headers to [`Packet`].

use std::net::{Ipv4Addr, Ipv6Addr};

use super::number::{TCP, UDP};
use super::{Datagram, Error, Fragment, MAX_EXTENSION_HEADERS, Packet, TcpFlags};
use crate::Transport;
use crate::bytes::Reader;

/// IANA protocol numbers.
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
const TCP_READ_BYTES: usize = 14;
const UDP_BYTES: usize = 8;

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
    network(packet)?.transport()
}

/// Reads the IP headers of one layer-3 packet. Costs no allocation.
///
/// # Errors
/// When the headers are cut or malformed.
#[inline]
pub fn network(packet: &[u8]) -> Result<Datagram<'_>, Error> {
    let version = packet.first().ok_or(Error::Truncated { header: "ip" })? >> 4;
    match version {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => Err(Error::Version { version }),
    }
}

impl<'a> Datagram<'a> {
    /// Reads the transport header. The first fragment is read as far as it goes and marked truncated.
    ///
    /// # Errors
    /// When the header is cut or malformed, of a later fragment, or of another transport.
    #[inline]
    pub fn transport(&self) -> Result<Packet<'a>, Error> {
        if let Some(Fragment { offset_bytes: offset_bytes @ 1.., .. }) = self.fragment {
            return Err(Error::LaterFragment { offset_bytes });
        }
        match self.number {
            TCP => tcp(self),
            UDP => udp(self),
            number => Err(Error::Transport { number }),
        }
    }

    /// True if a transport that is read from this payload ends early: cut, or the first of several parts.
    fn is_cut(&self) -> bool {
        self.truncated || self.fragment.is_some_and(|fragment| fragment.more)
    }
}

#[inline]
fn ipv4(packet: &[u8]) -> Result<Datagram<'_>, Error> {
    let cut = || Error::Truncated { header: "ipv4" };
    // Read at once: nearly every packet begins so.
    let head = packet.first_chunk::<IPV4_MIN_BYTES>().ok_or_else(cut)?;
    let &[first, _tos, l0, l1, i0, i1, f0, f1, _ttl, number, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = head;
    let total_bytes = usize::from(u16::from_be_bytes([l0, l1]));
    let id = u32::from(u16::from_be_bytes([i0, i1]));
    let fragment = u16::from_be_bytes([f0, f1]);
    let (src, dst) = (Ipv4Addr::new(s0, s1, s2, s3), Ipv4Addr::new(d0, d1, d2, d3));

    let header_bytes = usize::from(first & 0x0f) * 4;
    if header_bytes < IPV4_MIN_BYTES {
        return Err(Error::HeaderLength { header: "ipv4", len_bytes: header_bytes });
    }
    let (offset_bytes, more) = (usize::from(fragment & 0x1fff) * 8, fragment & MORE_FRAGMENTS_V4 != 0);
    // Segmentation offload leaves the length zero on packets over 64 KiB.
    let total_bytes = if total_bytes == 0 { packet.len() } else { total_bytes };
    if total_bytes < header_bytes {
        return Err(Error::HeaderLength { header: "ipv4", len_bytes: total_bytes });
    }
    let captured = packet.get(..total_bytes).unwrap_or(packet);
    Ok(Datagram {
        src: src.into(),
        dst: dst.into(),
        number,
        payload: captured.get(header_bytes..).ok_or_else(cut)?,
        truncated: packet.len() < total_bytes,
        fragment: (more || offset_bytes > 0).then_some(Fragment { id, offset_bytes, more }),
        len_bytes: total_bytes,
    })
}

/// RFC 791 §3.1, the third bit of the fragment word.
const MORE_FRAGMENTS_V4: u16 = 0x2000;

#[inline(never)]
fn ipv6(packet: &[u8]) -> Result<Datagram<'_>, Error> {
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
    Ok(Datagram {
        src: src.into(),
        dst: dst.into(),
        number: extensions.number,
        payload: captured.get(extensions.end..).ok_or_else(cut)?,
        truncated: packet.len() < total_bytes,
        fragment: extensions.fragment,
        len_bytes: total_bytes,
    })
}

struct Extensions {
    number: u8,
    end: usize,
    fragment: Option<Fragment>,
}

/// Follows the chain of extension headers, RFC 8200 §4.
fn skip_extensions(mut reader: Reader<'_>, first: u8) -> Result<Extensions, Error> {
    let cut = || Error::Truncated { header: "ipv6 extension" };
    let mut number = first;
    let mut fragment = None;
    for _ in 0..=MAX_EXTENSION_HEADERS {
        // Each arm says how many bytes of the header follow its first two.
        let rest_bytes = match number {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | FRAGMENT | AUTHENTICATION => {
                let [next, length] = reader.array().ok_or_else(cut)?;
                let current = std::mem::replace(&mut number, next);
                match current {
                    FRAGMENT => {
                        let word = reader.u16().ok_or_else(cut)?;
                        let id = reader.u32().ok_or_else(cut)?;
                        let part =
                            Fragment { id, offset_bytes: usize::from(word & 0xfff8), more: word & 1 == 1 };
                        fragment = Some(part);
                        // What follows a later part's header is the middle of something.
                        if part.offset_bytes > 0 {
                            return Ok(Extensions { number, end: reader.position(), fragment });
                        }
                        0
                    }
                    // RFC 4302 §2.2: in words of four bytes, minus two.
                    AUTHENTICATION => usize::from(length) * 4 + 6,
                    _ => usize::from(length) * 8 + 6,
                }
            }
            _ => return Ok(Extensions { number, end: reader.position(), fragment }),
        };
        reader.take(rest_bytes).ok_or_else(cut)?;
    }
    Err(Error::ExtensionHeaders)
}

#[inline]
fn tcp<'a>(carried: &Datagram<'a>) -> Result<Packet<'a>, Error> {
    let cut = || Error::Truncated { header: "tcp" };
    // The checksum and what follows may be cut: ports, place and flags are enough.
    let head = carried.payload.first_chunk::<TCP_READ_BYTES>().ok_or_else(cut)?;
    let &[s0, s1, d0, d1, q0, q1, q2, q3, _, _, _, _, offset, flags] = head;
    let (sport, dport) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let sequence = u32::from_be_bytes([q0, q1, q2, q3]);
    let header_bytes = usize::from(offset >> 4) * 4;
    if header_bytes < TCP_MIN_BYTES {
        return Err(Error::HeaderLength { header: "tcp", len_bytes: header_bytes });
    }
    Ok(Packet {
        src: carried.src,
        dst: carried.dst,
        sport,
        dport,
        transport: Transport::Tcp,
        tcp_flags: TcpFlags(flags),
        sequence,
        payload: carried.payload.get(header_bytes..).ok_or_else(cut)?,
        truncated: carried.is_cut(),
    })
}

#[inline]
fn udp<'a>(carried: &Datagram<'a>) -> Result<Packet<'a>, Error> {
    let cut = || Error::Truncated { header: "udp" };
    let mut reader = Reader::new(carried.payload);
    let sport = reader.u16().ok_or_else(cut)?;
    let dport = reader.u16().ok_or_else(cut)?;
    let len_bytes = usize::from(reader.u16().ok_or_else(cut)?);
    let _checksum = reader.u16().ok_or_else(cut)?;
    // Zero is a jumbogram or segmentation offload, as in IPv6.
    if len_bytes != 0 && len_bytes < UDP_BYTES {
        return Err(Error::HeaderLength { header: "udp", len_bytes });
    }
    let wanted = if len_bytes == 0 { reader.remaining() } else { len_bytes - UDP_BYTES };
    let captured = carried.payload.get(UDP_BYTES..).ok_or_else(cut)?;
    Ok(Packet {
        src: carried.src,
        dst: carried.dst,
        sport,
        dport,
        transport: Transport::Udp,
        tcp_flags: TcpFlags::default(),
        sequence: 0,
        payload: captured.get(..wanted).unwrap_or(captured),
        truncated: carried.is_cut() || captured.len() < wanted,
    })
}
