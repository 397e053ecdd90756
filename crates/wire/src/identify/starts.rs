//! The first bytes with which a side of a protocol can begin, and from them the probes that a payload is worth.
//!
//! A probe that needs a certain first byte is asked only where that byte stands: of some fifty probes about ten are left
//! for a payload. A set may hold too much, never too little, which `tests` checks against asking every probe.

/// A set of byte values.
#[derive(Clone, Copy)]
pub(super) struct Starts([u64; 4]);

impl Starts {
    /// Any byte.
    pub(super) const ANY: Self = Self([u64::MAX; 4]);
    /// No byte: this side says nothing of the protocol.
    pub(super) const NONE: Self = Self([0; 4]);

    /// The bytes of the text.
    pub(super) const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::NONE;
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            set = set.with(*byte, *byte);
            rest = after;
        }
        set
    }

    /// The letters, in both cases.
    pub(super) const fn words(letters: &[u8]) -> Self {
        let mut set = Self::NONE;
        let mut rest = letters;
        while let Some((letter, after)) = rest.split_first() {
            let (lower, upper) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
            set = set.with(lower, lower).with(upper, upper);
            rest = after;
        }
        set
    }

    /// This set and the bytes from `first` to `last`.
    pub(super) const fn with(self, first: u8, last: u8) -> Self {
        let Self([mut a, mut b, mut c, mut d]) = self;
        let mut byte = first;
        loop {
            let bit = 1 << (byte & 63);
            match byte >> 6 {
                0 => a |= bit,
                1 => b |= bit,
                2 => c |= bit,
                _ => d |= bit,
            }
            if byte >= last {
                return Self([a, b, c, d]);
            }
            byte += 1;
        }
    }

    pub(super) const fn has(self, byte: u8) -> bool {
        let Self([a, b, c, d]) = self;
        let word = match byte >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        word >> (byte & 63) & 1 == 1
    }
}
