//! Alerting and Detection Strategy documents: Markdown to a checked program.

pub mod attack;
pub mod diagnostic;
pub mod period;
pub mod sigma;
pub mod source;
mod suggest;
pub mod yaml;
