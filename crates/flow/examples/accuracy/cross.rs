//! Agreement with what other engines say about their own captures.
//!
//! | corpus | label | what is compared |
//! |---|---|---|
//! | `arkime` | `protocol` of each session in `X.test` | the flow with the session's ends |
//! | `zeek-traces` | protocols of each capture in `tshark_gt.tsv` | the set of protocols of the capture, both ways |
//! | `suricata-verify` | `event_type` and `app_proto` of the checks in `test.yaml` | that the test's captures have such a flow |
//!
//! Only protocols that Watchkeeper names are compared. `disagreements.tsv` holds the reason of each disagreement that was
//! looked into; one that is not there is printed without.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use flow::{Flow, Transport};
use serde_json::Value;
use wire::Protocol;

use crate::captures::{by_ends, captures_below, ends, flows, root};

const REASONS: &str = include_str!("disagreements.tsv");

/// Another engine's name, and ours for the same.
const NAMES: &[(&str, Protocol)] = &[
    ("http", Protocol::Http),
    ("http2", Protocol::Http2),
    ("websocket", Protocol::Websocket),
    ("tls", Protocol::Tls),
    ("ssl", Protocol::Tls),
    ("dtls", Protocol::Dtls),
    ("quic", Protocol::Quic),
    ("dns", Protocol::Dns),
    ("mdns", Protocol::Mdns),
    ("llmnr", Protocol::Llmnr),
    ("ssh", Protocol::Ssh),
    ("telnet", Protocol::Telnet),
    ("ftp", Protocol::Ftp),
    ("smtp", Protocol::Smtp),
    ("pop", Protocol::Pop3),
    ("pop3", Protocol::Pop3),
    ("imap", Protocol::Imap),
    ("irc", Protocol::Irc),
    ("xmpp", Protocol::Xmpp),
    ("mqtt", Protocol::Mqtt),
    ("amqp", Protocol::Amqp),
    ("resp", Protocol::Redis),
    ("redis", Protocol::Redis),
    ("memcache", Protocol::Memcached),
    ("memcached", Protocol::Memcached),
    ("pgsql", Protocol::Postgresql),
    ("postgresql", Protocol::Postgresql),
    ("mysql", Protocol::Mysql),
    ("mongo", Protocol::Mongodb),
    ("kafka", Protocol::Kafka),
    ("ldap", Protocol::Ldap),
    ("kerberos", Protocol::Kerberos),
    ("krb5", Protocol::Kerberos),
    ("smb", Protocol::Smb),
    ("smb2", Protocol::Smb),
    ("nfs", Protocol::Nfs),
    // The services that belong to it have its name here.
    ("mount", Protocol::Nfs),
    ("nfsacl", Protocol::Nfs),
    ("rdp", Protocol::Rdp),
    ("vnc", Protocol::Vnc),
    ("rfb", Protocol::Vnc),
    ("sip", Protocol::Sip),
    ("rtp", Protocol::Rtp),
    ("stun", Protocol::Stun),
    ("ntp", Protocol::Ntp),
    ("snmp", Protocol::Snmp),
    ("dhcp", Protocol::Dhcp),
    ("dhcpv6", Protocol::Dhcp),
    ("radius", Protocol::Radius),
    ("syslog", Protocol::Syslog),
    ("tftp", Protocol::Tftp),
    ("socks", Protocol::Socks),
    ("openvpn", Protocol::Openvpn),
    ("wireguard", Protocol::Wireguard),
    ("bittorrent", Protocol::Bittorrent),
    ("bittorrent_dht", Protocol::Bittorrent),
    ("bittorrent-dht", Protocol::Bittorrent),
    ("bt-dht", Protocol::Bittorrent),
    ("icmp", Protocol::Icmp),
    ("icmpv6", Protocol::Icmp),
];

/// Names of what carries or describes, which are no opinion about the protocol.
const CARRIERS: &[&str] = &[
    "tcp",
    "udp",
    "sctp",
    "gre",
    "ppp",
    "vxlan-gpe",
    "esp",
    "tlsrulestest",
    "socksipset",
    "ntlm",
    "corrupt-ip",
    "corrupt-ether",
];

