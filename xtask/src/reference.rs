//! Generated files: docs/reference/*.md from the catalogues in the code, tests/captures/*.pcap.

use anyhow::{Context, Result};
use std::path::Path;

/// Every generated file: its path and its bytes.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let pages = [
        ("docs/reference/fields.md", event::reference::markdown()),
        ("docs/reference/sigma.md", strategy::mapping::markdown()),
        ("docs/reference/flows.md", flow::reference::markdown()),
        ("docs/reference/lint.md", strategy::diagnostic::reference::markdown()),
    ];
    let pages = pages.into_iter().map(|(path, text)| (path, text.into_bytes()));
    pages.chain(crate::captures::captures()).collect()
}

/// Writes every file; no findings.
pub fn write(root: &Path) -> Result<Vec<String>> {
    for (path, bytes) in files() {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        std::fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(Vec::new())
}

/// One finding for each file that differs from what the code says.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for (path, bytes) in files() {
        let there = std::fs::read(root.join(path)).with_context(|| format!("{path} cannot be read"))?;
        if there != bytes {
            findings.push(format!("{path} is stale\nhint: run `cargo run --release -p xtask -- gen`"));
        }
    }
    Ok(findings)
}
