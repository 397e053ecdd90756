//! `strategy test`: runs the tests inside the documents, exact both ways.
//!
//! Each test runs its own strategy alone, through enrichment and detection, from an empty state. An alert that was not
//! expected fails as an alert that was missed does, and as one that came too often; a blind spot marked `missed` fails
//! on the day that it is detected.

mod capture;
mod report;
mod script;
mod update;

use super::arguments::Test;
use super::examined::{Examined, Setting};
use super::unwritable;
use crate::failure::{Exit, Failure};
use event::Alert;
use event::alert::Activity;
use report::Failed;
use script::Script;
use std::io::{self, Write};
use std::path::Path;
use strategy::diagnostic::codes;
use strategy::document::section::SectionKind;
use strategy::document::test_block::{Expect, TestCase};
use strategy::sigma::Item;
use strategy::{Severity, Strategy};

/// Runs the tests of the documents. Status 1 where one fails, or a document cannot run.
///
/// # Errors
/// Paths that cannot be read, a filter that no test fits, or an output that cannot be written.
pub fn run(args: &Test) -> Result<Exit, Failure> {
    if args.update && args.documents.paths.is_empty() {
        return Err(Failure::usage(
            "the built-in documents cannot be updated",
            "name the files: `watchkeeper strategy test --update strategies`",
        ));
    }
    let examined = Examined::of(&args.documents)?;
    let mut out = io::stdout().lock();
    let mut totals = Totals::default();
    let broken = broken(&mut out, &examined).map_err(unwritable)?;
    for strategy in &examined.strategies {
        let chosen = strategy
            .document
            .tests
            .iter()
            .filter(|(section, test)| is_chosen(args, strategy, *section, test));
        if broken.contains(&strategy.path.as_str()) {
            totals.not_run += chosen.count();
            continue;
        }
        let mut failures: Vec<Failed<'_>> = Vec::new();
        for (section, test) in chosen {
            match check(strategy, test, &examined.setting) {
                Ok(()) => totals.passed += 1,
                Err(difference) => failures.push(Failed { strategy, section: *section, test, difference }),
            }
        }
        totals.failed += failures.len();
        if args.update {
            totals.updated += update::write(&mut out, strategy, &mut failures)?;
        }
        for failed in &failures {
            report::print(&mut out, failed, args).map_err(unwritable)?;
        }
    }
    totals.failed -= totals.updated;
    finish(&mut out, args, &totals, broken.len())
}

#[derive(Default)]
struct Totals {
    passed: usize,
    failed: usize,
    updated: usize,
    not_run: usize,
}

fn finish(out: &mut impl Write, args: &Test, totals: &Totals, broken: usize) -> Result<Exit, Failure> {
    let Totals { passed, failed, updated, not_run } = *totals;
    let narrowed = args.filter.is_some() || args.line.is_some();
    if narrowed && passed + failed + updated + not_run == 0 {
        return Err(Failure::usage(
            "no test fits --filter and --line",
            "names have the form `slug / section / name`, and --line is where the block begins",
        ));
    }
    let mut line = format!("{passed} passed, {failed} failed");
    if updated > 0 {
        line.push_str(&format!(", {updated} updated"));
    }
    if broken > 0 {
        line.push_str(&format!(", {not_run} not run in {broken} documents with errors"));
    }
    writeln!(out, "{line}").map_err(unwritable)?;
    Ok(if failed > 0 || broken > 0 { Exit::Findings } else { Exit::Fine })
}

/// Paths of documents that do not run, or not whole; what keeps them from it is shown.
fn broken<'e>(out: &mut impl Write, examined: &'e Examined) -> io::Result<Vec<&'e str>> {
    let mut paths: Vec<&str> = Vec::new();
    for diagnostic in examined.diagnostics.iter().filter(|one| one.severity == Severity::Error) {
        let breaks = diagnostic.code.breaks == codes::Breaks::Strategy
            || [codes::RULE_COMPILE, codes::PLACEHOLDER].contains(&diagnostic.code);
        if breaks {
            writeln!(out, "{}", diagnostic.render())?;
            if !paths.contains(&diagnostic.path.as_str()) {
                paths.push(&diagnostic.path);
            }
        }
    }
    Ok(paths)
}