fn ours(name: &str) -> Option<Protocol> {
    NAMES.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

/// What counts as the same: one form on several ports, a protocol and what it became.
fn spoken(flow: &Flow) -> BTreeSet<Protocol> {
    let mut spoken: BTreeSet<Protocol> =
        [Some(flow.verdict.protocol), flow.changed_to].into_iter().flatten().collect();
    if spoken.contains(&Protocol::Websocket) {
        spoken.insert(Protocol::Http);
    }
    spoken
}

#[derive(Default)]
struct Tally {
    agreed: usize,
    disagreements: Vec<String>,
}

impl Tally {
    fn count(&mut self, agrees: bool, corpus: &str, what: &str, said: &str) {
        if agrees {
            self.agreed += 1;
            return;
        }
        let reason = REASONS.lines().skip(1).find_map(|row| {
            let mut columns = row.split('\t');
            (columns.next() == Some(corpus) && columns.next() == Some(what)).then(|| columns.next())?
        });
        let reason = reason.unwrap_or("(not looked into)");
        self.disagreements.push(format!("{corpus}: {what}: we say {said}: {reason}"));
    }

    fn print(&self, corpus: &str) {
        for line in &self.disagreements {
            println!("{line}");
        }
        let all = self.agreed + self.disagreements.len();
        println!(
            "{corpus}: agreement {:.4} ({} of {all})",
            self.agreed as f64 / all.max(1) as f64,
            self.agreed
        );
    }
}

/// Reads a corpus; nothing where it has no labels.
type Report = fn(&Path) -> Option<Tally>;

/// Prints all three.
pub fn report() {
    let reports: [(&str, Report); 3] =
        [("arkime", arkime), ("zeek-traces", zeek), ("suricata-verify", suricata)];
    let mut sum = Tally::default();
    for (corpus, report) in reports {
        match report(&root().join(corpus)) {
            Some(mut tally) => {
                tally.print(corpus);
                sum.agreed += tally.agreed;
                sum.disagreements.append(&mut tally.disagreements);
            }
            None => {
                println!("SKIPPED: {} has no labels; set WATCHKEEPER_DATA", root().join(corpus).display())
            }
        }
    }
    let all = sum.agreed + sum.disagreements.len();
    println!(
        "across corpora: agreement {:.4} ({} of {all})",
        sum.agreed as f64 / all.max(1) as f64,
        sum.agreed
    );
}

fn names(protocols: &BTreeSet<Protocol>) -> String {
    let names: Vec<&str> = protocols.iter().map(|protocol| protocol.as_str()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join("+") }
}

fn arkime(folder: &Path) -> Option<Tally> {
    let mut tally = Tally::default();
    for path in captures_below(folder) {
        let Ok(text) = std::fs::read_to_string(path.with_extension("test")) else { continue };
        let Ok(expected) = serde_json::from_str::<Value>(&text) else { continue };
        let mut flows = by_ends(&path);
        for session in expected.get("sessions3").and_then(Value::as_array).into_iter().flatten() {
            let body = &session["body"];
            let listed: Vec<&str> =
                body["protocol"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let transport = if listed.contains(&"tcp") {
                Transport::Tcp
            } else if listed.contains(&"udp") {
                Transport::Udp
            } else if listed.contains(&"icmp") {
                Transport::Icmp
            } else {
                continue;
            };
            let theirs: BTreeSet<Protocol> = listed.iter().filter_map(|name| ours(name)).collect();
            let has_opinion = listed.iter().any(|name| !CARRIERS.contains(name));
            let end = |side: &str| {
                let ip: IpAddr = body[side]["ip"].as_str()?.parse().ok()?;
                let port = if transport == Transport::Icmp { 0 } else { body[side]["port"].as_u64()? };
                Some((ip, u16::try_from(port).ok()?))
            };
            let (Some(a), Some(b)) = (end("source"), end("destination")) else { continue };
            // Arkime cuts a long session in pieces, and tells apart what runs in several networks at once.
            let found = flows.get_mut(&ends(transport, a, b)).and_then(|found| match found.as_slice() {
                [only] => Some(only.clone()),
                [] => None,
                _ => Some(found.remove(0)),
            });
            let Some(found) = found else {
                if !theirs.is_empty() {
                    let what = session_name(&path, transport, a, b, &theirs);
                    tally.count(false, "arkime", &what, "no such flow");
                }
                continue;
            };
            let spoken = spoken(&found);
            if theirs.is_empty() && (!has_opinion || found.verdict.protocol.is_class()) {
                continue;
            }
            let agrees = spoken
                .iter()
                .any(|protocol| theirs.contains(&family(*protocol)) || theirs.contains(protocol));
            tally.count(agrees, "arkime", &session_name(&path, transport, a, b, &theirs), &names(&spoken));
        }
    }
    (tally.agreed > 0).then_some(tally)
}

/// One form on several ports: Arkime calls all of it DNS.
fn family(protocol: Protocol) -> Protocol {
    match protocol {
        Protocol::Mdns | Protocol::Llmnr => Protocol::Dns,
        other => other,
    }
}

type End = (IpAddr, u16);

fn session_name(path: &Path, transport: Transport, a: End, b: End, theirs: &BTreeSet<Protocol>) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{file} {} {}:{} {}:{} {}", transport.as_str(), a.0, a.1, b.0, b.1, names(theirs))
}

fn zeek(folder: &Path) -> Option<Tally> {
    let table = std::fs::read_to_string(folder.join("tshark_gt.tsv")).ok()?;
    let mut tally = Tally::default();
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, _, _, listed, ..] = columns.as_slice() else { continue };
        let theirs: BTreeSet<Protocol> =
            listed.split(',').filter_map(|item| ours(item.split(':').next().unwrap_or_default())).collect();
        let flows = flows(&folder.join(file));
        let said: BTreeSet<Protocol> =
            flows.iter().flat_map(spoken).filter(|protocol| !protocol.is_class()).collect();
        for protocol in theirs.union(&said) {
            let kind = if theirs.contains(protocol) { "missed" } else { "added" };
            let agrees = theirs.contains(protocol) && said.contains(protocol);
            tally.count(agrees, "zeek-traces", &format!("{file} {protocol} {kind}"), &names(&said));
        }
    }
    Some(tally)
}

