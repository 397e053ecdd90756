use super::*;
use event::identity::UnknownOwner;
use event::network::{Connection, ConnectionOp, Direction, Dns, Endpoints, Payload};

fn answer(owner: Owner, name: &str, addresses: &[&str]) -> Event {
    let dns = Dns {
        direction: Direction::In,
        response: true,
        query: name.into(),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        ..Dns::default()
    };
    act(task(5, 1), owner, Kind::Dns(Box::new(dns)))
}

fn connect(owner: Owner, address: &str) -> Event {
    let ends = Endpoints { remote_ip: address.parse().unwrap(), ..Endpoints::default() };
    act(
        task(5, 1),
        owner,
        Kind::Connection(Box::new(Connection { ends, cookie: 7, ..Connection::default() })),
    )
}

fn name(event: &Event) -> Option<&str> {
    event.context.remote_name.as_deref()
}

#[test]
fn a_name_is_known_to_the_container_that_got_the_answer() {
    let mut bench = Bench::new();
    bench.container(A);
    bench.container(B);
    bench.one(answer(Owner::Container(A), "a.test", &["192.0.2.1", "2001:db8::1"]));
    bench.one(answer(Owner::Host, "host.test", &["192.0.2.2"]));
    for (owner, address, expect) in [
        (Owner::Container(A), "192.0.2.1", Some("a.test")),
        (Owner::Container(A), "::ffff:192.0.2.1", Some("a.test")),
        (Owner::Container(A), "2001:db8::1", Some("a.test")),
        (Owner::Container(A), "192.0.2.2", None),
        (Owner::Container(B), "192.0.2.1", None),
        (Owner::Host, "192.0.2.2", Some("host.test")),
    ] {
        assert_eq!(name(&bench.one(connect(owner, address))), expect, "{owner:?} {address}");
    }
}

#[test]
fn answers_that_a_container_sends_teach_nothing() {
    let mut bench = Bench::new();
    bench.container(A);
    let mut sent = answer(Owner::Container(A), "bank.test", &["192.0.2.1"]);
    if let Kind::Dns(dns) = &mut sent.kind {
        dns.direction = Direction::Out;
    }
    bench.one(sent);
    assert_eq!(name(&bench.one(connect(Owner::Container(A), "192.0.2.1"))), None);
}

#[test]
fn names_are_bounded_and_the_oldest_goes() {
    let mut bench = Bench::with(Config { names_per_container: 2, names: 3, ..Config::default() });
    bench.container(A);
    bench.container(B);
    for (address, host) in
        [("192.0.2.1", "one"), ("192.0.2.2", "two"), ("192.0.2.1", "one"), ("192.0.2.3", "three")]
    {
        bench.one(answer(Owner::Container(A), host, &[address]));
    }
    for (address, expect) in [("192.0.2.1", Some("one")), ("192.0.2.2", None), ("192.0.2.3", Some("three"))] {
        assert_eq!(name(&bench.one(connect(Owner::Container(A), address))), expect, "{address}");
    }
    bench.one(answer(Owner::Container(B), "b1", &["192.0.2.8"]));
    bench.one(answer(Owner::Container(B), "b2", &["192.0.2.9"]));
    assert_eq!(name(&bench.one(connect(Owner::Container(B), "192.0.2.8"))), None);
    assert_eq!(name(&bench.one(connect(Owner::Container(B), "192.0.2.9"))), Some("b2"));
    assert_eq!(bench.enricher.stats().names_lost, 2);
}

#[test]
fn a_packet_without_a_task_gets_its_sockets_owner() {
    let mut bench = Bench::new();
    bench.container(A);
    let unknown = Owner::Unknown(UnknownOwner::SocketWithoutOwner);
    let packet = |cookie| {
        let payload = Payload { cookie, ..Payload::default() };
        Event { owner: unknown, ..Event::new(Sensor::Kernel, BootTime(0), Kind::Payload(Box::new(payload))) }
    };
    bench.one(exec(task(5, 1), Owner::Container(A), "/bin/nc"));
    bench.one(connect(Owner::Container(A), "192.0.2.1"));
    let repaired = bench.one(packet(7));
    assert_eq!((repaired.owner, lineage(&repaired).as_str()), (Owner::Container(A), "/bin/nc"));
    assert_eq!(bench.one(packet(8)).owner, unknown);
    let close = Connection { op: ConnectionOp::Close, cookie: 7, ..Connection::default() };
    let mut close = Event::new(Sensor::Kernel, BootTime(0), Kind::Connection(Box::new(close)));
    close.owner = unknown;
    assert_eq!(bench.one(close).owner, Owner::Container(A));
    assert_eq!(bench.one(packet(7)).owner, Owner::Container(A), "the grace after close");
    bench.wait(3 * SECOND);
    assert_eq!(bench.one(packet(7)).owner, unknown);
    let stats = bench.enricher.stats();
    assert_eq!((stats.repaired, stats.socket_without_owner), (3, 2));
}
