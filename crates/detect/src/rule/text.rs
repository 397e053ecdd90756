//! Matching a text against a pattern.
//!
//! In: a [`Pattern`] of a rule, once; texts of events, often. Out: whether it matches. `*` spans line breaks. Letters
//! match in any case, by simple case folding, unless the pattern is `cased`. A text of ASCII is compared in place;
//! another one is folded first. Left out on purpose: placeholders, which the caller must have filled in.

use super::fold::{fold, fold_text, is_folded};
use memchr::memmem::Finder;
use strategy::sigma::{DASHES, Pattern, Segment};

/// A pattern made ready.
#[derive(Debug)]
pub(crate) struct TextMatcher {
    shape: Shape,
    cased: bool,
}

#[derive(Debug)]
enum Shape {
    /// Any text at all.
    Any,
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Needle),
    Glob(Glob),
}

/// A text to be found anywhere.
#[derive(Debug)]
struct Needle {
    text: Box<str>,
    finder: Box<Finder<'static>>,
    /// Its rarest-looking byte and where it stands, for the search in any case.
    probe: (u8, usize),
}

/// Pieces between the `*`.
#[derive(Debug)]
struct Glob {
    pieces: Box<[Box<[Unit]>]>,
    open_start: bool,
    open_end: bool,
    /// The longest text in it: most texts do not have it, and are not walked letter by letter.
    literal: Needle,
}

/// One character of a piece.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// This character.
    Letter(char),
    /// This character, folded; an ASCII letter also in upper case.
    AnyCase(char),
    One,
    Dash,
}

/// The name of a placeholder that nobody filled in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfilled(pub(crate) String);

impl TextMatcher {
    /// Makes `pattern` ready.
    pub(crate) fn new(pattern: &Pattern) -> Result<Self, Unfilled> {
        if let Some(name) = pattern.placeholders().next() {
            return Err(Unfilled(name.to_owned()));
        }
        let cased = pattern.cased;
        let ready = |text: &str| if cased { text.into() } else { fold_text(text).into_boxed_str() };
        let shape = match pattern.segments.as_slice() {
            [] => Shape::Exact("".into()),
            [Segment::Any] => Shape::Any,
            [Segment::Literal(text)] => Shape::Exact(ready(text)),
            [Segment::Literal(text), Segment::Any] => Shape::Prefix(ready(text)),
            [Segment::Any, Segment::Literal(text)] => Shape::Suffix(ready(text)),
            [Segment::Any, Segment::Literal(text), Segment::Any] => Shape::Contains(Needle::new(ready(text))),
            segments => {
                let literal = Needle::new(ready(pattern.required_literal()));
                Shape::Glob(Glob::new(segments, cased, literal))
            }
        };
        Ok(Self { shape, cased })
    }

    /// The text that a match must equal, folded where case does not matter.
    pub(crate) fn exact(&self) -> Option<&str> {
        match &self.shape {
            Shape::Exact(text) => Some(text),
            _ => None,
        }
    }

    /// The text that a match must end with, folded where case does not matter.
    pub(crate) fn suffix(&self) -> Option<&str> {
        match &self.shape {
            Shape::Exact(text) | Shape::Suffix(text) => Some(text),
            _ => None,
        }
    }

