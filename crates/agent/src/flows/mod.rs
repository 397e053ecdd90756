//! `flows`: captures to flow records, on standard output in the order in which the flows ended; with `--facts`, the pairs that
//! they are of ([`pairs`]).
//!
//! A capture that is cut or broken gives the flows of what could be read; its place, and whatever else was not read, is
//! said on standard error.

mod pairs;

use crate::cli::{FlowFormat, Flows};
use crate::failure::{Exit, Failure, say};
use event::WallTime;
use flow::{Endpoint, Flow, Limits, Table};
use respond::{escape::escaped, rfc3339};
use sense::capture::{Capture, Error, Layer3, layer3};
use sense::traffic::Unread;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Longest name that is printed as text, in characters.
const NAME: usize = 120;

/// Runs the command.
///
/// # Errors
/// A path that cannot be read, a file that is no capture, or an output that cannot be written.
pub fn run(args: &Flows) -> Result<Exit, Failure> {
    if args.facts {
        return pairs::run(args);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for path in &args.files {
        Reading::new(path, args.format).run(&mut out)?;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(Exit::Fine)
}

/// One capture on its way to flows.
struct Reading<'a> {
    path: &'a Path,
    name: String,
    format: FlowFormat,
    table: Table,
    unread: Unread,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path, format: FlowFormat) -> Self {
        let name = path.display().to_string();
        Self { path, name, format, table: Table::new(limits()), unread: Unread::default() }
    }

    fn run(mut self, out: &mut impl Write) -> Result<(), Failure> {
        let opened = match self.name.as_str() {
            "-" => Capture::new(io::stdin()),
            _ => Capture::open(self.path),
        };
        let mut capture = opened.map_err(|error| {
            Failure::usage(
                format!("cannot read {}: {error}", self.name),
                "give captures in pcap or pcapng, plain or gzip-compressed, or `-` for standard input",
            )
        })?;
        loop {
            match self.frame(&mut capture) {
                Ok(true) => self.print(out)?,
                Ok(false) => break,
                Err(error) => {
                    say(&format!("{}: {error}; what stands before it is read", self.name));
                    break;
                }
            }
        }
        self.table.finish();
        self.print(out)?;
        self.report();
        Ok(())
    }

    /// Reads one frame; false at the end.
    fn frame(&mut self, capture: &mut Capture) -> Result<bool, Error> {
        let Some(packet) = capture.next_packet()? else { return Ok(false) };
        match layer3(packet.link, packet.frame) {
            Layer3::Ip(bytes) => self.table.packet(packet.time_ns, bytes),
            Layer3::Other => self.unread.without_ip += 1,
            Layer3::UnknownLink => {
                self.unread.unknown_links += 1;
                self.unread.link = packet.link;
            }
        }
        Ok(true)
    }

    fn print(&mut self, out: &mut impl Write) -> Result<(), Failure> {
        while let Some(flow) = self.table.pop() {
            let written = match self.format {
                FlowFormat::Text => writeln!(out, "{}", Line(&flow)),
                FlowFormat::Json => serde_json::to_writer(&mut *out, &Record::new(&self.name, &flow))
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(out)),
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        Ok(())
    }

    /// Says what was not read, if anything.
    fn report(&self) {
        let unread = Unread { flows: self.table.counts(), ..self.unread };
        if let Some(sentence) = crate::recording::unread(&unread) {
            say(&format!("{}: {sentence}", self.name));
        }
    }
}

/// What a table of flows may hold. The seed of a fresh hasher is random; it changes no output.
pub fn limits() -> Limits {
    Limits { seed: RandomState::new().hash_one(0), ..Limits::default() }
}

/// The contract of `--format json`.
#[derive(Serialize)]
struct Record<'a> {
    file: &'a str,
    src_ip: String,
    src_port: u16,
    dst_ip: String,
    dst_port: u16,
    transport: &'a str,
    protocol: &'a str,
    confidence: u8,
    evidence: &'a str,
    payloads: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_to: Option<&'a str>,
    first: String,
    last: String,
    packets_out: u32,
    packets_in: u32,
    bytes_out: u64,
    bytes_in: u64,
    payload_out: u64,
    payload_in: u64,
    names: Names<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<&'a str, &'a str>,
    facts: Vec<&'a str>,
    end: &'a str,
}

/// Names that belong to a flow.
#[derive(Serialize)]
struct Names<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
}

impl<'a> Record<'a> {
    fn new(file: &'a str, flow: &'a Flow) -> Self {
        let Flow { opener, listener, verdict, names, sent, received, .. } = flow;
        Self {
            file,
            src_ip: opener.ip.to_string(),
            src_port: opener.port,
            dst_ip: listener.ip.to_string(),
            dst_port: listener.port,
            transport: flow.transport.as_str(),
            protocol: verdict.protocol.as_str(),
            confidence: verdict.confidence,
            evidence: verdict.evidence,
            payloads: flow.payloads_until_verdict,
            changed_to: flow.changed_to.map(|protocol| protocol.as_str()),
            first: time(flow.first_ns),
            last: time(flow.last_ns),
            packets_out: sent.packets,
            packets_in: received.packets,
            bytes_out: sent.bytes,
            bytes_in: received.bytes,
            payload_out: sent.payload_bytes,
            payload_in: received.payload_bytes,
            names: Names {
                dns: names.dns.as_deref(),
                sni: names.sni.as_deref(),
                host: names.host.as_deref(),
            },
            alpn: names.alpn.as_deref(),
            agent: names.agent.as_deref(),
            ja4: names.ja4.as_deref(),
            details: names.details.iter().map(|(detail, value)| (detail.as_str(), value)).collect(),
            facts: flow.facts.iter().map(flow::Fact::as_str).collect(),
            end: flow.end.as_str(),
        }
    }
}

/// The same for people.
struct Line<'a>(&'a Flow);

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flow { verdict, names, sent, received, .. } = self.0;
        write!(
            out,
            "{} {} {} > {} {} {}% packets {}/{} bytes {}/{}",
            time(self.0.first_ns),
            self.0.transport.as_str(),
            place(self.0.opener),
            place(self.0.listener),
            verdict.protocol,
            verdict.confidence,
            sent.packets,
            received.packets,
            sent.bytes,
            received.bytes,
        )?;
        for (kind, name) in [("dns", &names.dns), ("sni", &names.sni), ("host", &names.host)] {
            if let Some(name) = name {
                write!(out, " {kind} {}", escaped(name, NAME))?;
            }
        }
        let facts: Vec<&str> = self.0.facts.iter().map(flow::Fact::as_str).collect();
        if facts.is_empty() { Ok(()) } else { write!(out, " [{}]", facts.join(", ")) }
    }
}

fn place(endpoint: Endpoint) -> String {
    std::net::SocketAddr::new(endpoint.ip, endpoint.port).to_string()
}

fn time(ns: u64) -> String {
    rfc3339(WallTime(ns))
}
