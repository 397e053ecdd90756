//! How a command ends when it cannot do what it was asked: exit codes and messages with a cure.

use respond::escape::escaped;
use std::fmt;
use std::io::{self, Write};

/// Longest line of a message, in characters.
const MESSAGE: usize = 2000;

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

/// Says something to the user on standard error.
pub fn say(text: &str) {
    // Standard error may be closed; the work goes on.
    let _ = writeln!(io::stderr(), "watchkeeper: {}", escaped(text, MESSAGE));
}

/// Why a command ends, in words for the user. An end without a message is fine.
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

    /// Standard output cannot be written. A reader that has gone, as `head` does, is no error: that is its right.
    pub fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::told(Exit::Fine);
        }
        Self::host(
            format!("cannot write to standard output: {error}"),
            "free the disk or the device behind it",
        )
    }

    /// Of which the user has been told.
    pub fn told(exit: Exit) -> Self {
        Self { exit, message: String::new(), hint: String::new() }
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

/// Errors quote what they refuse, and that may be an attacker's. Each line of the message is made safe on its own:
/// those of the TOML reader point at their place over several lines.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        for (index, line) in self.message.lines().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", escaped(line, MESSAGE))?;
        }
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", escaped(&self.hint, MESSAGE))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_cannot_act_on_a_terminal() {
        let failure = Failure::usage("first line says `\u{1b}[2J`\nat line 1", "mend it");
        assert_eq!(failure.to_string(), "error: first line says `\\u{1b}[2J`\nat line 1\nhint: mend it");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        assert_eq!(Failure::output(&io::ErrorKind::BrokenPipe.into()).exit, Exit::Fine);
        assert_eq!(Failure::output(&io::ErrorKind::StorageFull.into()).exit, Exit::Host);
    }
}
