//! Falco rules from outside: `match` and `strategy import`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, harmless, refused, run};

const RULES: &str = r#"- required_engine_version: 0.57.0
- list: shells
  items: [bash, sh]
- macro: spawned
  condition: (evt.type in (execve, execveat))
- rule: Shell started
  desc: A shell was started.
  condition: spawned and proc.aname in (shells) and container.id != host
  output: A shell was started (user=%user.uid exe=%proc.exepath tty=%proc.tty)
  priority: WARNING
  tags: [container, mitre_execution, T1059]
- rule: Long line
  desc: A long command line.
  condition: spawned and len(proc.cmdline) > 10
  output: A long line (%proc.cmdline)
  priority: NOTICE
- rule: Session leader
  desc: The leader of the session is a shell.
  condition: spawned and proc.sname in (shells)
  output: x
  priority: DEBUG
"#;

#[test]
fn match_judges_events_in_falcos_form() {
    let folder = Folder::new("falco-match");
    let rules = folder.file("falco.yaml", RULES);
    let changes = "- rule: Session leader\n  enabled: false\n- rule: \"Bro\\eken\"\n  desc: d\n";
    let local = folder.file("local.yaml", changes);
    let sigma = folder.file(
        "sigma.yml",
        "title: Root\nlogsource: {category: any}\ndetection:\n  s: {user: root}\n  condition: s\n",
    );
    let events = folder.file(
        "events.json",
        concat!(
            r#"{"output_fields":{"evt.type":"execve","proc.aname":["bash"],"container.id":"0123456789ab","proc.cmdline":"a b"}}"#,
            "\n",
            r#"{"output_fields":{"evt.type":"execve","proc.cmdline":"cat /etc/shadow"},"user":"root"}"#,
            "\n",
            r#"{"output_fields":{"evt.type":"open","proc.cmdline":"cat /etc/shadow"}}"#,
        ),
    );
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 10] =
        [&"match", &"--format", &"json", &"--rules", &rules, &"--rules", &local, &"--rules", &sigma, &events];
    let outcome = run(&arguments);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    let lines: Vec<serde_json::Value> =
        outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            (line["event"].as_u64().unwrap(), line["rule"].as_str().unwrap(), line["level"].as_str().unwrap())
        })
        .collect();
    assert_eq!(found, [(0, "Shell started", "Warning"), (1, "Root", "no level"), (1, "Long line", "Notice")]);
    assert!(outcome.err.contains("local.yaml:3: left out: rule `Bro"), "{}", outcome.err);
    assert!(outcome.err.contains("`condition` is missing"), "{}", outcome.err);
    harmless(&outcome.err);
}

#[test]
fn import_makes_documents_that_lint_can_finish() {
    let folder = Folder::new("falco-import");
    let rules = folder.file("falco.yaml", RULES);
    let drafts = folder.0.join("drafts");
    let outcome = run(&[&"strategy", &"import", &rules, &"--out", &drafts]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    for expect in [
        "3 rules: 1 imported, 1 without their condition, 1 cannot run",
        "needs proc.sname",
        "Sigma cannot say: ",
    ] {
        assert!(outcome.out.contains(expect), "{expect}:\n{}", outcome.out);
    }
    let document = std::fs::read_to_string(drafts.join("shell-started.md")).unwrap();
    for expect in [
        "slug: shell-started\n",
        "severity: medium\n",
        "{tactic: execution, technique: T1059}",
        "requires: [process]",
        "A shell was started (user={process.user_id} exe={Image} tty=<proc.tty>)",
        "process.ancestors|endswith|cased:",
        "container.id|exists: true",
        "category: process_creation",
    ] {
        assert!(document.contains(expect), "{expect}:\n{document}");
    }
    // The document is read, its rule runs, and what is open is named.
    let linted = run(&[&"strategy", &"lint", &drafts.join("shell-started.md")]);
    assert_eq!(linted.code, 1, "{}", linted.err);
    for section in ["Technical Context", "Response", "Validation", "False Positives"] {
        let expect = format!("the section `{section}` is a placeholder");
        assert!(linted.out.contains(&expect), "{expect}:\n{}", linted.out);
    }
    for code in ["WK02", "WK0301", "WK0303", "WK0305", "WK0102", "WK0316"] {
        assert!(!linted.out.contains(code), "{code}:\n{}", linted.out);
    }
    let listed = run(&[&"strategy", &"list", &drafts.join("shell-started.md")]);
    assert!(listed.out.contains("shell-started"), "{}{}", listed.out, listed.err);

    // Nothing is written over.
    std::fs::write(drafts.join("shell-started.md"), "mine").unwrap();
    let again = run(&[&"strategy", &"import", &rules, &"--out", &drafts]);
    assert!(again.out.contains("is there and was left alone"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(drafts.join("shell-started.md")).unwrap(), "mine");
}

#[test]
fn import_takes_sigma_and_says_what_it_did_not_write() {
    let folder = Folder::new("sigma-import");
    let rules = folder.file(
        "sigma.yml",
        "title: Netcat\nid: 00000000-0000-4000-8000-000000000001\nlevel: high\ntags: [attack.t1562.001]\ndescription: Netcat ran.\nfalsepositives: [Admins]\nlogsource: {category: process_creation, product: linux}\ndetection:\n  s: {Image|endswith: /nc}\n  condition: s\n---\ntitle: Registry\nlogsource: {category: registry_event, product: windows}\ndetection:\n  s: {a: b}\n  condition: s\n",
    );
    let outcome = run(&[&"strategy", &"import", &rules]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(
        outcome.out.contains("2 rules: 1 imported, 0 without their condition, 1 cannot run"),
        "{}",
        outcome.out
    );
    assert!(outcome.err.contains("nothing was written"), "{}", outcome.err);
    let drafts = folder.0.join("drafts");
    run(&[&"strategy", &"import", &rules, &"--out", &drafts]);
    let document = std::fs::read_to_string(drafts.join("netcat.md")).unwrap();
    assert!(document.contains("technique: T1685"), "the successor of T1562.001:\n{document}");
    assert!(document.contains("* Admins\n"), "{document}");
    let linted = run(&[&"strategy", &"lint", &drafts.join("netcat.md")]);
    assert!(!linted.out.contains("WK030"), "{}", linted.out);
    let none = folder.file("none.yml", "");
    refused(&run(&[&"strategy", &"import", &none]), 2, "no rule was read");
}