    /// Whether every text matches.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self.shape, Shape::Any)
    }

    /// The last `/` or `\` of every text that matches and what follows it, where the pattern says it; the whole text
    /// where it has neither.
    pub(crate) fn last_component(&self) -> Option<&str> {
        let (text, is_whole) = match &self.shape {
            Shape::Exact(text) => (text, true),
            Shape::Suffix(text) => (text, false),
            _ => return None,
        };
        let component = match text.rfind(['/', '\\']) {
            Some(at) => text.get(at..)?,
            None if is_whole => text,
            None => return None,
        };
        (component.len() > usize::from(component.starts_with(['/', '\\']))).then_some(component)
    }

    /// The text that a match must end with, where no component of it is known.
    pub(crate) fn end(&self) -> Option<&str> {
        match &self.shape {
            Shape::Suffix(text) if !text.contains(['/', '\\']) && !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The text that a match must begin with, where nothing else of it is known. One that begins as most paths do tells less
    /// than what stands in it.
    pub(crate) fn start(&self) -> Option<&str> {
        match &self.shape {
            Shape::Prefix(text) if !text.starts_with(['/', '\\']) && !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Whether it matches just the texts that have its start.
    pub(crate) fn is_its_start(&self) -> bool {
        !self.cased && self.start().is_some()
    }

    /// Whether it matches just the texts that have its end.
    pub(crate) fn is_its_end(&self) -> bool {
        !self.cased && self.end().is_some()
    }

    /// Whether it matches just the texts that have its last component.
    pub(crate) fn is_its_component(&self) -> bool {
        let (Shape::Exact(text) | Shape::Suffix(text)) = &self.shape else { return false };
        let is_rooted = text.starts_with(['/', '\\']) && matches!(self.shape, Shape::Exact(_));
        !self.cased && !is_rooted && self.last_component() == Some(text)
    }

    /// Whether it matches just the texts in which its required literal stands.
    pub(crate) fn is_its_literal(&self) -> bool {
        !self.cased && matches!(self.shape, Shape::Contains(_))
    }

    /// A text that stands in every text that matches: the longest one that the pattern says.
    pub(crate) fn required_literal(&self) -> Option<&str> {
        let text: &str = match &self.shape {
            Shape::Any => return None,
            Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text) => text,
            Shape::Contains(needle) => &needle.text,
            Shape::Glob(glob) => &glob.literal.text,
        };
        (text.len() > 1).then_some(text)
    }

    /// How much one match costs, roughly: the cheap ones are asked first.
    pub(crate) fn cost(&self) -> u32 {
        match self.shape {
            Shape::Any => 1,
            Shape::Exact(_) | Shape::Prefix(_) | Shape::Suffix(_) => 3,
            Shape::Contains(_) => 10,
            Shape::Glob(_) => 30,
        }
    }

    /// Whether `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.matches_ascii(text);
        }
        if self.cased { self.matches_as_is(text) } else { self.matches_as_is(&fold_text(text)) }
    }

    /// Whether `text`, which is not ASCII, matches; `folded` gives it folded.
    pub(crate) fn matches_either<'f>(&self, text: &str, folded: impl FnOnce() -> &'f String) -> bool {
        self.matches_as_is(if self.cased { text } else { folded() })
    }

    /// Whether case matters.
    pub(crate) fn is_cased(&self) -> bool {
        self.cased
    }

    /// Whether a text matches that is `folded`, where case does not matter.
    #[inline]
    pub(crate) fn matches_folded(&self, folded: &[u8]) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(want) => want.as_bytes() == folded,
            Shape::Prefix(want) => folded.starts_with(want.as_bytes()),
            Shape::Suffix(want) => folded.ends_with(want.as_bytes()),
            Shape::Contains(needle) => needle.finder.find(folded).is_some(),
            Shape::Glob(glob) => {
                glob.literal.finder.find(folded).is_some()
                    && std::str::from_utf8(folded).is_ok_and(|folded| glob.matches(folded))
            }
        }
    }

    /// Whether `text`, which is ASCII, matches.
    pub(crate) fn matches_ascii(&self, text: &str) -> bool {
        if self.cased {
            return self.matches_as_is(text);
        }
        let bytes = text.as_bytes();
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(want) => is_folded(bytes, want.as_bytes()),
            Shape::Prefix(want) => {
                bytes.get(..want.len()).is_some_and(|head| is_folded(head, want.as_bytes()))
            }
            Shape::Suffix(want) => bytes
                .len()
                .checked_sub(want.len())
                .and_then(|at| bytes.get(at..))
                .is_some_and(|tail| is_folded(tail, want.as_bytes())),
            Shape::Contains(needle) => needle.is_in_ascii(bytes),
            Shape::Glob(glob) => glob.literal.is_in_ascii(bytes) && glob.matches(text),
        }
    }

    fn matches_as_is(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(want) => **want == *text,
            Shape::Prefix(want) => text.starts_with(&**want),
            Shape::Suffix(want) => text.ends_with(&**want),
            Shape::Contains(needle) => needle.finder.find(text.as_bytes()).is_some(),
            Shape::Glob(glob) => glob.literal.finder.find(text.as_bytes()).is_some() && glob.matches(text),
        }
    }
}

