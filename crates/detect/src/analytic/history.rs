//! Standing fact: the workload has no history, so nothing that it does can be called new or usual.
//!
//! In: an event of a container. Out: `no_history`. Profiles of workloads are not learned yet, so it holds for every
//! container.

use super::Standing;
use event::{Event, Fact, FactName};

#[derive(Debug)]
pub(super) struct History;

impl Standing for History {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::NoHistory]
    }

    fn describe(&self, event: &mut Event) {
        if event.container_id().is_some() {
            event.facts.add(Fact::flag(FactName::NoHistory));
        }
    }
}
