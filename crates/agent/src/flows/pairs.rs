//! `flows --facts`: what the analytics count of each pair, whoever opened and where it led, on standard output in the order
//! that is asked for.
//!
//! In: captures and Zeek's logs as events, over all files. Out: one record for each source and destination (its name before
//! its address) with a port, with the probability of a beacon; and one for each source and registered domain that it asked
//! name servers about, with the figures of a tunnel. These are the figures that strategies judge, without their levels.
//!
//! Pairs are bounded: above [`PAIRS`], or [`DOMAINS`] of the second kind, the half that was silent longest goes, which is said on
//! standard error.

use crate::cli::{FlowFormat, Flows, PairOrder};
use crate::failure::{Exit, Failure, say};
use crate::recording::Recordings;
use crate::table;
use compact_str::{CompactString, ToCompactString};
use detect::analytic::beacon::{Beacon, Score};
use detect::analytic::dns_tunnel::{DnsTunnel, Outcome, Query, Traffic, subject};
use detect::analytic::listener;
use enrich::Enricher;
use event::network::{Dns, Flow, FlowState};
use event::{Event, Field, Kind, WallTime};
use respond::rfc3339;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

/// Pairs at once; a history takes at most 3 kB, mostly some hundred bytes.
const PAIRS: usize = 131_072;
/// Pairs with a domain at once, of at most 5 kB each.
const DOMAINS: usize = 16_384;

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or is no capture or log, or an output that cannot be written.
pub fn run(args: &Flows) -> Result<Exit, Failure> {
    let mut pairs = Pairs::default();
    let mut recordings = Recordings::new(&args.files, None);
    let mut enriched = Vec::new();
    while let Some(mut recording) = recordings.next()? {
        if !recording.has_flows() {
            return Err(Failure::usage(
                format!("{} holds no flows", recording.name()),
                "give captures (pcap, pcapng) or Zeek's conn, dns, ssl and http logs",
            ));
        }
        let mut enricher = Enricher::new(enrich::Config::default());
        while let Some(event) = recording.next_event()? {
            enricher.push(event, &mut enriched);
            enriched.drain(..).for_each(|event| pairs.take(&event));
        }
        enricher.finish(&mut enriched);
        enriched.drain(..).for_each(|event| pairs.take(&event));
    }
    if pairs.given_up > 0 {
        say(&format!(
            "{} pairs in all did not fit and were given up, those silent longest first",
            pairs.given_up
        ));
    }
    let records = pairs.records(args.sort);
    let mut out = BufWriter::new(io::stdout().lock());
    print(&records, args.format, &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))?;
    Ok(Exit::Fine)
}

fn print(records: &[Record], format: FlowFormat, out: &mut impl Write) -> io::Result<()> {
    match format {
        FlowFormat::Json => records.iter().try_for_each(|record| {
            serde_json::to_writer(&mut *out, record)?;
            writeln!(out)
        }),
        FlowFormat::Text => {
            let rows: Vec<[String; 11]> = records.iter().map(Record::row).collect();
            let head = [
                "SOURCE",
                "DESTINATION",
                "FLOWS",
                "OUT",
                "IN",
                "BEACON",
                "RANK",
                "PERIOD",
                "JITTER",
                "CHECK-INS",
                "TUNNEL",
            ];
            table::write(out, head, &rows)
        }
    }
}

/// Source, destination, port; none for a domain.
type Key = (CompactString, CompactString, Option<u16>);

/// What is counted of all pairs.
#[derive(Default)]
struct Pairs {
    pairs: BTreeMap<Key, Pair>,
    /// How many of them are with domains.
    domains: usize,
    given_up: usize,
}

/// One pair's flows, or one source's questions about a domain.
#[derive(Default)]
struct Pair {
    flows: u64,
    seen: Seen,
    beacon: Beacon,
    tunnel: Option<Box<DnsTunnel>>,
}

/// When and how much.
#[derive(Clone, Copy, Default)]
struct Seen {
    first_ns: u64,
    last_ns: u64,
    bytes_out: u64,
    bytes_in: u64,
}

