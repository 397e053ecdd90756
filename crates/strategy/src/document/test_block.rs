//! `jsonl test`: events, and what they must raise.
//!
//! One JSON object a line: an event in the NDJSON form of the event model, with three keys of its own. `at`
//! is its time after the test's begin (`"+1.5s"`; without it, the time of the line before), `repeat` how
//! often it comes, `every` how far apart. `{"capture": "path"}` stands for a file of recorded events. What
//! an event's own keys mean is not this crate's business.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::diagnostic::{Problem, codes};
use crate::period;
use crate::source::{Fragment, Span};

/// Most events that one line may stand for.
pub const REPEAT_LIMIT: u64 = 1_000_000;

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestCase {
    /// Line of its begin in the document.
    pub line: usize,
    /// Place of its begin.
    pub span: Span,
    /// Its name, when it has one.
    pub name: Option<String>,
    /// What must come of it.
    pub expect: Expect,
    /// Events and captures, in order.
    pub inputs: Vec<TestInput>,
}

/// What must come of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly the alerts of these rules, each as often as it is named.
    Alerts(Vec<String>),
    /// No alert.
    Silence,
    /// No alert, though there should be one: it fails on the day that there is.
    Missed,
}

/// A line of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestInput {
    /// An event, once or repeated.
    Event(TestEvent),
    /// A file of recorded events, relative to the document.
    Capture(String, Span),
}

/// An event of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestEvent {
    /// Time after the test's begin of the first one.
    pub at: Duration,
    /// How many, at least 1.
    pub repeat: u64,
    /// How far apart.
    pub every: Duration,
    /// The event without the three keys of the test.
    pub event: Value,
    /// Place in the document.
    pub span: Span,
}

/// Reads a test: `words` are those of the info string after `jsonl test`.
pub fn read(
    words: &[&str],
    info: Span,
    line: usize,
    content: &Fragment,
    problems: &mut Vec<Problem>,
) -> Option<TestCase> {
    let before = problems.len();
    let (name, expect) = head(words, info, problems);
    let mut inputs = Vec::new();
    let mut clock = Duration::ZERO;
    let mut offset = 0;
    for text in content.text.split_inclusive('\n') {
        let start = offset + (text.len() - text.trim_start().len());
        offset += text.len();
        if text.trim().is_empty() {
            continue;
        }
        match input(text.trim(), start, content, &mut clock) {
            Ok(input) => inputs.push(input),
            Err(problem) => problems.push(problem),
        }
    }
    if inputs.is_empty() && problems.len() == before {
        problems.push(Problem::new(codes::TEST, info, "a test without events"));
    }
    let expect = expect?;
    (problems.len() == before).then_some(TestCase { line, span: info, name, expect, inputs })
}

fn head(words: &[&str], info: Span, problems: &mut Vec<Problem>) -> (Option<String>, Option<Expect>) {
    let mut name = None;
    let mut expect = None;
    for word in words {
        match word.split_once('=') {
            Some(("expect", value)) if !value.is_empty() => {
                expect = Some(match value {
                    "none" => Expect::Silence,
                    "missed" => Expect::Missed,
                    rules => Expect::Alerts(rules.split(',').map(str::to_owned).collect()),
                });
            }
            Some(("name", value)) if !value.is_empty() => name = Some(value.trim_matches('"').to_owned()),
            _ => {
                let problem =
                    Problem::new(codes::TEST, info, format!("unknown word `{word}` after `jsonl test`"))
                        .with_hint("known: expect=<rule>|none|missed, name=<word>");
                problems.push(problem);
            }
        }
    }
    if expect.is_none() {
        let problem = Problem::new(codes::TEST_EXPECT, info, "a test that does not say what it expects")
            .with_hint("write `jsonl test expect=<rule>`, `expect=none` or `expect=missed`");
        problems.push(problem);
    }
    (name, expect)
}

