//! Correlations: windows, order, groups, bounds.

mod common;

use common::{created, engine, engine_with, exec, run, strategy, tick};
use detect::{Config, Engine};
use event::{Alert, Event};

const BASE: &str = "
title: base a
name: a
logsource: {category: process_creation, product: linux}
detection: {s: {process.name: a}, condition: s}
---
title: base b
name: b
logsource: {category: process_creation, product: linux}
detection: {s: {process.name: b}, condition: s}
---
";

fn rules(correlation: &str) -> String {
    format!(
        "{BASE}title: joined\nname: joined\nobserved: '{{count}} seen'\ncorrelation:\n{}",
        indent(correlation)
    )
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Execs of one-letter programs at these seconds, in this order of arrival.
fn acts(acts: &[(f64, &str)]) -> Vec<Event> {
    let mut number = 0;
    let event = |(seconds, name): &(f64, &str)| {
        number += 1;
        exec(*seconds, number, 1, (&format!("/bin/{name}"), name))
    };
    acts.iter().map(event).collect()
}

fn joined(correlation: &str, events: Vec<Event>) -> Vec<Alert> {
    let mut alerts = run(&mut engine(&rules(correlation)), events);
    alerts.retain(|alert| alert.rule_title == "joined" && alert.activity == event::alert::Activity::Create);
    alerts
}

/// Whether the acts make the correlation fire.
fn check(correlation: &str, list: &[(f64, &str)], expect: usize) {
    // Time passes after them, so that windows end; another group's act moves nothing else.
    let mut events = acts(list);
    events.push(tick(10_000.0));
    assert_eq!(joined(correlation, events).len(), expect, "{correlation}: {list:?}");
}

const THREE: &str = "type: event_count\nrules: a\ntimespan: 10s\ncondition: {gte: 3}\ngroup-by: container.id";

#[test]
fn counted_judgements_must_lie_within_the_window() {
    check(THREE, &[(0.0, "a"), (5.0, "a"), (10.0, "a")], 1);
    check(THREE, &[(0.0, "a"), (5.0, "a"), (10.1, "a")], 0);
    check(THREE, &[(0.0, "a"), (5.0, "b"), (6.0, "a")], 0);
    check(THREE, &[(0.0, "a"), (9.0, "a"), (11.0, "a"), (12.0, "a")], 1);
}

#[test]
fn judgements_are_seen_in_the_order_of_their_time() {
    let ordered = "type: temporal_ordered\nrules: [a, b]\ntimespan: 10s\ngroup-by: container.id";
    check(ordered, &[(0.0, "a"), (1.0, "b")], 1);
    check(ordered, &[(1.0, "b"), (2.0, "a")], 0);
    // They arrive the wrong way round, within the lag.
    check(ordered, &[(1.0, "b"), (0.8, "a")], 1);
    check(ordered, &[(0.0, "a"), (11.0, "b")], 0);
    check(ordered, &[(0.0, "a"), (9.0, "a"), (12.0, "b")], 1);
}

#[test]
fn what_comes_after_the_lag_is_counted_as_late() {
    let mut engine = engine(&rules(THREE));
    run(&mut engine, acts(&[(0.0, "a"), (5.0, "a"), (6.0, "b"), (4.0, "a")]));
    assert_eq!(engine.stats().late, 1);
}

#[test]
fn rules_together_fire_in_any_order_and_by_condition() {
    let together = "type: temporal\nrules: [a, b]\ntimespan: 10s\ngroup-by: container.id";
    check(together, &[(0.0, "b"), (1.0, "a")], 1);
    check(together, &[(0.0, "b"), (10.5, "a")], 0);
    check(together, &[(0.0, "a"), (1.0, "a")], 0);
    let either = "type: temporal\nrules: [a, b]\ntimespan: 10s\ngroup-by: container.id\ncondition: a or b";
    check(either, &[(0.0, "b")], 1);
}

#[test]
fn different_values_are_counted_once() {
    let values = "type: value_count\nrules: [a, b]\ntimespan: 10s\ngroup-by: container.id\ncondition: {gte: 2, field: Image}";
    check(values, &[(0.0, "a"), (1.0, "a"), (2.0, "a")], 0);
    check(values, &[(0.0, "a"), (1.0, "a"), (2.0, "b")], 1);
    check(values, &[(0.0, "a"), (10.5, "b")], 0);
    check(values, &[(0.0, "a"), (9.0, "a"), (10.5, "b")], 1);
}

#[test]
fn upper_bounds_are_judged_when_the_window_ends() {
    let few = "type: event_count\nrules: a\ntimespan: 10s\ngroup-by: container.id\ncondition: {lte: 2}";
    check(few, &[(0.0, "a"), (1.0, "a")], 1);
    check(few, &[(0.0, "a"), (1.0, "a"), (2.0, "a")], 0);
    let range =
        "type: event_count\nrules: a\ntimespan: 10s\ngroup-by: container.id\ncondition: {gt: 1, lt: 4}";
    check(range, &[(0.0, "a"), (1.0, "a"), (2.0, "a")], 1);
    check(range, &[(0.0, "a"), (1.0, "a"), (2.0, "a"), (3.0, "a")], 0);
}

#[test]
fn members_alert_alone_only_where_the_correlation_lets_them() {
    let list = [(0.0, "a"), (1.0, "a"), (2.0, "a")];
    let silent = run(&mut engine(&rules(THREE)), acts(&list));
    assert_eq!(created(&silent), ["joined"]);
    assert_eq!(silent[0].message, "3 seen");
    assert_eq!(silent[0].evidence.len(), 3);
    assert_eq!(silent[0].first_event.sequence, 1);
    let loud = run(&mut engine(&rules(&format!("{THREE}\ngenerate: true"))), acts(&list));
    assert_eq!(created(&loud), ["base a", "joined"]);
}

#[test]
fn groups_are_apart_and_an_event_without_the_field_is_in_none() {
    let events = |same: bool| {
        (0..3_u8).map(move |number| {
            exec(f64::from(number), number.into(), if same { 1 } else { number }, ("/bin/a", "a"))
        })
    };
    assert_eq!(joined(THREE, events(true).collect()).len(), 1);
    assert_eq!(joined(THREE, events(false).collect()).len(), 0);
    let by_parent = THREE.replace("container.id", "ParentImage");
    let mut engine = engine(&rules(&by_parent));
    assert!(run(&mut engine, events(true)).is_empty());
    assert_eq!(engine.stats().ungrouped, 3);
}

#[test]
fn correlations_join_correlations() {
    let chained = format!(
        "{}---\ntitle: chained\ncorrelation:\n{}",
        rules(THREE),
        indent("type: temporal_ordered\nrules: [joined, b]\ntimespan: 1m\ngroup-by: container.id")
    );
    let alerts = run(&mut engine(&chained), acts(&[(0.0, "a"), (1.0, "a"), (2.0, "a"), (3.0, "b")]));
    assert_eq!(created(&alerts), ["chained"]);
}

#[test]
fn state_is_bounded_and_what_gives_way_is_counted() {
    let config = Config { groups_each: 2, ..Config::default() };
    let mut engine = engine_with(&rules(THREE), &config);
    let mut alerts = Vec::new();
    for number in 0..10_u8 {
        engine.push(exec(f64::from(number), number.into(), number, ("/bin/a", "a")), &mut alerts);
    }
    assert!(engine.sizes().1 <= 2);
    assert_eq!(
        engine.take_losses().iter().map(|loss| loss.count).sum::<u64>(),
        engine.stats().groups_evicted
    );
    assert!(engine.stats().groups_evicted >= 6);
    engine.push(tick(100.0), &mut alerts);
    assert_eq!(engine.sizes().1, 0, "windows end by time");
}

#[test]
fn a_correlation_that_joins_nothing_or_itself_is_refused_and_the_rest_runs() {
    let text = format!(
        "{BASE}title: x\nname: x\ncorrelation: {{type: temporal, rules: [a, nothing], timespan: 1m}}\n---\n\
         title: y\nname: y\ncorrelation: {{type: temporal, rules: [a, z], timespan: 1m}}\n---\n\
         title: z\nname: z\ncorrelation: {{type: temporal, rules: [y, b], timespan: 1m}}\n"
    );
    let (mut engine, errors) = Engine::new(&[strategy(&text)], &Config::default()).unwrap();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "strategy `test`, rule `x`: joins `nothing`, which is no rule that runs",
            "strategy `test`, rule `y`: joins itself through `z`",
            "strategy `test`, rule `z`: joins itself through `y`",
        ]
    );
    assert_eq!(created(&run(&mut engine, acts(&[(0.0, "a")]))), ["base a"]);
}

