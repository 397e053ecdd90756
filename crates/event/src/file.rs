//! Files: writes, path operations and watched reads.

use crate::text::{Text, is_default};
use serde::{Deserialize, Serialize};

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOp {
    /// Opened for writing.
    #[default]
    OpenWrite,
    /// Opened with the flag that creates it where it is missing.
    Create,
    /// A watched file opened for reading.
    OpenRead,
    /// Renamed: `path` to `target`.
    Rename,
    /// Name removed.
    Unlink,
    /// Hard link: `path` also known as `target`.
    Link,
    /// Symbolic link at `target` that says `path`.
    Symlink,
    /// Directory made.
    Mkdir,
    /// Directory removed.
    Rmdir,
    /// Mode changed.
    Chmod,
    /// Owner changed.
    Chown,
    /// Length set.
    Truncate,
    /// Extended attribute set.
    SetXattr,
    /// Extended attribute removed.
    RemoveXattr,
    /// Device, FIFO or socket node made.
    Mknod,
}

impl FileOp {
    /// Names of the operations that can change what a path leads to, or its state.
    pub const CHANGING: &[&str] = &[
        "open_write",
        "create",
        "rename",
        "unlink",
        "link",
        "symlink",
        "mkdir",
        "rmdir",
        "chmod",
        "chown",
        "truncate",
        "set_xattr",
        "remove_xattr",
        "mknod",
    ];

    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            FileOp::OpenWrite => "open_write",
            FileOp::Create => "create",
            FileOp::OpenRead => "open_read",
            FileOp::Rename => "rename",
            FileOp::Unlink => "unlink",
            FileOp::Link => "link",
            FileOp::Symlink => "symlink",
            FileOp::Mkdir => "mkdir",
            FileOp::Rmdir => "rmdir",
            FileOp::Chmod => "chmod",
            FileOp::Chown => "chown",
            FileOp::Truncate => "truncate",
            FileOp::SetXattr => "set_xattr",
            FileOp::RemoveXattr => "remove_xattr",
            FileOp::Mknod => "mknod",
        }
    }
}

/// How a system call came in: 32-bit calls and io_uring are full citizens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A 64-bit system call.
    #[default]
    Syscall,
    /// A 32-bit system call.
    Compat,
    /// io_uring.
    IoUring,
}

impl Via {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Syscall => "syscall",
            Via::Compat => "compat",
            Via::IoUring => "io_uring",
        }
    }
}

/// A file operation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// What was done.
    pub op: FileOp,
    /// The file, as the process sees it.
    pub path: Text,
    /// Second path of rename, link and symlink.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub target: Text,
    /// 0 or more: it succeeded; else a negative errno.
    #[serde(skip_serializing_if = "is_default")]
    pub result: i32,
    /// Device number, where known.
    #[serde(skip_serializing_if = "is_default")]
    pub dev: u32,
    /// Inode number, where known.
    #[serde(skip_serializing_if = "is_default")]
    pub inode: u64,
    /// Mode with type bits, where known; the new mode for chmod.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: u32,
    /// Open flags; new user id for chown.
    #[serde(skip_serializing_if = "is_default")]
    pub flags: u32,
    /// Magic number of the file system, where known.
    #[serde(skip_serializing_if = "is_default")]
    pub fs_magic: u32,
    /// How the call came in.
    #[serde(skip_serializing_if = "is_default")]
    pub via: Via,
}
