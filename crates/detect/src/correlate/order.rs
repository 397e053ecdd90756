//! Judgements of several members in a given order.
//!
//! A chain is members that must follow each other, and members that must not come between them. It is followed from its
//! latest beginning, as that leaves most time for the rest.

use super::holds::bit;
use super::joinable::Joinable;
use super::state::{Met, Taken};
use crate::judge::Moment;

/// Members in order.
#[derive(Debug, PartialEq)]
pub(crate) struct Chain {
    /// The members that must be seen, in their order.
    steps: Vec<usize>,
    /// The members that must not be seen, each with the number of steps that stand before it.
    bars: Vec<(usize, usize)>,
}

impl Chain {
    /// The chain of the members of `with` without those of `without`, of `rules` members in all.
    pub(super) fn new(with: u64, without: u64, rules: usize) -> Self {
        let mut chain = Self { steps: Vec::new(), bars: Vec::new() };
        for place in 0..rules {
            if with & bit(place) != 0 {
                chain.steps.push(place);
            } else if without & bit(place) != 0 {
                chain.bars.push((place, chain.steps.len()));
            }
        }
        chain
    }

    /// Whether an event of the member at `place` means anything where none came before it.
    pub(super) fn heeds_first(&self, place: usize) -> bool {
        self.steps.first() == Some(&place) || self.bars.contains(&(place, 0))
    }

    /// Whether a member after the last must not be seen, so that only the window's end tells.
    fn ends_late(&self) -> bool {
        self.bars.iter().any(|(_, after)| *after == self.steps.len())
    }
}

/// How far the chains of a correlation have come.
#[derive(Debug)]
pub(super) struct Order<R> {
    progress: Vec<Progress<R>>,
}

/// How far one chain has come.
#[derive(Debug)]
struct Progress<R> {
    steps: Vec<Step<R>>,
    /// The last time of a member that must not come before the first.
    led: Option<u64>,
    /// A run that is complete unless the rest of its window breaks it.
    pending: Option<Run<R>>,
}

/// The runs that came to a step and no further.
#[derive(Debug)]
struct Step<R> {
    latest: Option<Run<R>>,
    /// The one before it: what an event continues that began the latest itself.
    earlier: Option<Run<R>>,
}

/// Events that follow each other.
#[derive(Debug, Clone)]
struct Run<R> {
    began: u64,
    last: Moment,
    events: Vec<R>,
}

impl<R: Joinable> Order<R> {
    /// No chain has begun.
    pub(super) fn new(chains: &[Chain]) -> Self {
        let progress = |chain: &Chain| Progress {
            steps: chain.steps.iter().map(|_| Step { latest: None, earlier: None }).collect(),
            led: None,
            pending: None,
        };
        Self { progress: chains.iter().map(progress).collect() }
    }

    /// Takes an event of a member; says whether it completes a chain.
    pub(super) fn take(&mut self, taken: &Taken<'_, R>, chains: &[Chain]) -> Option<Met<R>> {
        let each = self.progress.iter_mut().zip(chains);
        let complete = each.filter_map(|(progress, chain)| progress.take(taken, chain)).next()?;
        *self = Self::new(chains);
        Some(complete.met())
    }

    /// When something is to be done next, if nothing more is seen; `None` where nothing is.
    pub(super) fn due(&self, timespan: u64) -> Option<u64> {
        let first = self.progress.iter().flat_map(Progress::runs).map(|run| run.began).min();
        first.map(|began| began.saturating_add(timespan))
    }

    /// It is `now` and no event up to then is still to come: gives the chain that nothing has broken, forgets the rest
    /// that is over.
    pub(super) fn settle(&mut self, now: u64, timespan: u64) -> Option<Met<R>> {
        let is_over = |run: &Run<R>| run.began.saturating_add(timespan) <= now;
        for progress in &mut self.progress {
            if let Some(run) = progress.pending.take_if(|run| is_over(run)) {
                return Some(run.met());
            }
            progress.forget(is_over);
        }
        None
    }

