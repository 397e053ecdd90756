//! What becomes of judgements: folding, sentences, late facts, health, exceptions, bounds.

mod common;

use common::{at, container, created, engine, engine_with, exec, run, shown, strategy, tick};
use detect::{Config, Engine};
use event::container::{Container, ContainerChange, ContainerVerb};
use event::file::File;
use event::health::{Health, Loss, LossAt, SensorState};
use event::{Alert, Kind, Text};
use strategy::document::Placed;
use strategy::document::blocks::{Date, Exception, OneOrMore, Scope};

const SHELL: &str = "
title: shell
name: shell
id: 7b0f9d3e-0000-4000-8000-000000000002
level: high
confidence: 90
observed: '{Image} ran {CommandLine} in {container.name} for {ParentImage}'
expected: no shell
logsource: {category: process_creation, product: linux}
detection: {s: {process.name: sh}, condition: s}
";

fn shell(seconds: f64, number: u64) -> event::Event {
    exec(seconds, number, 1, ("/bin/sh", "sh -i"))
}

#[test]
fn repeats_fold_and_are_told_at_powers_of_ten_and_at_the_windows_end() {
    let mut engine = engine(SHELL);
    let repeats = (0..105_u32).map(|index| shell(f64::from(index), index.into()));
    let alerts = run(&mut engine, repeats.chain([tick(599.0), tick(601.0), tick(1300.0)]));
    assert_eq!(
        shown(&alerts),
        ["create shell 1", "update shell 10", "update shell 100", "update shell 105", "close shell 105"]
    );
    assert!(alerts.iter().all(|alert| alert.uid == alerts[0].uid), "one alert has one uid");
    assert_eq!(alerts[4].evidence.len(), 8);
    assert_eq!(alerts[4].ended_because, None);
    let sequences: Vec<u64> = alerts[4].evidence.iter().map(|event| event.id.sequence).collect();
    assert_eq!(sequences, [0, 1, 2, 3, 101, 102, 103, 104], "the first and the last are kept");
}

#[test]
fn containers_and_executables_do_not_fold_together() {
    let mut engine = engine(SHELL);
    let events = [
        exec(0.0, 0, 1, ("/bin/sh", "sh")),
        exec(0.1, 1, 2, ("/bin/sh", "sh")),
        exec(0.2, 2, 1, ("/usr/bin/sh", "sh")),
        exec(0.3, 3, 1, ("/bin/sh", "sh")),
    ];
    let alerts = run(&mut engine, events);
    assert_eq!(created(&alerts).len(), 3);
    assert!(alerts.iter().rev().take(3).all(|alert| alert.ended_because.as_deref() == Some("the run ended")));
}

#[test]
fn the_sentence_holds_values_and_never_reads_them_as_templates() {
    let long = "x".repeat(5000);
    for (line, expect) in [
        ("sh -i", "/bin/sh ran sh -i in c1 for (unknown); expected: no shell".to_owned()),
        (
            "{Image}{count}{{",
            "/bin/sh ran {Image}{count}{{ in c1 for (unknown); expected: no shell".to_owned(),
        ),
        ("\u{1b}[2J\n", "/bin/sh ran \u{1b}[2J\n in c1 for (unknown); expected: no shell".to_owned()),
        (&long, format!("/bin/sh ran {}… in c1 for (unknown); expected: no shell", "x".repeat(256))),
    ] {
        let alerts = run(&mut engine(SHELL), [exec(0.0, 0, 1, ("/bin/sh", line))]);
        assert_eq!(alerts[0].message, expect);
        assert_eq!(alerts[0].confidence, 90);
        assert_eq!(alerts[0].severity, event::alert::Severity::High);
    }
}

#[test]
fn group_keys_of_different_parts_never_look_the_same() {
    let key = |path: &str| run(&mut engine(SHELL), [exec(0.0, 0, 1, (path, "x"))])[0].group_key.clone();
    assert_ne!(key("/a|b/sh"), key("/a\\|b/sh"));
}

#[test]
fn the_same_events_give_the_same_alerts() {
    let alerts = || -> Vec<Alert> {
        let events = (0..2000_u32).map(|index| {
            let path = if index % 3 == 0 { "/bin/sh" } else { "/tmp/sh" };
            exec(f64::from(index) / 3.0, index.into(), u8::try_from(index % 7).unwrap(), (path, "sh"))
        });
        run(&mut engine_with(SHELL, &Config { open_alerts: 5, ..Config::default() }), events)
    };
    let first = alerts();
    assert!(first.len() > 20);
    assert_eq!(first, alerts());
}

