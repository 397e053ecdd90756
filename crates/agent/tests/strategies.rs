//! `strategy list|lint|test|explain|coverage` from outside.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, HEAD, Outcome, harmless, refused, run, shipped};
use serde_json::Value;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("documents/docker-falls-silent.md");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A copy of the document after one replacement.
fn changed(folder: &Folder, from: &str, to: &str) -> std::path::PathBuf {
    assert!(DOCUMENT.contains(from), "{from}");
    folder.file("document.md", DOCUMENT.replacen(from, to, 1))
}

fn line_of(path: &Path, text: &str) -> usize {
    let document = fs::read_to_string(path).unwrap();
    document.split(text).next().unwrap().lines().count() + 1
}

#[test]
fn what_ships_has_no_errors_and_its_tests_pass() {
    let strategies = shipped().parent().unwrap().parent().unwrap().to_owned();
    let lint = run(&[&"strategy", &"lint", &strategies]);
    assert_eq!(lint.code, 0, "{}", lint.out);
    let test = run(&[&"strategy", &"test", &strategies]);
    assert_eq!(test.code, 0, "{}", test.out);
    assert_eq!(run(&[&"strategy", &"test"]).code, 0);
}

#[test]
fn lint_reports_all_documents_at_once_in_every_form() {
    let folder = Folder::new("lint-forms");
    folder.file(
        "a.md",
        DOCUMENT.replacen("T1685}", "T1562.001}", 1).replacen(
            "health.signal: docker",
            "health.sgnal: docker",
            1,
        ),
    );
    folder.file("b.md", DOCUMENT.replacen("action: notify", "action: notifi", 1));
    folder.file("c.md", b"\xff\xfe");
    folder.file("d.md", "# Prose\n");
    let text = run(&[&"strategy", &"lint", &folder.0]);
    assert_eq!(text.code, 1);
    harmless(&text.out);
    for part in
        ["WK0402", "use T1685", "did you mean `health.signal`?", "WK0602", "WK0001", "WK0101", "a.md:11:"]
    {
        assert!(text.out.contains(part), "{part}:\n{}", text.out);
    }
    assert!(text.out.trim_end().lines().last().unwrap().starts_with("4 documents, "));

    let json = run(&[&"strategy", &"lint", &"--format", &"json", &folder.0]);
    assert_eq!(json.code, 1);
    let findings = lines(&json.out);
    let revoked = findings.iter().find(|finding| finding["code"] == "WK0402").unwrap();
    assert_eq!((&revoked["severity"], &revoked["line"]), (&Value::from("error"), &Value::from(11)));
    assert!(revoked["source"].as_str().unwrap().contains("T1562.001"));
    assert!(revoked["hint"].as_str().unwrap().contains("T1685"));

    let sarif = run(&[&"strategy", &"lint", &"--format", &"sarif", &folder.0]);
    assert_eq!(sarif.code, 1);
    let log: Value = serde_json::from_str(&sarif.out).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    assert_eq!(log["version"], "2.1.0");
}

#[test]
fn lint_points_at_the_block_that_the_engine_refuses_and_at_expired_exceptions() {
    let folder = Folder::new("lint-engine");
    let analytic = "```yaml analytic\nname: protocol\nparameters: {nonsense: 1}\n```\n\n## Technical Context";
    let path = changed(&folder, "## Technical Context", analytic);
    let outcome = run(&[&"strategy", &"lint", &path]);
    assert_eq!(outcome.code, 1, "{}", outcome.out);
    let place = format!("document.md:{}:", line_of(&path, "name: protocol"));
    assert!(outcome.out.contains("error[WK0316]") && outcome.out.contains(&place), "{}", outcome.out);

    let exception = "```yaml exception\nid: old\nscope: {image: a}\nowner: team\nreason: why\nexpires: 2020-01-31\n```\n\n## Priority";
    let outcome = run(&[&"strategy", &"lint", &changed(&folder, "## Priority", exception)]);
    assert_eq!(outcome.code, 0, "{}", outcome.out);
    assert!(outcome.out.contains("the exception `old` expired on 2020-01-31"), "{}", outcome.out);
}

/// The command that the report prints, run.
fn again(outcome: &Outcome) -> Outcome {
    let command =
        outcome.out.lines().find_map(|line| line.trim().strip_prefix("again: watchkeeper ")).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    let words: Vec<&dyn AsRef<std::ffi::OsStr>> =
        words.iter().map(|word| word as &dyn AsRef<std::ffi::OsStr>).collect();
    run(&words)
}

