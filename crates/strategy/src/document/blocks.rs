//! The typed content of machine-read blocks, but for rules and tests; exceptions have a file of their own.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use super::exception::{Date, Day, Exception, Maintenance, OneOrMore, Scope, TimeOfDay, date};
use crate::period::Period;

/// `yaml analytic`: the thresholds of an analytic that the rules of the document read. Code holds defaults
/// only, so that a person can read and change them here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytic {
    /// Which analytic.
    pub name: String,
    /// How far it looks back.
    pub window: Option<Period>,
    /// Fewest observations that it judges.
    pub support: Option<u32>,
    /// Levels by name: entering or leaving one makes a fact.
    #[serde(default)]
    pub levels: BTreeMap<String, f64>,
    /// How far below a level the value must fall to leave it, as a share of the level.
    pub hysteresis: Option<f64>,
    /// Alerts per day that the strategy may raise on one host.
    pub budget: Option<f64>,
    /// Other numbers of the analytic, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Lists of the analytic, by name, that join those of the code: directories, ports, programs.
    #[serde(default)]
    pub lists: BTreeMap<String, OneOrMore>,
}

/// `yaml assumption`: what must hold for the strategy to see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// Name within the document.
    pub id: String,
    /// The assumption, one sentence.
    pub statement: String,
    /// Signals of sensors that must be healthy for it to hold.
    pub needs: Vec<String>,
    /// Whether the strategy sees nothing without them, rather than less.
    #[serde(default = "yes")]
    pub blind_when_missing: bool,
}

/// `yaml emulation`: a live act and what it must raise; an act that must raise nothing is a benign control.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emulation {
    /// Name within the document.
    pub id: String,
    /// What is done, one sentence.
    pub act: String,
    /// Technique that is acted.
    pub technique: Option<String>,
    /// Image of the container in which it is done.
    pub image: String,
    /// Command lines, run one after the other by a shell in the container.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Steps in other places than the container; run after `commands`.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What the host must offer: `docker`, `privileged`, `bridge`, ….
    #[serde(default)]
    pub needs: Vec<String>,
    /// What it must raise; nothing for a benign control.
    #[serde(default)]
    pub expect: Vec<Expected>,
}

/// A step of an emulation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Command line.
    pub run: String,
    /// Where.
    #[serde(default, rename = "in")]
    pub place: Place,
    /// Whether the next step begins before this one ends.
    #[serde(default)]
    pub background: bool,
}

/// Where a step runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the emulation's container.
    #[default]
    Container,
    /// On the host.
    Host,
    /// In a second container on the same network: the fake server.
    Peer,
}

/// An alert that an emulation must raise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Name or id of the rule.
    pub rule: String,
    /// From act to alert at most.
    pub within: Period,
}

/// `yaml playbook`: what to do, in order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// The steps.
    pub steps: Vec<PlaybookStep>,
}

/// A step of a playbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookStep {
    /// What to do: one of [`ACTIONS`].
    pub action: String,
    /// To what.
    #[serde(default)]
    pub target: Target,
    /// When.
    #[serde(default)]
    pub when: When,
    /// Who must agree.
    #[serde(default)]
    pub approval: Approval,
    /// After which time it is undone by itself.
    pub undo_after: Option<Period>,
    /// For the responder: why, and what to look at.
    pub note: Option<String>,
}

/// To what a step is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Target {
    #[default]
    Container,
    Process,
    Image,
    Destination,
    File,
    Pod,
    Workload,
    Node,
    People,
}

/// When a step is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// At once.
    #[default]
    Alert,
    /// When a person has judged the alert to be true.
    Confirmed,
    /// When the rest is done.
    Recovery,
}

/// Who must agree to a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// A person.
    #[default]
    Ask,
    /// Nobody.
    Auto,
    /// It is only described, never done.
    Never,
}

/// Actions of playbooks, and what each does.
pub const ACTIONS: &[(&str, &str)] = &[
    ("notify", "tells people through the outputs"),
    ("evidence", "collects a bundle: processes, sockets, changed files, logs"),
    ("capture-packets", "records the container's packets"),
    ("snapshot", "commits the container and exports its changes"),
    ("analyse", "compares configuration, processes, files and flows with image, profile and intel"),
    ("quarantine", "cuts the container off the network"),
    ("disconnect", "detaches the container from its networks"),
    ("block-destination", "cuts the workload off one destination"),
    ("pause", "freezes the container"),
    ("stop", "stops the container with grace"),
    ("kill-process", "ends the process"),
    ("kill-container", "ends the container"),
    ("remove-container", "removes the container"),
    ("remove-image", "removes the image"),
    ("block-image", "refuses the image from now on"),
    ("revoke-exec", "ends exec sessions"),
    ("restore-file", "puts the known-good copy of a watched file back"),
    ("redeploy", "starts the last approved digest with the same configuration"),
    ("write-policy", "writes a seccomp, network or admission policy for review"),
    ("isolate-node", "cuts the host off but for its keepers"),
    ("cordon", "keeps new pods off the node"),
    ("drain", "moves pods off the node"),
    ("delete-pod", "deletes the pod"),
    ("detach-pod", "takes the pod out of its owner"),
    ("scale-to-zero", "scales the workload to zero"),
    ("revoke-token", "revokes the service account's tokens"),
];

fn yes() -> bool {
    true
}