#[test]
fn a_group_has_one_alert_however_often_it_fires_within_its_timespan() {
    let many = THREE.replace("10s", "1h").replace("gte: 3", "gte: 2");
    let list: Vec<(f64, &str)> = (0..60_u32).map(|minute| (f64::from(minute) * 60.0, "a")).collect();
    let alerts = run(&mut engine(&rules(&many)), acts(&list));
    assert_eq!(created(&alerts), ["joined"]);
    let counts: Vec<u64> = alerts.iter().map(|alert| alert.count).collect();
    assert_eq!(counts.first(), Some(&1), "the first is told at once");
    assert_eq!(counts.last(), Some(&30), "all are counted");
    assert!(counts.len() <= 4, "{counts:?}");
}

#[test]
fn what_fires_after_its_alert_was_closed_is_told_again() {
    let list = [(0.0, "a"), (1.0, "a"), (2.0, "a"), (5000.0, "a"), (5001.0, "a"), (5002.0, "a")];
    assert_eq!(joined(THREE, acts(&list)).len(), 2);
}

#[test]
fn the_first_and_the_last_events_are_shown() {
    let twenty = THREE.replace("gte: 3", "gte: 20").replace("10s", "1m");
    let list: Vec<(f64, &str)> = (0..20_u32).map(|second| (f64::from(second), "a")).collect();
    let alerts = joined(&twenty, acts(&list));
    let shown: Vec<u64> = alerts[0].evidence.iter().map(|event| event.id.sequence).collect();
    assert_eq!(shown, [1, 2, 3, 4, 17, 18, 19, 20]);
    assert_eq!(alerts[0].message, "20 seen");
}

