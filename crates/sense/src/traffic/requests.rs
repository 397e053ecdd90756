//! Requests of HTTP that wait for their answers.
//!
//! One of each flow waits: a next request lets the one before it go without an answer. When too many wait the one that
//! has waited longest goes.

use std::collections::{HashMap, VecDeque};

use event::Text;
use event::network::Http;
use event::text::Provenance;
use wire::http::{self, Head};

use super::convert::View;

/// Requests that wait at once.
const WAITING: usize = 16_384;
/// Characters kept of a name or target. Servers refuse longer targets than 8 KiB.
const TEXT_BYTES: usize = 8192;

/// Requests without an answer, by number of their flow.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: HashMap<u64, Waiting>,
    /// Flow and serial in the order in which they came; those that are gone are passed over.
    order: VecDeque<(u64, u64)>,
    serial: u64,
}

#[derive(Debug)]
struct Waiting {
    serial: u64,
    http: Http,
}

impl Requests {
    /// A payload to a server; gives back a request that waits no longer.
    pub(super) fn asked(&mut self, number: u64, view: &View, payload: &[u8]) -> Option<Http> {
        // A method begins with a letter: what does not is not worth a look.
        if !payload.first().is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        let head = http::head(payload).filter(|head| !head.method.is_empty())?;
        self.serial += 1;
        let waiting = Waiting { serial: self.serial, http: request(view, &head) };
        self.order.push_back((number, self.serial));
        if let Some(before) = self.open.insert(number, waiting) {
            return Some(before.http);
        }
        if self.order.len() > 4 * WAITING {
            let open = &self.open;
            self.order.retain(|(number, serial)| open.get(number).is_some_and(|own| own.serial == *serial));
        }
        if self.open.len() > WAITING { self.pop_oldest() } else { None }
    }

    /// A payload to a client; gives back the request that it answers.
    pub(super) fn answered(&mut self, number: u64, payload: &[u8]) -> Option<Http> {
        if !payload.starts_with(b"HTTP/") || !self.open.contains_key(&number) {
            return None;
        }
        let head = http::head(payload).filter(|head| head.status != 0)?;
        // An interim answer (RFC 9110 §15.2) is followed by the real one; 101 is the last one of HTTP.
        if matches!(head.status, 100 | 102..=199) {
            return None;
        }
        let mut http = self.open.remove(&number)?.http;
        http.status = head.status;
        http.media_type = media_type(head.media_type.unwrap_or_default());
        Some(http)
    }

    /// The flow ended; gives back what waited.
    pub(super) fn give_up(&mut self, number: u64) -> Option<Http> {
        self.open.remove(&number).map(|waiting| waiting.http)
    }

    fn pop_oldest(&mut self) -> Option<Http> {
        while let Some((number, serial)) = self.order.pop_front() {
            if self.open.get(&number).is_some_and(|own| own.serial == serial) {
                return self.give_up(number);
            }
        }
        None
    }
}

fn request(view: &View, head: &Head<'_>) -> Http {
    Http {
        ends: view.ends,
        initiated: view.initiated,
        cookie: view.cookie,
        method: compact_str::CompactString::from_utf8_lossy(head.method.get(..32).unwrap_or(head.method)),
        host: text(head.host.unwrap_or_default()),
        target: text(head.target),
        agent: text(head.agent.unwrap_or_default()),
        referrer: text(head.referrer.unwrap_or_default()),
        status: 0,
        media_type: "".into(),
    }
}

fn text(bytes: &[u8]) -> Text {
    let kept = bytes.get(..TEXT_BYTES).unwrap_or(bytes);
    let text = Text::from_bytes(kept, Provenance::Claimed);
    if kept.len() == bytes.len() {
        return text;
    }
    text.cut_from(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

/// Without parameters, in lower case.
fn media_type(field: &[u8]) -> compact_str::CompactString {
    let end = field.iter().position(|byte| *byte == b';').unwrap_or(field.len());
    let name = field.get(..end).unwrap_or_default().trim_ascii();
    compact_str::CompactString::from_utf8_lossy(name.get(..128).unwrap_or(name)).to_lowercase()
}
