//! Strategies from Sigma text, and events.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and fails where it is wrong"
)]

use detect::{Config, Engine};
use event::alert::{Activity, Severity};
use event::process::{Actor, Argv, Exec};
use event::{Alert, BootTime, Container, ContainerId, Event, EventId, Kind, Owner, Sensor, Text, WallTime};
use std::sync::Arc;
use strategy::document::front::{FrontMatter, Status};
use strategy::{Document, Strategy};

/// A strategy with these rules.
pub fn strategy(sigma: &str) -> Strategy {
    let (items, problems) = strategy::sigma::read_str(sigma);
    assert!(problems.is_empty(), "{problems:?}");
    let front = FrontMatter {
        ads: 1,
        id: "7b0f9d3e-0000-4000-8000-000000000001".into(),
        slug: "test".into(),
        title: "Test".into(),
        status: Status::Test,
        version: "1".into(),
        severity: Severity::High,
        attack_version: "19".into(),
        attack: Vec::new(),
        platforms: vec!["linux".into()],
        requires: vec!["process".into()],
        owners: Vec::new(),
        related: Vec::new(),
    };
    Strategy {
        path: "test.md".into(),
        text: String::new(),
        front,
        document: Document { items, ..Document::default() },
    }
}

/// An engine that runs `sigma`, all of which must compile.
pub fn engine(sigma: &str) -> Engine {
    engine_with(sigma, &Config::default())
}

/// The same, with limits.
pub fn engine_with(sigma: &str, config: &Config) -> Engine {
    let (engine, errors) = Engine::new(&[strategy(sigma)], config).unwrap();
    assert!(errors.is_empty(), "{errors:?}");
    engine
}

/// One second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// A container's id.
pub fn container(number: u8) -> ContainerId {
    ContainerId([number; 32])
}

/// An event at `seconds`, the `number`th.
pub fn at(seconds: f64, number: u64, kind: Kind) -> Event {
    let ns = std::time::Duration::from_secs_f64(seconds).as_nanos();
    let boot = BootTime(u64::try_from(ns).unwrap() + SECOND);
    let mut event = Event::new(Sensor::Kernel, boot, kind);
    event.id = EventId { sensor: Sensor::Kernel, sequence: number };
    event.wall = WallTime(1_800_000_000 * SECOND + boot.0);
    event
}

/// An exec of `path` with `line` in container `number`, whose facts are known.
pub fn exec(seconds: f64, number: u64, container_number: u8, (path, line): (&str, &str)) -> Event {
    let argv = Argv { args: line.split(' ').map(Into::into).collect(), ..Argv::default() };
    let exec = Exec { path: Text::resolved(path), argv, ..Exec::default() };
    let mut event = at(seconds, number, Kind::Exec(Arc::new(exec)));
    event.owner = Owner::Container(container(container_number));
    event.actor = Some(Actor { pid: 1000, ..Actor::default() });
    event.context.container = Some(Arc::new(Container {
        id: Some(container(container_number)),
        name: format!("c{container_number}").into(),
        image: "alpine".into(),
        ..Container::default()
    }));
    event
}

/// A tick.
pub fn tick(seconds: f64) -> Event {
    at(seconds, u64::MAX, Kind::Tick)
}

/// All alerts of `events`, to the end.
pub fn run(engine: &mut Engine, events: impl IntoIterator<Item = Event>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for event in events {
        engine.push(event, &mut alerts);
    }
    engine.finish(&mut alerts);
    alerts
}

/// `(activity, rule, count)` of each alert.
pub fn shown(alerts: &[Alert]) -> Vec<String> {
    let word = |activity| match activity {
        Activity::Create => "create",
        Activity::Update => "update",
        Activity::Close => "close",
    };
    alerts
        .iter()
        .map(|alert| format!("{} {} {}", word(alert.activity), alert.rule_title, alert.count))
        .collect()
}

/// The titles of the rules that created an alert.
pub fn created(alerts: &[Alert]) -> Vec<String> {
    let created = alerts.iter().filter(|alert| alert.activity == Activity::Create);
    created.map(|alert| alert.rule_title.to_string()).collect()
}
