//! What a rule's words mean, as tables of conditions and events.

use super::*;
use compact_str::CompactString;
use event::container::Container;
use event::fact::{Fact, FactName};
use event::network::{Connection, ConnectionOp, Endpoints};
use event::process::{Actor, Ancestor, Argv, Exec, Process};
use event::{BootTime, Kind, Sensor, Text};
use std::sync::Arc;

/// The exec of `line` by an executable at `path`.
fn exec(path: &str, line: &str) -> Event {
    let argv = Argv { args: line.split(' ').map(CompactString::from).collect(), ..Argv::default() };
    let exec = Exec { path: Text::resolved(path), argv, not_in_image: true, ..Exec::default() };
    let mut event = Event::new(Sensor::Kernel, BootTime(1), Kind::Exec(Arc::new(exec)));
    event.actor = Some(Actor { pid: 42, uid: 0, ..Actor::default() });
    event.context.container = Some(Arc::new(Container {
        image: "alpine:3".into(),
        inspected: true,
        capabilities_added: vec!["SYS_ADMIN".into(), "NET_RAW".into()],
        ..Container::default()
    }));
    event.facts.add(Fact::number(FactName::IntendedPort, 4444));
    event
}

fn compiled(detection: &str) -> Result<Node<Field>, String> {
    let text = format!(
        "title: t\nlogsource:\n  category: process_creation\n  product: linux\ndetection:\n{}",
        detection.lines().map(|line| format!("  {line}\n")).collect::<String>()
    );
    let (items, problems) = strategy::sigma::read_str(&text);
    match items.first() {
        Some(strategy::sigma::Item::Rule(rule)) => super::compile(rule, &[], &Placeholders::new())
            .map(|mut judging| judging.runs.remove(0).1)
            .map_err(|fault| fault.to_string()),
        _ => Err(format!("{problems:?}")),
    }
}

/// Whether a rule with the one search `search` holds for `event`.
fn holds(search: &str, event: &Event) -> bool {
    let detection = format!("s:\n  {}\ncondition: s", search.replace('\n', "\n  "));
    compiled(&detection).unwrap_or_else(|fault| panic!("{search}: {fault}")).holds(event)
}

#[test]
fn values_meet_as_documented() {
    let event = exec("/usr/bin/Telnet", "telnet c2.example.com\n4444 -x");
    for (search, expect) in [
        ("Image: /usr/bin/telnet", true),
        ("Image|cased: /usr/bin/telnet", false),
        ("Image|cased: /usr/bin/Telnet", true),
        ("Image|endswith: /TELNET", true),
        ("Image|startswith: /usr/", true),
        ("Image|contains: bin/t", true),
        ("Image|contains: bin/q", false),
        ("Image: '*/b?n/tel*t'", true),
        ("Image: '*/b?n/tel*x'", false),
        ("Image: ''", false),
        ("CommandLine: '*c2*4444*'", true),
        ("CommandLine|contains|all: [c2, example, '4444']", true),
        ("CommandLine|contains|all: [c2, nothing]", false),
        ("CommandLine|windash|contains: ' /x'", true),
        ("CommandLine|re: 'c2\\.[a-z]+'", true),
        ("CommandLine|re|i: 'TELNET'", true),
        ("CommandLine|re: 'TELNET'", false),
        ("ProcessId: 42", true),
        ("ProcessId: '42'", true),
        ("ProcessId|gte: 42", true),
        ("ProcessId|lt: 42", false),
        ("ProcessId|neq: 42", false),
        ("User: 0", true),
        ("User|gt: -1", true),
        ("process.not_in_image: true", true),
        ("process.not_in_image: 'True'", true),
        ("process.not_in_image: false", false),
        ("container.capabilities_added: net_raw", true),
        ("container.capabilities_added|all: [net_raw, sys_admin]", true),
        ("container.capabilities_added: net_admin", false),
        ("ParentImage: null", true),
        ("Image: null", false),
        ("ParentImage: ''", true),
        ("ParentImage|exists: false", true),
        ("Image|exists: true", true),
        ("container.id|exists: false", true),
        ("container.id|exists: true", false),
        ("ParentImage|neq: x", true),
        ("fact.intended_port: 4444", true),
        ("fact.intended_port: [23, 4444]", true),
        ("DestinationIp|cidr: 10.0.0.0/8", false),
        ("Image|fieldref|endswith: process.name", true),
        ("Image|fieldref: CommandLine", false),
        ("- Image: x\n- CommandLine|contains: telnet", true),
        ("- example.com\n- nothing", true),
        ("- nothing\n- less", false),
    ] {
        assert_eq!(holds(search, &event), expect, "{search}");
    }
}

