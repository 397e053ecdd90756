//! `watch`: three processes of one binary.
//!
//! * The *sensor* (this process) loads and attaches the kernel programs, describes what already runs, hashes
//!   executed files and reads watched ones. It never looks at what the programs report. It opens system logs and passes
//!   their lines on ([`logs`]).
//! * The *engine* compiles the strategies, reads the rings and does all parsing, enrichment and detection,
//!   under its own user id, without capabilities, sockets or file access ([`sandbox`]).
//! * The *actor* holds the container runtime's socket and passes on what the runtime says.
//!
//! They talk over pipes in lines of JSON ([`link`]); events of the kernel do not pass through a pipe, but the rings' descriptors
//! through a socket ([`handover`]).

pub mod actor;
mod capabilities;
mod contained;
pub mod engine;
mod files;
mod handover;
mod hashes;
mod ingest;
mod integrity;
mod lines;
mod link;
mod lock;
mod log_lines;
mod logs;
mod pace;
mod processes;
mod record;
mod request;
pub mod sandbox;
mod sensor;
mod touched;

pub use sensor::{colour_wanted, form, watch};
pub use touched::Touched;
