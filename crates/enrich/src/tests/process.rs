use super::*;
use event::process::{FileHash, FileIdentity, Snapshot};

const HOST: Owner = Owner::Host;
const IN_A: Owner = Owner::Container(A);

fn snapshot(pid: u32, ppid: u32, owner: Owner, path: &str) -> Event {
    let floor = |key: ProcessKey| BootTime(key.start.0 - key.start.0 % (10 * MS));
    let actor = Actor { start: floor(key(pid)), parent_start: floor(key(ppid)), ..task(pid, ppid) };
    let found = Snapshot { path: path.into(), ..Snapshot::default() };
    act(actor, owner, Kind::Snapshot(Box::new(found)))
}

#[track_caller]
fn check(events: Vec<Event>, expect: &[&str]) {
    let mut bench = Bench::new();
    bench.container(A);
    let lines: Vec<String> = events.into_iter().map(|event| lineage(&bench.one(event))).collect();
    assert_eq!(lines, expect);
}

#[test]
fn ancestry_follows_fork_and_exec() {
    check(
        vec![
            exec(task(10, 1), HOST, "/bin/sh"),
            fork(task(10, 1), HOST, 11),
            write(task(11, 10), HOST, "/x"),
            exec(task(11, 10), HOST, "/bin/nc -l"),
            // The parent dies and init takes over: the line of descent stays.
            exit(task(10, 1), HOST),
            fork(task(11, 1), HOST, 12),
            exec(task(12, 11), HOST, "/bin/id"),
            exec(task(12, 11), HOST, "/bin/true"),
        ],
        &[
            "/bin/sh",
            "/bin/sh",
            "/bin/sh < /bin/sh",
            "/bin/nc < /bin/sh",
            "/bin/sh",
            "/bin/nc < /bin/sh",
            "/bin/id < /bin/nc < /bin/sh",
            "/bin/true < /bin/nc < /bin/sh",
        ],
    );
}

#[test]
fn ancestry_ends_with_the_runtime_that_made_the_container() {
    check(
        vec![
            exec(task(2, 1), HOST, "/usr/bin/containerd-shim"),
            fork(task(2, 1), HOST, 3),
            exec(task(3, 2), HOST, "/usr/bin/runc init"),
            // Moved into the container's cgroup, runc's child becomes its first process.
            fork(task(3, 2), IN_A, 4),
            exec(task(4, 3), IN_A, "/bin/sh"),
            fork(task(4, 3), IN_A, 5),
            exec(task(5, 4), IN_A, "/bin/nc"),
        ],
        &[
            "/usr/bin/containerd-shim",
            "/usr/bin/containerd-shim",
            "/usr/bin/runc < /usr/bin/containerd-shim",
            "/usr/bin/runc < /usr/bin/containerd-shim",
            "/bin/sh < /usr/bin/runc",
            "/bin/sh < /usr/bin/runc",
            "/bin/nc < /bin/sh < /usr/bin/runc",
        ],
    );
}

#[test]
fn docker_exec_marks_the_process_and_its_descendants() {
    check(
        vec![
            exec(task(3, 1), HOST, "/runc"),
            exec(task(4, 3), IN_A, "/bin/app"),
            fork(task(4, 3), IN_A, 5),
            exec(task(5, 4), IN_A, "/bin/child"),
            exec(task(6, 3), IN_A, "/bin/sh"),
            fork(task(6, 3), IN_A, 7),
            exec(task(7, 6), IN_A, "/bin/id"),
            // The same container starts again: its new first process is no exec.
            exit(task(4, 3), IN_A),
            exec(task(8, 3), IN_A, "/bin/app"),
        ],
        &[
            "/runc",
            "/bin/app < /runc",
            "/bin/app < /runc",
            "/bin/child < /bin/app < /runc",
            "/bin/sh! < /runc",
            "/bin/sh! < /runc",
            "/bin/id! < /bin/sh < /runc",
            "/bin/app < /runc",
            "/bin/app < /runc",
        ],
    );
}

#[test]
fn exec_start_tells_where_the_parent_is_not_known() {
    let mut bench = Bench::new();
    bench.container(A);
    bench.one(exec(task(4, 3), IN_A, "/bin/app"));
    assert_eq!(lineage(&bench.one(exec(task(5, 99), IN_A, "/bin/a"))), "/bin/a");
    bench.push(docker(ContainerVerb::ExecStart, named(A)));
    assert_eq!(lineage(&bench.one(exec(task(6, 98), IN_A, "/bin/b"))), "/bin/b!");
    bench.wait(3 * SECOND);
    assert_eq!(lineage(&bench.one(exec(task(7, 97), IN_A, "/bin/c"))), "/bin/c");
}

#[test]
fn a_process_that_was_never_seen_is_known_by_its_task_name() {
    check(
        vec![
            exec(task(10, 1), HOST, "/bin/sh"),
            write(task(11, 10), HOST, "/x"),
            write(task(12, 99), IN_A, "/x"),
            write(Actor::default(), HOST, "/x"),
        ],
        &["/bin/sh", "[comm] < /bin/sh", "[comm]", "none"],
    );
}

#[test]
fn a_reused_pid_inherits_nothing() {
    let again = Actor { start: BootTime(key(10).start.0 + SECOND), ..task(10, 1) };
    check(
        vec![
            exec(task(10, 1), HOST, "/bin/old"),
            exec(again.clone(), HOST, "/bin/new"),
            // A late event of the old owner of the pid.
            write(task(10, 1), HOST, "/x"),
            write(again, HOST, "/x"),
            // An older one that was never seen does not replace the present owner either.
            write(Actor { start: BootTime(1), ..task(10, 1) }, HOST, "/x"),
        ],
        &["/bin/old", "/bin/new", "/bin/old", "/bin/new", "[comm]"],
    );
}