fn suricata(folder: &Path) -> Option<Tally> {
    let mut tests: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    tests.sort();
    let mut tally = Tally::default();
    // Tests may share a capture.
    let mut said_of: BTreeMap<Vec<u8>, BTreeSet<Protocol>> = BTreeMap::new();
    for test in tests {
        let Ok(text) = std::fs::read_to_string(test.join("test.yaml")) else { continue };
        let wanted = wanted(&text);
        let captures = captures_below(&test);
        if wanted.is_empty() || captures.is_empty() {
            continue;
        }
        let bytes: Vec<u8> =
            captures.iter().flat_map(|path| std::fs::read(path).unwrap_or_default()).collect();
        let said = said_of.entry(bytes).or_insert_with(|| {
            captures.iter().flat_map(|path| flows(path)).flat_map(|flow| spoken(&flow)).collect()
        });
        let name = test.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for theirs in wanted {
            let agrees = theirs.iter().any(|protocol| said.contains(protocol));
            tally.count(agrees, "suricata-verify", &format!("{name} {}", names(&theirs)), &names(said));
        }
    }
    Some(tally)
}

/// The protocols that a test's checks want to see, each as the set of ours that would do.
fn wanted(yaml: &str) -> BTreeSet<BTreeSet<Protocol>> {
    // Every check is a block of lines below `- filter:`; of a block three keys are read.
    yaml.split("- filter:").skip(1).flat_map(wanted_by_check).collect()
}

fn wanted_by_check(block: &str) -> Vec<BTreeSet<Protocol>> {
    let value = |key: &str| {
        block.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':').map(str::trim))
    };
    if value("count").is_none_or(|count| count == "0") {
        return Vec::new();
    }
    let named =
        ["event_type", "app_proto"].map(|key| value(key).and_then(|name| ours(name.trim_matches('"'))));
    let same = |protocol| match protocol {
        // An event of HTTP may be of any version, one of DNS of any port.
        Protocol::Http => [Protocol::Http, Protocol::Http2].into(),
        Protocol::Dns => [Protocol::Dns, Protocol::Mdns, Protocol::Llmnr].into(),
        other => [other].into(),
    };
    named.into_iter().flatten().map(same).collect()
}
