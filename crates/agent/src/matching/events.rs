//! JSON objects out of a stream of bytes, wherever they begin and end.
//!
//! In: bytes. Out: for each object a call, and what is no object with its place. Memory: the largest event, at most
//! [`EVENT_BYTES`].

use detect::plain::Unreadable;
use std::io::{self, Read};

/// Largest event.
const EVENT_BYTES: usize = 16 << 20;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// What may stand at the start of a file (byte order mark).
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// An event, which was judged.
    Event,
    /// Something else, which was left out up to the end of its line.
    Broken {
        /// Where it begins, in bytes from the start.
        at: u64,
        /// What is wrong with it.
        fault: String,
    },
    /// Nothing any more.
    End,
}

/// The events of a stream.
pub struct Events<R> {
    input: R,
    /// What was read; from `start` on it has not been judged.
    buffer: Vec<u8>,
    start: usize,
    /// Bytes before the buffer.
    before: u64,
    has_ended: bool,
}

impl<R: Read> Events<R> {
    /// The events of `input`.
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, before: 0, has_ended: false }
    }

    /// Gives the next event to `judge`, which says how long it is.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next(&mut self, mut judge: impl FnMut(&[u8]) -> Result<usize, Unreadable>) -> io::Result<Next> {
        loop {
            if self.may_begin_with_mark() {
                self.fill()?;
                continue;
            }
            self.skip_between();
            let rest = self.rest();
            match rest.first() {
                None if self.has_ended => return Ok(Next::End),
                None => self.fill()?,
                Some(b'{') => match judge(rest) {
                    Ok(length) => {
                        self.start += length;
                        return Ok(Next::Event);
                    }
                    Err(Unreadable::Incomplete) if !self.has_ended && rest.len() <= EVENT_BYTES => {
                        self.fill()?
                    }
                    Err(Unreadable::Incomplete) if rest.len() > EVENT_BYTES => {
                        return self.leave_out(format!("longer than {EVENT_BYTES} bytes"));
                    }
                    Err(fault) => return self.leave_out(fault.to_string()),
                },
                Some(_) => return self.leave_out("an event is a JSON object".to_owned()),
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Whether so little was read that it cannot be told yet whether a mark stands at the start.
    fn may_begin_with_mark(&self) -> bool {
        let begins = self.before == 0 && self.start == 0 && !self.has_ended;
        begins && self.buffer.len() < MARK.len() && MARK.starts_with(&self.buffer)
    }

    /// Passes what may stand between events: white space, and the commas and brackets of a list of events.
    fn skip_between(&mut self) {
        if self.before == 0 && self.start == 0 && self.buffer.starts_with(MARK) {
            self.start = MARK.len();
        }
        let is_between = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']');
        self.start += self.rest().iter().take_while(is_between).count();
    }

    /// Whether nothing is left of what was read, so that the next event has to be waited for.
    pub fn waits(&self) -> bool {
        self.rest().iter().all(u8::is_ascii_whitespace)
    }

    /// Reads what there is; what was judged is forgotten.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.before += self.start as u64;
        self.start = 0;
        let waiting = self.buffer.len();
        // A long event is tried again only when there is as much again, or no more.
        loop {
            let length = self.buffer.len();
            self.buffer.resize(length + CHUNK_BYTES, 0);
            let read = self.input.read(self.buffer.get_mut(length..).unwrap_or_default());
            self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.has_ended = true,
                Ok(_) if self.buffer.len() < 2 * waiting => continue,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    /// Passes the rest of the line.
    fn leave_out(&mut self, fault: String) -> io::Result<Next> {
        let at = self.before + self.start as u64;
        loop {
            if let Some(length) = self.rest().iter().position(|byte| *byte == b'\n') {
                self.start += length + 1;
                break;
            }
            self.start = self.buffer.len();
            if self.has_ended {
                break;
            }
            self.fill()?;
        }
        Ok(Next::Broken { at, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            let Some(slot) = buffer.first_mut() else { return Ok(0) };
            *slot = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn read(text: &str) -> Vec<String> {
        let (rules, _) = detect::plain::JsonRules::new(&[], &Default::default());
        let mut scratch = detect::plain::JsonScratch::default();
        let mut events = Events::new(Slow(text.as_bytes()));
        let mut found = Vec::new();
        loop {
            let mut event = String::new();
            let next = events.next(|bytes| {
                let (_, length) = rules.judge(bytes, &mut scratch)?;
                event = String::from_utf8_lossy(&bytes[..length]).into_owned();
                Ok(length)
            });
            match next.unwrap() {
                Next::Event => found.push(event),
                Next::Broken { at, .. } => found.push(format!("broken at {at}")),
                Next::End => return found,
            }
        }
    }

    #[test]
    fn events_stand_in_lines_over_lines_and_in_lists() {
        for (text, expect) in [
            ("", vec![]),
            ("{}\n{\"a\":1}\n", vec!["{}", "{\"a\":1}"]),
            ("{\n \"a\": {}\n}{\"b\": \"}\"}", vec!["{\n \"a\": {}\n}", "{\"b\": \"}\"}"]),
            ("\u{feff}[{}, {\"a\": [1]}]", vec!["{}", "{\"a\": [1]}"]),
            ("no\n{}\n{\"a\": x}\n{\"b\": 1}\n", vec!["broken at 0", "{}", "broken at 6", "{\"b\": 1}"]),
            ("{}\n{\"a\": ", vec!["{}", "broken at 3"]),
            ("7", vec!["broken at 0"]),
        ] {
            assert_eq!(read(text), expect, "{text}");
        }
    }
}
