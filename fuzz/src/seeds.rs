//! What fuzzing starts from: real inputs, so that what is made of them gets past the first check.

use crate::{execs, suite};
use event::recording;
use std::path::{Path, PathBuf};

/// Longest section of a document that is a seed.
const SECTION_BYTES: usize = 6000;
/// Kinds of kernel records (`crates/sense/bpf/layout.h`), and lengths that hold the fixed part of each.
const RECORD_KINDS: u16 = 16;
const RECORD_BYTES: [usize; 3] = [160, 320, 1024];

/// Writes the target's seeds into `folder`.
pub fn write(target: &str, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder for seeds");
    for (number, bytes) in of(target).into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), bytes).expect("room for a seed");
    }
}

/// The rules of the conformance suite.
pub fn rules() -> Vec<String> {
    let files = suite::read(&root().join("tests/conformance"));
    files.into_iter().flat_map(|file| file.cases).map(|case| case.rules).collect()
}

fn of(target: &str) -> Vec<Vec<u8>> {
    let texts = |all: Vec<String>| all.into_iter().map(String::into_bytes).collect();
    match target {
        "document" => documents(),
        "rule" => texts(rules()),
        "falco" => texts(FALCO.map(str::to_owned).into()),
        "condition" => texts(conditions()),
        "event_line" => texts(event_lines()),
        "json_event" => texts((0..20).map(|number| execs::sample(number).json()).collect()),
        "link" => texts(vec![event_lines().join("\n"), requests()]),
        "record" => records(),
        "logs" => texts(LOGS.map(str::to_owned).into()),
        "audit" => texts(vec![
            AUDIT.to_owned(),
            AUDIT_GKE.to_owned(),
            format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{AUDIT}]}}"#),
            format!(r#"{{"records":[{{"category":"kube-audit","properties":{{"log":{AUDIT}}}}}]}}"#),
        ]),
        "message" => MESSAGES.iter().map(|bytes| bytes.to_vec()).collect(),
        "http2" => HTTP2.iter().map(|bytes| bytes.to_vec()).collect(),
        "protocol" => PROTOCOLS.iter().map(|bytes| bytes.to_vec()).collect(),
        "capture" | "traffic" => captures(),
        "zeek" => texts(ZEEK.map(str::to_owned).into()),
        "intel" => texts(INTEL.map(str::to_owned).into()),
        _ => Vec::new(),
    }
}

/// A first message of each kind. The Initial of QUIC has no tag that fits, which nobody finds by chance: what is behind it is
/// reached through `tls`.
const MESSAGES: [&[u8]; 7] = [
    b"\xc3\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x40\x20\x00\x00\x00\x02abcdefghijklmnopqrstuvwxyz",
    b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x0399999999999999999999999999999999\x00\xc0\x2f\x00",
    b"\x30\x2e\x30\x2c\x02\x01\x07\x30\x00\x30\x00\x30\x1e\x17\x0d240131000000Z\x17\x0d250131000000Z\x30\x00",
    b"SSH-2.0-x\r\n\x00\x00\x00\x20\x04\x14cookiecookiecook\x00\x00\x00\x03kex\x00\x00\x00\x03key",
    b"EHLO a\r\nMAIL FROM:<b@c.test>\r\nSTARTTLS\r\n\x16\x03\x01",
    b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x3c\x00\x03bot",
    b"\x08\x00\x00\x00\x00\x01\x00\x02abcdefghijklmnopqrstuvwabcdefghi",
];

/// Both sides of HTTP/2: settings, padding, priority, fields in Huffman's code, continuation, a body; answers.
const HTTP2: [&[u8]; 2] = [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x00\x1a\x01\x2d\x00\x00\x00\x01\x03\x00\x00\x00\x00\x10\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00\x03\x83\xbe\x00\x00\x0a\x09\x04\x00\x00\x00\x03\x40\x03key\x04text\x00\x00\x03\x00\x01\x00\x00\x00\x03abc",
    b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x01\x05\x00\x00\x00\x01\x88\x3f\xe1\x01\x5f\x02a/\x00\x00\x02\x05\x04\x00\x00\x00\x01\x00\x00",
];

