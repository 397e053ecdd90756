//! The only `unsafe` of the crate: shared memory with the kernel, the boot clock, and waiting on descriptors.
//!
//! Everything exported is safe to call. Memory that the kernel may write at any time is read word by word with
//! atomic loads and copied out, so no reference to it ever escapes. It leaves out system calls that the
//! standard library or aya offer.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const WORD: usize = size_of::<u64>();

/// What a mapping may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

/// A shared mapping of a BPF map, unmapped on drop.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u64>,
    len_bytes: usize,
    access: Access,
}

// SAFETY: the mapping is not tied to a thread, and all access goes through atomics.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `len_bytes` of `fd` from `offset` on.
    pub(super) fn new(
        fd: BorrowedFd<'_>,
        offset: usize,
        len_bytes: usize,
        access: Access,
    ) -> io::Result<Self> {
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        };
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        // SAFETY: a fresh mapping at an address that the kernel chooses aliases no Rust object.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), len_bytes, protection, libc::MAP_SHARED, fd.as_raw_fd(), offset)
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(address.cast::<u64>())
            .ok_or_else(|| io::Error::other("mmap returned a null address"))?;
        Ok(Self { start, len_bytes, access })
    }

    /// The aligned word at `offset` bytes, or `None` outside the mapping.
    pub(super) fn word(&self, offset: usize) -> Option<&AtomicU64> {
        let end = offset.checked_add(WORD)?;
        if end > self.len_bytes || !offset.is_multiple_of(WORD) {
            return None;
        }
        // SAFETY: in bounds and aligned (mmap returns page-aligned memory); the mapping lives as long as
        // `self`; a word is only ever accessed atomically, and is stored to only through `store`.
        Some(unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset / WORD)) })
    }

    /// Stores a word of a writable mapping with release ordering; false if there is no such word.
    pub(super) fn store(&self, offset: usize, value: u64) -> bool {
        if self.access != Access::ReadWrite {
            return false;
        }
        let word = self.word(offset);
        if let Some(word) = word {
            word.store(value, Ordering::Release);
        }
        word.is_some()
    }

    /// Appends the `len` bytes at `offset` (a multiple of 8) to `out`; false, with `out` unchanged, if they
    /// are not all inside the mapping.
    pub(super) fn copy_to(&self, offset: usize, len: usize, out: &mut Vec<u8>) -> bool {
        let Some(end) = len.checked_next_multiple_of(WORD).and_then(|l| offset.checked_add(l)) else {
            return false;
        };
        if end > self.len_bytes || !offset.is_multiple_of(WORD) {
            return false;
        }
        let kept = out.len();
        out.reserve(end - offset);
        for at in (offset..end).step_by(WORD) {
            // SAFETY: `at` is aligned and below `end`, which is inside the mapping; see `word`.
            let word = unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at / WORD)) };
            out.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        out.truncate(kept + len);
        true
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: address and length are those of the successful mmap in `new`, and no reference to the
        // memory outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len_bytes) };
    }
}

/// Bytes in a page of memory.
pub(super) fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Clock ticks per second of the times in /proc/PID/stat.
pub(super) fn ticks_per_second() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|t| *t > 0).unwrap_or(100)
}

/// Time since boot, suspend included: the clock of every kernel record.
pub fn boot_time() -> Duration {
    clock(libc::CLOCK_BOOTTIME)
}

/// Time since the Unix epoch.
pub fn wall_time() -> Duration {
    clock(libc::CLOCK_REALTIME)
}

fn clock(id: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for a write of one timespec.
    unsafe { libc::clock_gettime(id, &raw mut now) };
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// A descriptor of our own for one that the parent process left open under the number `fd`. The original stays
/// open until the process ends.
///
/// # Panics
/// No descriptor is open under that number: parent and child disagree, which is a bug of ours.
#[must_use]
pub fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: duplicating touches no memory and closes nothing; the kernel checks the number.
    let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    assert!(own >= 0, "descriptor {fd} was not inherited");
    // SAFETY: fcntl just made `own`, so nobody else has it.
    unsafe { OwnedFd::from_raw_fd(own) }
}

/// Waits until one of `fds` is readable or `timeout` has passed. True if one is readable; an interrupting
/// signal counts as a timeout.
///
/// # Errors
/// What poll(2) says, except EINTR.
pub fn wait_readable(fds: &[BorrowedFd<'_>], timeout: Duration) -> io::Result<bool> {
    let mut polled: Vec<libc::pollfd> =
        fds.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    let count = libc::nfds_t::try_from(polled.len()).map_err(io::Error::other)?;
    // Rounded up: a wait of less than a millisecond that is cut to none would be called again and again.
    let millis = libc::c_int::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(libc::c_int::MAX);
    // SAFETY: `polled` holds `count` initialized entries and outlives the call.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), count, millis) };
    if ready >= 0 {
        return Ok(ready > 0);
    }
    match io::Error::last_os_error() {
        e if e.kind() == io::ErrorKind::Interrupted => Ok(false),
        e => Err(e),
    }
}

/// Lets maps be as large as they need to be; kernels before 5.11 count them as locked memory. Without the right
/// to it nothing changes, and the map that does not fit says so.
pub(super) fn lift_memlock_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` is valid for a read of one rlimit.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}
