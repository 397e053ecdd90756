//! The text of a condition, which several items of several files may have written, with the way back to them.
//!
//! A YAML scalar folds lines, so an offset in its value is none in the file. Both have the same characters that are no
//! blanks, in the same order: counting them leads back, but for escapes in quotation marks, which shift the place.

use super::Input;
use crate::source::Span;

/// A text made of the values of YAML nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text {
    pub(super) text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Where it begins in the text.
    start: usize,
    file: usize,
    /// The node in its file.
    node: Span,
}

impl Text {
    /// The value of `node`.
    pub(super) fn new(text: &str, file: usize, node: Span) -> Self {
        Self { text: text.to_owned(), pieces: vec![Piece { start: 0, file, node }] }
    }

    /// The two, with a blank between them.
    pub(super) fn append(&mut self, other: Self) {
        self.text.push(' ');
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.pieces
            .extend(other.pieces.into_iter().map(|piece| Piece { start: piece.start + start, ..piece }));
    }

    /// The file and place of the byte `at`.
    pub(super) fn place(&self, at: usize, files: &[Input<'_>]) -> (usize, Span) {
        let before = self.pieces.partition_point(|piece| piece.start <= at);
        let Some(piece) = before.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return (0, Span::default());
        };
        let within = self.text.get(piece.start..at).or_else(|| self.text.get(piece.start..)).unwrap_or("");
        let source = files.get(piece.file).map_or("", |input| input.text);
        let node = source.get(piece.node.start..piece.node.end).unwrap_or("");
        let offset = offset_of(node, within.chars().filter(|letter| !letter.is_whitespace()).count());
        (piece.file, Span::new(piece.node.start + offset..piece.node.start + offset + 1))
    }
}

/// Where in `node`, the source of a scalar, the character stands before which there are `letters` that are no blanks.
fn offset_of(node: &str, letters: usize) -> usize {
    let body = if node.starts_with(['>', '|']) {
        node.find('\n').unwrap_or(0)
    } else {
        usize::from(node.starts_with(['"', '\'']))
    };
    let rest = node.get(body..).unwrap_or("");
    let mut places = rest.char_indices().filter(|(_, letter)| !letter.is_whitespace());
    // Past the end it is the last character.
    let place = places.clone().nth(letters).or_else(|| places.next_back());
    place.map_or(body, |(at, _)| body + at)
}
