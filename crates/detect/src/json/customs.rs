//! The keys that the last event had, in their order: most events of a source have the same ones.
//!
//! In: the keys of an event, one after the other. Out: where a key leads, if the last event had it at the same place: then
//! it need not be searched for its end nor looked up. Kept from event to event by whoever judges them.

use super::scan::{Cursor, Quoted, Range};
use super::shape::Branch;

/// Longest key that is kept, with its quotation marks and its colon.
const KEY_BYTES: usize = 32;
/// Most keys that are kept.
const KEYS_LIMIT: usize = 256;

/// Keys by their number in the event.
#[derive(Debug, Default)]
pub(super) struct Customs {
    keys: Vec<Custom>,
    /// The shape that they belong to; nothing is kept without one.
    shape: Option<u64>,
}

#[derive(Debug)]
struct Custom {
    /// As it stands in the event, with its quotation marks and its colon.
    key: [u8; KEY_BYTES],
    length: usize,
    from: Option<Branch>,
    to: Option<Branch>,
}

impl Customs {
    /// Keeps keys from now on, those of the shape of this number.
    pub(super) fn keep(&mut self, shape: u64) {
        if self.shape != Some(shape) {
            self.keys.clear();
            self.shape = Some(shape);
        }
    }

    /// Where the key at the cursor leads from `branch`, if it is the one that the last event had as `number`.
    #[inline]
    pub(super) fn find(
        &self,
        number: usize,
        branch: Option<Branch>,
        cursor: &Cursor<'_>,
    ) -> Option<(Option<Branch>, Quoted)> {
        let known = self.keys.get(number)?;
        let end = cursor.at + known.length;
        if known.from != branch || cursor.bytes.get(cursor.at..end)? != known.key.get(..known.length)? {
            return None;
        }
        Some((known.to, Quoted { range: Range::new(cursor.at + 1, end - 2), is_escaped: false }))
    }

    /// Keeps the key `quoted`, after whose colon the cursor is.
    pub(super) fn learn(
        &mut self,
        number: usize,
        from: Option<Branch>,
        to: Option<Branch>,
        quoted: Quoted,
        cursor: &Cursor<'_>,
    ) {
        if self.shape.is_none() || number > self.keys.len() || number >= KEYS_LIMIT {
            return;
        }
        let start = (quoted.range.start as usize).saturating_sub(1);
        let source = cursor.bytes.get(start..cursor.at).unwrap_or_default();
        // White space before the colon is none of the key.
        let is_tight = quoted.range.end as usize + 2 == cursor.at;
        let mut custom = Custom { key: [0; KEY_BYTES], length: source.len(), from, to };
        match custom.key.get_mut(..source.len()) {
            Some(key) if is_tight && !quoted.is_escaped => key.copy_from_slice(source),
            // No key has this length.
            _ => custom.length = KEY_BYTES + 1,
        }
        match self.keys.get_mut(number) {
            Some(known) => *known = custom,
            None => self.keys.push(custom),
        }
    }
}
