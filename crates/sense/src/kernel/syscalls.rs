//! System calls that the exit dispatcher hands to a program.

/// One call: its numbers and its program.
#[derive(Debug, Clone, Copy)]
pub struct SyscallHook {
    /// The call's name.
    pub name: &'static str,
    /// Its number on x86-64.
    pub x86_64: u32,
    /// Its number for 32-bit callers.
    pub i386: Option<u32>,
    /// The program in the object.
    pub program: &'static str,
}

/// All of them.
pub const SYSCALLS: &[SyscallHook] = &[];
