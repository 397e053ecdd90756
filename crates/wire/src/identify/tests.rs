use super::*;

/// What each side said, and the protocol and confidence that must come of it.
fn check(transport: Transport, to_server: &[u8], to_client: &[u8], expect: (Protocol, u8)) {
    let mut identifier = Identifier::new(transport);
    identifier.feed(Direction::ToServer, to_server);
    identifier.feed(Direction::ToClient, to_client);
    let verdict = identifier.verdict();
    let shown = (to_server.escape_ascii().to_string(), to_client.escape_ascii().to_string());
    assert_eq!((verdict.protocol, verdict.confidence), expect, "{shown:?}: {}", verdict.evidence);
}

fn check_tcp(to_server: &[u8], to_client: &[u8], expect: (Protocol, u8)) {
    check(Transport::Tcp, to_server, to_client, expect);
}

fn check_udp(to_server: &[u8], to_client: &[u8], expect: (Protocol, u8)) {
    check(Transport::Udp, to_server, to_client, expect);
}

/// Deterministic bytes without pattern (xorshift64).
fn random(len: usize, mut state: u64) -> Vec<u8> {
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
const SERVER_HELLO: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";

#[test]
fn web_protocols() {
    check_tcp(CLIENT_HELLO, SERVER_HELLO, (Protocol::Tls, 99));
    check_tcp(CLIENT_HELLO, b"", (Protocol::Tls, 90));
    check_tcp(CLIENT_HELLO, b"\x15\x03\x01\x00\x02\x02\x28", (Protocol::Tls, 95));
    check_tcp(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\n", (Protocol::Http, 99));
    check_tcp(b"POST /gate.php HTTP/1.0\r\n", b"", (Protocol::Http, 90));
    check_tcp(b"GET /index.html\r\n", b"", (Protocol::Http, 50));
    check_tcp(b"GET lost\n", b"", (Protocol::PlaintextInteractive, 55));
    check_tcp(b"GET / HTTP/1.1\r\n\r\n", b"sh-5.1# ", (Protocol::Http, 65));
    let upgrade = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n";
    let switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    check_tcp(upgrade, switching, (Protocol::Websocket, 99));
    check_tcp(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", (Protocol::Http2, 90));
}

#[test]
fn remote_access_protocols() {
    check_tcp(b"SSH-2.0-Go\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", (Protocol::Ssh, 99));
    check_tcp(b"\xff\xfb\x18\xff\xfb\x1f", b"\xff\xfd\x18\xff\xfd\x1f", (Protocol::Telnet, 99));
    check_tcp(b"", b"\xff\xfd\x01login: ", (Protocol::Telnet, 90));
    check_tcp(b"RFB 003.008\n", b"RFB 003.008\n", (Protocol::Vnc, 99));
    check_tcp(
        b"\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=a\r\n",
        b"",
        (Protocol::Rdp, 90),
    );
    check_tcp(b"\x05\x01\x00", b"\x05\x00", (Protocol::Socks, 80));
    check_tcp(
        b"\x04\x01\x01\xbb\xc0\x00\x02\x07\x00",
        b"\x00\x5a\x01\xbb\x00\x00\x00\x00",
        (Protocol::Socks, 80),
    );
    check_tcp(b"\x00\x00\x00\x54\xfeSMB@\x00", b"", (Protocol::Smb, 90));
}

#[test]
fn mail_and_file_transfer() {
    check_tcp(b"EHLO a\r\n", b"220 mx.example.com ESMTP\r\n", (Protocol::Smtp, 99));
    check_tcp(b"EHLO a\r\n", b"220 hello\r\n", (Protocol::Smtp, 95));
    check_tcp(b"USER anonymous\r\n", b"220 ProFTPD Server ready\r\n", (Protocol::Ftp, 95));
    check_tcp(b"USER anonymous\r\n", b"220 hello\r\n331 password\r\n", (Protocol::Ftp, 95));
    check_tcp(b"USER a\r\n", b"+OK POP3 ready\r\n", (Protocol::Pop3, 95));
    check_tcp(b"CAPA\r\n", b"+OK Dovecot\r\n", (Protocol::Pop3, 95));
    check_tcp(b"a1 LOGIN a b\r\n", b"* OK IMAP4rev1 ready\r\n", (Protocol::Imap, 95));
}

#[test]
fn chat_queue_and_database_protocols() {
    check_tcp(b"NICK bot\r\nUSER a 0 * :b\r\n", b":irc.test 001 bot :hi\r\n", (Protocol::Irc, 99));
    check_tcp(b"PRIVMSG #c :hi\r\n", b"", (Protocol::Irc, 90));
    check_tcp(b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", (Protocol::Redis, 95));
    check_tcp(b"INFO\r\n", b"$3600\r\n# Server\r\n", (Protocol::Redis, 80));
    check_tcp(b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c", b"\x20\x02\x00\x00", (Protocol::Mqtt, 95));
    check_tcp(b"AMQP\x00\x00\x09\x01", b"", (Protocol::Amqp, 90));
    check_tcp(b"CONNECT {\"verbose\":false}\r\n", b"INFO {\"version\":\"2\"}\r\n", (Protocol::Nats, 99));
    check_tcp(b"set k 0 0 1\r\na\r\n", b"STORED\r\n", (Protocol::Memcached, 95));
    check_tcp(b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"N", (Protocol::Postgresql, 95));
    check_tcp(b"\x00\x00\x00\x12\x00\x03\x00\x00user\x00pg\x00\x00", b"", (Protocol::Postgresql, 90));
    check_tcp(b"", b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", (Protocol::Mysql, 90));
    check_tcp(b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00", b"", (Protocol::Ldap, 90));
    check_tcp(
        b"\x29\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00",
        b"",
        (Protocol::Mongodb, 90),
    );
}

#[test]
fn roles_may_be_reversed() {
    let mut identifier = Identifier::new(Transport::Tcp);
    identifier.feed(Direction::ToServer, b"HTTP/1.1 200 OK\r\n\r\n");
    identifier.feed(Direction::ToClient, b"GET /task HTTP/1.1\r\n\r\n");
    let verdict = identifier.verdict();
    assert_eq!((verdict.protocol, verdict.confidence, verdict.reversed), (Protocol::Http, 84, true));
}

#[test]
fn mining() {
    let subscribe = br#"{"id":1,"method":"mining.subscribe","params":["x/1"]}"#;
    check_tcp(subscribe, br#"{"id":1,"result":[[],"08",4],"error":null}"#, (Protocol::Stratum, 95));
    let login = br#"{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"w","pass":"x","agent":"y"}}"#;
    check_tcp(login, b"", (Protocol::Stratum, 90));
}

#[test]
fn datagrams() {
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01";
    check_udp(query, b"", (Protocol::Dns, 90));
    let mut ntp = [0u8; 48];
    ntp[0] = 0x23;
    let mut reply = ntp;
    reply[0] = 0x24;
    reply[1] = 2;
    check_udp(&ntp, &reply, (Protocol::Ntp, 80));
    check_udp(&ntp, b"", (Protocol::Ntp, 50));
    let mut quic = random(1200, 9);
    quic[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
    check_udp(&quic, b"", (Protocol::Quic, 90));
    check_udp(b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", b"", (Protocol::Stun, 90));
    check_udp(b"<34>Oct 11 22:14:15 host su: failed", b"", (Protocol::Syslog, 90));
    check_udp(b"0\x1a\x02\x01\x01\x04\x06public\xa0\x0d", b"", (Protocol::Snmp, 90));
    check_udp(b"\x00\x01boot.img\x00octet\x00", b"", (Protocol::Tftp, 90));
    let kerberos = b"j\x81\xa0\x30\x81\x9d\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa3";
    check_udp(kerberos, b"", (Protocol::Kerberos, 90));
    let mut wireguard = random(148, 5);
    wireguard[..4].copy_from_slice(&[1, 0, 0, 0]);
    check_udp(&wireguard, b"", (Protocol::Wireguard, 90));
}

#[test]
fn dns_over_tcp_is_seen_behind_its_length() {
    let query = b"\x00\x19\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01";
    check_tcp(query, b"", (Protocol::Dns, 90));
}

#[test]
fn plain_text_sessions_are_a_class_of_their_own() {
    use Protocol::PlaintextInteractive;
    check_tcp(b"/ # ", b"id\n", (PlaintextInteractive, 95));
    check_tcp(b"uid=0(root) gid=0(root)\n", b"id\n", (PlaintextInteractive, 95));
    check_tcp(b"hello\n", b"", (PlaintextInteractive, 55));
    check_tcp(b"hello\n", b"how are you\n", (PlaintextInteractive, 75));
    check_tcp(b"", b"web-1 login: ", (PlaintextInteractive, 85));
    check_tcp(b"\x7fELF\x02\x01\x01\x00\x00\x00\x00", b"cat /bin/ls\n", (PlaintextInteractive, 70));
    check_udp(b"whoami\n", b"root\n", (PlaintextInteractive, 95));
}

#[test]
fn text_for_programs_is_not_interactive() {
    check_tcp(b"OPTIONS rtsp://a/ RTSP/1.0\r\nCSeq: 2\r\n", b"", (Protocol::Unknown, 60));
    check_tcp(b"{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n", b"", (Protocol::Unknown, 60));
    check_udp(b"\x07", b"\t", (Protocol::Unknown, 50));
    check_tcp(b"{\"a\":1}\n", b"", (Protocol::Unknown, 60));
    check_tcp(b"servers.web1.cpu 12.5 1700000000\n", b"", (Protocol::Unknown, 60));
    check_udp(b"requests:1|c", b"", (Protocol::Unknown, 50));
}

#[test]
fn random_bytes_are_fully_encrypted_and_short_or_structured_ones_are_not() {
    check_tcp(&random(300, 1), &random(300, 2), (Protocol::FullyEncrypted, 85));
    check_tcp(&random(64, 3), b"", (Protocol::FullyEncrypted, 70));
    check_tcp(&random(16, 4), b"", (Protocol::Unknown, 50));
    check_tcp(&[0xaa; 300], b"", (Protocol::Unknown, 50));
    check_tcp(&[0, 1, 2, 3].repeat(40), b"", (Protocol::Unknown, 50));
}

#[test]
fn each_exemption_of_the_paper_holds_alone() {
    use encrypted::{Exemption, exemption};
    let base = random(200, 7);
    assert_eq!(exemption(&base), None);
    assert_eq!(exemption(&[0x01; 100]), Some(Exemption::BitCount));
    assert_eq!(exemption(&[0xff; 100]), Some(Exemption::BitCount));
    let with = |at: usize, bytes: &[u8]| {
        let mut payload = base.clone();
        payload[at..at + bytes.len()].copy_from_slice(bytes);
        payload
    };
    assert_eq!(exemption(&with(0, b"banner")), Some(Exemption::PrintableStart));
    assert_eq!(exemption(&with(50, b"common name of a server")), Some(Exemption::PrintableRun));
    assert_eq!(exemption(&with(0, b"\x16\x03\x01")), Some(Exemption::KnownProtocol));
    let mixed = [0x81, b'w', b'C', 0x99, b'a'].repeat(20);
    assert_eq!(exemption(&mixed), Some(Exemption::MostlyPrintable));
}

#[test]
fn streams_join_and_datagrams_do_not() {
    let mut stream = Identifier::new(Transport::Tcp);
    for part in [&b"GET"[..], b" / HT", b"TP/1.1\r\n"] {
        stream.feed(Direction::ToServer, part);
    }
    assert_eq!(stream.verdict().protocol, Protocol::Http);
    let mut datagrams = Identifier::new(Transport::Udp);
    datagrams.feed(Direction::ToServer, b"<34>Oct 11 host su: failed");
    datagrams.feed(Direction::ToServer, b"\xff\xff\xff");
    assert_eq!(datagrams.verdict().protocol, Protocol::Syslog);
}

#[test]
fn no_more_than_the_limit_is_kept() {
    let mut identifier = Identifier::new(Transport::Tcp);
    assert_eq!(identifier.verdict().evidence, "no payload seen");
    for _ in 0..100 {
        identifier.feed(Direction::ToServer, &[b'x'; 100]);
        identifier.feed(Direction::ToClient, &[b'x'; 10_000]);
    }
    assert_eq!((identifier.to_server.len(), identifier.to_client.len()), (MAX_KEPT_BYTES, MAX_KEPT_BYTES));
    assert!(identifier.is_full());
}

#[test]
fn random_bytes_show_the_stated_share_of_distinct_values() {
    let share = |seed: usize| {
        let len = encrypted::MIN_JUDGED_BYTES + seed % (MAX_KEPT_BYTES - encrypted::MIN_JUDGED_BYTES);
        encrypted::distinct_share(&random(len, seed as u64 + 1))
    };
    let least = (0..10_000).map(share).fold(f64::INFINITY, f64::min);

    assert!(least > encrypted::MIN_DISTINCT_SHARE, "{least}");
}

#[test]
fn stores_whose_frames_must_fit_together() {
    let kafka = b"\x00\x00\x00\x0e\x00\x12\x00\x03\x00\x00\x00\x01\x00\x04test";
    check_tcp(kafka, b"\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00", (Protocol::Kafka, 95));
    // One byte more than the length says.
    let longer = [&kafka[..], b"x"].concat();
    check_tcp(&longer, b"", (Protocol::Unknown, 50));
    let startup = b"\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0";
    check_tcp(startup, b"\x84\x00\x00\x00\x02\x00\x00\x00\x00", (Protocol::Cassandra, 95));
    check_tcp(
        b"CONNECT\naccept-version:1.2\nhost:a\n\n\0",
        b"CONNECTED\nversion:1.2\n\n\0",
        (Protocol::Stomp, 99),
    );
    let call = |program: u32, asked: u32| {
        let words = [7, 0, 2, program, 3, 3, 0, 0, 0, 0, asked, 3, 17, 0];
        words.map(u32::to_be_bytes).concat()
    };
    let reply = [7u32, 1, 0, 0, 0, 0, 0].map(u32::to_be_bytes).concat();
    check_udp(&call(100_003, 0), &reply, (Protocol::Nfs, 95));
    check_udp(&call(100_000, 100_005), &reply, (Protocol::Nfs, 95));
    check_udp(&call(100_000, 4), b"", (Protocol::Unknown, 50));
    let framed = [&[0x80, 0, 0, 56][..], &call(100_003, 0)].concat();
    check_tcp(&framed, b"", (Protocol::Nfs, 90));
}

#[test]
fn radius_attributes_must_fill_the_message() {
    let mut request = vec![1, 7, 0, 30];
    request.extend([0x5a; 16]);
    request.extend([1, 5, b'b', b'o', b'b', 6, 5, 0, 0, 2]);
    check_udp(&request, b"", (Protocol::Radius, 90));
    request[21] = 6;
    check_udp(&request, b"", (Protocol::Unknown, 50));
}

#[test]
fn tunnels_and_peer_to_peer_networks() {
    let mut reset = vec![0x38];
    reset.extend(random(8, 5));
    let mut answer = vec![0x40];
    answer.extend(random(8, 6));
    answer.extend([1, 0, 0, 0, 0]);
    answer.extend(&reset[1..9]);
    answer.extend([0; 4]);
    reset.extend([0; 5]);
    check_udp(&reset, &answer, (Protocol::Openvpn, 99));
    let framed = [&[0, 14][..], &reset].concat();
    check_tcp(&framed, b"", (Protocol::Openvpn, 90));
    check_udp(b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe", b"", (Protocol::Bittorrent, 90));
    let mut connect = vec![0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0];
    connect.extend([1, 2, 3, 4]);
    check_udp(&connect, b"", (Protocol::Bittorrent, 90));
}

#[test]
fn older_and_other_forms_of_datagrams() {
    // STUN without the cookie: a change request that fills the message.
    let mut binding = vec![0, 1, 0, 8];
    binding.extend(random(16, 9));
    binding.extend([0, 3, 0, 4, 0, 0, 0, 6]);
    check_udp(&binding, b"", (Protocol::Stun, 90));
    let solicit = [1, 0, 0, 1, 0, 1, 0, 2, 9, 9, 0, 8, 0, 2, 0, 0];
    check_udp(&solicit, b"", (Protocol::Dhcp, 90));
    check_udp(&solicit[..15], b"", (Protocol::Unknown, 50));
    check_udp(b"\0\x01\0\0\0\x01\0\0get a\r\n", b"", (Protocol::Memcached, 90));
    check_udp(b"\x0d12345678Q039\x01rest", b"", (Protocol::Quic, 90));
    let block = [&[0, 3, 0, 1][..], &random(512, 3)].concat();
    check_udp(&block, &[0, 4, 0, 1], (Protocol::Tftp, 80));
}

#[test]
fn the_first_byte_rules_out_no_probe_that_would_speak() {
    // What each kind of probe looks for behind its first byte, so that more than refusals are compared.
    let tails: &[&[u8]] = &[
        b"",
        b"SER root\r\n",
        b"HLO a\r\n",
        b"00 ftp smtp\r\n331 \r\nSSH-2.0-x\r\n",
        b" OK imap pop\r\n",
        b"\x00\x00\x00\x0a5.7.1\x00",
        b"\xff\xfb\x18",
        b"\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01",
        b"\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03",
        b"\x01\x00\x00\x21\x12\xa4\x42",
        b"\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00",
        b"\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0b",
        b"stream:stream <iq >",
        b"BitTorrent protocol 1:y1:q1:q",
        b"T / SIP/2.0\r\n",
    ];
    let noise: Vec<Vec<u8>> =
        (1..40).map(|seed| random(usize::try_from(seed * 13).expect("small"), seed)).collect();
    for transport in [Transport::Tcp, Transport::Udp] {
        let all = table::all(transport);
        for first in 0..=u8::MAX {
            for tail in tails.iter().map(|tail| tail.to_vec()).chain(noise.iter().cloned()) {
                let bytes = [&[first][..], &tail].concat();
                for (client, server) in [(&bytes[..], &b""[..]), (b"", &bytes), (&bytes, &bytes)] {
                    let every = best_of(all, all, client, server);
                    assert_eq!(known_protocol(transport, client, server), every, "{}", bytes.escape_ascii());
                }
            }
        }
    }
}

#[test]
fn a_protocol_is_confirmed_only_by_its_marks_on_both_sides() {
    let confirmed = |to_client: &[u8]| {
        confirm(Protocol::Tls, Transport::Tcp, CLIENT_HELLO, to_client).map(|verdict| verdict.confidence)
    };
    assert_eq!(confirmed(SERVER_HELLO), Some(99));
    assert_eq!((confirmed(b""), confirmed(b"HTTP/1.1 200 OK\r\n")), (None, None));
}
