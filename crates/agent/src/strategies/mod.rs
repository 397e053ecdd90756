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

/// Strategies that run.
pub struct Checked {
    /// The strategies, with the configuration's exceptions and without tests and emulations.
    pub strategies: Vec<Strategy>,
    /// The same, compiled.
    pub engine: detect::Engine,
}

/// Loads the documents and the configuration's exceptions, and compiles them; names on standard error everything that
/// keeps a strategy from running; the good ones run.
///
/// # Errors
/// No strategy is left, an exception is wrong, or the configuration leaves detection no room.
pub fn check(documents: &[Document], config: &Config) -> Result<Checked, Failure> {
    let (mut strategies, diagnostics) = strategy::load_to_run(documents);
    let mut err = io::stderr().lock();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
        // Standard error may be closed; the strategies run all the same.
        let _ = writeln!(err, "{}", diagnostic.render());
    }
    drop(err);
    if strategies.is_empty() {
        return Err(Failure::usage(
            format!("none of {} strategy documents can run", documents.len()),
            "mend what is named above; `watchkeeper strategy lint DIR` shows all of it",
        ));
    }
    exceptions::apply(&mut strategies, &config.exception)?;
    let (engine, errors) = compile(&strategies, config)?;
    for error in errors {
        let _ = writeln!(io::stderr(), "error: {error}");
    }
    Ok(Checked { strategies, engine })
}

/// Compiles strategies.
///
/// # Errors
/// The configuration leaves detection no room.
pub fn compile(
    strategies: &[Strategy],
    config: &Config,
) -> Result<(detect::Engine, Vec<detect::CompileError>), Failure> {
    detect::Engine::new(strategies, &config.detect).map_err(|error| {
        Failure::usage(
            format!("configuration of detection: {error}"),
            "docs/watchkeeper.toml has the defaults",
        )
    })
}

fn unwritable(error: io::Error) -> Failure {
    Failure::output(&error)
}
