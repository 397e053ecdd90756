//! Falco's rules run: the meaning of its operators, over JSON in its own form and over typed events.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod over_json;

use detect::plain::{EventRules, EventScratch};
use detect::{Fault, Placeholders};
use event::file::{File, FileOp};
use event::network::{Connection, ConnectionOp, Endpoints};
use event::process::{Actor, Exec};
use event::{BootTime, Event, Kind, Sensor};
use over_json::judged;
use std::sync::Arc;
use strategy::falco::{Input, Rule, load};

fn rule(condition: &str) -> Rule {
    let text = serde_json::json!([
        {"rule": "r", "desc": "d", "output": "o", "priority": "INFO", "condition": condition}
    ]);
    let set = load(&[Input { name: "r", text: &text.to_string() }]);
    assert_eq!(set.errors, [], "{condition}");
    set.rules.into_iter().next().unwrap()
}

/// Whether `condition` holds for fields in Falco's form.
#[track_caller]
fn json(condition: &str, fields: serde_json::Value, expect: bool) {
    let found = judged(&[rule(condition)], &[serde_json::json!({ "output_fields": fields })]);
    assert_eq!(!found[0].is_empty(), expect, "{condition}");
}

#[test]
fn operators_mean_what_they_mean_in_falco() {
    let event = || {
        serde_json::json!({
            "evt.type": "open", "proc.name": "myexe", "fd.name": "/tmp/file_to_run", "fd.directory": "/tmp",
            "fd.num": 3, "proc.pid": "10", "fd.sip": "10.1.2.3", "fd.cip": "::1", "evt.arg.data": "YWFh",
            "proc.aname[2]": "sshd", "user.name": null,
        })
    };
    for (condition, expect) in [
        ("proc.name=myexe", true),
        ("proc.name=MyExe", false),
        ("proc.name contains Exe", false),
        ("proc.name icontains YEX", true),
        ("proc.name startswith my and proc.name endswith exe", true),
        ("proc.name glob m?e*", true),
        ("proc.name glob M?e*", false),
        ("proc.name iglob M[xy]E*", true),
        ("fd.name glob /tmp*", true),
        ("proc.name regex exe", false),
        ("proc.name regex my.*", true),
        ("proc.name in (a, myexe)", true),
        ("proc.name in ()", false),
        ("fd.name pmatch (/tmp, /etc)", true),
        ("fd.name pmatch (/tm, /tmp/file)", false),
        ("fd.name pmatch (/t*)", true),
        ("fd.num < 4 and fd.num >= 0x3", true),
        ("proc.pid = 10 and fd.num = 3", true),
        ("fd.num > 3", false),
        ("fd.sip=10.1.2.3 and fd.snet exists", false),
        ("fd.sip in (10.0.0.0, \"10.1.2.3\")", true),
        ("fd.cip=0:0::1", true),
        ("proc.name bcontains 6578", true),
        ("proc.name bstartswith 6578", false),
        ("proc.name endswith oneof (exe, sh)", true),
        ("proc.name endswith oneof (exe, yexe)", false),
        ("proc.name endswith allof (exe, yexe)", true),
        ("proc.name != anyof (myexe, x)", true),
        ("proc.name != allof (myexe, x)", false),
        ("proc.name contains anyof ()", false),
        ("proc.aname[2]=sshd", true),
        ("toupper(proc.name) = MYEXE", true),
        ("basename(fd.name) = file_to_run", true),
        ("len(proc.name) = 5 and len(fd.name) > 4", true),
        ("b64(evt.arg.data) = aaa", true),
        ("join(\"-\", (fd.name, fd.directory, 1)) = /tmp/file_to_run-/tmp-1", true),
        ("concat(toupper(fd.directory), \"x\") = /TMPx", true),
        ("getopt((\"-n\", \"-t\", \"x\"), \"nt:\") intersects (x)", true),
        ("fd.name startswith val(fd.directory)", true),
        ("proc.name = val(fd.name)", false),
    ] {
        json(condition, event(), expect);
    }
}

#[test]
fn a_missing_field_fits_no_comparison_and_only_not_turns_that_round() {
    let event = || serde_json::json!({"proc.name": "cat", "user.name": null});
    for field in ["fd.name", "user.name"] {
        for check in ["= x", "!= x", "exists", "in (x)", "!= allof (x)", "contains x"] {
            json(&format!("{field} {check}"), event(), false);
            json(&format!("not {field} {check}"), event(), true);
        }
    }
    json("toupper(fd.name) != X", event(), false);
    json("fd.name != val(proc.name)", event(), false);
    json("not fd.name != val(proc.name)", event(), true);
    json("evt.num >= 0 and not evt.num = 0 and evt.dir = <", event(), true);
}

