//! A map that keeps the keys that were written most recently.
//!
//! Writes append to a queue; an entry of the queue whose stamp is no longer the key's is skipped when its turn
//! comes. So every operation costs O(1) amortised, without links between entries.

use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::Hash;

#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: FxHashMap<K, (V, u64)>,
    queue: VecDeque<(K, u64)>,
    stamp: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: FxHashMap::default(), queue: VecDeque::new(), stamp: 0 }
    }
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes an entry and makes it the most recent one. Says whether the key is new.
    pub(crate) fn insert(&mut self, key: K, value: V) -> bool {
        self.stamp += 1;
        let stamp = self.stamp;
        self.queue.push_back((key, stamp));
        let new = self.entries.insert(key, (value, stamp)).is_none();
        // Stale entries of the queue may be as many as live ones, plus a floor that avoids work on small maps.
        if self.queue.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.queue.retain(|(key, stamp)| entries.get(key).is_some_and(|(_, own)| own == stamp));
        }
        new
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(value, _)| value)
    }

    /// Removes the entry that was written longest ago.
    pub(crate) fn pop_oldest(&mut self) -> Option<(K, V)> {
        while let Some((key, stamp)) = self.queue.pop_front() {
            if self.entries.get(&key).is_some_and(|(_, own)| *own == stamp) {
                return self.remove(&key).map(|value| (key, value));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewriting_a_key_saves_it_from_eviction() {
        let mut map = Recent::default();
        map.insert(1, "one");
        map.insert(2, "two");
        assert!(!map.insert(1, "one again"));
        assert_eq!(map.pop_oldest(), Some((2, "two")));
        assert_eq!(map.pop_oldest(), Some((1, "one again")));
        assert_eq!(map.pop_oldest(), None);
    }

    #[test]
    fn the_queue_stays_bounded_when_one_key_is_written_for_ever() {
        let mut map = Recent::default();
        for round in 0..10_000 {
            map.insert(7, round);
        }
        assert_eq!(map.len(), 1);
        assert!(map.queue.len() <= 67, "{}", map.queue.len());
    }
}
