use super::*;
use event::container::Mount;
use event::health::LossAt;
use event::kernel::{Cgroup, CgroupOp};

const IN_A: Owner = Owner::Container(A);
const IN_B: Owner = Owner::Container(B);

/// What came out, as `path:container name:late`, and the verb for container events.
fn shown(events: &[Event]) -> Vec<String> {
    let one = |event: &Event| match &event.kind {
        Kind::File(file) => format!(
            "{}:{}{}",
            file.path,
            event.context.container.as_ref().map_or("-", |record| record.name.as_str()),
            if event.context.container_late { ":late" } else { "" }
        ),
        Kind::Loss(loss) => format!("loss {} {}", loss.at.as_str(), loss.count),
        kind => kind.operation().to_owned(),
    };
    events.iter().map(one).collect()
}

fn of_a(path: &str) -> Event {
    write(task(5, 1), IN_A, path)
}

#[track_caller]
fn check(steps: Vec<(Event, &[&str])>) {
    let mut bench = Bench::new();
    for (number, (event, expect)) in steps.into_iter().enumerate() {
        assert_eq!(shown(&bench.push(event)), expect, "step {number}");
    }
}

#[test]
fn events_wait_in_order_for_the_facts_of_their_container_only() {
    check(vec![
        (docker(ContainerVerb::Create, named(A)), &["create"]),
        (of_a("/1"), &[]),
        (write(task(7, 1), Owner::Host, "/host"), &["/host:-"]),
        (of_a("/2"), &[]),
        (write(task(6, 1), IN_B, "/b"), &[]),
        (docker(ContainerVerb::Start, named(A)), &[]),
        (docker(ContainerVerb::Inspected, named(A)), &["/1:c-aa", "/2:c-aa", "start", "inspected"]),
        (of_a("/3"), &["/3:c-aa"]),
        (docker(ContainerVerb::Inspected, named(B)), &["/b:c-bb", "inspected"]),
    ]);
}

#[test]
fn a_hold_ends_by_the_events_clock() {
    let mut bench = Bench::new();
    assert!(bench.push(of_a("/1")).is_empty());
    bench.push(docker(ContainerVerb::Create, named(B)));
    bench.push(write(task(6, 1), IN_B, "/b"));
    bench.wait(100 * MS);
    assert_eq!(shown(&bench.tick()), ["tick"]);
    assert!(bench.push(of_a("/2")).is_empty());
    bench.wait(150 * MS);
    // Nothing is known of A, and only name and image of B.
    assert_eq!(shown(&bench.tick()), ["/1:-:late", "/2:-:late", "/b:c-bb:late", "tick"]);
    assert_eq!(shown(&bench.push(of_a("/3"))), ["/3:-:late"]);
    bench.push(docker(ContainerVerb::Inspected, named(A)));
    assert_eq!(shown(&bench.push(of_a("/4"))), ["/4:c-aa"]);
    assert_eq!(bench.enricher.stats().late, 4);
}

#[test]
fn a_failed_inspect_ends_the_hold() {
    let mut failed = docker(ContainerVerb::Inspected, Container { id: Some(A), ..Container::default() });
    if let Kind::Container(change) = &mut failed.kind {
        change.error = "no such container".into();
    }
    check(vec![
        (docker(ContainerVerb::Create, named(A)), &["create"]),
        (of_a("/1"), &[]),
        (failed, &["/1:c-aa:late", "inspected"]),
        (of_a("/2"), &["/2:c-aa:late"]),
    ]);
}

#[test]
fn too_many_waiting_let_the_oldest_go_and_are_counted() {
    let mut bench = Bench::with(Config { hold_events: 2, hold_events_all: 3, ..Config::default() });
    bench.push(of_a("/1"));
    bench.push(of_a("/2"));
    assert_eq!(shown(&bench.push(of_a("/3"))), ["/1:-:late"]);
    bench.push(write(task(6, 1), IN_B, "/b1"));
    assert_eq!(shown(&bench.push(write(task(6, 1), IN_B, "/b2"))), ["/2:-:late"]);
    assert_eq!(shown(&bench.tick()), ["tick", "loss hold 2"]);
    let mut rest = Vec::new();
    bench.enricher.finish(&mut rest);
    assert_eq!(shown(&rest), ["/3:-:late", "/b1:-:late", "/b2:-:late"]);
}

#[test]
fn no_event_is_lost_or_doubled() {
    let mut bench = Bench::with(Config { hold_events: 50, hold_events_all: 90, ..Config::default() });
    let mut came = 0;
    for round in 0..1_000u32 {
        let owner = Owner::Container(ContainerId([(round % 7) as u8; 32]));
        came += bench.push(write(task(round, 1), owner, "/x")).len();
        bench.wait(MS);
        if round % 100 == 0 {
            came += bench
                .push(docker(ContainerVerb::Inspected, named(ContainerId([(round / 100) as u8; 32]))))
                .len()
                - 1;
        }
    }
    let mut rest = Vec::new();
    bench.enricher.finish(&mut rest);
    came += rest.iter().filter(|event| matches!(event.kind, Kind::File(_))).count();
    assert_eq!(came, 1_000);
}

