//! Servers that the live tests talk to, so that no test needs the internet.
//!
//! `testnet dns ADDRESS:PORT NAME=IPV4…` answers A queries for the given names, NXDOMAIN for all others (RFC 1035
//! §4.1). `testnet peer ADDRESS:PORT LINE…` sends one line at a time to whoever connects and reads the reply until it
//! pauses: the far end of an interactive plain-text session. `testnet api ADDRESS:PORT AUDIT TIME` is as much of a Kubernetes
//! API as `kubectl apply` needs (module `api`). All run until killed, print what they were asked, one line each, and print
//! `ready` first. The resolver is written without the product's DNS code on purpose: a test
//! must not agree with itself.

mod api;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: testnet dns ADDRESS:PORT NAME=IPV4… | testnet peer ADDRESS:PORT LINE… | testnet api ADDRESS:PORT AUDIT TIME";

/// A reply has ended when nothing came for this long.
const PAUSE: Duration = Duration::from_millis(300);

/// Bytes of a reply that are read before the next line is sent regardless.
const REPLY_BYTES: usize = 1 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [kind, address, zone @ ..] if kind == "dns" => serve_names(address, zone),
        [kind, address, lines @ ..] if kind == "peer" => serve_lines(address, lines),
        [kind, address, audit, time] if kind == "api" => api::serve(address, audit, time),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// One line on stdout, flushed: the test waits for it.
fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn serve_names(address: &str, zone: &[String]) -> io::Result<()> {
    let zone = parse_zone(zone)?;
    let socket = UdpSocket::bind(address)?;
    say("ready")?;
    let mut packet = [0; 512];
    loop {
        let (length, peer) = socket.recv_from(&mut packet)?;
        let Some(query) = packet.get(..length).and_then(Query::parse) else {
            continue;
        };
        say(&format!("query {} type {}", query.name, query.kind))?;
        socket.send_to(&query.answer(&zone), peer)?;
    }
}

fn parse_zone(pairs: &[String]) -> io::Result<HashMap<String, Ipv4Addr>> {
    let bad = |pair: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("not NAME=IPV4: {pair}"));
    pairs
        .iter()
        .map(|pair| {
            let (name, address) = pair.split_once('=').ok_or_else(|| bad(pair))?;
            let address = address.parse().map_err(|_| bad(pair))?;
            Ok((name.to_ascii_lowercase(), address))
        })
        .collect()
}

/// The parts of a query that an answer repeats.
struct Query<'a> {
    id: [u8; 2],
    /// Lower case, dotted, without the root's dot.
    name: String,
    kind: u16,
    /// The question section as it came.
    question: &'a [u8],
}

impl<'a> Query<'a> {
    /// A query with exactly one uncompressed question; anything else is not answered.
    fn parse(packet: &'a [u8]) -> Option<Self> {
        const HEADER: usize = 12;
        let id = packet.get(..2)?.try_into().ok()?;
        if packet.get(4..6)? != [0, 1] {
            return None;
        }
        let question = packet.get(HEADER..)?;
        let mut labels = Vec::new();
        let mut at = 0;
        loop {
            let length = usize::from(*question.get(at)?);
            at += 1;
            match length {
                0 => break,
                1..=63 => labels.push(String::from_utf8_lossy(question.get(at..at + length)?)),
                _ => return None,
            }
            at += length;
        }
        let kind = u16::from_be_bytes(question.get(at..at + 2)?.try_into().ok()?);
        Some(Self {
            id,
            name: labels.join(".").to_ascii_lowercase(),
            kind,
            question: question.get(..at + 4)?,
        })
    }

    fn answer(&self, zone: &HashMap<String, Ipv4Addr>) -> Vec<u8> {
        const TYPE_A: u16 = 1;
        /// Response, recursion desired and available; the low bits are the result code.
        const FLAGS: u16 = 0x8180;
        const NO_SUCH_NAME: u16 = 3;
        let known = zone.get(&self.name);
        let address = known.filter(|_| self.kind == TYPE_A);
        let flags = if known.is_some() { FLAGS } else { FLAGS | NO_SUCH_NAME };
        let mut packet = self.id.to_vec();
        packet.extend(flags.to_be_bytes());
        packet.extend([0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
        packet.extend(self.question);
        if let Some(address) = address {
            // A pointer to the question's name, type A, class IN, 60 s, 4 bytes.
            packet.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            packet.extend(address.octets());
        }
        packet
    }
}

fn serve_lines(address: &str, lines: &[String]) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    say("ready")?;
    loop {
        let (stream, peer) = listener.accept()?;
        say(&format!("connection from {peer}"))?;
        // A peer that goes away ends its own session only.
        if let Err(error) = converse(stream, lines) {
            say(&format!("session ended: {error}"))?;
        }
    }
}

fn converse(mut stream: TcpStream, lines: &[String]) -> io::Result<()> {
    stream.set_read_timeout(Some(PAUSE))?;
    for line in lines {
        stream.write_all(line.as_bytes())?;
        stream.write_all(b"\n")?;
        let reply = read_reply(&mut stream)?;
        say(&format!("sent {line:?} got {} bytes", reply.len()))?;
    }
    Ok(())
}

fn read_reply(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    let mut part = [0; 4096];
    while reply.len() < REPLY_BYTES {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => reply.extend(part.iter().take(length)),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &[u8]) -> Vec<u8> {
        let mut packet = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        packet.extend(name);
        packet.extend([0, 1, 0, 1]);
        packet
    }

    #[test]
    fn a_known_name_gets_its_address_and_another_gets_nxdomain() {
        let zone = parse_zone(&["bad.test=10.9.8.7".into()]).expect("a zone");
        let packet = query(b"\x03BAD\x04test\x00");
        let answer = Query::parse(&packet).expect("a query").answer(&zone);
        assert_eq!(answer.get(..4), Some([0xab, 0xcd, 0x81, 0x80].as_slice()));
        assert!(answer.ends_with(&[10, 9, 8, 7]));
        let packet = query(b"\x04good\x04test\x00");
        let answer = Query::parse(&packet).expect("a query").answer(&zone);
        assert_eq!(answer.get(3), Some(&0x83));
    }

    #[test]
    fn a_query_cut_anywhere_is_not_answered() {
        let packet = query(b"\x03bad\x04test\x00");
        for length in 0..packet.len() {
            assert!(Query::parse(&packet[..length]).is_none(), "{length} bytes");
        }
    }
}
