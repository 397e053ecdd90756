//! Places in a text: byte ranges, lines and columns.
//!
//! A machine-read block is a part of a Markdown document, and inside a list or a quotation not even a
//! contiguous one. [`Fragment`] is the block's own text together with the way back, so that every
//! position that leaves this crate is one of the document.

use std::ops::Range;

/// A byte range of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span of `range`.
    pub fn new(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end.max(range.start) }
    }

    /// An empty span at `offset`.
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }
}

/// A line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A text with its path and an index of its lines.
#[derive(Debug)]
pub struct Source<'a> {
    /// The name under which the text is reported.
    pub path: &'a str,
    /// The text.
    pub text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Indexes the lines of `text`.
    pub fn new(path: &'a str, text: &'a str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, line_starts }
    }

    /// The position of the byte `offset`; past the end it is the end's.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.floor(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        Position { line, column: column + 1 }
    }

    /// The text of `line` (from 1) without its line break; empty when there is no such line.
    pub fn line(&self, line: usize) -> &'a str {
        let Some(start) = line.checked_sub(1).and_then(|index| self.line_starts.get(index)) else {
            return "";
        };
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text.get(*start..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    /// The text under `span`, empty when the span is not of this text.
    pub fn slice(&self, span: Span) -> &'a str {
        self.text.get(self.floor(span.start)..self.floor(span.end)).unwrap_or("")
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// A part of a document as text of its own, with the way back to the document's offsets.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// The part's text.
    pub text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    fragment: usize,
    document: usize,
}

impl Fragment {
    /// An empty part that is to begin at `offset` of the document.
    pub fn starting_at(offset: usize) -> Self {
        Self { text: String::new(), pieces: vec![Piece { fragment: 0, document: offset }] }
    }

    /// A whole text as its own fragment.
    pub fn whole(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::starting_at(0) }
    }

    /// Appends `text`, which stands at `offset` of the document.
    pub fn push(&mut self, text: &str, offset: usize) {
        self.pieces.push(Piece { fragment: self.text.len(), document: offset });
        self.text.push_str(text);
    }

    /// The offset in the document of the byte `offset` of this fragment.
    pub fn to_document(&self, offset: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.fragment <= offset);
        let piece = index.checked_sub(1).and_then(|index| self.pieces.get(index));
        piece.map_or(offset, |piece| piece.document + (offset - piece.fragment))
    }

    /// The span in the document of a range of this fragment.
    pub fn span(&self, range: Range<usize>) -> Span {
        let last = range.end.max(range.start + 1) - 1;
        let end = if range.is_empty() { range.start } else { last };
        Span::new(self.to_document(range.start)..self.to_document(end) + usize::from(!range.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = Source::new("x", "äb\ncd");
        assert_eq!(source.position(2), Position { line: 1, column: 2 });
        assert_eq!(source.position(4), Position { line: 2, column: 1 });
        assert_eq!(source.position(99), Position { line: 2, column: 3 });
        assert_eq!(source.line(1), "äb");
        assert_eq!(source.line(9), "");
    }

    #[test]
    fn a_fragment_finds_its_way_back_over_stripped_indentation() {
        let mut fragment = Fragment::starting_at(10);
        fragment.push("a: 1\n", 10);
        fragment.push("b: 2\n", 19);
        assert_eq!(fragment.to_document(0), 10);
        assert_eq!(fragment.to_document(5), 19);
        assert_eq!(fragment.span(8..9), Span { start: 22, end: 23 });
    }
}
