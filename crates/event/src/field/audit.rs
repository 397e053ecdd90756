//! Events as records of the Linux audit log.
//!
//! One event stands for all records that the audit log has of one system call. The records of services and programs
//! (logins, accounts, terminals, units) are left out on purpose: no sensor sees what they are made from.
//! Source: `include/uapi/linux/audit.h`, and `kernel/auditsc.c` for which records a call gives.

use super::Value;
use super::read::compact;
use crate::event::Class;
use crate::process::Exec;

/// Types of the audit records that events of `class` stand for.
pub const fn types(class: Class) -> &'static [&'static str] {
    match class {
        Class::ProcessCreation => &["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"],
        Class::FileEvent => &["SYSCALL", "CWD", "PATH", "PROCTITLE"],
        Class::Syscall => &["SYSCALL", "PROCTITLE"],
        _ => &[],
    }
}

/// The argument at `place`; behind a gap nobody knows where an argument stood.
pub(super) fn argument(exec: &Exec, place: usize) -> Value<'_> {
    if exec.argv.gap.is_some_and(|gap| place >= usize::from(gap.before)) {
        return Value::Absent;
    }
    exec.argv.args.get(place).map_or(Value::Absent, compact)
}

/// An argument of a system call as the audit log writes it.
pub(super) fn hexadecimal<'a>(argument: Option<&u64>) -> Value<'a> {
    argument.map_or(Value::Absent, |argument| Value::Owned(compact_str::format_compact!("{argument:x}")))
}