#[test]
fn letters_match_in_any_case_beyond_ascii() {
    for (search, path, expect) in [
        ("Image: /TMP/ÄÖÜ", "/tmp/äöü", true),
        ("Image|contains: ΣΑΣ", "/tmp/σας", true),
        ("Image|contains: kelvin", "/tmp/\u{212a}elvin", true),
        ("Image|endswith: STRASSE", "/tmp/straße", false),
        ("Image|contains: i", "/tmp/ı", false),
        ("Image: '*/Ж?з*'", "/tmp/жÄЗ!", true),
        ("Image|cased|contains: Ä", "/tmp/ä", false),
    ] {
        assert_eq!(holds(search, &exec(path, "x")), expect, "{search} against {path}");
    }
}

#[test]
fn addresses_lie_in_blocks() {
    let mut event = exec("/x", "x");
    for (ip, search, expect) in [
        ("10.1.2.3", "10.0.0.0/8", true),
        ("11.1.2.3", "10.0.0.0/8", false),
        ("::ffff:10.1.2.3", "10.0.0.0/8", true),
        ("10.1.2.3", "0.0.0.0/0", true),
        ("10.1.2.3", "10.1.2.3/32", true),
        ("2001:db8::1", "2001:db8::/32", true),
        ("2001:db9::1", "2001:db8::/32", false),
        ("10.1.2.3", "::/0", false),
    ] {
        let ends = Endpoints { remote_ip: ip.parse().unwrap(), ..Endpoints::default() };
        event.kind = Kind::Connection(Box::new(Connection {
            op: ConnectionOp::Connect,
            ends,
            ..Connection::default()
        }));
        assert_eq!(holds(&format!("DestinationIp|cidr: {search}"), &event), expect, "{ip} in {search}");
    }
}

#[test]
fn conditions_join_searches() {
    let event = exec("/bin/sh", "sh -i");
    let searches = "yes1:\n  Image: /bin/sh\nyes2:\n  CommandLine|contains: -i\nno1:\n  Image: /bin/cat\n_hidden:\n  Image: /none\n";
    for (condition, expect) in [
        ("yes1 and yes2", true),
        ("yes1 and no1", false),
        ("yes1 or no1", true),
        ("no1 or yes1 and not no1", true),
        ("not (yes1 or no1)", false),
        ("1 of yes*", true),
        ("all of yes*", true),
        ("all of *1", false),
        ("1 of them", true),
        ("all of them", false),
    ] {
        let node = compiled(&format!("{searches}condition: {condition}")).unwrap();
        assert_eq!(node.holds(&event), expect, "{condition}");
    }
}

#[test]
fn what_cannot_run_is_named() {
    for (detection, part) in [
        ("s:\n  NoSuchField: x\ncondition: s", "field `NoSuchField`"),
        ("s:\n  Image|fieldref: Nothing\ncondition: s", "field `Nothing`"),
        ("s:\n  Image|expand: '%admins%'\ncondition: s", "`%admins%`"),
    ] {
        let fault = compiled(detection).unwrap_err();
        assert!(fault.contains(part), "{fault}");
    }
    let (items, _) = strategy::sigma::read_str(
        "title: t\nlogsource: {product: windows, category: process_creation}\ndetection: {s: {Image: x}, condition: s}",
    );
    let Some(strategy::sigma::Item::Rule(rule)) = items.first() else { panic!("a rule") };
    assert_eq!(
        super::compile(rule, &[], &Placeholders::new()).unwrap_err().to_string(),
        "log source product `windows`, category `process_creation` has no events: no sensor gives them"
    );
}

#[test]
fn an_indexed_rule_holds_for_the_same_events() {
    let rules = [
        "Image: [/bin/SH, /bin/cat]",
        "process.name: sh",
        "event.operation: exec",
        "CommandLine|contains: i",
        "Image|re: '^/usr/bin/[a-z]h$'",
        "CommandLine|contains|all: [' -I', sh]",
        "CommandLine: '*h ?I*'",
        "- sh\n  - nothing",
        "Image: ['*/cat', '/none']",
    ];
    let nodes = rules.map(|search| {
        let detection = format!("s:\n  {search}\ncondition: s");
        (Class::ProcessCreation, compiled(&detection).unwrap())
    });
    let program = Program::new(nodes.into());
    for (path, line, expect) in [
        ("/bin/sh", "sh -i", vec![0, 1, 2, 3, 5, 6, 7]),
        ("/bin/Cat", "x", vec![0, 2, 8]),
        ("/usr/bin/sh", "x", vec![1, 2, 4, 7]),
        ("/none", "", vec![2, 8]),
    ] {
        let mut found = SmallVec::new();
        program.judge(&exec(path, line), &mut ClassMarks::default(), &mut found);
        assert_eq!(found.as_slice(), expect, "{path}");
    }
}

/// The same, enriched: by a child of `parent`.
fn enriched([path, line, parent, parent_line]: [&str; 4]) -> Event {
    let of = |path: &str, line: &str| {
        let command_line = line.into();
        Arc::new(Ancestor { path: Text::resolved(path), command_line, ..Ancestor::default() })
    };
    let mut event = exec(path, line);
    let (own, ancestors) = (of(path, line), vec![of(parent, parent_line)]);
    event.context.process = Some(Arc::new(Process { own, ancestors, ..Process::default() }));
    event
}

