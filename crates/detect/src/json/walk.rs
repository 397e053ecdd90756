//! The one walk over an event that fills the slots.

use super::scan::{Cursor, DEPTH_LIMIT, JsonFault, Quoted, Range};
use super::shape::{Branch, ROOT, Shape};
use super::slots::{Place, Raw, Slots};
use super::windows;

/// Reads the value at the start of `bytes` into `slots`; returns where it ends. Every value of it is kept where
/// `keeps_all` says so.
///
/// # Errors
/// The value is cut off, is no JSON, or is nested too deeply.
pub(crate) fn walk(
    bytes: &[u8],
    shape: &Shape,
    slots: &mut Slots,
    keeps_all: bool,
) -> Result<usize, JsonFault> {
    slots.clear(shape, keeps_all);
    let mut walker = Walker { cursor: Cursor { bytes, at: 0 }, shape, slots, open: 0, lists: 0, keys: 0 };
    walker.value(Some(ROOT), Place { depth: 0, list: 0 })?;
    Ok(walker.cursor.at)
}

pub(super) struct Walker<'w, 't> {
    pub(super) cursor: Cursor<'t>,
    pub(super) shape: &'w Shape,
    pub(super) slots: &'w mut Slots,
    /// Maps and lists around the cursor.
    open: usize,
    /// Lists seen so far outside of others.
    lists: u32,
    /// Keys seen so far.
    keys: usize,
}

impl Walker<'_, '_> {
    /// Reads a value that stands at `branch`, or nowhere that rules read.
    pub(super) fn value(&mut self, branch: Option<Branch>, place: Place) -> Result<(), JsonFault> {
        let first = self.cursor.peek()?;
        let start = self.cursor.at;
        let raw = match first {
            b'"' => return self.text(branch, place),
            b'{' => {
                self.map(branch, place)?;
                Raw::Map(Range::new(start, self.cursor.at))
            }
            b'[' => {
                self.list(branch, place)?;
                Raw::List(Range::new(start, self.cursor.at))
            }
            b't' => self.cursor.word("true").map(|()| Raw::Bool(true))?,
            b'f' => self.cursor.word("false").map(|()| Raw::Bool(false))?,
            b'n' => self.cursor.word("null").map(|()| Raw::Null)?,
            _ => Raw::Number(self.cursor.number()?),
        };
        self.slots.keep(raw);
        if let Some(slot) = branch.and_then(|branch| self.shape.slot(branch)) {
            self.slots.put(slot, raw, place);
        }
        Ok(())
    }

    /// Reads a string that stands at `branch`.
    #[inline]
    fn text(&mut self, branch: Option<Branch>, place: Place) -> Result<(), JsonFault> {
        let quoted = self.cursor.string()?;
        let slot = branch.and_then(|branch| self.shape.slot(branch));
        if slot.is_none() && !self.slots.keeps_all {
            return Ok(());
        }
        let raw = self.slots.string(&self.cursor, quoted);
        self.slots.keep(raw);
        if let Some(slot) = slot {
            self.slots.put(slot, raw, place);
        }
        Ok(())
    }

    fn map(&mut self, branch: Option<Branch>, place: Place) -> Result<(), JsonFault> {
        let branch = branch.filter(|branch| self.shape.goes_on(*branch));
        let is_event = self.open == 0;
        let place = Place { depth: place.depth + 1, ..place };
        self.enter()?;
        self.cursor.pass(b'{', "a map")?;
        if !self.cursor.pass_if(b'}')? {
            loop {
                let (next, key) = self.key(branch)?;
                match self.cursor.peek()? {
                    b'"' => self.text(next, place)?,
                    b'{' if is_event && windows::is_event(&self.cursor, key) => self.event(next, place)?,
                    _ => self.value(next, place)?,
                }
                if !self.cursor.pass_if(b',')? {
                    break;
                }
            }
            self.cursor.pass(b'}', "a comma or the end of the map")?;
        }
        self.open -= 1;
        Ok(())
    }

    /// Reads a Windows event flat, and once more where a rule names the whole path.
    fn event(&mut self, branch: Option<Branch>, place: Place) -> Result<(), JsonFault> {
        let start = self.cursor.at;
        windows::event(self, place)?;
        if branch.is_none() {
            return Ok(());
        }
        self.cursor.at = start;
        self.value(branch, place)
    }

    /// Reads a key and the colon after it; returns where it leads from `branch`.
    #[inline]
    fn key(&mut self, branch: Option<Branch>) -> Result<(Option<Branch>, Quoted), JsonFault> {
        self.cursor.peek()?;
        let number = self.keys;
        self.keys += 1;
        if let Some((next, quoted)) = self.slots.customs.find(number, branch, &self.cursor) {
            self.cursor.at = quoted.range.end as usize + 2;
            return Ok((next, quoted));
        }
        let quoted = self.cursor.string()?;
        self.cursor.pass(b':', "a colon")?;
        let next = branch.and_then(|branch| self.step(branch, quoted));
        self.slots.customs.learn(number, branch, next, quoted, &self.cursor);
        Ok((next, quoted))
    }

    /// Calls `entry` with the key of each entry of the map at the cursor; it must read the value.
    #[inline]
    pub(super) fn entries(
        &mut self,
        entry: &mut impl FnMut(&mut Self, Quoted) -> Result<(), JsonFault>,
    ) -> Result<(), JsonFault> {
        self.enter()?;
        self.cursor.pass(b'{', "a map")?;
        if !self.cursor.pass_if(b'}')? {
            loop {
                let key = self.cursor.string()?;
                self.cursor.pass(b':', "a colon")?;
                self.cursor.peek()?;
                entry(self, key)?;
                if !self.cursor.pass_if(b',')? {
                    break;
                }
            }
            self.cursor.pass(b'}', "a comma or the end of the map")?;
        }
        self.open -= 1;
        Ok(())
    }

    /// Where `key` leads from `branch`.
    #[inline]
    pub(super) fn step(&self, branch: Branch, key: Quoted) -> Option<Branch> {
        if key.is_escaped {
            return self.shape.step(branch, self.cursor.text(key).as_bytes());
        }
        self.shape.step(branch, self.cursor.raw(key))
    }

    /// Reads a list; a path through it leads to each of its items.
    fn list(&mut self, branch: Option<Branch>, place: Place) -> Result<(), JsonFault> {
        self.enter()?;
        self.cursor.pass(b'[', "a list")?;
        let mut place = place;
        if place.list == 0 {
            self.lists = self.lists.saturating_add(1);
            place.list = self.lists;
        }
        if !self.cursor.pass_if(b']')? {
            loop {
                match self.cursor.peek()? {
                    b'{' => self.map(branch, place)?,
                    b'[' => self.list(branch, place)?,
                    _ => self.value(None, place)?,
                }
                if !self.cursor.pass_if(b',')? {
                    break;
                }
            }
            self.cursor.pass(b']', "a comma or the end of the list")?;
        }
        self.open -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), JsonFault> {
        if self.open >= DEPTH_LIMIT {
            return Err(JsonFault::TooDeep);
        }
        self.open += 1;
        Ok(())
    }
}
