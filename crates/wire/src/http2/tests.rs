use super::hpack::{Decoder, integer};
use super::*;
use crate::Direction;
use crate::bytes::Reader;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Blocks of one connection, each with its fields as `name: value` and the size of the table behind it.
fn check(before: &str, blocks: &[(&str, &[&str], usize)]) {
    let mut decoder = Decoder::default();
    decoder.block(&hex(before), &mut |_, _| panic!("no field")).expect("a size");
    for (block, expect, size_bytes) in blocks {
        let mut found = Vec::new();
        let mut note = |name: &[u8], value: &[u8]| {
            found.push(format!("{}: {}", name.escape_ascii(), value.escape_ascii()));
        };
        decoder.block(&hex(block), &mut note).expect("a block");
        assert_eq!((found, decoder.size_bytes()), (expect.iter().map(|&s| s.into()).collect(), *size_bytes));
    }
}

/// RFC 7541 C.1.
#[test]
fn integers_of_the_rfc() {
    for (bytes, prefix_bits, value) in
        [(&[0x0a][..], 5, Ok(10)), (&[0x1f, 0x9a, 0x0a], 5, Ok(1337)), (&[0x2a], 8, Ok(42))]
    {
        let mut reader = Reader::new(&bytes[1..]);
        assert_eq!(integer(bytes[0], prefix_bits, &mut reader), value);
    }
    let endless = &[0xff; 9];
    assert_eq!(integer(0xff, 7, &mut Reader::new(endless)), Err(Error::Integer));
    assert_eq!(integer(0xff, 7, &mut Reader::new(&[0x80])), Err(Error::Cut));
}

/// RFC 7541 C.2.
#[test]
fn each_form_of_a_field_of_the_rfc() {
    let custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    check("", &[(custom, &["custom-key: custom-header"], 55)]);
    check("", &[("040c 2f73 616d 706c 652f 7061 7468", &[":path: /sample/path"], 0)]);
    check("", &[("1008 7061 7373 776f 7264 0673 6563 7265 74", &["password: secret"], 0)]);
    check("", &[("82", &[":method: GET"], 0)]);
}

const REQUESTS: [&[&str]; 3] = [
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    &[
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ],
];

/// RFC 7541 C.3 and C.4.
#[test]
fn requests_of_the_rfc_with_and_without_huffman() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for [first, second, third] in [plain, coded] {
        check("", &[(first, REQUESTS[0], 57), (second, REQUESTS[1], 110), (third, REQUESTS[2], 164)]);
    }
}

/// RFC 7541 C.5 and C.6: entries go, as the table has 256 bytes.
#[test]
fn responses_of_the_rfc_with_and_without_huffman() {
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
         474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
         666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
         3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718
         63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
         b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    let [date, later, location] = [
        "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "date: Mon, 21 Oct 2013 20:13:22 GMT",
        "location: https://www.example.com",
    ];
    let cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    for [first, second, third] in [plain, coded] {
        let expect: [(&str, &[&str], usize); 3] = [
            (first, &[":status: 302", "cache-control: private", date, location], 222),
            (second, &[":status: 307", "cache-control: private", date, location], 222),
            (
                third,
                &[
                    ":status: 200",
                    "cache-control: private",
                    later,
                    location,
                    "content-encoding: gzip",
                    cookie,
                ],
                215,
            ),
        ];
        check("3fe101", &expect);
    }
}

