//! Which containers run: told once each to whoever watches their files, with a process to reach them by, and when they end.
//!
//! In: events as they come from the kernel. Bounded: when the table is full it starts anew, which costs that containers are
//! told of again and nothing else.

use super::link::FromEngine;
use event::kernel::CgroupOp;
use event::{ContainerId, Event, Kind};
use std::collections::BTreeSet;

/// Containers that are remembered.
const CONTAINERS: usize = 8192;

/// The containers so far.
#[derive(Default)]
pub struct Contained(BTreeSet<ContainerId>);

impl Contained {
    /// Looks at an event that passes, and says what follows from it.
    pub fn look(&mut self, event: &Event) -> Option<FromEngine> {
        match &event.kind {
            Kind::Exec(_) | Kind::Snapshot(_) => {
                let container = *event.owner.container()?;
                if self.0.len() >= CONTAINERS {
                    self.0.clear();
                }
                let pid = event.actor.as_ref()?.pid;
                self.0.insert(container).then_some(FromEngine::Container { container, pid })
            }
            Kind::Cgroup(cgroup) if cgroup.op == CgroupOp::Removed => {
                let container = cgroup.container?;
                self.0.remove(&container).then_some(FromEngine::ContainerEnded { container })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::kernel::Cgroup;
    use event::{Actor, BootTime, Exec, Owner, Sensor};
    use std::sync::Arc;

    #[test]
    fn a_container_is_told_with_its_first_process_and_when_it_ends() {
        let id = ContainerId([3; 32]);
        let mut exec = Event::new(Sensor::Kernel, BootTime(1), Kind::Exec(Arc::new(Exec::default())));
        exec.owner = Owner::Container(id);
        exec.actor = Some(Actor { pid: 40, ..Actor::default() });
        let mut contained = Contained::default();
        assert!(matches!(contained.look(&exec), Some(FromEngine::Container { pid: 40, .. })));
        assert!(contained.look(&exec).is_none());
        let cgroup = Cgroup { op: CgroupOp::Removed, container: Some(id), ..Cgroup::default() };
        let removed = Event::new(Sensor::Kernel, BootTime(2), Kind::Cgroup(Box::new(cgroup)));
        assert!(matches!(contained.look(&removed), Some(FromEngine::ContainerEnded { .. })));
        assert!(contained.look(&exec).is_some(), "it came again");
    }
}