fn input(text: &str, start: usize, content: &Fragment, clock: &mut Duration) -> Result<TestInput, Problem> {
    let span = content.span(start..start + text.len());
    let wrong = |message: String| Problem::new(codes::TEST, span, message);
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let at = start + error.column().saturating_sub(1).min(text.len());
        Problem::new(codes::TEST, content.span(at..at), json_reason(&error))
    })?;
    let Value::Object(mut event) = value else { return Err(wrong("a line that is no JSON object".into())) };
    if let Some(capture) = event.remove("capture") {
        let path = capture.as_str().filter(|path| is_inside(path) && event.is_empty());
        return match path {
            Some(path) => Ok(TestInput::Capture(path.to_owned(), span)),
            None => Err(wrong("`capture` stands alone and names a file below the document's folder".into())),
        };
    }
    let at = time(&mut event, "at").map_err(&wrong)?.unwrap_or(*clock);
    let every = time(&mut event, "every").map_err(&wrong)?;
    let repeat = match event.remove("repeat") {
        None => 1,
        Some(number) => number
            .as_u64()
            .filter(|count| (1..=REPEAT_LIMIT).contains(count))
            .ok_or_else(|| wrong(format!("`repeat` is not a number from 1 to {REPEAT_LIMIT}")))?,
    };
    if (repeat > 1) != every.is_some() {
        return Err(wrong("`repeat` and `every` stand together".into()));
    }
    if event.is_empty() {
        return Err(wrong("an event without any key".into()));
    }
    let every = every.unwrap_or_default();
    let steps = u32::try_from(repeat - 1).unwrap_or(u32::MAX);
    *clock = at.saturating_add(every.saturating_mul(steps));
    Ok(TestInput::Event(TestEvent { at, repeat, every, event: Value::Object(event), span }))
}

fn time(event: &mut Map<String, Value>, key: &str) -> Result<Option<Duration>, String> {
    let Some(value) = event.remove(key) else { return Ok(None) };
    let text = value.as_str().unwrap_or("");
    let parsed = period::parse(text.strip_prefix('+').unwrap_or(text));
    parsed.map(Some).ok_or_else(|| format!("`{key}`: {value} is not a length of time such as \"+1.5s\""))
}

/// Whether a path stays below the document's folder.
fn is_inside(path: &str) -> bool {
    let part_is_plain = |part: &str| !part.is_empty() && part != ".." && !part.contains(['\\', ':', '\0']);
    path.split('/').all(part_is_plain)
}

/// The reason without serde_json's own line and column, which are those of the line.
fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    format!("JSON: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(words: &[&str], text: &str) -> (Option<TestCase>, Vec<Problem>) {
        let mut problems = Vec::new();
        let case = read(words, Span::default(), 1, &Fragment::whole(text), &mut problems);
        (case, problems)
    }

    #[test]
    fn times_are_relative_and_go_on_from_the_line_before() {
        let text = "{\"a\":1}\n{\"at\":\"+1.5s\",\"a\":2,\"repeat\":3,\"every\":\"1s\"}\n\n{\"a\":3}\n";
        let (case, problems) = case(&["expect=r,r"], text);
        assert_eq!(problems, []);
        let case = case.unwrap();
        assert_eq!(case.expect, Expect::Alerts(vec!["r".into(), "r".into()]));
        let at: Vec<_> = case
            .inputs
            .iter()
            .map(|input| match input {
                TestInput::Event(event) => event.at.as_millis(),
                TestInput::Capture(..) => panic!(),
            })
            .collect();
        assert_eq!(at, [0, 1500, 3500]);
    }

    #[test]
    fn every_broken_line_is_reported_at_its_place() {
        let (none, problems) = case(&["expect=none"], "{\"a\":}\n{\"a\":1,\"at\":\"soon\"}\n[1]\n");
        assert!(none.is_none());
        assert_eq!(problems.iter().map(|problem| problem.span.start).collect::<Vec<_>>(), [5, 7, 27]);
    }

    #[test]
    fn heads_inputs_and_paths_are_checked() {
        for (words, text) in [
            (vec![], "{\"a\":1}"),
            (vec!["expect=none", "bogus"], "{\"a\":1}"),
            (vec!["expect=none"], ""),
            (vec!["expect=none"], "{}"),
            (vec!["expect=none"], "{\"a\":1,\"repeat\":2}"),
            (vec!["expect=none"], "{\"a\":1,\"repeat\":0,\"every\":\"1s\"}"),
            (vec!["expect=none"], "{\"capture\":\"../../etc/passwd\"}"),
            (vec!["expect=none"], "{\"capture\":\"/etc/passwd\"}"),
            (vec!["expect=none"], "{\"capture\":\"a.pcap\",\"a\":1}"),
        ] {
            assert!(case(&words, text).0.is_none(), "{words:?} {text}");
        }
        let (read, _) = case(&["expect=missed", "name=x"], "{\"capture\":\"captures/a.pcap\"}");
        assert_eq!(read.unwrap().name.as_deref(), Some("x"));
    }
}
