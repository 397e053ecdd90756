//! The Initial packets of a QUIC client, opened, so that its ClientHello can be read: RFC 9000 §12.2, §17.2.2 and §19,
//! RFC 9001 §5 (version 1 and the drafts from 23 on), RFC 9369 §3 (version 2).
//!
//! In: a client's datagrams, from the first one on. Out: the handshake bytes that they carry, for
//! [`crate::tls::client_hello_message`]. The keys of Initial packets follow from the connection id in the first one, so
//! anybody who sees that can open them; that they open at all is proof of the protocol, since each carries a tag of
//! sixteen bytes.
//!
//! Left out on purpose: packets of the server and of every later stage, Google's own versions, drafts before 23, and
//! 0-RTT. Nothing is sent, so no secret of ours is at stake.

mod keys;
mod parse;
#[cfg(test)]
mod tests;

use keys::Keys;

/// Bytes of handshake that are kept, as much as [`crate::tls`] reads of a hello.
pub const MAX_CRYPTO_BYTES: usize = 16_384;
/// Pieces of the handshake that wait for the one before; browsers cut a hello into about ten.
pub const MAX_PIECES: usize = 64;
/// Long-header packets that are read of one datagram. RFC 9000 §12.2 allows any number; there are four kinds.
pub const MAX_PACKETS: usize = 4;
/// Datagrams with an Initial that are opened: a hello with post-quantum key shares takes two, sent again four.
pub const MAX_INITIALS: u8 = 8;

/// The handshake bytes of a client, in order.
#[derive(Debug, Default)]
pub struct Client {
    keys: Option<Keys>,
    /// Offset and bytes.
    pieces: Vec<(usize, Box<[u8]>)>,
    kept_bytes: usize,
    /// From offset 0 without a gap.
    handshake: Vec<u8>,
    opened: u8,
    refused: u8,
}

impl Client {
    /// Takes a datagram; true if it held an Initial that could be opened.
    ///
    /// ```
    /// let mut client = wire::quic::Client::default();
    /// assert!(!client.take(b"no quic"));
    /// assert!(client.handshake().is_empty());
    /// ```
    pub fn take(&mut self, datagram: &[u8]) -> bool {
        if self.is_over() {
            return false;
        }
        let opened = self.open(datagram);
        let count = if opened { &mut self.opened } else { &mut self.refused };
        *count = count.saturating_add(1);
        opened
    }

    /// The handshake bytes that came so far, without a gap.
    pub fn handshake(&self) -> &[u8] {
        &self.handshake
    }

    /// True if at least one Initial could be opened.
    pub fn is_opened(&self) -> bool {
        self.opened > 0
    }

    /// True if no further datagram is read.
    pub fn is_over(&self) -> bool {
        self.opened >= MAX_INITIALS || self.refused >= MAX_INITIALS
    }

    /// Bytes that this holds in memory beside itself.
    pub fn heap_bytes(&self) -> usize {
        self.handshake.capacity() + self.kept_bytes + self.pieces.capacity() * size_of::<(usize, Box<[u8]>)>()
    }

    fn open(&mut self, datagram: &[u8]) -> bool {
        let mut rest = datagram;
        let mut any = false;
        for _ in 0..MAX_PACKETS {
            let Some((packet, after)) = parse::initial(rest) else { break };
            if let Some(packet) = packet
                && let Some(frames) = self.decrypt(&packet)
            {
                any = true;
                self.collect(&frames);
            }
            rest = after;
        }
        any
    }

    /// The keys stay those of the first packet, RFC 9001 §5.2, but for a Retry, after which the client begins again.
    fn decrypt(&mut self, packet: &parse::Initial<'_>) -> Option<Vec<u8>> {
        if let Some(frames) = self.keys.as_ref().and_then(|keys| keys.open(packet)) {
            return Some(frames);
        }
        let keys = Keys::of_client(packet.version, packet.destination)?;
        let frames = keys.open(packet)?;
        self.keys = Some(keys);
        Some(frames)
    }

    fn collect(&mut self, frames: &[u8]) {
        for (offset, bytes) in parse::crypto_frames(frames) {
            let fits = offset.saturating_add(bytes.len()) <= MAX_CRYPTO_BYTES
                && self.kept_bytes + bytes.len() <= MAX_CRYPTO_BYTES
                && self.pieces.len() < MAX_PIECES;
            if fits && offset.saturating_add(bytes.len()) > self.handshake.len() {
                self.kept_bytes += bytes.len();
                self.pieces.push((offset, bytes.into()));
            }
        }
        while let Some(at) = self.pieces.iter().position(|(offset, _)| *offset <= self.handshake.len()) {
            let (offset, bytes) = self.pieces.swap_remove(at);
            self.kept_bytes -= bytes.len();
            self.handshake.extend_from_slice(bytes.get(self.handshake.len() - offset..).unwrap_or_default());
        }
    }
}
