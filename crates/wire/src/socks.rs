//! SOCKS: where the client's handshake ends and the relayed stream begins.
//!
//! In: the client's first bytes, from the begin. Out: the bytes behind its handshake. SOCKS 5 (RFC 1928 §3, §4; user name
//! and password: RFC 1929 §2), SOCKS 4 and 4a. A client that does not wait for the proxy's answer is read alike.

/// The bytes that the proxy relays; `None` while the handshake is not whole, or where it is none.
///
/// ```
/// let bytes = [&[5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 9, 1, 0xbb][..], b"hello"].concat();
/// assert_eq!(wire::socks::behind(&bytes), Some(&b"hello"[..]));
/// ```
pub fn behind(client: &[u8]) -> Option<&[u8]> {
    match client {
        [5, count, rest @ ..] => {
            let rest = rest.get(usize::from(*count)..)?;
            request(without_login(rest)?)
        }
        // Command, port, address, user; a name where the address is 0.0.0.x, x not 0 (4a).
        [4, 1 | 2, _, _, a, b, c, d, rest @ ..] => {
            let rest = behind_zero(rest)?;
            if (*a, *b, *c) == (0, 0, 0) && *d != 0 { behind_zero(rest) } else { Some(rest) }
        }
        _ => None,
    }
}

/// What follows user name and password, where there are any.
fn without_login(bytes: &[u8]) -> Option<&[u8]> {
    let [1, user_len, rest @ ..] = bytes else { return Some(bytes) };
    let [password_len, rest @ ..] = rest.get(usize::from(*user_len)..)? else { return None };
    rest.get(usize::from(*password_len)..)
}

/// What follows a request of SOCKS 5.
fn request(bytes: &[u8]) -> Option<&[u8]> {
    const PORT: usize = 2;
    let [5, 1..=3, 0, kind, rest @ ..] = bytes else { return None };
    let address = match kind {
        1 => 4,
        3 => 1 + usize::from(*rest.first()?),
        4 => 16,
        _ => return None,
    };
    rest.get(address + PORT..)
}

fn behind_zero(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    bytes.get(at + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAYED: &[u8] = b"relayed";

    #[test]
    fn every_form_of_handshake_is_passed() {
        let name = [&[5, 2, 0, 2, 5, 1, 0, 3, 6][..], b"a.test", &[1, 0xbb], RELAYED].concat();
        let login =
            [&[5, 1, 2, 1, 1, b'u', 2, b'p', b'w', 5, 1, 0, 4][..], &[9; 16], &[0, 80], RELAYED].concat();
        let four = [&[4, 1, 0, 80, 192, 0, 2, 9][..], b"user\0", RELAYED].concat();
        let four_a = [&[4, 1, 0, 80, 0, 0, 0, 1, 0][..], b"a.test\0", RELAYED].concat();
        for bytes in [name, login, four, four_a] {
            assert_eq!(behind(&bytes), Some(RELAYED), "{bytes:?}");
        }
    }

    #[test]
    fn a_handshake_that_is_cut_anywhere_gives_nothing_and_no_panic() {
        let whole =
            [&[5, 2, 0, 2, 1, 1, b'u', 2, b'p', b'w', 5, 1, 0, 3, 6][..], b"a.test", &[1, 0xbb]].concat();
        assert_eq!(behind(&whole), Some(&b""[..]));
        for len in 0..whole.len() {
            assert_eq!(behind(&whole[..len]), None, "{len}");
        }
        assert_eq!(behind(b"GET / HTTP/1.1\r\n"), None);
    }
}
