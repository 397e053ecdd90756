//! File records.

use event::{
    Text,
    file::{File, FileOp, Via},
};

use super::{
    super::layout::{self, file},
    DecodeError,
    record::{Parts, Record},
};

/// Bits of `wk_file.resolved`.
const FIRST_RESOLVED: u32 = 1;
const SECOND_RESOLVED: u32 = 2;

pub(super) fn operation(r: &Record<'_>) -> Result<File, DecodeError> {
    let op = match r.u32(file::OP)? {
        layout::FILE_OPEN_WRITE => FileOp::OpenWrite,
        layout::FILE_CREATE => FileOp::Create,
        layout::FILE_OPEN_READ => FileOp::OpenRead,
        layout::FILE_RENAME => FileOp::Rename,
        layout::FILE_UNLINK => FileOp::Unlink,
        layout::FILE_LINK => FileOp::Link,
        layout::FILE_SYMLINK => FileOp::Symlink,
        layout::FILE_MKDIR => FileOp::Mkdir,
        layout::FILE_RMDIR => FileOp::Rmdir,
        layout::FILE_CHMOD => FileOp::Chmod,
        layout::FILE_CHOWN => FileOp::Chown,
        layout::FILE_TRUNCATE => FileOp::Truncate,
        layout::FILE_SETXATTR => FileOp::SetXattr,
        layout::FILE_REMOVEXATTR => FileOp::RemoveXattr,
        layout::FILE_MKNOD => FileOp::Mknod,
        value => return Err(DecodeError::Value { field: "file.op", value: value.into() }),
    };
    let resolved = r.u32(file::RESOLVED)?;
    let mut parts = r.parts(file::BYTES)?;
    let first = (r.u32(file::STR1_LEN)?, r.u32(file::PATH1_LEN)?);
    let second = (r.u32(file::STR2_LEN)?, r.u32(file::PATH2_LEN)?);
    let flags = r.u32(file::OFLAGS)?;
    let mode = match op {
        FileOp::Chmod | FileOp::Mknod => flags,
        _ => r.u32(file::MODE)?,
    };
    Ok(File {
        op,
        // A symbolic link's text is kept as it was given: it means something only where the link is.
        path: match op {
            FileOp::Symlink => {
                let text = parts.claimed(first.0)?;
                parts.bytes(first.1)?;
                text
            }
            _ => path(&mut parts, first, resolved & FIRST_RESOLVED != 0)?,
        },
        target: match op {
            // The attribute's name.
            FileOp::SetXattr | FileOp::RemoveXattr => parts.claimed(second.0)?,
            _ => path(&mut parts, second, resolved & SECOND_RESOLVED != 0)?,
        },
        result: r.i32(file::RET)?,
        dev: r.u32(file::DEV)?,
        inode: r.u64(file::INODE)?,
        mode,
        flags,
        fs_magic: r.u32(file::FS_MAGIC)?,
        via: via(r),
    })
}

/// One path from its lengths: what the process said, and what the kernel resolved.
fn path(parts: &mut Parts<'_>, lengths: (u32, u32), resolved: bool) -> Result<Text, DecodeError> {
    match lengths {
        // The walk gives no component for the root directory itself.
        (0, 0) if resolved => Ok(Text::resolved("/")),
        (0, 0) => Ok(Text::default()),
        (claimed, kernel) if resolved => {
            parts.bytes(claimed)?;
            parts.path(kernel)
        }
        (claimed, directory) => parts.joined(claimed, directory),
    }
}

pub(super) fn via(r: &Record<'_>) -> Via {
    if r.has(layout::F_URING) {
        Via::IoUring
    } else if r.has(layout::F_COMPAT) {
        Via::Compat
    } else {
        Via::Syscall
    }
}
