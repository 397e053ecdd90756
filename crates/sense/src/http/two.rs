//! Requests of HTTP/2 that wait for their answers.
//!
//! A flow is a connection from its preface on, or from the answer with which a server of HTTP/1 changes to HTTP/2. Its fields
//! can be read only while all bytes before them were seen; what waits of a direction that was lost is told without an answer.

use std::collections::{BTreeMap, HashMap, VecDeque};

use event::network::{Direction, Http};
use wire::http2::{Message, PREFACE, Side};

use super::ordered::Ordered;
use super::{Piece, is_interim, media_type, method, request, text};

/// Connections that are read at once; each holds at most two tables, two blocks and what came early: 130 kB.
const CONNECTIONS: usize = 512;
/// Requests of a connection that wait at once: as many streams as servers commonly allow.
const WAITING: usize = 128;
/// RFC 7540 §3.2: the stream of the request that asked for the upgrade.
const UPGRADE_STREAM: u32 = 1;

#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    open: HashMap<u64, Connection>,
    /// In the order in which they began; those that are gone are passed over.
    order: VecDeque<(u64, u64)>,
    serial: u64,
}

#[derive(Clone, Debug)]
struct Connection {
    serial: u64,
    /// Which way the client's bytes go.
    client_sends: Direction,
    client: Lane,
    server: Lane,
    /// By stream.
    waiting: BTreeMap<u32, Http>,
}

/// One direction.
#[derive(Clone, Debug)]
struct Lane {
    ordered: Ordered,
    side: Side,
}

impl Lane {
    fn new(direction: wire::Direction) -> Self {
        Self { ordered: Ordered::default(), side: Side::new(direction) }
    }

    fn take(&mut self, piece: &Piece<'_>, found: &mut dyn FnMut(Message)) {
        let Self { ordered, side } = self;
        if side.error().is_some() {
            return;
        }
        if ordered.take(piece.sequence, piece.bytes, &mut |bytes| side.take(bytes, found)).is_err() {
            side.lose();
        }
        if side.error().is_some() {
            *ordered = Ordered::default();
        }
    }
}

impl Connections {
    /// Takes a piece if its flow speaks HTTP/2; gives each request that waits no longer.
    pub(super) fn take(&mut self, piece: &Piece<'_>, told: &mut dyn FnMut(Http)) -> bool {
        if piece.flow == 0 {
            return false;
        }
        let begins = piece.to_server != Some(false) && piece.bytes.starts_with(PREFACE);
        if begins && !self.open.contains_key(&piece.flow) {
            self.open(piece.flow, piece.direction, told);
        }
        if self.open.is_empty() {
            return false;
        }
        let Some(connection) = self.open.get_mut(&piece.flow) else { return false };
        let Connection { client_sends, client, server, waiting, .. } = connection;
        if piece.direction == *client_sends {
            client.take(piece, &mut |message| {
                if !message.method.is_empty() {
                    waiting.insert(message.stream, asked(piece, &message)).into_iter().for_each(&mut *told);
                }
            });
        } else {
            server.take(piece, &mut |message| {
                if message.status != 0
                    && !is_interim(message.status)
                    && let Some(mut http) = waiting.remove(&message.stream)
                {
                    http.status = message.status;
                    http.media_type = media_type(&message.media_type);
                    told(http);
                }
            });
        }
        let no_answer_comes = server.side.error().is_some();
        while waiting.len() > if no_answer_comes { 0 } else { WAITING } {
            waiting.pop_first().into_iter().for_each(|(_, http)| told(http));
        }
        true
    }

    /// The server of a flow goes on in HTTP/2 with `rest`, the end of `piece`; `http` asked for that.
    pub(super) fn begin(&mut self, piece: &Piece<'_>, http: Http, rest: &[u8], told: &mut dyn FnMut(Http)) {
        if piece.flow == 0 {
            return told(http);
        }
        let client_sends = if piece.direction == Direction::Out { Direction::In } else { Direction::Out };
        self.open(piece.flow, client_sends, told);
        let behind = piece.bytes.len().saturating_sub(rest.len());
        let sequence = piece.sequence.wrapping_add(u32::try_from(behind).unwrap_or(u32::MAX));
        if let Some(connection) = self.open.get_mut(&piece.flow) {
            connection.waiting.insert(UPGRADE_STREAM, http);
            connection.server.ordered = Ordered::at(sequence);
        }
        self.take(&Piece { sequence, bytes: rest, ..*piece }, told);
    }

    /// The flow ended: gives what waited.
    pub(super) fn give_up(&mut self, flow: u64, told: &mut dyn FnMut(Http)) {
        if let Some(connection) = self.open.remove(&flow) {
            connection.waiting.into_values().for_each(told);
        }
    }

    fn open(&mut self, flow: u64, client_sends: Direction, told: &mut dyn FnMut(Http)) {
        self.serial += 1;
        let connection = Connection {
            serial: self.serial,
            client_sends,
            client: Lane::new(wire::Direction::ToServer),
            server: Lane::new(wire::Direction::ToClient),
            waiting: BTreeMap::new(),
        };
        self.open.insert(flow, connection);
        self.order.push_back((flow, self.serial));
        if self.order.len() > 4 * CONNECTIONS {
            let open = &self.open;
            self.order.retain(|(flow, serial)| open.get(flow).is_some_and(|own| own.serial == *serial));
        }
        while self.open.len() > CONNECTIONS {
            let Some((oldest, serial)) = self.order.pop_front() else { return };
            if self.open.get(&oldest).is_some_and(|own| own.serial == serial) {
                self.give_up(oldest, told);
            }
        }
    }
}

fn asked(piece: &Piece<'_>, message: &Message) -> Http {
    Http {
        method: method(&message.method),
        host: text(&message.authority),
        target: text(&message.target),
        agent: text(&message.agent),
        referrer: text(&message.referrer),
        ..request(piece)
    }
}