/// A pcap and a pcapng, each with a datagram and a segment in Ethernet.
fn captures() -> Vec<Vec<u8>> {
    let ethernet = |packet: &[u8]| [&[0; 12][..], &[8, 0], packet].concat();
    let udp = [
        &[0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
        &[0x30, 0x39, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4],
    ]
    .concat();
    let tcp = [
        &[0x45, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
        &[0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0, 0, 0, 0, 0, 0],
        b"GET ",
    ]
    .concat();
    let frames = [ethernet(&udp), ethernet(&tcp)];
    let word = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
    let mut pcap = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1].map(u32::to_le_bytes).concat();
    let block = |kind: usize, body: &[u8]| {
        let body = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
        [&word(kind)[..], &word(body.len() + 12), &body, &word(body.len() + 12)].concat()
    };
    let section = [&word(0x1a2b_3c4d)[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let mut pcapng = [block(0x0a0d_0d0a, &section), block(1, &[1, 0, 0, 0, 0, 0, 0, 0])].concat();
    for frame in &frames {
        let lengths = [word(frame.len()), word(frame.len())].concat();
        pcap.extend([&word(1)[..], &word(2), &lengths, frame].concat());
        pcapng.extend(block(6, &[&word(0)[..], &word(3), &word(4), &lengths, frame].concat()));
    }
    vec![pcap, pcapng]
}

/// Falco files with a bit of everything.
const FALCO: [&str; 3] = [
    "- list: shells\n  items: [sh, bash]\n- macro: spawned\n  condition: (evt.type in (execve, execveat))\n- rule: shell\n  desc: d\n  condition: >\n    spawned and proc.name in (shells) and not proc.pname exists\n  output: o\n  priority: WARNING\n  tags: [T1059]\n",
    "- rule: r\n  desc: d\n  condition: fd.sip in (10.0.0.0/8) or tolower(proc.cmdline) contains \"a b\" or proc.aname[2] startswith x\n  output: o\n  priority: INFO\n  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      comps: [=, pmatch]\n      values: [[sh, (/etc, /usr)]]\n",
    "- rule: r\n  append: true\n  condition: and fd.name glob /etc/*\n- rule: r\n  override: {condition: append}\n  condition: or val(proc.name) = val(proc.pname)\n",
];

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A whole document, and from the shipped ones each section that has blocks, behind its front matter: short, so that many
/// inputs can be tried.
fn documents() -> Vec<Vec<u8>> {
    let whole = root().join("crates/strategy/tests/documents/complete.md");
    let mut found = vec![std::fs::read(whole).expect("the repository")];
    let mut open = vec![root().join("strategies")];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).expect("the repository");
        for path in entries.map(|entry| entry.expect("the repository").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.extend(sections(&std::fs::read_to_string(&path).expect("a document")));
            }
        }
    }
    found
}

/// Sections with blocks, each behind the front matter, of at most [`SECTION_BYTES`].
fn sections(document: &str) -> Vec<Vec<u8>> {
    let mut parts = document.split("\n## ");
    let front = parts.next().unwrap_or_default();
    let wanted = parts.filter(|part| part.contains("```") && part.len() <= SECTION_BYTES);
    wanted.map(|part| format!("{front}\n## {part}").into_bytes()).collect()
}

/// The conditions of the suite's rules.
fn conditions() -> Vec<String> {
    let of = |rule: String| {
        let lines =
            rule.lines().filter_map(|line| line.trim().strip_prefix("condition: ").map(str::to_owned));
        lines.collect::<Vec<_>>()
    };
    let mut found: Vec<String> = rules().into_iter().flat_map(of).collect();
    found.sort();
    found.dedup();
    found
}

fn event_lines() -> Vec<String> {
    let line = |number| recording::to_line(&execs::sample(number).event()).expect("an event can be written");
    let head = recording::Head::new("0.1.0", "host", "6.1.0");
    let mut lines = vec![serde_json::to_string(&head).expect("a head can be written")];
    lines.extend((0..20).map(line));
    lines
}

fn requests() -> String {
    use crate::request::FromEngine;
    let all = [
        FromEngine::Ready { strategies: 3, sandbox_missing: vec!["landlock".to_owned()] },
        FromEngine::Say("a line".to_owned()),
        FromEngine::Done { raised: 1, events: 2, lost: 3 },
    ];
    let lines = all.iter().map(|one| serde_json::to_string(one).expect("a request can be written") + "\n");
    lines.collect()
}

/// Records of zeros of every kind.
fn records() -> Vec<Vec<u8>> {
    let record = |kind: u16, length: usize| {
        let mut bytes = vec![0; length];
        if let (Some(at), Ok(stated)) = (bytes.get_mut(..8), u32::try_from(length)) {
            at[..2].copy_from_slice(&kind.to_ne_bytes());
            at[4..].copy_from_slice(&stated.to_ne_bytes());
        }
        bytes
    };
    let kinds = (0..=RECORD_KINDS).flat_map(|kind| RECORD_BYTES.map(|length| (kind, length)));
    kinds.map(|(kind, length)| record(kind, length)).collect()
}

