//! The first bytes of one direction of a TCP connection, in the order of their sequence numbers.
//!
//! In: segments as they were captured. Out: the bytes without gaps, at most [`MAX_KEPT_BYTES`], and what was odd:
//! segments out of order, sent again, or sent again with different bytes (RFC 9293 §3.10.7.4 keeps the first, and so
//! does this).

use crate::{Fact, Facts};

/// Bytes kept of a direction: room for a ClientHello with post-quantum key shares and for most HTTP heads.
pub(crate) const MAX_KEPT_BYTES: usize = 4096;
/// Segments held until the one before them comes.
const MAX_AHEAD: usize = 16;

/// Bytes in order, and those that came too early.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    /// Sequence number of the first byte; set with the first segment.
    start: u32,
    started: bool,
    /// Bytes that were accepted beyond those that are kept.
    beyond: u32,
    ahead: Vec<(u32, Box<[u8]>)>,
    /// The bytes as they would be had the later content of an overlap counted.
    pub(crate) other: Option<Vec<u8>>,
    pub(crate) facts: Facts,
}

impl Stream {
    /// Says at which sequence number the stream begins: one after the SYN's.
    pub(crate) fn begin(&mut self, sequence: u32) {
        if !self.started {
            (self.start, self.started) = (sequence, true);
        }
    }

    /// Takes a segment's payload; true if bytes were added in order.
    pub(crate) fn take(&mut self, sequence: u32, payload: &[u8]) -> bool {
        if payload.is_empty() {
            return false;
        }
        self.begin(sequence);
        let before = self.bytes.len();
        self.place(sequence, payload);
        self.drain();
        self.bytes.len() > before
    }

    /// Gives up the missing bytes and takes what waits behind them; true if bytes were added.
    pub(crate) fn skip_gap(&mut self) -> bool {
        let next = self.next();
        let nearest = |(sequence, _): &&(u32, Box<[u8]>)| sequence.wrapping_sub(next);
        let Some(sequence) = self.ahead.iter().min_by_key(nearest).map(|(sequence, _)| *sequence) else {
            return false;
        };
        self.facts.insert(Fact::Gap);
        let before = self.bytes.len();
        // What is kept so far stays in front; places are counted from behind the gap.
        let kept = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        (self.start, self.beyond) = (sequence.wrapping_sub(kept), 0);
        self.drain();
        self.bytes.len() > before
    }

    /// The bytes with the later content of the first overlap, if there was one.
    pub(crate) fn second_reading(&self) -> &[u8] {
        self.other.as_ref().unwrap_or(&self.bytes)
    }

    /// Bytes that this stream holds in memory.
    pub(crate) fn heap_bytes(&self) -> usize {
        let ahead: usize = self.ahead.iter().map(|(_, bytes)| bytes.len()).sum();
        let other = self.other.as_ref().map_or(0, Vec::capacity);
        self.bytes.capacity() + other + ahead + self.ahead.capacity() * size_of::<(u32, Box<[u8]>)>()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_KEPT_BYTES
    }

    fn next(&self) -> u32 {
        let kept = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.start.wrapping_add(kept).wrapping_add(self.beyond)
    }

    fn place(&mut self, sequence: u32, payload: &[u8]) {
        let distance = sequence.wrapping_sub(self.next()).cast_signed();
        if distance > 0 {
            self.facts.insert(Fact::OutOfOrder);
            return self.hold(sequence, payload);
        }
        let behind = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
        if behind > 0 {
            // RFC 9293 §3.8.4: a keep-alive repeats one byte of any content.
            if payload.len() == 1 && behind == 1 {
                return;
            }
            self.facts.insert(Fact::Retransmission);
            self.compare(sequence, payload);
        }
        self.append(payload.get(behind..).unwrap_or_default());
    }

