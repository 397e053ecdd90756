//! The kernel sensor: programs in the kernel, and the way of their records to events.
//!
//! Two processes share the work. The one with rights uses [`KernelSensor`]: it loads and attaches the programs
//! and [seeds](KernelSensor::seed) their tables with what already runs. The one without rights inherits the
//! descriptors of [`RingFds`] and uses [`RingReader`], [`Counters`] and [`Decoder`]: shared memory to events.
//! [`Hasher`] runs where files may be read.
//!
//! Left out: threads, sequence numbers and channels, which are the pipeline's; names of containers, which are
//! Docker's.

pub mod cgroup;
mod decode;
mod error;
mod flags;
mod hash;
mod health;
mod hooks;
mod host;
mod layout;
mod loader;
mod proc;
mod programs;
mod ring;
mod seed;
mod sys;
mod syscalls;
mod types;
mod watch;

pub use self::{
    decode::{DecodeError, Decoder},
    error::Error,
    hash::{HashLimits, HashMiss, HashRequest, Hashed, Hasher},
    health::{LossWatch, ReaderCounts, signals},
    host::{Hierarchy, Host},
    layout::{MAX_CPUS, RING_COUNT},
    loader::{Config, KernelSensor, Missing, Report, Ring, RingFds},
    ring::{Counters, Counts, RingReader},
    seed::Seed,
    sys::{boot_time, inherited, wait_readable, wall_time},
};
