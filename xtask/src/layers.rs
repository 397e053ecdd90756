//! The layer test: ARCHITECTURE.md's crate table is what the crates obey.
//!
//! In: the table `| crate | may depend on | invariant |` and `cargo metadata`. Out: one finding per broken rule. A
//! crate's name is its folder's name under `crates/`; crates outside it (tools, tests) may depend on anything.
//! Development dependencies are free: a test may look wherever it must. The same pass holds `unsafe` to one module of
//! `sense`: the workspace denies it, so the places that allow it are all there is to look for.

use crate::read;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only crate that may hold `unsafe`.
const UNSAFE_CRATE: &str = "crates/sense/src/";

/// What a crate may depend on.
#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    All,
    Only(BTreeSet<String>),
}

impl Allowed {
    fn permits(&self, name: &str) -> bool {
        match self {
            Allowed::All => true,
            Allowed::Only(names) => names.contains(name),
        }
    }
}

/// Dependencies between the crates of `crates/`, by folder name.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// All findings on the repository at `root`.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let table = parse_table(&read(&root.join("ARCHITECTURE.md"))?)?;
    let metadata = metadata(root)?;
    let mut findings = compare(&table, &edges(root, &metadata));
    findings.extend(unsafe_findings(root)?);
    findings.extend(lint_findings(&metadata)?);
    Ok(findings)
}

fn parse_table(text: &str) -> Result<BTreeMap<String, Allowed>> {
    let mut rows = text.lines().map(cells).skip_while(|row| {
        row.first().map(String::as_str) != Some("crate")
            || row.get(1).map(String::as_str) != Some("may depend on")
    });
    if rows.next().is_none() {
        bail!("ARCHITECTURE.md has no table `| crate | may depend on | invariant |`");
    }
    let mut table = BTreeMap::new();
    // The row of dashes under the head is skipped.
    for row in rows.skip(1).take_while(|row| !row.is_empty()) {
        let [name, allowed, ..] = row.as_slice() else {
            bail!("a row of the crate table has fewer than two cells: {row:?}");
        };
        table.insert(name.clone(), parse_allowed(allowed));
    }
    Ok(table)
}

/// Cells of a Markdown table's row, without backticks; empty where the line is no row.
fn cells(line: &str) -> Vec<String> {
    let Some(row) = line.trim().strip_prefix('|') else {
        return Vec::new();
    };
    row.trim_end_matches('|').split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect()
}

/// `all`, `–`, or crates by comma; words after a crate's name explain it ("wire's types if needed").
fn parse_allowed(cell: &str) -> Allowed {
    if cell == "all" {
        return Allowed::All;
    }
    let name = |part: &str| {
        part.trim()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
            .collect::<String>()
    };
    Allowed::Only(cell.split(',').map(name).filter(|name| !name.is_empty() && name != "-").collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// None for an ordinary dependency.
    kind: Option<String>,
    /// The folder, where the dependency is a crate of this workspace.
    path: Option<PathBuf>,
}

fn metadata(root: &Path) -> Result<Metadata> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata cannot be run")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata cannot be read")
}

fn edges(root: &Path, metadata: &Metadata) -> Edges {
    let crates = root.join("crates");
    let name =
        |folder: &Path| folder.strip_prefix(&crates).ok().map(|name| name.to_string_lossy().into_owned());
    let mut edges = Edges::new();
    for package in &metadata.packages {
        let Some(from) = package.manifest_path.parent().and_then(name) else {
            continue;
        };
        let to = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
            .filter_map(|dependency| name(dependency.path.as_deref()?));
        edges.entry(from).or_default().extend(to);
    }
    edges
}

/// A crate without a row is a finding; a row without a crate is not: a crate comes with its first real code.
fn compare(table: &BTreeMap<String, Allowed>, edges: &Edges) -> Vec<String> {
    let mut findings = Vec::new();
    for (from, dependencies) in edges {
        let Some(allowed) = table.get(from) else {
            findings.push(format!("crate {from} has no row in ARCHITECTURE.md's table"));
            continue;
        };
        for to in dependencies.iter().filter(|to| !allowed.permits(to)) {
            findings.push(format!("crate {from} depends on {to}, which ARCHITECTURE.md does not allow"));
        }
    }
    findings
}