const AUDIT_GKE: &str = r#"{"timestamp":"2026-01-01T00:00:00Z","protoPayload":{"authenticationInfo":{"principalEmail":"u"},"requestMetadata":{"callerIp":"10.0.0.1"},"authorizationInfo":[{"granted":true,"permission":"io.k8s.rbac.v1.clusterroles.create"}],"methodName":"io.k8s.rbac.v1.clusterroles.create","resourceName":"rbac.authorization.k8s.io/v1/clusterroles/r","request":{"rules":[{"verbs":["*"],"resources":["nodes/*"]}]},"status":{"code":7}}}"#;
const LOGS: [&str; 12] = [
    "Feb 12 14:10:21 web sshd[16378]: Failed password for invalid user x from 192.0.2.1 port 53502 ssh2\n",
    "<34>1 2003-10-11T22:14:15.003Z web sudo 195 ID47 [a@1 b=\"c]\\\"d\"] eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
    "2020-03-24 06:07:15.245255-0700  web kernel: [1.2] DROP IN=eth0 OUT= SRC=192.0.2.1 DST=10.0.0.1 PROTO=TCP SPT=1 DPT=22 WINDOW=1",
    "Dec 21 16:42:19 web useradd[1337]: new user: name=eve, UID=0, GID=0, home=/root\nDec 21 16:42:19 web CRON[1]: (root) CMD (x)",
    "type=SYSCALL msg=audit(1604994496.155:1): arch=c000003e syscall=59 success=yes pid=2 comm=\"rm\" exe=\"/usr/bin/rm\"\ntype=EXECVE msg=audit(1604994496.155:1): argc=2 a0=\"rm\" a1=2F746D70\ntype=PROCTITLE msg=audit(1604994496.155:1): proctitle=726D",
    "node=web type=USER_AUTH msg=audit(1450770603.209:1): pid=1 auid=1000 msg='op=PAM acct=\"eve\" exe=\"/usr/bin/su\" hostname=? addr=? terminal=pts/0 res=failed'",
    r#"{"__REALTIME_TIMESTAMP":"1650000000000000","SYSLOG_IDENTIFIER":"sshd","_UID":"0","MESSAGE":"Accepted publickey for eve from 192.0.2.1 port 1 ssh2"}"#,
    r#"{"log":"Access denied for user 'root'@'192.0.2.1' (using password: YES)\n","stream":"stderr","time":"2021-08-24T09:52:13.20764059Z"}"#,
    r#"www.test 192.0.2.9 - eve [10/Dec/2021:14:41:40 +0100] "GET /?a=\"\x16 HTTP/1.1" 401 1 "-" "curl""#,
    "2014/12/30 06:07:37 [error] 80#2: *1 user \"eve\": password mismatch, client: 192.0.2.1, server: a, request: \"GET / HTTP/1.1\"",
    "[Thu Sep 30 13:27:06.009964 2021] [:error] [pid 2560:tid 1] [client ::1:37752] ModSecurity: Access denied with code 403 (phase 2).",
    "2022/03/01 12:57:58 auth.go:200:SignInPost() [I] Failed authentication attempt for x from [::1]:39522: user does not exist",
];

const AUDIT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/default/pods/p/exec?command=sh","verb":"create","user":{"username":"u","groups":["g"]},"sourceIPs":["10.0.0.1"],"userAgent":"kubectl","objectRef":{"resource":"pods","namespace":"default","name":"p","apiVersion":"v1","subresource":"exec"},"responseStatus":{"code":101},"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"2026-01-01T00:00:00.000000Z"}"#;

const PROTOCOLS: [&[u8]; 6] = [
    b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04",
    b"\x45\x00\x00\x2e\x00\x00\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\xc0\x00\x11\x5c\x00\x00\x00\x01\x00\x00\x00\x02\x50\x18\x00\x00\x00\x00\x00\x00id\n\r\n\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"root@web:/# cat /etc/passwd | sh; ls -la && uname -a\r\nuid=0(root) gid=0(root)\n/ # ",
];

/// A list of each form.
const INTEL: [&str; 5] = [
    "# list\n198.51.100.7:443\nevil.example # why\n0.0.0.0 a.example b.example\nhxxp://e[.]example/x?y\nevil/miner:latest\n",
    "first_seen,dst_ip,\"url\"\n2026-01-01,203.0.113.9,\"http://a.example/b,c\"\n",
    "2001:db8::/32\n203.0.113.0/24\nsha256:abababababababababababababababababababababababababababababababab\n",
    r#"{"type":"bundle","objects":[{"type":"indicator","pattern":"[domain-name:value = 'a.example' OR file:hashes.'SHA-256' IN ('ab', 'cd')]"}]}"#,
    r#"{"Event":{"Attribute":[{"type":"ip-dst|port","value":"203.0.113.9|80","to_ids":true}],"Object":[{"Attribute":[{"type":"sha256","value":"x"}]}]}}"#,
];

/// A log of each form.
const ZEEK: [&str; 3] = [
    "#separator \\x09\n#set_separator\t,\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n1000.5\tC1\t172.17.0.2\t40000\t198.51.100.9\t4444\ttcp\tssl\t2.25\t517\t1400\tSF\n",
    r#"{"_path":"dns","ts":"1970-01-01T00:16:40.25Z","uid":"C3","id.orig_h":"172.17.0.2","id.orig_p":5000,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","trans_id":7,"rtt":0.1,"query":"a.test","qtype_name":"A","rcode":0,"answers":["198.51.100.9"]}"#,
    r#"{"ts":1000.75,"uid":"C1","id.orig_h":"172.17.0.2","id.orig_p":40000,"id.resp_h":"198.51.100.9","id.resp_p":80,"method":"GET","host":"a.test","uri":"/a?b","status_code":200}"#,
];