#[test]
fn a_removed_container_is_kept_for_a_while() {
    let mut bench = Bench::new();
    bench.container(A);
    bench.push(docker(ContainerVerb::Destroy, named(A)));
    bench.wait(59 * SECOND);
    assert_eq!(shown(&bench.push(of_a("/1"))), ["/1:c-aa"]);
    bench.wait(2 * SECOND);
    assert!(bench.push(of_a("/2")).is_empty(), "a new hold begins");
}

#[test]
fn a_container_without_runtime_is_forgotten_after_its_cgroup() {
    let mut bench = Bench::with(Config { containers: 1, ..Config::default() });
    bench.push(of_a("/1"));
    bench.wait(SECOND);
    bench.tick();
    assert_eq!(shown(&bench.push(write(task(6, 1), IN_B, "/b"))), ["/b:-:late"], "the table is full");
    let removed = Cgroup { op: CgroupOp::Removed, container: Some(A), ..Cgroup::default() };
    bench.push(Event::new(Sensor::Kernel, BootTime(0), Kind::Cgroup(Box::new(removed))));
    assert!(bench.push(write(task(6, 1), IN_B, "/b")).is_empty(), "the place is free");
    let out = bench.tick();
    let [_, Event { kind: Kind::Loss(loss), .. }] = out.as_slice() else { panic!("{out:#?}") };
    assert_eq!((loss.at, loss.count), (LossAt::State, 1));
}

#[test]
fn rename_and_die_change_the_record() {
    let mut bench = Bench::new();
    bench.container(A);
    bench.push(docker(ContainerVerb::Rename, Container { name: "new".into(), ..named(A) }));
    assert_eq!(shown(&bench.push(of_a("/1"))), ["/1:new"]);
    let event = bench.one(docker(ContainerVerb::Die, named(A)));
    let record = event.context.container.unwrap();
    assert!(record.inspected && record.name == "new");
}

#[test]
fn an_image_is_known_where_it_was_there_at_start() {
    let known = |bench: &mut Bench, verb, image: &str, image_id: &str| {
        let record = Container { image: image.into(), image_id: image_id.into(), ..named(A) };
        bench.one(docker(verb, record)).context.container.unwrap().image_known
    };
    let start = || {
        let mut bench = Bench::new();
        let image =
            Container { id: None, image: "alpine:latest".into(), image_id: "sha256:1".into(), ..named(A) };
        bench.push(docker(ContainerVerb::ImageFound, image));
        let ran = Container { image: "gone:1".into(), image_id: "sha256:7".into(), ..named(B) };
        bench.push(docker(ContainerVerb::Found, ran));
        bench
    };
    let mut bench = start();
    assert_eq!(known(&mut bench, ContainerVerb::Create, "alpine", ""), None, "start is not over");
    for (image, image_id, expect) in [
        ("alpine", "sha256:1", Some(true)),
        ("renamed", "sha256:1", Some(true)),
        ("gone:1", "sha256:7", Some(true)),
        ("evil", "sha256:2", Some(false)),
        // A known name on another image does not make that one known.
        ("alpine:latest", "sha256:2", Some(false)),
    ] {
        let mut bench = start();
        bench.push(docker_up());
        assert_eq!(known(&mut bench, ContainerVerb::Create, image, ""), None, "{image}");
        assert_eq!(
            known(&mut bench, ContainerVerb::Inspected, image, image_id),
            expect,
            "{image} {image_id}"
        );
    }
}

#[test]
fn a_write_through_a_mount_has_the_hosts_path() {
    let mut bench = Bench::new();
    let mount =
        Mount { kind: "bind".into(), source: "/etc".into(), destination: "/h".into(), writable: true };
    let record = Container { mounts: vec![mount], ..named(A) };
    bench.push(docker(ContainerVerb::Create, named(A)));
    assert!(bench.push(of_a("/h/cron.d/x")).is_empty());
    let out = bench.push(docker(ContainerVerb::Inspected, record));
    assert_eq!(out[0].context.host_path.as_deref(), Some("/etc/cron.d/x"));
    assert_eq!(bench.one(of_a("/tmp/x")).context.host_path, None);
    let moved =
        File { op: FileOp::Rename, path: "/tmp/x".into(), target: "/h/passwd".into(), ..File::default() };
    let moved = bench.one(act(task(5, 1), IN_A, Kind::File(Box::new(moved))));
    assert_eq!(moved.context.host_path.as_deref(), Some("/etc/passwd"));
}

#[test]
fn the_same_input_gives_the_same_output() {
    let run = || {
        let mut bench = Bench::with(Config { hold_events_all: 20, processes: 30, ..Config::default() });
        let mut all = Vec::new();
        for round in 0..500u32 {
            let id = ContainerId([(round % 11) as u8; 32]);
            all.extend(bench.push(exec(task(round, round / 2), Owner::Container(id), "/bin/x")));
            bench.wait(3 * MS);
            if round % 13 == 0 {
                all.extend(bench.push(docker(ContainerVerb::Inspected, named(id))));
            }
        }
        bench.enricher.finish(&mut all);
        all
    };
    assert_eq!(run(), run());
}
