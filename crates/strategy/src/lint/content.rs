//! Tests, exceptions, emulations, playbook: that they are there and speak of the document's own rules.

use crate::diagnostic::{Code, Problem, codes};
use crate::document::section::SectionKind;
use crate::document::test_block::{Expect, TestCase};
use crate::document::{BlockKind, Document};
use crate::sigma::{Head, Item};
use crate::source::Span;
use crate::suggest;

/// Checks the tests and the acts of `document`.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    expectations(document, problems);
    let test_blocks = document.block_kinds.iter().filter(|kind| **kind == BlockKind::Test).count();
    // A test that could not be read is not missing.
    if test_blocks == document.tests.len() {
        positives(document, problems);
        silences(document, problems);
    }
    let is_missed = |(_, case): &(SectionKind, TestCase)| case.expect == Expect::Missed;
    if !document.tests.iter().any(is_missed) {
        absent(document, SectionKind::BlindSpots, codes::TEST_MISSED, "no blind spot has a test", problems);
    }
    if !document.block_kinds.contains(&BlockKind::Assumption) {
        let message = "no assumption says which signals it needs";
        absent(document, SectionKind::BlindSpots, codes::ASSUMPTION_MISSING, message, problems);
    }
    if !document.block_kinds.contains(&BlockKind::Emulation) {
        let message = "the Validation section has no live emulation";
        absent(document, SectionKind::Validation, codes::EMULATION_MISSING, message, problems);
    }
    if !document.block_kinds.contains(&BlockKind::Playbook) {
        let message = "the Response section has no playbook";
        absent(document, SectionKind::Response, codes::PLAYBOOK_MISSING, message, problems);
    }
}

/// Reports what a section lacks, at its heading; a section that is missing was reported itself.
fn absent(document: &Document, kind: SectionKind, code: Code, message: &str, problems: &mut Vec<Problem>) {
    if let Some(section) = document.section(kind) {
        problems.push(Problem::new(code, section.heading.span, message));
    }
}

/// Every rule that is named by a test, an emulation or an exception exists, and a test fits its section.
fn expectations(document: &Document, problems: &mut Vec<Problem>) {
    for (section, case) in &document.tests {
        let fits = match (&case.expect, section) {
            (Expect::Missed, section) => *section == SectionKind::BlindSpots,
            (Expect::Alerts(_), section) => *section == SectionKind::Validation,
            (Expect::Silence, section) => *section != SectionKind::BlindSpots,
        };
        if !fits {
            let message = format!("this expectation does not belong into {}", section.heading());
            let hint = "rules are expected in Validation, `none` there and in False Positives, `missed` in Blind Spots";
            problems.push(Problem::new(codes::TEST_EXPECT, case.span, message).with_hint(hint));
        }
        if let Expect::Alerts(rules) = &case.expect {
            known(document, rules, codes::TEST_EXPECT, case.span, problems);
        }
    }
    for emulation in &document.emulations {
        let rules = emulation.value.expect.iter().map(|expected| expected.rule.clone()).collect::<Vec<_>>();
        known(document, &rules, codes::EMULATION_EXPECT, emulation.span, problems);
    }
    let mut ids: Vec<&str> = Vec::new();
    for exception in &document.exceptions {
        let id = exception.value.id.as_str();
        if ids.contains(&id) {
            let message = format!("the exception `{id}` stands twice");
            problems.push(Problem::new(codes::EXCEPTION_TWICE, exception.span, message));
        }
        ids.push(id);
        known(document, &exception.value.rules, codes::EXCEPTION_RULE, exception.span, problems);
    }
}

fn known(document: &Document, rules: &[String], code: Code, span: Span, problems: &mut Vec<Problem>) {
    // A rule that could not be read is not missing.
    if document.has_broken_rules {
        return;
    }
    for rule in rules {
        if !alerting(document).any(|head| head.is(rule)) {
            let hint = suggest::hint(rule, alerting(document).map(Head::handle).collect::<Vec<_>>());
            let message = format!("no rule `{rule}` of this document raises alerts");
            problems.push(Problem::new(code, span, message).with_hint_if(hint));
        }
    }
}

/// The rules that raise alerts: not filters, nor rules that are only joined by correlations.
fn alerting(document: &Document) -> impl Iterator<Item = &Head> + Clone {
    let is_joined = |head: &Head| {
        document.items.iter().any(|item| match item {
            Item::Correlation(correlation) => {
                !correlation.generate
                    && correlation.head != *head
                    && correlation.rules.iter().any(|reference| head.is(&reference.name))
            }
            _ => false,
        })
    };
    let items = document.items.iter().filter(|item| !matches!(item, Item::Filter(_)));
    items.map(Item::head).filter(move |head| !is_joined(head))
}

fn positives(document: &Document, problems: &mut Vec<Problem>) {
    for head in alerting(document) {
        let raises = |(_, case): &(SectionKind, TestCase)| match &case.expect {
            Expect::Alerts(rules) => rules.iter().any(|rule| head.is(rule)),
            _ => false,
        };
        if !document.tests.iter().any(raises) {
            let handle = head.handle();
            let problem = Problem::new(
                codes::TEST_POSITIVE,
                Span::at(head.span.start),
                format!("no test raises the rule `{handle}`"),
            );
            let hint = format!("write a block `jsonl test expect={handle}` in Validation");
            problems.push(problem.with_hint(hint));
        }
    }
}

/// Every cause that the list names has a test that stays silent: one inside its item, or one more after the list.
fn silences(document: &Document, problems: &mut Vec<Problem>) {
    let Some(section) = document.section(SectionKind::FalsePositives) else { return };
    let is_silent = |(kind, case): &&(SectionKind, TestCase)| {
        *kind == SectionKind::FalsePositives && case.expect == Expect::Silence
    };
    let tests: Vec<usize> =
        document.tests.iter().filter(is_silent).map(|(_, case)| case.span.start).collect();
    let holds = |bullet: &Span, test: usize| (bullet.start..bullet.end).contains(&test);
    let inside_one = |test: &&usize| section.bullets.iter().any(|bullet| holds(bullet, **test));
    let outside = tests.len() - tests.iter().filter(inside_one).count();
    let missing = "no test shows that this false positive stays silent";
    let hint = "write a block `jsonl test expect=none` in False Positives for each cause that the list names";
    if section.bullets.is_empty() && tests.is_empty() {
        let problem = Problem::new(codes::TEST_SILENT, section.heading.span, "no false positive has a test");
        problems.push(problem.with_hint(hint));
    }
    let without = section.bullets.iter().filter(|bullet| !tests.iter().any(|test| holds(bullet, *test)));
    for bullet in without.skip(outside) {
        problems.push(Problem::new(codes::TEST_SILENT, *bullet, missing).with_hint(hint));
    }
}
