//! Records built byte by byte, whole and damaged.

use std::time::Duration;

use event::{
    Kind, Owner, Provenance,
    file::FileOp,
    network::{ConnectionOp, FlowState},
};

use super::{
    super::layout::{
        self, endpoint, exec, file, header, heartbeat, heartbeats, packet, socket, syscall, tcp,
    },
    DecodeError, Decoder,
};

const CONTAINER: [u8; 32] = [0xab; 32];

/// A record under construction.
struct Bytes(Vec<u8>);

impl Bytes {
    fn new(kind: u16, fixed: usize) -> Self {
        Self(vec![0; fixed]).u16(header::KIND, kind).u32(header::PID, 7).put(header::CONTAINER, &CONTAINER)
    }
    fn put(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }
    fn u16(self, at: usize, value: u16) -> Self {
        self.put(at, &value.to_ne_bytes())
    }
    fn u32(self, at: usize, value: u32) -> Self {
        self.put(at, &value.to_ne_bytes())
    }
    /// Appends a variable part and states its length at `at`.
    fn part(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.u32(at, u32::try_from(bytes.len()).unwrap())
    }
    fn done(self) -> Vec<u8> {
        let len = u32::try_from(self.0.len()).unwrap();
        self.u32(header::LEN, len).put(header::COMM, b"sh").0
    }
}

fn decoder() -> Decoder {
    Decoder::new(Duration::from_secs(10), Duration::from_secs(1010))
}

fn decode_one(bytes: &[u8]) -> event::Event {
    let mut out = Vec::new();
    decoder().decode(bytes, &mut out).unwrap();
    assert_eq!(out.len(), 1);
    out.remove(0)
}

fn an_exec() -> Vec<u8> {
    Bytes::new(layout::EXEC, exec::BYTES)
        .u32(exec::XFLAGS, layout::X_UPPER)
        .u32(exec::ARGV_TOTAL, 9)
        .part(exec::FILE_LEN, b"./x\0")
        .part(exec::PATH_LEN, b"x\0tmp\0")
        .part(exec::CWD_LEN, b"tmp\0")
        .part(exec::ARGV_HEAD_LEN, b"./x\0-v\0\xff\0")
        .part(exec::ENV_LEN, b"LD_PRELOAD=/x.so\0")
        .done()
}

fn a_rename() -> Vec<u8> {
    Bytes::new(layout::FILE, file::BYTES)
        .u32(file::OP, layout::FILE_RENAME)
        .part(file::STR1_LEN, b"../a\0")
        .part(file::PATH1_LEN, b"c\0b\0")
        .part(file::STR2_LEN, b"/etc/./passwd\0")
        .done()
}

fn a_connect() -> Vec<u8> {
    let e = socket::E;
    Bytes::new(layout::SOCKET, socket::BYTES)
        .u32(socket::OP, layout::SK_CONNECT)
        .put(e + layout::endpoint::REMOTE, &[192, 0, 2, 9])
        .u16(e + layout::endpoint::REMOTE_PORT, 4444)
        .u16(e + layout::endpoint::FAMILY, 2)
        .u16(e + layout::endpoint::PROTOCOL, 6)
        .done()
}

fn a_dns_query() -> Vec<u8> {
    let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let dns = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03c2x\x04test\0\0\x01\0\x01";
    ip.extend([0x30, 0x39, 0, 53]);
    ip.extend(u16::try_from(8 + dns.len()).unwrap().to_be_bytes());
    ip.extend([0, 0]);
    ip.extend(dns);
    let total = u16::try_from(ip.len()).unwrap().to_be_bytes();
    ip[2..4].copy_from_slice(&total);
    let len = u32::try_from(ip.len()).unwrap();
    Bytes::new(layout::PACKET, packet::BYTES)
        .u16(header::FLAGS, layout::F_NO_OWNER)
        .u32(packet::DIRECTION, 1)
        .u32(packet::WIRE_LEN, len)
        .part(packet::CAPTURED_LEN, &ip)
        .done()
}

fn a_mount() -> Vec<u8> {
    Bytes::new(layout::SYSCALL, syscall::BYTES)
        .u32(syscall::NR, 165)
        .u32(syscall::ARGS + 24, 0x1000)
        .part(syscall::STR1_LEN, b"/dev/vda\0")
        .part(syscall::STR2_LEN, b"/mnt\0ext4\0")
        .done()
}

#[test]
fn an_exec_says_what_is_resolved_and_what_is_claimed() {
    let event = decode_one(&an_exec());
    let Kind::Exec(exec) = &event.kind else { panic!("{:?}", event.kind) };
    assert_eq!(event.owner, Owner::Container(event::ContainerId(CONTAINER)));
    assert_eq!((exec.path.as_str(), exec.path.provenance()), ("/tmp/x", Provenance::Resolved));
    assert_eq!((exec.requested.as_str(), exec.requested.provenance()), ("./x", Provenance::Claimed));
    assert_eq!(exec.argv.args, ["./x", "-v", "\u{fffd}"]);
    assert!(exec.argv.lossy && exec.argv.gap.is_none() && exec.not_in_image && !exec.memfd);
    assert_eq!(exec.env[0].as_str(), "LD_PRELOAD=/x.so");
    assert_eq!(event.actor.unwrap().comm, "sh");
}

