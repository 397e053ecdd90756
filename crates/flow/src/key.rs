//! The five-tuple, the same for both directions.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use crate::{Endpoint, Transport};

/// Two endpoints in a fixed order, and the transport. Addresses are kept as IPv6, which saves the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    low: [u8; 16],
    high: [u8; 16],
    low_port: u16,
    high_port: u16,
    transport: Transport,
}

impl Hash for Key {
    /// In words: a byte array is hashed with its length, which is always the same here.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in [self.low, self.high] {
            state.write_u128(u128::from_ne_bytes(address));
        }
        let ports = u64::from(self.low_port) << 16 | u64::from(self.high_port);
        state.write_u64(ports << 8 | self.transport as u64);
    }
}

/// Which of a key's endpoints sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Low,
    High,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

pub(crate) fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

impl Key {
    /// The key of a packet, and which side sent it.
    pub(crate) fn new(transport: Transport, src: Endpoint, dst: Endpoint) -> (Self, Side) {
        let (from, to) = ((octets(src.ip), src.port), (octets(dst.ip), dst.port));
        let (low, high, side) = if from <= to { (from, to, Side::Low) } else { (to, from, Side::High) };
        (Self { low: low.0, high: high.0, low_port: low.1, high_port: high.1, transport }, side)
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    pub(crate) fn address(&self, side: Side) -> [u8; 16] {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }

    pub(crate) fn port(&self, side: Side) -> u16 {
        match side {
            Side::Low => self.low_port,
            Side::High => self.high_port,
        }
    }

    pub(crate) fn endpoint(&self, side: Side) -> Endpoint {
        let ip = IpAddr::V6(Ipv6Addr::from(self.address(side))).to_canonical();
        Endpoint { ip, port: self.port(side) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_the_same_key() {
        let a = Endpoint { ip: IpAddr::from([172, 17, 0, 2]), port: 40_000 };
        let b = Endpoint { ip: IpAddr::from([192, 0, 2, 7]), port: 443 };
        let (there, from_a) = Key::new(Transport::Tcp, a, b);
        let (back, from_b) = Key::new(Transport::Tcp, b, a);
        assert_eq!((there, from_a), (back, from_b.other()));
        assert_eq!((there.endpoint(from_a), there.endpoint(from_b)), (a, b));
    }
}
