//! The bytes of one direction of a stream in order, for who needs all of them.
//!
//! In: pieces with their places. Out: the bytes, each once, in order; or that some are missing. A few pieces that came
//! early are held until those before them come.

/// Pieces and bytes that are held at once.
const MAX_AHEAD: usize = 16;
const MAX_AHEAD_BYTES: usize = 32_768;

#[derive(Clone, Debug, Default)]
pub(super) struct Ordered {
    /// The place of the next byte, once one came.
    next: Option<u32>,
    ahead: Vec<(u32, Box<[u8]>)>,
}

/// Bytes are missing that will not come any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost;

impl Ordered {
    /// Bytes whose first one is at `next`.
    pub(super) fn at(next: u32) -> Self {
        Self { next: Some(next), ahead: Vec::new() }
    }

    /// Takes a piece and gives the bytes that are in order now.
    pub(super) fn take(
        &mut self,
        sequence: u32,
        bytes: &[u8],
        give: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Lost> {
        if !self.place(sequence, bytes, give) {
            self.ahead.push((sequence, bytes.into()));
        }
        // Each round places at least one piece.
        while let Some(at) = self.ahead.iter().position(|(sequence, _)| self.distance(*sequence) <= 0) {
            let (sequence, bytes) = self.ahead.swap_remove(at);
            self.place(sequence, &bytes, give);
        }
        let held: usize = self.ahead.iter().map(|(_, bytes)| bytes.len()).sum();
        if self.ahead.len() > MAX_AHEAD || held > MAX_AHEAD_BYTES {
            self.ahead = Vec::new();
            return Err(Lost);
        }
        Ok(())
    }

    /// Places the bytes if none before them are missing.
    fn place(&mut self, sequence: u32, bytes: &[u8], give: &mut dyn FnMut(&[u8])) -> bool {
        let distance = self.distance(sequence);
        if distance > 0 {
            return false;
        }
        // What was there before is not given again, whatever it holds now: as receivers do.
        let known = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
        if let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) {
            let end = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            self.next = Some(end);
            give(fresh);
        }
        true
    }

    /// How far the place is ahead of the next byte.
    fn distance(&self, sequence: u32) -> i32 {
        self.next.map_or(0, |next| sequence.wrapping_sub(next).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[(u32, &str)], expect: Result<&str, Lost>) {
        let (mut ordered, mut text) = (Ordered::default(), Vec::new());
        let taken = pieces.iter().try_for_each(|(at, piece)| {
            ordered.take(*at, piece.as_bytes(), &mut |bytes| text.extend_from_slice(bytes))
        });
        assert_eq!(taken.map(|()| String::from_utf8_lossy(&text).into_owned()), expect.map(str::to_owned));
    }

    #[test]
    fn bytes_come_once_and_in_order() {
        check(&[(5, "ab"), (7, "cd")], Ok("abcd"));
        check(&[(5, "ab"), (9, "ef"), (7, "cd"), (5, "XX"), (8, "Ze"), (11, "g")], Ok("abcdefg"));
        check(&[(u32::MAX, "ab"), (1, "cd"), (0, "Xcde")], Ok("abcde"));
        check(&[(5, "ab"), (8, "missing")], Ok("ab"));
    }

    #[test]
    fn what_is_held_is_bounded() {
        let long = "x".repeat(MAX_AHEAD_BYTES + 1);
        check(&[(0, "a"), (2, &long)], Err(Lost));
        let many: Vec<(u32, &str)> =
            (0..18).map(|number| (if number == 0 { 0 } else { 2 * number + 1 }, "a")).collect();
        check(&many, Err(Lost));
    }
}