#[test]
fn an_alert_whose_container_was_late_is_filled_in() {
    let mut event = shell(0.0, 0);
    event.context.container = None;
    event.context.container_late = true;
    let change = |verb, inspected| {
        let id = Some(container(1));
        let record =
            Container { id, name: "late".into(), image: "alpine".into(), inspected, ..Container::default() };
        Kind::Container(Box::new(ContainerChange { verb, record, ..ContainerChange::default() }))
    };
    let events = [
        event,
        at(0.1, 1, change(ContainerVerb::Create, false)),
        at(0.2, 2, change(ContainerVerb::Inspected, true)),
        at(0.3, 3, change(ContainerVerb::Start, true)),
    ];
    let alerts = run(&mut engine(SHELL), events);
    assert_eq!(shown(&alerts), ["create shell 1", "update shell 1", "update shell 1", "close shell 1"]);
    assert!(alerts[0].message.contains("in (unknown)"), "{}", alerts[0].message);
    assert!(alerts[1].message.contains("in late"), "{}", alerts[1].message);
    let filled = alerts[2].evidence[0].context.container.as_ref().unwrap();
    assert!(filled.inspected && filled.name == "late");
}

const FOREIGN: &str = "
title: foreign image
logsource: {category: process_creation, product: linux}
detection: {s: {process.name: sh, container.image_name: alpine}, condition: s}
---
title: any shell
logsource: {category: process_creation, product: linux}
detection: {s: {process.name: sh}, condition: s}
---
title: host file
logsource: {category: file_event, product: linux}
detection: {s: {file.host_path: /etc/shadow}, condition: s}
";

/// What the runtime says of container 1 at `seconds`.
fn facts(seconds: f64, number: u64, inspected: bool) -> event::Event {
    let mount = event::container::Mount {
        kind: "bind".into(),
        source: "/etc".into(),
        destination: "/hostetc".into(),
        writable: true,
    };
    let id = Some(container(1));
    let (name, image) = ("late".into(), "alpine".into());
    let record = Container { id, name, image, inspected, mounts: vec![mount], ..Container::default() };
    let verb = ContainerVerb::Inspected;
    let change = ContainerChange { verb, record: record.clone(), ..ContainerChange::default() };
    let mut event = at(seconds, number, Kind::Container(Box::new(change)));
    event.context.container = Some(std::sync::Arc::new(record));
    event
}

/// An event of container 1 that had to go without its facts.
fn without_facts(mut event: event::Event) -> event::Event {
    event.owner = event::Owner::Container(container(1));
    event.context.container = None;
    event.context.container_late = true;
    event
}

#[test]
fn what_was_judged_without_its_container_is_judged_again_with_it() {
    let mut engine = engine(FOREIGN);
    let mut alerts = Vec::new();
    let file = File { path: Text::resolved("/hostetc/shadow"), ..File::default() };
    engine.push(without_facts(shell(0.0, 0)), &mut alerts);
    engine.push(without_facts(at(0.1, 1, Kind::File(Box::new(file)))), &mut alerts);
    assert_eq!(created(&alerts), ["any shell"]);
    engine.push(facts(0.5, 2, false), &mut alerts);
    assert_eq!(created(&alerts), ["any shell"], "name and image alone are not all that there is to say");
    engine.push(facts(0.6, 3, true), &mut alerts);
    assert_eq!(created(&alerts), ["any shell", "foreign image", "host file"]);
    engine.push(facts(0.7, 4, true), &mut alerts);
    assert_eq!(created(&alerts).len(), 3, "once is enough");
    let count = |title: &str| alerts.iter().rfind(|alert| alert.rule_title == title).unwrap().count;
    assert_eq!(count("any shell"), 1, "what held before does not count twice");
}

#[test]
fn events_without_facts_are_kept_in_bounds_and_what_is_not_is_a_loss() {
    let mut engine = engine(FOREIGN);
    let mut alerts = Vec::new();
    for number in 0..70 {
        engine.push(without_facts(shell(0.0, number)), &mut alerts);
    }
    engine.push(facts(1.0, 70, true), &mut alerts);
    let again = alerts.iter().rfind(|alert| alert.rule_title == "foreign image").unwrap();
    assert_eq!(again.count, 10, "the last update was at ten");
    let losses = engine.take_losses();
    assert_eq!(losses.iter().map(|loss| (loss.at, loss.count)).collect::<Vec<_>>(), [(LossAt::State, 6)]);
}

#[test]
fn facts_that_come_too_late_find_nothing() {
    let mut engine = engine(FOREIGN);
    let events = [without_facts(shell(0.0, 0)), without_facts(shell(31.0, 1)), facts(62.0, 2, true)];
    let alerts = run(&mut engine, events);
    assert_eq!(created(&alerts), ["any shell"]);
}

