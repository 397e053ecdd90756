//! Judgements of several members in any order, in the window that ends at each of them.

use super::holds::{Holds, bit};
use super::joinable::Joinable;
use super::state::{Met, Taken};
use smallvec::SmallVec;

/// The latest event of each member.
#[derive(Debug)]
pub(super) struct Together<R> {
    latest: SmallVec<[Option<(u64, R)>; 2]>,
}

impl<R> Default for Together<R> {
    fn default() -> Self {
        Self { latest: SmallVec::new() }
    }
}

impl<R: Joinable> Together<R> {
    /// Takes an event of a member; says whether the members of the window are those that `holds` asks for. Events that
    /// are not needed any more are given to `spend`.
    pub(super) fn take(
        &mut self,
        taken: Taken<'_, R>,
        (members, holds): (usize, &Holds),
        mut spend: impl FnMut(R),
    ) -> Option<Met<R>> {
        self.latest.resize_with(members, || None);
        let slot = self.latest.get_mut(taken.place)?;
        let timespan = taken.timespan;
        if slot.as_ref().is_none_or(|(time, _)| *time <= taken.time)
            && let Some((_, earlier)) = slot.replace((taken.time, taken.event))
        {
            spend(earlier);
        }
        let newest = self.latest.iter().flatten().map(|(time, _)| *time).max()?;
        let oldest = newest.saturating_sub(timespan);
        let mut seen = 0;
        for (place, slot) in self.latest.iter_mut().enumerate() {
            match slot {
                Some((time, _)) if *time < oldest => {
                    if let Some((_, over)) = slot.take() {
                        spend(over);
                    }
                }
                Some(_) => seen |= bit(place),
                None => {}
            }
        }
        if !holds.given(seen) {
            return None;
        }
        let mut members: Vec<R> = self.latest.drain(..).flatten().map(|(_, event)| event).collect();
        members.sort_by_key(Joinable::moment);
        members.dedup_by_key(|event| event.moment());
        #[expect(clippy::cast_precision_loss, reason = "there are at most 64 members")]
        let count = members.len() as f64;
        Some(Met { members, count })
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.latest.iter().flatten().fold(0, |all, (time, _)| all ^ time)
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        self.latest.iter().flatten().count() * R::HELD_BYTES
    }
}
