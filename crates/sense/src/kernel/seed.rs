//! What was there before the sensor: cgroups and processes of running containers, and the runtime's own.
//!
//! Runs after the programs are attached, so that nothing falls between. In: the cgroup tree and /proc. Out: the
//! kernel's tables filled, and one event for each cgroup and process found. A process started in between may be
//! seen twice: by the walk and by its own exec; its identity is the same but for the clock tick below.
//!
//! /proc gives start times in ticks of 10 ms, rounded down. Snapshot events carry that time, and a process whose
//! exact start lies within one tick of it is the same process; the kernel programs match seeded entries so too.

use std::path::Path;

use aya::maps::HashMap as KernelMap;
use event::{
    Actor, BootTime, ContainerId, Event, Kind, Owner, Provenance, Sensor, Text,
    kernel::{Cgroup, CgroupOp},
    process::{Guarded, Role, Snapshot},
};

use super::{
    Error, cgroup,
    decode::{Decoder, process::argv},
    host::Hierarchy,
    layout::{ID_LEN, L_CONTAINER, L_EXECED, L_RUNTIME, cgroup_owner, lineage},
    loader::KernelSensor,
    proc::{self, Process},
    sys::boot_time,
};

/// Executables of container runtimes, their shims and clients.
const RUNTIMES: [&str; 11] = [
    "dockerd",
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v1",
    "containerd-shim-runc-v2",
    "runc",
    "docker",
    "kubectl",
    "podman",
    "crio",
    "conmon",
];

/// What the walk found.
#[derive(Debug, Default)]
pub struct Seed {
    /// Cgroups first, then processes, parents before children as far as pids tell.
    pub events: Vec<Event>,
    /// Directories and processes that could not be read.
    pub unreadable: u64,
    /// Entries for which a kernel table had no room.
    pub refused: u64,
}

impl KernelSensor {
    /// Tells the kernel programs what already runs, and returns it as events.
    ///
    /// # Errors
    /// /proc cannot be listed, or the object lacks a table.
    pub fn seed(&mut self, decoder: &Decoder) -> Result<Seed, Error> {
        let mut seed = Seed { refused: self.watch()?, ..Seed::default() };
        self.seed_cgroups(decoder, &mut seed)?;
        self.seed_processes(decoder, &mut seed)?;
        Ok(seed)
    }

    /// Adds a process to those whose signals are recorded; Watchkeeper's own are never recorded otherwise.
    ///
    /// # Errors
    /// The table is full or missing.
    pub fn guard(&mut self, pid: u32, as_what: Guarded) -> Result<(), Error> {
        let value: u32 = match as_what {
            Guarded::Watchkeeper => 1,
            Guarded::Dockerd => 2,
            Guarded::Containerd => 3,
        };
        self.table::<u32, u32>("guarded")?
            .insert(pid, value, 0)
            .map_err(|e| Error::Map { map: "guarded", cause: e.to_string() })
    }

    fn seed_cgroups(&mut self, decoder: &Decoder, seed: &mut Seed) -> Result<(), Error> {
        let (found, skipped) = cgroup::walk(self.host.tracked.root());
        seed.unreadable += skipped;
        let mut owners = self.table::<u64, [u8; cgroup_owner::BYTES]>("cgroup_owners")?;
        for owned in found {
            // Containers that run already have executed their program.
            let value = owner_value(&owned, 1);
            seed.refused += u64::from(owners.insert(owned.id, value, 0).is_err());
            seed.events.push(found_cgroup(decoder, owned));
        }
        Ok(())
    }

    fn seed_processes(&mut self, decoder: &Decoder, seed: &mut Seed) -> Result<(), Error> {
        let v1 = matches!(self.host.tracked, Hierarchy::V1Pids(_));
        let proc = Path::new("/proc");
        let (mut found, unreadable) =
            proc::all(proc, v1).map_err(|source| Error::Read { path: proc.into(), source })?;
        seed.unreadable += unreadable;
        found.sort_by_key(|p| (p.start_ns, p.pid));
        for process in found {
            let guarded = match process.exe_name() {
                _ if process.container().is_some() => None,
                Some("dockerd") => Some(Guarded::Dockerd),
                Some("containerd") => Some(Guarded::Containerd),
                _ if process.pid == std::process::id() => Some(Guarded::Watchkeeper),
                _ => None,
            };
            if let Some(what) = guarded {
                seed.refused += u64::from(self.guard(process.pid, what).is_err());
            }
            let Some(value) = lineage_value(&process) else { continue };
            // An entry that is there came from an event since the programs run, and knows better.
            let mut table = self.table::<u32, [u8; lineage::BYTES]>("lineage")?;
            if table.get(&process.pid, 0).is_err() {
                seed.refused += u64::from(table.insert(process.pid, value, 1).is_err());
            }
            seed.events.push(snapshot(decoder, &process));
        }
        Ok(())
    }

