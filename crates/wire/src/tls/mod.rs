//! The plain beginning of TLS. The ClientHello: RFC 8446 §4.1.2 and §5.1, RFC 5246, with server name (RFC 6066 §3), ALPN (RFC 7301) and
//! the fingerprint JA4 (FoxIO, `technical_details/JA4.md`).
//!
//! In: the first bytes that a client sent. Out: a [`ClientHello`]. A hello that was cut is not thrown away: what was
//! read before is kept, and [`ClientHello::incomplete`] says where it ends.
//!
//! Of the server, what it chose and the leaf of its certificate where that is plain: [`server_flight`].
//!
//! Left out on purpose: everything after these, encrypted hellos (their outer name is what is seen), and validation of
//! any value.

mod certificate;
mod ja4;
mod parse;
mod server;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, MAX_CERTIFICATE_BYTES, certificate};
pub use ja4::Carrier;
pub use parse::{client_hello, client_hello_message, is_hello_over};
pub use server::{ServerFlight, is_flight_over, server_flight, version_name};

/// Bytes of handshake that are read. A hello with post-quantum key shares has about 1,800.
pub const MAX_HELLO_BYTES: usize = 16_384;
/// RFC 8446 §5.1: the largest TLS record that may be sent, 2^14 + 256.
pub const MAX_RECORD_BYTES: usize = 16_640;
/// Extensions and cipher suites that are kept of each list. OpenSSL 1.0 sent 80 suites.
pub const MAX_LISTED: usize = 512;
/// RFC 1035 §2.3.4: longer server names are no host names.
pub const MAX_SERVER_NAME_BYTES: usize = 255;

/// What a client offers. Lists keep the order that was sent, reserved values (RFC 8701) included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The version in the hello itself; TLS 1.3 says 1.2 here.
    pub legacy_version: u16,
    /// The versions of the extension that replaced it.
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub cipher_suites: Vec<u16>,
    /// Extension types.
    pub extensions: Vec<u16>,
    /// Signature algorithms.
    pub signature_algorithms: Vec<u16>,
    /// The host that the client asks for, escaped, as sent.
    pub server_name: Option<String>,
    /// The application protocols that the client offers, as bytes.
    pub alpn: Vec<Vec<u8>>,
    /// Why reading stopped before the end, if it did.
    pub incomplete: Option<Error>,
}

/// Why bytes are no whole ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first record is no handshake that begins with a ClientHello.
    #[error("bytes do not begin with a tls ClientHello")]
    NotHello,
    /// The bytes end before the hello does: more may come.
    #[error("tls ClientHello ends inside its {part} at byte {offset}")]
    Truncated {
        /// Which part.
        part: &'static str,
        /// Where, counted from the start of the handshake message.
        offset: usize,
    },
    /// A length that is not allowed.
    #[error("tls {part} is {len_bytes} bytes long, more than {limit}")]
    Length {
        /// Which part.
        part: &'static str,
        /// Its length.
        len_bytes: usize,
        /// What is allowed.
        limit: usize,
    },
}