/// Files that lift the workspace's ban on `unsafe`, outside sense or beyond the one module.
fn unsafe_findings(root: &Path) -> Result<Vec<String>> {
    let mut lifting = Vec::new();
    for folder in ["crates", "xtask", "tests", "fuzz"] {
        collect_lifting(&root.join(folder), &mut lifting)?;
    }
    lifting.sort();
    let mut inside = 0;
    let mut findings = Vec::new();
    for path in lifting {
        let path = path.strip_prefix(root).unwrap_or(&path);
        if !path.starts_with(UNSAFE_CRATE) {
            findings.push(format!("{} allows unsafe code, which only {UNSAFE_CRATE} may", path.display()));
            continue;
        }
        inside += 1;
        if inside > 1 {
            findings.push(format!("{} is a second module with unsafe code: sense has one", path.display()));
        }
    }
    Ok(findings)
}

fn collect_lifting(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let unreadable = || format!("{} cannot be read", folder.display());
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let path = entry.path();
        // A symbolic link could make a loop.
        if entry.file_type().with_context(unreadable)?.is_dir() {
            collect_lifting(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && lifts(&read(&path)?) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a source lifts the ban: an attribute `allow` or `expect` that names the lint.
fn lifts(source: &str) -> bool {
    source.lines().map(str::trim_start).any(|line| {
        let attribute = line.strip_prefix("#![").or_else(|| line.strip_prefix("#["));
        attribute.is_some_and(|rest| {
            rest.contains("unsafe_code") && (rest.contains("allow(") || rest.contains("expect("))
        })
    })
}

/// A package that does not take the workspace's lints could hold `unsafe` without lifting anything.
fn lint_findings(metadata: &Metadata) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let manifest = read(&package.manifest_path)?;
        let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
        let inherited =
            lines.by_ref().take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true");
        if !inherited {
            findings.push(format!("{} does not take the workspace's lints", package.manifest_path.display()));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "text\n\n| crate | may depend on | invariant |\n|---|---|---|\n| `event` | – | no I/O |\n\
        | `detect` | event, wire's types if needed | pure |\n| `agent` | all | wiring |\n\nmore\n| `late` | all | |\n";

    fn edge(from: &str, to: &[&str]) -> (String, BTreeSet<String>) {
        (from.to_owned(), to.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_table_ends_where_its_rows_end() {
        let table = parse_table(TABLE).expect("a table");
        assert_eq!(table.keys().collect::<Vec<_>>(), ["agent", "detect", "event"]);
        assert_eq!(table.get("event"), Some(&Allowed::Only(BTreeSet::new())));
        assert_eq!(table.get("agent"), Some(&Allowed::All));
    }

    #[test]
    fn an_edge_outside_the_table_and_a_crate_without_a_row_are_found() {
        let table = parse_table(TABLE).expect("a table");
        let edges = Edges::from([
            edge("event", &["wire"]),
            edge("detect", &["event", "wire"]),
            edge("agent", &["detect"]),
            edge("new", &[]),
        ]);
        assert_eq!(
            compare(&table, &edges),
            [
                "crate event depends on wire, which ARCHITECTURE.md does not allow",
                "crate new has no row in ARCHITECTURE.md's table"
            ]
        );
    }

    #[test]
    fn a_text_without_the_table_is_an_error() {
        assert!(parse_table("| crate | invariant |\n").is_err());
    }

    #[test]
    fn only_an_attribute_lifts_the_ban() {
        assert!(lifts("//! doc\n#![allow(unsafe_code)]\n"));
        assert!(lifts("    #[expect(unsafe_code, reason = \"mmap\")]\n"));
        assert!(!lifts(
            "#![forbid(unsafe_code)]\n// #![allow(unsafe_code)]\nlet text = \"allow(unsafe_code)\";\n"
        ));
    }
}
