//! The groups of one correlation: found by their values, ended by time, evicted by use.
//!
//! Each group stands once in a heap of the times at which something is to be done for it. An event does not touch the
//! heap: a group whose time comes and that was used since is put back with its new time.

use super::blocks::Blocks;
use super::compile::Correlation;
use super::joinable::Joinable;
use super::log::Log;
use super::state::{Around, Met, Settled, State, Taken, Tally, values_of};
use crate::judge::Group;
use compact_str::CompactString;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a group stands.
pub(super) type Place = u32;

/// A group's values, their hash, and where it stood when it was looked for before.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) text: &'a str,
    pub(super) hash: u64,
    pub(super) place: Option<Place>,
}

/// Groups of one correlation.
#[derive(Debug)]
pub(super) struct Table<R> {
    slots: Vec<Option<Slot<R>>>,
    free: Vec<Place>,
    /// Where groups stand, by key.
    places: HashTable<Found>,
    /// When something is to be done for the group in a slot, or before that.
    dues: BinaryHeap<Reverse<(u64, Place)>>,
    /// About how much the groups hold, their blocks included.
    bytes: usize,
    log: Log<R>,
}

// What an event reads of a group that holds little: a pair of lines of the processor's cache, which come together.
#[derive(Debug)]
#[repr(align(128))]
struct Slot<R> {
    key: CompactString,
    hash: u64,
    /// Time of the last event.
    last: u64,
    state: State<R>,
}

/// Where a group stands, and half of its key's hash: what is looked for is found without reading the groups.
#[derive(Debug, Clone, Copy)]
struct Found {
    half: u32,
    place: Place,
}

/// What a group said.
pub(super) struct Said<R> {
    pub(super) group: Group,
    pub(super) met: Met<R>,
    /// When it became true.
    pub(super) time: u64,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            places: HashTable::new(),
            dues: BinaryHeap::new(),
            bytes: 0,
            log: Log::default(),
        }
    }
}

/// The half of a hash by which groups are not yet told apart: the index goes by the lower bits and the highest.
fn half(hash: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a half is what is wanted")]
    let half = (hash >> 24) as u32;
    half
}

fn index(place: Place) -> usize {
    place as usize
}

fn slot_of<R>(slots: &[Option<Slot<R>>], place: Place) -> Option<&Slot<R>> {
    slots.get(index(place))?.as_ref()
}