impl Needle {
    fn new(text: Box<str>) -> Self {
        let finder = Box::new(Finder::new(text.as_bytes()).into_owned());
        let rarity = |byte: u8| match byte {
            b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0,
            b'a'..=b'z' | b'/' | b' ' => 1,
            b'.' | b'-' | b'0'..=b'9' => 2,
            _ => 3,
        };
        let probe = text.bytes().enumerate().max_by_key(|(_, byte)| rarity(*byte));
        Self { probe: probe.map_or((0, 0), |(at, byte)| (byte, at)), finder, text }
    }

    /// Whether ASCII `bytes` contain it in any case.
    fn is_in_ascii(&self, bytes: &[u8]) -> bool {
        let want = self.text.as_bytes();
        let (byte, at) = self.probe;
        // Where the needle can begin, its probe stands `at` bytes later.
        let Some(last_start) = bytes.len().checked_sub(want.len()) else { return false };
        if want.is_empty() {
            return true;
        }
        let Some(window) = bytes.get(at..=last_start + at) else { return false };
        let found =
            |start: usize| bytes.get(start..start + want.len()).is_some_and(|part| is_folded(part, want));
        if byte.is_ascii_alphabetic() {
            memchr::memchr2_iter(byte, byte.to_ascii_uppercase(), window).any(found)
        } else {
            memchr::memchr_iter(byte, window).any(found)
        }
    }
}

impl Glob {
    fn new(segments: &[Segment], cased: bool, literal: Needle) -> Self {
        let mut pieces = vec![Vec::new()];
        for segment in segments {
            let Some(piece) = pieces.last_mut() else { break };
            match segment {
                Segment::Literal(text) => {
                    piece.extend(
                        text.chars().map(|c| if cased { Unit::Letter(c) } else { Unit::AnyCase(fold(c)) }),
                    );
                }
                Segment::One => piece.push(Unit::One),
                Segment::Dash => piece.push(Unit::Dash),
                Segment::Any => pieces.push(Vec::new()),
                // Refused by `TextMatcher::new`.
                Segment::Placeholder(_) => {}
            }
        }
        let open_start = pieces.first().is_some_and(Vec::is_empty);
        let open_end = pieces.last().is_some_and(Vec::is_empty);
        let pieces =
            pieces.into_iter().filter(|piece| !piece.is_empty()).map(Vec::into_boxed_slice).collect();
        Self { pieces, open_start, open_end, literal }
    }

    /// Whether the whole of `text` matches. Text in which case does not matter is folded or ASCII.
    ///
    /// The first piece stands at the start and the last at the end, unless a `*` precedes or follows; each of the
    /// others is taken where it is found first, which leaves the most room for the rest.
    fn matches(&self, text: &str) -> bool {
        let mut pieces = &*self.pieces;
        let mut rest = text;
        if !self.open_start
            && let Some((first, others)) = pieces.split_first()
        {
            let Some(after) = strip(rest, first) else { return false };
            if others.is_empty() && !self.open_end {
                return after.is_empty();
            }
            (pieces, rest) = (others, after);
        }
        let last = if self.open_end { None } else { pieces.split_last() };
        let middle = last.map_or(pieces, |(_, others)| others);
        for piece in middle {
            let Some(after) = find(rest, piece) else { return false };
            rest = after;
        }
        last.is_none_or(|(piece, _)| ends_with(rest, piece))
    }
}

fn unit_matches(unit: Unit, letter: char) -> bool {
    match unit {
        Unit::One => true,
        Unit::Dash => DASHES.contains(&letter),
        Unit::Letter(want) => want == letter,
        Unit::AnyCase(want) => want == letter.to_ascii_lowercase(),
    }
}

/// What follows `piece` at the start of `text`.
fn strip<'t>(text: &'t str, piece: &[Unit]) -> Option<&'t str> {
    let mut letters = text.chars();
    for unit in piece {
        if !unit_matches(*unit, letters.next()?) {
            return None;
        }
    }
    Some(letters.as_str())
}

/// What follows the first place where `piece` stands in `text`.
fn find<'t>(text: &'t str, piece: &[Unit]) -> Option<&'t str> {
    let mut letters = text.chars();
    loop {
        if let Some(after) = strip(letters.as_str(), piece) {
            return Some(after);
        }
        letters.next()?;
    }
}

fn ends_with(text: &str, piece: &[Unit]) -> bool {
    let start = text.char_indices().rev().nth(piece.len().saturating_sub(1)).map(|(at, _)| at);
    start.and_then(|at| text.get(at..)).is_some_and(|tail| strip(tail, piece).is_some_and(str::is_empty))
}