#[test]
fn a_path_without_a_root_leaves_the_other_path_whole() {
    let path = b"x\0d\0";
    let record = Bytes::new(layout::EXEC, exec::BYTES)
        .part(exec::PATH_LEN, path)
        .part(exec::CWD_LEN, b"tmp\0")
        .u32(exec::PATH_LEN, u32::try_from(path.len()).unwrap() | layout::PATH_CUT);
    let Kind::Exec(exec) = decode_one(&record.done()).kind else { panic!() };
    assert_eq!((exec.path.as_str(), exec.cwd.as_str()), ("…/d/x", "/tmp"));
    assert!(exec.path.full_len().is_some() && exec.cwd.full_len().is_none());
}

#[test]
fn a_rename_joins_names_to_their_directories() {
    let Kind::File(file) = decode_one(&a_rename()).kind else { panic!() };
    assert_eq!((file.op, file.path.as_str(), file.target.as_str()), (FileOp::Rename, "/b/a", "/etc/passwd"));
    assert_eq!(file.target.provenance(), Provenance::Claimed);
}

#[test]
fn a_connect_has_its_destination() {
    let Kind::Connection(c) = decode_one(&a_connect()).kind else { panic!() };
    assert_eq!((c.op, c.ends.remote_port), (ConnectionOp::Connect, 4444));
    assert_eq!(c.ends.remote_ip.to_string(), "192.0.2.9");
}

/// So many bursts of `bytes` out and one in, number n behind n ms, of which the record keeps the latest.
fn a_flow_going_on(count: u32, bytes: u16) -> Vec<u8> {
    let e = heartbeats::E;
    let kept = u32::try_from(layout::HEARTBEATS_KEPT).unwrap();
    let record = Bytes::new(layout::HEARTBEATS, heartbeats::BYTES)
        .put(heartbeats::COOKIE, &9_u64.to_ne_bytes())
        .put(e + endpoint::REMOTE, &[192, 0, 2, 9])
        .u16(e + endpoint::REMOTE_PORT, 4444)
        .u16(e + endpoint::FAMILY, 2)
        .u16(e + endpoint::PROTOCOL, 6)
        .put(heartbeats::BYTES_OUT, &700_u64.to_ne_bytes())
        .u32(heartbeats::COUNT, count);
    let put = |record: Bytes, number: u32| {
        let at = heartbeats::OVER + usize::try_from(number % kept).unwrap() * heartbeat::BYTES;
        record
            .u32(at + heartbeat::GAP_MS, number)
            .u16(at + heartbeat::BYTES_OUT, bytes)
            .u16(at + heartbeat::BYTES_IN, 1)
    };
    (0..count).fold(record, put).done()
}

#[test]
fn a_flow_that_goes_on_has_its_latest_bursts_in_their_order() {
    for (count, first) in [(8, 0), (64, 0), (100, 36)] {
        let Kind::Flow(flow) = decode_one(&a_flow_going_on(count, 60)).kind else { panic!() };
        assert_eq!((flow.state, flow.cookie, flow.ends.remote_port), (FlowState::Update, 9, 4444));
        assert_eq!(flow.sent.payload_bytes, 700);
        let beats: Vec<[u32; 3]> = flow.heartbeats.iter().map(|beat| (*beat).into()).collect();
        assert_eq!(beats, (first..count).map(|number| [number, 60, 1]).collect::<Vec<_>>());
    }
}

