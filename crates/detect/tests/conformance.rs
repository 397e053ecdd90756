//! The conformance suite of `tests/conformance`: what Sigma's specification asks of an engine, as data.
//!
//! Runs every case of every file, prints how many of each file pass, and fails with the list of those that do not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails where it is wrong, and prints its table"
)]

mod suite;

use detect::joined::{Correlations, Noted};
use detect::plain::{JsonRules, JsonScratch};
use detect::{Config, Placeholders};
use event::BootTime;
use std::collections::BTreeSet;
use std::path::Path;
use strategy::sigma::Item;

/// Fewest cases that the suite has.
const CASES_AT_LEAST: usize = 200;

#[test]
fn every_case_of_the_suite_passes() {
    let (mut cases, mut failures, mut names) = (0, Vec::new(), BTreeSet::new());
    println!("{:<14} {:>5} {:>6} {:>5}", "file", "cases", "passed", "open");
    for file in suite::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")) {
        let (mut passed, name) = (0, &file.name);
        for case in &file.cases {
            assert!(names.insert(case.name.clone()), "two cases are called {}", case.name);
            let found = case.check(|case| Loaded::new(&case.rules, &case.placeholders));
            passed += usize::from(found.is_empty());
            failures.extend(found.into_iter().map(|(_, why)| format!("{name}: {}: {why}", case.name)));
        }
        let open = file.cases.iter().filter(|case| case.open).count();
        println!("{name:<14} {:>5} {passed:>6} {open:>5}", file.cases.len());
        cases += file.cases.len();
    }
    println!("{:<14} {cases:>5}", "all");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= CASES_AT_LEAST, "{cases} cases");
}

/// Rules and correlations, ready to be asked.
struct Loaded {
    items: Vec<Item>,
    rules: JsonRules,
    correlations: Correlations<Noted>,
    scratch: JsonScratch,
    joined: Vec<detect::joined::Joined<Noted>>,
    now: u64,
}

impl Loaded {
    fn new(text: &str, placeholders: &Placeholders) -> Result<Self, String> {
        let (items, problems) = strategy::sigma::read_str(text);
        if let Some(problem) = problems.first() {
            return Err(problem.message.clone());
        }
        let (mut rules, rejected) = JsonRules::new(&items, placeholders);
        let rejected = rejected.into_iter().filter(|one| !matches!(items[one.item], Item::Correlation(_)));
        if let Some(one) = rejected.into_iter().next() {
            return Err(one.fault.to_string());
        }
        let (correlations, rejected) = Correlations::<Noted>::new(&items, &Config::default());
        if let Some((_, fault)) = rejected.first() {
            return Err(fault.to_string());
        }
        rules.read(correlations.fields()).map_err(|fault| fault.to_string())?;
        let (scratch, joined) = (JsonScratch::default(), Vec::new());
        Ok(Self { items, rules, correlations, scratch, joined, now: 0 })
    }

    /// The names of the rules that speak for the event at `seconds`.
    fn judge_at(&mut self, event: &str, seconds: f64, number: usize) -> Vec<String> {
        let (places, _) = self.rules.judge(event.as_bytes(), &mut self.scratch).unwrap();
        let places = places.to_vec();
        let time = std::time::Duration::from_secs_f64(1000.0 + seconds).as_nanos();
        let time = u64::try_from(time).unwrap();
        self.now = self.now.max(time);
        let values = self.rules.values(event.as_bytes(), &self.scratch);
        let noted = Noted::new(BootTime(time), u64::try_from(number).unwrap(), values);
        for place in &places {
            self.correlations.push(*place, noted.clone());
        }
        self.correlations.advance(BootTime(self.now), &mut self.joined);
        let speaks = places.iter().filter(|place| self.correlations.speaks(**place));
        speaks.map(|place| self.items[*place].head().handle().to_owned()).collect()
    }
}

impl suite::Engine for Loaded {
    fn judge(&mut self, event: &str, number: usize) -> Vec<String> {
        self.judge_at(event, 0.0, number)
    }

    fn groups(&mut self, events: &[(f64, String)]) -> usize {
        for (number, (seconds, event)) in events.iter().enumerate() {
            self.judge_at(event, *seconds, number);
        }
        self.correlations.finish(&mut self.joined);
        let of_joined =
            |one: &&detect::joined::Joined<Noted>| self.items[one.item].head().handle() == "joined";
        self.joined.iter().filter(of_joined).map(|one| one.group.clone()).collect::<BTreeSet<_>>().len()
    }
}
