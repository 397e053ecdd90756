use super::*;

const HEADER: usize = 12;

/// Builds messages; names are given on the wire, so that tests can make bad ones.
struct Builder(Vec<u8>);

impl Builder {
    fn new(flags: u16, counts: [u16; 4]) -> Self {
        let mut bytes = vec![0xbe, 0xef];
        bytes.extend(flags.to_be_bytes());
        for count in counts {
            bytes.extend(count.to_be_bytes());
        }
        Self(bytes)
    }

    fn question(mut self, name: &[u8], rtype: RecordType) -> Self {
        self.0.extend(name);
        self.0.extend(rtype.0.to_be_bytes());
        self.0.extend([0, 1]);
        self
    }

    fn record(mut self, name: &[u8], rtype: RecordType, data: &[u8]) -> Self {
        self = self.question(name, rtype);
        self.0.extend(300u32.to_be_bytes());
        self.0.extend(u16::try_from(data.len()).expect("small").to_be_bytes());
        self.0.extend(data);
        self
    }
}

const RESPONSE: u16 = 0x8180;
const POINTER_TO_QUESTION: &[u8] = &[0xc0, 12];
const C2_TEST: &[u8] = b"\x02c2\x04test\x00";

fn answer(rtype: RecordType, data: &[u8]) -> Vec<u8> {
    Builder::new(RESPONSE, [1, 1, 0, 0]).question(C2_TEST, rtype).record(POINTER_TO_QUESTION, rtype, data).0
}

fn check(rtype: RecordType, data: &[u8], expect: RecordData<'_>) {
    let bytes = answer(rtype, data);
    let message = parse(&bytes).expect("header and question are whole");
    assert_eq!(message.incomplete, None, "{rtype}");
    let record = message.answers.first().expect("one answer");
    assert_eq!((record.name.as_str(), record.ttl_s, &record.data), ("c2.test", 300, &expect), "{rtype}");
}

