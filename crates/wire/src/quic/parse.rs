//! Long headers and frames.

use crate::bytes::Reader;

/// RFC 9369 §3.1.
pub(super) const V2: u32 = 0x6b33_43cf;
/// RFC 9000 §17.2: longest connection id of the versions that are known.
const MAX_CONNECTION_ID_BYTES: u8 = 20;

/// An Initial packet, still protected.
pub(super) struct Initial<'a> {
    pub(super) version: u32,
    pub(super) destination: &'a [u8],
    /// From the first byte of the header to the end of the tag.
    pub(super) bytes: &'a [u8],
    /// Where the packet number begins.
    pub(super) number_at: usize,
}

/// The packet at the start of `datagram`, if it is an Initial, and what follows it; `None` where no packet with a length
/// begins.
pub(super) fn initial(datagram: &[u8]) -> Option<(Option<Initial<'_>>, &[u8])> {
    let mut reader = Reader::new(datagram);
    let first = reader.u8()?;
    let version = reader.u32()?;
    // Long header and fixed bit; version 0 negotiates and has no length.
    if first & 0xc0 != 0xc0 || version == 0 {
        return None;
    }
    let destination = connection_id(&mut reader)?;
    connection_id(&mut reader)?;
    // RFC 9000 §17.2 and RFC 9369 §3.2: the kinds are Initial, 0-RTT, Handshake, Retry; version 2 turns them by one.
    let kind = first >> 4 & 3;
    let kind = if version == V2 { kind.wrapping_sub(1) & 3 } else { kind };
    match kind {
        0 => {
            let token = variable(&mut reader)?;
            reader.take(token)?;
        }
        3 => return None, // A Retry has no length and ends the datagram.
        _ => {}
    }
    let protected = variable(&mut reader)?;
    let number_at = reader.position();
    let end = number_at.checked_add(protected)?;
    let (bytes, after) = datagram.split_at_checked(end)?;
    let packet = (kind == 0).then_some(Initial { version, destination, bytes, number_at });
    Some((packet, after))
}

fn connection_id<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let id_bytes = reader.u8().filter(|bytes| *bytes <= MAX_CONNECTION_ID_BYTES)?;
    reader.take(usize::from(id_bytes))
}

/// A number of one, two, four or eight bytes, RFC 9000 §16; `None` if it does not fit the machine.
fn variable(reader: &mut Reader<'_>) -> Option<usize> {
    let first = reader.u8()?;
    let mut value = u64::from(first & 0x3f);
    for _ in 1..1u8 << (first >> 6) {
        value = value << 8 | u64::from(reader.u8()?);
    }
    usize::try_from(value).ok()
}

/// The CRYPTO frames, RFC 9000 §19.6, up to the first frame that an Initial must not hold (§12.5).
pub(super) fn crypto_frames(frames: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const PADDING: u8 = 0;
    const PING: u8 = 1;
    const ACK: u8 = 2;
    const ACK_WITH_COUNTS: u8 = 3;
    const CRYPTO: u8 = 6;
    let mut reader = Reader::new(frames);
    std::iter::from_fn(move || {
        loop {
            match reader.u8()? {
                PADDING | PING => {}
                kind @ (ACK | ACK_WITH_COUNTS) => skip_acknowledgement(&mut reader, kind == ACK_WITH_COUNTS)?,
                CRYPTO => {
                    let offset = variable(&mut reader)?;
                    let length = variable(&mut reader)?;
                    return Some((offset, reader.take(length)?));
                }
                _ => return None,
            }
        }
    })
}

/// RFC 9000 §19.3: largest, delay, count of ranges, first range, ranges of two numbers, three counts.
fn skip_acknowledgement(reader: &mut Reader<'_>, has_counts: bool) -> Option<()> {
    variable(reader)?;
    variable(reader)?;
    let ranges = variable(reader)?;
    variable(reader)?;
    // Each number takes a byte at least, so a false count ends with the bytes.
    for _ in 0..ranges {
        variable(reader)?;
        variable(reader)?;
    }
    if has_counts {
        for _ in 0..3 {
            variable(reader)?;
        }
    }
    Some(())
}
