//! How well flows are named: the labels of nDPI's test captures against the verdicts of this crate.
//!
//! ```text
//! WATCHKEEPER_DATA=../shared/data cargo run --release -p watchkeeper-flow --example accuracy [-- --all | --list]
//! ```
//!
//! In: `pcap/ndpi/flows.tsv`, of which the rows that nDPI labelled by content (confidence DPI) count, and the captures
//! beside it. Out: recall over the rows whose label is a protocol that Watchkeeper names, precision over what
//! Watchkeeper named, how soon, each protocol's counts, and every disagreement.
//!
//! `--all` counts out-of-set labels in the precision too; `--list` prints only disagreements.
//!
//! The labels are another engine's regression outputs, not a person's.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the command line")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flow::{Flow, Limits, Table, Transport};
use sense::capture::{Capture, Layer3, layer3};
use wire::Protocol;

/// nDPI's name of a protocol, and those of Watchkeeper that say the same. Where nDPI names the variant inside TLS that
/// the port promises, both the carrier and the plain beginning before STARTTLS are right.
const NAMES: &[(&str, &[Protocol])] = &[
    ("HTTP", &[Protocol::Http, Protocol::Websocket]),
    ("HTTP_Proxy", &[Protocol::Http]),
    ("HTTP2", &[Protocol::Http2]),
    ("WebSocket", &[Protocol::Websocket]),
    ("TLS", &[Protocol::Tls]),
    ("IMAPS", &[Protocol::Tls, Protocol::Imap]),
    ("POPS", &[Protocol::Tls, Protocol::Pop3]),
    ("SMTPS", &[Protocol::Tls, Protocol::Smtp]),
    ("FTPS", &[Protocol::Tls, Protocol::Ftp]),
    ("DTLS", &[Protocol::Dtls]),
    ("QUIC", &[Protocol::Quic]),
    ("DNS", &[Protocol::Dns]),
    ("MDNS", &[Protocol::Mdns]),
    ("LLMNR", &[Protocol::Llmnr]),
    ("SSH", &[Protocol::Ssh]),
    ("Telnet", &[Protocol::Telnet]),
    ("FTP_CONTROL", &[Protocol::Ftp]),
    ("SMTP", &[Protocol::Smtp]),
    ("POP3", &[Protocol::Pop3]),
    ("IMAP", &[Protocol::Imap]),
    ("IRC", &[Protocol::Irc]),
    ("Jabber", &[Protocol::Xmpp]),
    ("MQTT", &[Protocol::Mqtt]),
    ("AMQP", &[Protocol::Amqp]),
    ("Nats", &[Protocol::Nats]),
    ("STOMP", &[Protocol::Stomp]),
    ("RESP", &[Protocol::Redis]),
    ("Redis", &[Protocol::Redis]),
    ("Memcached", &[Protocol::Memcached]),
    ("PostgreSQL", &[Protocol::Postgresql]),
    ("MySQL", &[Protocol::Mysql]),
    ("MongoDB", &[Protocol::Mongodb]),
    ("Cassandra", &[Protocol::Cassandra]),
    ("Kafka", &[Protocol::Kafka]),
    ("LDAP", &[Protocol::Ldap]),
    ("Kerberos", &[Protocol::Kerberos]),
    ("SMBv1", &[Protocol::Smb]),
    ("SMBv23", &[Protocol::Smb]),
    ("NFS", &[Protocol::Nfs]),
    ("RDP", &[Protocol::Rdp]),
    ("VNC", &[Protocol::Vnc]),
    ("SIP", &[Protocol::Sip]),
    ("RTP", &[Protocol::Rtp]),
    ("SRTP", &[Protocol::Rtp]),
    ("STUN", &[Protocol::Stun]),
    ("NTP", &[Protocol::Ntp]),
    ("SNMP", &[Protocol::Snmp]),
    ("DHCP", &[Protocol::Dhcp]),
    ("DHCPV6", &[Protocol::Dhcp]),
    ("Radius", &[Protocol::Radius]),
    ("Syslog", &[Protocol::Syslog]),
    ("TFTP", &[Protocol::Tftp]),
    ("SOCKS", &[Protocol::Socks]),
    ("OpenVPN", &[Protocol::Openvpn]),
    ("WireGuard", &[Protocol::Wireguard]),
    ("Tor", &[Protocol::Tor]),
    ("BitTorrent", &[Protocol::Bittorrent]),
    ("Mining", &[Protocol::Stratum]),
    ("ICMP", &[Protocol::Icmp]),
    ("ICMPV6", &[Protocol::Icmp]),
];

/// A row of `flows.tsv`.
struct Label {
    file: String,
    ends: Ends,
    protocol: String,
}

/// Transport and both endpoints, in order.
type Ends = (Transport, (IpAddr, u16), (IpAddr, u16));

fn ends(transport: Transport, a: (IpAddr, u16), b: (IpAddr, u16)) -> Ends {
    if a <= b { (transport, a, b) } else { (transport, b, a) }
}

#[derive(Default)]
struct Score {
    labelled: usize,
    right: usize,
    named: usize,
    named_right: usize,
    within_four: usize,
    /// What was said instead.
    instead: BTreeMap<String, usize>,
}

