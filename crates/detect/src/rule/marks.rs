//! What is known of an event while it is judged.
//!
//! In: the marks of witnesses that stand in it, and the values of its fields. Out: the clauses that were touched, and
//! [`Prepared`]: the event as a record whose values are folded once and asked the same question once. Kept from event to
//! event by whoever judges them, so that none allocates.

use super::fold::{fold_text, to_lower};
use super::index::GROUPS;
use super::memo::{Hash, Memo};
use super::node::{Tests, any_holds};
use super::record::{Alone, Key, Presence, Record, Scalar};
use super::test::Test;
use crate::json::JsonItem;

/// Most bytes of folded texts that are kept from event to event.
const FOLDED_BYTES: usize = 1 << 20;

/// Marks of one event, and what earlier ones had.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The index that they belong to.
    index: u64,
    /// By clause: the groups of which a witness was seen, a bit each.
    pub(super) seen: Vec<u8>,
    /// Clauses of which one was seen.
    pub(super) touched: Vec<u32>,
    values: Values,
    /// Marks of one value.
    found: Vec<u32>,
}

/// The values of the fields that the index reads.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// By field.
    ready: Vec<Ready>,
    /// The fields that are ready.
    used: Vec<usize>,
    /// By field.
    memos: Vec<Memo>,
    folded: Vec<u8>,
}

/// The value of one field.
#[derive(Debug, Clone, Copy)]
enum Ready {
    /// The record must be asked.
    No,
    /// Where it stands in `folded`.
    Folded(usize, usize),
    /// Where it stands in its memo.
    Known(usize),
}

impl Marks {
    /// Forgets the last event; the next is marked by the index of this number.
    pub(super) fn begin(&mut self, index: u64, clauses: usize, fields: usize) {
        if self.index != index {
            *self = Self { index, ..Self::default() };
            self.seen.resize(clauses, 0);
            self.values.ready.resize(fields, Ready::No);
            self.values.memos.resize_with(fields, Memo::default);
        }
        self.values.clear();
    }

    /// Marks what stands in `text`, the value of `field`: what it had before, or what `find` finds in the text, given as
    /// it is and folded.
    #[inline]
    pub(super) fn see(&mut self, field: usize, text: &str, find: impl FnOnce(&[u8], &mut Vec<u32>)) {
        let hash = Hash::of(text);
        let Some(memo) = self.values.memos.get(field) else { return };
        if let Some(place) = memo.find(hash, text) {
            if let Some(known) = memo.at(place) {
                add_all(&mut self.seen, &mut self.touched, &known.marks);
            }
            return self.values.set(field, Ready::Known(place));
        }
        self.see_new(field, (hash, text), find);
    }

    #[inline(never)]
    fn see_new(&mut self, field: usize, (hash, text): (Hash, &str), find: impl FnOnce(&[u8], &mut Vec<u32>)) {
        let Self { seen, touched, values, found, .. } = self;
        let (start, end) = values.fold(text);
        let folded = values.folded.get(start..end).unwrap_or_default();
        found.clear();
        find(folded, found);
        add_all(seen, touched, found);
        let memo = values.memos.get_mut(field);
        let place = memo.and_then(|memo| memo.keep(hash, text, folded, found));
        values.set(field, place.map_or(Ready::Folded(start, end), Ready::Known));
    }

    #[inline]
    pub(super) fn add_all(&mut self, marks: &[u32]) {
        add_all(&mut self.seen, &mut self.touched, marks);
    }

    #[inline]
    pub(super) fn add(&mut self, mark: u32) {
        add_all(&mut self.seen, &mut self.touched, &[mark]);
    }

    /// Marks what `find` finds in a text, given folded, that is not remembered.
    pub(super) fn fold(&mut self, text: &str, find: impl FnOnce(&[u8], &mut Vec<u32>)) {
        let Self { seen, touched, values, found, .. } = self;
        let (start, end) = values.fold(text);
        found.clear();
        find(values.folded.get(start..end).unwrap_or_default(), found);
        add_all(seen, touched, found);
        values.folded.truncate(start);
    }

