//! The event model: what every stage of Watchkeeper talks about.
//!
//! * [`Event`]: one normalised observation, with the [`Kind`] of what happened, the [`Actor`] that did it as the
//!   sensor saw it, and the [`Owner`] it belongs to. `enrich` fills its [`Context`], `detect` its [`Facts`].
//! * [`field`]: the catalogue of fields that rules may name, with their OCSF paths. The reference in
//!   `docs/reference` is generated from it.
//! * [`Alert`]: a strategy's finding.
//! * [`recording`]: the NDJSON form of events.
//!
//! Invariant: no I/O, no clock, no parsing of protocols.

#![forbid(unsafe_code)]

pub mod alert;
pub mod api;
pub mod change;
pub mod container;
pub mod event;
pub mod fact;
pub mod field;
pub mod file;
pub mod health;
pub mod identity;
pub mod kernel;
pub mod log;
pub mod mount;
pub mod network;
pub mod process;
pub mod recording;
pub mod reference;
pub mod text;
pub mod time_form;
pub mod wants;
pub mod watched;

pub use alert::Alert;
pub use change::FileChange;
pub use container::{Container, ContainerChange, ContainerVerb};
pub use event::{Class, Context, Event, Kind};
pub use fact::{Fact, FactName, FactValue, Facts};
pub use field::{Doubt, Field, Value};
pub use identity::{BootTime, ContainerId, EventId, Owner, ProcessKey, Sensor, WallTime};
pub use mount::Mounts;
pub use process::{Actor, Argv, Exec, Process};
pub use text::{Provenance, Text};
pub use wants::Wants;
pub use watched::WatchList;
