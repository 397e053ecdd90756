//! DNS tunnels in captures with known truth.
//!
//! ```text
//! WATCHKEEPER_DATA=../shared/data cargo run --release -p watchkeeper-detect --example tunnels [-- FILE…]
//! ```
//!
//! In: DNS over UDP of any port in captures of `pcap/graphtunnel-dns`, `pcap/ndpi`, `pcap/zeek-traces` and others of
//! WATCHKEEPER_DATA, or of the named files. Out: for each capture with a tunnel, after how long and how many queries
//! [`is_tunnel`] first held; for all others, each pair of client and domain for which it held, and how near the rest came.
#![allow(clippy::print_stdout, reason = "a tool of the command line")]

use detect::analytic::dns_tunnel::{DnsTunnel, Outcome, Query, Traffic, subject};
use sense::capture::{Capture, Layer3, layer3};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use wire::dns::{Message, RecordData};

/// Captures in which all or much of the DNS is a tunnel.
const TUNNELS: &[&str] =
    &["dnscat2-", "iodine-", "dns-exf", "dns2tcp", "ozymandns", "AndIodine", "dns-tunnel", "dns_exfil"];

/// The levels that a strategy has to say; these are where it may begin.
///
/// Names of a tunnel are long, because each costs a round trip; a service that puts an identifier into names uses a few
/// bytes of each, or few names.
fn is_tunnel(traffic: &Traffic) -> bool {
    let long = |window: usize| traffic.unique_bytes[window] / traffic.unique_names[window].max(1.0);
    let [minute, hour, day] = traffic.unique_bytes;
    (minute >= 400.0 && long(0) >= 20.0 && traffic.unique_names[0] >= 5.0)
        || (long(0) >= 60.0 && traffic.entropy >= 4.5)
        || (hour >= 4_000.0 && long(1) >= 15.0)
        || (day >= 20_000.0 && long(2) >= 15.0)
}

/// A client and a registered domain.
type Pair = (IpAddr, String);

/// What is known of a pair.
#[derive(Default)]
struct Talk {
    tunnel: DnsTunnel,
    queries: u64,
    first_ns: Option<u64>,
    /// Seconds and queries after which it was found.
    found: Option<(f64, u64)>,
    /// The most of a minute.
    most: f64,
    last: Traffic,
}

fn main() {
    let root =
        std::env::var_os("WATCHKEEPER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let named: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let mut files = Vec::new();
    for start in if named.is_empty() { vec![root.join("pcap")] } else { named } {
        collect(&start, &mut files);
    }
    if files.is_empty() {
        println!("SKIPPED: no captures in {}; set WATCHKEEPER_DATA", root.display());
    }
    files.sort();
    let (mut benign, mut pairs, mut wrong) = (0_usize, 0_usize, 0_usize);
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let talks = read(&file);
        let known = TUNNELS.iter().any(|tunnel| name.starts_with(tunnel));
        benign += usize::from(!known && !talks.is_empty());
        pairs += if known { 0 } else { talks.len() };
        wrong += if known { 0 } else { talks.values().filter(|talk| talk.found.is_some()).count() };
        print(&name, known, &talks);
    }
    println!("others: {benign} captures with DNS, {pairs} pairs, {wrong} of them found");
}

fn print(name: &str, known: bool, talks: &BTreeMap<Pair, Talk>) {
    let near = talks.values().filter(|talk| talk.found.is_none()).map(|talk| talk.most).fold(0.0, f64::max);
    let found: Vec<(&Pair, &Talk)> = talks.iter().filter(|(_, talk)| talk.found.is_some()).collect();
    if known || !found.is_empty() || near >= 150.0 {
        let kind = if known { "TUNNEL" } else { "other" };
        println!(
            "{kind} {name}: {} pairs, {} found; the rest says at most {near:.0} B a minute",
            talks.len(),
            found.len()
        );
    }
    for ((client, domain), talk) in
        talks.iter().filter(|(_, talk)| talk.found.is_none() && talk.most >= 150.0)
    {
        println!("  {client} {domain}: not found, {} queries; at the end {:.1?}", talk.queries, talk.last);
    }
    for ((client, domain), talk) in found {
        let (seconds, queries) = talk.found.unwrap_or_default();
        println!(
            "  {client} {domain}: after {seconds:.1} s, {queries} queries of {}; at the end {:.1?}",
            talk.queries, talk.last
        );
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| collect(&entry.path(), files));
    } else if Capture::open(path).is_ok() {
        files.push(path.to_owned());
    }
}

fn read(path: &Path) -> BTreeMap<Pair, Talk> {
    let mut talks = BTreeMap::new();
    let Ok(mut capture) = Capture::open(path) else { return talks };
    while let Ok(Some(packet)) = capture.next_packet() {
        let (at_ns, Layer3::Ip(bytes)) = (packet.time_ns, layer3(packet.link, packet.frame)) else {
            continue;
        };
        let Ok(packet) = wire::packet::parse(bytes) else { continue };
        let is_dns = |port: u16| port == 53;
        if packet.transport != wire::Transport::Udp || !(is_dns(packet.sport) || is_dns(packet.dport)) {
            continue;
        }
        if let Ok(message) = wire::dns::parse(packet.payload) {
            let client = if message.header.is_response() { packet.dst } else { packet.src };
            note(at_ns, client, &message, &mut talks);
        }
    }
    talks
}

fn note(at_ns: u64, client: IpAddr, message: &Message<'_>, talks: &mut BTreeMap<Pair, Talk>) {
    let Some(question) = message.questions.first() else { return };
    let Some(parts) = subject(&question.name) else { return };
    let talk = talks.entry((client, parts.domain.to_ascii_lowercase())).or_default();
    if message.header.is_response() {
        let outcome =
            if message.header.rcode() == 3 { Outcome::Missing } else { Outcome::Data(data_bytes(message)) };
        talk.tunnel.answer(at_ns, parts.below, outcome);
        return;
    }
    talk.tunnel.query(at_ns, Query { below: parts.below, rtype: question.rtype.0 });
    talk.queries += 1;
    let first = *talk.first_ns.get_or_insert(at_ns);
    talk.last = talk.tunnel.traffic(at_ns);
    talk.most = talk.most.max(talk.last.unique_bytes[0]);
    if talk.found.is_none() && is_tunnel(&talk.last) {
        talk.found = Some(((at_ns - first) as f64 / 1e9, talk.queries));
    }
}

fn data_bytes(message: &Message<'_>) -> u32 {
    let of = |data: &RecordData<'_>| match data {
        RecordData::Txt(strings) => strings.iter().map(|string| string.len()).sum(),
        RecordData::Raw(bytes) => bytes.len(),
        RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => name.len(),
        RecordData::Mx { exchange, .. } => exchange.len(),
        _ => 4,
    };
    message.answers.iter().map(|record| of(&record.data) as u32).sum()
}
