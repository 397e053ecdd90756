//! The reference of all checks, generated from their list.

use std::fmt::Write as _;

use super::codes::{ALL, Breaks};

/// The reference as Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Checks of strategy documents\n\nThis page is generated from the list in `crates/strategy`; \
         `cargo run --release -p xtask -- gen` writes it.\n\n`watchkeeper strategy lint` reports all findings of all \
         documents at once: as text, as one JSON object per line (`--format json`), or as SARIF 2.1.0 (`--format sarif`). \
         A strategy with a finding that stops it does not run; all others do.\n\n\
         | check | severity | stops | demands | mended by |\n|---|---|---|---|---|\n",
    );
    for code in ALL {
        let stops = if code.breaks == Breaks::Strategy { "yes" } else { "no" };
        let (severity, summary, help) = (code.severity.as_str(), code.summary, code.help);
        let _ = writeln!(out, "| `{}` | {severity} | {stops} | {summary} | {help} |", code.id);
    }
    out
}
