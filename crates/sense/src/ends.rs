//! Whose side of a connection is the own one, where no sensor stands on a host.
//!
//! A capture sees both ends alike. Events tell the own end from the peer's, so one is chosen: the one that the sensor
//! says is local, else the inside address; of two or none the one that opened. Inside are the addresses that are never
//! routed on the Internet: RFC 1918, RFC 4193, link-local and loopback.

use std::net::IpAddr;

use event::network::{Endpoints, Transport};

/// An address with its port.
pub(crate) type End = (IpAddr, u16);

/// The ends as events have them, and whether the own one opened.
pub(crate) fn ends(transport: Transport, opener: End, listener: End) -> (Endpoints, bool) {
    ends_of(transport, opener, listener, is_inside(opener.0) || !is_inside(listener.0))
}

/// The same where it is known whether the own end opened.
pub(crate) fn ends_of(
    transport: Transport,
    opener: End,
    listener: End,
    initiated: bool,
) -> (Endpoints, bool) {
    let (local, remote) = if initiated { (opener, listener) } else { (listener, opener) };
    let ends = Endpoints {
        transport,
        local_ip: local.0,
        local_port: local.1,
        remote_ip: remote.0,
        remote_port: remote.1,
    };
    (ends, initiated)
}

fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_end_is_the_own_one_and_of_two_the_opener() {
        let end = |ip: &str| (ip.parse().unwrap(), 1);
        for (opener, listener, own, initiated) in [
            ("172.17.0.2", "198.51.100.9", "172.17.0.2", true),
            ("198.51.100.9", "10.0.0.5", "10.0.0.5", false),
            ("10.0.0.5", "10.0.0.6", "10.0.0.5", true),
            ("198.51.100.9", "203.0.113.1", "198.51.100.9", true),
            ("2001:db8::1", "fd00::7", "fd00::7", false),
        ] {
            let (ends, opened) = ends(Transport::Tcp, end(opener), end(listener));
            assert_eq!((ends.local_ip.to_string().as_str(), opened), (own, initiated), "{opener} {listener}");
        }
    }
}
