//! Streams that look random from their first byte, with no protocol's mark: the shape of obfuscated
//! proxies and of many implants' own encryption.
//!
//! Source: Wu et al., "How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic",
//! USENIX Security 2023, §4: a first payload is judged fully encrypted unless one of five exemptions
//! holds. Two departures, both to be quieter: a payload under [`MIN_JUDGED_BYTES`] is not judged, since the
//! paper's average of bits is noise there; and the number of distinct byte values raises or lowers the
//! confidence, since ordinary binary formats also pass the paper's five rules.

use super::Verdict;
use crate::Protocol;

/// Fewest bytes that are judged: over 32 random bytes the mean of bits per byte has a standard deviation
/// of sqrt(2 / 32) = 0.25, which puts the paper's limits 2.4 deviations from the expected 4.
pub const MIN_JUDGED_BYTES: usize = 32;
/// Ex2 looks at this many bytes.
const PRINTABLE_START_BYTES: usize = 6;
/// Ex4: a longer run exempts.
const MAX_PRINTABLE_RUN_BYTES: usize = 20;
/// Share of the distinct values that random bytes of the same number would show. Below it the payload
/// is structured: in 10,000 random payloads of 32 to 511 bytes the least was 0.858.
pub(super) const MIN_DISTINCT_SHARE: f64 = 0.8;

/// Which of the paper's rules exempts a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exemption {
    /// Ex1: at most 3.4 or at least 4.6 set bits per byte.
    BitCount,
    /// Ex2: the first six bytes are printable.
    PrintableStart,
    /// Ex3: more than half of the bytes are printable.
    MostlyPrintable,
    /// Ex4: more than twenty printable bytes in a row.
    PrintableRun,
    /// Ex5: the first bytes are those of TLS or HTTP.
    KnownProtocol,
}

/// Holds a first payload against the paper's five rules; `None` means that it looks fully encrypted.
pub fn exemption(payload: &[u8]) -> Option<Exemption> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~');
    let (words, rest) = payload.as_chunks::<8>();
    let bits: usize = words.iter().map(|word| u64::from_ne_bytes(*word).count_ones() as usize).sum::<usize>()
        + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
    // Tenths of a bit per byte, so that the limits are whole numbers.
    let tenths = bits * 10;
    if tenths <= payload.len() * 34 || tenths >= payload.len() * 46 {
        return Some(Exemption::BitCount);
    }
    if payload.get(..PRINTABLE_START_BYTES).is_some_and(|start| start.iter().all(printable)) {
        return Some(Exemption::PrintableStart);
    }
    if payload.iter().filter(|byte| printable(byte)).count() * 2 > payload.len() {
        return Some(Exemption::MostlyPrintable);
    }
    if payload.split(|byte| !printable(byte)).any(|run| run.len() > MAX_PRINTABLE_RUN_BYTES) {
        return Some(Exemption::PrintableRun);
    }
    let is_tls = matches!(payload, [0x16 | 0x17, 3, 0..=9, ..]);
    let is_http = [&b"GET "[..], b"PUT ", b"POST ", b"HEAD "].iter().any(|word| payload.starts_with(word));
    (is_tls || is_http).then_some(Exemption::KnownProtocol)
}

/// Judges the kept bytes of a connection that no protocol claims.
pub(super) fn judge(to_server: &[u8], to_client: &[u8]) -> Option<Verdict> {
    let sides = [to_server, to_client].map(Look::of);
    let count = |look: fn(&Look) -> bool| sides.iter().filter(|side| look(side)).count();
    let random_sides = count(|side| *side != Look::Structured && *side != Look::TooShort);
    let dense_sides = count(|side| *side == Look::Random);
    let contradicted = count(|side| matches!(side, Look::Structured | Look::Sparse)) > 0;
    let (confidence, evidence) = match (random_sides, dense_sides, contradicted) {
        (0, ..) | (_, 0, _) => return None,
        (_, 2, _) => (85, "both directions look random from the first byte"),
        (_, _, false) => (70, "one direction looks random from the first byte"),
        (_, _, true) => (50, "one direction looks random, the other does not"),
    };
    Some(Verdict::new(Protocol::FullyEncrypted, confidence, evidence))
}

/// How one direction looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    TooShort,
    /// One of the paper's rules exempts it.
    Structured,
    /// No rule exempts it, but too few values occur.
    Sparse,
    Random,
}

impl Look {
    fn of(bytes: &[u8]) -> Self {
        if bytes.len() < MIN_JUDGED_BYTES {
            Self::TooShort
        } else if exemption(bytes).is_some() {
            Self::Structured
        } else if distinct_share(bytes) < MIN_DISTINCT_SHARE {
            Self::Sparse
        } else {
            Self::Random
        }
    }
}

/// Distinct byte values, relative to what as many random bytes show on average.
pub(super) fn distinct_share(payload: &[u8]) -> f64 {
    let mut seen = [false; 256];
    for byte in payload {
        if let Some(mark) = seen.get_mut(usize::from(*byte)) {
            *mark = true;
        }
    }
    let distinct = seen.iter().filter(|mark| **mark).count() as f64;
    let expected = 256.0 * (1.0 - (255.0_f64 / 256.0).powi(i32::try_from(payload.len()).unwrap_or(i32::MAX)));
    distinct / expected.max(1.0)
}
