//! The tests of panther-analysis: how many of the attacks of each behaviour are found, and how much else.
//!
//! Cases whose verdict hangs on a looked-up value (`mocks`) are left out. Some upstream rules alert when their event has come
//! often enough; theirs and ours count then, and the case's event is repeated as often as the table says.

use crate::{Shipped, data, parsed::other_log, read, repeated, rows};
use sense::kubernetes_audit;
use std::collections::BTreeMap;
use std::ops::AddAssign;

const TABLE: &str = include_str!("panther.tsv");

/// Attacks and those found, others and those alerted.
#[derive(Default, Clone, Copy)]
struct Count {
    attacks: usize,
    found: usize,
    benign: usize,
    alerted: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.attacks += other.attacks;
        self.found += other.found;
        self.benign += other.benign;
        self.alerted += other.alerted;
    }
}

/// What became of a case.
enum Outcome {
    /// Its verdict hangs on a looked-up value.
    Mocked,
    /// Its behaviour or its log is not in the set.
    Apart,
    /// Whether there was an alert of its behaviour, and where that is not what upstream says, all alerts.
    Judged(bool, Option<String>),
}

fn judged(case: &serde_json::Value, table: &BTreeMap<&str, Vec<&str>>, shipped: &Shipped) -> Outcome {
    let rule = case["rule"].as_str().unwrap();
    let [times, rules] = table.get(rule).unwrap_or_else(|| panic!("{rule} is not in the table"))[..] else {
        panic!("{rule}: two cells")
    };
    let times: u32 = times.parse().unwrap();
    if case["mocks"] == true {
        return Outcome::Mocked;
    }
    if times == 0 || other_log(&case["event"]).is_some() {
        return Outcome::Apart;
    }
    let rules: Vec<&str> = rules.split(' ').collect();
    shipped.knows(&rules);
    let events = kubernetes_audit::events(&case["event"].to_string()).unwrap();
    let alerts = shipped.alerts(repeated(&events, times));
    let is_found = rules.iter().any(|rule| alerts.contains(rule));
    let otherwise = (is_found != (case["expected"] == true)).then(|| {
        format!("{} ({}): {alerts:?}", case["id"].as_str().unwrap(), case["test"].as_str().unwrap())
    });
    Outcome::Judged(is_found, otherwise)
}

#[test]
fn the_behaviours_of_the_set_are_found_and_little_else() {
    let Some(path) = data("k8s_audit/panther/cases.jsonl") else { return };
    let (shipped, table) = (Shipped::load(), rows(TABLE));
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let (mut apart, mut mocked) = (0, 0);
    for line in read(&path).lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        match judged(&case, &table, &shipped) {
            Outcome::Mocked => mocked += 1,
            Outcome::Apart => apart += 1,
            Outcome::Judged(is_found, otherwise) => {
                otherwise.iter().for_each(|one| println!("otherwise than upstream: {one}"));
                let one = usize::from(is_found);
                *counts.entry(case["rule"].as_str().unwrap().to_owned()).or_default() +=
                    match case["expected"] == true {
                        true => Count { attacks: 1, found: one, ..Count::default() },
                        false => Count { benign: 1, alerted: one, ..Count::default() },
                    };
            }
        }
    }
    let mut all = Count::default();
    for (rule, count) in &counts {
        println!(
            "{rule}: {} of {} found, {} of {} false",
            count.found, count.attacks, count.alerted, count.benign
        );
        all += *count;
    }
    println!(
        "left out: {apart} of behaviours or logs that are not in the set, {mocked} with looked-up values"
    );
    let Count { attacks, found, benign, alerted } = all;
    println!(
        "{} behaviours: {found} of {attacks} attacks found, {alerted} of {benign} others alerted",
        counts.len()
    );
    assert!(attacks > 0 && benign > 0);
    assert!(found * 100 >= attacks * 95, "sensitivity");
    assert!(alerted * 100 <= benign * 3, "false alerts");
}
