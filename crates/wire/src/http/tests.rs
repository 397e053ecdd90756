use super::*;

const REQUEST: &[u8] = b"GET /gate.php?id=1 HTTP/1.1\r\nHost: c2.test:8080\r\nUser-Agent: x\r\n\r\nbody";

#[test]
fn a_request_gives_method_target_and_names() {
    let head = head(REQUEST).expect("a head");
    assert_eq!((head.method, head.target), (&b"GET"[..], &b"/gate.php?id=1"[..]));
    assert_eq!((head.host, head.agent), (Some(&b"c2.test:8080"[..]), Some(&b"x"[..])));
    assert!(head.complete);
}

#[test]
fn a_response_gives_its_status() {
    let head = head(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n").expect("a head");
    assert_eq!((head.status, head.upgrade), (101, Some(&b"websocket"[..])));
}

#[test]
fn every_prefix_is_refused_or_incomplete_and_keeps_no_cut_value() {
    let end_of_head = REQUEST.len() - b"body".len();
    for end in 0..end_of_head {
        let Some(head) = head(&REQUEST[..end]) else { continue };
        assert!(!head.complete, "prefix of {end} bytes");
        assert!(head.host.is_none_or(|host| host == b"c2.test:8080"), "prefix of {end} bytes");
    }
}

#[test]
fn what_is_no_http_has_no_head() {
    for bytes in [&b""[..], b"\r\n\r\n", b"HELO a\r\n", b"HTTP/1.1 abc\r\n", b" HTTP/1.1\r\n"] {
        assert_eq!(head(bytes), None, "{}", bytes.escape_ascii());
    }
}
