//! One flow whose packets are counted elsewhere: its first payloads to a verdict, names and facts.
//!
//! In: the payload of either direction with its offset in the stream, as a sensor at the socket gives it. Out: the
//! verdict so far, and at the end what a [`Flow`](crate::Flow) would say of the same payload. For who sees packets, a
//! [`Table`](crate::Table) does this.

use wire::{Direction, Transport, Verdict};

use crate::entry::{by_port, facts_of_port};
use crate::judge::Judge;
use crate::{Facts, Names};

/// The first payloads of one flow.
#[derive(Debug)]
pub struct Conversation {
    transport: Transport,
    state: State,
}

#[derive(Debug)]
enum State {
    Open(Box<Judge>),
    Over(Verdict, Box<Said>),
}

/// What the payload of a flow says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Names.
    pub names: Names,
    /// How it behaved.
    pub facts: Facts,
}

impl Conversation {
    /// Without payload yet.
    pub fn new(transport: Transport) -> Self {
        Self { transport, state: State::Open(Box::default()) }
    }

    /// Takes a payload whose first byte is the `offset`th of its direction; datagrams have none. When the verdict is
    /// sure, later payload is not looked at.
    pub fn payload(&mut self, direction: Direction, offset: u64, bytes: &[u8]) {
        let State::Open(judge) = &mut self.state else { return };
        let is_sure = match (self.transport, u32::try_from(offset)) {
            (Transport::Udp, _) => judge.datagram(direction, bytes),
            (Transport::Tcp, Ok(offset)) => {
                judge.begin(direction, 0);
                judge.segment(direction, offset, bytes)
            }
            // What is so far behind is no first payload.
            (Transport::Tcp, Err(_)) => return,
        };
        if is_sure {
            let (verdict, said) = last_word(std::mem::take(judge), self.transport);
            self.state = State::Over(verdict, Box::new(said));
        }
    }

    /// What it speaks, by what was seen so far.
    pub fn verdict(&self) -> Verdict {
        match &self.state {
            State::Open(judge) => judge.verdict(self.transport),
            State::Over(verdict, _) => *verdict,
        }
    }

    /// Bytes of memory that this holds, itself included.
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.state {
                State::Open(judge) => size_of::<Judge>() + judge.heap_bytes(),
                State::Over(_, said) => size_of::<Said>() + said.names.heap_bytes(),
            }
    }

    /// True when no more payload is looked at.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over(..))
    }

    /// What is known so far of a flow whose listener has the port `port`: names once the protocol is sure.
    pub fn so_far(&self, port: u16) -> (Verdict, Said) {
        let said = match &self.state {
            State::Over(_, said) => (**said).clone(),
            State::Open(_) => Said::default(),
        };
        of_port((self.verdict(), said), self.transport, port)
    }

    /// The last word about a flow whose listener has the port `port`.
    pub fn finish(self, port: u16) -> (Verdict, Said) {
        let word = match self.state {
            State::Over(verdict, said) => (verdict, *said),
            State::Open(judge) => last_word(*judge, self.transport),
        };
        of_port(word, self.transport, port)
    }
}

/// With what the port of the listener tells.
fn of_port((verdict, mut said): (Verdict, Said), transport: Transport, port: u16) -> (Verdict, Said) {
    let verdict = Verdict { protocol: by_port(verdict.protocol, port), ..verdict };
    said.facts.extend(facts_of_port(transport.into(), port, verdict));
    (verdict, said)
}

fn last_word(judge: Judge, transport: Transport) -> (Verdict, Said) {
    let judged = judge.finish(transport);
    (judged.verdict, Said { names: judged.names, facts: judged.facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fact;
    use wire::Protocol;

    #[test]
    fn payload_is_put_in_order_and_names_the_flow() {
        let mut talk = Conversation::new(Transport::Tcp);
        talk.payload(Direction::ToServer, 16, b"Host: example.test\r\n\r\n");
        assert_eq!(talk.verdict().protocol, Protocol::Unknown);
        talk.payload(Direction::ToServer, 0, b"GET / HTTP/1.1\r\n");
        talk.payload(Direction::ToClient, 0, b"HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(talk.verdict().protocol, Protocol::Http);
        assert!(talk.is_over());
        let (verdict, said) = talk.finish(4444);
        assert_eq!((verdict.protocol, said.names.host.as_deref()), (Protocol::Http, Some("example.test")));
        assert!(said.facts.contains(Fact::ProtocolOnForeignPort));
    }

    #[test]
    fn a_plain_session_is_a_class_from_its_first_line_on() {
        let mut talk = Conversation::new(Transport::Tcp);
        talk.payload(Direction::ToClient, 0, b"uname -a\n");
        assert_eq!(talk.verdict().protocol, Protocol::PlaintextInteractive);
        assert!(!talk.is_over());
        talk.payload(Direction::ToServer, u64::MAX, b"far behind");
        assert_eq!(talk.finish(4444).0.protocol, Protocol::PlaintextInteractive);
    }
}
