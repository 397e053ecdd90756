//! The names that rules read, as a tree of keys.

use crate::error::Fault;
use crate::rule::{Key, Schema};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of a name: the key of a field of a JSON event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(super) usize);

/// Number of a place in the tree.
pub(super) type Branch = usize;
/// The place of the event itself.
pub(super) const ROOT: Branch = 0;

/// All names that rules read.
#[derive(Debug)]
pub(crate) struct Shape {
    branches: Vec<Keys>,
    slots: usize,
    id: u64,
}

/// The number of the next shape.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// What may follow at a place.
#[derive(Debug)]
struct Keys {
    children: FxHashMap<Box<[u8]>, Branch>,
    /// A bit for each hash of the length and the ends of a child's key: most keys of events are none, and not looked up.
    hints: [u64; HINT_WORDS],
    /// Whether a child has children, so that a key with dots may lead to them.
    goes_deeper: bool,
    slot: Option<Slot>,
}

/// See [`Keys::hints`].
const HINT_WORDS: usize = 16;

impl Default for Keys {
    fn default() -> Self {
        Self { children: FxHashMap::default(), hints: [0; HINT_WORDS], goes_deeper: false, slot: None }
    }
}

impl Keys {
    #[inline]
    fn child(&self, key: &[u8]) -> Option<Branch> {
        let (word, bit) = hint(key);
        let may_be = self.hints.get(word).is_some_and(|word| word >> bit & 1 == 1);
        if may_be { self.children.get(key).copied() } else { None }
    }
}

/// Where a key has its bit among the hints: word and bit.
#[inline]
fn hint(key: &[u8]) -> (usize, u32) {
    let end = |byte: Option<&u8>| u64::from(byte.copied().unwrap_or(0));
    let ends = end(key.first()) | end(key.last()) << 8 | end(key.get(key.len() / 2)) << 16;
    // 2^64 divided by the golden ratio, see `rule::literal`.
    let hash = (ends | (key.len() as u64) << 24).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((hash >> 60) as usize, (hash >> 54 & 63) as u32)
}

impl Default for Shape {
    fn default() -> Self {
        Self { branches: vec![Keys::default()], slots: 0, id: next_id() }
    }
}

impl Shape {
    /// A number that no other shape has, nor this one once it has further names.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// How many names there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The slot of `branch`, where a rule reads it.
    pub(super) fn slot(&self, branch: Branch) -> Option<Slot> {
        self.branches.get(branch)?.slot
    }

    /// Where `key` leads from `branch`, if rules read anything there.
    #[inline]
    pub(super) fn step(&self, branch: Branch, key: &[u8]) -> Option<Branch> {
        let keys = self.branches.get(branch)?;
        match keys.child(key) {
            None if keys.goes_deeper => self.step_deep(branch, key),
            found => found,
        }
    }

    /// Where a key with dots leads, whose parts are keys of maps in each other.
    fn step_deep(&self, branch: Branch, key: &[u8]) -> Option<Branch> {
        memchr::memchr(b'.', key)?;
        let mut parts = key.split(|byte| *byte == b'.');
        parts.try_fold(branch, |at, part| self.branches.get(at)?.child(part))
    }

    /// Whether anything is read below `branch`.
    pub(super) fn goes_on(&self, branch: Branch) -> bool {
        self.branches.get(branch).is_some_and(|keys| !keys.children.is_empty())
    }

    fn add(&mut self, branch: Branch, part: &str) -> Branch {
        let next = self.branches.len();
        let Some(keys) = self.branches.get_mut(branch) else { return branch };
        let found = *keys.children.entry(part.as_bytes().into()).or_insert(next);
        if found == next {
            let (word, bit) = hint(part.as_bytes());
            if let Some(word) = keys.hints.get_mut(word) {
                *word |= 1 << bit;
            }
            self.branches.push(Keys::default());
            self.id = next_id();
        }
        found
    }

    fn slot_at(&mut self, branch: Branch) -> Slot {
        let next = Slot(self.slots);
        let Some(keys) = self.branches.get_mut(branch) else { return next };
        let slot = *keys.slot.get_or_insert(next);
        self.slots += usize::from(slot == next);
        slot
    }
}

impl Schema for Shape {
    type Key = Slot;
    const EMPTY_IS_MISSING: bool = false;

    fn field(&mut self, name: &str) -> Result<Slot, Fault> {
        let (mut before, mut branch) = (None, ROOT);
        for part in name.split('.') {
            if let Some(keys) = before.and_then(|before: Branch| self.branches.get_mut(before)) {
                keys.goes_deeper = true;
            }
            before = Some(branch);
            branch = self.add(branch, part);
        }
        Ok(self.slot_at(branch))
    }

    fn array(&mut self, name: &str) -> Result<Slot, Fault> {
        self.field(name)
    }

    fn item(&mut self) -> Result<Slot, Fault> {
        Ok(self.slot_at(ROOT))
    }
}

impl Key for Slot {
    fn has_few_values(self) -> bool {
        false
    }

    fn number(self) -> usize {
        self.0
    }

    fn cost(self) -> u32 {
        0
    }
}
