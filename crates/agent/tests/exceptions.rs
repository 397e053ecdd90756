//! `exceptions list|test` from outside, and exceptions in replays.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, HEAD, harmless, refused, run};
use serde_json::Value;
use std::path::PathBuf;

const DOCUMENT: &str = include_str!("documents/docker-falls-silent.md");

/// A folder with the strategy, a recording of 2026-01-01 and a configuration with one exception.
struct Scene {
    folder: Folder,
    strategies: PathBuf,
    recording: PathBuf,
}

impl Scene {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let strategies = folder.0.join("strategies");
        std::fs::create_dir(&strategies).unwrap();
        std::fs::write(strategies.join("document.md"), DOCUMENT).unwrap();
        // 2026-01-01 is a Thursday.
        let event = |sequence: u64, second: u64, signal: &str| {
            let boot = (1000 + second) * 1_000_000_000;
            let wall = (1_767_225_600 + second) * 1_000_000_000;
            format!(
                r#"{{"id":{{"sensor":"own","sequence":{sequence}}},"boot":{boot},"wall":{wall},"kind":{{"health":{{"signal":"{signal}","state":"down"}}}}}}"#
            )
        };
        let text = [HEAD.to_owned(), event(1, 1, "docker"), event(2, 2, "docker"), event(3, 3, "process")];
        let recording = folder.file("events.ndjson", text.join("\n"));
        Self { folder, strategies, recording }
    }

    fn config(&self, expires: &str, more: &str) -> PathBuf {
        self.folder.file(
            "config.toml",
            format!(
                "[[exception]]\nid = \"upgrade\"\nstrategy = \"docker-falls-silent\"\nrules = [\"docker_down\"]\n\
                 scope = {{ fields = {{ \"health.signal\" = \"docker\" }} }}\nowner = \"platform-team\"\n\
                 reason = \"Docker is upgraded.\"\nexpires = {expires}\n{more}"
            ),
        )
    }
}

#[test]
fn the_list_shows_owner_reason_and_expiry_and_marks_what_has_expired() {
    let scene = Scene::new("exceptions-list");
    let list = |config: &PathBuf| {
        run(&[&"exceptions", &"list", &"--strategies", &scene.strategies, &"--config", config])
    };
    let outcome = list(
        &scene.config("2999-12-31", "window = { days = [\"sun\"], from = \"02:00\", until = \"04:00\" }\n"),
    );
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    harmless(&outcome.out);
    for part in [
        "upgrade",
        "active",
        "2999-12-31",
        "platform-team",
        "docker-falls-silent (docker_down)",
        "health.signal=docker",
        "sun 02:00-04:00 UTC",
        "Docker is upgraded.",
    ] {
        assert!(outcome.out.contains(part), "{part}:\n{}", outcome.out);
    }
    let config = scene.config("2020-12-31", "");
    let outcome = list(&config);
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("EXPIRED"), "{}", outcome.out);
    let json = run(&[
        &"exceptions",
        &"list",
        &"--format",
        &"json",
        &"--strategies",
        &scene.strategies,
        &"--config",
        &config,
    ]);
    let object: Value = serde_json::from_str(json.out.trim()).unwrap();
    assert_eq!(
        (&object["state"], &object["place"]),
        (&Value::from("expired"), &Value::from("configuration"))
    );
    assert_eq!(object["expires"], "2020-12-31");
    assert_eq!(object["strategies"], serde_json::json!(["docker-falls-silent"]));
    // One for all strategies is one line, with the built-in ones too.
    let every = std::fs::read_to_string(&config).unwrap().replacen("docker-falls-silent", "*", 1);
    let every = scene.folder.file("every.toml", every.replacen("rules = [\"docker_down\"]\n", "", 1));
    let outcome = run(&[&"exceptions", &"list", &"--config", &every]);
    assert_eq!(outcome.out.lines().filter(|line| line.starts_with("upgrade")).count(), 1, "{}", outcome.out);
}

