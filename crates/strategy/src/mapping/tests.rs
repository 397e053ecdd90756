use super::*;
use crate::sigma::{Item, Rule, read_str};

fn rule(logsource: &str, detection: &str) -> Rule {
    let indented: String = detection.lines().map(|line| format!("  {line}\n")).collect();
    let (items, problems) =
        read_str(&format!("title: t\nlogsource: {{{logsource}}}\ndetection:\n{indented}"));
    assert_eq!(problems, []);
    match items.into_iter().next() {
        Some(Item::Rule(rule)) => rule,
        other => panic!("{other:?}"),
    }
}

const AUDIT: &str = "product: linux, service: auditd";

/// The classes that the rule is about, and what it lacks.
fn planned(logsource: &str, detection: &str) -> Result<(Vec<&'static str>, Vec<String>), Unmapped> {
    let rule = rule(logsource, detection);
    let plan = plan(&rule.logsource, &[&rule.detection])?;
    let classes = plan.runs.iter().map(|run| run.class.as_str()).collect();
    Ok((classes, plan.lacks.iter().map(ToString::to_string).collect()))
}

#[test]
fn names_and_rows_are_unique_and_every_entry_can_be_reached() {
    for (number, source) in SOURCES.iter().enumerate() {
        let part = |text: &str| (!text.is_empty() && text != "*").then(|| text.to_owned());
        let logsource = Logsource {
            category: part(source.key.category),
            product: part(source.key.product),
            service: part(source.key.service),
            definition: None,
        };
        let first = SOURCES.iter().position(|other| other.key.is(&logsource));
        assert_eq!(first, Some(number), "{logsource:?}");
        let Given::Events(events) = source.given else { continue };
        for events in events {
            let mut names: Vec<_> =
                events.names.iter().flat_map(|names| names.iter()).map(|row| row.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{logsource:?}");
        }
    }
}

#[test]
fn a_rule_is_about_the_classes_in_which_it_can_hold() {
    let check = |detection: &str, expect: &[&str]| {
        let (classes, lacks) = planned(AUDIT, detection).unwrap();
        assert_eq!((classes.as_slice(), lacks.len()), (expect, 0), "{detection}");
    };
    check("s: {type: EXECVE, a0: wget}\ncondition: s", &["process_creation"]);
    check("s: {type: execve, a0: wget}\ncondition: s", &["process_creation"]);
    check("s: {type: PATH, name: /etc/shadow}\ncondition: s", &["process_creation", "file_event"]);
    check(
        "s: {type: SYSCALL, exe: /bin/nc}\ncondition: s",
        &["process_creation", "file_event", "syscall", "authentication", "user_activity", "system_log"],
    );
    check(
        "s: {type: ADD_USER, acct: eve, res: success}\ncondition: s",
        &["authentication", "user_activity", "system_log"],
    );
    check("s: {type: SYSCALL, SYSCALL: mknod}\ncondition: s", &["file_event"]);
    check("s: {SYSCALL: [execve, ptrace]}\ncondition: s", &["process_creation", "syscall"]);
    check(
        "a: {type: EXECVE, a0: x}\nb: {type: PATH, name: /x}\ncondition: 1 of them",
        &["process_creation", "file_event"],
    );
    assert!(planned(AUDIT, "a: {a0: x}\nb: {type: SYSCALL}\ncondition: a and not b").is_err());
}

#[test]
fn what_has_no_source_is_told_and_the_rest_runs() {
    let lacks =
        |detection: &str| planned(AUDIT, detection).map(|(classes, lacks)| (classes.len(), lacks)).unwrap();
    assert_eq!(lacks("a: {type: PATH, name: /x}\nb: {type: TTY}\ncondition: 1 of them"), (5, Vec::new()));
    let key = "`key` (a key of the audit rules, which are not there)".to_owned();
    assert_eq!(lacks("a: {exe: /x}\nb: {key: k}\ncondition: 1 of them"), (6, vec![key]));
}