#[test]
fn memory_is_bounded_and_events_to_show_give_way_before_groups() {
    let config = Config { group_bytes: 128 << 10, ..Config::default() };
    let many = THREE.replace("gte: 3", "gte: 1000").replace("10s", "1h");
    let mut engine = engine_with(&rules(&many), &config);
    let mut alerts = Vec::new();
    for number in 0..5_000_u32 {
        let container = u8::try_from(number % 4).unwrap();
        let seconds = f64::from(number) / 10.0;
        engine.push(exec(seconds, number.into(), container, ("/bin/a", "a")), &mut alerts);
        assert!(engine.group_bytes() <= 128 << 10, "{} at {number}", engine.group_bytes());
    }
    assert_eq!(created(&alerts), ["joined"; 4], "no group gave way");
    assert_eq!(engine.stats().groups_evicted, 0);
}

#[test]
fn an_absence_is_told_when_the_window_ends_and_not_before() {
    let absent = "type: temporal_ordered\nrules: [a, b]\ntimespan: 10s\ngroup-by: container.id\ncondition: a and not b";
    let mut engine = engine(&rules(absent));
    let mut alerts = Vec::new();
    for event in acts(&[(0.0, "a"), (9.0, "x")]) {
        engine.push(event, &mut alerts);
    }
    assert_eq!(created(&alerts), [""; 0]);
    engine.push(tick(11.0), &mut alerts);
    assert_eq!(created(&alerts), ["joined"]);
}

#[test]
fn what_cannot_be_measured_is_counted() {
    let sum = "type: value_sum\nrules: a\ntimespan: 10s\ngroup-by: container.id\ncondition: {gte: 3, field: ParentImage}";
    let mut engine = engine(&rules(sum));
    run(&mut engine, acts(&[(0.0, "a"), (1.0, "a")]));
    assert_eq!(engine.stats().unmeasured, 2);
}