impl<R: Joinable> Table<R> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// About how much the groups hold, with the events that are kept to be shown.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.log.bytes()
    }

    /// About how much of it the events are that are kept only to be shown.
    pub(super) fn shown_bytes(&self) -> usize {
        self.log.bytes()
    }

    /// The earliest time at which something may be to be done.
    pub(super) fn due(&self) -> Option<u64> {
        self.dues.peek().map(|Reverse((due, _))| *due)
    }

    /// Where the group of a key with this hash may be.
    pub(super) fn place_of(&self, hash: u64) -> Option<Place> {
        self.places.find(hash, |found| found.half == half(hash)).map(|found| found.place)
    }

    /// Reads the group at `place`; what it gives has no meaning.
    pub(super) fn touch(&self, place: Place) -> u64 {
        slot_of(&self.slots, place).map_or(0, |slot| slot.last ^ u64::from(slot.key.is_empty()))
    }

    /// Reads what taking a judgement into the group at `place` reads at which all before `oldest` is over; what it gives
    /// has no meaning.
    pub(super) fn fetch(&self, place: Place, oldest: u64, blocks: &Blocks) -> u64 {
        slot_of(&self.slots, place).map_or(0, |slot| slot.state.fetch(blocks, oldest))
    }

    /// Takes a judgement into the group of `key`, and says what it completes.
    #[inline]
    pub(super) fn take(
        &mut self,
        correlation: &Correlation<R::Field>,
        key: Key<'_>,
        taken: Taken<'_, R>,
        around: (&mut Blocks, &mut String, &FixedState, &mut Tally),
    ) -> Option<Said<R>> {
        let (time, timespan) = (taken.time, taken.timespan);
        let (blocks, scratch, hasher, tally) = around;
        self.log.forget_before(time.saturating_sub(timespan));
        let known = self.find(key);
        if known.is_none() && !correlation.kind.heeds_first(taken.place) {
            return None;
        }
        let number = known.unwrap_or_else(|| self.open(correlation, key, time));
        let slot = self.slots.get_mut(index(number))?.as_mut()?;
        slot.last = slot.last.max(time);
        let before = slot.state.bytes() + blocks.bytes();
        let around = Around { log: &mut self.log, blocks, scratch, hasher, tally };
        let met = slot.state.take(correlation, taken, around);
        self.bytes = (self.bytes + slot.state.bytes() + blocks.bytes()).saturating_sub(before);
        if known.is_none() {
            self.dues.push(Reverse((slot.state.due(slot.last, timespan), number)));
        }
        let group = |slot: &Slot<R>| values_of(&slot.key, group_len(correlation));
        met.map(|met| Said { group: group(slot), met, time })
    }

    fn find(&self, key: Key<'_>) -> Option<Place> {
        let is_it = |place: Place| {
            slot_of(&self.slots, place).is_some_and(|slot| slot.hash == key.hash && slot.key == key.text)
        };
        let is_found = |found: &Found| found.half == half(key.hash) && is_it(found.place);
        let known = key.place.filter(|place| is_it(*place));
        known.or_else(|| self.places.find(key.hash, is_found).map(|found| found.place))
    }

    /// Forgets the oldest of the events that are kept to be shown. Says whether there were any.
    pub(super) fn shorten(&mut self) -> bool {
        self.log.shorten()
    }

    /// A new group; its place.
    fn open(&mut self, correlation: &Correlation<R::Field>, key: Key<'_>, time: u64) -> Place {
        let hash = key.hash;
        let slot =
            Slot { key: key.text.into(), hash, last: time, state: State::new(&correlation.kind, time) };
        self.bytes += slot.own_bytes() + slot.state.bytes();
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                // Limits are far below 2^32 groups.
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(empty) = self.slots.get_mut(index(place)) {
            *empty = Some(slot);
        }
        let slots = &self.slots;
        let rehash = |found: &Found| slot_of(slots, found.place).map_or(0, |slot| slot.hash);
        self.places.insert_unique(hash, Found { half: half(hash), place }, rehash);
        place
    }

    /// Looks after the group whose time comes first, if that is before `now`; says what it still had to say.
    pub(super) fn settle(
        &mut self,
        correlation: &Correlation<R::Field>,
        now: u64,
        blocks: &mut Blocks,
    ) -> Option<Said<R>> {
        let Reverse((due, place)) = *self.dues.peek()?;
        if due >= now {
            return None;
        }
        let slot = self.slots.get_mut(index(place)).and_then(Option::as_mut);
        let settled = slot.map(|slot| {
            let before = slot.state.bytes();
            let settled = slot.state.settle(&correlation.kind, (slot.last, due), correlation.timespan);
            self.bytes = (self.bytes + slot.state.bytes()).saturating_sub(before);
            settled
        });
        match settled {
            Some(Settled::Later(later)) => {
                if let Some(mut first) = self.dues.peek_mut() {
                    first.0.0 = later;
                }
                None
            }
            Some(Settled::Over(met)) => {
                self.dues.pop();
                let slot = self.close(place, blocks)?;
                let group = values_of(&slot.key, group_len(correlation));
                met.map(|met| Said { group, met, time: due })
            }
            None => {
                self.dues.pop();
                None
            }
        }
    }

    /// Gives up the group whose time is over first. Says whether there was one.
    pub(super) fn evict(&mut self, correlation: &Correlation<R::Field>, blocks: &mut Blocks) -> bool {
        while let Some(Reverse((due, place))) = self.dues.peek().copied() {
            let slot = slot_of(&self.slots, place);
            match slot.map(|slot| slot.state.due(slot.last, correlation.timespan)) {
                Some(real) if real > due => {
                    if let Some(mut first) = self.dues.peek_mut() {
                        first.0.0 = real;
                    }
                }
                _ => {
                    self.dues.pop();
                    if self.close(place, blocks).is_some() {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn close(&mut self, place: Place, blocks: &mut Blocks) -> Option<Slot<R>> {
        let mut slot = self.slots.get_mut(index(place))?.take()?;
        if let Ok(entry) = self.places.find_entry(slot.hash, |found| found.place == place) {
            entry.remove();
        }
        self.free.push(place);
        self.bytes = self.bytes.saturating_sub(slot.own_bytes() + slot.state.bytes());
        let before = blocks.bytes();
        slot.state.release(blocks);
        self.bytes = (self.bytes + blocks.bytes()).saturating_sub(before);
        Some(slot)
    }
}

/// How many values a group has.
fn group_len<F>(correlation: &Correlation<F>) -> usize {
    correlation.group_by.first().map_or(0, Vec::len)
}

impl<R> Slot<R> {
    /// The slot, its places in the index and the heap, and its key.
    fn own_bytes(&self) -> usize {
        let key = if self.key.is_heap_allocated() { self.key.capacity() } else { 0 };
        size_of::<Option<Self>>() + size_of::<(u64, Place)>() + 2 * size_of::<Found>() + key
    }
}
