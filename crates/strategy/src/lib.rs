//! Alerting and Detection Strategy (ADS) documents: Markdown to a checked program.
//!
//! In: text, as `&str`. Out: [`Strategy`]s, whose rules are trees with values ready to be matched, and
//! [`Diagnostic`]s with the place in the document and the cure. [`sigma::read_str`] reads plain Sigma files.
//! Left out on purpose: I/O, the clock, and any evaluation: tests are read here and run elsewhere.

#![forbid(unsafe_code)]

pub mod attack;
pub mod diagnostic;
pub mod document;
pub mod falco;
pub mod import;
pub mod lint;
mod load;
pub mod mapping;
pub mod period;
pub mod sigma;
pub mod source;
mod suggest;
pub mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use document::Document;
pub use load::{Strategy, load, load_to_run};
