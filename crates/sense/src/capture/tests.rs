use super::*;

/// A pcap of two packets, in the byte order and with the fraction's magic given.
fn pcap(order: Order, magic: u32) -> Vec<u8> {
    let word = |value: u32| match order {
        Order::Little => value.to_le_bytes(),
        Order::Big => value.to_be_bytes(),
    };
    let mut file = Vec::new();
    for value in [magic, 0x0002_0004, 0, 0, 65_535, 101] {
        file.extend(word(value));
    }
    for (fraction, frame) in [(1, &b"first"[..]), (2, b"second!")] {
        let len = u32::try_from(frame.len()).expect("small");
        for value in [1_700_000_000, fraction, len, len + 1] {
            file.extend(word(value));
        }
        file.extend(frame);
    }
    file
}

fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |value: u32| match order {
        Order::Little => value.to_le_bytes(),
        Order::Big => value.to_be_bytes(),
    };
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let len = u32::try_from(padded.len() + 12).expect("small");
    [&word(kind)[..], &word(len), &padded, &word(len)].concat()
}

/// Two interfaces: Ethernet in microseconds, raw IP in nanoseconds.
fn pcapng(order: Order) -> Vec<u8> {
    let w = |value: u32| match order {
        Order::Little => value.to_le_bytes(),
        Order::Big => value.to_be_bytes(),
    };
    let h = |value: u16| match order {
        Order::Little => value.to_le_bytes(),
        Order::Big => value.to_be_bytes(),
    };
    let section = [&w(0x1a2b_3c4d)[..], &h(1), &h(0), &[0xff; 8]].concat();
    let ethernet = [&h(1)[..], &h(0), &w(0)].concat();
    let raw = [&h(101)[..], &h(0), &w(0), &h(9), &h(1), &[9, 0, 0, 0], &[0; 4]].concat();
    let packet = |interface: u32, ticks: u64, frame: &[u8]| {
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        let len = u32::try_from(frame.len()).expect("small");
        [&w(interface)[..], &w(high), &w(low), &w(len), &w(len), frame].concat()
    };
    [
        block(order, pcapng::SECTION_HEADER, &section),
        block(order, 1, &ethernet),
        block(order, 1, &raw),
        block(order, 0xbad, b"unknown kinds are passed over"),
        block(order, 6, &packet(0, 1_700_000_000_000_001, b"first")),
        block(order, 6, &packet(1, 1_700_000_000_000_000_002, b"second!")),
    ]
    .concat()
}

/// Time, link type and bytes of a frame.
type Frame = (u64, u32, Vec<u8>);

/// The frames, and how reading ended.
fn read(file: &[u8]) -> (Vec<Frame>, Option<String>) {
    let mut capture = match Capture::new(std::io::Cursor::new(file.to_vec())) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut packets = Vec::new();
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => packets.push((packet.time_ns, packet.link, packet.frame.to_vec())),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
}

/// gzip without compression: one stored block of deflate.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("small");
    let mut file = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    file.extend(b"name\0");
    file.push(1);
    file.extend(len.to_le_bytes());
    file.extend((!len).to_le_bytes());
    file.extend(bytes);
    file.extend([0; 4]);
    file.extend(u32::from(len).to_le_bytes());
    file
}

const SECOND_NS: u64 = 1_700_000_000_000_000_000;

#[test]
fn pcap_is_read_in_both_byte_orders_and_resolutions() {
    for order in [Order::Little, Order::Big] {
        for (magic, unit) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] {
            let expect = vec![
                (SECOND_NS + unit, 101, b"first".to_vec()),
                (SECOND_NS + 2 * unit, 101, b"second!".to_vec()),
            ];
            assert_eq!(read(&pcap(order, magic)), (expect, None), "{order:?} {magic:x}");
        }
    }
}

#[test]
fn pcapng_is_read_in_both_byte_orders_with_each_interface_its_own_clock_and_link() {
    for order in [Order::Little, Order::Big] {
        let expect =
            vec![(SECOND_NS + 1000, 1, b"first".to_vec()), (SECOND_NS + 2, 101, b"second!".to_vec())];
        assert_eq!(read(&pcapng(order)), (expect, None), "{order:?}");
    }
}

#[test]
fn gzip_is_seen_through() {
    let plain = pcap(Order::Little, 0xa1b2_c3d4);
    assert_eq!(read(&gzip(&plain)), read(&plain));
    let two_members = [gzip(&plain[..30]), gzip(&plain[30..])].concat();
    assert_eq!(read(&two_members), read(&plain));
}

#[test]
fn a_cut_file_gives_what_was_before_and_says_where_it_ends() {
    let file = pcap(Order::Little, 0xa1b2_c3d4);
    let (packets, error) = read(&file[..file.len() - 1]);
    assert_eq!(
        (packets.len(), error.as_deref()),
        (1, Some("capture ends inside a packet record at byte 45"))
    );
    for file in [file.clone(), pcapng(Order::Big), gzip(&file)] {
        let whole = read(&file).0;
        for end in 0..file.len() {
            let (packets, error) = read(&file[..end]);
            assert!(whole.starts_with(&packets), "{end} bytes");
            assert!(error.is_some() || packets.len() < whole.len(), "{end} bytes");
        }
    }
}

#[test]
fn hostile_lengths_are_refused_with_their_place() {
    let mut file = pcap(Order::Little, 0xa1b2_c3d4);
    file[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read(&file).1.as_deref(), Some("packet record at byte 24 has captured length 4294967295"));
    let mut file = pcapng(Order::Little);
    let at = file.len() - 4 - 8 - 20;
    file[at..at + 4].copy_from_slice(&7u32.to_le_bytes());
    assert!(read(&file).1.is_some_and(|error| error.ends_with("has unknown interface 7")));
    assert_eq!(read(b"GET /").1.as_deref(), Some("first bytes 47455420 are neither pcap nor pcapng"));
}

#[test]
fn no_change_of_a_byte_makes_it_panic_or_hang() {
    let plain = pcap(Order::Little, 0xa1b2_c3d4);
    for file in [gzip(&plain), plain, pcapng(Order::Big), pcapng(Order::Little)] {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                assert!(read(&changed).0.len() <= 2);
            }
        }
    }
}
