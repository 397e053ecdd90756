//! Who of the two ends connected or asked, where the event tells.

use super::read::of_ends;
use super::{Field, Value};
use crate::event::{Event, Kind};
use crate::network::{ConnectionOp, Direction};

/// The same ends as the one that connected or asked, and the other; where neither is known to have, none.
pub(super) fn of_roles(event: &Event, field: Field) -> Value<'_> {
    let is_own = match event.seen() {
        Kind::Connection(connection) => match connection.op {
            ConnectionOp::Connect | ConnectionOp::Connected => true,
            ConnectionOp::Accept => false,
            _ => return Value::Absent,
        },
        // A query goes out from who asks, and a response comes in to him.
        Kind::Dns(dns) => (dns.direction == Direction::Out) != dns.response,
        Kind::Flow(flow) => flow.initiated,
        Kind::Http(http) => http.initiated,
        _ => return Value::Absent,
    };
    let same = match (field, is_own) {
        (Field::NetworkOriginatorIp, true) | (Field::NetworkResponderIp, false) => Field::SourceIp,
        (Field::NetworkOriginatorIp, false) | (Field::NetworkResponderIp, true) => Field::DestinationIp,
        (Field::NetworkOriginatorPort, true) | (Field::NetworkResponderPort, false) => Field::SourcePort,
        _ => Field::DestinationPort,
    };
    of_ends(event, same)
}
