//! What is wrong with a document, where, and how to mend it.
//!
//! Inside the crate a finding is a [`Problem`]: it knows a byte range but not which text. A [`Diagnostic`]
//! is the finished thing: path, line, column, the line's text, and a caret under the place.

pub mod codes;
pub mod reference;

use std::fmt::Write as _;

pub use codes::Code;

use crate::source::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth a look.
    Note,
    /// The strategy runs, but is weaker than it says.
    Warning,
    /// The document breaks its contract.
    Error,
}

impl Severity {
    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A finding at a byte range of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Which check found it.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// What: a lower-case fragment that names the thing and the value.
    pub message: String,
    /// The cure.
    pub hint: Option<String>,
}

impl Problem {
    /// A finding without a hint.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), hint: None }
    }

    /// The same finding with its cure.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same finding with its cure, when one is known.
    #[must_use]
    pub fn with_hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// A finding with all that a reader needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Which check found it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The document.
    pub path: String,
    /// What.
    pub message: String,
    /// The cure.
    pub hint: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters under the caret, at least 1, never past the end of the line.
    pub width: usize,
    /// The text of the line.
    pub source_line: String,
}

/// Longest source line that is shown; longer ones are cut around the place.
const SHOWN_LINE_CHARS: usize = 140;

impl Diagnostic {
    /// Places `problem` in `source`.
    pub fn new(problem: Problem, source: &Source<'_>) -> Self {
        let start = source.position(problem.span.start);
        let line = source.line(start.line);
        let rest = line.chars().count().saturating_sub(start.column - 1);
        let first_line = source.slice(problem.span).lines().next().unwrap_or("").trim_end();
        Self {
            code: problem.code,
            severity: problem.code.severity,
            path: source.path.to_owned(),
            message: problem.message,
            hint: problem.hint,
            line: start.line,
            column: start.column,
            width: first_line.chars().count().min(rest).max(1),
            source_line: line.to_owned(),
        }
    }

    /// The finding as a block of text: what and where, the source line, a caret under the place, the hint.
    /// Control characters of the document come out escaped.
    pub fn render(&self) -> String {
        let (line, skipped) = self.shown_line();
        let margin = " ".repeat(self.line.to_string().len());
        let pad = " ".repeat((self.column - 1).saturating_sub(skipped));
        let room = line.chars().count().saturating_sub(pad.len()).max(1);
        let caret = "^".repeat(self.width.min(room));
        let mut out = String::new();
        let severity = self.severity.as_str();
        let _ = writeln!(out, "{severity}[{}]: {}", self.code.id, printable(&self.message));
        let _ = writeln!(out, "{margin}--> {}:{}:{}", printable(&self.path), self.line, self.column);
        let _ = writeln!(out, "{margin} |");
        let _ = writeln!(out, "{} | {line}", self.line);
        let _ = writeln!(out, "{margin} | {pad}{caret}");
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "{margin} = hint: {}", printable(hint));
        }
        out
    }

    /// The part of the line that is shown and how many characters were cut before it.
    fn shown_line(&self) -> (String, usize) {
        let skipped = (self.column - 1).saturating_sub(SHOWN_LINE_CHARS / 2);
        let skipped = if self.source_line.chars().count() <= SHOWN_LINE_CHARS { 0 } else { skipped };
        let cut: String = self.source_line.chars().skip(skipped).take(SHOWN_LINE_CHARS).collect();
        let shown = cut.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        (shown, skipped)
    }
}

/// Control characters escaped, so that a document cannot draw on the reader's terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, span: Span) -> String {
        let problem = Problem::new(codes::YAML, span, "bad thing").with_hint("mend it");
        Diagnostic::new(problem, &Source::new("a.md", text)).render()
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let expect =
            "error[WK0201]: bad thing\n --> a.md:2:4\n  |\n2 | a: bcd\n  |    ^^^\n  = hint: mend it\n";
        assert_eq!(render("x\na: bcd\n", Span { start: 5, end: 8 }), expect);
    }

    #[test]
    fn long_lines_and_escapes_do_not_reach_the_terminal() {
        let text = format!("{}\u{1b}[31mred", "x".repeat(5000));
        let shown = render(&text, Span { start: 5000, end: 5003 });
        assert!(!shown.contains('\u{1b}'));
        assert!(shown.lines().all(|line| line.chars().count() < 200));
    }
}
