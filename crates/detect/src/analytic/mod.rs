//! Analytics: they add facts to events, which rules judge. They never alert.
//!
//! In: events in arrival order. Out: the same events with [`event::Facts`]. Two kinds of one shape each:
//! * an [`Analytic`] sees each event once, in order, and may keep bounded state;
//! * a [`Standing`] fact says something about the container or the path of an event, is the same whenever it is asked,
//!   and is therefore only made where a rule of the event's class reads it, and for the evidence of alerts.
//!
//! The public modules are what analytics over time count with: each holds the bounded state of one entity (a workload, or a
//! workload and a destination), takes plain values with their times, and knows no event.
//!
//! | module | says | kept by |
//! |---|---|---|
//! | `beacon` | how probable it is that a program keeps time | `check_ins`, `heartbeats` |
//! | `generated_name` | how probable it is that a program drew a name, and how many such names did not exist | `asked_names` |
//! | `dns_tunnel` | how many bytes went into distinct names below a registered domain | `asked_names` |
//! | `scan` | how many places were tried for the first time, and how many of them answered | `first_contacts` |
//! | `login` | that a server refuses a login in plain | `attempts` |
//! | `volume` | how much more was sent than is usual | `uploads` |
//! | `registered_domain`, `distinct` | what these count by, and with | |
//!
//! Parameters come from the strategies' `yaml analytic` blocks; the code holds the defaults.

mod asked_names;
mod attempts;
pub mod beacon;
mod check_ins;
mod content;
pub mod distinct;
pub mod dns_tunnel;
mod first_contacts;
#[cfg(test)]
mod flow_tests;
pub mod generated_name;
mod heartbeats;
mod history;
mod host_path;
mod image;
mod known;
mod levels;
mod listed;
mod listener;
mod live_flow;
pub mod login;
mod lru;
mod managed_by;
mod neighbours;
mod parameters;
mod plaintext_client;
mod port;
mod protocol;
pub mod registered_domain;
mod resolved;
mod runtime_socket;
pub mod scan;
mod stdio;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traffic_tests;
mod uploads;
pub mod volume;
mod web;

use event::{Class, Event, FactName, Field};
use levels::Levels;
pub use listener::listener;
pub(crate) use lru::{Lru, hash_of};
pub(crate) use parameters::Parameters;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

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
    /// Of what is known to be bad.
    on_lists: listed::OnLists,
    /// By class: numbers of the standing facts that rules of that class read.
    read_by_class: Vec<Vec<usize>>,
}

impl Analytics {
    /// Makes them; `fields` are those that the rules of each class read.
    pub(crate) fn new(mut parameters: Parameters, fields: &BTreeMap<Class, BTreeSet<Field>>) -> Self {
        let standing = standing(&mut parameters);
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
        let on_lists = listed::OnLists::new(&parameters.indicators);
        Self { analytics: analytics(parameters, fields), standing, on_lists, read_by_class }
    }

    /// Takes the lists of what is known to be bad.
    pub(crate) fn take_lists(&mut self, lists: Arc<crate::intel::Set>) {
        self.on_lists.take(lists);
    }

    /// Adds the facts that rules of the event's class can read.
    pub(crate) fn observe(&mut self, event: &mut Event, made: &mut Made) {
        for analytic in &mut self.analytics {
            analytic.observe(event, made);
        }
        self.on_lists.observe(event, made);
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

/// What says something lasting, with the lists that it is given.
fn standing(parameters: &mut Parameters) -> Vec<Box<dyn Standing + Send>> {
    let Parameters { system_directories, runtime_sockets, web_ports, managers, .. } = parameters;
    vec![
        Box::new(history::History),
        Box::new(host_path::HostPath { system_directories: std::mem::take(system_directories) }),
        Box::new(runtime_socket::RuntimeSocket { sockets: std::mem::take(runtime_sockets) }),
        Box::new(image::Image),
        Box::new(managed_by::ManagedBy { programs: std::mem::take(managers) }),
        Box::new(web::Web { ports: std::mem::take(web_ports) }),
    ]
}

/// What looks at events in their order: that of which no rule reads a fact is left out.
fn analytics(
    parameters: Parameters,
    fields: &BTreeMap<Class, BTreeSet<Field>>,
) -> Vec<Box<dyn Analytic + Send>> {
    let reads = |facts: &[Field]| fields.values().flatten().any(|field| facts.contains(field));
    let mut flows = protocol::FlowProtocol::default();
    flows.mismatch_confidence = parameters.mismatch_confidence.unwrap_or(flows.mismatch_confidence);
    flows.whole = fields.contains_key(&Class::NetworkFlow) || fields.contains_key(&Class::Fact);
    let mut analytics: Vec<Box<dyn Analytic + Send>> = vec![
        Box::new(plaintext_client::PlaintextClient { more: parameters.clients }),
        Box::new(port::Port),
        Box::new(flows),
        Box::new(content::Content),
        Box::new(stdio::Stdio),
    ];
    if fields.contains_key(&Class::Fact) {
        let levels = Levels::new;
        let (tunnel, failed) = (levels(parameters.tunnel_levels), levels(parameters.failed_levels));
        let (bytes, runs) = (levels(parameters.upload_levels), levels(parameters.run_levels));
        let logins = levels(parameters.login_levels);
        let (beats, check_ins) = (levels(parameters.beacon_levels.clone()), levels(parameters.beacon_levels));
        analytics.push(Box::new(heartbeats::Heartbeats::new(beats, parameters.heartbeat_period_s)));
        analytics.push(Box::new(check_ins::CheckIns::new(check_ins)));
        analytics.push(Box::new(asked_names::AskedNames::new(tunnel, failed)));
        analytics.push(Box::new(first_contacts::FirstContacts::new(levels(parameters.scan_levels))));
        analytics.push(Box::new(attempts::Attempts::new(logins, parameters.attempt)));
        analytics.push(Box::new(uploads::Uploads::new(bytes, runs)));
    }
    if reads(&[Field::FactPodPeer]) {
        analytics.push(Box::new(neighbours::Neighbours::default()));
    }
    if reads(&resolved::FIELDS) {
        analytics.push(Box::new(resolved::Resolved::new(parameters.lists)));
    }
    analytics
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
        FactName::ManagedBy => Field::FactManagedBy,
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
