//! What first messages say.

use super::*;

#[test]
fn the_hello_behind_starttls_is_read() {
    let mut feed = starttls();
    let hello = client_hello("mx.example.com");
    let (front, back) = hello.split_at(20);
    feed.client(PUSH, front);
    feed.client(PUSH, back);
    let flow = feed.only();
    assert_eq!((flow.verdict.protocol, flow.changed_to), (Protocol::Smtp, Some(Protocol::Tls)));
    assert_eq!(flow.names.sni.as_deref(), Some("mx.example.com"));
    assert_eq!(flow.names.details.get(Detail::Commands), Some("EHLO STARTTLS"));
}

#[test]
fn a_login_a_nick_and_a_client_id_are_kept() {
    let check = |server: &[u8], client: &[u8], protocol, detail, value: &str| {
        let mut feed = Feed::open(4444);
        if !server.is_empty() {
            feed.server(PUSH, server);
        }
        feed.client(PUSH, client);
        let flow = feed.only();
        assert_eq!(flow.verdict.protocol, protocol);
        assert_eq!(flow.names.details.get(detail), Some(value));
    };
    check(b"220 ftp ready\r\n", b"USER eve\r\n", Protocol::Ftp, Detail::User, "eve");
    check(b"", b"NICK bot\r\nUSER a 0 * :b\r\n", Protocol::Irc, Detail::User, "bot");
    let connect = b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x3c\x00\x03bot";
    check(b"", connect, Protocol::Mqtt, Detail::ClientId, "bot");
}

#[test]
fn what_the_server_of_tls_chose_is_kept() {
    let mut feed = Feed::open(443);
    feed.client(PUSH, &client_hello("a.test"));
    // TLS 1.3, one suite, the extension with the version.
    let body = [&[3, 3][..], &[7; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    let len = u8::try_from(body.len()).expect("short");
    feed.server(PUSH, &[&[22, 3, 3, 0, len + 4, 2, 0, 0, len], &body[..]].concat());
    let flow = feed.only();
    assert_eq!(flow.names.details.get(Detail::TlsVersion), Some("1.3"));
}

#[test]
fn echo_data_that_no_ping_sends_and_replies_that_differ_are_facts() {
    let facts = |request: &[u8], reply: &[u8]| {
        let mut feed = Feed::new(0);
        feed.packet(&ipv4(1, CLIENT, SERVER, &[&[8, 0, 0, 0, 0, 1, 0, 2], request].concat()));
        feed.packet(&ipv4(1, SERVER, CLIENT, &[&[0, 0, 0, 0, 0, 1, 0, 2], reply].concat()));
        let facts: Vec<Fact> = feed.only().facts.iter().collect();
        facts
    };
    let usual: Vec<u8> = (0..48).collect();
    assert_eq!(facts(&usual, &usual), []);
    assert_eq!(facts(&usual, &[0; 48]), [Fact::EchoDiffers]);
    let tunnel = b"GET /task?id=77 HTTP/1.1 and more";
    assert_eq!(facts(tunnel, tunnel), [Fact::UnusualEcho]);
}

#[test]
fn names_made_up_as_tor_does_are_a_fact() {
    let is_tor_like = |name: &str| {
        let mut feed = Feed::open(9001);
        feed.client(PUSH, &client_hello(name));
        feed.only().facts.contains(Fact::TorLikeNames)
    };
    assert!(is_tor_like("www.q4cyamnc6mtokjurvdclt.com"));
    assert!(
        !is_tor_like("www.facebook.com") && !is_tor_like("www.163.com") && !is_tor_like("q4cyamnc6mto.com")
    );
}
