//! Falco's recorded verdicts: by our own rules where there is one for the behaviour, else by Falco's rules as imported.
//!
//! Rows whose verdict hangs on settings of Falco's rules (images or users that are trusted) are no verdict of the rules, and
//! counted apart. Of the policies (`falco_psp`), those whose setting is in our set.

use crate::{Shipped, data, read, rows};
use detect::Placeholders;
use detect::plain::{EventRules, EventScratch};
use event::Event;
use sense::kubernetes_audit;
use std::collections::BTreeSet;
use std::path::Path;
use strategy::falco::{Input, Rule, load};

const TABLE: &str = include_str!("falco.tsv");
/// Rule files that leave the verdicts as they are.
const PLAIN: [&str; 4] =
    ["", "engine_v4_k8s_audit_rules.yaml", "k8s_audit_rules.yaml", "disallow_kactivity.yaml"];

/// Falco's rules as this program reads them.
struct Imported {
    rules: Vec<Rule>,
    program: EventRules,
}

impl Imported {
    fn load(path: &Path) -> Self {
        let text = read(path);
        let set = load(&[Input { name: "k8s_audit_rules.yaml", text: &text }]);
        assert_eq!(set.errors, []);
        let (program, _) = EventRules::with_falco(&[], &set.rules, &Placeholders::new());
        Self { rules: set.rules, program }
    }

    fn alerts(&self, events: &[Event]) -> BTreeSet<&str> {
        let mut scratch = EventScratch::default();
        let mut found = BTreeSet::new();
        for event in events {
            found.extend(self.program.judge(event, &mut scratch).map(|at| self.rules[at].name.as_str()));
        }
        found
    }
}

fn events(folder: &Path, file: &str) -> Vec<Event> {
    let text = read(&folder.join(file));
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.flat_map(|line| kubernetes_audit::events(line).unwrap_or_default()).collect()
}

/// By what a verdict of Falco's comes out, and whether it does.
fn verdict(
    rule: &str,
    mapped: Option<&str>,
    own: &BTreeSet<&str>,
    theirs: &BTreeSet<&str>,
    shipped: &Shipped,
) -> (&'static str, bool) {
    match mapped {
        Some("-") => ("the imported rule", theirs.contains(rule)),
        Some(names) => {
            let names: Vec<&str> = names.split(' ').collect();
            shipped.knows(&names);
            ("our rule", names.iter().any(|name| own.contains(name)))
        }
        // What Falco's test says to be silent over: no rule of ours with another's name may speak either.
        None => ("silence", own.is_empty()),
    }
}

#[test]
fn falcos_verdicts_come_out() {
    let (Some(folder), Some(rules)) = (data("k8s_audit/falco"), data("rules/falco/k8s_audit_rules.yaml"))
    else {
        return;
    };
    let (shipped, imported, table) = (Shipped::load(), Imported::load(&rules), rows(TABLE));
    let (mut right, mut apart, mut wrong) = (0, Vec::new(), Vec::new());
    for row in read(&folder.join("labels.tsv")).lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (file, test, detect) = (cells[0], cells[1], cells[2] == "True");
        if !PLAIN.contains(cells.get(5).unwrap_or(&"")) {
            apart.push(test.to_owned());
            continue;
        }
        let rule = cells[4].split('=').next().unwrap_or_default();
        let mapped = table.get(rule).map(|cells| cells[0]);
        assert!(mapped.is_some() == detect, "{test}: {rule} and the table");
        let events = events(&folder, file);
        let (own, theirs) = (shipped.alerts(events.iter().cloned()), imported.alerts(&events));
        let (by, is_right) = verdict(rule, mapped, &own, &theirs, &shipped);
        println!("{test}: {file}: Falco {detect}, {by} {is_right}; ours {own:?}; imported {theirs:?}");
        if is_right {
            right += 1;
        } else {
            wrong.push(format!("{test}: {own:?}"));
        }
    }
    println!("{right} verdicts come out, {} not; by settings: {}", wrong.len(), apart.join(", "));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn settings_of_pods_are_judged_as_falcos_policies_judge_them() {
    let Some(folder) = data("k8s_audit/falco_psp") else { return };
    let (shipped, table) = (Shipped::load(), rows(TABLE));
    let (mut right, mut apart, mut wrong) = (0, Vec::new(), Vec::new());
    for row in read(&folder.join("labels.tsv")).lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let (file, test, violates) = (cells[0], cells[1], cells[2] == "True");
        let Some(rule) = table.get(cells[3]).map(|cells| cells[0]) else {
            apart.push(cells[3].to_owned());
            continue;
        };
        shipped.knows(&[rule]);
        let own = shipped.alerts(events(&folder, file));
        println!("{test}: {file}: violates {violates}; ours {own:?}");
        if own.contains(rule) == violates {
            right += 1;
        } else {
            wrong.push(format!("{test}: {own:?}"));
        }
    }
    apart.dedup();
    println!("{right} verdicts come out, {} not; not in the set: {}", wrong.len(), apart.join(", "));
    assert_eq!(wrong, Vec::<String>::new());
}
