//! Who may have a watched file open for writing: those who touched it since it was last found changed, and of the earlier
//! ones those who still run.

use compact_str::CompactString;
use event::change::{Look, Place};
use event::{Actor, Owner, ProcessKey};
use std::path::Path;

/// Writers of one file that are kept; the youngest count.
const WRITERS: usize = 8;

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) owner: Owner,
    pub(crate) actor: Option<Actor>,
    pub(crate) operation: CompactString,
    /// Where it found the file, where that is another path.
    pub(crate) seen_at: CompactString,
}

/// Those of one file, in the order of their acts.
#[derive(Debug, Default)]
pub(crate) struct Writers(Vec<Writer>);

impl Writers {
    /// Adds who acted.
    pub(crate) fn add(&mut self, look: &Look, place: &Place) {
        let key = |actor: &Option<Actor>| actor.as_ref().map(Actor::key);
        self.0.retain(|writer| key(&writer.actor) != key(&look.actor));
        if self.0.len() >= WRITERS {
            self.0.remove(0);
        }
        let (actor, operation) = (look.actor.clone(), look.operation.clone());
        self.0.push(Writer { owner: look.owner, actor, operation, seen_at: place.seen_at.clone() });
    }

    /// The last one.
    pub(crate) fn latest(&self) -> Option<&Writer> {
        self.0.last()
    }

    /// Whose acts they all were; `None` where they differ, or where there are too many to know.
    pub(crate) fn only_owner(&self) -> Option<Owner> {
        let first = self.0.first()?.owner;
        (self.0.len() < WRITERS && self.0.iter().all(|writer| writer.owner == first)).then_some(first)
    }

    /// A change was told of: whoever has ended has had his share in it.
    pub(crate) fn keep_living(&mut self) {
        self.0.retain(|writer| writer.actor.as_ref().is_some_and(|actor| runs(actor.key())));
    }
}

/// Whether the process runs. A number that was given again counts as running, which keeps a writer too long at worst.
fn runs(process: ProcessKey) -> bool {
    Path::new("/proc").join(process.pid.to_string()).exists()
}
