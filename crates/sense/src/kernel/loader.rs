//! Loads the kernel programs and attaches each on its own, so that a kernel that refuses one keeps the others.
//!
//! In: the configuration and the running host. Out: a `KernelSensor` that holds programs and maps for as long as
//! it lives, the descriptors that a reader needs, and a report of what could not be attached. Nothing is pinned.

use std::{
    collections::HashSet,
    fs::File,
    os::fd::{AsFd, BorrowedFd},
    thread,
};

use aya::{
    Btf, Ebpf, EbpfLoader,
    maps::{Array, Map},
};

use event::Wants;

use super::{
    Error,
    hooks::{DISPATCHER, HOOKS, Hook, Need, ONLY_32_BIT},
    host::{Hierarchy, Host},
    layout,
    programs::{JumpTables, fill_jump_tables, load_programs, start},
    sys,
    syscalls::{SYSCALL_SLOTS, hooked_numbers, normalised_numbers},
    types, watch,
};

pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/watchkeeper.bpf.o"));

/// Kinds of records of dockerd, containerd, shims, runc and their children, one bit each: who they start, which control
/// groups they make, what rights they use, whom they signal. Their files, descriptors and sockets are many at each start of
/// a container, and no rule asks for them.
const RUNTIME_EVENTS: u32 = 1 << layout::EXEC
    | 1 << layout::FORK
    | 1 << layout::EXIT
    | 1 << layout::CGROUP
    | 1 << layout::SYSCALL
    | 1 << layout::SIGNAL;
/// The object's table of the system calls that somebody wants.
const HOOKED: &str = ".data.hooked";
/// What the kernel sensor is told.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Ring for processes, cgroups, privilege and security, bytes; a power of two. Default 4 MiB.
    pub critical_ring_bytes: u32,
    /// Ring for files, bytes; a power of two. Default 8 MiB.
    pub file_ring_bytes: u32,
    /// Ring for sockets and packets, bytes; a power of two. Default 4 MiB.
    pub network_ring_bytes: u32,
    /// Payload bytes captured at the start of each TCP flow and direction. Default 1024.
    pub first_bytes: u32,
    /// Record host processes too, not only those of containers, runtimes and logins. Default false.
    pub host_events: bool,
    /// Base names of files whose opening for reading is recorded, at most 31 bytes each. Default: accounts, keys
    /// and tokens.
    pub watched_names: Vec<String>,
    /// Paths of host files whose opening for reading is recorded under whatever name. Default: the accounts of
    /// the host and root's Docker credentials.
    pub watched_files: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            critical_ring_bytes: 4 << 20,
            file_ring_bytes: 8 << 20,
            network_ring_bytes: 4 << 20,
            first_bytes: 1024,
            host_events: false,
            watched_names: watch::NAMES.map(str::to_owned).into(),
            watched_files: watch::FILES.map(str::to_owned).into(),
        }
    }
}

/// A program that does not run, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Missing {
    /// Its name in the object.
    pub program: &'static str,
    /// What nobody sees without it.
    pub unseen: &'static str,
    /// Signals that are degraded.
    pub signals: &'static [&'static str],
    /// The kernel's answer.
    pub cause: String,
}

/// What was attached.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Report {
    /// Programs that run.
    pub attached: Vec<&'static str>,
    /// Programs that do not.
    pub missing: Vec<Missing>,
}

/// A ring for `RingReader::new`.
#[derive(Debug, Clone, Copy)]
pub struct Ring<'a> {
    /// Its descriptor, to be inherited or cloned.
    pub fd: BorrowedFd<'a>,
    /// Its size.
    pub bytes: u32,
}

/// What a reader needs, and nothing more.
#[derive(Debug, Clone, Copy)]
pub struct RingFds<'a> {
    /// Processes, cgroups, privilege and security.
    pub critical: Ring<'a>,
    /// Files.
    pub file: Ring<'a>,
    /// Sockets and packets.
    pub network: Ring<'a>,
    /// For `Counters::map`.
    pub counters: BorrowedFd<'a>,
}

/// The loaded programs; dropping it detaches them.
pub struct KernelSensor {
    pub(super) ebpf: Ebpf,
    pub(super) host: Host,
    pub(super) config: Config,
    report: Report,
    /// Until the programs are attached.
    types: Option<Btf>,
    /// Held, not read: the kernel empties a table when its last descriptor is closed.
    jump_tables: Option<JumpTables>,
}

impl KernelSensor {
    /// Examines the host, loads the object and attaches its programs: [`KernelSensor::open`], then
    /// [`KernelSensor::attach`].
    ///
    /// # Errors
    /// Those of the two.
    pub fn load(config: &Config, wants: Option<&Wants>) -> Result<Self, Error> {
        let mut sensor = Self::open(config)?;
        sensor.attach(wants)?;
        Ok(sensor)
    }

