//! Detection: events to alerts.
//!
//! In: enriched events and ticks, in arrival order; strategies, once. Out: alerts. Four steps, each a module:
//!
//! | step | does |
//! |---|---|
//! | `analytic` | adds facts to events; never alerts |
//! | `rule` | judges events and their facts by Sigma rules |
//! | `late` | keeps what was judged without its container's facts, to judge it again with them |
//! | `correlate` | joins judgements over time |
//! | `alerting` | folds judgements into alerts, heeds exceptions, says what could not be seen |
//!
//! [`Engine`] is the whole. [`intel`] keeps lists of what is known to be bad, which an analytic asks. [`plain`] has rules alone, over typed events and over JSON (`json`) with any names.
//! Invariant: no I/O, no threads, no wall clock; time is that of events, and the same input
//! gives the same alerts.

#![forbid(unsafe_code)]

mod alerting;
pub mod analytic;
mod correlate;
mod cut;
mod engine;
mod error;
pub mod intel;
pub mod joined;
mod json;
mod judge;
mod late;
pub mod plain;
mod program;
mod rule;

pub use alerting::{Blind, ExceptionUse};
pub use engine::{Config, Engine, Error, Stats};
pub use error::{CompileError, Fault};
pub use rule::Placeholders;