fn main() -> ExitCode {
    let root =
        std::env::var_os("WATCHKEEPER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let folder = root.join("pcap/ndpi");
    let Ok(text) = std::fs::read_to_string(folder.join("flows.tsv")) else {
        println!("SKIPPED: {} has no flows.tsv; set WATCHKEEPER_DATA", folder.display());
        return ExitCode::SUCCESS;
    };
    let arguments: BTreeSet<String> = std::env::args().skip(1).collect();
    let labels = labels(&text);
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut disagreements = Vec::new();
    let mut flows_of: BTreeMap<String, BTreeMap<Ends, Vec<Flow>>> = BTreeMap::new();
    for label in &labels {
        let flows = flows_of.entry(label.file.clone()).or_insert_with(|| read(&folder.join(&label.file)));
        let known = NAMES.iter().find(|(name, _)| *name == label.protocol).map(|(_, ours)| *ours);
        let found = flows.get_mut(&label.ends).filter(|found| !found.is_empty()).map(|found| found.remove(0));
        let said = found.as_ref().map_or(Protocol::Unknown, |flow| flow.verdict.protocol);
        let is_named = !said.is_class();
        if known.is_none() && !(is_named && arguments.contains("--all")) {
            if is_named {
                disagreements.push(line(label, found.as_ref(), "out of set"));
            }
            continue;
        }
        let right = known.is_some_and(|ours| ours.contains(&said));
        let score = scores.entry(label.protocol.clone()).or_default();
        score.labelled += usize::from(known.is_some());
        score.right += usize::from(right);
        score.named += usize::from(is_named);
        score.named_right += usize::from(is_named && right);
        let soon = found.as_ref().is_some_and(|flow| flow.payloads_until_verdict <= 4);
        score.within_four += usize::from(right && soon);
        if !right {
            *score.instead.entry(said.to_string()).or_default() += 1;
            disagreements.push(line(label, found.as_ref(), if is_named { "wrong" } else { "missed" }));
        }
    }
    for line in &disagreements {
        println!("{line}");
    }
    if !arguments.contains("--list") {
        print_scores(&scores);
    }
    ExitCode::SUCCESS
}

fn line(label: &Label, flow: Option<&Flow>, kind: &str) -> String {
    let (transport, a, b) = label.ends;
    let said = flow.map_or("no such flow".to_owned(), |flow| {
        let verdict = flow.verdict;
        format!(
            "{} ({}, {}) after {} of {}+{} packets {:?}",
            verdict.protocol,
            verdict.confidence,
            verdict.evidence,
            flow.payloads_until_verdict,
            flow.sent.packets,
            flow.received.packets,
            flow.facts,
        )
    });
    format!(
        "{kind}: {} {} {}:{} {}:{} label {} said {said}",
        label.file,
        transport.as_str(),
        a.0,
        a.1,
        b.0,
        b.1,
        label.protocol
    )
}

fn print_scores(scores: &BTreeMap<String, Score>) {
    println!("{:<12} {:>8} {:>7} {:>7} {:>8}  instead", "label", "labelled", "right", "named", "within 4");
    let mut sum = Score::default();
    for (name, score) in scores {
        println!(
            "{name:<12} {:>8} {:>7} {:>7} {:>8}  {:?}",
            score.labelled, score.right, score.named, score.within_four, score.instead
        );
        sum.labelled += score.labelled;
        sum.right += score.right;
        sum.named += score.named;
        sum.named_right += score.named_right;
        sum.within_four += score.within_four;
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    println!(
        "recall {:.4} ({} of {}), precision {:.4} ({} of {}), within 4 payloads {:.4}",
        share(sum.right, sum.labelled),
        sum.right,
        sum.labelled,
        share(sum.named_right, sum.named),
        sum.named_right,
        sum.named,
        share(sum.within_four, sum.labelled),
    );
}

fn labels(text: &str) -> Vec<Label> {
    text.lines().skip(1).filter_map(label).collect()
}

/// Columns: file, flow, l4, src, sport, dst, dport, dir, proto, confidence.
fn label(line: &str) -> Option<Label> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [file, _, l4, src, sport, dst, dport, _, protocol, "DPI", ..] = columns.as_slice() else {
        return None;
    };
    let transport = match *l4 {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "ICMP" | "ICMPV6" => Transport::Icmp,
        _ => return None,
    };
    let end = |ip: &str, port: &str| Some((ip.parse().ok()?, port.parse().ok()?));
    // `TLS.Google` is TLS to Google; `NetBIOS.SMBv1` is out of the set by its carrier.
    let protocol = protocol.split('.').next()?.to_owned();
    Some(Label {
        file: (*file).to_owned(),
        ends: ends(transport, end(src, sport)?, end(dst, dport)?),
        protocol,
    })
}

/// The flows of a capture; several of one five-tuple in order of their size, largest first.
fn read(path: &Path) -> BTreeMap<Ends, Vec<Flow>> {
    let mut table = Table::new(Limits::default());
    let mut flows = BTreeMap::<Ends, Vec<Flow>>::new();
    let mut capture = match Capture::open(path) {
        Ok(capture) => capture,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return flows;
        }
    };
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => match layer3(packet.link, packet.frame) {
                Layer3::Ip(bytes) => table.packet(packet.time_ns, bytes),
                Layer3::UnknownLink => eprintln!("{}: link type {}", path.display(), packet.link),
                Layer3::Other => {}
            },
            Ok(None) => break,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                break;
            }
        }
    }
    table.finish();
    while let Some(flow) = table.pop() {
        let key =
            ends(flow.transport, (flow.opener.ip, flow.opener.port), (flow.listener.ip, flow.listener.port));
        flows.entry(key).or_default().push(flow);
    }
    for found in flows.values_mut() {
        found.sort_by_key(|flow| std::cmp::Reverse(flow.sent.payload_bytes + flow.received.payload_bytes));
    }
    flows
}
