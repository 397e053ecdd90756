//! Case folding: which characters are the same letter.
//!
//! In: text. Out: text whose letters are folded one to one, as Unicode's simple case folding does
//! (CaseFolding.txt, status C and S), made from the standard library's mappings: a character becomes the lower case
//! of its upper case where both are one character. Left out on purpose: foldings that change the length (`ß` is not
//! `ss`) and the Turkish ones (`ı` is not `i`).

/// Folds one character.
pub(crate) fn fold(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    // U+0131 has the upper case `I`, but no folding outside Turkish.
    if letter == '\u{131}' {
        return letter;
    }
    let upper = only(letter.to_uppercase()).unwrap_or(letter);
    only(upper.to_lowercase()).unwrap_or(upper)
}

/// Folds a text.
pub(crate) fn fold_text(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// Whether `text`, which is ASCII or folded, is `folded` once it is folded. Costs a few instructions for eight bytes.
#[inline]
pub(crate) fn is_folded(text: &[u8], folded: &[u8]) -> bool {
    if text.len() != folded.len() {
        return false;
    }
    if let (Some(end), Some(folded_end)) = (text.last_chunk::<8>(), folded.last_chunk::<8>()) {
        let same = |text: &[u8; 8], folded: &[u8; 8]| {
            lower(u64::from_le_bytes(*text)) == u64::from_le_bytes(*folded)
        };
        let (chunks, _) = text.as_chunks::<8>();
        let (folded_chunks, _) = folded.as_chunks::<8>();
        return same(end, folded_end) && chunks.iter().zip(folded_chunks).all(|(text, own)| same(text, own));
    }
    if let (Some(start), Some(end), Some(folded_start), Some(folded_end)) =
        (text.first_chunk::<4>(), text.last_chunk::<4>(), folded.first_chunk::<4>(), folded.last_chunk::<4>())
    {
        let both = |start: &[u8; 4], end: &[u8; 4]| {
            u64::from(u32::from_le_bytes(*start)) << 32 | u64::from(u32::from_le_bytes(*end))
        };
        return lower(both(start, end)) == both(folded_start, folded_end);
    }
    text.iter().zip(folded).all(|(text, folded)| text.to_ascii_lowercase() == *folded)
}

/// Puts the upper-case letters of ASCII in lower case; whether all bytes are ASCII.
#[inline]
pub(crate) fn to_lower(bytes: &mut [u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut all = 0;
    let mut fold = |bytes: &mut [u8; 8]| {
        let word = u64::from_le_bytes(*bytes);
        all |= word;
        *bytes = lower(word).to_le_bytes();
    };
    bytes.as_chunks_mut::<8>().0.iter_mut().for_each(&mut fold);
    // The rest, with some of what is folded already.
    if let Some(last) = bytes.last_chunk_mut::<8>() {
        fold(last);
        return all & HIGH == 0;
    }
    for byte in bytes {
        all |= u64::from(*byte);
        *byte = byte.to_ascii_lowercase();
    }
    all & HIGH == 0
}

/// Eight bytes with the upper-case letters of ASCII in lower case.
#[inline]
fn lower(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    // No sum of two numbers below 128 reaches the next byte; its highest bit says whether it reached 128.
    let low = bytes & !HIGH;
    let from_a = low + (0x80 - b'A' as u64) * ONES;
    let above_z = low + (0x7F - b'Z' as u64) * ONES;
    bytes | (from_a & !above_z & !bytes & HIGH) >> 2
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Some(letter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_compared_in_any_case() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        for length in 0..40 {
            for start in (0..all.len() - length).step_by(3) {
                let text = &all[start..start + length];
                let folded = text.to_ascii_lowercase();
                assert!(is_folded(text, &folded), "{text:?}");
                for at in 0..length {
                    let mut other = folded.clone();
                    other[at] ^= 0x20;
                    assert_eq!(
                        is_folded(text, &other),
                        text.to_ascii_lowercase() == other,
                        "{text:?} {other:?}"
                    );
                    other[at] = other[at].wrapping_add(1);
                    assert_eq!(
                        is_folded(text, &other),
                        text.to_ascii_lowercase() == other,
                        "{text:?} {other:?}"
                    );
                }
            }
        }
        assert!(!is_folded(b"ab", b"abc"));
        for length in 0..40 {
            let mut text: Vec<u8> = all.iter().copied().skip(60).take(length).collect();
            let expect = text.to_ascii_lowercase();
            assert!(to_lower(&mut text));
            assert_eq!(text, expect);
            assert!(length == 0 || !to_lower(&mut [&text[1..], &[0xC3]].concat()));
        }
    }
}
