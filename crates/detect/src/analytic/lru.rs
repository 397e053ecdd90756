//! A table that is bounded in entries and in time, and counts what it had to give up.

use event::BootTime;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::time::Duration;

/// Entries in the order of their last use.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: FxHashMap<K, Entry<V>>,
    order: BTreeMap<u64, K>,
    next: u64,
    limit: usize,
    keep: Duration,
    evicted: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: BootTime,
    number: u64,
}

impl<K: Hash + Eq + Copy, V> Lru<K, V> {
    /// An empty table of at most `limit` entries, each kept for `keep` after its last use.
    pub(crate) fn new(limit: usize, keep: Duration) -> Self {
        let (entries, order) = (FxHashMap::default(), BTreeMap::new());
        Self { entries, order, next: 0, limit, keep, evicted: 0 }
    }

    /// The entry of `key`, made where it is missing, and used at `now`.
    pub(crate) fn touch(&mut self, key: K, now: BootTime, make: impl FnOnce() -> V) -> Option<&mut V> {
        self.forget(now);
        let number = self.next;
        self.next += 1;
        match self.entries.get(&key).map(|entry| entry.number) {
            Some(old) => {
                self.order.remove(&old);
            }
            None if self.entries.len() >= self.limit => {
                if let Some((_, oldest)) = self.order.pop_first() {
                    self.entries.remove(&oldest);
                    self.evicted += 1;
                }
            }
            None => {}
        }
        self.order.insert(number, key);
        let entry = self.entries.entry(key).or_insert_with(|| Entry { value: make(), used: now, number });
        (entry.used, entry.number) = (now.max(entry.used), number);
        Some(&mut entry.value)
    }

    /// Takes the entry of `key`.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.number);
        Some(entry.value)
    }

    /// Drops what was last used too long before `now`.
    pub(crate) fn forget(&mut self, now: BootTime) {
        while let Some((&number, &key)) = self.order.first_key_value() {
            match self.entries.get(&key) {
                Some(entry) if now.since(entry.used) <= self.keep => return,
                _ => {
                    self.order.remove(&number);
                    self.entries.remove(&key);
                }
            }
        }
    }

    /// Takes the entry that was last used longest ago, where that is too long before `now`.
    pub(crate) fn take_idle(&mut self, now: BootTime) -> Option<V> {
        let (_, key) = self.order.first_key_value()?;
        let is_idle = self.entries.get(key).is_some_and(|entry| now.since(entry.used) > self.keep);
        let (_, key) = is_idle.then(|| self.order.pop_first())??;
        self.entries.remove(&key).map(|entry| entry.value)
    }

    /// Takes the entry that was last used longest ago, where there is no room for `key` beside it. Who takes it counts it.
    pub(crate) fn make_room(&mut self, key: &K) -> Option<V> {
        let is_full = self.entries.len() >= self.limit && !self.entries.contains_key(key);
        is_full.then(|| self.pop()).flatten()
    }

    /// Takes the entry that was last used longest ago, unless it is `key`'s.
    pub(crate) fn take_other(&mut self, key: &K) -> Option<V> {
        let (_, oldest) = self.order.first_key_value()?;
        (oldest != key).then(|| self.pop()).flatten()
    }

    fn pop(&mut self) -> Option<V> {
        let (_, oldest) = self.order.pop_first()?;
        self.entries.remove(&oldest).map(|entry| entry.value)
    }

    /// Entries given up for lack of room since the last call.
    pub(crate) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }
}