#[test]
fn a_failed_test_points_at_its_line_shows_both_sides_and_runs_again_alone() {
    let folder = Folder::new("test-fails");
    let path = changed(&folder, "expect=docker_down name", "expect=sensor_down name");
    let outcome = run(&[&"strategy", &"test", &path]);
    assert_eq!(outcome.code, 1);
    let place =
        format!("FAILED {}:{}", path.display(), line_of(&path, "```jsonl test expect=sensor_down name"));
    for part in [&place, "EXPECTED", "! -            docker_down", "! sensor_down  -", "3 passed, 1 failed"] {
        assert!(outcome.out.contains(part), "{part}:\n{}", outcome.out);
    }
    let again = again(&outcome);
    assert_eq!(again.code, 1);
    assert!(again.out.contains("0 passed, 1 failed"), "{}", again.out);
}

#[test]
fn one_alert_too_few_or_too_many_fails() {
    let folder = Folder::new("test-count");
    for (from, to) in [
        ("expect=sensor_down,sensor_down", "expect=sensor_down"),
        ("expect=docker_down name", "expect=docker_down,docker_down name"),
    ] {
        let outcome = run(&[&"strategy", &"test", &changed(&folder, from, to)]);
        assert_eq!(outcome.code, 1, "{to}: {}", outcome.out);
    }
}

#[test]
fn update_writes_what_came_into_validation_and_nowhere_else() {
    let folder = Folder::new("test-update");
    let path = folder.file(
        "document.md",
        DOCUMENT.replacen("expect=docker_down name=stops", "expect=none name=stops", 1).replacen(
            "expect=sensor_down,sensor_down",
            "expect=docker_down",
            1,
        ),
    );
    let outcome = run(&[&"strategy", &"test", &"--update", &path]);
    assert_eq!(outcome.code, 0, "{}", outcome.out);
    assert!(outcome.out.contains("2 passed, 0 failed, 2 updated"), "{}", outcome.out);
    assert_eq!(fs::read_to_string(&path).unwrap(), DOCUMENT);

    let detected = changed(&folder, "\"state\":\"degraded\"", "\"state\":\"down\"");
    let before = fs::read_to_string(&detected).unwrap();
    let outcome = run(&[&"strategy", &"test", &"--update", &detected]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("a blind spot is detected now"), "{}", outcome.out);
    assert_eq!(fs::read_to_string(&detected).unwrap(), before);
    refused(&run(&[&"strategy", &"test", &"--update"]), 2, "built-in documents cannot be updated");
}

#[test]
fn captures_are_read_by_path_and_what_is_none_is_said_at_its_line() {
    let folder = Folder::new("test-capture");
    let event = r#"{"boot":5000000000,"kind":{"health":{"signal":"docker","state":"down"}}}"#;
    folder.file("ours.ndjson", format!("{HEAD}\n{event}\n"));
    folder.file("torn.ndjson", format!("{HEAD}\n{event}\n{{\n"));
    folder.file("packets.pcap", [0xd4, 0xc3, 0xb2, 0xa1, 0, 0, 0, 0]);
    let line =
        r#"{"at":"+1s","repeat":3,"every":"10s","kind":{"health":{"signal":"docker","state":"down"}}}"#;
    let with = |name: &str| changed(&folder, line, &format!("\n{{\"capture\":\"{name}\"}}"));
    let outcome = run(&[&"strategy", &"test", &with("ours.ndjson")]);
    assert_eq!(outcome.code, 0, "{}", outcome.out);
    for (name, why) in [
        ("torn.ndjson", "torn.ndjson:3: "),
        ("packets.pcap", "capture ends inside a file header"),
        ("absent.ndjson", "No such file"),
    ] {
        let path = with(name);
        let outcome = run(&[&"strategy", &"test", &path]);
        assert_eq!(outcome.code, 1, "{}", outcome.out);
        let place = format!("document.md:{}: ", line_of(&path, "{\"capture\""));
        assert!(outcome.out.contains(why) && outcome.out.contains(&place), "{}", outcome.out);
    }
}

#[test]
fn tests_are_chosen_by_name_and_documents_that_cannot_run_are_said() {
    let folder = Folder::new("test-choice");
    let path = folder.file("document.md", DOCUMENT);
    let outcome = run(&[&"strategy", &"test", &path, &"--filter", &"False Positives / comes"]);
    assert!(outcome.out.contains("1 passed, 0 failed"), "{}", outcome.out);
    refused(&run(&[&"strategy", &"test", &path, &"--filter", &"nothing"]), 2, "no test fits");
    let broken = changed(&folder, "health.signal: docker", "health.sgnal: docker");
    let outcome = run(&[&"strategy", &"test", &broken]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("unknown field `health.sgnal`"), "{}", outcome.out);
    assert!(outcome.out.contains("not run in 1 documents with errors"), "{}", outcome.out);
}

