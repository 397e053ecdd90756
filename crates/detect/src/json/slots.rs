//! The values of one event that rules read, as places in its text.

use super::customs::Customs;
use super::items::JsonItem;
use super::scan::{Cursor, Quoted, Range, unescape};
use super::shape::{Shape, Slot};
use crate::rule::{Alone, Presence, Record, Scalar};

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw {
    Null,
    Bool(bool),
    /// As it is written.
    Number(Range),
    /// A string without escapes, between its quotation marks.
    Text(Range),
    /// A string with escapes: where it stands, and where in [`Slots::plain`] it stands without them.
    Escaped(Range, Range),
    Map(Range),
    List(Range),
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Maps around it.
    pub(super) depth: u32,
    /// Number of the outermost list around it; 0 outside of lists.
    pub(super) list: u32,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    raw: Raw,
    place: Place,
    /// Its further values in [`Slots::more`], first and last.
    more: Option<(usize, usize)>,
}

/// The values of one event by slot. Kept from event to event, so that none allocates.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    cells: Vec<Option<Cell>>,
    /// The slots that have a value.
    filled: Vec<Slot>,
    /// Further values of slots to which a path leads through a list, each with the place of the next.
    more: Vec<(Raw, Option<usize>)>,
    /// Every value of the event, where rules have keywords.
    all: Vec<Raw>,
    pub(super) keeps_all: bool,
    plain: String,
    pub(super) customs: Customs,
}

impl Slots {
    /// Says that many events of `shape` follow, whose keys are worth remembering.
    pub(crate) fn expect_many(&mut self, shape: &Shape) {
        self.customs.keep(shape.id());
    }

    /// Forgets the last event; `keeps_all` says whether every value of the next is kept.
    pub(super) fn clear(&mut self, shape: &Shape, keeps_all: bool) {
        for slot in self.filled.drain(..) {
            if let Some(cell) = self.cells.get_mut(slot.0) {
                *cell = None;
            }
        }
        if self.cells.len() < shape.slots() {
            self.cells.resize(shape.slots(), None);
        }
        self.more.clear();
        self.all.clear();
        self.plain.clear();
        self.keeps_all = keeps_all;
    }

    /// A string, its escapes read.
    pub(super) fn string(&mut self, cursor: &Cursor<'_>, quoted: Quoted) -> Raw {
        if !quoted.is_escaped {
            return Raw::Text(quoted.range);
        }
        let Range { start, end } = quoted.range;
        let bytes = cursor.bytes.get(start as usize..end as usize).unwrap_or_default();
        let from = self.plain.len();
        unescape(&String::from_utf8_lossy(bytes), &mut self.plain);
        Raw::Escaped(quoted.range, Range::new(from, self.plain.len()))
    }

    /// Keeps a value of the event, for keywords.
    pub(super) fn keep(&mut self, raw: Raw) {
        if self.keeps_all && !matches!(raw, Raw::Map(_) | Raw::List(_) | Raw::Null) {
            self.all.push(raw);
        }
    }

    /// Keeps the value of `slot`: the one that stands least deep, and of two that stand equally deep the last.
    pub(super) fn put(&mut self, slot: Slot, raw: Raw, place: Place) {
        let Some(cell) = self.cells.get_mut(slot.0) else { return };
        match cell {
            None => self.filled.push(slot),
            Some(known) if known.place.list != 0 && known.place.list == place.list => {
                let next = self.more.len();
                if let Some((_, last)) = known.more
                    && let Some((_, link)) = self.more.get_mut(last)
                {
                    *link = Some(next);
                }
                known.more = Some((known.more.map_or(next, |(first, _)| first), next));
                return self.more.push((raw, None));
            }
            Some(known) if known.place.depth < place.depth => return,
            Some(_) => {}
        }
        *cell = Some(Cell { raw, place, more: None });
    }
}

/// One event: its text, and where in it the values stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonRecord<'e> {
    pub(crate) text: &'e str,
    pub(crate) slots: &'e Slots,
}

impl<'e> JsonRecord<'e> {
    fn raws(&self, slot: Slot) -> impl Iterator<Item = Raw> {
        let slots = self.slots;
        let cell = slots.cells.get(slot.0).copied().flatten();
        let mut next = cell.and_then(|cell| cell.more).map(|(first, _)| first);
        let more = std::iter::from_fn(move || {
            let (raw, link) = slots.more.get(next?)?;
            next = *link;
            Some(*raw)
        });
        cell.map(|cell| cell.raw).into_iter().chain(more)
    }

