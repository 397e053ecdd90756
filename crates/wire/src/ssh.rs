//! The opening of SSH: version banner (RFC 4253 §4.2) and KEXINIT (§7.1), with the fingerprint HASSH.
//!
//! In: the first bytes of one direction. Out: the [`Opening`]. HASSH is the MD5 of the lists of algorithms that a side
//! offers (Salesforce's `hassh`, 2018, BSD-3-licensed): a name of a library and its settings, no secret and no proof.
//!
//! Left out on purpose: SSH 1, which has no KEXINIT, the exchange itself, and everything encrypted.

use md5::{Digest, Md5};

use crate::Direction;
use crate::bytes::Reader;

/// RFC 4253 §4.2: with the end of the line.
pub const MAX_BANNER_BYTES: usize = 255;
/// RFC 4253 §4.2: other lines may stand before a server's banner; so many are passed over.
pub const MAX_LINES_BEFORE: usize = 16;
/// RFC 4253 §6.1: a packet that every side must take.
pub const MAX_PACKET_BYTES: usize = 35_000;

const KEXINIT: u8 = 20;
const COOKIE_BYTES: usize = 16;
/// The lists of KEXINIT that are read: key exchange, host key, then ciphers, codes and compressions, each for both ways.
const LISTS: usize = 8;

/// What a side says before it encrypts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The banner, escaped to printable ASCII.
    pub banner: String,
    /// The fingerprint of what it offers: HASSH of a client, HASSH server of a server.
    pub hassh: Option<String>,
}

/// Reads the opening of a side; `None` where no whole banner stands.
///
/// ```
/// let opening = wire::ssh::opening(b"SSH-2.0-Go\r\n", wire::Direction::ToServer).ok_or("no banner")?;
/// assert_eq!((opening.banner.as_str(), opening.hassh), ("SSH-2.0-Go", None));
/// # Ok::<(), &str>(())
/// ```
pub fn opening(stream: &[u8], direction: Direction) -> Option<Opening> {
    let mut rest = stream;
    for _ in 0..=MAX_LINES_BEFORE {
        let end = memchr::memchr(b'\n', rest.get(..MAX_BANNER_BYTES * 4).unwrap_or(rest))?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..)?;
        if line.starts_with(b"SSH-") {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = line.get(..MAX_BANNER_BYTES).unwrap_or(line);
            return Some(Opening { banner: line.escape_ascii().to_string(), hassh: hassh(rest, direction) });
        }
    }
    None
}

/// The fingerprint of the KEXINIT at the start of what follows the banner.
fn hassh(packets: &[u8], direction: Direction) -> Option<String> {
    let mut reader = Reader::new(packets);
    let length = usize::try_from(reader.u32()?).ok().filter(|length| *length <= MAX_PACKET_BYTES)?;
    let mut reader = Reader::new(reader.take(length)?);
    let _padding = reader.u8()?;
    if reader.u8()? != KEXINIT {
        return None;
    }
    reader.take(COOKIE_BYTES)?;
    let mut lists = [&b""[..]; LISTS];
    for list in &mut lists {
        let length = usize::try_from(reader.u32()?).ok()?;
        *list = reader.take(length)?;
    }
    let [exchange, _host_key, cipher_out, cipher_in, code_out, code_in, compression_out, compression_in] =
        lists;
    let chosen = match direction {
        Direction::ToServer => [exchange, cipher_out, code_out, compression_out],
        Direction::ToClient => [exchange, cipher_in, code_in, compression_in],
    };
    let digest = Md5::digest(chosen.join(&b';'));
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<u8> {
        [&u32::try_from(text.len()).expect("short").to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn stream() -> Vec<u8> {
        let lists = ["kex", "key", "enc1", "enc2", "mac1", "mac2", "none", "zlib", "", ""];
        let body = [
            &[4, KEXINIT][..],
            &[9; COOKIE_BYTES],
            &lists.iter().flat_map(|text| list(text)).collect::<Vec<_>>(),
            &[0; 9],
        ]
        .concat();
        let length = u32::try_from(body.len()).expect("short").to_be_bytes();
        [b"SSH-2.0-x\r\n", &length[..], &body].concat()
    }

    fn md5(text: &str) -> Option<String> {
        Some(Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    #[test]
    fn each_side_is_hashed_by_its_own_lists() {
        let client = opening(&stream(), Direction::ToServer).expect("an opening");
        assert_eq!((client.banner.as_str(), client.hassh), ("SSH-2.0-x", md5("kex;enc1;mac1;none")));
        let server =
            opening(&[b"hello\r\n", &stream()[..]].concat(), Direction::ToClient).expect("an opening");
        assert_eq!(server.hassh, md5("kex;enc2;mac2;zlib"));
    }

    #[test]
    fn every_prefix_gives_less_and_no_panic() {
        let stream = stream();
        for end in 0..stream.len() {
            match opening(&stream[..end], Direction::ToServer) {
                None => assert!(end < 11, "prefix of {end} bytes"),
                Some(opening) => assert!(opening.hassh.is_none() && end >= 11, "prefix of {end} bytes"),
            }
        }
        let hostile = [b"SSH-2.0-\x1b[2J\r\n", &[0xff; 40][..]].concat();
        let opening = opening(&hostile, Direction::ToClient).expect("an opening");
        assert_eq!((opening.banner.as_str(), opening.hassh), ("SSH-2.0-\\x1b[2J", None));
    }
}
