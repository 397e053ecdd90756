//! `watchkeeper flows` from outside: what is printed of a capture that is made here, whole and cut.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, harmless, refused, run};

/// 2026-01-01T00:00:00Z.
const START_S: u32 = 1_767_225_600;

/// A pcap of raw IPv4 packets, a second apart.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    for (number, packet) in packets.iter().enumerate() {
        let len = u32::try_from(packet.len()).unwrap();
        for word in [START_S + u32::try_from(number).unwrap(), 0, len, len] {
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

#[test]
fn what_is_no_capture_is_refused() {
    let folder = Folder::new("flows-refused");
    let text = folder.file("notes.txt", "no capture");
    refused(&run(&[&"flows", &text]), 2, "neither pcap nor pcapng");
    refused(&run(&[&"flows", &folder.0.join("missing.pcap")]), 2, "cannot read");
    assert_eq!(run(&[&"flows"]).code, 2);
}
