//! The Linux audit log: an event stands for the records of one system call.
//!
//! An exec is `SYSCALL`, `EXECVE`, `CWD`, `PATH` and `PROCTITLE`, an operation on files the same without `EXECVE`, and
//! any other call `SYSCALL`. A record's field of another type is missing in it. The records of programs and services
//! (`USER_AUTH`, `ADD_USER`, `SERVICE_STOP`) are read from the audit log itself, where its file is. Source:
//! `kernel/auditsc.c`, the audit project's list of record types.

use super::{Code, Events, Meaning, Name, Others};
use event::field::audit_types;
use event::{Class, Field};

const NO_RULES: &str = "a key of the audit rules, which are not there";
const NOT_KEPT: &str = "arguments of calls on files are not kept";
const KEPT: &str = "only the first arguments are kept";

/// The events that stand for the audit log.
pub(super) const EVENTS: &[Events] = &[
    Events {
        class: Class::ProcessCreation,
        operations: &["exec"],
        names: &[COMMON, EXEC],
        text: &[Field::CommandLine],
    },
    Events {
        class: Class::FileEvent,
        operations: &[],
        names: &[COMMON, FILE],
        text: &[Field::TargetFilename, Field::FileTarget, Field::CommandLine],
    },
    Events {
        class: Class::Syscall,
        operations: &[],
        names: &[COMMON, CALL],
        text: &[
            Field::SyscallName,
            Field::SyscallDetail,
            Field::SyscallPath,
            Field::SyscallSource,
            Field::CommandLine,
        ],
    },
    Events { class: Class::Authentication, operations: &[], names: &[RECORD], text: &[Field::LogMessage] },
    Events { class: Class::UserActivity, operations: &[], names: &[RECORD], text: &[Field::LogMessage] },
    Events { class: Class::SystemLog, operations: &[], names: &[RECORD], text: &[Field::LogMessage] },
];

const fn name(name: &'static str, meaning: Meaning) -> Name {
    Name { name, meaning }
}

const fn field(name: &'static str, field: &'static [Field]) -> Name {
    Name { name, meaning: Meaning::Fields(field) }
}

/// What records of programs and services have.
const RECORD: &[Name] = &[
    field("type", &[Field::LogRecord]),
    field("exe", &[Field::LogExecutable]),
    field("comm", &[Field::LogProgram]),
    field("unit", &[Field::LogUnit]),
    field("op", &[Field::LogOperation]),
    field("acct", &[Field::ActivityUser]),
    field("addr", &[Field::ActivitySource]),
    field("hostname", &[Field::ActivitySource]),
    field("terminal", &[Field::LogTerminal]),
    name("res", Meaning::Coded(Field::ActivitySuccess, RESULTS, Others::Absent)),
    name("key", Meaning::Missing(NO_RULES)),
];

const RESULTS: &[(&str, &[Code])] = &[
    ("success", &[Code::Bool(true)]),
    ("yes", &[Code::Bool(true)]),
    ("1", &[Code::Bool(true)]),
    ("failed", &[Code::Bool(false)]),
    ("no", &[Code::Bool(false)]),
    ("0", &[Code::Bool(false)]),
];

/// `-1` of an unsigned number, which says that nobody logged in.
const NOBODY: &[Code] = &[Code::Null];

/// What every record of a system call has.
const COMMON: &[Name] = &[
    name("SYSCALL", Meaning::Call),
    name("syscall", Meaning::Call),
    field("exe", &[Field::Image]),
    field("comm", &[Field::ProcessTask]),
    field("pid", &[Field::ProcessId]),
    field("ppid", &[Field::ParentProcessId]),
    field("uid", &[Field::UserId]),
    field("euid", &[Field::EffectiveUserId]),
    name(
        "auid",
        Meaning::Coded(
            Field::LoginUserId,
            &[("4294967295", NOBODY), ("-1", NOBODY), ("unset", NOBODY)],
            Others::Numbers,
        ),
    ),
    field("cwd", &[Field::CurrentDirectory]),
    field("proctitle", &[Field::CommandLine]),
    name("key", Meaning::Missing(NO_RULES)),
];

const EXEC: &[Name] = &[
    name("type", Meaning::Words(audit_types(Class::ProcessCreation), Some(Field::AuditType))),
    field("a0", &[Field::ProcessArg0]),
    field("a1", &[Field::ProcessArg1]),
    field("a2", &[Field::ProcessArg2]),
    field("a3", &[Field::ProcessArg3]),
    field("a4", &[Field::ProcessArg4]),
    field("a5", &[Field::ProcessArg5]),
    field("a6", &[Field::ProcessArg6]),
    field("a7", &[Field::ProcessArg7]),
    field("a8", &[Field::ProcessArg8]),
    field("a9", &[Field::ProcessArg9]),
    field("name", &[Field::Image]),
    name("nametype", Meaning::Words(&["NORMAL"], None)),
    // Execs are told when they succeed.
    name("success", Meaning::Words(&["yes"], None)),
    name("exit", Meaning::Words(&["0"], None)),
];

const FILE: &[Name] = &[
    name("type", Meaning::Words(audit_types(Class::FileEvent), Some(Field::AuditType))),
    name("a0", Meaning::Missing(NOT_KEPT)),
    name("a1", Meaning::Missing(NOT_KEPT)),
    name("a2", Meaning::Missing(NOT_KEPT)),
    name("a3", Meaning::Missing(NOT_KEPT)),
    field("name", &[Field::TargetFilename, Field::FileTarget]),
    name("nametype", Meaning::Coded(Field::EventOperation, NAME_TYPES, Others::Absent)),
    name("success", Meaning::Coded(Field::EventResult, SUCCESS, Others::Absent)),
    field("exit", &[Field::EventResult]),
];

const CALL: &[Name] = &[
    name("type", Meaning::Words(audit_types(Class::Syscall), Some(Field::AuditType))),
    // Hexadecimal, so that a number of a rule is its digits.
    name("a0", Meaning::Coded(Field::SyscallArg0, &[], Others::Written)),
    name("a1", Meaning::Coded(Field::SyscallArg1, &[], Others::Written)),
    name("a2", Meaning::Coded(Field::SyscallArg2, &[], Others::Written)),
    name("a3", Meaning::Coded(Field::SyscallArg3, &[], Others::Written)),
    name("a4", Meaning::Missing(KEPT)),
    name("success", Meaning::Coded(Field::EventResult, SUCCESS, Others::Absent)),
    field("exit", &[Field::EventResult]),
];

const SUCCESS: &[(&str, &[Code])] = &[("yes", &[Code::From(0)]), ("no", &[Code::Below(0)])];

/// What the operation does to the names of the paths.
const NAME_TYPES: &[(&str, &[Code])] = &[
    (
        "CREATE",
        &[
            Code::Text("create"),
            Code::Text("mkdir"),
            Code::Text("mknod"),
            Code::Text("symlink"),
            Code::Text("link"),
            Code::Text("rename"),
        ],
    ),
    ("DELETE", &[Code::Text("unlink"), Code::Text("rmdir"), Code::Text("rename")]),
    (
        "NORMAL",
        &[
            Code::Text("open_read"),
            Code::Text("open_write"),
            Code::Text("create"),
            Code::Text("chmod"),
            Code::Text("chown"),
            Code::Text("truncate"),
            Code::Text("set_xattr"),
            Code::Text("remove_xattr"),
            Code::Text("link"),
        ],
    ),
];
