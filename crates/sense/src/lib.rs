//! Sensors: kernel, Docker and recordings to events.

pub mod kernel;