#[test]
fn a_test_shows_what_the_exception_would_have_hidden_and_nothing_else() {
    let scene = Scene::new("exceptions-test");
    let test = |config: &PathBuf| {
        run(&[
            &"exceptions",
            &"test",
            &"--strategies",
            &scene.strategies,
            &"--config",
            config,
            &scene.recording,
        ])
    };
    let outcome = test(&scene.config("2999-12-31", ""));
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    assert!(outcome.out.contains("hides 1 alerts, covers 2 judgements"), "{}", outcome.out);
    assert!(outcome.out.contains("2 × Docker no longer reports"), "{}", outcome.out);
    assert!(!outcome.out.contains("Another sensor"), "{}", outcome.out);
    // Outside its window, and after its last day, it hides nothing.
    let sunday = "window = { days = [\"sun\"], from = \"00:00\", until = \"23:59\" }\n";
    let outcome = test(&scene.config("2999-12-31", sunday));
    assert_eq!(outcome.code, 0);
    assert!(outcome.out.contains("hides 0 alerts, covers 0 judgements"), "{}", outcome.out);
    let outcome = test(&scene.config("2025-12-31", ""));
    assert_eq!(outcome.code, 0);
    assert!(outcome.out.contains("EXPIRED: 2 judgements came after 2025-12-31"), "{}", outcome.out);
}

#[test]
fn a_replay_heeds_the_configuration_counts_uses_and_never_honours_what_has_expired() {
    let scene = Scene::new("exceptions-replay");
    let replay = |config: &PathBuf| {
        run(&[
            &"replay",
            &"--format",
            &"json",
            &"--strategies",
            &scene.strategies,
            &"--config",
            config,
            &scene.recording,
        ])
    };
    let raised = |out: &str, rule: &str| {
        let is_first = |alert: &Value| alert["activity_id"] == 1 && alert.to_string().contains(rule);
        out.lines().filter(|line| is_first(&serde_json::from_str(line).unwrap())).count()
    };
    let outcome = replay(&scene.config("2026-01-01", ""));
    assert_eq!((raised(&outcome.out, "docker_down"), raised(&outcome.out, "the sensor docker")), (0, 0));
    assert_eq!(raised(&outcome.out, "the sensor process"), 1, "{}", outcome.out);
    assert!(
        outcome.err.contains("`upgrade` of docker-falls-silent (owner platform-team) covered 2"),
        "{}",
        outcome.err
    );
    let outcome = replay(&scene.config("2025-12-31", ""));
    assert_eq!(raised(&outcome.out, "the sensor docker"), 1, "{}", outcome.out);
    assert!(outcome.err.contains("has expired and was not honoured 2 times"), "{}", outcome.err);
}

#[test]
fn exceptions_that_name_what_is_not_there_are_status_2() {
    let scene = Scene::new("exceptions-wrong");
    let good = std::fs::read_to_string(scene.config("2999-12-31", "")).unwrap();
    for (from, to, message) in [
        ("docker-falls-silent", "nothing", "there is no strategy `nothing`"),
        ("[\"docker_down\"]", "[\"docker_up\"]", "has no rule `docker_up`"),
        ("\"health.signal\" =", "\"health.sgnal\" =", "unknown field `health.sgnal`"),
        ("{ fields = { \"health.signal\" = \"docker\" } }", "{}", "silences everything"),
        ("owner = \"platform-team\"", "owner = \" \"", "without id, owner or reason"),
        ("owner = ", "ownr = ", "ownr"),
        ("2999-12-31", "2999-02-30", "wrong"),
    ] {
        assert!(good.contains(from), "{from}");
        let config = scene.folder.file("wrong.toml", good.replacen(from, to, 1));
        let outcome =
            run(&[&"exceptions", &"list", &"--strategies", &scene.strategies, &"--config", &config]);
        refused(&outcome, 2, message);
    }
    let config = scene.config("2999-12-31", "");
    let unknown = run(&[
        &"exceptions",
        &"test",
        &"--id",
        &"x",
        &"--strategies",
        &scene.strategies,
        &"--config",
        &config,
        &scene.recording,
    ]);
    refused(&unknown, 2, "there is no exception `x`");
}
