//! `strategy lint`: all findings of all documents at once, for people, scripts and code hosts.

use super::arguments::{Lint, LintForm};
use super::examined::Examined;
use super::{sarif, unwritable};
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};
use std::io::{self, Write};
use strategy::{Diagnostic, Severity};

/// Prints the findings. Status 1 where one is an error.
///
/// # Errors
/// Paths that cannot be read, or an output that cannot be written.
pub fn run(args: &Lint) -> Result<Exit, Failure> {
    let examined = Examined::of(&args.documents)?;
    let mut out = io::stdout().lock();
    match args.format {
        LintForm::Text => text(&mut out, &examined),
        LintForm::Json => examined.diagnostics.iter().try_for_each(|one| writeln!(out, "{}", object(one))),
        LintForm::Sarif => {
            let paths = examined.found.documents.iter().map(|(path, _)| path.as_str());
            let log = sarif::log(&examined.diagnostics, paths);
            serde_json::to_writer_pretty(&mut out, &log).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
    }
    .map_err(unwritable)?;
    let failed = examined.findings(None, Severity::Error) > 0;
    Ok(if failed { Exit::Findings } else { Exit::Fine })
}

fn text(out: &mut impl Write, examined: &Examined) -> io::Result<()> {
    for diagnostic in &examined.diagnostics {
        writeln!(out, "{}", diagnostic.render())?;
    }
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| examined.findings(None, severity));
    writeln!(out, "{} documents, {errors} errors, {warnings} warnings, {notes} notes", examined.count())
}

/// A finding for scripts; lines and columns count from 1, columns in characters.
fn object(one: &Diagnostic) -> Value {
    json!({
        "code": one.code.id,
        "severity": one.severity.as_str(),
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "end_column": one.column + one.width,
        "message": one.message,
        "hint": one.hint,
        "source": one.source_line,
        "check": one.code.summary,
        "help": one.code.help,
    })
}
