//! Which name led a client to an address: the answers of DNS that the table saw.

use std::collections::VecDeque;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use wire::dns::{self, RecordData};

use crate::key::{self, Address};

/// Answers that are remembered; the oldest goes first. A busy node resolves a few thousand names in a day.
const MAX_ANSWERS: usize = 32_768;
/// Bytes of names that are remembered, a third of what 32,768 longest names would take.
const MAX_NAME_BYTES: usize = 4 << 20;

/// Client, then the address that it was told.
type Question = (Address, Address);

/// A bounded memory of answers.
#[derive(Debug)]
pub(crate) struct Answers {
    names: HashMap<Question, Box<str>, FixedState>,
    /// In the order of arrival; each key stands here once.
    order: VecDeque<Question>,
    name_bytes: usize,
}

impl Answers {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            names: HashMap::with_hasher(FixedState::with_seed(seed)),
            order: VecDeque::new(),
            name_bytes: 0,
        }
    }

    /// The name that `client` asked for when it was told `address`.
    pub(crate) fn name(&self, client: Address, address: Address) -> Option<&str> {
        self.names.get(&(client, address)).map(Box::as_ref)
    }

    /// Remembers the addresses in an answer that `client` got.
    pub(crate) fn learn(&mut self, client: Address, message: &[u8]) {
        let Ok(message) = dns::parse(message) else { return };
        let Some(question) = message.questions.first() else { return };
        if !message.header.is_response() || question.name == "." {
            return;
        }
        for record in &message.answers {
            let address = match record.data {
                RecordData::A(ip) => key::address(IpAddr::V4(ip)),
                RecordData::Aaaa(ip) => key::address(IpAddr::V6(ip)),
                _ => continue,
            };
            self.insert((client, address), question.name.to_ascii_lowercase().into());
        }
    }

    fn insert(&mut self, key: Question, name: Box<str>) {
        self.name_bytes += name.len();
        match self.names.insert(key, name) {
            Some(old) => self.name_bytes -= old.len(),
            None => self.order.push_back(key),
        }
        while self.order.len() > MAX_ANSWERS || self.name_bytes > MAX_NAME_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(name) = self.names.remove(&oldest) {
                self.name_bytes -= name.len();
            }
        }
    }
}
