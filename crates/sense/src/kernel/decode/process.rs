//! Process records: exec, fork, exit, descriptors, signals, executable memory.

use compact_str::CompactString;
use event::{
    Argv, BootTime, Exec, ProcessKey, Provenance, Text,
    process::{Exit, Fd, FdChange, FdType, FileIdentity, Fork, Gap, Guarded, MemoryChange, Signal},
};

use super::{
    super::layout::{self, exec, exit, fd, fd_change, fork, memory, signal},
    DecodeError,
    record::{self, Record},
};

/// Arguments kept of one command line: 2,560 bytes could be as many empty ones.
const ARGUMENT_LIMIT: usize = 512;

pub(super) fn executed(r: &Record<'_>) -> Result<Exec, DecodeError> {
    let mut parts = r.parts(exec::BYTES)?;
    let requested = parts.claimed(r.u32(exec::FILE_LEN)?)?;
    let path = parts.path(r.u32(exec::PATH_LEN)?)?;
    let cwd = parts.path(r.u32(exec::CWD_LEN)?)?;
    let head = parts.bytes(r.u32(exec::ARGV_HEAD_LEN)?)?;
    let tail = parts.bytes(r.u32(exec::ARGV_TAIL_LEN)?)?;
    let env = parts.bytes(r.u32(exec::ENV_LEN)?)?;
    let interpreter = parts.claimed(r.u32(exec::INTERP_LEN)?)?;
    let bits = r.u32(exec::XFLAGS)?;
    let has = |bit: u32| bits & bit != 0;
    Ok(Exec {
        // An anonymous file has a name and no place.
        path: match path.as_str().strip_prefix(record::UNKNOWN_ROOT) {
            Some(name) if has(layout::X_MEMFD) => Text::resolved(name),
            _ => path,
        },
        requested,
        interpreter,
        // The walk gives no component for the root directory itself.
        cwd: if cwd.is_empty() { Text::resolved("/") } else { cwd },
        argv: argv(head, tail, r.u32(exec::ARGV_TOTAL)?),
        env: env
            .split(|b| *b == 0)
            .filter(|e| !e.is_empty())
            .map(|e| Text::from_bytes(e, Provenance::Claimed))
            .collect(),
        stdio: [
            descriptor(r, exec::FD)?,
            descriptor(r, exec::FD + fd::BYTES)?,
            descriptor(r, exec::FD + 2 * fd::BYTES)?,
        ],
        file: FileIdentity {
            dev: r.u32(exec::DEV)?,
            inode: r.u64(exec::INODE)?,
            ctime_ns: r.u64(exec::CTIME_NS)?,
            size: r.u64(exec::SIZE)?,
            mode: r.u32(exec::MODE)?,
        },
        memfd: has(layout::X_MEMFD),
        deleted: has(layout::X_DELETED),
        not_in_image: has(layout::X_UPPER),
        setid: has(layout::X_SETID),
        on_tmpfs: has(layout::X_TMPFS),
        on_mount: has(layout::X_PRIVATE_MOUNT),
    })
}

/// A command line from its first bytes and, where it is longer than those, its last.
pub(in crate::kernel) fn argv(head: &[u8], tail: &[u8], total_bytes: u32) -> Argv {
    let mut argv = Argv::default();
    push_arguments(&mut argv, head);
    let known = u32::try_from(head.len() + tail.len()).unwrap_or(u32::MAX);
    let missing = total_bytes.saturating_sub(known);
    if missing > 0 && !head.is_empty() {
        let before = u16::try_from(argv.args.len()).unwrap_or(u16::MAX);
        argv.gap = Some(Gap { before, bytes: missing });
    }
    push_arguments(&mut argv, tail);
    argv
}

fn push_arguments(argv: &mut Argv, bytes: &[u8]) {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return;
    }
    for argument in bytes.split(|b| *b == 0).take(ARGUMENT_LIMIT) {
        argv.args.push(match std::str::from_utf8(argument) {
            Ok(valid) => valid.into(),
            Err(_) => {
                argv.lossy = true;
                CompactString::from_utf8_lossy(argument)
            }
        });
    }
}

