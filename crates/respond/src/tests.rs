//! One alert with everything that an attacker can write set to something hostile, through every output.

use crate::{Colour, Format, Host};
use event::alert::{Activity, Alert, Severity, StrategyHead, Technique};
use event::{Actor, BootTime, Container, Event, Exec, Kind, Owner, Sensor, Text, WallTime};
use std::sync::Arc;

const HOSTILE: &str = "evil\x1b[2J\x07\nsecond line\u{202e}gpj.exe\\";

fn alert() -> Alert {
    let exec = Exec {
        path: Text::resolved(HOSTILE),
        argv: serde_json::from_value(serde_json::json!([HOSTILE, "c2.example.com", "4444"])).unwrap(),
        ..Exec::default()
    };
    let mut event = Event::new(Sensor::Kernel, BootTime(5), Kind::Exec(Arc::new(exec)));
    let id = "ab".repeat(32).parse().unwrap();
    event.owner = Owner::Container(id);
    event.actor = Some(Actor { pid: 7, comm: HOSTILE.into(), ..Actor::default() });
    event.context.container = Some(Arc::new(Container {
        id: Some(id),
        name: HOSTILE.into(),
        image: "registry:5000/alpine:3.2".into(),
        ..Container::default()
    }));
    Alert {
        uid: "u1".into(),
        activity: Activity::Create,
        strategy: Arc::new(StrategyHead {
            id: "s1".into(),
            techniques: vec![Technique {
                tactic_id: "TA0011".into(),
                tactic: "Command and Control".into(),
                id: "T1071.004".into(),
                name: "Application Layer Protocol: DNS".into(),
            }],
            ..StrategyHead::default()
        }),
        rule_id: "r1".into(),
        rule_title: "Rule".into(),
        tags: vec!["attack.t1071".into()],
        severity: Severity::High,
        confidence: 75,
        message: HOSTILE.into(),
        group_key: HOSTILE.into(),
        time: WallTime(1_763_765_630_123_000_000),
        boot: BootTime(5),
        first: WallTime(1_763_765_630_123_000_000),
        first_event: event.id,
        last: WallTime(1_763_765_630_123_000_000),
        count: 1,
        evidence: vec![Arc::new(event)],
        health: vec![HOSTILE.into()],
        ended_because: None,
    }
}

fn host() -> Host {
    Host { hostname: "h".into(), version: "0".into() }
}

#[test]
fn text_output_lets_no_control_character_through() {
    let text = Format::Text(Colour::Never).render(&alert(), &host());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert!(text.lines().all(|line| !line.starts_with("second line")), "{text}");
}

#[test]
fn json_outputs_are_one_line_each_and_keep_the_text() {
    for format in [Format::Json, Format::Falco] {
        let text = format.render(&alert(), &host());
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(json.is_object());
    }
}

#[test]
fn ocsf_finding_has_what_the_contract_names() {
    let json: serde_json::Value = serde_json::from_str(&Format::Json.render(&alert(), &host())).unwrap();
    for pointer in [
        "/time",
        "/severity_id",
        "/severity",
        "/status_id",
        "/confidence_score",
        "/message",
        "/finding_info/uid",
        "/finding_info/title",
        "/finding_info/analytic/uid",
        "/finding_info/analytic/name",
        "/finding_info/analytic/type",
        "/attacks/0/version",
        "/attacks/0/tactic/uid",
        "/attacks/0/technique/uid",
        "/attacks/0/technique/name",
        "/attacks/0/sub_technique/uid",
        "/evidences/0/process/pid",
        "/evidences/0/process/cmd_line",
        "/resources/0/uid",
        "/container/uid",
        "/container/name",
        "/container/image/name",
        "/container/image/tag",
        "/device/hostname",
        "/metadata/version",
        "/metadata/product/name",
        "/count",
        "/unmapped/health",
        "/activity_id",
        "/class_uid",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer} is missing in {json:#}");
    }
    assert_eq!(json["time"], 1_763_765_630_123u64);
    assert_eq!(json["container"]["image"]["name"], "registry:5000/alpine");
    assert_eq!(json["attacks"][0]["technique"]["uid"], "T1071");
}

#[test]
fn falco_output_has_only_scalar_fields_and_a_known_priority() {
    let json: serde_json::Value = serde_json::from_str(&Format::Falco.render(&alert(), &host())).unwrap();
    assert_eq!(json["priority"], "Error");
    let fields = json["output_fields"].as_object().unwrap();
    assert!(!fields.is_empty() && fields.values().all(|value| !value.is_object() && !value.is_array()));
}
