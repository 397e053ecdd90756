//! The tokens of JSON.
//!
//! In: bytes that may end anywhere. Out: places of strings and numbers. What ends too early is told from what is wrong,
//! so that a reader can wait for more.

use std::borrow::Cow;
use thiserror::Error;

/// Deepest nesting of maps and lists.
pub(super) const DEPTH_LIMIT: usize = 128;

/// Why no event could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonFault {
    /// The bytes end before the event does.
    #[error("the event is cut off")]
    Incomplete,
    /// Not JSON.
    #[error("{expected} expected at byte {at}")]
    Malformed {
        /// Where, in bytes from the start of the event.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Too many maps and lists within each other.
    #[error("nested deeper than {DEPTH_LIMIT}")]
    TooDeep,
}

/// A place in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Range {
    /// From places in bytes of less than 4 GiB, which the reader of events sees to.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: short(start), end: short(end) }
    }

    /// The text at this place.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// A string without its quotation marks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted {
    pub(super) range: Range,
    pub(super) is_escaped: bool,
}

/// Bytes and how far they are read.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    /// The next byte that is no white space; it is not passed.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, JsonFault> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(JsonFault::Incomplete),
            }
        }
    }

    /// Passes `byte`, which must come next.
    #[inline]
    pub(super) fn pass(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonFault> {
        if self.peek()? != byte {
            return Err(self.expected(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether `byte` comes next; it is passed.
    #[inline]
    pub(super) fn pass_if(&mut self, byte: u8) -> Result<bool, JsonFault> {
        let is_next = self.peek()? == byte;
        self.at += usize::from(is_next);
        Ok(is_next)
    }

    /// The string at the cursor.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Quoted, JsonFault> {
        self.pass(b'"', "a string")?;
        let start = self.at;
        let mut is_escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = end_of_run(rest) else { return Err(JsonFault::Incomplete) };
            let end = self.at + found;
            if self.bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok(Quoted { range: Range::new(start, end), is_escaped });
            }
            is_escaped = true;
            // Whatever is escaped is no end of the string.
            self.at = end + 2;
        }
    }

    /// The number at the cursor, as it is written.
    pub(super) fn number(&mut self) -> Result<Range, JsonFault> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        // Whether a number goes on can only be told from what follows.
        let length = rest.iter().position(|byte| !is_part(byte)).ok_or(JsonFault::Incomplete)?;
        if !rest.iter().take(length).any(u8::is_ascii_digit) {
            return Err(self.expected("a value"));
        }
        self.at += length;
        Ok(Range::new(start, self.at))
    }

    /// Passes a word such as `null`.
    pub(super) fn word(&mut self, word: &'static str) -> Result<(), JsonFault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        let is_cut = rest.len() < word.len() && word.as_bytes().starts_with(rest);
        Err(if is_cut { JsonFault::Incomplete } else { self.expected("a value") })
    }

    /// Passes a map or list that was read before, and so is whole.
    pub(super) fn skip_composite(&mut self) -> Result<(), JsonFault> {
        let mut open = 0_usize;
        loop {
            match self.peek()? {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                b'"' => {
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Ok(());
            }
        }
    }

    pub(super) fn expected(&self, expected: &'static str) -> JsonFault {
        JsonFault::Malformed { at: self.at, expected }
    }

    /// The bytes of a string, as they are written.
    #[inline]
    pub(super) fn raw(&self, quoted: Quoted) -> &'t [u8] {
        let Range { start, end } = quoted.range;
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The text of a string. Bytes that are no UTF-8 become U+FFFD.
    pub(super) fn text(&self, quoted: Quoted) -> Cow<'t, str> {
        let text = String::from_utf8_lossy(self.raw(quoted));
        if !quoted.is_escaped {
            return text;
        }
        let mut plain = String::with_capacity(text.len());
        unescape(&text, &mut plain);
        Cow::Owned(plain)
    }
}

/// Where the first quotation mark or backslash is. Most strings are short: they are searched eight bytes at a time, in
/// place.
#[inline]
fn end_of_run(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut at = 0;
    for chunk in bytes.as_chunks::<8>().0.iter().take(2) {
        let word = u64::from_le_bytes(*chunk);
        // Lowest of the highest bits of bytes that are zero (Warren, Hacker's Delight, §6-1).
        let marks = |letter: u8| {
            let others = word ^ (u64::from(letter) * ONES);
            others.wrapping_sub(ONES) & !others
        };
        let found = (marks(b'"') | marks(b'\\')) & (0x80 * ONES);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// Appends `text` without its escapes. Half of a surrogate pair becomes U+FFFD; an unknown escape is what it escapes.
pub(super) fn unescape(text: &str, into: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        into.push_str(before);
        let mut letters = after.chars();
        match letters.next() {
            Some('n') => into.push('\n'),
            Some('t') => into.push('\t'),
            Some('r') => into.push('\r'),
            Some('b') => into.push('\u{8}'),
            Some('f') => into.push('\u{c}'),
            Some('u') => {
                rest = unicode(letters.as_str(), into);
                continue;
            }
            Some(other) => into.push(other),
            None => {}
        }
        rest = letters.as_str();
    }
    into.push_str(rest);
}

/// Appends the character whose escape goes on with `text`; returns what follows it.
fn unicode<'t>(text: &'t str, into: &mut String) -> &'t str {
    let unit = |text: &'t str| {
        let (digits, rest) = text.split_at_checked(4)?;
        Some((u32::from_str_radix(digits, 16).ok()?, rest))
    };
    let Some((first, rest)) = unit(text) else {
        into.push(char::REPLACEMENT_CHARACTER);
        return text;
    };
    // RFC 8259, §7: what lies beyond the basic plane is a pair of surrogates.
    if (0xD800..0xDC00).contains(&first)
        && let Some((second, after)) = rest.strip_prefix("\\u").and_then(unit)
        && (0xDC00..0xE000).contains(&second)
    {
        let letter = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        into.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        return after;
    }
    into.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}
