//! Strings in HPACK's Huffman code, RFC 7541 §5.2 and appendix B.
//!
//! The code is canonical: symbols of one length have consecutive codes in the order of their values, and a longer code
//! goes on where the shorter ones ended. Its lengths therefore are all of the table.

use std::sync::OnceLock;

use super::Error;

/// Bits of each byte's code, and of the end of the string, which no string may hold.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];
const LONGEST_BITS: u8 = 30;
/// Fewer bits than a byte may be left at the end, all of them ones.
const PADDING_BITS: u32 = 7;

/// The codes of one length.
#[derive(Clone, Copy, Default)]
struct Row {
    first: u32,
    count: u32,
    /// Place of its first symbol among all.
    offset: usize,
}

struct Code {
    /// By length, from one bit on.
    rows: Vec<Row>,
    /// By length, then by value.
    symbols: Vec<usize>,
}

fn code() -> &'static Code {
    static CODE: OnceLock<Code> = OnceLock::new();
    CODE.get_or_init(|| {
        let of =
            |bits: u8| LENGTHS.iter().enumerate().filter(move |(_, own)| **own == bits).map(|(at, _)| at);
        let symbols = (1..=LONGEST_BITS).flat_map(of).collect();
        let (mut first, mut offset) = (0, 0);
        let row = |bits| {
            let count = of(bits).count();
            let row = Row { first, count: u32::try_from(count).unwrap_or_default(), offset };
            (first, offset) = ((first + row.count) << 1, offset + count);
            row
        };
        Code { rows: (1..=LONGEST_BITS).map(row).collect(), symbols }
    })
}

/// The bytes of a string. At most 8/5 of its length, since no code has fewer than five bits.
pub(super) fn decode(coded: &[u8]) -> Result<Vec<u8>, Error> {
    let code = code();
    let mut out = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut bits, mut rows) = (0_u32, code.rows.iter());
    let mut pending = 0_u32;
    for byte in coded {
        for shift in (0..8).rev() {
            bits = bits << 1 | u32::from(byte >> shift & 1);
            pending += 1;
            let row = rows.next().ok_or(Error::Huffman)?;
            let at = bits.wrapping_sub(row.first);
            if at >= row.count {
                continue;
            }
            let symbol = usize::try_from(at).ok().and_then(|at| code.symbols.get(row.offset + at));
            // The end of the string has no byte.
            out.push(symbol.and_then(|symbol| u8::try_from(*symbol).ok()).ok_or(Error::Huffman)?);
            (bits, pending, rows) = (0, 0, code.rows.iter());
        }
    }
    let is_padding = pending <= PADDING_BITS && bits == (1 << pending) - 1;
    if is_padding { Ok(out) } else { Err(Error::Huffman) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_complete() {
        let sum: u64 = LENGTHS.iter().map(|bits| 1_u64 << (LONGEST_BITS - bits)).sum();
        assert_eq!(sum, 1 << LONGEST_BITS);
        let rows: Vec<(u32, u32)> = code().rows.iter().map(|row| (row.first, row.count)).collect();
        // RFC 7541 appendix B: `0`, a space, a colon, a NUL and the end.
        assert_eq!((rows[4], rows[5].0, rows[6].0), ((0, 10), 0x14, 0x5c));
        assert_eq!((rows[12].0, rows[29]), (0x1ff8, (0x3fff_fffc, 4)));
    }

    #[test]
    fn padding_is_ones_and_less_than_a_byte() {
        assert_eq!(decode(&[0x1f]), Ok(b"a".to_vec()));
        for wrong in [&[0x1e][..], &[0x1f, 0xff], &[0xff; 4], &[0xff]] {
            assert_eq!(decode(wrong), Err(Error::Huffman), "{wrong:x?}");
        }
    }
}
