//! Falco rules: YAML files and their filter language, as rules that the engine runs.
//!
//! In: rule files in their order; later ones append to earlier ones and override them. Out: [`Rule`]s whose conditions
//! have their macros, lists and exceptions written out, and all that is wrong, with places. [`json`] and [`typed`] make
//! a [`Plan`] of a condition, over JSON in Falco's own form and over Watchkeeper's events. Left out on purpose: matching, plugins, and the formatting of outputs.
//!
//! Sources: falcosecurity/falco, `userspace/engine/rule_loader_*.cpp` (files, appending, exceptions); falcosecurity/libs,
//! `userspace/libsinsp/filter/parser.h` (grammar) and `sinsp_filtercheck.cpp` (comparisons); the notes of Falco 0.44
//! (`oneof`, `anyof`, `allof`, keys that are refused).

mod collect;
pub mod event_type;
mod exception;
mod expand;
pub mod expression;
pub mod field;
mod glob;

mod item;
pub mod json;
mod lex;
mod matcher;
mod parse;
pub mod plan;
#[cfg(test)]
mod tests;
mod text;
pub mod typed;
mod value;

pub use expression::{Check, Expression, Operand, Operator, Quantifier, Right};
pub use plan::{Computed, Plan};

use crate::diagnostic::Problem;
use crate::source::{Fragment, Span};
use crate::yaml;
use event::alert::Severity as Level;

/// The version of Falco's engine whose language is read: that of Falco 0.44.
pub const ENGINE_VERSION: (u32, u32, u32) = (0, 58, 0);
/// The source of events that a rule is about where it does not say.
pub const SYSCALL: &str = "syscall";

/// A file of rules.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t> {
    /// Its name, for whoever reads messages.
    pub name: &'t str,
    /// Its text.
    pub text: &'t str,
}

/// Rules of several files, read together.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules without a mistake, in the order in which they were first written.
    pub rules: Vec<Rule>,
    /// What is wrong: what it is about is left out, the rest is read.
    pub errors: Vec<Finding>,
    /// What was understood, but should be written otherwise.
    pub warnings: Vec<Finding>,
}

/// A finding in one of the files.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which of the inputs, from 0.
    pub file: usize,
    /// What and where.
    pub problem: Problem,
}

/// A rule with all of its condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name; unique.
    pub name: String,
    /// What it finds.
    pub desc: String,
    /// The condition: macros, lists and exceptions are written out.
    pub condition: Expression,
    /// The sentence of the alert, with `%field`s.
    pub output: String,
    /// How bad it is.
    pub priority: Priority,
    /// Where its events come from.
    pub source: String,
    /// Tags, in the order of the text.
    pub tags: Vec<String>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Which of the inputs it was first written in, from 0.
    pub file: usize,
    /// Place of the name.
    pub span: Span,
}

/// Falco's words for how bad something is, those of syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Priority {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
}

impl Priority {
    /// All, worst first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// The word in Falco's output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    /// The priority of this name, in any case; `INFO` is informational.
    pub fn by_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("info") {
            return Some(Self::Informational);
        }
        Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(name))
    }

    /// The severity of an alert of it: the same steps as in the output `--format falco`.
    pub fn level(self) -> Level {
        match self {
            Self::Emergency | Self::Alert | Self::Critical => Level::Critical,
            Self::Error => Level::High,
            Self::Warning => Level::Medium,
            Self::Notice => Level::Low,
            Self::Informational | Self::Debug => Level::Informational,
        }
    }
}

/// Reads `files` as one set of rules, in their order. Everything that is wrong comes back at once; cost and memory are
/// bounded whatever the texts hold.
pub fn load(files: &[Input<'_>]) -> RuleSet {
    let mut collected = collect::Collected::default();
    for (file, input) in files.iter().enumerate() {
        match yaml::parse(&Fragment::whole(input.text)) {
            Ok(documents) => item::read(file, &documents, &mut collected),
            Err(problems) => {
                collected.errors.extend(problems.into_iter().map(|problem| Finding { file, problem }));
            }
        }
    }
    expand::rules(collected, files)
}

/// Reads one file of bytes that may be anything.
pub fn load_bytes(bytes: &[u8]) -> RuleSet {
    load(&[Input { name: "rules", text: &String::from_utf8_lossy(bytes) }])
}

/// Whether a YAML text is a list of Falco's items, rather than Sigma or something else. A text that is no YAML is told
/// by its first line that begins an item.
pub fn is_falco(text: &str) -> bool {
    const KEYS: [&str; 5] = ["rule", "macro", "list", "required_engine_version", "required_plugin_versions"];
    let is_item = |line: &str| {
        let Some(entry) = line.strip_prefix('-').map(str::trim_start) else { return false };
        entry.split_once(':').is_some_and(|(key, _)| KEYS.contains(&key.trim_end()))
    };
    let begins = |line: &&str| {
        let line = line.trim_end();
        !line.is_empty() && !line.starts_with(['#', '%', ' ']) && line != "---"
    };
    text.trim_start_matches('\u{feff}').lines().find(begins).is_some_and(|line| {
        // An item may begin with any of its keys; the others follow, indented.
        is_item(line)
            || line.starts_with('-')
                && text.lines().any(|line| {
                    let line = line.trim_start_matches(['-', ' ']);
                    line.split_once(':').is_some_and(|(key, _)| matches!(key, "rule" | "macro" | "list"))
                })
    })
}
