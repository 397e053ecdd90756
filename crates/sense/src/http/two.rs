//! Requests of HTTP/2 that wait for their answers.
//!
//! A flow is a connection from its preface on, or from the answer with which a server of HTTP/1 changes to HTTP/2. Its fields
//! can be read only while all bytes before them were seen; what waits of a direction that was lost is told without an answer.

use std::collections::BTreeMap;

use event::network::{Direction, Http};
use wire::http2::{Message, PREFACE, Side};

use super::by_flow::ByFlow;
use super::ordered::Ordered;
use super::{Piece, is_interim, media_type, method, request, text};

/// Connections that are read at once; each holds at most two tables, two blocks and what came early: 130 kB.
const CONNECTIONS: usize = 512;
/// Requests of a connection that wait at once: as many streams as servers commonly allow.
const WAITING: usize = 128;
/// RFC 7540 §3.2: the stream of the request that asked for the upgrade.
const UPGRADE_STREAM: u32 = 1;

#[derive(Clone, Debug)]
pub(super) struct Connections(ByFlow<Connection>);

impl Default for Connections {
    fn default() -> Self {
        Self(ByFlow::new(CONNECTIONS))
    }
}

#[derive(Clone, Debug)]
struct Connection {
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
        if begins && !self.0.contains(piece.flow) {
            self.open(piece.flow, piece.direction, told);
        }
        if self.0.is_empty() {
            return false;
        }
        let Some(connection) = self.0.find_mut(piece.flow) else { return false };
        let Connection { client_sends, client, server, waiting } = connection;
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
        if let Some(connection) = self.0.find_mut(piece.flow) {
            connection.waiting.insert(UPGRADE_STREAM, http);
            connection.server.ordered = Ordered::at(sequence);
        }
        self.take(&Piece { sequence, bytes: rest, ..*piece }, told);
    }

    /// The flow ended: gives what waited.
    pub(super) fn give_up(&mut self, flow: u64, told: &mut dyn FnMut(Http)) {
        self.0.remove(flow).into_iter().for_each(|connection| connection.give_up(told));
    }

    fn open(&mut self, flow: u64, client_sends: Direction, told: &mut dyn FnMut(Http)) {
        let connection = Connection {
            client_sends,
            client: Lane::new(wire::Direction::ToServer),
            server: Lane::new(wire::Direction::ToClient),
            waiting: BTreeMap::new(),
        };
        self.0.insert(flow, connection).into_iter().for_each(|gone| gone.give_up(told));
    }
}

impl Connection {
    /// Gives what waited.
    fn give_up(self, told: &mut dyn FnMut(Http)) {
        self.waiting.into_values().for_each(told);
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
