//! Who acts, as one word on every source: the only place that says it.
//!
//! Where sensors know containers, it is the container. Captures and Zeek's logs know addresses only: there the own
//! end's address stands for the container behind it. A process of the host is no workload.

use super::read::{compact, ends};
use super::{Field, Value};
use crate::container::Container;
use crate::event::{Event, Kind};
use crate::identity::{ContainerId, Sensor};
use compact_str::{CompactString, ToCompactString, format_compact};
use std::net::IpAddr;

/// Labels by which the kubelet and Docker Compose say what a container is an instance of.
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_NAME: &str = "io.kubernetes.pod.name";
const COMPOSE_PROJECT: &str = "com.docker.compose.project";
const COMPOSE_SERVICE: &str = "com.docker.compose.service";

/// Whether the event is somebody's act of whom only the address is known.
fn is_known_by_address(event: &Event) -> bool {
    let sensor = match &event.kind {
        Kind::Fact(turn) => turn.sensor,
        _ => event.id.sensor,
    };
    matches!(sensor, Sensor::Capture | Sensor::Zeek)
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// A container.
    Container(ContainerId),
    /// Whoever stands behind an address.
    Address(IpAddr),
}

/// Whose act the event is. Cost: no allocation.
pub fn workload(event: &Event) -> Option<Workload> {
    if let Some(id) = event.container_id() {
        return Some(Workload::Container(*id));
    }
    let ends = ends(event).filter(|_| is_known_by_address(event))?;
    Some(Workload::Address(ends.local_ip))
}

/// Whether the event is the act of a workload.
pub fn has_workload(event: &Event) -> bool {
    workload(event).is_some()
}

pub(super) fn of_workload(event: &Event, field: Field) -> Value<'_> {
    if let Some(id) = event.container_id() {
        return match (&event.context.container, field) {
            (Some(record), Field::WorkloadName) => name(record),
            (None, Field::WorkloadName) => Value::Absent,
            _ => Value::Owned(id.to_compact_string()),
        };
    }
    match ends(event).filter(|_| is_known_by_address(event)) {
        Some(ends) => Value::Ip(ends.local_ip),
        None => Value::Absent,
    }
}

fn name(record: &Container) -> Value<'_> {
    let label = |name: &str| record.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let joined = |of: &CompactString, name: &CompactString| Value::Owned(format_compact!("{of}/{name}"));
    match (label(POD_NAMESPACE), label(POD_NAME), label(COMPOSE_PROJECT), label(COMPOSE_SERVICE)) {
        (Some(namespace), Some(pod), ..) => joined(namespace, pod),
        (.., Some(project), Some(service)) => joined(project, service),
        _ => compact(&record.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{BootTime, Owner};
    use crate::network::{Endpoints, Flow};
    use std::sync::Arc;

    fn event(sensor: Sensor) -> Event {
        let ends = Endpoints { local_ip: [172, 17, 0, 2].into(), ..Endpoints::default() };
        Event::new(sensor, BootTime(1), Kind::Flow(Box::new(Flow { ends, ..Flow::default() })))
    }

    #[test]
    fn a_capture_knows_its_workloads_by_address_and_a_host_has_none() {
        let captured = event(Sensor::Capture);
        assert_eq!(Field::WorkloadId.of(&captured).to_text(), "172.17.0.2");
        assert_eq!(Field::WorkloadName.of(&captured).to_text(), "172.17.0.2");
        assert!(has_workload(&captured) && !has_workload(&event(Sensor::Kernel)));
        assert!(Field::WorkloadId.of(&event(Sensor::Kernel)).is_absent());
        let tick = Event::new(Sensor::Capture, BootTime(1), Kind::Tick);
        assert!(Field::WorkloadId.of(&tick).is_absent() && !has_workload(&tick));
    }

    #[test]
    fn a_container_is_its_own_workload_and_is_called_by_what_it_is_an_instance_of() {
        let id = ContainerId([7; 32]);
        let mut live = Event { owner: Owner::Container(id), ..event(Sensor::Kernel) };
        assert_eq!(Field::WorkloadId.of(&live).to_text(), id.to_string());
        let label = |name: &str, value: &str| (name.into(), value.into());
        for (labels, expect) in [
            (vec![], "web-1"),
            (vec![label(COMPOSE_PROJECT, "shop"), label(COMPOSE_SERVICE, "web")], "shop/web"),
            (vec![label(POD_NAMESPACE, "prod"), label(POD_NAME, "web-0")], "prod/web-0"),
        ] {
            let record = Container { id: Some(id), name: "web-1".into(), labels, ..Container::default() };
            live.context.container = Some(Arc::new(record));
            assert_eq!(Field::WorkloadName.of(&live).to_text(), expect);
        }
    }
}