    /// Examines the host, relocates the object and makes its maps, so that readers can start while the programs are
    /// verified.
    ///
    /// # Errors
    /// What the host lacks.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let host = Host::examine()?;
        sys::lift_memlock_limit();
        // A new loader reads all types of the kernel, which it is not asked for: beside ours, that takes no time.
        let (types, loader) = thread::scope(|scope| {
            let loader = scope.spawn(EbpfLoader::new);
            (types::of_kernel(), loader.join())
        });
        let types = types?;
        let ebpf = open(loader.unwrap_or_default(), config, &host, &types)?;
        let (config, report) = (config.clone(), Report::default());
        Ok(Self { ebpf, host, config, report, types: Some(types), jump_tables: None })
    }

    /// Has the kernel verify the programs, and attaches them. Once. File operations, duplicated descriptors and memory
    /// that `wants` does not name are not looked at; without `wants`, everything is.
    ///
    /// # Errors
    /// An essential program's refusal. What only narrows the view is in the report.
    pub fn attach(&mut self, wants: Option<&Wants>) -> Result<(), Error> {
        let Some(types) = self.types.take() else { return Ok(()) };
        let Self { ebpf, host, report, config, .. } = self;
        hook(ebpf, wants)?;
        let names = wants.iter().flat_map(|wants| &wants.file_names);
        config
            .watched_names
            .extend(names.filter(|name| name.len() <= watch::NAME_BYTES).map(ToString::to_string));
        let cgroup2 = match &host.cgroup2 {
            Some(path) => {
                Some(File::open(path).map_err(|source| Error::Read { path: path.clone(), source })?)
            }
            None => None,
        };
        let refused = load_programs(ebpf, cgroup2.is_some(), &types);
        for hook in HOOKS {
            let outcome = start(ebpf, hook, &refused, cgroup2.as_ref());
            report.add(hook, outcome)?;
        }
        self.jump_tables = Some(fill_jump_tables(ebpf, report, &refused)?);
        let outcome = start(ebpf, &DISPATCHER, &refused, None);
        report.add(&DISPATCHER, outcome)?;
        report.forget_alternatives();
        Ok(())
    }

    /// What runs and what does not.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The host as it was found.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The descriptors that a reader needs.
    ///
    /// # Errors
    /// The object lacks one of the maps.
    pub fn fds(&self) -> Result<RingFds<'_>, Error> {
        let ring = |name, bytes| Ok::<_, Error>(Ring { fd: self.map_fd(name)?, bytes });
        Ok(RingFds {
            critical: ring("ring_critical", self.config.critical_ring_bytes)?,
            file: ring("ring_file", self.config.file_ring_bytes)?,
            network: ring("ring_network", self.config.network_ring_bytes)?,
            counters: self.map_fd("counters")?,
        })
    }

    fn map_fd(&self, name: &'static str) -> Result<BorrowedFd<'_>, Error> {
        match self.ebpf.map(name) {
            Some(Map::RingBuf(data) | Map::Array(data)) => Ok(data.fd().as_fd()),
            _ => Err(Error::Map { map: name, cause: "not in the object".into() }),
        }
    }
}

impl std::fmt::Debug for KernelSensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KernelSensor").field("host", &self.host).field("report", &self.report).finish()
    }
}

impl Report {
    fn add(&mut self, hook: &Hook, outcome: Result<(), String>) -> Result<(), Error> {
        match (outcome, hook.need) {
            (Ok(()), _) => self.attached.push(hook.program),
            (Err(cause), Need::Essential) => return Err(Error::Essential { program: hook.program, cause }),
            (Err(cause), _) => {
                let Hook { program, unseen, signals, .. } = *hook;
                self.missing.push(Missing { program, unseen, signals, cause });
            }
        }
        Ok(())
    }

    /// A program made for another kernel is not missing if its sibling runs.
    fn forget_alternatives(&mut self) {
        let group_of = |program: &str| {
            HOOKS.iter().find(|h| h.program == program).and_then(|h| match h.need {
                Need::OneOf(group) => Some(group),
                _ => None,
            })
        };
        let served: HashSet<&str> = self.attached.iter().filter_map(|p| group_of(p)).collect();
        self.missing.retain(|m| group_of(m.program).is_none_or(|g| !served.contains(g)));
    }
}

fn open(loader: EbpfLoader<'static>, config: &Config, host: &Host, types: &Btf) -> Result<Ebpf, Error> {
    let tracked_v1 = u32::from(matches!(host.tracked, Hierarchy::V1Pids(_)));
    let host_events = if config.host_events { u32::MAX } else { 0 };
    let numbers = normalised_numbers();
    let mut loader: EbpfLoader<'_> = loader;
    loader
        .btf(Some(types))
        .override_global("wk_numbers32", numbers.as_slice(), true)
        .override_global("tracked_v1", &tracked_v1, true)
        .override_global("root_mnt_ns", &host.mnt_ns, true)
        .override_global("host_events", &host_events, true)
        .override_global("runtime_events", &RUNTIME_EVENTS, true)
        .override_global("first_bytes", &config.first_bytes, true)
        .map_max_entries("ring_critical", config.critical_ring_bytes)
        .map_max_entries("ring_file", config.file_ring_bytes)
        .map_max_entries("ring_network", config.network_ring_bytes)
        .load(OBJECT)
        .map_err(|e| Error::Object(Box::new(e)))
}

/// Says which system calls somebody wants.
fn hook(ebpf: &mut Ebpf, wants: Option<&Wants>) -> Result<(), Error> {
    let refused = |cause: String| Error::Map { map: HOOKED, cause };
    let map = ebpf.map_mut(HOOKED).ok_or_else(|| refused("not in the object".into()))?;
    let mut table = Array::<_, [u8; SYSCALL_SLOTS]>::try_from(map).map_err(|e| refused(e.to_string()))?;
    let hooked = hooked_numbers(ONLY_32_BIT.iter().map(|call| call.0), wants);
    table.set(0, hooked, 0).map_err(|e| refused(e.to_string()))
}