#[test]
fn alerts_say_what_could_not_be_seen() {
    let health = |state| Health { signal: "process".into(), state, reason: Text::resolved("no BTF") };
    let unneeded = Health { signal: "dns".into(), state: SensorState::Down, reason: Text::default() };
    let loss = |at| Loss { at, count: 7, ..Loss::default() };
    let mut engine = engine(SHELL);
    let mut alerts = Vec::new();
    for event in [
        at(0.0, 0, Kind::Health(Box::new(health(SensorState::Degraded)))),
        at(0.0, 1, Kind::Health(Box::new(unneeded))),
        at(0.0, 2, Kind::Loss(Box::new(loss(LossAt::RingCritical)))),
        at(0.0, 3, Kind::Loss(Box::new(loss(LossAt::RingFile)))),
        shell(1.0, 4),
    ] {
        engine.push(event, &mut alerts);
    }
    assert_eq!(
        alerts[0].health,
        ["signal process is degraded: no BTF", "7 lost at ring_critical within 1 s"]
    );
    assert!(!engine.health()[0].entirely);
    engine.push(at(200.0, 5, Kind::Health(Box::new(health(SensorState::Down)))), &mut alerts);
    let blind = engine.health();
    assert!(blind[0].entirely && blind[0].because == ["signal process is down: no BTF"], "{blind:?}");
    engine.push(at(201.0, 6, Kind::Health(Box::new(health(SensorState::Up)))), &mut alerts);
    assert!(engine.health().is_empty());
}

#[test]
fn the_table_of_alerts_is_bounded_and_says_so() {
    let mut engine = engine_with(SHELL, &Config { open_alerts: 2, ..Config::default() });
    let events = (1..=4_u8).map(|number| exec(f64::from(number), number.into(), number, ("/bin/sh", "sh")));
    let alerts = run(&mut engine, events);
    assert_eq!(engine.stats().alerts_evicted, 2);
    let ended = alerts.iter().filter_map(|alert| alert.ended_because.as_deref());
    assert_eq!(ended.filter(|why| why.contains("more than 2 alerts")).count(), 2);
}

#[test]
fn an_exception_silences_what_it_covers_until_it_expires() {
    let exception = |year: u16, image: &str, line: &str| {
        let fields = [("CommandLine".to_owned(), OneOrMore(vec![line.to_owned()]))];
        let scope = Scope { image: Some(image.into()), fields: fields.into(), ..Scope::default() };
        Exception {
            id: "ci".into(),
            rules: vec!["shell".into()],
            scope,
            owner: "ops".into(),
            reason: "builds".into(),
            expires: Date { year, month: 1, day: 31 },
            window: None,
        }
    };
    // The events are of January 2027.
    for (exception, alerts, silenced, expired) in [
        (exception(2027, "alp*", "*-i"), 0, 1, 0),
        (exception(2027, "debian", "*-i"), 1, 0, 0),
        (exception(2027, "alpine", "*-x"), 1, 0, 0),
        (exception(2026, "alpine", "*-i"), 1, 0, 1),
    ] {
        let mut strategy = strategy(SHELL);
        strategy.document.exceptions.push(Placed { span: Default::default(), value: exception.clone() });
        let (mut engine, errors) = Engine::new(&[strategy], &Config::default()).unwrap();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(created(&run(&mut engine, [shell(0.0, 0)])).len(), alerts, "{exception:?}");
        let usage = &engine.stats().exceptions[0];
        assert_eq!((usage.silenced, usage.expired), (silenced, expired), "{exception:?}");
    }
}

#[test]
fn an_exception_takes_nothing_from_the_count_of_an_alert_that_is_open() {
    let fields = [("CommandLine".to_owned(), OneOrMore(vec!["sh known".to_owned()]))];
    let exception = Exception {
        id: "known".into(),
        rules: Vec::new(),
        scope: Scope { fields: fields.into(), ..Scope::default() },
        owner: "ops".into(),
        reason: "known".into(),
        expires: Date { year: 2027, month: 12, day: 31 },
        window: None,
    };
    let known = |seconds: f64, number: u64| exec(seconds, number, 1, ("/bin/sh", "sh known"));
    let mut strategy = strategy(SHELL);
    strategy.document.exceptions.push(Placed { span: Default::default(), value: exception });
    let (mut engine, _) = Engine::new(&[strategy], &Config::default()).unwrap();
    let events = [known(0.0, 0), shell(1.0, 1), known(2.0, 2), tick(700.0), tick(1400.0)];
    let alerts = run(&mut engine, events);
    assert_eq!(shown(&alerts), ["create shell 1", "update shell 2", "close shell 2"]);
    assert_eq!(engine.stats().exceptions[0].silenced, 2);
}

#[test]
fn what_rules_can_want_is_said() {
    let wants = engine(
        "
title: shadow
logsource: {category: file_event, product: linux}
detection: {s: {event.operation: [open_read, open_write], TargetFilename|endswith: /etc/shadow}, condition: s}
",
    )
    .wanted();
    let operations: Vec<&str> =
        wants.operations[&event::Class::FileEvent].iter().map(|op| op.as_str()).collect();
    assert_eq!(operations, ["open_read", "open_write"]);
    assert!(wants.file_names.contains("shadow"));
    assert!(!wants.classes.contains(&event::Class::Dns));
}
