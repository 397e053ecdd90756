//! Ways to hide a protocol, and what is seen nevertheless.

use super::*;

const SHELL: &[u8] = b"uid=0(root) gid=0(root) groups=0(root)\n";

#[test]
fn overlapping_segments_show_both_readings() {
    // A receiver that keeps the later bytes reads a request, one that keeps the first reads nonsense.
    let mut feed = Feed::open(4444);
    let base = feed.sent;
    feed.client(PUSH, b"\x01\x02\x03\x04");
    feed.sent = base;
    feed.client(PUSH, b"GET / HTTP/1.1\r\nHost: c2.test\r\n\r\n");
    let flow = feed.only();
    assert_eq!(flow.verdict.protocol, Protocol::Http);
    assert!(flow.facts.contains(Fact::OverlappingSegments));
}

#[test]
fn tiny_fragments_are_joined() {
    let question =
        [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2][..], b"c2", &[4], b"test", &[0, 0, 1, 0, 1]].concat();
    let whole = udp((5000, 53), &question);
    let mut feed = Feed::new(0);
    // Eight bytes each, the last first.
    let parts: Vec<&[u8]> = whole.chunks(8).collect();
    for (number, part) in parts.iter().enumerate().rev() {
        let more = if number + 1 < parts.len() { 0x2000 } else { 0 };
        let offset = u16::try_from(number).expect("small");
        feed.packet(&ipv4_part(17, (CLIENT, SERVER), more | offset, part));
    }
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.sent.packets), (Protocol::Dns, 1));
    assert!(flow.facts.contains(Fact::Fragmented));
}

#[test]
fn banners_in_one_byte_segments_are_read() {
    let mut feed = Feed::open(2222);
    for byte in b"SSH-2.0-x\r\n" {
        feed.server(PUSH, &[*byte]);
        feed.client(PUSH, &[*byte]);
    }
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.verdict.confidence), (Protocol::Ssh, 99));
    assert!(flow.facts.contains(Fact::ProtocolOnForeignPort));
    assert_eq!(flow.names.details.get(Detail::SshServer), Some("SSH-2.0-x"));
}

#[test]
fn a_banner_after_thirty_seconds_of_silence_counts_as_the_first() {
    let mut feed = Feed::open(4444);
    feed.time_ns += 30 * SECOND_NS;
    feed.server(PUSH, b"SSH-2.0-OpenSSH_9.2\r\n");
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.payloads_until_verdict), (Protocol::Ssh, 1));
    assert!(flow.intervals.longest_s > 29.0);
}

#[test]
fn a_shell_behind_the_first_bytes_of_tls_is_a_shell() {
    // A record's header, then text.
    let mut feed = Feed::open(443);
    feed.client(PUSH, &[b"\x17\x03\x03\x00\x28", SHELL].concat());
    feed.server(PUSH, b"\x17\x03\x03\x00\x0eid; uname -a\r\n");
    let flow = feed.only();
    assert_eq!(flow.verdict.protocol, Protocol::PlaintextInteractive, "{:?}", flow.verdict);
    assert!(flow.facts.contains(Fact::ShellText) && flow.facts.contains(Fact::WrongStart));

    // A whole hello, and then no TLS.
    let mut feed = Feed::open(443);
    feed.client(PUSH, &client_hello("www.example.com"));
    feed.server(PUSH, b"id; uname -a\n");
    feed.client(PUSH, SHELL);
    let flow = feed.only();
    assert!(flow.verdict.confidence <= 65, "one side contradicts: {:?}", flow.verdict);
    assert!(flow.facts.contains(Fact::ShellText), "{:?}", flow.facts);
}

#[test]
fn dns_on_an_odd_port_is_dns_over_both_transports() {
    let question =
        [&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2][..], b"c2", &[4], b"test", &[0, 0, 1, 0, 1]].concat();
    let mut feed = Feed::new(0);
    feed.packet(&ipv4(17, CLIENT, SERVER, &udp((5000, 4444), &question)));
    let datagrams = feed.only();
    let mut feed = Feed::open(4444);
    feed.client(PUSH, &[&[0, u8::try_from(question.len()).expect("short")], &question[..]].concat());
    for flow in [datagrams, feed.only()] {
        assert_eq!(flow.verdict.protocol, Protocol::Dns);
        assert!(flow.facts.contains(Fact::ProtocolOnForeignPort));
    }
}
