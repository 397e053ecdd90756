//! The conformance suite, put to rsigma.
//!
//! In: `tests/conformance`, whose answers are ours (`crates/detect/tests/conformance.rs` sees to it), and
//! `oracle/disagreements.yaml`, which says of each case that rsigma answers otherwise how, and why. rsigma is given what it
//! needs to answer: placeholders as a pipeline, and no log sources.

use crate::suite::{self, Case, Engine, Wrong};
use anyhow::{Context, Result};
use rsigma_eval::{CorrelationConfig, CorrelationEngine, EvaluationResult, JsonEvent, ResultBody};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use strategy::source::Fragment;
use strategy::yaml::{self, Node};

/// Seconds since 1970 of the suite's second 0, so that late events are not before time.
const START_S: f64 = 1000.0;

/// Prints the table and every disagreement. Whether all are explained, and nothing else is.
pub fn run(root: &Path) -> Result<bool> {
    let explained = explanations(&root.join("oracle/disagreements.yaml"))?;
    let mut differing = BTreeMap::new();
    let (mut all, mut all_agree) = (0, 0);
    println!("{:<14} {:>5} {:>6} {:>6} {:>14}", "file", "cases", "agree", "differ", "of them open");
    for file in suite::read(&root.join("tests/conformance")) {
        let (mut agree, mut open) = (0, 0);
        for case in &file.cases {
            let wrong = case.check(Theirs::load);
            if wrong.is_empty() {
                agree += 1;
            } else {
                open += usize::from(case.open);
                differing.insert(case.name.clone(), wrong);
            }
        }
        let cases = file.cases.len();
        println!("{:<14} {cases:>5} {agree:>6} {:>6} {open:>14}", file.name, cases - agree);
        (all, all_agree) = (all + cases, all_agree + agree);
    }
    println!("{:<14} {all:>5} {all_agree:>6} {:>6}\n", "all", all - all_agree);
    Ok(report(&differing, &explained))
}

fn report(
    differing: &BTreeMap<String, Vec<(Wrong, String)>>,
    explained: &BTreeMap<String, Explained>,
) -> bool {
    let mut unexplained = 0;
    for (case, wrong) in differing {
        let ways: BTreeSet<Wrong> = wrong.iter().map(|(way, _)| *way).collect();
        let ways: Vec<String> = ways.iter().map(|way| format!("{way:?}").to_lowercase()).collect();
        let ways = ways.join(" ");
        println!("{case}: {ways}");
        match explained.get(case) {
            Some(known) if known.rsigma == ways => println!("    because: {}", known.because),
            Some(known) => {
                unexplained += 1;
                println!("    STALE: disagreements.yaml says that rsigma {}", known.rsigma);
            }
            None => {
                unexplained += 1;
                println!("    UNEXPLAINED");
            }
        }
        wrong.iter().for_each(|(_, how)| println!("    {how}"));
    }
    let stale: Vec<&String> = explained.keys().filter(|case| !differing.contains_key(*case)).collect();
    stale.iter().for_each(|case| println!("{case}: STALE: rsigma agrees, or there is no such case"));
    let known = differing.len() - unexplained;
    println!("\n{known} disagreements explained, {unexplained} not, {} explanations stale", stale.len());
    unexplained == 0 && stale.is_empty()
}

/// An entry of `disagreements.yaml`.
struct Explained {
    /// How rsigma is wrong, if the suite is right: `accepts`, `refuses`, `misses`, `matches`.
    rsigma: String,
    because: String,
}

fn explanations(path: &Path) -> Result<BTreeMap<String, Explained>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let documents = yaml::parse(&Fragment::whole(&text)).map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let list = documents.first().and_then(Node::sequence).context("disagreements.yaml is no list")?;
    let entry = |node: &Node| {
        let text = |key: &str| {
            node.entry(key)
                .and_then(Node::text)
                .map(str::to_owned)
                .with_context(|| format!("`{key}` is missing"))
        };
        Ok((text("case")?, Explained { rsigma: text("rsigma")?, because: text("because")? }))
    };
    list.iter().map(entry).collect()
}

/// rsigma with the rules of a case.
struct Theirs {
    engine: CorrelationEngine,
    /// Names by id, or by title of rules without: what its results say.
    names: BTreeMap<String, String>,
}

impl Theirs {
    fn load(case: &Case) -> Result<Self, String> {
        let rules = rsigma_parser::parse_sigma_yaml(&case.rules).map_err(|error| error.to_string())?;
        if let Some(error) = rules.errors().next() {
            return Err(error.to_string());
        }
        let mut engine = CorrelationEngine::new(CorrelationConfig::default());
        engine.add_pipeline(rsigma_eval::parse_pipeline(&pipeline(case)).map_err(|error| error.to_string())?);
        engine.add_collection(&rules).map_err(|error| error.to_string())?;
        let detections = rules.rules.iter().map(|one| (&one.id, &one.title, &one.name));
        let heads = detections.chain(rules.correlations.iter().map(|one| (&one.id, &one.title, &one.name)));
        let names = heads.map(|(id, title, name)| {
            let said = id.as_ref().unwrap_or(title).clone();
            (said, name.as_ref().unwrap_or(title).clone())
        });
        Ok(Self { engine, names: names.collect() })
    }

    fn process(&mut self, event: &str, seconds: f64) -> Vec<EvaluationResult> {
        let value: serde_json::Value = serde_json::from_str(event).expect("an event of the suite");
        // It counts time in whole seconds.
        self.engine.process_event_at(&JsonEvent::owned(value), (START_S + seconds).floor() as i64)
    }

    fn name(&self, result: &EvaluationResult) -> String {
        let said = result.header.rule_id.as_ref().unwrap_or(&result.header.rule_title);
        self.names.get(said).unwrap_or(said).clone()
    }
}

impl Engine for Theirs {
    fn judge(&mut self, event: &str, _number: usize) -> Vec<String> {
        let results = self.process(event, 0.0);
        results.iter().map(|result| self.name(result)).collect()
    }

    fn groups(&mut self, events: &[(f64, String)]) -> usize {
        let mut groups = BTreeSet::new();
        for (seconds, event) in events {
            for result in self.process(event, *seconds) {
                if let ResultBody::Correlation(body) = &result.body
                    && self.name(&result) == "joined"
                {
                    groups.insert(body.group_key.clone());
                }
            }
        }
        groups.len()
    }
}

/// The case's placeholders as rsigma takes them.
fn pipeline(case: &Case) -> String {
    let vars = serde_json::to_string(&case.placeholders).expect("names and texts");
    format!(
        "name: placeholders\nvars: {vars}\ntransformations:\n  - {{id: values, type: value_placeholders}}\n"
    )
}
