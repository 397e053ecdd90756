//! `strategy`: works on strategy documents.

mod arguments;
mod coverage;
mod examined;
mod explain;
mod import;
mod lint;
mod list;
mod navigator;
mod presence;
mod sarif;
mod testing;

pub use arguments::Command;

use crate::config::Config;
use crate::content::Document;
use crate::exceptions;
use crate::failure::{Exit, Failure};
use std::io::{self, Write};
use strategy::{Severity, Strategy};

/// Runs one of the commands.
///
/// # Errors
/// Documents that cannot be read, or an output that cannot be written.
pub fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args),
        Command::Lint(args) => lint::run(args),
        Command::Test(args) => testing::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Coverage(args) => coverage::run(args),
        Command::Import(args) => import::run(args),
    }
}

/// Strategies that run, and what of all that can be sensed they use.
pub struct Checked {
    /// The strategies, with the configuration's exceptions.
    pub strategies: Vec<Strategy>,
    /// What they use; `None` where the configuration leaves detection no room, which whoever detects says.
    pub wants: Option<event::Wants>,
}

/// Loads the documents and the configuration's exceptions; names on standard error everything that keeps a strategy
/// from running; the good ones run.
///
/// # Errors
/// No strategy is left, or an exception is wrong.
pub fn check(documents: &[Document], config: &Config) -> Result<Checked, Failure> {
    let (mut strategies, diagnostics) = strategy::load(documents);
    let mut err = io::stderr().lock();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
        // Standard error may be closed; the strategies run all the same.
        let _ = writeln!(err, "{}", diagnostic.render());
    }
    let compiled = detect::Engine::new(&strategies, &config.detect).ok();
    for error in compiled.iter().flat_map(|(_, errors)| errors) {
        let _ = writeln!(err, "error: {error}");
    }
    drop(err);
    if strategies.is_empty() {
        return Err(Failure::usage(
            format!("none of {} strategy documents can run", documents.len()),
            "mend what is named above; `watchkeeper strategy lint DIR` shows all of it",
        ));
    }
    exceptions::apply(&mut strategies, &config.exception)?;
    Ok(Checked { strategies, wants: compiled.map(|(engine, _)| engine.wanted()) })
}

fn unwritable(error: io::Error) -> Failure {
    Failure::output(&error)
}
