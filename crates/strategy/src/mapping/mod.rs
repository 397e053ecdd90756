//! Log sources and field names of other products, as events and fields of the catalogue.
//!
//! In: a rule's log source and its detections. Out: per class of events that stands for the log source, the same
//! detections over fields of the catalogue; and what has no source, so that no rule is silent without a word. A log
//! source is one entry of [`SOURCES`], a field one row of its tables: docs/reference/sigma.md is generated from them.
//! Left out on purpose: matching, and names in messages, groups and exceptions, which are those of the catalogue.
//!
//! One event may stand for several records of a log, and one log source for several classes. For each class the
//! condition is read as it stands there ([`fold`]): what cannot hold falls away, and what nobody can tell counts against
//! the rule, whether it is negated or not.

mod audit;
mod fold;
mod http;
mod kubernetes;
mod network;
mod own;
mod reference;
mod system_log;
mod table;
mod value;

pub use reference::markdown;
pub use table::SOURCES;

use crate::sigma::{Detection, Logsource};
use event::{Class, Field};
use fold::{Fold, Folded};
use std::fmt;

/// A log source that rules name.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Category, product and service, as the rule names them.
    pub key: Key,
    /// What stands for it.
    pub given: Given,
}

/// What a rule's log source says: `""` that it does not name this part, `"*"` whatever it says of it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The category.
    pub category: &'static str,
    /// The product.
    pub product: &'static str,
    /// The service.
    pub service: &'static str,
}

/// What stands for a log source.
#[derive(Clone, Copy, Debug)]
pub enum Given {
    /// These events.
    Events(&'static [Events]),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// Events of one class that stand for a log source.
#[derive(Clone, Copy, Debug)]
pub struct Events {
    /// The class.
    pub class: Class,
    /// The operations; all of the class where there is none.
    pub operations: &'static [&'static str],
    /// What names mean, beside those of the catalogue.
    pub names: &'static [&'static [Name]],
    /// The fields that hold the text of the record, where keywords are asked; any field where there is none.
    pub text: &'static [Field],
}

/// A name of another product.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The name.
    pub name: &'static str,
    /// What it means.
    pub meaning: Meaning,
}

/// What a name means in events of one class.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// One of these fields.
    Fields(&'static [Field]),
    /// These words in every event of the class. A question that is more than a word is asked of the field.
    Words(&'static [&'static str], Option<Field>),
    /// A field that calls its values otherwise.
    Coded(Field, &'static [(&'static str, &'static [Code])], Others),
    /// The name of the system call.
    Call,
    /// Nothing, and why.
    Missing(&'static str),
}

/// A value of the catalogue for a word of another product.
#[derive(Clone, Copy, Debug)]
pub enum Code {
    /// This text.
    Text(&'static str),
    /// This number.
    Number(i64),
    /// This number or more.
    From(i64),
    /// Less than this number.
    Below(i64),
    /// Yes or no.
    Bool(bool),
    /// No value.
    Null,
}

/// What of a coded field's other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// Numbers, and whatever is more than a word, are asked as they stand; what another word means is not known.
    Numbers,
    /// All are asked as they stand, numbers as they are written.
    Written,
    /// No event has them.
    Absent,
    /// What they mean is not known.
    Unknown,
}

/// A rule over classes of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What runs.
    pub runs: Vec<Run>,
    /// What of the rule has no source. Where this is not empty the rule is about more than what runs.
    pub lacks: Vec<Lack>,
}

/// A rule over one class of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The class.
    pub class: Class,
    /// The operations; all where there is none.
    pub operations: &'static [&'static str],
    /// The detections, of which all must hold.
    pub detections: Vec<Detection>,
}

/// A field or value without a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    /// The field as the rule names it.
    pub name: String,
    /// The value, where others have a source.
    pub value: Option<String>,
    /// Why.
    pub reason: &'static str,
}

/// Why a rule cannot run over events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmapped {
    /// No event stands for its log source.
    Source {
        /// The log source.
        source: String,
        /// Why.
        reason: &'static str,
    },
    /// A field that is neither of the catalogue nor of the log source.
    Field(String),
    /// All that it is about has no source.
    Lacking(Vec<Lack>),
}

impl fmt::Display for Lack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(out, "`{}: {value}` ({})", self.name, self.reason),
            None => write!(out, "`{}` ({})", self.name, self.reason),
        }
    }
}

