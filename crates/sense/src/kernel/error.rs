//! What can keep the kernel sensor from starting, with the cure where there is one.

use std::{io, path::PathBuf};

/// Why the kernel sensor could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel lacks ring buffers or other things that the programs use.
    #[error("kernel {version} is older than {}.{}", super::host::OLDEST_KERNEL.0, super::host::OLDEST_KERNEL.1)]
    KernelTooOld {
        /// As uname gives it.
        version: String,
    },
    /// The kernel does not describe its own types.
    #[error("no kernel type information at {path}")]
    NoBtf {
        /// Where it is looked for.
        path: &'static str,
    },
    /// This process may not load programs.
    #[error("missing capabilities: {}", missing.join(", "))]
    NotPermitted {
        /// Names of the capabilities that are needed and not effective.
        missing: Vec<&'static str>,
    },
    /// Neither a cgroup2 nor a v1 pids hierarchy is mounted.
    #[error("no cgroup hierarchy is mounted")]
    NoCgroups,
    /// The object was refused as a whole.
    #[error("kernel object: {0}")]
    Object(#[from] Box<aya::EbpfError>),
    /// A program without which nothing can be attributed did not load or attach.
    #[error("essential kernel program {program}: {cause}")]
    Essential {
        /// Its name in the object.
        program: &'static str,
        /// The kernel's answer.
        cause: String,
    },
    /// A map is missing in the object or refused an entry.
    #[error("kernel map {map}: {cause}")]
    Map {
        /// Its name in the object.
        map: &'static str,
        /// What was wrong.
        cause: String,
    },
    /// A file of the kernel could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// How a person can mend it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KernelTooOld { .. } => "boot Linux 5.10 or later",
            Self::NoBtf { .. } => {
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (all current distribution kernels are)"
            }
            Self::NotPermitted { .. } => {
                "run as root, or grant CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
            }
            Self::NoCgroups => "mount one: mount -t cgroup2 none /sys/fs/cgroup",
            Self::Object(_) | Self::Essential { .. } => {
                "run `watchkeeper doctor`; in a virtual machine or container the host may forbid bpf(2)"
            }
            Self::Map { .. } => "raise the locked memory limit (ulimit -l unlimited) on kernels before 5.11",
            Self::Read { .. } => "mount /proc and /sys, and run in the host's namespaces",
        }
    }

    /// What Watchkeeper can do in spite of it.
    #[must_use]
    pub fn still_works(&self) -> &'static str {
        "Docker events and container facts, recordings (`watchkeeper replay`), strategies (`watchkeeper strategy`)"
    }
}
