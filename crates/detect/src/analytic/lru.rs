//! A table that is bounded in entries and in time, and counts what it had to give up.
//!
//! Keys are numbers: those of sockets, or hashes of 64 bits ([`hash_of`]), of which two of a full table are alike in one of 10^11 cases. The
//! order of use is kept without knowing the values, so that a table of another type costs little code.

use event::BootTime;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

/// The key for what an entry is about: the same on every run.
pub(crate) fn hash_of(subject: &impl Hash) -> u64 {
    foldhash::quality::FixedState::with_seed(0).hash_one(subject)
}

/// Entries in the order of their last use.
pub(crate) struct Lru<V> {
    order: Order,
    /// By place.
    values: Vec<Option<V>>,
}

/// Which entries there are, and when each was used.
struct Order {
    slots: FxHashMap<u64, Slot>,
    /// Keys by the number of their last use.
    by_use: BTreeMap<u64, u64>,
    next: u64,
    /// Places without a value, and those whose value is still to be dropped.
    free: Vec<usize>,
    gone: Vec<usize>,
    limit: usize,
    keep: Duration,
    evicted: u64,
}

/// An entry: its place, and its last use.
#[derive(Clone, Copy)]
struct Slot {
    place: usize,
    used: BootTime,
    number: u64,
}

impl<V> Lru<V> {
    /// An empty table of at most `limit` entries, each kept for `keep` after its last use.
    pub(crate) fn new(limit: usize, keep: Duration) -> Self {
        let order = Order {
            slots: FxHashMap::default(),
            by_use: BTreeMap::new(),
            next: 0,
            free: Vec::new(),
            gone: Vec::new(),
            limit,
            keep,
            evicted: 0,
        };
        Self { order, values: Vec::new() }
    }

    /// The entry of `key`, made where it is missing, and used at `now`.
    pub(crate) fn touch(&mut self, key: u64, now: BootTime, make: impl FnOnce() -> V) -> Option<&mut V> {
        let place = self.order.touch(key, now);
        self.drop_gone();
        if place >= self.values.len() {
            self.values.resize_with(place + 1, || None);
        }
        Some(self.values.get_mut(place)?.get_or_insert_with(make))
    }

    /// The entry of `key`, without using it.
    pub(crate) fn find(&self, key: u64) -> Option<&V> {
        let slot = self.order.slots.get(&key)?;
        self.values.get(slot.place)?.as_ref()
    }

    /// Takes the entry of `key`.
    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let place = self.order.remove(key)?;
        self.take(place)
    }

    /// Drops what was last used too long before `now`.
    pub(crate) fn forget(&mut self, now: BootTime) {
        self.order.forget(now);
        self.drop_gone();
    }

    /// Takes the entry that was last used longest ago, where that is too long before `now`.
    pub(crate) fn take_idle(&mut self, now: BootTime) -> Option<V> {
        let place = self.order.take_idle(now)?;
        self.take(place)
    }

    /// Takes the entry that was last used longest ago, where there is no room for `key` beside it. Who takes it counts it.
    pub(crate) fn make_room(&mut self, key: u64) -> Option<V> {
        let slots = &self.order.slots;
        let is_full = slots.len() >= self.order.limit && !slots.contains_key(&key);
        let (_, oldest) = self.order.by_use.first_key_value().filter(|_| is_full)?;
        self.remove(*oldest)
    }

    /// Takes the entry that was last used longest ago, unless it is `key`'s.
    pub(crate) fn take_other(&mut self, key: u64) -> Option<V> {
        let (_, oldest) = self.order.by_use.first_key_value().filter(|(_, oldest)| **oldest != key)?;
        self.remove(*oldest)
    }

    /// Entries given up for lack of room since the last call.
    pub(crate) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.order.evicted)
    }

    fn take(&mut self, place: usize) -> Option<V> {
        self.order.free.push(place);
        self.values.get_mut(place)?.take()
    }

    /// Drops the values of entries that are gone; a place that was given to another entry at once has that one's to come.
    fn drop_gone(&mut self) {
        for place in self.order.gone.drain(..) {
            if let Some(value) = self.values.get_mut(place) {
                *value = None;
            }
        }
    }
}

impl Order {
    /// The place of the entry of `key`, used at `now`.
    fn touch(&mut self, key: u64, now: BootTime) -> usize {
        self.forget(now);
        let number = self.next;
        self.next += 1;
        self.by_use.insert(number, key);
        if let Some(slot) = self.slots.get_mut(&key) {
            let before = slot.number;
            (slot.used, slot.number) = (now.max(slot.used), number);
            let place = slot.place;
            self.by_use.remove(&before);
            return place;
        }
        if self.slots.len() >= self.limit
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.give_up(oldest);
            self.evicted += 1;
        }
        // Every place is that of an entry, or free.
        let place = self.free.pop().unwrap_or(self.slots.len());
        self.slots.insert(key, Slot { place, used: now, number });
        place
    }

    fn remove(&mut self, key: u64) -> Option<usize> {
        let slot = self.slots.remove(&key)?;
        self.by_use.remove(&slot.number);
        Some(slot.place)
    }

    fn forget(&mut self, now: BootTime) {
        while let Some(key) = self.idle(now) {
            self.by_use.pop_first();
            self.give_up(key);
        }
    }

    fn take_idle(&mut self, now: BootTime) -> Option<usize> {
        let key = self.idle(now)?;
        self.remove(key)
    }

    /// The entry that was last used longest ago, where that is too long before `now`.
    fn idle(&self, now: BootTime) -> Option<u64> {
        let (_, key) = self.by_use.first_key_value()?;
        let slot = self.slots.get(key)?;
        (now.since(slot.used) > self.keep).then_some(*key)
    }

    fn give_up(&mut self, key: u64) {
        if let Some(slot) = self.slots.remove(&key) {
            self.gone.push(slot.place);
            self.free.push(slot.place);
        }
    }
}

impl<V> fmt::Debug for Lru<V> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Lru of {} entries", self.order.slots.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_given_up_is_another_entrys_and_keeps_nothing_of_the_first() {
        let mut table: Lru<u32> = Lru::new(2, Duration::from_nanos(100));
        for key in 1..=5 {
            assert_eq!(
                table.touch(key, BootTime(key), || 0).map(|value| {
                    *value += 1;
                    *value
                }),
                Some(1)
            );
        }
        assert_eq!(table.take_evicted(), 3);
        assert_eq!(table.remove(4), Some(1));
        assert_eq!(table.touch(4, BootTime(6), || 7).copied(), Some(7));
        assert_eq!(table.touch(6, BootTime(200), || 9).copied(), Some(9), "the others were forgotten");
        assert_eq!((table.remove(4), table.remove(5), table.values.len()), (None, None, 2));
    }
}