pub(super) fn descriptor(r: &Record<'_>, at: usize) -> Result<Fd, DecodeError> {
    let fd_type = match r.u32(at + fd::TYPE)? {
        layout::FD_NONE => FdType::None,
        layout::FD_FILE => FdType::File,
        layout::FD_PIPE => FdType::Pipe,
        layout::FD_TTY => FdType::Tty,
        layout::FD_INET => FdType::Inet,
        layout::FD_UNIX => FdType::Unix,
        layout::FD_NULL => FdType::Null,
        _ => FdType::Other,
    };
    Ok(Fd { fd_type, inode: r.u64(at + fd::INODE)? })
}

pub(super) fn forked(r: &Record<'_>) -> Result<Fork, DecodeError> {
    Ok(Fork { child: key(r, fork::CHILD_PID, fork::CHILD_START_NS)?, child_vpid: r.u32(fork::CHILD_VPID)? })
}

/// A wait status: the signal in the low seven bits, or the exit code in the second byte; see wait(2).
pub(super) fn ended(r: &Record<'_>) -> Result<Exit, DecodeError> {
    let [low, high, ..] = r.i32(exit::CODE)?.to_le_bytes();
    Ok(match low & 0x7f {
        0 => Exit { code: Some(high), signal: None },
        signal => Exit { code: None, signal: Some(signal) },
    })
}

pub(super) fn descriptor_changed(r: &Record<'_>) -> Result<FdChange, DecodeError> {
    Ok(FdChange {
        old_fd: r.u32(fd_change::OLD_FD)?,
        new_fd: r.u32(fd_change::NEW_FD)?,
        fd: descriptor(r, fd_change::FD)?,
    })
}

pub(super) fn signalled(r: &Record<'_>) -> Result<Signal, DecodeError> {
    Ok(Signal {
        signal: r.u32(signal::SIGNAL)?,
        target: key(r, signal::TARGET_PID, signal::TARGET_START_NS)?,
        guarded: match r.u32(signal::GUARDED)? {
            1 => Guarded::Watchkeeper,
            2 => Guarded::Dockerd,
            3 => Guarded::Containerd,
            value => return Err(DecodeError::Value { field: "signal.guarded", value: value.into() }),
        },
        result: r.i32(signal::RET)?,
    })
}

pub(super) fn memory_changed(r: &Record<'_>) -> Result<MemoryChange, DecodeError> {
    let mut parts = r.parts(memory::BYTES)?;
    Ok(MemoryChange {
        address: r.u64(memory::ADDRESS)?,
        length: r.u64(memory::LENGTH)?,
        anonymous: r.u32(memory::ANONYMOUS)? != 0,
        was_writable: r.u32(memory::WAS_WRITABLE)? != 0,
        path: parts.path(r.u32(memory::PATH_LEN)?)?,
    })
}

/// A process by its pid and start.
pub(super) fn key(r: &Record<'_>, pid: usize, start: usize) -> Result<ProcessKey, DecodeError> {
    Ok(ProcessKey { pid: r.u32(pid)?, start: BootTime(r.u64(start)?) })
}

#[cfg(test)]
mod tests {
    use super::argv;

    #[test]
    fn a_long_command_line_keeps_head_and_tail() {
        let line = argv(b"sh\0-c\0aaa", b"zzz\0end\0", 100);
        assert_eq!(line.args, ["sh", "-c", "aaa", "zzz", "end"]);
        assert_eq!(line.gap.map(|g| (g.before, g.bytes)), Some((3, 83)));
        assert_eq!(line.command_line(), "sh -c aaa … zzz end");
    }

    #[test]
    fn empty_arguments_are_kept_and_bytes_that_are_no_text_are_marked() {
        let line = argv(b"a\0\0\xff\0", b"", 5);
        assert_eq!(line.args, ["a", "", "\u{fffd}"]);
        assert!(line.lossy && line.gap.is_none());
        assert!(argv(b"", b"", 0).args.is_empty());
    }
}
