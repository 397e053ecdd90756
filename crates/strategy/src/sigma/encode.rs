//! The encodings that modifiers ask for: Base64 at any alignment, UTF-16.

use super::modifier::Modifier;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648, §4).
pub fn base64(bytes: &[u8]) -> String {
    let mut text = digits(bytes);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// What of `bytes` is certain to be found in the Base64 of any text that contains them, for each of the
/// three alignments: digits that share bits with what stands before or after are left out.
pub fn base64_offsets(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|offset: usize| {
        let shifted: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        let all = digits(&shifted);
        // Each digit holds six bits: the first whole one after the shift, the last whole one before the end.
        let first = (offset * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        all.get(first..last).unwrap_or("").to_owned()
    })
}

/// UTF-16 as `modifier` asks for it.
pub fn utf16(text: &str, modifier: Modifier) -> Vec<u8> {
    let units = text.encode_utf16();
    match modifier {
        Modifier::Utf16Be => units.flat_map(u16::to_be_bytes).collect(),
        Modifier::Utf16 => std::iter::once(0xFEFF).chain(units).flat_map(u16::to_le_bytes).collect(),
        _ => units.flat_map(u16::to_le_bytes).collect(),
    }
}

/// Base64 digits without padding.
fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut padded = [0; 3];
        for (slot, byte) in padded.iter_mut().zip(group) {
            *slot = u32::from(*byte);
        }
        let [high, middle, low] = padded;
        let bits = high << 16 | middle << 8 | low;
        for index in 0..=group.len() {
            let digit = (bits >> (18 - 6 * index)) & 0x3F;
            let letter = usize::try_from(digit).ok().and_then(|digit| ALPHABET.get(digit));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (text, expect) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expect);
        }
    }

    #[test]
    fn each_alignment_is_found_in_every_text_that_holds_the_value() {
        let parts = base64_offsets(b"http://");
        for before in 0..6 {
            for after in 0..6 {
                let text = [vec![b'#'; before], b"http://".to_vec(), vec![b'~'; after]].concat();
                let encoded = base64(&text);
                assert!(encoded.contains(&parts[before % 3]), "{before} {after} {encoded} {parts:?}");
            }
        }
        assert_eq!(base64_offsets(b"foo"), ["Zm9v".to_owned(), "Zvb".to_owned(), "mb2".to_owned()]);
    }

    #[test]
    fn utf16_has_a_mark_only_where_asked() {
        assert_eq!(utf16("a", Modifier::Wide), [0x61, 0]);
        assert_eq!(utf16("a", Modifier::Utf16Be), [0, 0x61]);
        assert_eq!(utf16("a", Modifier::Utf16), [0xFF, 0xFE, 0x61, 0]);
    }
}
