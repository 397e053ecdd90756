//! Alerting: judgements become alerts, and repeats fold into the alert that they repeat.
//!
//! In: judgements, what runtimes say of containers late, the passing of time. Out: alerts. A group is what one rule says
//! of one key. Its first judgement is the alert's creation; the 10th, 100th, … and the end of a window in which there
//! were repeats are updates; a window without any closes it. A container whose facts came late is filled in by an
//! update. The table is bounded: the group that is nearest to its end gives way, is closed, and says why.

mod exception;
mod group;
mod health;
mod message;
mod table;
mod uid;

pub use exception::ExceptionUse;
pub(crate) use exception::{Exceptions, Verdict};
pub use health::Blind;
pub(crate) use health::Health;
pub(crate) use message::Message;
pub(crate) use table::{Alerts, Now, Surroundings};
