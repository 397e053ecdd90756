//! The conformance suite of `tests/conformance`, read and put to an engine.
//!
//! In: the folder of the suite, and an [`Engine`] to ask. Out: by case, what is wrong with the engine's answers. Which engine
//! it is, this does not know: our own is asked by `tests/conformance.rs`, another by the workspace `oracle`. The form of the
//! cases: `tests/conformance/README.md`.

#![allow(clippy::unwrap_used, reason = "a suite that cannot be read is a bug")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use strategy::source::Fragment;
use strategy::yaml::{self, Node, Number, Resolved, Value};

/// A file of the suite.
pub struct File {
    /// Its name without extension.
    pub name: String,
    /// Its cases, in their order.
    pub cases: Vec<Case>,
}

/// A case: rules and what is asked about them.
pub struct Case {
    /// What is asked, in a sentence.
    pub name: String,
    /// Whether the specification leaves it open.
    pub open: bool,
    /// The rules, as text of Sigma documents.
    pub rules: String,
    /// Values of `%name%`, by name.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// Why an engine must refuse the rules, where it must.
    pub refused: Option<String>,
    asks: Vec<Ask>,
}

/// One question, put to rules that have seen nothing yet. Events are text of JSON.
enum Ask {
    /// Whether any rule holds for the event.
    Holds { event: String, expect: bool },
    /// For which of the events each rule speaks, by its name.
    Speaks { events: Vec<String>, expect: BTreeMap<String, Vec<usize>> },
    /// For how many groups the correlation `joined` matches. With each event, its time in seconds.
    Groups { events: Vec<(f64, String)>, expect: usize },
}

/// Rules that were loaded into an engine.
pub trait Engine {
    /// The names of the rules that speak for the event; its number counts from 0.
    fn judge(&mut self, event: &str, number: usize) -> Vec<String>;

    /// For how many groups the correlation `joined` matches, where time passes after the last event.
    fn groups(&mut self, events: &[(f64, String)]) -> usize;
}

/// How an answer is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Rules that must be refused are not.
    Accepts,
    /// Rules that must run are refused.
    Refuses,
    /// A rule or a group does not match that must.
    Misses,
    /// A rule or a group matches that must not.
    Matches,
}

/// The files of the suite in `folder`, by name.
pub fn read(folder: &Path) -> Vec<File> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let document =
            yaml::parse(&Fragment::whole(&text)).unwrap_or_else(|all| panic!("{name}: {all:?}")).remove(0);
        let cases = document.sequence().unwrap_or_else(|| panic!("{name} is no list"));
        File { cases: cases.iter().map(Case::read).collect(), name }
    };
    files.into_iter().map(read).collect()
}

impl Case {
    fn read(node: &Node) -> Self {
        let text = |key| node.entry(key).map(|one| one.text().unwrap().to_owned());
        Self {
            name: text_of(node, "name").to_owned(),
            open: node.entry("open").is_some(),
            rules: rules_of(node),
            placeholders: placeholders_of(node),
            refused: text("refused"),
            asks: asks_of(node),
        }
    }

    /// What is wrong with the answers of the engine that `load` makes, and how.
    pub fn check<E: Engine>(&self, load: impl Fn(&Self) -> Result<E, String>) -> Vec<(Wrong, String)> {
        if let Some(why) = &self.refused {
            let accepted = load(self).is_ok();
            return accepted.then(|| (Wrong::Accepts, format!("accepted ({why})"))).into_iter().collect();
        }
        let mut wrong = Vec::new();
        for ask in &self.asks {
            match load(self) {
                Ok(mut engine) => ask.put(&mut engine, &mut wrong),
                Err(why) => return vec![(Wrong::Refuses, format!("refused: {why}"))],
            }
        }
        wrong
    }
}

impl Ask {
    fn put(&self, engine: &mut impl Engine, wrong: &mut Vec<(Wrong, String)>) {
        match self {
            Self::Holds { event, expect } => {
                let holds = !engine.judge(event, 0).is_empty();
                if holds != *expect {
                    wrong.push(if *expect {
                        (Wrong::Misses, format!("misses {event}"))
                    } else {
                        (Wrong::Matches, format!("matches {event}"))
                    });
                }
            }
            Self::Speaks { events, expect } => {
                let mut got: BTreeMap<String, Vec<usize>> = BTreeMap::new();
                for (number, event) in events.iter().enumerate() {
                    for rule in engine.judge(event, number) {
                        got.entry(rule).or_default().push(number);
                    }
                }
                for (rule, expect) in expect {
                    let got = got.get(rule).cloned().unwrap_or_default();
                    if got != *expect {
                        let kind = if got.len() < expect.len() { Wrong::Misses } else { Wrong::Matches };
                        wrong.push((kind, format!("{rule} matches {got:?} and not {expect:?}")));
                    }
                }
            }
            Self::Groups { events, expect } => {
                let got = engine.groups(events);
                if got != *expect {
                    let events = events.iter().map(|(seconds, event)| format!("{seconds}: {event}"));
                    let kind = if got < *expect { Wrong::Misses } else { Wrong::Matches };
                    let events = events.collect::<Vec<_>>().join(" ");
                    wrong.push((kind, format!("{got} groups and not {expect}: {events}")));
                }
            }
        }
    }
}

fn asks_of(node: &Node) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (key, expect) in [("match", true), ("silent", false)] {
        asks.extend(items(node, key).iter().map(|event| Ask::Holds { event: json(event), expect }));
    }
    if let Some(expect) = node.entry("expect") {
        let number = |node: &Node| node.text().unwrap().parse().unwrap();
        let expect = expect.mapping().unwrap().iter().map(|(rule, numbers)| {
            (rule.text.clone(), numbers.sequence().unwrap().iter().map(number).collect())
        });
        let events = items(node, "events").iter().map(json).collect();
        asks.push(Ask::Speaks { events, expect: expect.collect() });
    }
    for run in items(node, "runs") {
        let timed = |event: &Node| {
            let [seconds, event] = event.sequence().unwrap() else { panic!("[seconds, event] was expected") };
            (seconds.text().unwrap().parse().unwrap(), json(event))
        };
        let expect = text_of(run, "groups").parse().unwrap();
        asks.push(Ask::Groups { events: items(run, "events").iter().map(timed).collect(), expect });
    }
    asks
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

fn placeholders_of(case: &Node) -> BTreeMap<String, Vec<String>> {
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
