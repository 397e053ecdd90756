//! How a command ends when it cannot do what it was asked: exit codes and messages with a cure.

use std::fmt;

/// The contract's exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Fine = 0,
    /// Alerts in a replay, failed tests, lint errors.
    Findings = 1,
    /// Bad usage, strategy or configuration.
    Usage = 2,
    /// The host lacks something.
    Host = 3,
    /// Ended by SIGINT or SIGTERM.
    Interrupted = 130,
    /// A bug of ours.
    Bug = 255,
}

/// Why a command ends, in words for the user.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: Exit,
    /// What is wrong: thing and value.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl Failure {
    /// Bad usage, strategy or configuration.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: hint.into() }
    }

    /// Something that the host lacks.
    pub fn host(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Host, message: message.into(), hint: hint.into() }
    }

    /// Something that should not happen.
    pub fn bug(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Bug,
            message: message.into(),
            hint: "this is a bug of Watchkeeper: please report it with this message".into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