#[test]
fn each_decoded_type_gives_its_fields() {
    check(RecordType::A, &[192, 0, 2, 7], RecordData::A(Ipv4Addr::new(192, 0, 2, 7)));
    check(RecordType::AAAA, &Ipv6Addr::LOCALHOST.octets(), RecordData::Aaaa(Ipv6Addr::LOCALHOST));
    check(RecordType::CNAME, b"\x03www\xc0\x0c", RecordData::Cname("www.c2.test".into()));
    check(RecordType::NS, b"\x02ns\xc0\x0f", RecordData::Ns("ns.test".into()));
    check(RecordType::PTR, b"\x01a\x00", RecordData::Ptr("a".into()));
    check(
        RecordType::MX,
        b"\x00\x0a\x02mx\xc0\x0c",
        RecordData::Mx { preference: 10, exchange: "mx.c2.test".into() },
    );
    check(RecordType::TXT, b"\x02id\x00\x03ls\xff", RecordData::Txt(vec![b"id", b"", b"ls\xff"]));
    check(
        RecordType::SRV,
        b"\x00\x01\x00\x02\x11\x5c\x01x\x00",
        RecordData::Srv { priority: 1, weight: 2, port: 4444, target: "x".into() },
    );
    let mut soa = b"\x02ns\xc0\x0c\x04root\xc0\x0c".to_vec();
    soa.extend([0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    check(
        RecordType::SOA,
        &soa,
        RecordData::Soa { primary: "ns.c2.test".into(), mailbox: "root.c2.test".into(), serial: 9 },
    );
    check(
        RecordType::HTTPS,
        b"\x00\x01\x00\x00\x01\x00\x03\x02h2",
        RecordData::Svcb { priority: 1, target: ".".into(), parameters: b"\x00\x01\x00\x03\x02h2" },
    );
    check(RecordType::NULL, b"\x00\x01\x02", RecordData::Raw(&[0, 1, 2]));
}

#[test]
fn the_header_is_read_bit_by_bit() {
    let bytes = Builder::new(0xaa03, [0, 0, 0, 0]).0;
    let header = parse(&bytes).expect("a bare header").header;
    assert_eq!(header.id, 0xbeef);
    assert!(header.is_response() && header.is_truncated_by_server());
    assert_eq!((header.opcode(), header.rcode()), (5, 3));
}

#[test]
fn names_escape_dots_backslashes_and_everything_unprintable() {
    let name = b"\x06a.b\\\x1b \x02\xff\"\x00";
    let bytes = Builder::new(0, [1, 0, 0, 0]).question(name, RecordType::A).0;
    assert_eq!(parse(&bytes).expect("odd but legal").questions[0].name, r#"a\.b\\\027\032.\255""#);
}

#[test]
fn pointers_that_do_not_go_backwards_are_refused() {
    for (name, target) in [(&[0xc0, 12][..], 12), (&[0xc0, 200], 200), (b"\x01a\xc0\x0c", 12)] {
        let bytes = Builder::new(0, [1, 0, 0, 0]).question(name, RecordType::A).0;
        let error = parse(&bytes).expect_err("a loop");
        assert!(matches!(error, Error::Pointer { target: seen, .. } if seen == target), "{error}");
    }
}

#[test]
fn a_long_chain_of_backward_pointers_is_refused() {
    // A TXT record full of pointers, each to the one before, and an answer that enters at the end.
    let mut data = vec![0u8];
    let base = HEADER + C2_TEST.len() + 4 + 12;
    let mut target = base;
    for hop in 0..=MAX_POINTERS {
        let [high, low] = u16::try_from(target).expect("small").to_be_bytes();
        data.extend([0xc0 | high, low]);
        target = base + 1 + hop * 2;
    }
    let [high, low] = u16::try_from(target).expect("small").to_be_bytes();
    let bytes = Builder::new(RESPONSE, [1, 2, 0, 0])
        .question(C2_TEST, RecordType::A)
        .record(POINTER_TO_QUESTION, RecordType::NULL, &data)
        .record(&[0xc0 | high, low], RecordType::A, &[127, 0, 0, 1])
        .0;
    let message = parse(&bytes).expect("the question is whole");
    assert!(matches!(message.incomplete, Some(Error::Pointer { .. })), "{:?}", message.incomplete);
}

#[test]
fn names_and_labels_over_their_limits_are_refused() {
    let mut long = Vec::new();
    for _ in 0..5 {
        long.push(63);
        long.extend([b'a'; 63]);
    }
    long.push(0);
    let bytes = Builder::new(0, [1, 0, 0, 0]).question(&long, RecordType::A).0;
    assert_eq!(parse(&bytes), Err(Error::NameLength { offset: HEADER }));
    let bytes = Builder::new(0, [1, 0, 0, 0]).question(&[0x40, 0], RecordType::A).0;
    assert_eq!(parse(&bytes), Err(Error::LabelKind { offset: HEADER, kind: 0x40 }));
}

#[test]
fn a_name_of_exactly_the_limit_is_read() {
    let mut name = Vec::new();
    for len in [63u8, 63, 63, 61] {
        name.push(len);
        name.extend(vec![b'x'; usize::from(len)]);
    }
    name.push(0);
    assert_eq!(name.len(), MAX_NAME_BYTES);
    let bytes = Builder::new(0, [1, 0, 0, 0]).question(&name, RecordType::A).0;
    assert_eq!(parse(&bytes).expect("at the limit").questions[0].name.len(), 253);
}

#[test]
fn counts_over_their_limits_are_refused_or_cut_and_named() {
    let bytes = Builder::new(0, [33, 0, 0, 0]).0;
    assert_eq!(parse(&bytes), Err(Error::Questions { count: 33 }));
    let mut many = Builder::new(RESPONSE, [1, 600, 0, 0]).question(C2_TEST, RecordType::A);
    for _ in 0..600 {
        many = many.record(POINTER_TO_QUESTION, RecordType::A, &[10, 0, 0, 1]);
    }
    let message = parse(&many.0).expect("the question is whole");
    assert_eq!(message.answers.len(), MAX_RECORDS);
    assert_eq!(message.incomplete, Some(Error::Records { count: 600 }));
}

#[test]
fn data_that_does_not_fit_its_length_is_named() {
    for (rtype, data) in [
        (RecordType::A, &[1u8, 2, 3][..]),
        (RecordType::AAAA, &[0; 17]),
        (RecordType::CNAME, b"\x01a\x00junk"),
        (RecordType::CNAME, b"\x05abc"),
        (RecordType::TXT, b"\x05abc"),
        (RecordType::MX, b"\x00"),
        (RecordType::SOA, b"\x00\x00\x00"),
    ] {
        let bytes = answer(rtype, data);
        let message = parse(&bytes).expect("the question is whole");
        assert!(matches!(message.incomplete, Some(Error::RecordLength { .. })), "{rtype} {message:?}");
    }
}

#[test]
fn bytes_after_the_last_record_are_counted() {
    let mut bytes = answer(RecordType::A, &[10, 0, 0, 1]);
    bytes.extend(b"covert");
    assert_eq!(parse(&bytes).expect("whole").trailing_bytes, 6);
}

#[test]
fn every_prefix_of_a_message_is_refused_or_reported_incomplete() {
    let bytes = Builder::new(RESPONSE, [1, 2, 1, 1])
        .question(C2_TEST, RecordType::A)
        .record(POINTER_TO_QUESTION, RecordType::CNAME, b"\x03www\xc0\x0f")
        .record(POINTER_TO_QUESTION, RecordType::A, &[10, 0, 0, 1])
        .record(b"\x00", RecordType::NS, b"\x02ns\xc0\x0c")
        .record(b"\x00", RecordType::OPT, b"\x00\x0a\x00\x02ab")
        .0;
    assert_eq!(parse(&bytes).expect("whole").incomplete, None);
    for end in 0..bytes.len() {
        match parse(&bytes[..end]) {
            Err(error) => assert!(matches!(error, Error::Truncated { .. }), "{end}: {error}"),
            Ok(message) => {
                assert!(matches!(message.incomplete, Some(Error::Truncated { .. })), "{end}: {message:?}");
            }
        }
    }
}

#[test]
fn frames_are_split_at_their_length_prefix() {
    assert_eq!(split_frame(b"\x00\x02ab\x00\x01"), Frame::Whole { message: b"ab", rest: b"\x00\x01" });
    assert_eq!(split_frame(b"\x00\x05ab"), Frame::Partial { message: b"ab", missing_bytes: 3 });
    assert_eq!(split_frame(b"\x00"), Frame::Partial { message: b"", missing_bytes: 1 });
    assert_eq!(split_frame(b""), Frame::Partial { message: b"", missing_bytes: 2 });
}

#[test]
fn the_probe_knows_queries_answers_and_their_direction() {
    let query = Builder::new(0x0100, [1, 0, 0, 0]).question(C2_TEST, RecordType::A).0;
    assert!(matches!(probe(&query, Direction::ToServer), Probe::Certain(_)));
    assert_eq!(probe(&query, Direction::ToClient), Probe::No);
    let reply = answer(RecordType::A, &[10, 0, 0, 1]);
    assert!(matches!(probe(&reply, Direction::ToClient), Probe::Certain(_)));
    assert!(matches!(probe(&reply[..reply.len() - 2], Direction::ToClient), Probe::Unsure(_)));
    assert_eq!(probe(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Direction::ToServer), Probe::No);
    let mut framed = u16::try_from(query.len()).expect("small").to_be_bytes().to_vec();
    framed.extend(&query);
    assert!(matches!(probe_stream(&framed, Direction::ToServer), Probe::Certain(_)));
    let netbios = Builder::new(0x0110, [1, 0, 0, 0])
        .question(b"\x20FHEPFCELEHFCEPFFFACACACACACACABO\x00", RecordType(32))
        .0;
    assert_eq!(probe(&netbios, Direction::ToServer), Probe::No);
}