    pub(super) fn table<K: aya::Pod, V: aya::Pod>(
        &mut self,
        map: &'static str,
    ) -> Result<KernelMap<&mut aya::maps::MapData, K, V>, Error> {
        let found = self.ebpf.map_mut(map).ok_or(Error::Map { map, cause: "not in the object".into() })?;
        KernelMap::try_from(found).map_err(|e| Error::Map { map, cause: e.to_string() })
    }
}

fn owner_value(owned: &cgroup::Owned, started: u32) -> [u8; cgroup_owner::BYTES] {
    let mut value = [0; cgroup_owner::BYTES];
    put(&mut value, cgroup_owner::CONTAINER, &owned.container);
    put(&mut value, cgroup_owner::DEPTH, &owned.depth.to_ne_bytes());
    put(&mut value, cgroup_owner::STARTED, &started.to_ne_bytes());
    value
}

/// The lineage of a process that was found; `None` for an ordinary one of the host.
fn lineage_value(process: &Process) -> Option<[u8; lineage::BYTES]> {
    let (container, flags) = match process.container() {
        Some((id, _)) => (id, L_CONTAINER | L_EXECED),
        None if is_runtime(process) => ([0; ID_LEN], L_RUNTIME),
        None => return None,
    };
    let mut value = [0; lineage::BYTES];
    put(&mut value, lineage::CONTAINER, &container);
    put(&mut value, lineage::START_NS, &process.start_ns.to_ne_bytes());
    put(&mut value, lineage::FLAGS, &flags.to_ne_bytes());
    Some(value)
}

fn put<const N: usize>(value: &mut [u8; N], at: usize, field: &[u8]) {
    if let Some(to) = value.get_mut(at..at + field.len()) {
        to.copy_from_slice(field);
    }
}

fn is_runtime(process: &Process) -> bool {
    process.container().is_none() && process.exe_name().is_some_and(|name| RUNTIMES.contains(&name))
}

fn found_cgroup(decoder: &Decoder, owned: cgroup::Owned) -> Event {
    let mut event = decoder.own(boot_time(), Kind::Tick);
    event.id.sensor = Sensor::Kernel;
    event.kind = Kind::Cgroup(Box::new(Cgroup {
        op: CgroupOp::Found,
        id: owned.id,
        path: Text::resolved(owned.path),
        container: ContainerId::from_packed(owned.container),
        moved: None,
    }));
    event
}

fn snapshot(decoder: &Decoder, process: &Process) -> Event {
    let path_text = |path: Option<&Path>| {
        path.map(|p| Text::from_bytes(p.as_os_str().as_encoded_bytes(), Provenance::Resolved))
            .unwrap_or_default()
    };
    let total = u32::try_from(process.cmdline.len()).unwrap_or(u32::MAX);
    let kind = Kind::Snapshot(Box::new(Snapshot {
        path: path_text(process.exe.as_deref()),
        argv: argv(&process.cmdline, &[], total),
        cwd: path_text(process.cwd.as_deref()),
    }));
    let mut event = decoder.own(boot_time(), kind);
    event.id.sensor = Sensor::Kernel;
    event.owner = process
        .container()
        .and_then(|(id, _)| ContainerId::from_packed(id))
        .map_or(Owner::Host, Owner::Container);
    event.actor = Some(Actor {
        pid: process.pid,
        tid: process.pid,
        ppid: process.ppid,
        vpid: process.vpid,
        start: BootTime(process.start_ns),
        uid: process.uid,
        gid: process.gid,
        euid: process.euid,
        login_uid: process.login_uid,
        session: process.session,
        caps: process.caps,
        pid_ns: process.pid_ns,
        mnt_ns: process.mnt_ns,
        net_ns: process.net_ns,
        user_ns: process.user_ns,
        tty: process.tty,
        comm: String::from_utf8_lossy(&process.comm).into(),
        role: if is_runtime(process) { Role::Runtime } else { Role::Ordinary },
        ..Actor::default()
    });
    event
}
