//! The conformance suite of `tests/conformance`: what Sigma's specification asks of an engine, as data.
//!
//! Runs every case of every file, prints how many of each file pass, and fails with the list of those that do not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails where it is wrong, and prints its table"
)]

use detect::joined::{Correlations, Noted};
use detect::plain::{JsonRules, JsonScratch};
use detect::{Config, Placeholders};
use event::BootTime;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use strategy::sigma::Item;
use strategy::source::Fragment;
use strategy::yaml::{self, Node, Number, Resolved, Value};

/// Fewest cases that the suite has.
const CASES_AT_LEAST: usize = 200;

#[test]
fn every_case_of_the_suite_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let (mut cases, mut failures, mut names) = (0, Vec::new(), BTreeSet::new());
    println!("{:<14} {:>5} {:>6} {:>5}", "file", "cases", "passed", "open");
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let document =
            yaml::parse(&Fragment::whole(&text)).unwrap_or_else(|all| panic!("{name}: {all:?}")).remove(0);
        let all = document.sequence().unwrap_or_else(|| panic!("{name} is no list"));
        let before = failures.len();
        for case in all {
            let case_name = text_of(case, "name");
            assert!(names.insert(case_name.to_owned()), "two cases are called {case_name}");
            let found = check(case);
            failures.extend(
                found.into_iter().map(|why| (case_name.to_owned(), format!("{name}: {case_name}: {why}"))),
            );
        }
        let failed: BTreeSet<&str> = failures.iter().skip(before).map(|(case, _)| case.as_str()).collect();
        let open = all.iter().filter(|case| case.entry("open").is_some()).count();
        println!("{name:<14} {:>5} {:>6} {open:>5}", all.len(), all.len() - failed.len());
        cases += all.len();
    }
    println!("{:<14} {cases:>5}", "all");
    let failures: Vec<String> = failures.into_iter().map(|(_, why)| why).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= CASES_AT_LEAST, "{cases} cases");
}

/// What is wrong with the answers of our engine to `case`.
fn check(case: &Node) -> Vec<String> {
    let rules = rules_of(case);
    let placeholders = placeholders_of(case);
    if let Some(why) = case.entry("refused") {
        let refused = Loaded::new(&rules, &placeholders).is_err();
        return if refused { Vec::new() } else { vec![format!("accepted ({})", why.text().unwrap())] };
    }
    let loaded = |wrong: &mut Vec<String>| {
        Loaded::new(&rules, &placeholders).map_err(|why| wrong.push(format!("refused: {why}"))).ok()
    };
    let mut wrong = Vec::new();
    for (key, expect) in [("match", true), ("silent", false)] {
        for event in items(case, key) {
            let Some(mut loaded) = loaded(&mut wrong) else { return wrong };
            let holds = !loaded.judge(&json(event), 0.0, 0).is_empty();
            if holds != expect {
                wrong.push(format!("{} {}", if expect { "misses" } else { "matches" }, json(event)));
            }
        }
    }
    if let Some(expect) = case.entry("expect") {
        let Some(mut loaded) = loaded(&mut wrong) else { return wrong };
        let mut got: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, event) in items(case, "events").iter().enumerate() {
            for rule in loaded.judge(&json(event), 0.0, number) {
                got.entry(rule).or_default().push(number);
            }
        }
        for (rule, numbers) in expect.mapping().unwrap() {
            let expect: Vec<usize> = numbers
                .sequence()
                .unwrap()
                .iter()
                .map(|number| number.text().unwrap().parse().unwrap())
                .collect();
            let got = got.get(&rule.text).cloned().unwrap_or_default();
            if got != expect {
                wrong.push(format!("{} matches {got:?} and not {expect:?}", rule.text));
            }
        }
    }
    for run in items(case, "runs") {
        let Some(mut loaded) = loaded(&mut wrong) else { return wrong };
        let expect: usize = text_of(run, "groups").parse().unwrap();
        let got = loaded.groups(items(run, "events"));
        if got != expect {
            let events: Vec<String> = items(run, "events").iter().map(json).collect();
            wrong.push(format!("{got} groups and not {expect}: {}", events.join(" ")));
        }
    }
    wrong
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
    fn judge(&mut self, event: &str, seconds: f64, number: usize) -> Vec<String> {
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

    /// For how many groups the correlation `joined` matches, where each event is `[seconds, event]` and time passes
    /// after the last.
    fn groups(&mut self, events: &[Node]) -> usize {
        for (number, event) in events.iter().enumerate() {
            let [seconds, event] = event.sequence().unwrap() else { panic!("[seconds, event] was expected") };
            self.judge(&json(event), seconds.text().unwrap().parse().unwrap(), number);
        }
        self.correlations.finish(&mut self.joined);
        let of_joined =
            |one: &&detect::joined::Joined<Noted>| self.items[one.item].head().handle() == "joined";
        self.joined.iter().filter(of_joined).map(|one| one.group.clone()).collect::<BTreeSet<_>>().len()
    }
}

/// The rules of a case as Sigma: as they stand, around a detection, or with the rules that a correlation joins.
fn rules_of(case: &Node) -> String {
    if let Some(rules) = case.entry("rules") {
        return rules.text().unwrap().to_owned();
    }
    let indented = |text: &str| text.lines().fold(String::new(), |all, line| format!("{all}  {line}\n"));
    if let Some(detection) = case.entry("detection") {
        let version = case.entry("version").map_or("2", |node| node.text().unwrap());
        let detection = indented(detection.text().unwrap());
        return format!(
            "title: case\nname: case\nsigma-version: {version}\nlogsource: {{category: test}}\ndetection:\n{detection}"
        );
    }
    let mut text = String::new();
    for name in ["a", "b", "c"] {
        write!(
            text,
            "title: {name}\nname: {name}\nlogsource: {{category: test}}\ndetection: {{s: {{r: {name}}}, condition: s}}\n---\n"
        )
        .unwrap();
    }
    if let Some(more) = case.entry("more") {
        write!(text, "{}\n---\n", more.text().unwrap().trim_end()).unwrap();
    }
    let correlation =
        indented(case.entry("correlation").expect("rules, detection or correlation").text().unwrap());
    write!(text, "title: joined\nname: joined\ncorrelation:\n{correlation}").unwrap();
    text
}

fn placeholders_of(case: &Node) -> Placeholders {
    let texts =
        |node: &Node| node.sequence().unwrap().iter().map(|one| one.text().unwrap().to_owned()).collect();
    let entries = case.entry("placeholders").and_then(Node::mapping).unwrap_or_default();
    entries.iter().map(|(name, values)| (name.text.clone(), texts(values))).collect()
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.entry(key).and_then(Node::sequence).unwrap_or_default()
}

fn text_of<'n>(node: &'n Node, key: &str) -> &'n str {
    node.entry(key).and_then(Node::text).unwrap_or_else(|| panic!("`{key}` is missing"))
}

/// The node as JSON.
fn json(node: &Node) -> String {
    match &node.value {
        Value::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}:{}", quoted(&key.text), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Sequence(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(",")),
        Value::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => "null".to_owned(),
            Resolved::Bool(value) => value.to_string(),
            Resolved::Number(Number::Integer(number)) => number.to_string(),
            Resolved::Number(Number::Float(number)) => format!("{number:?}"),
            Resolved::Text(text) => quoted(text),
        },
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
