//! Distinct things over a window that slides, in little room: how many, and how much they weigh together.
//!
//! In: things by hash and weight, with their times. Out: an estimate. Two panes of half a window each are kept, so what
//! is said is of at least half the window and never of more than the whole. Up to 32 things in a pane it is exact; above,
//! the things whose hash is under the 32nd smallest are divided by the share of hashes under it.
//!
//! The hashes have no secret, because the same input must give the same output: who knows them can choose things that
//! hide from the estimate. Counts of everything, distinct or not, stand beside it wherever it is used.
//!
//! Source: Bar-Yossef and others 2002 (the k smallest hashes), error about 1/√30.

/// Things that a pane holds exactly.
const KEPT: usize = 32;

/// A thing by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    hash: u64,
    weight: u16,
}

impl Item {
    /// Of a text without case, with its weight.
    pub fn of_text(text: &str, weight: usize) -> Self {
        Self::of_bytes(text.bytes().map(|byte| byte.to_ascii_lowercase()), weight)
    }

    /// Of bytes, with their weight.
    pub fn of_bytes(bytes: impl Iterator<Item = u8>, weight: usize) -> Self {
        // FNV-1a, mixed so that the upper bits are even (the finalizer of MurmurHash3).
        let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Self { hash: hash ^ (hash >> 33), weight: u16::try_from(weight).unwrap_or(u16::MAX) }
    }
}

/// Distinct things of late: two panes of half the window.
#[derive(Clone, Debug)]
pub struct Distinct {
    pane_ns: u64,
    /// Number of the young pane.
    number: u64,
    old: Pane,
    young: Pane,
}

/// The things with the smallest hashes, in their order.
#[derive(Clone, Debug, Default)]
struct Pane {
    smallest: Vec<Item>,
    /// Some were left out.
    full: bool,
}

impl Distinct {
    /// Nothing yet.
    pub fn new(window_ns: u64) -> Self {
        Self { pane_ns: (window_ns / 2).max(1), number: 0, old: Pane::default(), young: Pane::default() }
    }

    /// Adds a thing; whether it is new here. What comes late counts as of now.
    pub fn add(&mut self, at_ns: u64, item: Item) -> bool {
        let number = at_ns / self.pane_ns;
        if number > self.number {
            let young = std::mem::take(&mut self.young);
            self.old = if number == self.number + 1 { young } else { Pane::default() };
            self.number = number;
        }
        self.young.add(item) && !self.old.holds(item)
    }

    /// Takes a thing back.
    pub fn forget(&mut self, item: Item) {
        for pane in [&mut self.old, &mut self.young] {
            pane.smallest.retain(|kept| *kept != item);
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        (self.old.smallest.capacity() + self.young.smallest.capacity()) * size_of::<Item>()
    }

    /// How many there are, and the sum of their weights.
    pub fn estimate(&self, at_ns: u64) -> [f64; 2] {
        let panes: &[&Pane] = match (at_ns / self.pane_ns).saturating_sub(self.number) {
            0 => &[&self.old, &self.young],
            1 => &[&self.young],
            _ => &[],
        };
        let full = panes.iter().filter(|pane| pane.full);
        // Below this hash every thing is known, in each pane.
        let bound = full.filter_map(|pane| pane.smallest.last()).map(|item| item.hash).min();
        let mut items: Vec<Item> = panes.iter().flat_map(|pane| pane.smallest.iter().copied()).collect();
        items.sort_unstable();
        items.dedup();
        items.retain(|item| bound.is_none_or(|bound| item.hash < bound));
        let share = bound.map_or(1.0, |bound| bound as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE);
        let weight = items.iter().fold(0.0, |sum, item| sum + f64::from(item.weight));
        [items.len() as f64 / share, weight / share]
    }
}

impl Pane {
    fn holds(&self, item: Item) -> bool {
        self.smallest.binary_search(&item).is_ok()
    }

    /// Whether the item was not here; a full pane cannot tell for things above its bound, which then count as new.
    fn add(&mut self, item: Item) -> bool {
        let Err(place) = self.smallest.binary_search(&item) else { return false };
        if self.smallest.len() >= KEPT {
            self.full = true;
            if place >= KEPT {
                return true;
            }
            self.smallest.pop();
        }
        self.smallest.insert(place, item);
        true
    }
}
