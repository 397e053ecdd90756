//! `watchkeeper replay` from outside: captures and logs of other sensors through the shipped strategies.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, harmless, refused, run};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn capture(name: &str) -> PathBuf {
    repository().join("tests/captures").join(name)
}

/// Titles of the rules that raise alerts, and the ends of the last evidence of each.
fn alerts(file: &Path) -> BTreeSet<String> {
    let outcome =
        run(&[&"replay", &"--format", &"json", &"--strategies", &repository().join("strategies"), &file]);
    assert!(outcome.code <= 1, "{}", outcome.err);
    let titles = outcome.out.lines().map(|line| {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(alert["resources"][0]["uid"], "172.17.0.2", "the workload is the inside address: {alert}");
        alert["finding_info"]["title"].as_str().unwrap().to_owned()
    });
    titles.collect()
}

#[test]
fn each_behaviour_raises_its_alert_from_a_capture_alone() {
    for (name, expect) in [
        ("shell-session.pcap", vec!["Shell text in a plain session of a container"]),
        ("program-by-address.pcap", vec!["Program comes in plain from a server that was not looked up"]),
        ("nameless-tls.pcap", vec!["TLS without any name on an unregistered port outside"]),
        ("directory-lookup.pcap", vec!["Directory is asked on a port that is not LDAP's"]),
        ("host-report.pcap", vec!["Report about the host goes out in plain"]),
        (
            "check-ins.pcap",
            vec![
                "Program keeps time with a named server outside",
                "Same question goes to a server outside again and again",
            ],
        ),
        ("ordinary-web.pcap", vec![]),
    ] {
        let titles = alerts(&capture(name));
        assert_eq!(titles, expect.into_iter().map(str::to_owned).collect(), "{name}");
    }
}

#[test]
fn the_same_capture_gives_the_same_alerts_byte_for_byte() {
    let file = capture("shell-session.pcap");
    let once = run(&[&"replay", &"--format", &"json", &file]);
    let twice = run(&[&"replay", &"--format", &"json", &file]);
    assert!(!once.out.is_empty() && once.out == twice.out);
}

#[test]
fn a_test_of_a_document_names_a_capture_by_path() {
    let folder = Folder::new("replay-test");
    let path = repository().join("strategies/command-and-control/tool-download-in-plain.md");
    let text = std::fs::read_to_string(path).unwrap();
    let head = "```jsonl test expect=program_from_unnamed_server name=script-over-a-bare-socket\n";
    let (before, rest) = text.split_once(head).unwrap();
    let (_, after) = rest.split_once("\n```").unwrap();
    let document = folder.file("d.md", format!("{before}{head}{{\"capture\":\"a.pcap\"}}\n```{after}"));
    folder.file("a.pcap", std::fs::read(capture("program-by-address.pcap")).unwrap());
    let outcome = run(&[&"strategy", &"test", &document]);
    assert_eq!(outcome.code, 0, "{}", outcome.out);
    folder.file("a.pcap", std::fs::read(capture("ordinary-web.pcap")).unwrap());
    assert_eq!(run(&[&"strategy", &"test", &document]).code, 1);
}

const CONN: &str = "#separator \\x09\n#path\tconn\n\
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n";

#[test]
fn logs_of_zeek_are_joined_and_judged() {
    let folder = Folder::new("replay-zeek");
    let lookup = "1000.5\tC1\t172.17.0.2\t40000\t198.51.100.9\t1389\ttcp\tldap\t2.25\t51\t140\tSF\n";
    let conn = folder.file("conn.log", format!("{CONN}{lookup}no record\n"));
    let ssl = folder.file(
        "ssl.log",
        r#"{"ts":1001,"uid":"C2","id.orig_h":"172.17.0.2","id.orig_p":1,"id.resp_h":"198.51.100.9","id.resp_p":4782,"cipher":"x","ja4":"t12i210600_76e208dd3e22_2dae41c691ec"}"#,
    );
    let outcome = run(&[&"replay", &"--format", &"json", &conn, &ssl]);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    for title in ["Directory is asked on a port", "TLS without any name"] {
        assert!(outcome.out.contains(title), "{}", outcome.out);
    }
    assert!(
        outcome.err.contains("conn.log:5: no record of Zeek: 1 columns where #fields names 12"),
        "{}",
        outcome.err
    );
    harmless(&outcome.err);
}

#[test]
fn a_kind_can_be_named_and_what_is_of_none_is_refused() {
    let folder = Folder::new("replay-kinds");
    let record = r#"{"ts":1,"uid":"C","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,"proto":"tcp"}"#;
    let bare = folder.file("bare.log", record);
    refused(&run(&[&"replay", &bare]), 2, "not the head of a Watchkeeper recording");
    assert_eq!(run(&[&"replay", &"--as", &"zeek-conn", &bare]).code, 0);
    refused(&run(&[&"replay", &"--as", &"capture", &bare]), 2, "neither pcap nor pcapng");
    refused(&run(&[&"replay", &folder.0.join("missing.pcap")]), 2, "cannot read");
}