impl Seen {
    fn add(&mut self, first_ns: u64, last_ns: u64, bytes_out: u64, bytes_in: u64) {
        self.first_ns = if self.last_ns == 0 { first_ns } else { self.first_ns.min(first_ns) };
        self.last_ns = self.last_ns.max(last_ns);
        self.bytes_out = self.bytes_out.saturating_add(bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(bytes_in);
    }
}

impl Pairs {
    fn take(&mut self, event: &Event) {
        match &event.kind {
            Kind::Flow(flow) if flow.state == FlowState::End => self.flow(event, flow),
            Kind::Dns(dns) => self.dns(event, dns),
            _ => {}
        }
        if self.pairs.len() > PAIRS || self.domains > DOMAINS {
            self.shrink();
        }
    }

    /// Lets the half go that was silent longest.
    fn shrink(&mut self) {
        let before = self.pairs.len();
        let mut times: Vec<u64> = self.pairs.values().map(|pair| pair.seen.last_ns).collect();
        let (_, middle, _) = times.select_nth_unstable(before / 2);
        let middle = *middle;
        self.pairs.retain(|_, pair| pair.seen.last_ns > middle);
        self.domains = self.pairs.values().filter(|pair| pair.tunnel.is_some()).count();
        self.given_up += before - self.pairs.len();
    }

    fn flow(&mut self, event: &Event, flow: &Flow) {
        let ends = &flow.ends;
        let (sent, received) = (flow.sent.payload_bytes, flow.received.payload_bytes);
        // The own end may be the one that was asked.
        let (source, out, back) =
            if flow.initiated { (ends.local_ip, sent, received) } else { (ends.remote_ip, received, sent) };
        let (destination, port) = listener(event, flow);
        let pair = self.pairs.entry((source.to_compact_string(), destination, Some(port))).or_default();
        pair.flows += 1;
        let end_ns = flow.start.0.saturating_add(flow.duration_ns);
        pair.seen.add(flow.start.0, end_ns, out, back);
        pair.beacon.add(flow.start.0, out, back);
    }

    fn dns(&mut self, event: &Event, dns: &Dns) {
        let Some(parts) = subject(&dns.query) else { return };
        let source = Field::WorkloadName.of(event).to_text();
        let domain = self.pairs.entry((source, parts.domain.to_ascii_lowercase().into(), None)).or_default();
        self.domains += usize::from(domain.tunnel.is_none());
        let tunnel = domain.tunnel.get_or_insert_default();
        let (now, bytes) = (event.wall.0, u64::from(dns.len));
        if dns.response {
            domain.seen.add(now, now, 0, bytes);
            tunnel.answer(now, parts.below, Outcome::of(dns.rcode, &dns.answers));
        } else {
            domain.flows += 1;
            domain.seen.add(now, now, bytes, 0);
            tunnel.query(now, Query::new(parts.below, &dns.record_type));
        }
    }

