//! Generated pages: docs/reference/*.md from the catalogues in the code.

use crate::read;
use anyhow::{Context, Result};
use std::path::Path;

/// Every generated page: its path and its text.
fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("docs/reference/fields.md", event::reference::markdown()),
        ("docs/reference/sigma.md", strategy::mapping::markdown()),
        ("docs/reference/flows.md", flow::reference::markdown()),
        ("docs/reference/lint.md", strategy::diagnostic::reference::markdown()),
    ]
}

/// Writes every page; no findings.
pub fn write(root: &Path) -> Result<Vec<String>> {
    for (path, text) in pages() {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(Vec::new())
}

/// One finding for each page that differs from what the code says.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for (path, text) in pages() {
        if read(&root.join(path))? != text {
            findings.push(format!("{path} is stale\nhint: run `cargo run --release -p xtask -- gen`"));
        }
    }
    Ok(findings)
}