fn is_chosen(args: &Test, strategy: &Strategy, section: SectionKind, test: &TestCase) -> bool {
    args.line.is_none_or(|line| test.line == line)
        && args.filter.as_ref().is_none_or(|filter| name(strategy, section, test).contains(filter.as_str()))
}

/// What a test is called.
fn name(strategy: &Strategy, section: SectionKind, test: &TestCase) -> String {
    let own = test.name.clone().unwrap_or_else(|| format!("line {}", test.line));
    format!("{} / {} / {own}", strategy.front.slug, section.heading())
}

/// What was expected and what came.
pub(super) struct Difference {
    why: String,
    /// Line of the document to which `why` points, where it is not the test's own.
    line: Option<usize>,
    /// Rules that should have raised alerts, in order, each as often as it should.
    expected: Vec<String>,
    /// Rules that did, with their sentences.
    got: Vec<(String, String)>,
    /// Whether the test was run at all.
    was_run: bool,
}

/// How many tests of the strategy pass, and how many do not.
pub(super) fn counts(strategy: &Strategy, setting: &Setting) -> (usize, usize) {
    let tests = &strategy.document.tests;
    let passed = tests.iter().filter(|(_, test)| check(strategy, test, setting).is_ok()).count();
    (passed, tests.len() - passed)
}

/// Runs one test.
pub(super) fn check(strategy: &Strategy, test: &TestCase, setting: &Setting) -> Result<(), Difference> {
    let mut expected = match &test.expect {
        Expect::Alerts(rules) => rules.iter().map(|rule| handle(strategy, rule)).collect(),
        Expect::Silence | Expect::Missed => Vec::new(),
    };
    expected.sort();
    let folder = (!setting.is_built_in).then(|| Path::new(&strategy.path).parent().unwrap_or(Path::new("")));
    let alerts = Script::read(strategy, test, folder).and_then(|script| {
        alerts(strategy, &script, &setting.detect).map_err(|why| script::Fault { why, line: None })
    });
    let alerts = match alerts {
        Ok(alerts) => alerts,
        Err(script::Fault { why, line }) => {
            return Err(Difference { why, line, expected, got: Vec::new(), was_run: false });
        }
    };
    let mut got: Vec<(String, String)> =
        alerts.into_iter().map(|alert| (handle(strategy, &alert.rule_id), alert.message)).collect();
    got.sort();
    if got.iter().map(|(rule, _)| rule).eq(&expected) {
        return Ok(());
    }
    let why = match &test.expect {
        Expect::Missed => "a blind spot is detected now: move the test to Validation and expect the alert",
        Expect::Silence => "silence was expected",
        Expect::Alerts(_) => "the alerts are not those expected",
    };
    Err(Difference { why: why.to_owned(), line: None, expected, got, was_run: true })
}

/// The word by which tests call a rule.
fn handle(strategy: &Strategy, rule: &str) -> String {
    let mut heads = strategy.document.items.iter().map(Item::head);
    heads.find(|head| head.is(rule)).map_or_else(|| rule.to_owned(), |head| head.handle().to_owned())
}

fn alerts(strategy: &Strategy, script: &Script, config: &detect::Config) -> Result<Vec<Alert>, String> {
    let one = std::slice::from_ref(strategy);
    let (mut engine, errors) = detect::Engine::new(one, config).map_err(|error| error.to_string())?;
    if !errors.is_empty() {
        return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    let mut enricher = enrich::Enricher::new(enrich::Config::default());
    let (mut enriched, mut alerts) = (Vec::new(), Vec::new());
    script.play(&mut |event| {
        enricher.push(event, &mut enriched);
        enriched.drain(..).for_each(|event| engine.push(event, &mut alerts));
    });
    enricher.finish(&mut enriched);
    enriched.drain(..).for_each(|event| engine.push(event, &mut alerts));
    engine.finish(&mut alerts);
    alerts.retain(|alert| alert.activity == Activity::Create);
    Ok(alerts)
}
