//! What is known of an event while it is judged.
//!
//! In: the marks of witnesses that stand in it, and the values of its fields. Out: the clauses that were touched, and
//! [`Prepared`]: the event as a record whose values are folded once and asked the same question once. Kept from event to
//! event by whoever judges them, so that none allocates.

use super::fold::{fold_text, to_lower};
use super::index::GROUP;
use super::memo::{Hash, Known, Memo};
use super::node::{Tests, any_holds};
use super::record::{Alone, Key, Presence, Record, Scalar};
use super::single::Single;
use super::test::Test;
use crate::json::JsonItem;

/// Most bytes of folded texts that are kept from event to event.
const FOLDED_BYTES: usize = 1 << 20;

/// Marks of one event, and what earlier ones had.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The index that they belong to.
    index: u64,
    /// Clauses of whose first group a witness stands in the event, perhaps more than once.
    touched: Vec<u32>,
    /// By group of further witnesses: whether one stands in the event, a bit each.
    stood: Vec<u64>,
    values: Values,
    /// Marks of one value.
    found: Vec<u32>,
}

/// The values of the fields that the index reads.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// By field, with the number of the event that it is ready for.
    ready: Vec<(u32, Ready)>,
    /// Number of the event, so that nothing is to be forgotten with each.
    event: u32,
    /// The fields that are plain.
    plain: Vec<usize>,
    /// By field, and last of all fields together.
    memos: Vec<Memo>,
    folded: Vec<u8>,
}

/// The value of one field.
#[derive(Debug, Clone, Copy)]
enum Ready {
    /// The record must be asked.
    No,
    /// A text of ASCII that came for the first time.
    Plain,
    /// Where it stands in `folded`.
    Folded(usize, usize),
    /// Where it stands in its memo.
    Known(usize),
}

/// What finds the marks of a text.
pub(super) trait Find {
    /// Appends the marks of what stands in a text, given as it is and folded; one of ASCII need not be folded.
    fn find(&self, text: &str, folded: &[u8], found: &mut Vec<u32>);
}

impl Marks {
    /// Forgets the last event; the next is marked by the index of this number, which has so many groups of further
    /// witnesses and so many fields.
    #[inline]
    pub(super) fn begin(&mut self, index: u64, groups: usize, fields: usize) {
        if self.index != index {
            *self = Self { index, ..Self::default() };
            self.stood.resize(groups / 64 + 1, 0);
            self.values.ready.resize(fields, (0, Ready::No));
            self.values.memos.resize_with(fields + 1, Memo::default);
        }
        self.stood.fill(0);
        if let Some(first) = self.stood.first_mut() {
            // Group 0: that of clauses that need no further one.
            *first = 1;
        }
        self.values.clear();
    }

    /// Marks what stands in `text`, the value of `field`: what it had before, or what `find` finds.
    #[inline]
    pub(super) fn see(&mut self, field: usize, text: &str, find: &impl Find) {
        let ready = self.look(field, text, find);
        self.values.set(field, ready);
    }

    /// Marks what stands in `text`, which is one of several values, or of any field. The memo of this number remembers it.
    #[inline]
    pub(super) fn see_any(&mut self, memo: usize, text: &str, find: &impl Find) {
        self.look(memo, text, find);
    }

    #[inline]
    fn look(&mut self, memo: usize, text: &str, find: &impl Find) -> Ready {
        let hash = Hash::of(text);
        if let Some(known) = self.values.memos.get(memo)
            && let Some(place) = known.find(hash, text)
        {
            if let Some(known) = known.at(place) {
                add_all(&mut self.touched, &mut self.stood, &known.marks);
            }
            return Ready::Known(place);
        }
        self.look_new(memo, (hash, text), find)
    }

