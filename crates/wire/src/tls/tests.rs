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
}

#[test]
fn every_prefix_is_refused_or_says_that_it_ends_early() {
    let stream = record(&message());
    for end in 0..stream.len() {
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
