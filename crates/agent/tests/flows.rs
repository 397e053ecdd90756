//! `watchkeeper flows` from outside: what is printed of a capture that is made here, whole and cut.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, harmless, refused, run};

/// 2026-01-01T00:00:00Z.
const START_S: u32 = 1_767_225_600;

/// A pcap of raw IPv4 packets, a second apart.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    timed((0..).zip(packets.iter().cloned()))
}

/// A pcap of raw IPv4 packets, each so many seconds after the begin.
fn timed(packets: impl Iterator<Item = (u32, Vec<u8>)>) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    for (after_s, packet) in packets {
        let len = u32::try_from(packet.len()).unwrap();
        for word in [START_S + after_s, 0, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

/// A TCP segment between 172.17.0.2:40000 and 192.0.2.7:4444.
fn segment(from_client: bool, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (client, server) = ([172, 17, 0, 2], [192, 0, 2, 7]);
    let (src, dst, ports) = if from_client {
        (client, server, [0x9c, 0x40, 0x11, 0x5c])
    } else {
        (server, client, [0x11, 0x5c, 0x9c, 0x40])
    };
    let total = u16::try_from(40 + payload.len()).unwrap().to_be_bytes();
    [
        &[0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 6, 0, 0][..],
        &src,
        &dst,
        &ports,
        &sequence.to_be_bytes(),
        &[0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0],
        payload,
    ]
    .concat()
}

fn web_on_an_odd_port() -> Vec<u8> {
    pcap(&[
        segment(true, 0, 2, b""),
        segment(false, 0, 0x12, b""),
        segment(true, 1, 0x18, b"GET / HTTP/1.1\r\nHost: \x1b[2Jc2.test\r\n\r\n"),
        segment(false, 1, 0x18, b"HTTP/1.1 200 OK\r\n\r\n"),
    ])
}

#[test]
fn a_flow_is_one_json_object_of_the_documented_fields() {
    let folder = Folder::new("flows-json");
    let file = folder.file("web.pcap", web_on_an_odd_port());
    let outcome = run(&[&"flows", &"--format", &"json", &file]);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    let mut flow: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    flow.as_object_mut().unwrap().remove("file");
    let expect = serde_json::json!({
        "src_ip": "172.17.0.2", "src_port": 40000, "dst_ip": "192.0.2.7", "dst_port": 4444,
        "transport": "tcp", "protocol": "http", "confidence": 99, "evidence": "HTTP/1 request line",
        "payloads": 1, "first": "2026-01-01T00:00:00.000Z", "last": "2026-01-01T00:00:03.000Z",
        "packets_out": 2, "packets_in": 2, "bytes_out": 117, "bytes_in": 99,
        "payload_out": 37, "payload_in": 19, "names": {"host": "\\x1b[2Jc2.test"},
        "facts": ["protocol_on_foreign_port"], "end": "input",
    });
    assert_eq!(flow, expect);
}

#[test]
fn text_is_one_line_that_acts_on_no_terminal() {
    let folder = Folder::new("flows-text");
    let outcome = run(&[&"flows", &folder.file("web.pcap", web_on_an_odd_port())]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    harmless(&outcome.out);
    let expect = "2026-01-01T00:00:00.000Z tcp 172.17.0.2:40000 > 192.0.2.7:4444 http 99% packets 2/2 bytes 117/99 host";
    assert!(outcome.out.starts_with(expect) && outcome.out.lines().count() == 1, "{}", outcome.out);
}

#[test]
fn a_cut_capture_gives_its_flows_and_the_place_of_the_cut() {
    let folder = Folder::new("flows-cut");
    let whole = web_on_an_odd_port();
    let outcome = run(&[&"flows", &folder.file("cut.pcap", &whole[..whole.len() - 5])]);
    assert_eq!((outcome.code, outcome.out.lines().count()), (0, 1));
    assert!(outcome.err.contains("capture ends inside a packet record at byte"), "{}", outcome.err);
}

/// Twelve connections a minute apart, then one that carries much.
fn check_ins() -> Vec<u8> {
    let connection = |number: u32, bytes: usize| {
        let (at_s, payload) = (number * 60, vec![b'x'; bytes]);
        let opens =
            [segment(true, 0, 2, b""), segment(false, 0, 0x12, b""), segment(true, 1, 0x18, &payload)];
        let closes = [segment(true, 1, 0x11, b""), segment(false, 1, 0x11, b"")];
        let mut packets: Vec<_> = opens.into_iter().chain(closes).map(|packet| (at_s, packet)).collect();
        if bytes > 1000 {
            // Another server.
            packets.iter_mut().for_each(|(_, packet)| {
                let at = if packet[12] == 192 { 15 } else { 19 };
                packet[at] = 99;
            });
        }
        packets
    };
    timed((0..12).flat_map(|number| connection(number, 100)).chain(connection(13, 9000)))
}

#[test]
fn facts_are_those_of_pairs_in_the_order_that_is_asked_for() {
    let folder = Folder::new("flows-facts");
    let file = folder.file("check-ins.pcap", check_ins());
    let pairs = |sort: &str| -> Vec<serde_json::Value> {
        let outcome = run(&[&"flows", &"--facts", &"--sort", &sort, &"--format", &"json", &file]);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
        outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let by_beacon = pairs("beacon");
    let [first, second] = &by_beacon[..] else { panic!("{by_beacon:?}") };
    assert_eq!(
        (first["source"].as_str(), first["destination"].as_str()),
        (Some("172.17.0.2"), Some("192.0.2.7"))
    );
    assert_eq!((first["port"].as_u64(), first["flows"].as_u64()), (Some(4444), Some(12)));
    assert_eq!(
        (first["beacon"]["check_ins"].as_u64(), first["payload_out"].as_u64()),
        (Some(12), Some(1200))
    );
    assert!(first["beacon"]["probability"].as_f64().unwrap() > 0.9, "{first}");
    assert!(second.get("beacon").is_none(), "{second}");
    assert_eq!(pairs("bytes")[0]["destination"], "192.0.2.99");
    let text = run(&[&"flows", &"--facts", &file]);
    assert!(text.out.starts_with("SOURCE") && text.out.lines().count() == 3, "{}", text.out);
}

#[test]
fn facts_are_made_of_zeeks_logs_and_not_of_events() {
    let folder = Folder::new("flows-facts-zeek");
    let head = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\n";
    let line = |number: u32| format!("{}\tC{number}\t10.0.0.5\t1\t198.51.100.9\t443\ttcp\t70\n", number * 30);
    let log = folder.file("conn.log", head.to_owned() + &(1..=20).map(line).collect::<String>());
    let outcome = run(&[&"flows", &"--facts", &"--format", &"json", &log]);
    let pair: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((pair["beacon"]["period_s"].as_f64(), pair["flows"].as_u64()), (Some(30.0), Some(20)));
    let events = folder.file("events.ndjson", common::HEAD);
    refused(&run(&[&"flows", &"--facts", &events]), 2, "holds no flows");
    assert_eq!(run(&[&"flows", &"--sort", &"bytes", &log]).code, 2);
}

#[test]
fn what_is_no_capture_is_refused() {
    let folder = Folder::new("flows-refused");
    let text = folder.file("notes.txt", "no capture");
    refused(&run(&[&"flows", &text]), 2, "neither pcap nor pcapng");
    refused(&run(&[&"flows", &folder.0.join("missing.pcap")]), 2, "cannot read");
    assert_eq!(run(&[&"flows"]).code, 2);
}
