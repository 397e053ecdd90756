//! `strategy`: works on strategy documents.

mod explain;
mod list;
mod run_tests;

use crate::cli::{Documents, Strategy as Command};
use crate::content::{self, Document};
use crate::failure::{Exit, Failure};
use std::io::{self, Write};
use strategy::{Severity, Strategy};

/// Runs one of the commands.
///
/// # Errors
/// Documents that cannot be read, or an output that cannot be written.
pub fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(&documents(args)?),
        Command::Lint(args) => lint(&documents(args)?),
        Command::Test(args) => run_tests::run(&documents(args)?, args),
        Command::Explain(args) => explain::run(args),
    }
}

fn documents(args: &Documents) -> Result<Vec<Document>, Failure> {
    if args.paths.is_empty() { Ok(content::built_in()) } else { content::from_paths(&args.paths) }
}

/// Loads the documents and names on standard error everything that keeps a strategy from running; the good ones run.
///
/// # Errors
/// No strategy is left.
pub fn check(documents: &[Document]) -> Result<Vec<Strategy>, Failure> {
    let (strategies, diagnostics) = strategy::load(documents);
    let mut err = io::stderr().lock();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
        // Standard error may be closed; the strategies run all the same.
        let _ = writeln!(err, "{}", diagnostic.render());
    }
    let left = strategies.len();
    for error in compile_errors(&strategies) {
        let _ = writeln!(err, "error: {error}");
    }
    if left == 0 {
        return Err(Failure::usage(
            format!("none of {} strategy documents can run", documents.len()),
            "mend what is named above; `watchkeeper strategy lint DIR` shows all of it",
        ));
    }
    Ok(strategies)
}

/// What of all that can be sensed these strategies use.
pub fn wanted(strategies: &[Strategy]) -> Option<event::Wants> {
    detect::Engine::new(strategies, &detect::Config::default()).ok().map(|(engine, _)| engine.wanted())
}

/// All diagnostics of all documents at once.
fn lint(documents: &[Document]) -> Result<Exit, Failure> {
    let (strategies, diagnostics) = strategy::load(documents);
    let compile_errors = compile_errors(&strategies);
    let mut out = io::stdout().lock();
    let mut write = || -> io::Result<()> {
        for diagnostic in &diagnostics {
            writeln!(out, "{}", diagnostic.render())?;
        }
        for error in &compile_errors {
            writeln!(out, "error: {error}\n")?;
        }
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        writeln!(
            out,
            "{} documents, {} errors, {} warnings",
            documents.len(),
            errors + compile_errors.len(),
            diagnostics.len() - errors
        )
    };
    write().map_err(unwritable)?;
    let failed = !compile_errors.is_empty()
        || diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    Ok(if failed { Exit::Findings } else { Exit::Fine })
}

/// What of the rules does not compile.
fn compile_errors(strategies: &[Strategy]) -> Vec<detect::CompileError> {
    detect::Engine::new(strategies, &detect::Config::default())
        .map_or_else(|_| Vec::new(), |(_, errors)| errors)
}

/// The strategies that load, without their diagnostics.
fn loaded(documents: &[Document]) -> Vec<Strategy> {
    strategy::load(documents).0
}

fn unwritable(error: io::Error) -> Failure {
    Failure::output(&error)
}
