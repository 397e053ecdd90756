//! JA4, the fingerprint of a client's hello.
//!
//! Source: FoxIO's `technical_details/JA4.md` (the client fingerprint alone, which is BSD-3-licensed and free of
//! claims; the other fingerprints of that family are not used).

use sha2::{Digest, Sha256};

use super::ClientHello;

/// RFC 6066 and RFC 7301: these extensions are counted but not hashed.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
/// Hexadecimal digits that are kept of a hash.
const HASH_DIGITS: usize = 12;
/// Counts are written with two digits.
const MAX_COUNT: usize = 99;

/// What carried the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TLS over TCP.
    Tcp,
    /// QUIC.
    Quic,
    /// DTLS.
    Dtls,
}

impl ClientHello {
    /// The fingerprint; `None` if the hello is not whole.
    pub fn ja4(&self, carrier: Carrier) -> Option<String> {
        if self.incomplete.is_some() {
            return None;
        }
        let carrier = match carrier {
            Carrier::Tcp => 't',
            Carrier::Quic => 'q',
            Carrier::Dtls => 'd',
        };
        let suites: Vec<u16> = without_reserved(&self.cipher_suites);
        let extensions: Vec<u16> = without_reserved(&self.extensions);
        let name = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        let (first, last) = self.alpn_ends();
        let head = format!(
            "{carrier}{}{name}{:02}{:02}{first}{last}",
            self.version_digits(),
            suites.len().min(MAX_COUNT),
            extensions.len().min(MAX_COUNT),
        );
        let hashed: Vec<u16> =
            extensions.into_iter().filter(|kind| ![SERVER_NAME, ALPN].contains(kind)).collect();
        let mut text = hex_list(sorted(hashed));
        let algorithms = without_reserved(&self.signature_algorithms);
        if !algorithms.is_empty() && !text.is_empty() {
            text.push('_');
            text.push_str(&hex_list(algorithms));
        }
        Some(format!("{head}_{}_{}", hash(&hex_list(sorted(suites))), hash(&text)))
    }

    fn version_digits(&self) -> &'static str {
        let newest = without_reserved(&self.versions).into_iter().max().unwrap_or(self.legacy_version);
        match newest {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            0xfeff => "d1",
            0xfefd => "d2",
            0xfefc => "d3",
            _ => "00",
        }
    }

    /// The first and last character of the first application protocol; of their hexadecimal form if one of them is
    /// no letter or digit.
    fn alpn_ends(&self) -> (char, char) {
        let Some(name) = self.alpn.first() else { return ('0', '0') };
        let (Some(first), Some(last)) = (name.first(), name.last()) else { return ('0', '0') };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            return (char::from(*first), char::from(*last));
        }
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        (digit(first >> 4), digit(last & 0x0f))
    }
}

/// RFC 8701 §2: `0x?a?a` with equal halves.
fn is_reserved(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && high & 0x0f == 0x0a
}

fn without_reserved(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_reserved(*value)).collect()
}

fn sorted(mut values: Vec<u16>) -> Vec<u16> {
    values.sort_unstable();
    values
}

fn hex_list(values: Vec<u16>) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for value in values {
        if !text.is_empty() {
            text.push(',');
        }
        for byte in value.to_be_bytes() {
            push_hex(&mut text, byte);
        }
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 0x0f] {
        text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
    }
}

/// The first digits of SHA-256; of nothing, zeros.
fn hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(HASH_DIGITS);
    }
    let digest = Sha256::digest(text.as_bytes());
    let mut hexadecimal = String::with_capacity(HASH_DIGITS);
    digest.iter().take(HASH_DIGITS / 2).for_each(|byte| push_hex(&mut hexadecimal, *byte));
    hexadecimal
}
