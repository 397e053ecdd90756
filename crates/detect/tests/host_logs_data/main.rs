//! System logs of others: attacks that their own tests call such are found, and harmless lines raise no high alert.
//!
//! Data: `$WATCHKEEPER_DATA/host_logs`. An attack is a case of Wazuh or OSSEC of level 10 and more, or a test of CrowdSec that
//! raises an alert. Counted are those of user activity and system logs; `scope.tsv` says which tests of CrowdSec are about
//! something else, and what. Each case begins with an empty engine that runs all strategies.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it found")]

use detect::{Config, Engine};
use event::alert::Severity;
use event::{Event, WallTime};
use sense::logs::{Clock, Executions, Parser};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use strategy::Strategy;

const SCOPE: &str = include_str!("scope.tsv");
/// No log of the data is later: 2027-01-15.
const UNTIL: WallTime = WallTime(1_800_000_000_000_000_000);
/// Wazuh's levels from which on a line is an attack.
const ATTACK: u32 = 10;

/// The folder of the data, where it is there.
fn data() -> Option<PathBuf> {
    let root = std::env::var("WATCHKEEPER_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into());
    let path = Path::new(&root).join("host_logs");
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: no data at {}", path.display());
    None
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Files below `folder` whose names end with `.ending`, in their order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

/// All strategies that ship.
fn shipped() -> Vec<Strategy> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
    let texts: Vec<(String, String)> =
        files(&root, "md").iter().map(|path| (path.display().to_string(), read(path))).collect();
    let (strategies, _) = strategy::load(&texts);
    assert_eq!(strategies.len(), texts.len(), "a document cannot be loaded; strategy lint says why");
    strategies
}

fn events(lines: &[String]) -> Vec<Event> {
    let mut parser = Parser::new(&[], Clock::recorded(UNTIL), Executions::Told).unwrap();
    let mut events = Vec::new();
    lines.iter().for_each(|line| parser.read(line, None, &mut events));
    parser.finish(&mut events);
    for (number, event) in events.iter_mut().enumerate() {
        event.id.sequence = u64::try_from(number).unwrap();
    }
    events
}

/// The rules that raise an alert over `lines`, with the highest severity.
fn alerts(strategies: &[Strategy], lines: &[String]) -> BTreeMap<String, Severity> {
    let (mut engine, _) = Engine::new(strategies, &Config::default()).unwrap();
    let mut alerts = Vec::new();
    events(lines).into_iter().for_each(|event| engine.push(event, &mut alerts));
    engine.finish(&mut alerts);
    alerts.iter().map(|alert| (alert.rule_title.to_string(), alert.severity)).collect()
}

/// A section of a test of Wazuh or OSSEC.
#[derive(Default)]
struct Section {
    name: String,
    /// Lines that must fire, in order.
    lines: Vec<String>,
    level: Option<u32>,
}

fn sections(path: &Path) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in read(path).lines() {
        let is_name = line.starts_with('[') && line.trim_end().ends_with(']') && !line.contains(" = ");
        if is_name {
            let file = path.file_stem().unwrap().to_string_lossy().into_owned();
            sections.push(Section { name: format!("{file} {line}"), ..Section::default() });
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let Some(section) = sections.last_mut().filter(|_| !is_name) else { continue };
        match key.trim() {
            "alert" => section.level = value.trim().parse().ok(),
            key if key.starts_with("log ") && key.ends_with(" pass") => {
                section.lines.push(value.strip_prefix(' ').unwrap_or(value).to_owned());
            }
            _ => {}
        }
    }
    sections
}

/// What was found of the attacks of a source.
#[derive(Default)]
struct Tally {
    found: usize,
    all: usize,
}

impl Tally {
    fn count(&mut self, name: &str, alerts: &BTreeMap<String, Severity>) {
        self.all += 1;
        self.found += usize::from(!alerts.is_empty());
        let said: Vec<String> = alerts.iter().map(|(rule, level)| format!("{rule} ({level:?})")).collect();
        println!("{} | {name} | {}", if said.is_empty() { "MISSED" } else { "found " }, said.join("; "));
    }
}

#[test]
fn attacks_in_logs_are_found_and_harmless_lines_raise_no_high_alert() {
    let Some(root) = data() else { return };
    let strategies = shipped();
    let (mut wazuh, mut crowdsec, mut apart) = (Tally::default(), Tally::default(), Tally::default());
    let (mut harmless, mut high) = (0, Vec::new());
    for folder in ["wazuh", "ossec"] {
        for section in files(&root.join(folder), "ini").iter().flat_map(|path| sections(path)) {
            match section.level {
                Some(ATTACK..) => wazuh.count(&section.name, &alerts(&strategies, &section.lines)),
                Some(0) => {
                    for line in section.lines {
                        harmless += 1;
                        let raised = alerts(&strategies, std::slice::from_ref(&line));
                        if raised.values().any(|level| *level >= Severity::High) {
                            high.push(format!("{}: {line}: {raised:?}", section.name));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let scope: BTreeMap<&str, &str> = SCOPE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut named = BTreeSet::new();
    for row in read(&root.join("crowdsec/labels.tsv")).lines().skip(1) {
        let [test, "alert", ..] = row.split('\t').collect::<Vec<_>>()[..] else { continue };
        let lines: Vec<String> = files(&root.join("crowdsec").join(test), "log")
            .iter()
            .flat_map(|path| read(path).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let raised = alerts(&strategies, &lines);
        match scope.get_key_value(test) {
            Some((test, about)) => {
                named.insert(*test);
                apart.count(&format!("apart: {test} ({about})"), &raised);
            }
            None => crowdsec.count(test, &raised),
        }
    }
    assert_eq!(named.len(), scope.len(), "scope.tsv names tests that are not there");
    let (found, all) = (wazuh.found + crowdsec.found, wazuh.all + crowdsec.all);
    println!("Wazuh and OSSEC, level 10 and more: {} of {}", wazuh.found, wazuh.all);
    println!("CrowdSec, user activity and system logs: {} of {}", crowdsec.found, crowdsec.all);
    println!("both: {found} of {all}, recall {:.3}", found as f64 / all as f64);
    println!("apart, about other sources: {} of {}", apart.found, apart.all);
    println!("lines of level 0: {harmless}, with a high alert: {}", high.len());
    assert_eq!(high, Vec::<String>::new());
    assert!(found * 10 >= all * 8, "recall");
}