    fn records(self, order: PairOrder) -> Vec<Record> {
        let record = |((source, destination, port), pair): (Key, Pair)| {
            let Pair { flows, seen, beacon, tunnel } = pair;
            let beacon = beacon.score().map(|score| BeaconFacts::of(&score));
            let tunnel = tunnel.map(|tunnel| TunnelFacts::of(&tunnel.traffic(seen.last_ns)));
            Record { port, beacon, tunnel, ..Record::new(source, destination, flows, seen) }
        };
        let mut records: Vec<Record> = self.pairs.into_iter().map(record).collect();
        // Stable: of equals the one that comes first by name.
        records.sort_by(|a, b| b.weight(order).total_cmp(&a.weight(order)));
        records
    }
}

/// The contract of `--facts --format json`.
#[derive(Serialize)]
struct Record {
    source: CompactString,
    destination: CompactString,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    flows: u64,
    first: String,
    last: String,
    payload_out: u64,
    payload_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    beacon: Option<BeaconFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<TunnelFacts>,
}

#[derive(Serialize)]
struct BeaconFacts {
    probability: f64,
    rank: f64,
    period_s: f64,
    jitter: f64,
    check_ins: usize,
    span_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_s: Option<f64>,
    terms: BTreeMap<&'static str, [f64; 2]>,
}

#[derive(Serialize)]
struct TunnelFacts {
    unique_bytes: [f64; 3],
    unique_names: [f64; 3],
    expanded_bytes: f64,
    carrier_share: f64,
    missing_share: f64,
    answer_bytes: f64,
    entropy: f64,
}

impl BeaconFacts {
    fn of(score: &Score) -> Self {
        Self {
            probability: rounded(score.probability),
            rank: rounded(score.rank()),
            period_s: rounded(score.period_s),
            jitter: rounded(score.jitter),
            check_ins: score.support,
            span_s: rounded(score.span_s),
            clock_s: score.aligned_s,
            terms: score
                .terms
                .iter()
                .map(|term| (term.name, [term.value, term.weight].map(rounded)))
                .collect(),
        }
    }
}

impl TunnelFacts {
    fn of(traffic: &Traffic) -> Self {
        Self {
            unique_bytes: traffic.unique_bytes.map(rounded),
            unique_names: traffic.unique_names.map(rounded),
            expanded_bytes: rounded(traffic.expanded_bytes),
            carrier_share: rounded(traffic.carrier_share),
            missing_share: rounded(traffic.missing_share),
            answer_bytes: rounded(traffic.answer_bytes),
            entropy: rounded(traffic.entropy),
        }
    }

    /// The largest of the figures over a minute, an hour and a day.
    fn most_bytes(&self) -> f64 {
        self.unique_bytes.iter().copied().fold(self.expanded_bytes, f64::max)
    }
}

impl Record {
    fn new(source: CompactString, destination: CompactString, flows: u64, seen: Seen) -> Self {
        Self {
            source,
            destination,
            port: None,
            flows,
            first: rfc3339(WallTime(seen.first_ns)),
            last: rfc3339(WallTime(seen.last_ns)),
            payload_out: seen.bytes_out,
            payload_in: seen.bytes_in,
            beacon: None,
            tunnel: None,
        }
    }

    /// What it is sorted by, greatest first; what it has not is less than anything.
    fn weight(&self, order: PairOrder) -> f64 {
        match order {
            PairOrder::Beacon => self.beacon.as_ref().map_or(-1.0, |beacon| beacon.rank),
            PairOrder::Tunnel => self.tunnel.as_ref().map_or(-1.0, TunnelFacts::most_bytes),
            PairOrder::Bytes => self.payload_out.saturating_add(self.payload_in) as f64,
        }
    }

    fn row(&self) -> [String; 11] {
        let destination = match self.port {
            Some(port) => format!("{} port {port}", self.destination),
            None => self.destination.to_string(),
        };
        let of = |show: fn(&BeaconFacts) -> String| self.beacon.as_ref().map(show).unwrap_or_default();
        [
            self.source.to_string(),
            destination,
            self.flows.to_string(),
            self.payload_out.to_string(),
            self.payload_in.to_string(),
            of(|beacon| format!("{:.3}", beacon.probability)),
            of(|beacon| format!("{:.3}", beacon.rank)),
            of(|beacon| format!("{:.1} s", beacon.period_s)),
            of(|beacon| format!("{:.0} %", beacon.jitter * 100.0)),
            of(|beacon| beacon.check_ins.to_string()),
            self.tunnel.as_ref().map(|tunnel| format!("{:.0} B", tunnel.most_bytes())).unwrap_or_default(),
        ]
    }
}

/// To a ten-thousandth: what follows means nothing.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_that_was_silent_longest_goes() {
        let mut pairs = Pairs::default();
        for number in 0..11_u16 {
            let pair = Pair { seen: Seen { last_ns: number.into(), ..Seen::default() }, ..Pair::default() };
            pairs.pairs.insert(("a".into(), "b".into(), Some(number)), pair);
        }
        pairs.shrink();
        assert_eq!(pairs.given_up, 6);
        let left: Vec<u64> = pairs.pairs.values().map(|pair| pair.seen.last_ns).collect();
        assert_eq!(left, [6, 7, 8, 9, 10]);
    }
}
