//! Checks and generators of the repository: `cargo run --release -p xtask -- layers | gen [--check]`.
//!
//! `layers` holds the crates to ARCHITECTURE.md's table and `unsafe` to sense's one module. `gen` writes
//! docs/reference from the code's catalogues, and the captures in tests/captures; with `--check` it writes nothing and
//! fails where one of them is stale.

mod captures;
mod layers;
mod reference;

use anyhow::{Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: xtask layers | gen [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["layers"] => layers::check(&root()),
        ["gen"] => reference::write(&root()),
        ["gen", "--check"] => reference::check(&root()),
        _ => {
            let _ = writeln!(std::io::stderr(), "{USAGE}");
            return ExitCode::from(2);
        }
    };
    report(outcome)
}

/// The repository: xtask is one folder below it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Prints each finding; none is success.
fn report(outcome: Result<Vec<String>>) -> ExitCode {
    let mut err = std::io::stderr().lock();
    match outcome {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in findings {
                let _ = writeln!(err, "error: {finding}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(err, "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// A file's text, its path named in the error.
fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