#[test]
fn of_a_list_all_must_be_in_a_set_and_one_must_intersect_it() {
    let of_audit = |condition: &str| rule(&condition.replace("ka.", "json."));
    let event = serde_json::json!({"output_fields": {"json.req.image": ["a", "b"]}});
    let holds = |condition| !judged(&[of_audit(condition)], std::slice::from_ref(&event))[0].is_empty();
    assert!(holds("ka.req.image in (a, b, c)"));
    assert!(!holds("ka.req.image in (a, c)"));
    assert!(holds("ka.req.image intersects (a, c)"));
    assert!(!holds("ka.req.image intersects (c)"));
}

fn typed(condition: &str, event: &Event) -> Result<bool, Vec<Fault>> {
    let (rules, rejected) = EventRules::with_falco(&[], &[rule(condition)], &Placeholders::new());
    if rules.is_empty() {
        return Err(rejected.into_iter().map(|one| one.fault).collect());
    }
    let mut scratch = EventScratch::default();
    let holds = rules.judge(event, &mut scratch).next().is_some();
    Ok(holds)
}

fn acted(kind: Kind) -> Event {
    let mut event = Event::new(Sensor::default(), BootTime(1), kind);
    event.actor = Some(Actor {
        pid: 7,
        comm: "sh".into(),
        tty: 34816,
        caps: 1 << 21,
        login_uid: u32::MAX,
        ..Actor::default()
    });
    event
}

#[test]
fn over_typed_events_the_class_takes_the_place_of_the_event_type() {
    let exec = acted(Kind::Exec(Arc::new(Exec { path: "/bin/busybox".into(), ..Exec::default() })));
    let file = acted(Kind::File(Box::new(File {
        op: FileOp::OpenWrite,
        path: "/etc/cron.d/x".into(),
        flags: 0o1001,
        ..File::default()
    })));
    let ends = Endpoints { remote_ip: "10.0.0.9".parse().unwrap(), remote_port: 443, ..Endpoints::default() };
    let connection = Connection { op: ConnectionOp::Connected, ends, result: -115, ..Connection::default() };
    let connection = acted(Kind::Connection(Box::new(connection)));
    for (condition, event, expect) in [
        ("evt.type in (execve, execveat) and evt.dir=< and proc.name=sh", &exec, true),
        ("evt.type=execve and proc.exepath=/bin/busybox and proc.tty != 0", &exec, true),
        ("evt.type=execve and container.id != host", &exec, false),
        ("evt.type=execve and not container.id != host and user.name = root", &exec, true),
        ("evt.type=execve and user.loginuid = -1", &exec, true),
        ("evt.type=execve and thread.cap_effective contains CAP_SYS_ADMIN", &exec, true),
        ("evt.type=execve and thread.cap_effective contains CAP_BPF", &exec, false),
        ("evt.type in (open, openat) and evt.is_open_write=true and fd.typechar='f'", &file, true),
        ("evt.type in (open, openat) and evt.is_open_read=true", &file, false),
        ("evt.type = openat and evt.arg.flags contains O_TRUNC and fd.directory = /etc/cron.d", &file, true),
        ("evt.type = openat and fd.name pmatch (/etc)", &file, true),
        ("evt.type = unlink and fd.name = /etc/cron.d/x", &file, false),
        ("evt.type=connect and fd.typechar=4 and fd.ip=10.0.0.9 and fd.sport=443", &connection, true),
        (
            "evt.type=connect and (evt.rawres >= 0 or evt.res = EINPROGRESS) and fd.net in (10.0.0.0/8)",
            &connection,
            true,
        ),
        ("evt.type=connect and fd.lip=10.0.0.9", &connection, false),
        ("(evt.type=execve and proc.name=sh) or (evt.type=connect and fd.rport=443)", &connection, true),
    ] {
        match typed(condition, event) {
            Ok(found) => assert_eq!(found, expect, "{condition}"),
            // A condition that can hold for nothing is told, and does not hold.
            Err(faults) => assert!(!expect, "{condition}: {faults:?}"),
        }
    }
}

#[test]
fn what_has_no_counterpart_is_named_and_what_cannot_hold_needs_none() {
    let faults = |condition: &str| -> Vec<String> {
        let (_, rejected) = EventRules::with_falco(&[], &[rule(condition)], &Placeholders::new());
        rejected.into_iter().map(|one| one.fault.to_string()).collect()
    };
    assert_eq!(faults("evt.type=execve and proc.vpid=1"), ["needs `proc.vpid`, which no sensor gives"]);
    assert_eq!(faults("evt.type=execve and proc.vpid=1 and evt.num=0"), ["can hold for no event"]);
    assert_eq!(
        faults("evt.type in (execve, madvise)"),
        ["needs `evt.type = madvise`, which no sensor gives"]
    );
    assert_eq!(
        faults("evt.type=execve and (proc.name=a or evt.num<=0 and proc.vpid=1)"),
        Vec::<String>::new()
    );
}