#[test]
fn hostile_blocks_are_refused() {
    for (block, error) in [
        ("80", Error::Index(0)),
        ("be", Error::Index(62)),
        ("7f80 8080 80", Error::Integer),
        ("3fff ff7f", Error::Table(2_097_182)),
        ("000a", Error::Cut),
        ("0081 00", Error::Huffman),
        (&"82".repeat(MAX_FIELDS + 1), Error::Fields),
    ] {
        assert_eq!(Decoder::default().block(&hex(block), &mut |_, _| {}), Err(error), "{block}");
    }
    // A table that may hold nothing holds nothing, whatever is added.
    check("20", &[("4001 6101 62", &["a: b"], 0)]);
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("small").to_be_bytes();
    [&[0, len[0], len[1], kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// A preface, settings, a request with padding and priority, one in three frames, a body, a request by the table.
fn client() -> Vec<u8> {
    let first = hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff");
    let padded = [&[3][..], &[0, 0, 0, 0, 16], &first, &[0; 3]].concat();
    let second = hex("8386 84be 5f10 6170 706c 6963 6174 696f 6e2f 6772 7063 7a03 6375 72");
    [
        PREFACE.to_vec(),
        frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(1, 0x2d, 1, &padded),
        frame(1, 0, 3, &second[..5]),
        frame(9, 0, 3, &second[5..9]),
        frame(9, 4, 3, &second[9..]),
        frame(0, 1, 3, &[0xff; 300]),
        frame(1, 5, 5, &hex("8286 84c0")),
    ]
    .concat()
}

fn messages(pieces: &[&[u8]]) -> Vec<String> {
    let mut side = Side::new(Direction::ToServer);
    let mut found = Vec::new();
    for piece in pieces {
        side.take(piece, &mut |m| {
            let shown = [&m.method, &m.authority, &m.target, &m.media_type, &m.agent]
                .map(|text| text.escape_ascii().to_string());
            found.push(format!("{} {}", m.stream, shown.join(" ").trim_end()));
        });
    }
    found
}

const EXPECT: [&str; 3] =
    ["1 GET www.example.com /", "3 POST www.example.com / application/grpc cur", "5 GET www.example.com /"];

#[test]
fn requests_are_read_through_padding_priority_continuation_and_bodies() {
    assert_eq!(messages(&[&client()]), EXPECT);
}

#[test]
fn however_the_bytes_are_cut_the_messages_are_the_same() {
    let whole = client();
    for at in 0..whole.len() {
        assert_eq!(messages(&[&whole[..at], &whole[at..]]), EXPECT, "cut at {at}");
    }
    let single: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(messages(&single), EXPECT);
}

#[test]
fn every_prefix_gives_the_messages_that_are_whole() {
    let whole = client();
    for end in 0..whole.len() {
        let found = messages(&[&whole[..end]]);
        assert!(
            EXPECT.starts_with(&found.iter().map(String::as_str).collect::<Vec<_>>()),
            "{end} bytes: {found:?}"
        );
    }
}

#[test]
fn a_response_has_its_status_and_what_follows_a_body_has_neither() {
    let mut side = Side::new(Direction::ToClient);
    let mut found = Vec::new();
    let bytes = [
        frame(4, 0, 0, &[]),
        frame(1, 4, 1, &hex("88 5f10 6170 706c 6963 6174 696f 6e2f 6772 7063")),
        frame(1, 5, 1, &hex("4001 6101 30")),
    ]
    .concat();
    side.take(&bytes, &mut |m| found.push((m.status, m.media_type.to_vec(), m.method.is_empty())));
    assert_eq!(found, [(200, b"application/grpc".to_vec(), true), (0, Vec::new(), true)]);
}

#[test]
fn what_cannot_be_read_on_says_why_and_keeps_nothing() {
    let check = |bytes: &[u8], expect: Error| {
        let mut side = Side::new(Direction::ToClient);
        side.take(bytes, &mut |_| {});
        assert_eq!(side.error(), Some(expect), "{bytes:x?}");
        side.take(&frame(1, 5, 1, &[0x88]), &mut |_| panic!("nothing is read any more"));
    };
    check(&[0, 0x40, 1, 1, 0, 0, 0, 0, 1], Error::Block);
    check(&frame(9, 4, 1, &[0x88]), Error::Order);
    check(&[frame(1, 0, 1, &[0x88]), frame(1, 4, 3, &[0x88])].concat(), Error::Order);
    check(&frame(1, 0x0c, 1, &[9, 0x88]), Error::Cut);
    check(&frame(1, 4, 1, &[0xbe]), Error::Index(62));
    check(&[frame(1, 0, 1, &[0x82; 9000]), frame(9, 0, 1, &[0x82; 9000])].concat(), Error::Block);
    let mut side = Side::new(Direction::ToServer);
    side.take(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &mut |_| {});
    assert_eq!(side.error(), Some(Error::Preface));
    side.lose();
    assert_eq!(side.error(), Some(Error::Cut));
}
