//! Owners of sockets: a packet or a TCP state change often happens outside of any task, but its socket's cookie
//! was seen before with the task that made the connection.

use crate::config::Config;
use crate::recent::Recent;
use event::network::{Connection, ConnectionOp};
use event::{Actor, BootTime, Event, Kind, Owner};
use std::collections::VecDeque;
use std::time::Duration;

/// Who last used a socket, by its cookie.
#[derive(Debug)]
pub(crate) struct Sockets {
    owners: Recent<u64, (Owner, Actor)>,
    closed: VecDeque<(BootTime, u64)>,
    max: usize,
    keep_closed: Duration,
    /// Owners that were evicted while their socket may still be open.
    pub lost: u64,
}

impl Sockets {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            owners: Recent::default(),
            closed: VecDeque::new(),
            max: config.sockets.max(1),
            keep_closed: config.keep_closed,
            lost: 0,
        }
    }

    /// Remembers the owner that a connection event names, or gives an event without one its socket's.
    /// Says whether the event was given one.
    pub(crate) fn visit(&mut self, event: &mut Event, now: BootTime) -> bool {
        let (cookie, connection) = match &event.kind {
            Kind::Connection(connection) => (connection.cookie, Some(&**connection)),
            Kind::Payload(payload) => (payload.cookie, None),
            Kind::Dns(dns) => (dns.cookie, None),
            Kind::Flow(flow) => (flow.cookie, None),
            Kind::Http(http) => (http.cookie, None),
            _ => return false,
        };
        if cookie == 0 {
            return false;
        }
        let closes = connection.is_some_and(|connection| connection.op == ConnectionOp::Close);
        if closes {
            self.close(cookie, now);
        }
        match (&event.actor, connection) {
            (Some(actor), Some(connection)) if names_owner(connection) => {
                self.owners.insert(cookie, (event.owner, actor.clone()));
                if self.owners.len() > self.max && self.owners.pop_oldest().is_some() {
                    self.lost += 1;
                }
                false
            }
            (None, _) => match self.owners.get(&cookie) {
                Some((owner, actor)) => {
                    event.actor = Some(actor.clone());
                    if event.owner.container().is_none() {
                        event.owner = *owner;
                    }
                    true
                }
                None => false,
            },
            _ => false,
        }
    }

    fn close(&mut self, cookie: u64, now: BootTime) {
        self.closed.push_back((now.plus(self.keep_closed), cookie));
        if self.closed.len() > self.max
            && let Some((_, oldest)) = self.closed.pop_front()
        {
            self.owners.remove(&oldest);
        }
    }

    /// Forgets sockets whose grace after close is over.
    pub(crate) fn advance(&mut self, now: BootTime) {
        while let Some(&(until, cookie)) = self.closed.front()
            && until <= now
        {
            self.closed.pop_front();
            self.owners.remove(&cookie);
        }
    }
}

/// Established and Close run in whatever task the packet interrupted; the others run in the socket's user.
fn names_owner(connection: &Connection) -> bool {
    !matches!(connection.op, ConnectionOp::Established | ConnectionOp::Close)
}