    /// Reads what taking an event reads.
    pub(super) fn fetch(&self) -> u64 {
        self.progress.iter().flat_map(Progress::runs).fold(0, |all, run| all ^ run.last.0.0)
    }

    /// About how much is held.
    pub(super) fn bytes(&self) -> usize {
        let events: usize = self.progress.iter().flat_map(Progress::runs).map(|run| run.events.len()).sum();
        let steps: usize = self.progress.iter().map(|progress| progress.steps.len()).sum();
        let progress = self.progress.capacity() * size_of::<Progress<R>>();
        progress + steps * size_of::<Step<R>>() + events * R::HELD_BYTES
    }
}

impl<R> Progress<R> {
    fn runs(&self) -> impl Iterator<Item = &Run<R>> {
        let steps = self.steps.iter().flat_map(|step| [&step.latest, &step.earlier]);
        steps.chain([&self.pending]).flatten()
    }

    fn forget(&mut self, is_over: impl Fn(&Run<R>) -> bool) {
        for step in &mut self.steps {
            step.latest.take_if(|run| is_over(run));
            step.earlier.take_if(|run| is_over(run));
        }
        self.pending.take_if(|run| is_over(run));
    }
}

impl<R: Joinable> Progress<R> {
    fn take(&mut self, taken: &Taken<'_, R>, chain: &Chain) -> Option<Run<R>> {
        self.forget(|run| taken.time.saturating_sub(run.began) > taken.timespan);
        for (_, after) in chain.bars.iter().filter(|(member, _)| *member == taken.place) {
            self.bar(*after, taken.time);
        }
        if let Some(step) = chain.steps.iter().position(|member| *member == taken.place) {
            self.extend(step, taken);
        }
        self.complete(taken, chain)
    }

    /// A member was seen that must not be, after so many steps.
    fn bar(&mut self, after: usize, time: u64) {
        if after == self.steps.len() {
            self.pending = None;
        }
        match after.checked_sub(1).and_then(|step| self.steps.get_mut(step)) {
            Some(step) => *step = Step { latest: None, earlier: None },
            None => self.led = self.led.max(Some(time)),
        }
    }

    /// The first step begins anew, another follows the one before it.
    fn extend(&mut self, place: usize, taken: &Taken<'_, R>) {
        let (moment, event) = (taken.moment, &taken.event);
        let follows = |run: &&Run<R>| run.last < moment;
        let mut run = match place.checked_sub(1) {
            None => Run { began: taken.time, last: moment, events: Vec::new() },
            Some(before) => {
                let Some(step) = self.steps.get(before) else { return };
                let mut runs = [&step.latest, &step.earlier].into_iter().flatten();
                let Some(run) = runs.find(follows) else { return };
                run.clone()
            }
        };
        run.last = moment;
        run.events.push(event.clone());
        let Some(step) = self.steps.get_mut(place) else { return };
        if let Some(old) = step.latest.replace(run)
            && old.last < moment
        {
            step.earlier = Some(old);
        }
    }

    /// The run that came to the end, where that is all that it needs.
    fn complete(&mut self, taken: &Taken<'_, R>, chain: &Chain) -> Option<Run<R>> {
        let run = self.steps.last_mut()?.latest.take()?;
        let oldest = taken.time.saturating_sub(taken.timespan);
        if self.led.is_some_and(|led| led >= oldest && led <= run.began) {
            return None;
        }
        if !chain.ends_late() {
            return Some(run);
        }
        // The one that is over first is judged first, and what it says is said for the group.
        self.pending.get_or_insert(run);
        None
    }
}

impl<R> Run<R> {
    fn met(self) -> Met<R> {
        #[expect(clippy::cast_precision_loss, reason = "there are at most 64 steps")]
        let count = self.events.len() as f64;
        Met { members: self.events, count }
    }
}
