//! What is wrong with a strategy that cannot run.

use strategy::mapping::{Lack, Unmapped};
use thiserror::Error;

/// A rule or correlation that cannot run. The others do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("strategy `{strategy}`, rule `{rule}`: {fault}")]
pub struct CompileError {
    /// Short name of the strategy.
    pub strategy: String,
    /// Name, id or title of the rule.
    pub rule: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// No such field.
    #[error("field `{0}` is not in the catalogue")]
    UnknownField(String),
    /// No such field in a message.
    #[error("message names `{{{0}}}`, which is no field")]
    UnknownPlaceholder(String),
    /// No event has this log source.
    #[error("log source {source_of_rule} has no events: {reason}")]
    UnknownLogsource {
        /// The log source, part by part.
        source_of_rule: String,
        /// Why.
        reason: &'static str,
    },
    /// Fields and values that no event has.
    #[error("without a source: {}", shown(.0))]
    Unsourced(Vec<Lack>),
    /// A condition over a search that does not exist.
    #[error("condition names `{0}`, which the rule does not define")]
    UndefinedSearch(String),
    /// A placeholder without a value.
    #[error("placeholder `%{0}%` has no value")]
    UnfilledPlaceholder(String),
    /// The regular expression does not compile.
    #[error("regular expression `{0}` cannot be compiled")]
    Regex(String),
    /// A part of Sigma that typed events have no use for, or that does not run yet.
    #[error("{0} cannot run over events")]
    Unsupported(String),
    /// Fields and the like of a Falco rule that events do not have.
    #[error("needs {}, which no sensor gives", listed(.0))]
    NoCounterpart(Vec<String>),
    /// Why a Falco rule cannot run.
    #[error("{0}")]
    Falco(String),
    /// A correlation of rules that do not exist or cannot run.
    #[error("joins `{0}`, which is no rule that runs")]
    UnknownReference(String),
    /// A correlation that joins itself.
    #[error("joins itself through `{0}`")]
    Cycle(String),
    /// A parameter of an analytic.
    #[error("analytic `{name}`: {reason}")]
    Parameter {
        /// The analytic.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

fn shown(lacks: &[Lack]) -> String {
    lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl CompileError {
    /// How to mend it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        self.fault.hint()
    }
}

impl Fault {
    /// How to mend it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Fault::UnknownField(_) | Fault::UnknownPlaceholder(_) => Some("docs/reference lists all fields"),
            Fault::UnknownLogsource { .. } | Fault::Unsourced(_) => {
                Some("docs/reference/sigma.md lists the log sources and the fields that have events")
            }
            Fault::NoCounterpart(_) => Some("docs/falco.md lists the fields that have a counterpart"),
            Fault::UnfilledPlaceholder(_) => {
                Some("give it values in the configuration, as [detect.placeholders]")
            }
            Fault::UnknownReference(_) => Some("name a rule of the same document, or the id of another's"),
            _ => None,
        }
    }
}

impl From<Unmapped> for Fault {
    fn from(unmapped: Unmapped) -> Self {
        match unmapped {
            Unmapped::Source { source, reason } => Self::UnknownLogsource { source_of_rule: source, reason },
            Unmapped::Field(name) => Self::UnknownField(name),
            Unmapped::Lacking(lacks) if lacks.is_empty() => {
                Self::Unsupported("a condition that holds for no event of its log source".to_owned())
            }
            Unmapped::Lacking(lacks) => Self::Unsourced(lacks),
        }
    }
}
