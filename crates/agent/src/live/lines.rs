//! Values as lines of JSON over a pipe, whoever writes them.
//!
//! In: bytes. Out: values of the expected type, and how many lines were none. Memory: [`LINE_BYTES`], and what is read at
//! once.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};

/// Longest line that is taken, in bytes.
const LINE_BYTES: usize = 16 << 20;
/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Writes one value as a line.
///
/// # Errors
/// What the writer says.
pub fn send(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Lines from a pipe that may have nothing to say yet.
pub struct Lines<R> {
    from: R,
    pending: Vec<u8>,
    ended: bool,
    unreadable: u64,
}

impl<R: Read> Lines<R> {
    /// Lines of `from`.
    pub fn new(from: R) -> Self {
        Self { from, pending: Vec::new(), ended: false, unreadable: 0 }
    }

    /// Whether the other side has closed.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The reader.
    pub fn inner(&self) -> &R {
        &self.from
    }

    /// Lines that were no value of the expected type, since the last call.
    pub fn take_unreadable(&mut self) -> u64 {
        std::mem::take(&mut self.unreadable)
    }

    /// Whether a whole line waits that came with an earlier one.
    pub fn has_line(&self) -> bool {
        self.pending.contains(&b'\n')
    }

    /// Reads until there is one line, and gives its value; what follows it stays for [`Lines::read`].
    ///
    /// # Errors
    /// The other side closed, reading failed, or the line is no such value.
    pub fn first<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            if let Some(line) = self.line() {
                return value(&line).map_err(io::Error::from);
            }
            if self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.fill()?;
        }
    }

    /// Reads once and gives the values of all whole lines to `take`. A line that is no such value is counted.
    ///
    /// # Errors
    /// What reading says; "would block" is no error.
    pub fn read<T: DeserializeOwned>(&mut self, mut take: impl FnMut(T)) -> io::Result<()> {
        if !self.has_line() {
            self.fill()?;
        }
        let whole = self.pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let rest = self.pending.split_off(whole);
        let lines = std::mem::replace(&mut self.pending, rest);
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match value(line) {
                Ok(value) => take(value),
                Err(_) => self.unreadable += 1,
            }
        }
        Ok(())
    }

    /// Takes the first whole line out of what waits, without its end.
    fn line(&mut self) -> Option<Vec<u8>> {
        let len = self.pending.iter().position(|byte| *byte == b'\n')?;
        let rest = self.pending.split_off(len + 1);
        let mut line = std::mem::replace(&mut self.pending, rest);
        line.pop();
        Some(line)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0u8; CHUNK];
        let count = match self.from.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        self.ended = count == 0;
        self.pending.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if self.pending.len() > LINE_BYTES && !self.has_line() {
            self.pending.clear();
            self.unreadable += 1;
        }
        Ok(())
    }
}

/// The value of a line. As text, as recordings are read: for bytes it would be the same code once more.
fn value<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(line).map_err(serde::de::Error::custom)?;
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_leaves_the_others_for_later() {
        let mut lines = Lines::new(&b"1\n2\nx\n3\n4"[..]);
        assert_eq!(lines.first::<u32>().unwrap(), 1);
        assert!(lines.has_line());
        let mut rest = Vec::new();
        lines.read(|value: u32| rest.push(value)).unwrap();
        assert_eq!((rest, lines.take_unreadable(), lines.has_line()), (vec![2, 3], 1, false));
    }

    #[test]
    fn an_end_without_a_line_is_an_error() {
        assert_eq!(Lines::new(&b"12"[..]).first::<u32>().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
