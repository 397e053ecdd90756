//! Conditions over Watchkeeper's own events.
//!
//! In: a rule. Out: per class of events a [`Plan`] over fields of the catalogue, and what has no counterpart. The class
//! takes the place of `evt.type`: for each class the condition is read as it stands there, so that what cannot hold
//! falls away, together with the fields that it would have needed. docs/falco.md has the table of fields.

use super::event_type::{self, CLASSES, OPENED, Operations};
use super::expression::{Check, Operand, Operator, Quantifier, Right, Transformer};
use super::plan::{self, Computed, Fields, Kind, Meaning, Plan};
use super::{Rule, SYSCALL, lex};
use crate::sigma::{Cidr, Matcher, Order, Pattern, Segment};
use crate::yaml::Number;
use event::{Class, Field};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod result;
mod special;

/// The source of Kubernetes audit rules.
const KUBERNETES_AUDIT: &str = "k8s_audit";

/// What of a rule can run over typed events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Typed {
    /// By class of events: the condition.
    pub runs: Vec<(Class, Plan<Field>)>,
    /// By class of events for which it cannot run: the fields and the like that have no counterpart.
    pub missing: Vec<(Class, Vec<String>)>,
    /// Event types in the condition that no sensor gives.
    pub unsensed: Vec<String>,
}