    fn ask(&self, raw: Raw, ask: &mut impl FnMut(Scalar<'_>) -> bool) -> bool {
        match raw {
            Raw::Null => ask(Scalar::Null),
            Raw::Bool(flag) => ask(Scalar::Bool(flag)),
            Raw::Number(range) => ask(Scalar::Number(range.of(self.text))),
            Raw::Text(range) => ask(Scalar::Text(range.of(self.text))),
            Raw::Escaped(_, plain) => ask(Scalar::Text(plain.of(&self.slots.plain))),
            Raw::Map(_) => ask(Scalar::Map),
            Raw::List(range) => members(range.of(self.text), ask),
        }
    }

    /// The JSON of a value.
    fn source(&self, raw: Raw) -> &'e str {
        let quoted = |range: Range| Range { start: range.start.saturating_sub(1), end: range.end + 1 };
        match raw {
            Raw::Null => "null",
            Raw::Bool(true) => "true",
            Raw::Bool(false) => "false",
            Raw::Number(range) | Raw::Map(range) | Raw::List(range) => range.of(self.text),
            Raw::Text(range) | Raw::Escaped(range, _) => quoted(range).of(self.text),
        }
    }
}

impl Record<Slot> for JsonRecord<'_> {
    fn presence(&self, slot: Slot) -> Presence {
        match self.slots.cells.get(slot.0).copied().flatten() {
            None => Presence::Missing,
            Some(Cell { raw: Raw::Null, .. }) => Presence::Null,
            Some(_) => Presence::Here,
        }
    }

    #[inline]
    fn any(&self, slot: Slot, mut ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        match self.slots.cells.get(slot.0).copied().flatten() {
            None => false,
            Some(cell) if cell.place.list == 0 => self.ask(cell.raw, &mut ask),
            Some(_) => self.raws(slot).any(|raw| self.ask(raw, &mut ask)),
        }
    }

    #[inline]
    fn alone(&self, slot: Slot) -> Alone<'_> {
        match self.slots.cells.get(slot.0).copied().flatten() {
            None => Alone::Nothing,
            Some(Cell { more: Some(_), .. }) => Alone::Other,
            Some(Cell { raw: Raw::Text(range), .. }) => Alone::Text(range.of(self.text)),
            Some(Cell { raw: Raw::Escaped(_, plain), .. }) => Alone::Text(plain.of(&self.slots.plain)),
            Some(_) => Alone::Other,
        }
    }

    fn keys(&self) -> Option<&[Slot]> {
        Some(&self.slots.filled)
    }

    fn any_value(&self, mut ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        self.slots.all.iter().any(|raw| self.ask(*raw, &mut ask))
    }

    fn for_each_item(&self, slot: Slot, see: &mut dyn FnMut(JsonItem<'_>)) {
        for raw in self.raws(slot) {
            match raw {
                Raw::List(range) => for_each_source(range.of(self.text), see),
                Raw::Null => {}
                one => see(JsonItem(self.source(one))),
            }
        }
    }
}

/// Whether `ask` says yes to a member of the list that `text` is, or of a list in it.
fn members(text: &str, ask: &mut impl FnMut(Scalar<'_>) -> bool) -> bool {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    while let Ok(byte) = cursor.peek() {
        let start = cursor.at;
        let holds = match byte {
            b'[' | b']' | b',' => {
                cursor.at += 1;
                continue;
            }
            b'"' => match cursor.string() {
                Ok(quoted) => ask(Scalar::Text(&cursor.text(quoted))),
                Err(_) => return false,
            },
            b'{' => match cursor.skip_composite() {
                Ok(()) => ask(Scalar::Map),
                Err(_) => return false,
            },
            _ => {
                let rest = text.get(start..).unwrap_or("");
                let length = rest.find([',', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                cursor.at += length.max(1);
                ask(match rest.get(..length).unwrap_or("") {
                    "null" => Scalar::Null,
                    "true" => Scalar::Bool(true),
                    "false" => Scalar::Bool(false),
                    number => Scalar::Number(number),
                })
            }
        };
        if holds {
            return true;
        }
    }
    false
}

/// Calls `see` with each item of the list that `text` is.
fn for_each_source(text: &str, see: &mut dyn FnMut(JsonItem<'_>)) {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 1 };
    while let Ok(byte) = cursor.peek() {
        let start = cursor.at;
        match byte {
            b']' | b',' => {
                cursor.at += 1;
                continue;
            }
            b'"' if cursor.string().is_err() => return,
            b'{' | b'[' if cursor.skip_composite().is_err() => return,
            b'"' | b'{' | b'[' => {}
            _ => {
                let rest = text.get(start..).unwrap_or("");
                cursor.at += rest.find([',', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()).max(1);
            }
        }
        see(JsonItem(text.get(start..cursor.at).unwrap_or("null")));
    }
}
