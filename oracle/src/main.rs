//! The oracle: rsigma, another Sigma engine, asked what ours is asked.
//!
//! * `conformance`: the suite of `tests/conformance`. Prints how often it agrees and where it does not; fails where a
//!   disagreement is not explained in `disagreements.yaml`, or an explanation has no disagreement any more.
//! * `bench [EVENTS]`: both engines over the same rules and events, in turns, on one thread. Fails where they report different
//!   matches.
//!
//! Development only: nothing of the product depends on it.

mod bench;
mod conformance;
#[path = "../../crates/detect/examples/support/execs.rs"]
mod execs;
#[path = "../../crates/detect/tests/suite/mod.rs"]
mod suite;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let fine = match words.as_slice() {
        ["conformance"] => conformance::run(&root())?,
        ["bench"] => bench::run(bench::EVENTS)?,
        ["bench", events] => bench::run(events.parse()?)?,
        _ => bail!("expected `conformance` or `bench [EVENTS]`"),
    };
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