#[test]
fn what_is_remembered_of_values_changes_no_verdict() {
    let rules = [
        "Image|endswith: [/sh, /cat]",
        "Image|endswith: /sh\n  CommandLine|contains: [-i, etc]",
        "ParentImage|endswith: /bash\n  CommandLine|contains|all: [cat, ' /']",
        "ParentCommandLine: 'bash -i'",
        "ParentCommandLine|endswith: 'h -i'\n  Image|contains: BIN",
        "CommandLine|contains|cased: Etc",
        "CommandLine|re: '-(W|R)\\s'",
        "CommandLine|re: '^CAT\\s'",
        "CommandLine|fieldref: ParentCommandLine",
        "CommandLine|contains: ÑANDÚ",
        "CommandLine|contains: xy",
        "CommandLine|endswith: ' 7'",
        "CommandLine: '*?at*e?c*'",
        "Image|startswith: /BIN\n  User: 0",
        "- ñandú\n  - bash",
    ];
    let nodes: Vec<(Class, Node<Field>)> = rules
        .iter()
        .map(|search| {
            let detection =
                format!("s:\n  {search}\nf:\n  CommandLine|contains: never\ncondition: s and not f");
            (Class::ProcessCreation, compiled(&detection).unwrap())
        })
        .collect();
    let events: Vec<Event> = ["/bin/sh", "/usr/bin/CAT", "/BIN/ñandú", ""]
        .iter()
        .flat_map(|path| {
            let lines = ["cat /etc/x", "CAT Etc -w 7", "sh -i", "el ÑAndú xY", "bash -i", "never sh -i", ""];
            lines.map(|line| [*path, line])
        })
        .flat_map(|[path, line]| {
            [["/bin/bash", "bash -i"], ["/BIN/Bash", "BASH -I"], ["/usr/ñ", "sh -R ñ"], ["", ""]]
                .map(|[parent, parent_line]| enriched([path, line, parent, parent_line]))
        })
        .collect();
    let expect: Vec<Vec<RuleIndex>> = events
        .iter()
        .map(|event| {
            (0..).zip(&nodes).filter(|(_, (_, node))| node.holds(event)).map(|(rule, _)| rule).collect()
        })
        .collect();
    let program = Program::new(nodes);
    let mut marks = ClassMarks::default();
    for _ in 0..4 {
        for (event, expect) in events.iter().zip(&expect) {
            let mut found = SmallVec::new();
            program.judge(event, &mut marks, &mut found);
            assert_eq!(found.to_vec(), *expect, "{:?}", event.context.process);
        }
    }
    assert!(expect.iter().flatten().count() > 100);
}

#[test]
fn a_lone_text_is_what_the_catalogue_gives() {
    for event in [
        enriched(["/bin/sh", "sh -i", "/bin/bash", "bash"]),
        enriched(["", "", "", ""]),
        exec("/bin/sh", "sh"),
    ] {
        for field in Field::ALL {
            let expect = match field.of(&event) {
                Value::Absent => Alone::Nothing,
                Value::Str(text) => Alone::Text(text),
                _ => Alone::Other,
            };
            assert_eq!(event.alone(*field), expect, "{}", field.name());
        }
    }
}

#[test]
fn what_the_class_of_events_says_is_answered_before_any_event() {
    let event = exec("/bin/chmod", "chmod +s x");
    for (condition, is_left) in [
        ("e", true),
        ("p", false),
        ("not p", true),
        ("not e", false),
        ("e and c", true),
        ("p and c", false),
        ("p or c", true),
        ("e or n", true),
        ("n and not p", true),
        ("not (e and n)", true),
        ("1 of *", true),
    ] {
        let detection = format!(
            "e:\n  audit.type: [EXECVE, BPF]\np:\n  audit.type: SERVICE_STOP\nc:\n  process.arg0: chmod\n\
             n:\n  process.arg0: nothing\ncondition: {condition}"
        );
        let expect = compiled(&detection).unwrap().holds(&event);
        let node = typed::settled(compiled(&detection).unwrap(), Class::ProcessCreation);
        assert_eq!(node.is_some(), is_left, "{condition}");
        assert_eq!(node.is_some_and(|node| node.holds(&event)), expect, "{condition}");
    }
    let node = compiled("s:\n  audit.type: EXECVE\n  process.arg0: chmod\ncondition: s").unwrap();
    let node = typed::settled(node, Class::ProcessCreation);
    assert!(matches!(node, Some(Node::Ask(Field::ProcessArg0, _))), "{node:?}");
}

#[test]
fn globs_take_no_longer_than_their_text() {
    let node = compiled(&format!("s:\n  CommandLine: '{}b'\ncondition: s", "*a".repeat(40))).unwrap();
    // Exponential matching would not come back.
    assert!(!node.holds(&exec("/x", &"a".repeat(4096))));
}