#[test]
fn a_process_from_before_is_adopted_within_a_tick() {
    check(
        vec![
            // Its parent comes later in the walk.
            snapshot(5, 9, IN_A, "/bin/app"),
            snapshot(9, 1, HOST, "/usr/bin/shim"),
            write(task(5, 9), IN_A, "/x"),
            fork(task(5, 9), IN_A, 6),
            exec(task(6, 5), IN_A, "/bin/sh"),
            // Same pid, another start: another process.
            write(Actor { start: BootTime(key(5).start.0 + 11 * MS), ..task(5, 9) }, IN_A, "/x"),
        ],
        &[
            "/bin/app",
            "/usr/bin/shim",
            "/bin/app < /usr/bin/shim",
            "/bin/app < /usr/bin/shim",
            "/bin/sh < /bin/app < /usr/bin/shim",
            "[comm] < /usr/bin/shim",
        ],
    );
}

#[test]
fn a_walk_through_proc_does_not_overwrite_what_events_said() {
    check(
        vec![
            exec(task(5, 1), HOST, "/bin/from-exec"),
            snapshot(5, 1, HOST, "/bin/from-proc"),
            write(task(6, 1), HOST, "/x"),
            snapshot(6, 1, HOST, "/bin/from-proc"),
            write(task(6, 1), HOST, "/x"),
        ],
        &["/bin/from-exec", "/bin/from-exec", "[comm]", "/bin/from-proc", "/bin/from-proc"],
    );
}

#[test]
fn docker_exec_into_a_container_from_before_is_seen() {
    check(
        vec![
            snapshot(3, 1, HOST, "/usr/bin/shim"),
            snapshot(4, 3, IN_A, "/bin/app"),
            snapshot(5, 4, IN_A, "/bin/child"),
            exec(task(9, 3), IN_A, "/bin/sh"),
        ],
        &[
            "/usr/bin/shim",
            "/bin/app < /usr/bin/shim",
            "/bin/child < /bin/app < /usr/bin/shim",
            "/bin/sh! < /usr/bin/shim",
        ],
    );
}

#[test]
fn a_late_hash_reaches_the_process_that_still_runs_the_file() {
    let file = FileIdentity { dev: 1, inode: 2, ctime_ns: 3, ..FileIdentity::default() };
    let hash = |process, file| {
        let hash = FileHash { process, file, sha256: Some("abc".into()), missing: None };
        Event::new(Sensor::Hash, BootTime(0), Kind::FileHash(Box::new(hash)))
    };
    let mut bench = Bench::new();
    bench.container(A);
    let program = Exec { path: "/bin/x".into(), file, ..Exec::default() };
    bench.one(act(task(5, 1), IN_A, Kind::Exec(Arc::new(program))));
    let stale = bench.one(hash(key(5), FileIdentity { inode: 9, ..file }));
    assert_eq!(stale.context.process.unwrap().sha256, None);
    let late = bench.one(hash(key(5), file));
    assert_eq!(late.owner, IN_A);
    assert_eq!(late.context.process.unwrap().sha256.as_deref(), Some("abc"));
    let after = bench.one(write(task(5, 1), IN_A, "/x"));
    assert_eq!(after.context.process.unwrap().sha256.as_deref(), Some("abc"));
}

#[test]
fn the_dead_are_kept_for_a_while_and_then_forgotten() {
    let mut bench = Bench::new();
    bench.one(exec(task(5, 1), HOST, "/bin/x"));
    bench.one(exit(task(5, 1), HOST));
    bench.wait(9 * SECOND);
    assert_eq!(lineage(&bench.one(write(task(5, 1), HOST, "/x"))), "/bin/x");
    bench.wait(2 * SECOND);
    assert_eq!(lineage(&bench.one(write(task(5, 1), HOST, "/x"))), "[comm]");
}

#[test]
fn a_container_that_forks_without_end_loses_only_its_own() {
    let mut bench = Bench::with(Config { processes_per_container: 10, ..Config::default() });
    bench.container(A);
    bench.one(exec(task(1, 0), HOST, "/sbin/init"));
    for pid in 100..150 {
        bench.one(exec(task(pid, 1), IN_A, "/bin/bomb"));
    }
    assert_eq!(bench.enricher.processes(), 11);
    assert_eq!(lineage(&bench.one(write(task(1, 0), HOST, "/x"))), "/sbin/init");
    let out = bench.tick();
    let [_, Event { kind: Kind::Loss(loss), .. }] = out.as_slice() else { panic!("{out:#?}") };
    assert_eq!((loss.at, loss.count), (event::health::LossAt::State, 40));
    assert_eq!(bench.tick().len(), 1, "the same loss is not reported twice");
}

#[test]
fn a_full_table_gives_up_the_dead_first_and_then_the_idle() {
    let mut bench = Bench::with(Config { processes: 3, ..Config::default() });
    for pid in 1..=3 {
        bench.one(exec(task(pid, 0), HOST, "/bin/x"));
    }
    bench.one(exit(task(2, 0), HOST));
    bench.one(exec(task(4, 0), HOST, "/bin/x"));
    assert_eq!((bench.enricher.stats().dead_evicted_early, bench.enricher.stats().processes_lost), (1, 0));
    bench.wait(61 * SECOND);
    bench.one(write(task(1, 0), HOST, "/x"));
    bench.one(exec(task(5, 0), HOST, "/bin/x"));
    assert_eq!(lineage(&bench.one(write(task(1, 0), HOST, "/x"))), "/bin/x");
    assert_eq!(bench.enricher.stats().processes_lost, 1);
    assert_eq!(bench.enricher.processes(), 3);
}