#[test]
fn parts_of_a_transfer_are_no_heartbeats() {
    let mut out = Vec::new();
    decoder().decode(&a_flow_going_on(100, u16::MAX), &mut out).unwrap();
    decoder().decode(&a_flow_going_on(0, 60), &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn a_packet_with_dns_gives_payload_and_message() {
    let mut out = Vec::new();
    decoder().decode(&a_dns_query(), &mut out).unwrap();
    let [payload, dns] = out.try_into().unwrap();
    assert!(matches!(payload.kind, Kind::Payload(_)) && payload.actor.is_none());
    let Kind::Dns(dns) = dns.kind else { panic!() };
    assert_eq!((dns.query.as_str(), dns.record_type.as_str(), dns.response), ("c2x.test", "A", false));
}

/// A segment of the connection with the cookie 9, from (1) or to (0) the container.
fn a_segment(direction: u32, seen: u64, text: &[u8]) -> Vec<u8> {
    let ports = if direction == 1 { [0x9c, 0x40, 0, 80] } else { [0, 80, 0x9c, 0x40] };
    let addresses = if direction == 1 { [10, 0, 0, 1, 10, 0, 0, 2] } else { [10, 0, 0, 2, 10, 0, 0, 1] };
    let total = u16::try_from(40 + text.len()).unwrap().to_be_bytes();
    let ip = [
        &[0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 6, 0, 0][..],
        &addresses,
        &ports,
        &[0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 0, 0, 0, 0, 0, 0],
        text,
    ]
    .concat();
    Bytes::new(layout::PACKET, packet::BYTES)
        .u32(packet::DIRECTION, direction)
        .put(packet::COOKIE, &9_u64.to_ne_bytes())
        .put(packet::SEEN_BYTES, &seen.to_ne_bytes())
        .u32(packet::WIRE_LEN, u32::try_from(ip.len()).unwrap())
        .part(packet::CAPTURED_LEN, &ip)
        .done()
}

#[test]
fn a_request_is_told_with_its_answer_or_when_its_connection_closes() {
    let mut decoder = decoder();
    let mut http = |record: &[u8]| -> Vec<(String, bool, u16)> {
        let mut out = Vec::new();
        decoder.decode(record, &mut out).unwrap();
        let told = |event: event::Event| match event.kind {
            Kind::Http(http) => {
                Some((format!("{} {}", http.method, http.target.as_str()), http.initiated, http.status))
            }
            _ => None,
        };
        out.into_iter().filter_map(told).collect()
    };
    assert_eq!(http(&a_segment(1, 0, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")), []);
    assert_eq!(http(&a_segment(0, 0, b"HTTP/1.1 404 Gone\r\n\r\n")), [("GET /a".into(), true, 404)]);
    let two = [
        wire::http2::PREFACE,
        b"\0\0\0\x04\0\0\0\0\0\0\0\x03\x01\x05\0\0\0\x01\x83\x86\x84\0\0\x03\x01\x05\0\0\0\x03\x82\x86\x85",
    ];
    let two = two.concat();
    let (one, rest) = two.split_at(30);
    assert_eq!(http(&a_segment(0, 100, one)), []);
    assert_eq!(http(&a_segment(0, 130, rest)), []);
    let answer = b"\0\0\x01\x01\x05\0\0\0\x03\x88";
    assert_eq!(http(&a_segment(1, 50, answer)), [("GET /index.html".into(), false, 200)]);
    let close = Bytes::new(layout::TCP, tcp::BYTES)
        .u32(tcp::NEW_STATE, 7)
        .put(tcp::COOKIE, &9_u64.to_ne_bytes())
        .u16(tcp::E + endpoint::FAMILY, 2)
        .done();
    assert_eq!(http(&close), [("POST /".into(), false, 0)]);
}

#[test]
fn a_mount_has_source_target_and_type() {
    let Kind::Syscall(call) = decode_one(&a_mount()).kind else { panic!() };
    assert_eq!((call.source.as_str(), call.path.as_str()), ("/dev/vda", "/mnt"));
    assert_eq!(call.detail, ["MS_BIND", "ext4"]);
}

#[test]
fn unknown_kinds_and_lengths_are_errors() {
    let check = |bytes: &[u8], expect: &str| {
        let mut out = Vec::new();
        let error = decoder().decode(bytes, &mut out).unwrap_err();
        assert_eq!((error.to_string().as_str(), out.len()), (expect, 0));
    };
    check(&[], "record of 0 bytes where 8 are needed");
    check(&Bytes::new(99, header::BYTES).done(), "unknown record kind 99");
    let mut beyond = an_exec();
    beyond[exec::PATH_LEN..exec::PATH_LEN + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert!(matches!(decoder().decode(&beyond, &mut Vec::new()), Err(DecodeError::Part { .. })));
}

#[test]
fn the_clock_step_is_an_event_and_moves_later_wall_times() {
    let mut decoder = decoder();
    assert_eq!(decoder.tick(Duration::from_secs(11), Duration::from_secs(1011)), None);
    let step = decoder.tick(Duration::from_secs(12), Duration::from_secs(512)).unwrap();
    assert!(matches!(step.kind, Kind::ClockStep(s) if s.by_ns == -500_000_000_000));
    assert_eq!(decoder.wall(event::BootTime(0)).as_millis(), 500_000);
}

#[test]
fn damaged_records_never_panic() {
    let valid = [an_exec(), a_rename(), a_connect(), a_dns_query(), a_flow_going_on(100, 60), a_mount()];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut pick = move |below: usize| usize::try_from(next() % u64::try_from(below).unwrap()).unwrap();
    let mut decoder = decoder();
    let mut out = Vec::new();
    for round in 0..200_000 {
        let mut bytes = valid[round % valid.len()].clone();
        for _ in 0..=pick(6) {
            let at = pick(bytes.len());
            bytes[at] = [0, 1, 0x7f, 0xff, u8::try_from(pick(256)).unwrap()][pick(5)];
        }
        if pick(4) == 0 {
            bytes[header::KIND] = u8::try_from(pick(16)).unwrap();
        }
        if pick(8) == 0 {
            bytes.truncate(pick(bytes.len()));
        }
        out.clear();
        // Whether it is an error does not matter here: only that it returns.
        let _ = decoder.decode(&bytes, &mut out);
        assert!(out.len() <= 2);
    }
}

#[test]
fn every_prefix_of_a_record_is_an_error() {
    for bytes in [an_exec(), a_rename(), a_connect(), a_dns_query(), a_flow_going_on(100, 60), a_mount()] {
        for len in 0..bytes.len() {
            assert!(decoder().decode(&bytes[..len], &mut Vec::new()).is_err());
        }
    }
}
