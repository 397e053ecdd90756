//! `watchkeeper replay` over system logs: kinds are recognised, alerts raised, patterns of the configuration heard.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, refused, run};
use std::collections::BTreeSet;
use std::path::Path;

/// Titles of the rules that raise alerts.
fn alerts(file: &Path, more: &[&str]) -> BTreeSet<String> {
    let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"replay", &"--format", &"json", &file];
    more.iter().for_each(|word| arguments.push(word));
    let outcome = run(&arguments);
    assert!(outcome.code <= 1, "{}", outcome.err);
    let titles = outcome.out.lines().map(|line| {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        alert["finding_info"]["title"].as_str().unwrap().to_owned()
    });
    titles.collect()
}

fn repeated(line: &str, times: usize) -> String {
    (0..times).map(|number| format!("{}\n", line.replace("{n}", &format!("{number:02}")))).collect()
}

#[test]
fn guessing_is_found_in_every_form_of_log() {
    let folder = Folder::new("logs");
    for (name, line) in [
        ("auth.log", "Feb 12 14:10:{n} web sshd[1]: Failed password for eve from 192.0.2.9 port 4000 ssh2"),
        (
            "syslog5424",
            "<38>1 2026-02-12T14:10:{n}Z web sshd 1 - - Failed password for eve from 192.0.2.9 port 4000 ssh2",
        ),
        (
            "journal.json",
            r#"{"__REALTIME_TIMESTAMP":"17700000{n}000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","MESSAGE":"Failed password for eve from 192.0.2.9 port 4000 ssh2"}"#,
        ),
        (
            "audit.log",
            "type=USER_LOGIN msg=audit(17700000{n}.000:{n}): pid=1 uid=0 auid=1000 msg='op=login acct=\"eve\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.9 addr=192.0.2.9 terminal=ssh res=failed'",
        ),
        (
            "mysql.log",
            "2026-02-12T14:10:{n}.861934Z 344 [Note] Access denied for user 'eve'@'192.0.2.9' (using password: YES)",
        ),
        (
            "abc-json.log",
            r#"{"log":"2026-02-12T14:10:{n}Z 344 [Note] Access denied for user 'eve'@'192.0.2.9' (using password: YES)\n","stream":"stderr","time":"2026-02-12T14:10:{n}Z"}"#,
        ),
        ("access.log", r#"192.0.2.9 - eve [12/Feb/2026:14:10:{n} +0000] "GET / HTTP/1.1" 401 1 "-" "-""#),
    ] {
        let file = folder.file(name, repeated(line, 7));
        let found = alerts(&file, &[]);
        assert!(found.contains("Logins of one source fail again and again"), "{name}: {found:?}");
        let few = folder.file("few", repeated(line, 3));
        assert_eq!(alerts(&few, &[]), BTreeSet::new(), "{name}");
    }
}

#[test]
fn a_service_of_ones_own_is_added_by_the_configuration() {
    let folder = Folder::new("logs-own");
    let line = "Feb 12 14:10:{n} web shopd[1]: login of eve (192.0.2.9) refused";
    let file = folder.file("shop.log", repeated(line, 7));
    assert_eq!(alerts(&file, &[]), BTreeSet::new());
    let pattern = "[[logs.pattern]]\nprograms = [\"shopd\"]\nact = \"failure\"\nservice = \"shop\"\n\
        text = \"login of <user+> (<source>) refused\"\n";
    let config = folder.file("config.toml", pattern);
    let config = config.to_str().unwrap();
    assert!(!alerts(&file, &["--config", config]).is_empty());
    let wrong = folder.file("wrong.toml", pattern.replace("<source>", "<origin>"));
    let outcome = run(&[&"replay", &file, &"--config", &wrong]);
    refused(&outcome, 2, "no place is called `origin`");
}