impl Key {
    /// Whether `logsource` names it.
    fn is(&self, logsource: &Logsource) -> bool {
        let fits = |own: &str, said: &Option<String>| own == "*" || own == said.as_deref().unwrap_or("");
        fits(self.category, &logsource.category)
            && fits(self.product, &logsource.product)
            && fits(self.service, &logsource.service)
    }
}

impl Events {
    /// What `name` means.
    pub fn meaning(&self, name: &str) -> Option<Meaning> {
        let row = self.names.iter().flat_map(|names| names.iter()).find(|row| row.name == name);
        row.map(|row| row.meaning)
    }
}

/// The events that stand for `logsource`.
///
/// # Errors
/// None do.
pub fn events(logsource: &Logsource) -> Result<Vec<Events>, Unmapped> {
    let source = || {
        let parts = [
            ("product", &logsource.product),
            ("category", &logsource.category),
            ("service", &logsource.service),
        ];
        let said = parts.into_iter().filter_map(|(part, said)| Some(format!("{part} `{}`", said.as_ref()?)));
        said.collect::<Vec<_>>().join(", ")
    };
    if let Some(own) = own::events(logsource) {
        return Ok(vec![own]);
    }
    match SOURCES.iter().find(|source| source.key.is(logsource)).map(|source| source.given) {
        Some(Given::Events(events)) => Ok(events.to_vec()),
        Some(Given::Nothing(reason)) => Err(Unmapped::Source { source: source(), reason }),
        None => Err(Unmapped::Source { source: source(), reason: table::NO_SENSOR }),
    }
}

/// Whether rules of a log source that `events` stand for may name `name`.
pub fn is_known(events: &[Events], name: &str) -> bool {
    Field::by_name(name).is_some() || events.iter().any(|events| events.meaning(name).is_some())
}

/// All names that rules of a log source that `events` stand for may name.
pub fn names(events: &[Events]) -> impl Iterator<Item = &'static str> + Clone {
    let own = events.iter().flat_map(|events| events.names).flat_map(|names| names.iter());
    own.map(|row| row.name).chain(Field::ALL.iter().map(|field| field.name()))
}

/// The fields of the catalogue that `name` stands for in `events`.
pub fn fields(events: &[Events], name: &str) -> Vec<Field> {
    let mut found = Vec::new();
    for events in events {
        match events.meaning(name) {
            Some(Meaning::Fields(fields)) => found.extend(fields),
            Some(Meaning::Coded(field, ..)) => found.push(field),
            Some(Meaning::Words(..) | Meaning::Call | Meaning::Missing(_)) => {}
            None => found.extend(Field::by_name(name)),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// `detections`, of which all must hold, over the events that stand for `logsource`.
///
/// # Errors
/// Nothing of it can run.
pub fn plan(logsource: &Logsource, detections: &[&Detection]) -> Result<Plan, Unmapped> {
    let events = events(logsource)?;
    let (mut runs, mut lacking, mut untold) = (Vec::new(), Vec::new(), Vec::new());
    for one in &events {
        let mut fold = Fold::new(one, &events);
        let folded: Vec<_> = detections.iter().map(|detection| fold.detection(detection)).collect();
        if let Some(name) = fold.unknown.pop() {
            return Err(Unmapped::Field(name));
        }
        untold.append(&mut fold.untold);
        let holds = folded.into_iter().filter_map(Folded::detection).collect::<Vec<_>>();
        let is_whole = holds.len() == detections.len();
        // Records of another kind, which the rule is not about, do not answer for what the others lack.
        if is_whole || !fold.lacks.is_empty() {
            lacking.push(fold.lacks);
        }
        if is_whole {
            runs.push(Run { class: one.class, operations: one.operations, detections: holds });
        }
    }
    let in_all = |lack: &Lack| lacking.iter().all(|own| own.contains(lack));
    let first = lacking.first().map_or([].as_slice(), Vec::as_slice);
    let mut lacks: Vec<Lack> = first.iter().filter(|lack| in_all(lack)).cloned().collect();
    if runs.is_empty() && lacks.is_empty() {
        // What is lacking in one class only may be why nothing is left.
        lacks = untold;
    }
    lacks.sort();
    lacks.dedup();
    if runs.is_empty() { Err(Unmapped::Lacking(lacks)) } else { Ok(Plan { runs, lacks }) }
}

#[cfg(test)]
mod tests;
