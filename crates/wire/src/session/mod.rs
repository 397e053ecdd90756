//! Shell sessions carried in plain text: is a command, a prompt or a command's output in this payload?
//!
//! In: one payload, or the joined first payloads, of a connection whose protocol is not one that carries
//! prose (mail bodies and web pages quote shell commands). Out: the first [`CommandText`], with its place
//! in the payload and the name of the pattern that matched.
//!
//! How it judges: the text is cut into lines. A line is a **prompt** if it begins with the shape of one;
//! **output** if it begins with or holds a phrase that only a shell or system tool prints; a **command** if
//! it holds a phrase of shell syntax, or if one of its parts (split at `;`, `|`, `&`) begins with a
//! command word whose arguments fit that word's rule in [`table`]. The rules are what keeps prose out: `cat`
//! needs a path, `curl` a URL, `find` a path or a flag; only words that are no prose at all stand alone.
//!
//! Left out on purpose: quoting, aliases, other languages' shells, and text in UTF-16. An adversary who
//! writes a front end of their own is not seen here; the shape of the session is
//! [`crate::identify`]'s business.
//!
//! Source of the words: the discovery, execution and ingress commands of ATT&CK T1059.004, T1082, T1033,
//! T1016, T1105, T1552.001, T1611, and the prompts of dash, bash, BusyBox ash, cmd and PowerShell.

mod parse;
mod table;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use parse::command_text;

/// How much of a payload is read. Twice what the kernel sensor copies of a payload.
pub const MAX_SCANNED_BYTES: usize = 1024;
/// How many lines are judged.
pub const MAX_LINES: usize = 64;

/// What kind of shell text was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// A shell asks for input.
    Prompt,
    /// Somebody gives a shell command.
    Command,
    /// A shell or system tool answers.
    Output,
}

impl CommandKind {
    /// The name in records: lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Command => "command",
            Self::Output => "output",
        }
    }
}

/// Shell text in a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandText {
    /// Prompt, command or output.
    pub kind: CommandKind,
    /// The table entry that matched: a command word, a phrase, or the name of a prompt's shape.
    pub pattern: &'static str,
    /// Where the matched text stands in the payload: the prompt, the whole command, the line of output.
    pub span: Range<usize>,
}
