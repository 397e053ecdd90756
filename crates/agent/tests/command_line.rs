//! The command from outside, where no root is needed: exit codes and messages for what is wrong with arguments,
//! strategies, configuration and recordings, and outputs that nobody reads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, HEAD, harmless, refused, run, shipped, watchkeeper};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

#[test]
fn bad_usage_is_status_2() {
    for arguments in
        [&["watch", "--duration", "soon"][..], &["replay"], &["watch", "--format", "xml"], &["nothing"]]
    {
        let output = watchkeeper().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn without_root_watch_says_what_it_needs() {
    let mut command = watchkeeper();
    command.arg("watch");
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
        // The program may lie where only root reaches it.
        if command.output().is_err() {
            println!("SKIPPED: another user cannot run {}", env!("CARGO_BIN_EXE_watchkeeper"));
            return;
        }
    }
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("needs root") && err.contains("hint: run `sudo watchkeeper watch`"), "{err}");
}

#[test]
fn all_broken_documents_are_named_at_once_and_the_good_ones_run() {
    let folder = Folder::new("documents");
    let documents = folder.0.join("strategies");
    fs::create_dir(&documents).unwrap();
    let good = fs::read_to_string(shipped()).unwrap();
    fs::write(documents.join("good.md"), &good).unwrap();
    fs::write(documents.join("no-front-matter.md"), "# A title\n").unwrap();
    fs::write(documents.join("not-yaml.md"), "---\nads: [1\n---\n").unwrap();
    fs::write(documents.join("not-utf8.md"), b"---\nads: 1\n\xff\xfe\n---\n").unwrap();
    fs::write(documents.join("too-large.md"), vec![b'x'; (1 << 20) + 1]).unwrap();
    std::os::unix::fs::symlink("nowhere", documents.join("dangling.md")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", documents.join("device.md")).unwrap();
    let recording = folder.file("events.ndjson", format!("{HEAD}\n"));

    let outcome = run(&[&"replay", &"--strategies", &documents, &recording]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let broken = ["no-front-matter", "not-yaml", "not-utf8", "too-large", "dangling", "device"];
    for name in broken {
        assert!(outcome.err.contains(&format!("{name}.md")), "{name} is not named:\n{}", outcome.err);
    }
    assert!(!outcome.err.contains("good.md"), "{}", outcome.err);

    fs::remove_file(documents.join("good.md")).unwrap();
    refused(&run(&[&"replay", &"--strategies", &documents, &recording]), 2, "strategy documents can run");
    refused(&run(&[&"watch", &"--strategies", &documents]), 2, "strategy documents can run");
}

#[test]
fn strategies_and_configurations_that_are_not_there_are_status_2() {
    let folder = Folder::new("absent");
    let recording = folder.file("events.ndjson", format!("{HEAD}\n"));
    let absent = folder.0.join("absent");
    refused(&run(&[&"replay", &"--strategies", &absent, &recording]), 2, "absent: No such file");
    refused(&run(&[&"replay", &"--config", &absent, &recording]), 2, "absent: No such file");
    let empty = folder.0.join("empty");
    fs::create_dir(&empty).unwrap();
    refused(&run(&[&"replay", &"--strategies", &empty, &recording]), 2, "none of 0 strategy documents");
    let unknown = folder.file("unknown.toml", "[kernel]\nrngs = 1\n");
    refused(&run(&[&"replay", &"--config", &unknown, &recording]), 2, "rngs");
    let hostile = folder.file("hostile.toml", "\"\\u001b[2J\" = 1\n");
    refused(&run(&[&"replay", &"--config", &hostile, &recording]), 2, "hostile.toml");
}

#[test]
fn a_recording_that_is_none_is_status_2() {
    let folder = Folder::new("recordings");
    let garbage: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes, message) in [
        ("empty", Vec::new(), "is empty"),
        ("garbage", garbage, "not the head of a Watchkeeper recording"),
        ("newer", HEAD.replace(":1,", ":999,").into_bytes(), "schema 999"),
        ("escapes", HEAD.replace("events", "\\u001b[2J").into_bytes(), "where `events` is expected"),
    ] {
        refused(&run(&[&"replay", &folder.file(name, bytes)]), 2, message);
    }
    refused(&run(&[&"replay", &folder.0.join("absent")]), 2, "No such file");
    refused(&run(&[&"replay", &folder.0]), 2, "directory");
}

#[test]
fn lines_that_are_no_events_are_named_then_counted_and_the_rest_is_played() {
    let folder = Folder::new("lines");
    let mut bytes = format!("{HEAD}\n").into_bytes();
    let bad: [&[u8]; 8] = [
        b"garbage",
        b"{\"kind\":{\"\\u001b[2J\":1}}",
        b"\xff\xfe\x00",
        b"[[[[[[[[",
        b"{\"id\":{\"sensor\":\"\\u001b[31m\",\"sequence\":1}}",
        b"null",
        b"{\"id\":{\"sensor\":\"own\",\"sequence\":-1}}",
        b"{\"id\":{\"sensor\":\"own\",\"sequence\":1e999}}",
    ];
    for line in bad {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    let outcome = run(&[&"replay", &folder.file("events.ndjson", bytes)]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    for number in 2..=6 {
        assert!(outcome.err.contains(&format!("events.ndjson:{number}: not an event")), "{}", outcome.err);
    }
    assert!(outcome.err.contains("8 lines in all"), "{}", outcome.err);
    harmless(&outcome.err);
}

#[test]
fn a_nesting_without_end_and_a_line_without_end_are_refused_in_bounded_memory() {
    let folder = Folder::new("long");
    let mut bytes = format!("{HEAD}\n{}\n", "[".repeat(1 << 20)).into_bytes();
    bytes.extend(std::iter::repeat_n(b'a', 20 << 20));
    let outcome = run(&[&"replay", &folder.file("events.ndjson", bytes)]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(
        outcome.err.contains(":2: not an event") && outcome.err.contains(":3: not an event"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_truncated_recording_plays_up_to_its_torn_line() {
    let folder = Folder::new("torn");
    let event = r#"{"id":{"sensor":"own","sequence":1},"boot":1,"kind":"tick"}"#;
    let whole = format!("{HEAD}\n{event}\n{event}\n");
    assert_eq!(run(&[&"replay", &folder.file("whole", &whole)]).err, "", "the sample is an event");
    for length in 1..whole.len() {
        let outcome =
            run(&[&"replay", &"--strategies", &"tests/documents", &folder.file("torn", &whole[..length])]);
        assert!(matches!(outcome.code, 0 | 2), "cut at {length}: {} {}", outcome.code, outcome.err);
        assert!(outcome.out.is_empty());
        assert!(!outcome.err.contains("panicked"), "cut at {length}: {}", outcome.err);
    }
}

#[test]
fn a_reader_that_goes_ends_the_output_without_an_error() {
    for arguments in
        [&["strategy", "list"][..], &["strategy", "explain", "hidden-containers"], &["doctor", "--json"]]
    {
        let mut child =
            watchkeeper().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let status = child.wait().unwrap();
        assert!(!err.contains("error") && !err.contains("panicked"), "{arguments:?}: {err}");
        assert!(status.code().is_some(), "{arguments:?}: {status}");
    }
}

#[test]
fn a_full_output_is_said() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("SKIPPED: no /dev/full");
        return;
    };
    let output = watchkeeper().args(["strategy", "list"]).stdout(full).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("cannot write to standard output: No space left"), "{err}");
}

#[test]
fn a_recording_is_read_from_standard_input() {
    let mut child =
        watchkeeper().args(["replay", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{HEAD}\n\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

const CURL: &str = "title: Curl\nid: 81bcb81b-5b1f-474b-b373-52c871aaa7b1\nlevel: low\nauthor: A\n\
                    logsource: {product: linux}\ndetection: {s: {a.b|endswith: /curl}, condition: s}\n";

#[test]
fn match_prints_which_rules_hold_for_which_event() {
    let folder = Folder::new("match");
    let rules = folder.file("curl.yml", CURL);
    let events =
        folder.file("events.json", "{\"a\": {\n\"b\": \"/bin/sh\"}}\n{\"a.b\": \"/BIN/curl\"}{\"a\":1}");
    let text = run(&[&"match", &"--rules", &rules, &events]);
    assert_eq!(text.code, 1, "{}", text.err);
    let expect = format!("{}:1: low: Curl (81bcb81b-5b1f-474b-b373-52c871aaa7b1)\n", events.display());
    assert_eq!((text.out, text.err), (expect, String::new()));
    let json = run(&[&"match", &"--rules", &folder.0, &"--format", &"json", &events]);
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let expect = serde_json::json!({"rule_id": "81bcb81b-5b1f-474b-b373-52c871aaa7b1", "rule": "Curl", "level": "low",
        "file": events.display().to_string(), "event": 1, "author": "A"});
    assert_eq!(found, expect);
    let nothing = folder.file("nothing.json", "{}");
    assert_eq!(run(&[&"match", &"--rules", &rules, &nothing]).code, 0);
}

const FAILURES: &str = "title: Failure\nname: failure\nlogsource: {product: linux, service: sshd}\n\
                        detection: {s: {result: failure}, condition: s}\n---\n\
                        title: Many failures\nlevel: high\ncorrelation:\n  {type: event_count, rules: failure, \
                        group-by: user, timespan: 1m, condition: {gte: 3}}\n";

#[test]
fn match_runs_correlations_in_the_time_of_events() {
    let folder = Folder::new("match-joined");
    let rules = folder.file("failures.yml", FAILURES);
    let failure = |user: &str, time: &str| {
        format!("{{\"user\": \"{user}\", \"result\": \"failure\", \"when\": {time}}}\n")
    };
    let first = folder.file(
        "first.json",
        // The last two are in the wrong order, within the lag.
        [
            ("ann", "\"2026-01-01T00:00:00Z\""),
            ("bob", "1767225601"),
            ("ann", "1767225602.2"),
            ("ann", "null"),
        ]
        .map(|(user, time)| failure(user, time))
        .concat(),
    );
    let second = folder.file(
        "second.json",
        format!("{{}}\n{}{}", failure("ann", "1767225602000"), failure("bob", "1767226601")),
    );
    let json =
        run(&[&"match", &"--rules", &rules, &"--time", &"when", &"--format", &"json", &first, &second]);
    assert_eq!(json.code, 1, "{}", json.err);
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let [first_name, second_name] = [&first, &second].map(|path| path.display().to_string());
    let expect = serde_json::json!({"rule_id": "", "rule": "Many failures", "level": "high", "file": first_name,
        "event": 2, "group": {"user": "ann"}, "count": 3, "events": [{"file": first_name, "event": 0},
        {"file": second_name, "event": 1}, {"file": first_name, "event": 2}]});
    assert_eq!(found, expect);
    assert!(json.err.contains("event 3: joined to nothing") && json.err.contains("--time"), "{}", json.err);
    let text = run(&[&"match", &"--rules", &rules, &"--time", &"when", &first, &second]);
    let expect = format!("{first_name}:2: high: Many failures (no id): 3 user=ann\n");
    assert_eq!(text.out, expect, "{}", text.err);
    let generate = folder.file("generate.yml", FAILURES.replace("timespan", "generate: true, timespan"));
    let loud = run(&[&"match", &"--rules", &generate, &"--time", &"when", &first, &second]);
    assert_eq!(loud.out.lines().count(), 7, "{}", loud.out);
}

#[test]
fn match_asks_no_rules_of_another_log_source() {
    let folder = Folder::new("match-logsource");
    let rules = folder.file("curl.yml", CURL);
    let events = folder.file("events.json", "{\"a.b\": \"/curl\"}");
    let with = |logsource: &str| run(&[&"match", &"--rules", &rules, &"--logsource", &logsource, &events]);
    for (logsource, code) in [
        ("product=linux", 1),
        ("category=process_creation", 1),
        ("product=windows", 2),
        ("kind=x", 2),
        ("product=", 2),
    ] {
        let outcome = with(logsource);
        assert_eq!(outcome.code, code, "{logsource}: {}", outcome.err);
    }
}

#[test]
fn a_placeholder_has_the_values_of_the_configuration() {
    let folder = Folder::new("placeholders");
    let document = fs::read_to_string("tests/documents/docker-falls-silent.md").unwrap();
    let changed = document.replacen("health.signal: docker", "health.signal|expand: '%daemons%'", 1);
    let document = folder.file("expand.md", changed);
    let recording = folder.file("events.ndjson", format!("{HEAD}\n"));
    let replay = |config: &str| {
        let config = folder.file("c.toml", config);
        run(&[&"replay", &"--strategies", &document, &"--config", &config, &recording]).err
    };
    let err = replay("");
    assert!(err.contains("placeholder `%daemons%` has no value"), "{err}");
    let err = replay("[detect]\nplaceholders = { daemons = [\"docker\"] }\n");
    assert!(!err.contains("error:"), "{err}");
}

#[test]
fn match_names_rules_and_events_that_it_leaves_out() {
    let folder = Folder::new("match-left-out");
    folder.file("curl.yml", CURL);
    folder.file("broken.yml", CURL.replace("endswith", "endwith"));
    folder.file(
        "expand.yaml",
        CURL.replace("endswith: /curl", "expand: '%admins%'").replace("81bcb81b", "91bcb81b"),
    );
    let events = folder.file("events.json", "what?\n{\"a.b\": \"/curl\"}\n{\"a.b\": \"root\"}\n{\"a");
    let run_with = |more: &[&dyn AsRef<std::ffi::OsStr>]| {
        let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"match", &"--rules", &folder.0];
        arguments.extend(more);
        arguments.push(&events);
        run(&arguments)
    };
    let all = run_with(&[]);
    assert_eq!(all.code, 1);
    for part in ["did you mean `endswith`?", "%admins%", "byte 0", "cut off"] {
        assert!(all.err.contains(part), "{part}: {}", all.err);
    }
    assert_eq!(all.out.lines().count(), 1, "{}", all.out);
    let config = folder.file("c.toml", "[detect]\nplaceholders = { admins = [\"root\"] }\n");
    assert_eq!(run_with(&[&"--config", &config]).out.lines().count(), 2);
    let none = run(&[&"match", &"--rules", &folder.file("none.yml", ""), &events]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert_eq!(run(&[&"match", &events]).code, 2);
}
