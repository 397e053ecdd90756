//! The names that rules read, as a tree of keys.

use crate::error::Fault;
use crate::rule::{Key, Schema};
use rustc_hash::FxHashMap;

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
}

/// What may follow at a place.
#[derive(Debug, Default)]
struct Keys {
    children: FxHashMap<Box<str>, Branch>,
    slot: Option<Slot>,
}

impl Default for Shape {
    fn default() -> Self {
        Self { branches: vec![Keys::default()], slots: 0 }
    }
}

impl Shape {
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
    pub(super) fn step(&self, branch: Branch, key: &str) -> Option<Branch> {
        let children = &self.branches.get(branch)?.children;
        if children.is_empty() {
            return None;
        }
        if let Some(next) = children.get(key) {
            return Some(*next);
        }
        if !key.as_bytes().contains(&b'.') {
            return None;
        }
        key.split('.').try_fold(branch, |at, part| self.branches.get(at)?.children.get(part).copied())
    }

    /// Whether anything is read below `branch`.
    pub(super) fn goes_on(&self, branch: Branch) -> bool {
        self.branches.get(branch).is_some_and(|keys| !keys.children.is_empty())
    }

    fn add(&mut self, branch: Branch, part: &str) -> Branch {
        let next = self.branches.len();
        let Some(keys) = self.branches.get_mut(branch) else { return branch };
        let found = *keys.children.entry(part.into()).or_insert(next);
        if found == next {
            self.branches.push(Keys::default());
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
        let branch = name.split('.').fold(ROOT, |at, part| self.add(at, part));
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

    fn cost(self) -> u32 {
        0
    }
}
