//! Standing fact: a container offers a web service.
//!
//! In: container events with published ports, and sockets that listen or accept. Out: `web_service`, with the port.
//! Left out on purpose: what the service speaks, which [`super::protocol`] says once somebody talks to it.

use super::Standing;
use event::network::ConnectionOp;
use event::{Event, Fact, FactName, Kind};

#[derive(Debug)]
pub(super) struct Web {
    /// Ports on which web services run.
    pub(super) ports: Vec<u16>,
}

impl Standing for Web {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::WebService]
    }

    fn describe(&self, event: &mut Event) {
        if event.container_id().is_none() {
            return;
        }
        let port = match &event.kind {
            Kind::Connection(connection)
                if matches!(connection.op, ConnectionOp::Listen | ConnectionOp::Accept) =>
            {
                Some(connection.ends.local_port).filter(|port| self.ports.contains(port))
            }
            Kind::Container(_) => super::record(event)
                .and_then(|record| record.ports.iter().find_map(|published| self.published(published))),
            _ => None,
        };
        if let Some(port) = port {
            event.facts.add(Fact::text(
                FactName::WebService,
                compact_str::ToCompactString::to_compact_string(&port),
            ));
        }
    }
}

impl Web {
    /// The web port in `0.0.0.0:8080->80/tcp`: the container's own, else the host's.
    fn published(&self, text: &str) -> Option<u16> {
        let (outer, inner) = text.split_once("->").unwrap_or(("", text));
        let (inner, transport) = inner.split_once('/').unwrap_or((inner, "tcp"));
        if transport != "tcp" {
            return None;
        }
        let outer = outer.rsplit(':').next();
        [Some(inner), outer]
            .into_iter()
            .flatten()
            .find_map(|port| port.parse().ok().filter(|p| self.ports.contains(p)))
    }
}
