//! Generated names: how far the label that somebody bought looks like one that a program drew.
//!
//! In: a name. Out: a probability that its registered label was generated, at even odds beforehand. And
//! [`NameFailures`]: per container, how many registered domains did not exist of late, and how many of those look
//! generated; single names of word lists cannot be told from people's, many that do not exist can.
//!
//! The model is logistic regression over hashed n-grams of one to four characters with the label's ends, and over a
//! few coarse facts (length, digits, longest run of consonants, share of vowels, suffix): one weight of eight bits in
//! each of 60,000 places. `cargo run --release -p watchkeeper-detect --example names -- train FILE…` makes it from
//! generators of the example's own and lists of names that people gave.
//!
//! Left out on purpose: names below the registered one, because services put hashes there (`d2uzsrnm.cloudfront.net`),
//! and labels of fewer than three characters, where chance and people are alike.
//!
//! Sources: hashed n-grams as in Weinberger and others 2009; the aggregation over names that do not exist as in
//! Antonakakis and others 2012.

mod failures;
#[cfg(test)]
mod tests;

use super::registered_domain::registered;

pub use failures::{Failures, NameFailures};

/// Places of the model.
pub const PLACES: usize = 60_000;
/// The longest label of DNS.
const LONGEST: usize = 63;
/// Labels shorter than this have no score.
pub const SHORTEST: usize = 3;
/// From here on a name counts as generated in [`NameFailures`].
pub const GENERATED: f64 = 0.9;

/// Weights by place; the last eight bytes are the unit of a weight and the bias, as two f32.
static MODEL: &[u8; PLACES + 8] = include_bytes!("../../../data/generated_names.bin");

/// The probability that the registered label of `name` was generated; none where it has no registered label, one that
/// is too short, or one that spells characters beyond ASCII (`xn--`).
///
/// ```
/// use detect::analytic::generated_name::probability;
/// assert!(probability("qxvkrtwplzmhgd.biz").unwrap() > 0.9);
/// assert!(probability("www.wikipedia.org").unwrap() < 0.5);
/// ```
pub fn probability(name: &str) -> Option<f64> {
    let parts = registered(name)?;
    if !is_scored(parts.label) {
        return None;
    }
    let mut sum = 0_i32;
    features(parts.label, parts.suffix, |place| {
        sum += MODEL.get(place).map_or(0, |weight| i32::from(weight.cast_signed()));
    });
    let [unit, bias] = scale();
    Some(1.0 / (1.0 + (-(f64::from(sum) * unit + bias)).exp()))
}

/// Whether a label is of the kind that the model knows.
pub fn is_scored(label: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&label.len())
        && !label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"))
}

fn scale() -> [f64; 2] {
    let at = |from: usize| {
        let bytes = MODEL.get(from..from + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        f64::from(f32::from_le_bytes(bytes))
    };
    [at(PLACES), at(PLACES + 4)]
}

/// Calls `each` with the place of every feature of a label and suffix, in an order that only they decide.
pub fn features(label: &str, suffix: &str, mut each: impl FnMut(usize)) {
    // The label between its ends, then zeros, behind which there are only shorter n-grams.
    let mut text = [0; LONGEST + 5];
    let bytes = label.as_bytes();
    let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
    let length = bytes.len();
    if let Some(inner) = text.get_mut(1..=length) {
        inner.copy_from_slice(bytes);
        inner.make_ascii_lowercase();
    }
    for (end, byte) in [(0, b'^'), (length + 1, b'$')] {
        if let Some(end) = text.get_mut(end) {
            *end = byte;
        }
    }
    for (order, mask) in [0xff, 0xffff, 0xff_ffff, u32::MAX].into_iter().enumerate() {
        for gram in text.windows(4).take((length + 2).saturating_sub(order)) {
            if let [a, b, c, d] = *gram {
                each(place(u32::from_le_bytes([a, b, c, d]) & mask));
            }
        }
    }
    let inner = text.get(1..=length).unwrap_or_default();
    coarse(inner, |kind, value| each(place(mix(0x5bd1_e995 ^ kind) ^ value)));
    let top = suffix.bytes().fold(0x1000_0193, |hash, byte| mix(hash ^ u32::from(byte.to_ascii_lowercase())));
    each(place(top));
}

/// Facts of a few values each, by number.
fn coarse(label: &[u8], mut each: impl FnMut(u32, u32)) {
    let length = small(label.len());
    let (mut digits, mut vowels, mut hyphens, mut switches) = (0, 0, 0, 0);
    let (mut consonants, mut run, mut seen, mut was_digit) = (0, 0, 0_u128, None);
    for byte in label {
        let is_digit = byte.is_ascii_digit();
        let is_vowel = matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        digits += u32::from(is_digit);
        vowels += u32::from(is_vowel);
        hyphens += u32::from(*byte == b'-');
        switches += u32::from(was_digit.is_some_and(|was| was != is_digit));
        run = if byte.is_ascii_alphabetic() && !is_vowel { run + 1 } else { 0 };
        consonants = run.max(consonants);
        seen |= 1 << (byte & 127);
        was_digit = Some(is_digit);
    }
    let letters = length - digits - hyphens;
    let distinct = seen.count_ones();
    each(0, length.min(40));
    each(1, digits.min(12));
    each(2, (10 * vowels).checked_div(letters).unwrap_or(11));
    each(3, consonants.min(10));
    each(4, hyphens.min(3));
    // Digits that stand between letters.
    each(5, switches.min(8));
    each(6, 10 * distinct / length.max(1));
    each(7, (length.min(30) << 8) | consonants.min(8));
    each(8, (length.min(30) << 8) | digits.min(8));
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// One round of multiply and fold (the finalizer of MurmurHash3, halved).
fn mix(hash: u32) -> u32 {
    let hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^ (hash >> 13)
}

fn place(hash: u32) -> usize {
    // Lemire 2019: the upper half of the product is even over the places, and below their number.
    ((u64::from(mix(hash).wrapping_mul(0x9e37_79b1)) * PLACES as u64) >> 32) as usize
}
