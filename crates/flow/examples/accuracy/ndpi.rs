//! nDPI's test captures: the rows of `flows.tsv` that nDPI labelled by content (confidence DPI) against the verdicts.
//!
//! The labels are another engine's regression outputs, not a person's. Where the bytes contradict a label,
//! `adjudicated.tsv` says so, row by row; the report counts with and without.

use std::collections::{BTreeMap, BTreeSet};

use flow::{Flow, Transport};
use wire::Protocol;

use crate::captures::{Ends, by_ends, ends, root};

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

/// Rows whose label the bytes contradict: capture, flow, label, ours, the bytes that prove it, the specification.
const ADJUDICATED: &str = include_str!("adjudicated.tsv");
/// The share of flows that may be adjudicated.
const MAX_ADJUDICATED: f64 = 0.005;

/// True if a committed row says that ours is right and the label is not.
fn is_adjudicated(label: &Label, said: Protocol) -> bool {
    let (transport, a, b) = label.ends;
    let flow = format!("{} {}:{} {}:{}", transport.as_str(), a.0, a.1, b.0, b.1);
    ADJUDICATED.lines().skip(1).any(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        matches!(columns.as_slice(), [file, ends, named, ours, _, _]
            if *file == label.file && *ends == flow && *named == label.protocol && *ours == said.as_str())
    })
}

/// Prints the report.
pub fn report(arguments: &BTreeSet<String>) {
    let folder = root().join("ndpi");
    let Ok(text) = std::fs::read_to_string(folder.join("flows.tsv")) else {
        println!("SKIPPED: {} has no flows.tsv; set WATCHKEEPER_DATA", folder.display());
        return;
    };
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let (mut disagreements, mut adjudicated) = (Vec::new(), 0);
    let mut flows_of: BTreeMap<String, BTreeMap<Ends, Vec<Flow>>> = BTreeMap::new();
    for label in &labels(&text) {
        let flows = flows_of.entry(label.file.clone()).or_insert_with(|| by_ends(&folder.join(&label.file)));
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
            let proven = is_adjudicated(label, said);
            adjudicated += usize::from(proven);
            let kind = if proven {
                "adjudicated"
            } else if is_named {
                "wrong"
            } else {
                "missed"
            };
            disagreements.push(line(label, found.as_ref(), kind));
        }
    }
    for line in &disagreements {
        println!("{line}");
    }
    if !arguments.contains("--list") {
        print_scores(&scores, adjudicated);
    }
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

fn print_scores(scores: &BTreeMap<String, Score>, adjudicated: usize) {
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
    let line = |kind: &str, more: usize| {
        println!(
            "{kind}: recall {:.4} ({} of {}), precision {:.4} ({} of {}), within 4 payloads {:.4}",
            share(sum.right + more, sum.labelled),
            sum.right + more,
            sum.labelled,
            share(sum.named_right + more, sum.named),
            sum.named_right + more,
            sum.named,
            share(sum.within_four, sum.labelled),
        );
    };
    line("by the labels alone", 0);
    line("adjudicated", adjudicated);
    println!(
        "adjudicated flows {adjudicated} of {}: {:.4}, at most {MAX_ADJUDICATED}",
        sum.labelled,
        share(adjudicated, sum.labelled)
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
