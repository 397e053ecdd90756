//! The identity of an alert: the same on every replay.
//!
//! SHA-256 over the strategy's id, the rule's id, the group key, and sensor and number of the first event, each text
//! with its length before it, cut to 128 bits. A cryptographic hash, because group keys hold text that an adversary
//! chooses: two alerts with one identity would hide one of them.

use compact_str::CompactString;
use event::EventId;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Bytes of the hash that are kept.
const UID_BYTES: usize = 16;

/// The identity, 32 hexadecimal digits.
pub(crate) fn uid(strategy: &str, rule: &str, group_key: &str, first: EventId) -> CompactString {
    let mut hash = Sha256::new();
    for text in [strategy, rule, group_key, first.sensor.as_str()] {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(first.sequence.to_le_bytes());
    let mut uid = CompactString::default();
    for byte in hash.finalize().iter().take(UID_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}