    #[inline(never)]
    fn look_new(&mut self, memo: usize, (hash, text): (Hash, &str), find: &impl Find) -> Ready {
        let Self { touched, stood, values, found, .. } = self;
        let mut ready = Ready::Plain;
        if !text.is_ascii() {
            let (start, end) = values.fold(text);
            ready = Ready::Folded(start, end);
        }
        let folded = match ready {
            Ready::Folded(start, end) => values.folded.get(start..end).unwrap_or_default(),
            _ => text.as_bytes(),
        };
        found.clear();
        find.find(text, folded, found);
        add_all(touched, stood, found);
        let place = values.memos.get_mut(memo).and_then(|memo| memo.keep(hash, text, folded, found));
        place.map_or(ready, Ready::Known)
    }

    #[inline]
    pub(super) fn add_all(&mut self, marks: &[u32]) {
        add_all(&mut self.touched, &mut self.stood, marks);
    }

    /// What was touched, what stood, and the values.
    pub(super) fn parts(&mut self) -> (&mut Vec<u32>, &[u64], &mut Values) {
        (&mut self.touched, &self.stood, &mut self.values)
    }
}

#[inline]
fn add_all(touched: &mut Vec<u32>, stood: &mut [u64], marks: &[u32]) {
    for mark in marks {
        if mark & GROUP == 0 {
            touched.push(*mark);
        } else if let Some(word) = stood.get_mut(((mark >> 6) & ((GROUP >> 6) - 1)) as usize) {
            *word |= 1 << (mark & 63);
        }
    }
}

/// Whether a witness of a group stands in the event.
#[inline]
pub(super) fn has_stood(stood: &[u64], group: u32) -> bool {
    stood.get((group >> 6) as usize).is_some_and(|word| word & 1 << (group & 63) != 0)
}

impl Values {
    #[inline]
    fn clear(&mut self) {
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.ready.fill((0, Ready::No));
            self.event = 1;
        }
        self.plain.clear();
        self.folded.clear();
        if self.folded.capacity() > FOLDED_BYTES {
            self.folded = Vec::new();
        }
    }

    #[inline]
    fn set(&mut self, field: usize, value: Ready) {
        if let Some(ready) = self.ready.get_mut(field) {
            *ready = (self.event, value);
            if matches!(value, Ready::Plain) {
                self.plain.push(field);
            }
        }
    }

    #[inline]
    fn ready(&self, field: usize) -> Ready {
        match self.ready.get(field) {
            Some((event, ready)) if *event == self.event => *ready,
            _ => Ready::No,
        }
    }

    /// Folds the values that are not folded yet; `alone` gives that of a field.
    pub(super) fn fold_plain<'e>(&mut self, alone: impl Fn(usize) -> Alone<'e>) {
        while let Some(field) = self.plain.pop() {
            if let Alone::Text(text) = alone(field) {
                let (start, end) = self.fold(text);
                self.set(field, Ready::Folded(start, end));
            }
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

    fn ask_single(&self, single: &Single<K>) -> bool {
        match self.known(single.field) {
            Some(known) => known.answer(single.number, || single.node.holds(self)),
            None => single.node.holds(self),
        }
    }

    fn ask(&self, key: K, tests: &Tests<K>) -> bool {
        let Values { memos, folded, .. } = self.values;
        match self.values.ready(tests.field) {
            Ready::No => self.record.any(key, |value| any_holds(tests, value, self.record)),
            Ready::Plain => self.ask_plain(key, tests),
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
    /// What is known of the value of a field that came before.
    #[inline]
    fn known(&self, field: usize) -> Option<&Known> {
        match self.values.ready(field) {
            Ready::Known(place) => self.values.memos.get(field)?.at(place),
            _ => None,
        }
    }

    /// Whether one of `tests` holds for the text of the field, which is ASCII.
    fn ask_plain<K: Key>(&self, key: K, tests: &Tests<K>) -> bool
    where
        R: Record<K>,
    {
        let Alone::Text(text) = self.record.alone(key) else { return false };
        tests.iter().any(|test| match test {
            Test::Text(matcher) => matcher.matches_ascii(text),
            other => other.holds(Scalar::Text(text), self.record),
        })
    }

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
