//! Falco rules over JSON, for the tests of their meaning and of their conformance.

use detect::Placeholders;
use detect::plain::{JsonRules, JsonScratch, Rejected};
use strategy::falco::Rule;

/// The rules that run, and those that do not.
pub fn json_rules(rules: &[Rule]) -> (JsonRules, Vec<Rejected>) {
    JsonRules::with_falco(&[], rules, &Placeholders::new())
}

/// Which of `rules` hold for each of `events`.
pub fn judged(rules: &[Rule], events: &[serde_json::Value]) -> Vec<Vec<usize>> {
    let (program, rejected) = json_rules(rules);
    assert_eq!(rejected, []);
    let mut scratch = JsonScratch::default();
    let judge = |event: &serde_json::Value| {
        let text = event.to_string();
        let found = program.judge(text.as_bytes(), &mut scratch).unwrap().0.to_vec();
        assert_eq!(found, program.judge_each(text.as_bytes()).unwrap(), "the index agrees");
        found
    };
    events.iter().map(judge).collect()
}
