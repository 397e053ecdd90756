//! Kubernetes audit logs of others: every record is read, and what their tools' own tests call an attack is one here.
//!
//! Data: `$WATCHKEEPER_DATA/k8s_audit`, and Falco's rules beside it. A verdict is that of one behaviour: an event may raise
//! other alerts too. Each case begins with an empty engine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it found")]

mod falco;
mod panther;
mod parsed;

use detect::{Config, Engine};
use event::{BootTime, Event, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use strategy::Strategy;
use strategy::sigma::Item;

/// The folder of the data, where it is there.
fn data(part: &str) -> Option<PathBuf> {
    let root = std::env::var("WATCHKEEPER_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into());
    let path = Path::new(&root).join(part);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: no data at {}", path.display());
    None
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of `folder` whose names end with `.ending`, in their order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    paths
}

/// Rows of a table of this test, by their first cell.
fn rows(table: &str) -> BTreeMap<&str, Vec<&str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split('\t').collect())
        .map(|cells: Vec<&str>| (cells[0], cells[1..].to_vec()))
        .collect()
}

/// The shipped strategies that read the audit log, and the names of their rules by id.
struct Shipped {
    strategies: Vec<Strategy>,
    names: BTreeMap<String, String>,
}

impl Shipped {
    fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
        let folders =
            std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let mut paths: Vec<PathBuf> = folders.flat_map(|folder| files(&folder, "md")).collect();
        paths.sort();
        let texts: Vec<(String, String)> = paths
            .iter()
            .map(|path| (path.display().to_string(), read(path)))
            .filter(|(_, text)| text.contains("product: kubernetes"))
            .collect();
        let (strategies, _) = strategy::load(&texts);
        assert_eq!(strategies.len(), texts.len(), "a document cannot be loaded; strategy lint says why");
        let items = strategies.iter().flat_map(|strategy| &strategy.document.items);
        let heads = items.filter_map(|item| match item {
            Item::Rule(rule) => Some(&rule.head),
            Item::Correlation(correlation) => Some(&correlation.head),
            Item::Filter(_) => None,
        });
        let names =
            heads.filter_map(|head| Some((head.id.clone()?.to_string(), head.name.clone()?.to_string())));
        Self { names: names.collect(), strategies }
    }

    /// Names of the rules that raise an alert over `events`.
    fn alerts(&self, events: impl IntoIterator<Item = Event>) -> BTreeSet<&str> {
        let (mut engine, errors) = Engine::new(&self.strategies, &Config::default()).unwrap();
        assert!(errors.is_empty(), "{errors:?}");
        let mut alerts = Vec::new();
        events.into_iter().for_each(|event| engine.push(event, &mut alerts));
        engine.finish(&mut alerts);
        alerts.iter().map(|alert| self.names[alert.rule_id.as_str()].as_str()).collect()
    }

    /// That each of `rules` is one of a document.
    fn knows(&self, rules: &[&str]) {
        for rule in rules {
            assert!(self.names.values().any(|name| name == rule), "no document has the rule {rule}");
        }
    }
}

/// `events` so many times, a second apart, numbered as a log numbers them.
fn repeated(events: &[Event], times: u32) -> Vec<Event> {
    let mut all = Vec::new();
    for round in 0..u64::from(times) {
        for event in events {
            let mut event = event.clone();
            let later = round * 1_000_000_000;
            event.boot = BootTime(event.boot.0 + later);
            event.wall = WallTime(event.wall.0 + later);
            event.id.sequence = u64::try_from(all.len()).unwrap();
            all.push(event);
        }
    }
    all
}