    /// What was touched, what was seen, and the values.
    pub(super) fn parts(&mut self) -> (&mut Vec<u32>, &mut [u8], &Values) {
        (&mut self.touched, &mut self.seen, &self.values)
    }
}

#[inline]
fn add_all(seen: &mut [u8], touched: &mut Vec<u32>, marks: &[u32]) {
    for mark in marks {
        let (clause, group) = (mark / GROUPS, mark % GROUPS);
        if let Some(seen) = seen.get_mut(clause as usize) {
            if *seen == 0 {
                touched.push(clause);
            }
            *seen |= 1 << group;
        }
    }
}

impl Values {
    fn clear(&mut self) {
        for field in self.used.drain(..) {
            if let Some(ready) = self.ready.get_mut(field) {
                *ready = Ready::No;
            }
        }
        self.folded.clear();
        if self.folded.capacity() > FOLDED_BYTES {
            self.folded = Vec::new();
        }
    }

    #[inline]
    fn set(&mut self, field: usize, value: Ready) {
        if let Some(ready) = self.ready.get_mut(field) {
            *ready = value;
            self.used.push(field);
        }
    }

    /// Folds a text; where it stands then.
    fn fold(&mut self, text: &str) -> (usize, usize) {
        let start = self.folded.len();
        self.folded.extend_from_slice(text.as_bytes());
        let is_ascii = self.folded.get_mut(start..).is_none_or(to_lower);
        if !is_ascii {
            self.folded.truncate(start);
            self.folded.extend_from_slice(fold_text(text).as_bytes());
        }
        (start, self.folded.len())
    }
}

/// A record whose values are prepared.
pub(super) struct Prepared<'a, R> {
    pub(super) record: &'a R,
    pub(super) values: &'a Values,
}

impl<K: Key, R: Record<K>> Record<K> for Prepared<'_, R> {
    fn presence(&self, key: K) -> Presence {
        self.record.presence(key)
    }

    fn any(&self, key: K, ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        self.record.any(key, ask)
    }

    fn any_value(&self, ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        self.record.any_value(ask)
    }

    fn for_each_item(&self, key: K, see: &mut dyn FnMut(JsonItem<'_>)) {
        self.record.for_each_item(key, see);
    }

    fn alone(&self, key: K) -> Alone<'_> {
        self.record.alone(key)
    }

    fn ask(&self, key: K, tests: &Tests<K>) -> bool {
        let Values { ready, memos, folded, .. } = self.values;
        match ready.get(tests.field).copied().unwrap_or(Ready::No) {
            Ready::No => self.record.any(key, |value| any_holds(tests, value, self.record)),
            Ready::Folded(start, end) => {
                self.ask_text(key, tests, folded.get(start..end).unwrap_or_default())
            }
            Ready::Known(place) => {
                let Some(known) = memos.get(tests.field).and_then(|memo| memo.at(place)) else {
                    return false;
                };
                match tests.number {
                    Some(number) => known.answer(number, || self.ask_text(key, tests, &known.folded)),
                    None => self.ask_text(key, tests, &known.folded),
                }
            }
        }
    }
}

impl<R> Prepared<'_, R> {
    /// Whether one of `tests` holds for the text of the field, which is `folded`.
    fn ask_text<K: Key>(&self, key: K, tests: &Tests<K>, folded: &[u8]) -> bool
    where
        R: Record<K>,
    {
        tests.iter().any(|test| match test {
            Test::Text(matcher) if !matcher.is_cased() => matcher.matches_folded(folded),
            other => match self.record.alone(key) {
                Alone::Text(text) => other.holds(Scalar::Text(text), self.record),
                Alone::Nothing | Alone::Other => false,
            },
        })
    }
}
