//! Requests of HTTP/1 that wait for their answers.
//!
//! One of each flow waits: a next request lets the one before it go without an answer. When too many wait the one that
//! has waited longest goes.

use event::network::Http;
use wire::http::{self, Head};

use super::by_flow::ByFlow;
use super::{Piece, is_interim, media_type, method, request, text};

/// Requests that wait at once.
const WAITING: usize = 16_384;
const SWITCHING_PROTOCOLS: u16 = 101;

/// Requests without an answer, by their flow.
#[derive(Clone, Debug)]
pub(super) struct Requests(ByFlow<Http>);

impl Default for Requests {
    fn default() -> Self {
        Self(ByFlow::new(WAITING))
    }
}

/// A request with its answer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) http: Http,
    /// The server goes on in HTTP/2 with these bytes.
    pub(super) upgraded: Option<&'a [u8]>,
}

impl Requests {
    /// A payload to a server; gives back a request that waits no longer.
    pub(super) fn asked(&mut self, piece: &Piece<'_>) -> Option<Http> {
        // A method begins with a letter: what does not is not worth a look.
        if !piece.bytes.first().is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        let head = http::head(piece.bytes).filter(|head| !head.method.is_empty())?;
        self.0.insert(piece.flow, asked(piece, &head))
    }

    /// A payload to a client; gives back the request that it answers.
    pub(super) fn answered<'a>(&mut self, piece: &Piece<'a>) -> Option<Answer<'a>> {
        let bytes = piece.bytes;
        if !bytes.starts_with(b"HTTP/") || !self.0.contains(piece.flow) {
            return None;
        }
        let head = http::head(bytes).filter(|head| head.status != 0 && !is_interim(head.status))?;
        let mut http = self.0.remove(piece.flow)?;
        http.status = head.status;
        http.media_type = media_type(head.media_type.unwrap_or_default());
        let is_two = head.status == SWITCHING_PROTOCOLS
            && head.upgrade.is_some_and(|wanted| wanted.eq_ignore_ascii_case(b"h2c"));
        let upgraded = is_two.then(|| {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
            bytes.get(end..).unwrap_or_default()
        });
        Some(Answer { http, upgraded })
    }

    /// The flow ended; gives back what waited.
    pub(super) fn give_up(&mut self, flow: u64) -> Option<Http> {
        self.0.remove(flow)
    }
}

fn asked(piece: &Piece<'_>, head: &Head<'_>) -> Http {
    Http {
        method: method(head.method),
        host: text(head.host.unwrap_or_default()),
        target: text(head.target),
        agent: text(head.agent.unwrap_or_default()),
        referrer: text(head.referrer.unwrap_or_default()),
        ..request(piece)
    }
}