impl Typed {
    /// Everything that has no counterpart, each once.
    pub fn all_missing(&self) -> Vec<String> {
        let mut all: Vec<String> = self.missing.iter().flat_map(|(_, names)| names.clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// What of `rule` can run.
///
/// # Errors
/// No sensor gives events of its source, or a check cannot run on any event.
pub fn plans(rule: &Rule) -> Result<Typed, String> {
    let classes: &[Class] = match rule.source.as_str() {
        SYSCALL => &CLASSES,
        KUBERNETES_AUDIT => &[Class::Api],
        other => return Err(format!("no sensor gives events of the source `{other}`")),
    };
    let mut typed = Typed::default();
    for class in classes {
        let plan = plan::plan(&rule.condition, &Catalogue { class: *class })?;
        let missing = plan.missing();
        match plan {
            Plan::Always(false) => {}
            _ if !missing.is_empty() => typed.missing.push((*class, missing)),
            plan => typed.runs.push((*class, plan)),
        }
    }
    let mut unsensed = BTreeSet::new();
    rule.condition.for_each_check(&mut |check| {
        let Some((_, values)) = special::values(check).filter(|_| is_field(check, "evt.type")) else {
            return;
        };
        for value in values {
            if !unsensed.contains(value) && !event_type::is_sensed(value) {
                unsensed.insert(value.to_owned());
            }
        }
    });
    typed.unsensed = unsensed.into_iter().collect();
    Ok(typed)
}

/// The field of the catalogue that `name` is in events of `class`, where it is one.
pub fn field(class: Class, name: &str, argument: Option<&str>) -> Option<Field> {
    match (Catalogue { class }.field(name, argument), name) {
        (Meaning::Value(Computed::Field(field), _), _) => Some(field),
        (Meaning::Any(values, _), _) => match values.as_slice() {
            [(_, Computed::Field(field))] => Some(*field),
            _ => None,
        },
        (_, "proc.cmdline") => Some(Field::CommandLine),
        _ => None,
    }
}

fn is_field(check: &Check, wanted: &str) -> bool {
    matches!(&check.left, Operand::Field { name, argument: None } if name == wanted)
}

/// The catalogue, as far as events of one class have it.
struct Catalogue {
    class: Class,
}

impl Fields for Catalogue {
    type Field = Field;

    fn field(&self, name: &str, argument: Option<&str>) -> Meaning<Field> {
        let full = || match argument {
            Some(argument) => format!("{name}[{argument}]"),
            None => name.to_owned(),
        };
        let class = name.split('.').next().unwrap_or("");
        let found = match (class, argument) {
            ("proc" | "thread" | "user", argument) => self.of_process(name, argument),
            ("container", None) => of_container(name),
            ("fd", None) => self.of_descriptor(name),
            ("evt", None) => self.of_event(name),
            ("ka", None) => of_request(name),
            _ => None,
        };
        found.unwrap_or_else(|| Meaning::Missing(full()))
    }

    fn special(&self, check: &Check) -> Option<Plan<Field>> {
        special::plan(self.class, check)
    }
}

fn value(field: Field, kind: Kind) -> Option<Meaning<Field>> {
    Some(Meaning::Value(Computed::Field(field), kind))
}

fn exactly(field: Field, words: &[&str]) -> Plan<Field> {
    let pattern = |word: &&str| Matcher::Pattern(Pattern { cased: true, ..Pattern::literal(*word) });
    Plan::Ask(field, words.iter().map(pattern).collect())
}

impl Catalogue {
    fn of_process(&self, name: &str, argument: Option<&str>) -> Option<Meaning<Field>> {
        let level = argument.map(str::parse::<usize>);
        let ancestor = |level: usize| Computed::Nth(Field::Ancestors, level - 1);
        match (name, level) {
            ("proc.name" | "proc.aname", Some(Ok(0))) | ("proc.name", None) => {
                value(Field::ProcessTask, Kind::Text)
            }
            ("proc.pname", None) | ("proc.aname", Some(Ok(1))) => value(Field::ParentName, Kind::Text),
            ("proc.aname", Some(Ok(level))) => {
                let name = Computed::Call(Transformer::Basename, vec![ancestor(level)]);
                Some(Meaning::Value(name, Kind::Text))
            }
            ("proc.aname", None) => {
                let names = Computed::Call(Transformer::Basename, vec![Computed::Field(Field::Ancestors)]);
                Some(Meaning::Value(names, Kind::Text))
            }
            ("proc.exepath", None) | ("proc.aexepath", Some(Ok(0))) => value(Field::Image, Kind::Text),
            ("proc.pexepath", None) | ("proc.aexepath", Some(Ok(1))) => value(Field::ParentImage, Kind::Text),
            ("proc.aexepath", Some(Ok(level))) => Some(Meaning::Value(ancestor(level), Kind::Text)),
            ("proc.aexepath", None) => value(Field::Ancestors, Kind::Text),
            ("proc.cmdline", None) => {
                let line = Computed::CommandLine { name: Field::ProcessTask, line: Field::CommandLine };
                Some(Meaning::Value(line, Kind::Text))
            }
            ("proc.exe", None) => Some(Meaning::Value(Computed::Called(Field::CommandLine), Kind::Text)),
            ("proc.pexe", None) => {
                Some(Meaning::Value(Computed::Called(Field::ParentCommandLine), Kind::Text))
            }
            ("proc.args", None) => Some(Meaning::Value(Computed::Arguments(Field::CommandLine), Kind::Text)),
            ("proc.pcmdline", None) => value(Field::ParentCommandLine, Kind::Text),
            ("proc.cwd", None) => value(Field::CurrentDirectory, Kind::Text),
            ("proc.env", None) => value(Field::ProcessEnv, Kind::Text),
            ("proc.pid", None) => value(Field::ProcessId, Kind::Number),
            ("proc.ppid", None) => value(Field::ParentProcessId, Kind::Number),
            ("proc.is_exe_upper_layer", None) => value(Field::ProcessNotInImage, Kind::Bool),
            ("proc.is_exe_from_memfd", None) => value(Field::ProcessMemfd, Kind::Bool),
            ("user.uid", None) => value(Field::UserId, Kind::Number),
            ("user.loginuid", None) => value(Field::LoginUserId, Kind::Number),
            _ => None,
        }
    }

    fn of_descriptor(&self, name: &str) -> Option<Meaning<Field>> {
        match self.class {
            Class::FileEvent => {
                let opened = exactly(Field::EventOperation, OPENED);
                let file = match name {
                    "fd.name" => Computed::Field(Field::TargetFilename),
                    "fd.filename" => Computed::Field(Field::FileName),
                    "fd.directory" => Computed::Directory(Field::TargetFilename),
                    "fd.num" | "fd.nameraw" | "fd.ino" | "fd.dev" | "fd.is_upper_layer" => return None,
                    _ => return Some(Meaning::Never),
                };
                Some(Meaning::Any(vec![(opened, file)], Kind::Text))
            }
            Class::NetworkConnection => of_connection(name),
            Class::UnixSocket => match name {
                "fd.name" => value(Field::SocketPath, Kind::Text),
                "fd.num" => None,
                _ => Some(Meaning::Never),
            },
            Class::FdChange => match name {
                "fd.num" => value(Field::FdNumber, Kind::Number),
                _ => None,
            },
            Class::ProcessCreation | Class::ProcessFork | Class::ProcessTermination | Class::Signal => {
                Some(Meaning::Never)
            }
            _ => None,
        }
    }

    fn of_event(&self, name: &str) -> Option<Meaning<Field>> {
        let argument = name.strip_prefix("evt.arg.")?;
        let field = |field| value(field, Kind::Text);
        match (self.class, argument) {
            (Class::FileEvent, "path" | "name" | "filename" | "oldpath" | "target") => {
                field(Field::TargetFilename)
            }
            (Class::FileEvent, "newpath" | "linkpath") => field(Field::FileTarget),
            (Class::Syscall, "flags" | "request" | "cmd") => field(Field::SyscallDetail),
            (Class::Syscall, "path" | "dir") => field(Field::SyscallPath),
            (Class::Syscall, "name" | "dev") => field(Field::SyscallSource),
            (
                _,
                "path" | "oldpath" | "newpath" | "linkpath" | "target" | "request" | "cmd" | "mode"
                | "domain",
            ) => Some(Meaning::Never),
            _ => None,
        }
    }
}

fn of_container(name: &str) -> Option<Meaning<Field>> {
    match name {
        "container.id" | "container.full_id" => value(Field::ContainerId, Kind::Text),
        "container.name" => value(Field::ContainerName, Kind::Text),
        "container.image" => value(Field::ContainerImage, Kind::Text),
        "container.image.repository" => value(Field::ContainerImageName, Kind::Text),
        "container.image.tag" => value(Field::ContainerImageTag, Kind::Text),
        "container.image.id" => value(Field::ContainerImageId, Kind::Text),
        "container.privileged" => value(Field::ContainerPrivileged, Kind::Bool),
        "container.host_pid" => value(Field::ContainerHostPid, Kind::Bool),
        "container.host_network" => value(Field::ContainerHostNetwork, Kind::Bool),
        "container.host_ipc" => value(Field::ContainerHostIpc, Kind::Bool),
        _ => None,
    }
}

/// The ends of a connection: `c` the one that opened it, `s` the other, `l` the own, `r` the peer's.
fn of_connection(name: &str) -> Option<Meaning<Field>> {
    let initiated = |whether| Plan::Ask(Field::Initiated, vec![Matcher::Bool(whether)]);
    let ends = |own: Field, peer: Field, end: &str, kind| {
        let (own, peer) = (Computed::Field(own), Computed::Field(peer));
        let values = match end {
            "l" => vec![(Plan::Always(true), own)],
            "r" => vec![(Plan::Always(true), peer)],
            "s" => vec![(initiated(true), peer), (initiated(false), own)],
            "c" => vec![(initiated(true), own), (initiated(false), peer)],
            _ => vec![(Plan::Always(true), own), (Plan::Always(true), peer)],
        };
        Some(Meaning::Any(values, kind))
    };
    let part = name.strip_prefix("fd.")?;
    match part {
        "ip" | "net" => ends(Field::SourceIp, Field::DestinationIp, "", Kind::Address),
        "port" => ends(Field::SourcePort, Field::DestinationPort, "", Kind::Number),
        "l4proto" => value(Field::Protocol, Kind::Text),
        "rip.name" => value(Field::DestinationHostname, Kind::Text),
        "sip.name" => {
            let name = Computed::Field(Field::DestinationHostname);
            Some(Meaning::Any(vec![(initiated(true), name)], Kind::Text))
        }
        "directory" | "filename" => Some(Meaning::Never),
        _ => {
            let (end, what) = part.split_at_checked(1).filter(|(end, _)| "lrsc".contains(end))?;
            match what {
                "ip" | "net" => ends(Field::SourceIp, Field::DestinationIp, end, Kind::Address),
                "port" => ends(Field::SourcePort, Field::DestinationPort, end, Kind::Number),
                _ => None,
            }
        }
    }
}

/// Requests to the Kubernetes API.
fn of_request(name: &str) -> Option<Meaning<Field>> {
    match name {
        "ka.verb" => value(Field::ApiVerb, Kind::Text),
        "ka.target.resource" => value(Field::ApiResource, Kind::Text),
        "ka.target.subresource" => value(Field::ApiSubresource, Kind::Text),
        "ka.target.namespace" => value(Field::ApiNamespace, Kind::Text),
        "ka.target.name" => value(Field::ApiName, Kind::Text),
        "ka.user.name" => value(Field::ApiUser, Kind::Text),
        "ka.sourceips" => value(Field::ApiSource, Kind::Text),
        "ka.useragent" => value(Field::ApiUserAgent, Kind::Text),
        "ka.response.code" => value(Field::ApiStatus, Kind::Number),
        "ka.req.pod.containers.image" | "ka.req.container.image" => value(Field::ApiImages, Kind::List),
        _ => None,
    }
}
