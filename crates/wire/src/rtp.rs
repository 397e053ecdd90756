//! The fixed header of RTP, RFC 3550 §5.1.
//!
//! In: one datagram. Out: its [`Header`]. A header alone proves little, since it has two bits of mark: the caller
//! asks whether the next packet [`follows`](Header::follows).
//!
//! Left out on purpose: RTCP, payload formats, and decryption (SRTP, RFC 3711, leaves the header plain).

use crate::bytes::Reader;

/// RFC 3550 §5.1: without contributing sources.
const FIXED_BYTES: usize = 12;
/// RFC 5761 §4: with the marker bit these second bytes are RTCP's packet types, so these payload types are not used.
const RTCP_CLASH: std::ops::RangeInclusive<u8> = 64..=95;
/// RFC 3551 §6 marks these as unassigned or reserved.
const UNASSIGNED: std::ops::RangeInclusive<u8> = 35..=63;
/// RFC 3550 §A.1 allows 3,000; within a capture's first packets the loss is small.
const MAX_SKIPPED: u16 = 16;

/// Whose packet it is and where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Names the source.
    pub source: u32,
}

/// Reads the header; `None` if the datagram cannot be RTP.
///
/// ```
/// let header = wire::rtp::header(&[0x80, 0, 0, 7, 0, 0, 0, 160, 1, 2, 3, 4, 0xff]).ok_or("no header")?;
/// assert_eq!((header.payload_type, header.sequence, header.source), (0, 7, 0x0102_0304));
/// # Ok::<(), &str>(())
/// ```
pub fn header(datagram: &[u8]) -> Option<Header> {
    let mut reader = Reader::new(datagram);
    let [first, second] = reader.array()?;
    let payload_type = second & 0x7f;
    let sources_bytes = usize::from(first & 0x0f) * 4;
    if first >> 6 != 2 || RTCP_CLASH.contains(&payload_type) || UNASSIGNED.contains(&payload_type) {
        return None;
    }
    let header =
        Header { payload_type, sequence: reader.u16()?, timestamp: reader.u32()?, source: reader.u32()? };
    // A source of zero is allowed by chance of 2^-32, and common in what only looks like RTP.
    (datagram.len() > FIXED_BYTES + sources_bytes && header.source != 0).then_some(header)
}

impl Header {
    /// True if this is a later packet of the same source.
    pub fn follows(&self, last: &Self) -> bool {
        let steps = self.sequence.wrapping_sub(last.sequence);
        self.source == last.source && (1..=MAX_SKIPPED).contains(&steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_packet_of_a_source_follows_and_another_source_does_not() {
        let packet = |sequence: u8, source: u8| [0x80, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, source, 1];
        let first = header(&packet(1, 9)).expect("rtp");
        assert!(header(&packet(2, 9)).expect("rtp").follows(&first));
        assert!(!header(&packet(2, 8)).expect("rtp").follows(&first));
        assert!(!header(&packet(1, 9)).expect("rtp").follows(&first));
        assert!(!header(&packet(200, 9)).expect("rtp").follows(&first));
    }

    #[test]
    fn rtcp_and_cut_headers_are_refused() {
        assert_eq!(header(&[0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 9, 1]), None);
        assert_eq!(header(&[0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0]), None);
        assert_eq!(header(b"GET / HTTP/1.1\r\n"), None);
    }
}
