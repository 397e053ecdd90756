//! Adds to each event whose act it is: process and ancestry, container and image, names of addresses, and the host's
//! path where a container reaches the host through a mount.
//!
//! In: events in the order of their arrival, facts of the container runtime and ticks among them. Out: the same
//! events with their [`event::Context`], in order within each container. Nothing is looked up: what is not known yet
//! is waited for, for a short and bounded time of the events' own clock; what does not come is said to be late.
//!
//! Invariants: no I/O, no clock, no threads; the same input gives the same output; every table is bounded by
//! [`Config`], and what a bound costs is counted and becomes an event.

#![forbid(unsafe_code)]

mod config;
mod container;
mod enricher;
mod hold;
mod image;
mod name;
mod process;
mod recent;
mod socket;

#[cfg(test)]
mod tests;

pub use config::{Config, Stats};
pub use enricher::Enricher;
