//! Analytics: they add facts to events, which rules judge. They never alert.
//!
//! In: events in arrival order. Out: the same events with [`event::Facts`]. Two kinds of one shape each:
//! * an [`Analytic`] sees each event once, in order, and may keep bounded state;
//! * a [`Standing`] fact says something about the container or the path of an event, is the same whenever it is asked,
//!   and is therefore only made where a rule of the event's class reads it, and for the evidence of alerts.
//!
//! The public modules are what analytics over time count with: each holds the bounded state of one entity (a workload, or a
//! workload and a destination), takes plain values with their times, and knows no event. `check_ins` and `heartbeats` keep the first,
//! `asked_names` the next two; no analytic keeps `scan` and `volume` yet.
//!
//! | module | says |
//! |---|---|
//! | `beacon` | how probable it is that a program keeps time |
//! | `generated_name` | how probable it is that a program drew a name, and how many such names did not exist |
//! | `dns_tunnel` | how many bytes went into distinct names below a registered domain |
//! | `scan` | how many places were tried for the first time, and how many of them answered |
//! | `volume` | how much more was sent than is usual |
//! | `registered_domain`, `distinct` | what these count by, and with |
//!
//! Parameters come from the strategies' `yaml analytic` blocks; the code holds the defaults.

mod asked_names;
pub mod beacon;
mod check_ins;
mod content;
pub mod distinct;
pub mod dns_tunnel;
#[cfg(test)]
mod flow_tests;
pub mod generated_name;
mod heartbeats;
mod history;
mod host_path;
mod image;
mod levels;
mod live_flow;
mod lru;
mod parameters;
mod plaintext_client;
mod port;
mod protocol;
pub mod registered_domain;
mod runtime_socket;
pub mod scan;
mod stdio;
#[cfg(test)]
mod tests;
pub mod volume;
mod web;

use event::{Class, Event, FactName, Field};
use levels::Levels;
pub(crate) use lru::Lru;
pub(crate) use parameters::Parameters;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Events that analytics make of others: flows, and facts about entities. They are observed and judged like those of
/// sensors, right after the event that they were made of. No analytic makes events of facts, so the making ends.
pub(crate) type Made = VecDeque<Event>;

/// Adds facts to events as they come.
trait Analytic: std::fmt::Debug {
    /// Looks at the next event, adds what it knows, and says what else follows.
    fn observe(&mut self, event: &mut Event, made: &mut Made);
    /// State that was given up for lack of room since the last call.
    fn lost(&mut self) -> u64 {
        0
    }
}

/// Says something lasting about the container or path of an event.
trait Standing: std::fmt::Debug {
    /// The facts that it may add.
    fn facts(&self) -> &'static [FactName];
    /// Adds what holds.
    fn describe(&self, event: &mut Event);
}

/// All analytics.
#[derive(Debug)]
pub(crate) struct Analytics {
    analytics: Vec<Box<dyn Analytic + Send>>,
    standing: Vec<Box<dyn Standing + Send>>,
    /// By class: numbers of the standing facts that rules of that class read.
    read_by_class: Vec<Vec<usize>>,
}

impl Analytics {
    /// Makes them; `fields` are those that the rules of each class read.
    pub(crate) fn new(parameters: Parameters, fields: &BTreeMap<Class, BTreeSet<Field>>) -> Self {
        let Parameters {
            clients,
            system_directories,
            runtime_sockets,
            web_ports,
            mismatch_confidence,
            beacon_levels,
            tunnel_levels,
            failed_levels,
        } = parameters;
        let mut flows = protocol::FlowProtocol::default();
        flows.mismatch_confidence = mismatch_confidence.unwrap_or(flows.mismatch_confidence);
        flows.whole = fields.contains_key(&Class::NetworkFlow) || fields.contains_key(&Class::Fact);
        let mut analytics: Vec<Box<dyn Analytic + Send>> = vec![
            Box::new(plaintext_client::PlaintextClient { more: clients }),
            Box::new(port::Port),
            Box::new(flows),
            Box::new(content::Content),
            Box::new(stdio::Stdio),
        ];
        if fields.contains_key(&Class::Fact) {
            let (beats, check_ins) = (Levels::new(beacon_levels.clone()), Levels::new(beacon_levels));
            analytics.push(Box::new(heartbeats::Heartbeats::new(beats)));
            analytics.push(Box::new(check_ins::CheckIns::new(check_ins)));
            let (tunnel, failed) = (Levels::new(tunnel_levels), Levels::new(failed_levels));
            analytics.push(Box::new(asked_names::AskedNames::new(tunnel, failed)));
        }
        let standing: Vec<Box<dyn Standing + Send>> = vec![
            Box::new(history::History),
            Box::new(host_path::HostPath { system_directories }),
            Box::new(runtime_socket::RuntimeSocket { sockets: runtime_sockets }),
            Box::new(image::Image),
            Box::new(web::Web { ports: web_ports }),
        ];
        let reads = |class: &Class, facts: &[FactName]| {
            let read = fields.get(class);
            read.is_some_and(|read| read.iter().any(|field| facts.iter().any(|fact| is_of(*field, *fact))))
        };
        let read_by_class = Class::ALL
            .iter()
            .map(|class| {
                let read = standing.iter().enumerate().filter(|(_, one)| reads(class, one.facts()));
                read.map(|(number, _)| number).collect()
            })
            .collect();
        Self { analytics, standing, read_by_class }
    }

    /// Adds the facts that rules of the event's class can read.
    pub(crate) fn observe(&mut self, event: &mut Event, made: &mut Made) {
        for analytic in &mut self.analytics {
            analytic.observe(event, made);
        }
        self.describe(event);
    }

    /// Adds the standing facts that rules of the event's class can read.
    pub(crate) fn describe(&self, event: &mut Event) {
        let read = self.read_by_class.get(event.class() as usize).map_or([].as_slice(), Vec::as_slice);
        for number in read {
            if let Some(standing) = self.standing.get(*number) {
                standing.describe(event);
            }
        }
    }

    /// Adds all facts, for the evidence of an alert.
    pub(crate) fn complete(&self, event: &mut Event) {
        for standing in &self.standing {
            standing.describe(event);
        }
    }

    /// State that was given up for lack of room since the last call.
    pub(crate) fn lost(&mut self) -> u64 {
        self.analytics.iter_mut().map(|analytic| analytic.lost()).sum()
    }
}

/// Whether `field` reads the fact.
fn is_of(field: Field, fact: FactName) -> bool {
    let own = match fact {
        FactName::NoHistory => Field::FactNoHistory,
        FactName::HostPath => Field::FactHostPath,
        FactName::HostSystemFile => Field::FactHostSystemFile,
        FactName::RuntimeSocket => Field::FactRuntimeSocket,
        FactName::UnknownImage => Field::FactUnknownImage,
        FactName::WebService => Field::FactWebService,
        _ => return false,
    };
    field == own
}

/// The container that the event is about, as far as it is known.
fn record(event: &Event) -> Option<&event::Container> {
    match (&event.context.container, &event.kind) {
        (Some(record), _) => Some(record),
        (None, event::Kind::Container(change)) => Some(&change.record),
        _ => None,
    }
}

/// Whether `path` is `directory` or lies in it.
fn lies_in(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
