use super::*;

/// A vector with two bytes of length.
fn vector(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("small").to_be_bytes()[..], bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(data)].concat()
}

/// A hello with reserved values, a name, two application protocols and two versions.
fn message() -> Vec<u8> {
    let name = vector(&[&[0][..], &vector(b"c2.example.com")].concat());
    let extensions = [
        extension(0x1a1a, b""),
        extension(0, &name),
        extension(16, &vector(b"\x02h2\x08http/1.1")),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(13, &vector(&[4, 3, 8, 4])),
    ]
    .concat();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &vector(&[0x2a, 0x2a, 0x13, 2, 0x13, 1]),
        &[1, 0],
        &vector(&extensions),
    ]
    .concat();
    let length = u32::try_from(body.len()).expect("small").to_be_bytes();
    [&[1][..], &length[1..], &body].concat()
}

fn record(bytes: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &vector(bytes)].concat()
}

#[test]
fn a_hello_gives_its_name_versions_and_protocols() {
    let hello = client_hello(&record(&message())).expect("a hello");
    assert_eq!(hello.server_name.as_deref(), Some("c2.example.com"));
    assert_eq!(hello.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(hello.versions, [0x0304, 0x0303]);
    assert_eq!(hello.cipher_suites, [0x2a2a, 0x1302, 0x1301]);
    assert_eq!(hello.signature_algorithms, [0x0403, 0x0804]);
    assert_eq!(hello.incomplete, None);
}

#[test]
fn a_hello_in_two_records_is_joined() {
    let message = message();
    let (front, back) = message.split_at(60);
    let stream = [record(front), record(back), vec![20, 3, 3, 0, 1, 1]].concat();
    assert_eq!(client_hello(&stream), client_hello(&record(&message)));
    assert!(is_hello_over(&stream) && is_hello_over(&stream[..stream.len() - 6]));
    assert!(!is_hello_over(&stream[..stream.len() - 7]));
    // The length of the message stands in two records.
    let (front, back) = message.split_at(2);
    let stream = [record(front), record(back)].concat();
    assert!(is_hello_over(&stream) && !is_hello_over(&stream[..stream.len() - 1]));
}

#[test]
fn every_prefix_is_refused_or_says_that_it_ends_early() {
    let stream = record(&message());
    for end in 0..stream.len() {
        assert!(!is_hello_over(&stream[..end]), "prefix of {end} bytes");
        match client_hello(&stream[..end]) {
            Err(error) => assert_eq!(error, Error::NotHello, "prefix of {end} bytes"),
            Ok(hello) => assert!(
                matches!(hello.incomplete, Some(Error::Truncated { .. })),
                "prefix of {end} bytes: {hello:?}"
            ),
        }
    }
}

#[test]
fn a_fingerprint_ignores_reserved_values_and_the_order_of_suites() {
    let hello = client_hello(&record(&message())).expect("a hello");
    let ja4 = hello.ja4(Carrier::Tcp).expect("whole");
    assert!(ja4.starts_with("t13d0204h2_"), "{ja4}");
    // SHA-256 of "1301,1302".
    assert_eq!(ja4.split('_').nth(1), Some("62ed6f6ca7ad"));
    let mut turned = hello.clone();
    turned.cipher_suites = vec![0x1301, 0x3a3a, 0x1302];
    assert_eq!(turned.ja4(Carrier::Tcp), Some(ja4));
}

#[test]
fn a_name_of_hostile_bytes_is_escaped() {
    let name = vector(&[&[0][..], &vector(b"\x1b[2Jevil")].concat());
    let extensions = extension(0, &name);
    let body = [&[3, 3][..], &[7; 32], &[0], &vector(&[0x13, 1]), &[1, 0], &vector(&extensions)].concat();
    let length = u32::try_from(body.len()).expect("small").to_be_bytes();
    let hello = client_hello_message(&[&[1][..], &length[1..], &body].concat()).expect("a hello");
    assert_eq!(hello.server_name.as_deref(), Some("\\x1b[2Jevil"));
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..0x80) => element.push(short),
        _ => element
            .extend([&[0x82][..], &u16::try_from(content.len()).expect("small").to_be_bytes()].concat()),
    }
    [element, content].concat()
}

fn name(common: &[u8]) -> Vec<u8> {
    let attribute = |kind: u8, value: &[u8]| {
        der(0x31, &[&der(0x30, &[&der(6, &[&[0x55, 4, kind]]), &der(12, &[value])])])
    };
    der(0x30, &[&attribute(3, common), &attribute(10, b"A, Inc")])
}

fn leaf(issuer: &[u8], subject: &[u8]) -> Vec<u8> {
    let validity = der(0x30, &[&der(0x17, &[b"240131000000Z"]), &der(0x18, &[b"20500101235959Z"])]);
    let fields = [
        der(0xa0, &[&der(2, &[&[2]])]),
        der(2, &[&[7]]),
        der(0x30, &[]),
        name(issuer),
        validity,
        name(subject),
    ];
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    der(0x30, &[&der(0x30, &fields)])
}

/// ServerHello of TLS 1.2 and a certificate.
fn flight(leaf: &[u8]) -> Vec<u8> {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len()).expect("small").to_be_bytes();
        [&[kind][..], &length[1..], body].concat()
    };
    let hello =
        [&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0, 0, 9], &extension(16, b"\x00\x03\x02h2")].concat();
    let sized = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("small").to_be_bytes();
        [&length[1..], bytes].concat()
    };
    [record(&message(2, &hello)), record(&message(11, &sized(&sized(leaf))))].concat()
}

#[test]
fn a_server_says_its_choice_and_its_certificate() {
    let found = server_flight(&flight(&leaf(b"ca.test", b"c2.test"))).expect("a flight");
    assert_eq!(
        (found.version, found.cipher_suite, found.alpn.as_deref()),
        (0x0303, 0xc02f, Some(&b"h2"[..]))
    );
    let shown = found.certificate.expect("a certificate");
    assert_eq!(shown.subject, "CN=c2.test,O=A\\, Inc");
    assert_eq!((shown.issuer.as_str(), shown.self_issued), ("CN=ca.test,O=A\\, Inc", false));
    assert_eq!(shown.not_before, "2024-01-31T00:00:00Z");
    assert_eq!(shown.not_after, "2050-01-01T23:59:59Z");
    assert!(certificate(&leaf(b"a", b"a")).is_some_and(|same| same.self_issued));
}

#[test]
fn every_prefix_of_a_flight_asks_for_more_and_every_prefix_of_a_certificate_is_refused() {
    let leaf = leaf(b"ca.test", b"\x1b[2J");
    let stream = flight(&leaf);
    for end in 0..stream.len() {
        let found = server_flight(&stream[..end]);
        assert!(found.is_none_or(|found| found.incomplete), "prefix of {end} bytes");
        assert!(!is_flight_over(&stream[..end]), "prefix of {end} bytes");
    }
    assert!(is_flight_over(&stream) && is_flight_over(b"HTTP/1.1"));
    for end in 0..leaf.len() {
        assert_eq!(certificate(&leaf[..end]), None, "prefix of {end} bytes");
    }
    assert!(certificate(&leaf).is_some_and(|read| read.subject.starts_with("CN=\\x1b[2J")));
}
