//! What the three processes say to each other: one JSON value per line, over pipes.
//!
//! [`Setup`] begins it, events follow it, and [`FromEngine`] (`request.rs`) goes back; [`Lines`] (`lines.rs`) reads them.

pub use super::lines::{Lines, send};
pub use super::request::FromEngine;

use crate::config::Config;
use crate::content::Document;
use event::Event;
use serde::{Deserialize, Serialize};
use std::os::fd::RawFd;

/// First line to the engine: all that it needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Strategy documents.
    pub documents: Vec<Document>,
    /// Form of alerts.
    pub format: Form,
    /// Host name.
    pub hostname: String,
    /// Kernel release.
    pub kernel: String,
    /// Socket on which the rings come.
    pub rings: RawFd,
    /// Pipe from the actor.
    pub actor: Option<RawFd>,
    /// Pipe with lines of system logs.
    pub logs: Option<RawFd>,
    /// Pipe to the sensor.
    pub requests: RawFd,
    /// File of the recording.
    pub record: Option<RawFd>,
    /// Names of intel lists, and their files.
    pub intel: Vec<(String, RawFd)>,
    /// Configuration.
    pub config: Config,
}

/// Form of alerts, as it crosses to the engine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Form {
    /// Text without colour.
    Text,
    /// Text with colour.
    Colour,
    /// OCSF.
    Json,
    /// Falco's shape.
    Falco,
}

impl From<Form> for respond::Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Text => Self::Text(respond::Colour::Never),
            Form::Colour => Self::Text(respond::Colour::Always),
            Form::Json => Self::Json,
            Form::Falco => Self::Falco,
        }
    }
}

/// An event with its way of crossing a pipe.
pub type EventLine = Box<Event>;
