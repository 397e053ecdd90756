//! No parser panics, hangs or reads past its limits on mutated input.
//!
//! Deterministic: a fixed seed, a fixed number of rounds (about a second in release), so that a failure
//! repeats. A panic names the round; the input is printed by the harness through `escape_ascii`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wire::session::{MAX_SCANNED_BYTES, command_text};
use wire::{
    Direction, Identifier, Protocol, Transport, commands, dns, http2, icmp, mqtt, packet, quic, ssh, tls,
};

const ROUNDS: usize = 60_000;
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Valid inputs of every parser: mutation starts near the interesting code.
const SEEDS: &[&[u8]] = &[
    b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01\xc0\x0c\x00\x05\x00\x01\
      \x00\x00\x00\x3c\x00\x05\x02ns\xc0\x0c\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x04\x03abc",
    b"\x00\x19\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01",
    b"\x45\x00\x00\x2e\x00\x00\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\xc0\x00\x11\x5c\x00\x00\x00\
      \x01\x00\x00\x00\x02\x50\x18\x00\x00\x00\x00\x00\x00id\n\r\n\x00",
    b"\x60\x00\x00\x00\x00\x18\x2c\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\
      \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x11\x00\x00\x01\x00\x00\x00\x00\x30\x39\x00\x35\x00\x10\
      \x00\x00abcdefgh",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\
      \x00\x00\x1a\x01\x2d\x00\x00\x00\x01\x03\x00\x00\x00\x00\x10\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\
      \x6b\xa0\xab\x90\xf4\xff\x00\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00\x03\x83\xbe\
      \x00\x00\x03\x09\x04\x00\x00\x00\x03\x61\x01\x62",
    b"NICK bot\r\nUSER a 0 * :b\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c",
    b"\x05\x02\x00\x02\x05\x01\x00\x03",
    b"\xff\xfb\x18\xff\xfa\x1f\x00\x50\xff\xf0login: ",
    b"0\x1a\x02\x01\x01\x04\x06public\xa0\x0d",
    b"\xc3\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x40\x20\x00\x00\x00\x02abcdefghijklmnopqrstuvwxyz",
    b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x0399999999999999999999999999999999\x00\xc0\x2f\x00",
    b"SSH-2.0-x\r\n\x00\x00\x00\x20\x04\x14cookiecookiecook\x00\x00\x00\x03kex\x00\x00\x00\x03key",
    b"EHLO a\r\nMAIL FROM:<b@c.test>\r\nSTARTTLS\r\n\x16\x03\x01",
    b"{\"id\":1,\"method\":\"mining.subscribe\"}\n",
    b"\x1b[1;32mroot@web:/# cat /etc/passwd | sh; ls -la && uname -a\r\nuid=0(root) gid=0(root)\n/ # ",
    "drwxr-xr-x 2 root grüße \u{1f600}\r\nPS C:\\> ip addr\n$ ".as_bytes(),
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[2]
    }
}

/// One to eight edits: set a byte, insert, delete, cut, repeat a part, splice another seed in.
fn mutate(random: &mut Random) -> Vec<u8> {
    let mut bytes = SEEDS[random.below(SEEDS.len())].to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] = random.byte(),
            1 if at < bytes.len() => bytes[at] = [0, 0xff, 0x7f, 0x80, 0xc0][random.below(5)],
            2 => bytes.insert(at, random.byte()),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            5 if bytes.len() < 4096 => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
            _ => {
                let other = SEEDS[random.below(SEEDS.len())];
                let tail = bytes.split_off(at);
                bytes.extend(&other[..random.below(other.len() + 1)]);
                bytes.extend(tail);
            }
        }
    }
    bytes
}

/// Runs every parser over the input and holds what it returns against its limits.
fn run_all(input: &[u8]) {
    if let Ok(message) = dns::parse(input) {
        let records = message.answers.len() + message.authorities.len() + message.additionals.len();
        assert!(message.questions.len() <= dns::MAX_QUESTIONS && records <= dns::MAX_RECORDS);
        // An escaped byte takes at most four characters.
        assert!(message.questions.iter().all(|question| question.name.len() <= 4 * dns::MAX_NAME_BYTES));
    }
    let _ = dns::split_frame(input);
    if let Ok(packet) = packet::parse(input) {
        assert!(packet.payload.len() <= input.len());
    }
    let mut client = quic::Client::default();
    client.take(input);
    let _ =
        (tls::server_flight(input), tls::certificate(input), tls::is_hello_over(input), mqtt::connect(input));
    let _ = (
        ssh::opening(input, Direction::ToClient),
        icmp::echo(input, false),
        commands::commands(Protocol::Imap, input),
    );
    for direction in [Direction::ToServer, Direction::ToClient] {
        http2::Side::new(direction).take(input, &mut |message| {
            let longest =
                [message.target, message.agent, message.media_type].iter().map(|text| text.len()).max();
            assert!(longest <= Some(http2::MAX_VALUE_BYTES));
        });
    }
    if let Some(found) = command_text(input) {
        assert!(found.span.end <= MAX_SCANNED_BYTES && input.get(found.span).is_some());
    }
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut identifier = Identifier::new(transport);
        let (client, server) = input.split_at(input.len() / 2);
        identifier.feed(Direction::ToServer, client);
        identifier.feed(Direction::ToClient, server);
        assert!(identifier.verdict().confidence < 100);
        let mut one_way = Identifier::new(transport);
        one_way.feed(Direction::ToServer, input);
        assert!(one_way.verdict().confidence < 100);
    }
}

#[test]
fn mutated_input_never_panics_and_never_exceeds_a_limit() {
    let mut random = Random(SEED);
    for round in 0..ROUNDS {
        let input = mutate(&mut random);
        let outcome = catch_unwind(AssertUnwindSafe(|| run_all(&input)));
        assert!(outcome.is_ok(), "round {round} on b\"{}\"", input.escape_ascii());
    }
}
