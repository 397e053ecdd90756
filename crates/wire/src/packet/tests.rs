use super::*;

/// An IPv4 header of 20 bytes in front of `rest`.
fn ipv4(number: u8, fragment: u16, rest: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + rest.len()).expect("small");
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, number, 0, 0, 172, 17, 0, 2, 192, 0, 2, 7]);
    packet.extend(rest);
    packet
}

/// An IPv6 header whose next header is `number`, in front of `rest`.
fn ipv6(number: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(u16::try_from(rest.len()).expect("small").to_be_bytes());
    packet.extend([number, 64]);
    packet.extend([0; 15]);
    packet.push(1);
    packet.extend([0; 15]);
    packet.push(2);
    packet.extend(rest);
    packet
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![0xc0, 0x00, 0x11, 0x5c, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x18, 0, 0, 0, 0, 0, 0];
    segment.extend([1, 1, 1, 1]); // four bytes of options
    segment.extend(payload);
    segment
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x30, 0x39, 0, 53];
    datagram.extend(u16::try_from(8 + payload.len()).expect("small").to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

#[test]
fn tcp_over_ipv4_gives_endpoints_flags_and_payload() {
    let bytes = ipv4(6, 0, &tcp(b"id\n"));
    let packet = parse(&bytes).expect("a whole packet");
    assert_eq!(packet.src.to_string(), "172.17.0.2");
    assert_eq!(packet.dst.to_string(), "192.0.2.7");
    assert_eq!((packet.sport, packet.dport), (49152, 4444));
    assert!(packet.tcp_flags.contains(TcpFlags::PSH) && packet.tcp_flags.contains(TcpFlags::ACK));
    assert!(!packet.tcp_flags.contains(TcpFlags::SYN));
    assert_eq!((packet.payload, packet.truncated), (&b"id\n"[..], false));
}

#[test]
fn a_short_capture_keeps_what_it_has_and_says_so() {
    let bytes = ipv4(6, 0, &tcp(b"GET / HTTP/1.1\r\n"));
    let packet = parse(&bytes[..bytes.len() - 10]).expect("headers are whole");
    assert_eq!((packet.payload, packet.truncated), (&b"GET / "[..], true));
}

#[test]
fn link_layer_padding_is_not_payload() {
    let mut bytes = ipv4(17, 0, &udp(b"q"));
    bytes.extend([0; 17]);
    let packet = parse(&bytes).expect("a whole packet");
    assert_eq!((packet.payload, packet.truncated), (&b"q"[..], false));
}

#[test]
fn a_length_of_zero_from_offload_means_all_that_was_captured() {
    let mut bytes = ipv4(6, 0, &tcp(b"big"));
    bytes[2] = 0;
    bytes[3] = 0;
    assert_eq!(parse(&bytes).expect("offload").payload, b"big");
}

#[test]
fn ipv6_extension_headers_are_followed() {
    let mut rest = vec![43, 0, 0, 0, 0, 0, 0, 0]; // hop by hop, then routing
    rest.extend([17, 1]);
    rest.extend([0; 14]); // routing of sixteen bytes, then UDP
    rest.extend(udp(b"hello"));
    let bytes = ipv6(0, &rest);
    let packet = parse(&bytes).expect("a whole packet");
    assert_eq!(packet.dst.to_string(), "::2");
    assert_eq!((packet.transport, packet.payload), (Transport::Udp, &b"hello"[..]));
}

#[test]
fn an_endless_chain_of_extension_headers_is_refused() {
    let bytes = ipv6(0, &[0; 8 * 64]);
    assert_eq!(parse(&bytes), Err(Error::ExtensionHeaders));
}

#[test]
fn the_first_fragment_is_read_and_later_ones_are_named() {
    let bytes = ipv4(17, 0x2000, &udp(b"part"));
    assert!(parse(&bytes).expect("first fragment").truncated);
    let bytes = ipv4(17, 185, &udp(b"part"));
    assert_eq!(parse(&bytes), Err(Error::LaterFragment { offset_bytes: 1480 }));
    let bytes = ipv6(44, &[17, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(parse(&bytes), Err(Error::LaterFragment { offset_bytes: 8 }));
}

#[test]
fn what_is_no_tcp_or_udp_packet_says_what_it_is() {
    assert_eq!(parse(&ipv4(1, 0, &[8, 0, 0, 0])), Err(Error::Transport { number: 1 }));
    assert_eq!(parse(&[0x00, 0x01]), Err(Error::Version { version: 0 }));
    assert_eq!(parse(&[]), Err(Error::Truncated { header: "ip" }));
    let mut bytes = ipv4(6, 0, &tcp(b""));
    bytes[0] = 0x41;
    assert_eq!(parse(&bytes), Err(Error::HeaderLength { header: "ipv4", len_bytes: 4 }));
}

#[test]
fn every_prefix_of_a_packet_is_refused_or_marked_truncated() {
    for bytes in [ipv4(6, 0, &tcp(b"payload")), ipv6(17, &udp(b"payload"))] {
        for end in 0..bytes.len() {
            match parse(&bytes[..end]) {
                Ok(packet) => assert!(packet.truncated, "prefix of {end} bytes"),
                Err(error) => assert!(matches!(error, Error::Truncated { .. }), "{end}: {error}"),
            }
        }
    }
}

#[test]
fn a_later_fragment_names_its_place() {
    let bytes = ipv4(17, 185, &udp(b"part"));
    let datagram = network(&bytes).expect("headers are whole");
    assert_eq!(datagram.fragment, Some(Fragment { id: 0, offset_bytes: 1480, more: false }));
    let bytes = ipv6(44, &[17, 0, 0, 9, 0, 0, 0, 7, 1, 2, 3, 4]);
    let datagram = network(&bytes).expect("headers are whole");
    assert_eq!(datagram.fragment, Some(Fragment { id: 7, offset_bytes: 8, more: true }));
    assert_eq!((datagram.number, datagram.payload), (17, &[1, 2, 3, 4][..]));
}

#[test]
fn tunnels_give_the_packet_inside() {
    let inner = ipv4(17, 0, &udp(b"inside"));
    let gre = |flags: [u8; 2], ether: [u8; 2], rest: &[u8]| [&flags[..], &ether, rest].concat();
    let keyed = [&[0, 0, 0, 9][..], &inner].concat();
    let ppp = [&[0xff, 3, 0, 0x21][..], &inner].concat();
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[0; 12], &[8, 0], &inner].concat();
    let gtp = [&[0x32, 0xff, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0][..], &inner].concat();
    let to_port = |port: u16, payload: &[u8]| {
        let mut datagram = udp(payload);
        datagram[2..4].copy_from_slice(&port.to_be_bytes());
        datagram
    };
    for outer in [
        ipv4(4, 0, &inner),
        ipv6(4, &inner),
        ipv4(47, 0, &gre([0, 0], [8, 0], &inner)),
        ipv4(47, 0, &gre([0x20, 0], [8, 0], &keyed)),
        ipv4(47, 0, &gre([0, 1], [0x88, 0x0b], &ppp)),
        ipv4(17, 0, &to_port(4789, &vxlan)),
        ipv4(17, 0, &to_port(2152, &gtp)),
    ] {
        let outer = network(&outer).expect("headers are whole");
        let inside = outer.tunnelled().expect("a tunnel");
        assert_eq!(parse(inside).expect("a whole packet").payload, b"inside");
    }
    assert_eq!(network(&inner).expect("headers are whole").tunnelled(), None);
    let no_packet_inside = ipv4(17, 0, &to_port(4789, &vxlan[..vxlan.len() - 1]));
    assert_eq!(network(&no_packet_inside).expect("headers are whole").tunnelled(), None);
    let routed = ipv4(47, 0, &gre([0x40, 0], [8, 0], &inner));
    assert_eq!(network(&routed).expect("headers are whole").tunnelled(), None);
}
