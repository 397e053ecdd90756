//! Requests of HTTP/1 and HTTP/2 in payloads, of whatever sensor.
//!
//! In: pieces of TCP streams as a sensor saw them ([`Piece`]), and which flows ended. Out: requests as events have them, each
//! with its answer where that was seen. A request is told when its answer came, the next request of its flow came (HTTP/1),
//! its flow ended, or too many wait.
//!
//! Left out on purpose: HTTP/1 whose head does not begin a piece or goes on beyond it, bodies, and HTTP in TLS.

mod by_flow;
mod one;
mod ordered;
#[cfg(test)]
mod tests;
mod two;

use event::Text;
use event::network::{Direction, Endpoints, Http};
use event::text::Provenance;

use one::Requests as One;
use two::Connections as Two;

/// Characters kept of a name or target. Servers refuse longer targets than 8 KiB.
const TEXT_BYTES: usize = 8192;
const METHOD_BYTES: usize = 32;
const MEDIA_TYPE_BYTES: usize = 128;

/// Payload of a TCP stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// What tells the flow from others of the sensor; 0 is none.
    pub(crate) flow: u64,
    pub(crate) ends: Endpoints,
    pub(crate) direction: Direction,
    /// From who opened the flow to who listened; none where the sensor does not know who did.
    pub(crate) to_server: Option<bool>,
    /// The place of the first byte in its direction, from wherever the sensor counts.
    pub(crate) sequence: u32,
    pub(crate) bytes: &'a [u8],
}

/// Requests that wait for their answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    one: One,
    two: Two,
}

impl Requests {
    /// Takes a piece; gives each request that waits no longer.
    pub(crate) fn take(&mut self, piece: &Piece<'_>, told: &mut dyn FnMut(Http)) {
        if self.two.take(piece, told) {
            return;
        }
        // An answer says by itself that it is one.
        if piece.to_server.unwrap_or_else(|| !piece.bytes.starts_with(b"HTTP/")) {
            self.one.asked(piece).into_iter().for_each(told);
        } else if let Some(answer) = self.one.answered(piece) {
            if let Some(rest) = answer.upgraded {
                // RFC 7540 §3.2: the request has the stream 1 of the connection that follows.
                self.two.begin(piece, answer.http, rest, told);
            } else {
                told(answer.http);
            }
        }
    }

    /// The flow ended: gives what waited.
    pub(crate) fn ended(&mut self, flow: u64, told: &mut dyn FnMut(Http)) {
        self.one.give_up(flow).into_iter().for_each(&mut *told);
        self.two.give_up(flow, told);
    }
}

/// The request that a piece holds, as far as its flow says.
fn request(piece: &Piece<'_>) -> Http {
    let initiated = piece.direction == Direction::Out;
    Http { ends: piece.ends, initiated, cookie: piece.flow, ..Http::default() }
}

fn text(bytes: &[u8]) -> Text {
    let kept = bytes.get(..TEXT_BYTES).unwrap_or(bytes);
    let text = Text::from_bytes(kept, Provenance::Claimed);
    if kept.len() == bytes.len() {
        return text;
    }
    text.cut_from(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

fn method(bytes: &[u8]) -> compact_str::CompactString {
    compact_str::CompactString::from_utf8_lossy(bytes.get(..METHOD_BYTES).unwrap_or(bytes))
}

/// Without parameters, in lower case.
fn media_type(field: &[u8]) -> compact_str::CompactString {
    let end = field.iter().position(|byte| *byte == b';').unwrap_or(field.len());
    let name = field.get(..end).unwrap_or_default().trim_ascii();
    compact_str::CompactString::from_utf8_lossy(name.get(..MEDIA_TYPE_BYTES).unwrap_or(name)).to_lowercase()
}

/// An interim answer (RFC 9110 §15.2) is followed by the real one; 101 is the last one of HTTP/1.
fn is_interim(status: u16) -> bool {
    matches!(status, 100 | 102..=199)
}
