//! The echo of ICMP: RFC 792 and RFC 4443 §4.
//!
//! In: the payload of an IP packet of ICMP. Out: the [`Echo`] with its data, and whether that looks like what programs named
//! ping send. Left out on purpose: every other message, and checksums.

/// Bytes at the front of the data that may be a time stamp: two words of eight bytes in Linux, less elsewhere.
const MAX_STAMP_BYTES: usize = 16;
/// The last letter of Windows' alphabet, after which it begins again.
const LAST_LETTER: u8 = b'w';

/// A request or a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// False for a request.
    pub is_reply: bool,
    /// Names the program that asks.
    pub id: u16,
    /// Counts its requests.
    pub sequence: u16,
    /// What the other side must give back as it is.
    pub data: &'a [u8],
}

/// Reads an echo; `None` for another message, or one that is cut before its data.
///
/// ```
/// let echo = wire::icmp::echo(&[8, 0, 0, 0, 0, 1, 0, 2, b'h', b'i'], false).ok_or("no echo")?;
/// assert_eq!((echo.is_reply, echo.id, echo.sequence, echo.data), (false, 1, 2, &b"hi"[..]));
/// # Ok::<(), &str>(())
/// ```
pub fn echo(message: &[u8], is_v6: bool) -> Option<Echo<'_>> {
    let [kind, 0, _, _, id_high, id_low, high, low, data @ ..] = message else { return None };
    let is_reply = match (is_v6, kind) {
        (false, 8) | (true, 128) => false,
        (false, 0) | (true, 129) => true,
        _ => return None,
    };
    let (id, sequence) = (u16::from_be_bytes([*id_high, *id_low]), u16::from_be_bytes([*high, *low]));
    Some(Echo { is_reply, id, sequence, data })
}

impl Echo<'_> {
    /// True if the data is what ping sends: a time stamp and then one byte again and again, or bytes that count up.
    pub fn is_usual(&self) -> bool {
        let pattern = self.data.get(MAX_STAMP_BYTES..).unwrap_or_default();
        let pairs = || pattern.iter().zip(pattern.iter().skip(1));
        let counts = |(a, b): (&u8, &u8)| *b == a.wrapping_add(1) || (*a, *b) == (LAST_LETTER, b'a');
        pairs().all(|(a, b)| a == b) || pairs().all(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(data: &[u8]) -> Vec<u8> {
        [&[8, 0, 0, 0, 0, 1, 0, 2], data].concat()
    }

    #[test]
    fn what_ping_sends_is_usual_and_other_data_is_not() {
        let counted: Vec<u8> = (8..64).collect();
        let stamped = [&[0x5f; 16][..], &(16..56).collect::<Vec<u8>>()].concat();
        let is_usual = |data: &[u8]| echo(&request(data), false).expect("an echo").is_usual();
        for data in [&b""[..], b"12345678", &counted, &stamped, &[0; 56], b"abcdefghijklmnopqrstuvwabcdefghi"]
        {
            assert!(is_usual(data), "{data:?}");
        }
        assert!(!is_usual(b"SSH-2.0-OpenSSH_9.2 through a tunnel"));
    }

    #[test]
    fn other_messages_and_cut_ones_are_no_echo() {
        let whole = request(b"x");
        for end in 0..8 {
            assert_eq!(echo(&whole[..end], false), None);
        }
        assert_eq!(echo(&[3, 1, 0, 0, 0, 0, 0, 0, 0x45], false), None);
        assert_eq!(echo(&whole, true), None);
        assert!(echo(&[129, 0, 0, 0, 0, 1, 0, 2], true).is_some_and(|echo| echo.is_reply));
    }
}
