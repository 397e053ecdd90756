//! The five-tuple, the same for both directions.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use crate::{Endpoint, Transport};

/// An address as the two halves of its number as IPv6: made and compared in registers, as sixteen bytes are not.
pub(crate) type Address = [u64; 2];

/// Two endpoints in a fixed order, and the transport. Addresses are kept as IPv6, which saves the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    low: Address,
    high: Address,
    low_port: u16,
    high_port: u16,
    transport: Transport,
}

impl Hash for Key {
    /// In words: an array is hashed with its length, which is always the same here.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in [self.low, self.high] {
            state.write_u128(number(address));
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

#[inline]
pub(crate) fn address(ip: IpAddr) -> Address {
    match ip {
        // RFC 4291 §2.5.5.2: an IPv4 address in IPv6.
        IpAddr::V4(ip) => [0, 0xffff_0000_0000 | u64::from(u32::from(ip))],
        IpAddr::V6(ip) => {
            let [a, b, c, d, e, f, g, h] = ip.segments().map(u64::from);
            [a << 48 | b << 32 | c << 16 | d, e << 48 | f << 32 | g << 16 | h]
        }
    }
}

#[inline]
fn number([high, low]: Address) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

impl Key {
    /// The key of a packet, and which side sent it.
    #[inline]
    pub(crate) fn new(transport: Transport, src: Endpoint, dst: Endpoint) -> (Self, Side) {
        let (from, to) = ((address(src.ip), src.port), (address(dst.ip), dst.port));
        let is_low = (number(from.0), from.1) <= (number(to.0), to.1);
        let (low, high, side) = if is_low { (from, to, Side::Low) } else { (to, from, Side::High) };
        (Self { low: low.0, high: high.0, low_port: low.1, high_port: high.1, transport }, side)
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    pub(crate) fn address(&self, side: Side) -> Address {
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
        let ip = IpAddr::V6(Ipv6Addr::from(number(self.address(side)))).to_canonical();
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