#[test]
fn the_list_has_a_line_for_each_document_those_that_cannot_run_too() {
    let folder = Folder::new("list");
    folder.file("a.md", DOCUMENT);
    folder.file(
        "b.md",
        DOCUMENT.replacen("docker-falls-silent", "other", 1).replacen("2f0a6d0e", "3f0a6d0e", 1).replacen(
            "health.signal: docker",
            "health.sgnal: docker",
            1,
        ),
    );
    folder.file("c.md", "# Prose\n");
    let text = run(&[&"strategy", &"list", &folder.0]);
    assert_eq!(text.code, 1);
    for part in
        ["2f0a6d0e  docker-falls-silent", "T1685", "ready (test)", "broken (", "c.md", "Docker falls silent"]
    {
        assert!(text.out.contains(part), "{part}:\n{}", text.out);
    }
    let json = lines(&run(&[&"strategy", &"list", &"--format", &"json", &folder.0]).out);
    assert_eq!(json.len(), 3);
    assert_eq!((&json[0]["state"], &json[1]["state"]), (&Value::from("ready"), &Value::from("broken")));
    assert_eq!(json[0]["attack"][0]["tactic"], "TA0112");
    assert_eq!(json[0]["tests"], 4);
}

#[test]
fn explain_shows_the_document_with_its_state() {
    let folder = Folder::new("explain");
    let path = folder.file("document.md", DOCUMENT);
    let config = folder.file(
        "config.toml",
        "[[exception]]\nid = \"upgrade\"\nstrategy = \"docker-falls-silent\"\nscope = { image = \"a\" }\nowner = \"team\"\nreason = \"why\"\nexpires = 2020-01-31\n",
    );
    for name in ["docker-falls-silent", "2f0a6d0e", "T1685"] {
        let outcome = run(&[&"strategy", &"explain", &name, &"--strategies", &path, &"--config", &config]);
        assert_eq!(outcome.code, 0, "{}", outcome.err);
        harmless(&outcome.out);
        for part in [
            "Docker falls silent",
            "T1685 Disable or Modify Tools (Defense Impairment)",
            "docker is ",
            "docker_down (medium)",
            "4 pass, 0 fail",
            "raises docker_down",
            "EXPIRED on 2020-01-31, not honoured",
            "## Technical Context",
        ] {
            assert!(outcome.out.contains(part), "{part}:\n{}", outcome.out);
        }
    }
    refused(&run(&[&"strategy", &"explain", &"nothing"]), 2, "no strategy is called `nothing`");
    refused(&run(&[&"strategy", &"explain", &"T1571"]), 2, "strategies are called `T1571`");
}

#[test]
fn coverage_fits_a_terminal_and_writes_a_layer() {
    let folder = Folder::new("coverage");
    let document = folder.file("document.md", DOCUMENT);
    let layer = folder.0.join("layer.json");
    let outcome = run(&[&"strategy", &"coverage", &document, &"--navigator", &layer]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(outcome.out.lines().all(|line| line.chars().count() <= 100), "{}", outcome.out);
    assert!(
        outcome.out.contains("Disable or Modify Tools                 cte  docker-falls-silent"),
        "{}",
        outcome.out
    );
    assert!(outcome.out.contains("1 of 48"), "{}", outcome.out);
    let layer: Value = serde_json::from_str(&fs::read_to_string(layer).unwrap()).unwrap();
    assert_eq!(layer["versions"]["layer"], "4.5");
    assert_eq!(layer["domain"], "enterprise-attack");
    let technique = &layer["techniques"][0];
    assert_eq!((&technique["techniqueID"], &technique["score"]), (&Value::from("T1685"), &Value::from(3)));
    assert_eq!(technique["tactic"], "defense-impairment");
    let failing = changed(&folder, "expect=docker_down name", "expect=sensor_down name");
    let outcome = run(&[&"strategy", &"coverage", &failing]);
    assert!(outcome.out.contains("cte  docker"), "another test is passed: {}", outcome.out);
    refused(&run(&[&"strategy", &"coverage", &"--navigator", &folder.0]), 2, "cannot write the layer");
}
