//! What this host offers the kernel sensor: kernel version, type information, rights, cgroup hierarchies.
//!
//! In: files of /proc and /sys. Out: a `Host`, or the first thing that is missing. Nothing is changed here.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{Error, cgroup};

/// Ring buffers came with 5.8; 5.10 is the oldest kernel that the programs are tested on.
pub(super) const OLDEST_KERNEL: (u32, u32) = (5, 10);
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Capabilities that loading and seeding need: number and name, from linux/capability.h.
const NEEDED: [(u32, &str); 5] = [
    (39, "CAP_BPF"),
    (CAP_PERFMON, "CAP_PERFMON"),
    (12, "CAP_NET_ADMIN"),
    (19, "CAP_SYS_PTRACE"),
    (2, "CAP_DAC_READ_SEARCH"),
];
/// Stands for CAP_PERFMON and CAP_BPF, which came later and are numbered from CAP_PERFMON on.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;

/// The hierarchy whose cgroups say which container a task is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// The unified hierarchy, mounted here.
    V2(PathBuf),
    /// The pids controller of version 1, mounted here.
    V1Pids(PathBuf),
}

impl Hierarchy {
    /// Where it is mounted.
    #[must_use]
    pub fn root(&self) -> &Path {
        match self {
            Self::V2(p) | Self::V1Pids(p) => p,
        }
    }
}

/// A host on which the sensor can start.
#[derive(Debug, Clone)]
pub struct Host {
    /// As uname gives it.
    pub kernel: String,
    /// The hierarchy that names containers.
    pub tracked: Hierarchy,
    /// Mount point of the unified hierarchy, where the cgroup programs are attached; without it the network
    /// programs cannot be.
    pub cgroup2: Option<PathBuf>,
    /// Inode numbers of our own namespaces, which are the host's.
    pub mnt_ns: u32,
    /// See `mnt_ns`.
    pub pid_ns: u32,
    /// See `mnt_ns`.
    pub net_ns: u32,
}

impl Host {
    /// Looks at the running host.
    ///
    /// # Errors
    /// The first thing that is missing: version, rights, type information, cgroups, in this order.
    pub fn examine() -> Result<Self, Error> {
        let kernel = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
        if version(&kernel).is_some_and(|v| v < OLDEST_KERNEL) {
            return Err(Error::KernelTooOld { version: kernel });
        }
        let missing = missing_capabilities(&read("/proc/self/status")?);
        if !missing.is_empty() {
            return Err(Error::NotPermitted { missing });
        }
        if !Path::new(BTF).exists() {
            return Err(Error::NoBtf { path: BTF });
        }
        let mounts = Mounts::parse(&read("/proc/self/mountinfo")?);
        let tracked = mounts.tracked().ok_or(Error::NoCgroups)?;
        Ok(Self {
            kernel,
            tracked,
            cgroup2: mounts.cgroup2,
            mnt_ns: namespace("mnt")?,
            pid_ns: namespace("pid")?,
            net_ns: namespace("net")?,
        })
    }
}

/// Mount points of the cgroup hierarchies.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mounts {
    cgroup2: Option<PathBuf>,
    pids: Option<PathBuf>,
}

impl Mounts {
    /// Reads /proc/self/mountinfo: see proc(5) for its fields.
    fn parse(mountinfo: &str) -> Self {
        let mut found = Self::default();
        for line in mountinfo.lines() {
            let Some((mount, file_system)) = line.split_once(" - ") else { continue };
            let mut mount = mount.split(' ').skip(3);
            let (Some("/"), Some(point)) = (mount.next(), mount.next()) else { continue };
            let mut file_system = file_system.split(' ');
            let (kind, options) = (file_system.next(), file_system.nth(1));
            let slot = match kind {
                Some("cgroup2") => &mut found.cgroup2,
                Some("cgroup") if options.is_some_and(|o| o.split(',').any(|o| o == "pids")) => {
                    &mut found.pids
                }
                _ => continue,
            };
            slot.get_or_insert_with(|| PathBuf::from(point));
        }
        found
    }

    /// The unified hierarchy, except where runtimes visibly use only version 1: old ones on a hybrid host do.
    fn tracked(&self) -> Option<Hierarchy> {
        match (&self.cgroup2, &self.pids) {
            (Some(v2), Some(v1)) if !cgroup::has_containers(v2) && cgroup::has_containers(v1) => {
                Some(Hierarchy::V1Pids(v1.clone()))
            }
            (Some(v2), _) => Some(Hierarchy::V2(v2.clone())),
            (None, Some(v1)) => Some(Hierarchy::V1Pids(v1.clone())),
            (None, None) => None,
        }
    }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Names of needed capabilities that are not in the effective set of `status` (/proc/PID/status).
fn missing_capabilities(status: &str) -> Vec<&'static str> {
    let effective = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    let holds = |number: u32| effective & (1 << number) != 0;
    NEEDED
        .iter()
        .filter(|(number, _)| !(holds(*number) || *number >= CAP_PERFMON && holds(CAP_SYS_ADMIN)))
        .map(|(_, name)| *name)
        .collect()
}

/// Inode of one of our own namespaces. Those of pid 1 need more rights than we may have.
fn namespace(kind: &str) -> Result<u32, Error> {
    let path = PathBuf::from(format!("/proc/self/ns/{kind}"));
    let inode = fs::metadata(&path).map_err(|source| Error::Read { path, source })?.ino();
    Ok(u32::try_from(inode).unwrap_or(0))
}

fn read(path: &str) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_mounts_give_both_hierarchies() {
        let mounts = Mounts::parse(
            "30 24 0:26 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw\n\
             31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
             36 30 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
             37 30 0:33 /docker/x /mnt rw - cgroup2 cgroup2 rw\n",
        );
        assert_eq!(mounts.cgroup2, Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mounts.pids, Some("/sys/fs/cgroup/pids".into()));
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(version("6.18.2-fc"), Some((6, 18)));
        assert!(version("5.4.0-150-generic").unwrap() < OLDEST_KERNEL);
        assert!(version("5.10.0").unwrap() >= OLDEST_KERNEL);
    }

    #[test]
    fn sys_admin_stands_for_bpf_and_perfmon() {
        let status =
            format!("Name:\tx\nCapEff:\t{:016x}\n", 1u64 << CAP_SYS_ADMIN | 1 << 12 | 1 << 19 | 1 << 2);
        assert_eq!(missing_capabilities(&status), Vec::<&str>::new());
        assert_eq!(missing_capabilities("CapEff:\t0000000000000000\n").len(), NEEDED.len());
    }
}
