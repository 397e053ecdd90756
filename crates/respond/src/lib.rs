//! What becomes of an alert: the outputs.
//!
//! In goes an [`event::Alert`], out comes text for a person ([`text`]), an OCSF Detection Finding ([`ocsf`]) or
//! Falco-shaped JSON ([`falco`]). One output is one module with one function `render(&Alert, &Host) -> String`;
//! [`Format`] lists them. Writing the text anywhere is the caller's.

#![forbid(unsafe_code)]

pub mod escape;
pub mod falco;
pub mod ocsf;
pub mod text;
mod time;

use event::Alert;

pub use time::rfc3339;

/// What an output says of the host and the program.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Host name.
    pub hostname: String,
    /// Program version.
    pub version: String,
}

/// Whether text output may use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// Plain text.
    #[default]
    Never,
    /// ANSI colours.
    Always,
}

/// Form of alerts on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One block per alert for a person.
    Text(Colour),
    /// One OCSF Detection Finding per line.
    Json,
    /// One Falco-shaped object per line.
    Falco,
}

impl Format {
    /// The alert in this form, with its final line end.
    pub fn render(self, alert: &Alert, host: &Host) -> String {
        match self {
            Format::Text(colour) => text::render(alert, host, colour),
            Format::Json => line(&ocsf::finding(alert, host)),
            Format::Falco => line(&falco::alert(alert, host)),
        }
    }
}

fn line(value: &serde_json::Value) -> String {
    let mut text = value.to_string();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