    /// Holds repeated bytes against those that are kept.
    fn compare(&mut self, sequence: u32, payload: &[u8]) {
        let offset = sequence.wrapping_sub(self.start).cast_signed();
        // A segment may reach back before the stream's known start.
        let (skip, at) = match usize::try_from(offset) {
            Ok(at) => (0, at),
            Err(_) => (usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX), 0),
        };
        let again = payload.get(skip..).unwrap_or_default();
        let kept = self.bytes.get(at..).unwrap_or_default();
        if again.iter().zip(kept).any(|(again, kept)| again != kept) {
            self.facts.insert(Fact::OverlappingSegments);
            if self.other.is_none() {
                // Up to the end of what is kept; `append` adds what follows to both readings.
                let mut other = self.bytes.get(..at).unwrap_or_default().to_vec();
                other.extend_from_slice(again.get(..kept.len()).unwrap_or(again));
                other.extend_from_slice(kept.get(again.len()..).unwrap_or_default());
                self.other = Some(other);
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = MAX_KEPT_BYTES.saturating_sub(self.bytes.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.bytes.extend_from_slice(kept);
        if let Some(other) = &mut self.other {
            other.extend_from_slice(kept);
        }
        let beyond = u32::try_from(bytes.len() - kept.len()).unwrap_or(u32::MAX);
        self.beyond = self.beyond.wrapping_add(beyond);
    }

    fn hold(&mut self, sequence: u32, payload: &[u8]) {
        for (other, there) in &self.ahead {
            let offset = sequence.wrapping_sub(*other).cast_signed();
            let distance = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let (later, earlier) = if offset >= 0 { (payload, &**there) } else { (&**there, payload) };
            let shared = earlier.get(distance..).unwrap_or_default();
            if shared.iter().zip(later).any(|(a, b)| a != b) {
                self.facts.insert(Fact::OverlappingSegments);
            }
            if offset == 0 && there.len() >= payload.len() {
                return;
            }
        }
        let held: usize = self.ahead.iter().map(|(_, bytes)| bytes.len()).sum();
        if self.ahead.len() >= MAX_AHEAD || held >= MAX_KEPT_BYTES {
            self.skip_gap();
        }
        if self.ahead.len() < MAX_AHEAD {
            let kept = payload.get(..MAX_KEPT_BYTES).unwrap_or(payload);
            self.ahead.push((sequence, kept.into()));
        }
    }

    /// Takes the held segments whose turn it is.
    fn drain(&mut self) {
        loop {
            let next = self.next();
            let due = |(sequence, _): &(u32, Box<[u8]>)| sequence.wrapping_sub(next).cast_signed() <= 0;
            let Some(at) = self.ahead.iter().position(due) else { break };
            let (sequence, bytes) = self.ahead.remove(at);
            let behind = usize::try_from(next.wrapping_sub(sequence)).unwrap_or(usize::MAX);
            if behind > 0 {
                self.compare(sequence, &bytes);
            }
            self.append(bytes.get(behind..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments as offset and text, and what must come of them.
    fn check(segments: &[(u32, &str)], text: &str, facts: &[Fact]) {
        let mut stream = Stream::default();
        let base = u32::MAX - 3; // Sequence numbers wrap.
        stream.begin(base);
        for (offset, payload) in segments {
            stream.take(base.wrapping_add(*offset), payload.as_bytes());
        }
        stream.skip_gap();
        assert_eq!(std::str::from_utf8(&stream.bytes), Ok(text), "{segments:?}");
        assert_eq!(stream.facts.iter().collect::<Vec<_>>(), facts, "{segments:?}");
    }

    #[test]
    fn segments_are_put_in_order() {
        check(&[(0, "GET "), (4, "/ HTTP")], "GET / HTTP", &[]);
        check(&[(4, "/ HTTP"), (0, "GET ")], "GET / HTTP", &[Fact::OutOfOrder]);
        check(&[(2, "c"), (1, "b"), (0, "a")], "abc", &[Fact::OutOfOrder]);
    }

    #[test]
    fn bytes_sent_again_are_taken_once() {
        check(&[(0, "abc"), (0, "abc")], "abc", &[Fact::Retransmission]);
        check(&[(0, "abc"), (1, "bcde")], "abcde", &[Fact::Retransmission]);
        // A keep-alive.
        check(&[(0, "abc"), (2, "\0")], "abc", &[]);
    }

    #[test]
    fn different_bytes_at_one_place_are_a_fact_and_the_first_count() {
        let both = [Fact::OverlappingSegments, Fact::Retransmission];
        check(&[(0, "abc"), (0, "xyz")], "abc", &both);
        check(&[(0, "abc"), (2, "Xd")], "abcd", &both);
        let early = [Fact::OverlappingSegments, Fact::OutOfOrder];
        check(&[(1, "bc"), (1, "xc"), (0, "a")], "abc", &early);
    }

    #[test]
    fn a_gap_that_never_fills_is_skipped_and_said() {
        check(&[(0, "ab"), (9, "yz")], "abyz", &[Fact::OutOfOrder, Fact::Gap]);
    }

    #[test]
    fn memory_is_bounded_whatever_the_order() {
        let mut stream = Stream::default();
        stream.begin(0);
        for number in 0..4000u32 {
            stream.take(number.wrapping_mul(7919) % 100_000, &[number.to_le_bytes()[0]; 700]);
            assert!(stream.heap_bytes() < 4 * MAX_KEPT_BYTES + 4096, "{}", stream.heap_bytes());
        }
    }
}
