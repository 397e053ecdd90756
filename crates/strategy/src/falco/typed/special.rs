//! Checks that are cases of their own: kinds of events, words for bits, `host`, results.

use super::super::expression::Value;
use super::super::glob;
use super::result::{failed, raw_result, result};
use super::*;

/// Flags of `open`, include/uapi/asm-generic/fcntl.h.
const OPEN_FLAGS: &[(&str, u64)] = &[
    ("O_CREAT", 0o100),
    ("O_EXCL", 0o200),
    ("O_TRUNC", 0o1000),
    ("O_APPEND", 0o2000),
    ("O_NONBLOCK", 0o4000),
    ("O_DIRECT", 0o40000),
    ("O_DIRECTORY", 0o200_000),
    ("O_CLOEXEC", 0o2_000_000),
];
/// The bits of `open`'s flags that say read, write or both.
const ACCESS_MODE: u64 = 3;
/// Bits of a mode, include/uapi/linux/stat.h.
const MODES: &[(&str, u64)] = &[
    ("S_ISUID", 0o4000),
    ("S_ISGID", 0o2000),
    ("S_ISVTX", 0o1000),
    ("S_IXUSR", 0o100),
    ("S_IXGRP", 0o10),
    ("S_IXOTH", 0o1),
    ("S_IWOTH", 0o2),
];
/// Capabilities by number from 0, include/uapi/linux/capability.h.
const CAPABILITIES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE \
    SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL \
    SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";
/// Digits of a container's id in Falco.
const SHORT_ID: usize = 12;

/// The plan of `check` over events of `class`, where it is a case of its own.
pub(super) fn plan(class: Class, check: &Check) -> Option<Plan<Field>> {
    let Operand::Field { name, argument } = &check.left else { return None };
    match (name.as_str(), argument.as_deref()) {
        ("evt.type" | "syscall.type" | "evt.syscall.type", None) => event_type(class, check),
        ("evt.is_open_read", None) => truth(check, opened(class, |mode| mode != 1)),
        ("evt.is_open_write", None) => truth(check, opened(class, |mode| mode != 0)),
        ("evt.is_open_create", None) => {
            truth(check, guarded(class, Plan::Bits(Field::FileFlags, 0o100, vec![0o100])))
        }
        ("evt.failed", None) => truth(check, failed(class)?),
        ("evt.res", None) => match (check.operator, &check.right) {
            // Names of errors begin with it, and `SUCCESS` does not.
            (Operator::StartsWith, Right::Value(value)) if value.text == "E" => failed(class),
            _ => words(check, |word| result(class, word)),
        },
        ("evt.rawres", None) => raw_result(class, check),
        ("fd.num", None) if class == Class::FileEvent => descriptor_number(class, check),
        ("evt.arg.flags", None) if class == Class::FileEvent => {
            bits(check, Field::FileFlags, &flags()).map(|plan| guarded(class, plan))
        }
        ("evt.arg.flags", None) if class == Class::ProcessCreation => words(check, |word| match word {
            "EXE_UPPER_LAYER" => Some(Plan::Ask(Field::ProcessNotInImage, vec![Matcher::Bool(true)])),
            "EXE_FROM_MEMFD" => Some(Plan::Ask(Field::ProcessMemfd, vec![Matcher::Bool(true)])),
            _ => None,
        }),
        ("evt.arg.mode", None) if class == Class::FileEvent => {
            let modes: Vec<_> = MODES.iter().map(|(name, bit)| ((*name).to_owned(), *bit, *bit)).collect();
            bits(check, Field::FileMode, &modes)
        }
        ("evt.arg.domain", None) if class == Class::Socket => words(check, |word| {
            let family = word.strip_prefix("AF_")?.to_ascii_lowercase();
            Some(exactly(Field::SocketFamily, &[&family]))
        }),
        ("thread.cap_effective", None) => {
            let named = CAPABILITIES.split_whitespace().map(|name| format!("CAP_{name}"));
            let bits_of = (0..64).zip(named).map(|(number, name)| (name, 1_u64 << number, 1_u64 << number));
            bits(check, Field::Capabilities, &bits_of.collect::<Vec<_>>())
        }
        ("proc.tty", None) => words(check, |word| {
            (word == "0").then(|| Plan::Ask(Field::ProcessTty, vec![Matcher::Bool(false)]))
        }),
        ("user.name", None) => words(check, |word| {
            (word == "root").then(|| Plan::Ask(Field::UserId, vec![Matcher::Number(Number::Integer(0))]))
        }),
        ("user.loginuid", None) => words(check, |word| match word {
            "-1" => Some(Plan::negated(Plan::Here(Field::LoginUserId))),
            word => Some(Plan::Ask(Field::LoginUserId, vec![Matcher::Number(lex::number(word)?)])),
        }),
        ("container.id" | "container.full_id", None) => container(check),
        ("container.mount.dest" | "container.mount.source", Some(path)) => mount(name, path, check),
        ("fd.typechar" | "fd.type", None) => words(check, |word| descriptor(class, word)),
        ("fd.sockfamily", None) => words(check, |word| {
            Some(Plan::Always(matches!(
                (class, word),
                (Class::NetworkConnection, "ip") | (Class::UnixSocket, "unix")
            )))
        }),
        // The stage itself is not kept; that there is a response is.
        ("jevt.value", Some("/stage")) | ("ka.stage", None) if class == Class::Api => words(check, |word| {
            let responded = Plan::Here(Field::ApiStatus);
            match word {
                "ResponseStarted" | "ResponseComplete" => Some(responded),
                "RequestReceived" => Some(Plan::negated(responded)),
                _ => None,
            }
        }),
        _ => None,
    }
}

/// The texts that a check compares with, and whether with `!=`.
pub(super) fn values(check: &Check) -> Option<(bool, Vec<&str>)> {
    fn texts(values: &[Value]) -> Vec<&str> {
        values.iter().map(|value| value.text.as_str()).collect()
    }
    match (check.operator, &check.right) {
        (Operator::Eq, Right::Value(value)) => Some((false, vec![&value.text])),
        (Operator::Neq, Right::Value(value)) => Some((true, vec![&value.text])),
        (Operator::In | Operator::Intersects, Right::List(Quantifier::Operator, values)) => {
            Some((false, texts(values)))
        }
        _ => None,
    }
}

/// A check whose values are words with a meaning each; what is no such word has no counterpart.
fn words(check: &Check, meaning: impl Fn(&str) -> Option<Plan<Field>>) -> Option<Plan<Field>> {
    let meaning = |word: &str| {
        let shown = if word.is_empty() { "\"\"" } else { word };
        meaning(word).unwrap_or_else(|| Plan::Missing(format!("{} {shown}", left(check))))
    };
    // Words are what a list of words contains.
    if let (Operator::Contains | Operator::IContains, Right::Value(value)) = (check.operator, &check.right) {
        return Some(meaning(&value.text));
    }
    let Some((negated, words)) = values(check) else { return Some(Plan::Missing(left(check))) };
    let plan = Plan::any(words.into_iter().map(meaning).collect());
    Some(if negated { Plan::negated(plan) } else { plan })
}

pub(super) fn left(check: &Check) -> String {
    match &check.left {
        Operand::Field { name, argument: None } => format!("{name} {}", check.operator.as_str()),
        Operand::Field { name, argument: Some(argument) } => format!("{name}[{argument}]"),
        _ => "a transformer".to_owned(),
    }
}

/// A check of a truth value.
fn truth(check: &Check, holds: Plan<Field>) -> Option<Plan<Field>> {
    words(check, |word| match word {
        "true" => Some(holds.clone()),
        "false" => Some(Plan::negated(holds.clone())),
        _ => None,
    })
}

fn event_type(class: Class, check: &Check) -> Option<Plan<Field>> {
    let all = |fits: &dyn Fn(&str) -> bool| event_type::all().filter(|name| fits(name)).collect::<Vec<_>>();
    let (negated, names) = match (values(check), check.operator, &check.right) {
        (Some((negated, names)), ..) => (negated, names),
        (None, Operator::Exists, _) => return Some(Plan::Always(true)),
        (None, Operator::StartsWith, Right::Value(start)) => {
            (false, all(&|name| name.starts_with(&start.text)))
        }
        (None, Operator::EndsWith, Right::Value(end)) => (false, all(&|name| name.ends_with(&end.text))),
        (None, Operator::Contains, Right::Value(part)) => (false, all(&|name| name.contains(&part.text))),
        _ => return Some(Plan::Missing(left(check))),
    };
    let mut operations = Vec::new();
    let mut is_all = false;
    for name in names {
        match event_type::operations(name, class) {
            Some(Operations::All) => is_all = true,
            Some(Operations::These(these)) => operations.extend_from_slice(these),
            None => {}
        }
    }
    operations.sort_unstable();
    operations.dedup();
    let plan = match operations.as_slice() {
        _ if is_all => Plan::Always(true),
        [] => Plan::Always(false),
        operations => exactly(Field::EventOperation, operations),
    };
    Some(if negated { Plan::negated(plan) } else { plan })
}

/// Files opened in a mode that `fits`: 0 to read, 1 to write, 2 for both.
fn opened(class: Class, fits: fn(u64) -> bool) -> Plan<Field> {
    let modes = (0..3).filter(|mode| fits(*mode)).collect();
    guarded(class, Plan::Bits(Field::FileFlags, ACCESS_MODE, modes))
}

/// What holds for opened files only.
fn guarded(class: Class, plan: Plan<Field>) -> Plan<Field> {
    match class {
        Class::FileEvent => Plan::all(vec![exactly(Field::EventOperation, OPENED), plan]),
        _ => Plan::Always(false),
    }
}

/// A word for bits of a number: name, mask, value.
type Word = (String, u64, u64);

/// The words for the flags of `open`.
fn flags() -> Vec<Word> {
    let modes = [("O_RDONLY", 0), ("O_WRONLY", 1), ("O_RDWR", 2)];
    let modes = modes.map(|(name, mode)| (name.to_owned(), ACCESS_MODE, mode));
    modes.into_iter().chain(OPEN_FLAGS.iter().map(|(name, bit)| ((*name).to_owned(), *bit, *bit))).collect()
}

/// A check of Falco's text for bits of a number, in which the words of all bits that are set stand.
fn bits(check: &Check, field: Field, known: &[Word]) -> Option<Plan<Field>> {
    let wanted = match (check.operator, &check.right) {
        (Operator::Exists, _) => return Some(Plan::Here(field)),
        (Operator::Contains, Right::Value(value)) => value.text.clone(),
        (Operator::IContains, Right::Value(value)) => value.text.to_ascii_uppercase(),
        // The text as a whole has no counterpart.
        _ => return Some(Plan::Missing(left(check))),
    };
    let named = known.iter().filter(|(name, ..)| name.contains(&wanted));
    let asked: Vec<_> = named.map(|(_, mask, value)| Plan::Bits(field, *mask, vec![*value])).collect();
    Some(match asked.as_slice() {
        [] => Plan::Missing(format!("{} {wanted}", left(check))),
        _ => Plan::any(asked),
    })
}

/// The descriptor of an opened file is known only as far as there is one: `fd.num >= 0`.
fn descriptor_number(class: Class, check: &Check) -> Option<Plan<Field>> {
    let Right::Value(value) = &check.right else { return None };
    let opens = match (check.operator, lex::number(&value.text)?) {
        (Operator::Gte, Number::Integer(0)) | (Operator::Gt, Number::Integer(-1)) => true,
        (Operator::Lt, Number::Integer(0)) | (Operator::Lte | Operator::Eq, Number::Integer(-1)) => false,
        _ => return None,
    };
    let failed = failed(class)?;
    Some(guarded(class, if opens { Plan::negated(failed) } else { failed }))
}

/// `host` is what Falco calls the absence of a container, and 12 digits are an id.
fn container(check: &Check) -> Option<Plan<Field>> {
    if check.operator == Operator::Exists {
        return Some(Plan::Always(true));
    }
    let (negated, words) = values(check)?;
    let plan = Plan::any(
        words
            .into_iter()
            .map(|word| match word {
                "host" => Plan::negated(Plan::Here(Field::ContainerId)),
                "" => Plan::Always(false),
                id => {
                    let mut pattern = Pattern { cased: true, ..Pattern::literal(id) };
                    if id.len() == SHORT_ID {
                        pattern.push(Segment::Any);
                    }
                    Plan::Ask(Field::ContainerId, vec![Matcher::Pattern(pattern)])
                }
            })
            .collect(),
    );
    Some(if negated { Plan::negated(plan) } else { plan })
}

/// Whether a mount leads to `path`, a shell pattern; `N/A` is what Falco says where none does.
fn mount(name: &str, path: &str, check: &Check) -> Option<Plan<Field>> {
    let field = if name == "container.mount.dest" {
        Field::ContainerMountTargets
    } else {
        Field::ContainerMountSources
    };
    let matcher = glob::matcher(path, false).ok()?;
    let mounted = Plan::Ask(field, vec![matcher]);
    match (check.operator, values(check)) {
        (Operator::Exists, _) => Some(mounted),
        (_, Some((negated, words))) if words.iter().all(|word| matches!(*word, "N/A" | "<NA>")) => {
            Some(if negated { mounted } else { Plan::negated(mounted) })
        }
        _ => None,
    }
}

/// What a descriptor of the event leads to, in Falco's words and letters.
fn descriptor(class: Class, word: &str) -> Option<Plan<Field>> {
    match class {
        Class::FileEvent => {
            let opened = exactly(Field::EventOperation, OPENED);
            Some(if matches!(word, "file" | "f") { opened } else { Plan::Always(false) })
        }
        Class::UnixSocket => Some(Plan::Always(matches!(word, "unix" | "u"))),
        Class::FdChange => Some(match word {
            "ipv4" | "ipv6" | "4" | "6" => exactly(Field::FdTypeName, &["inet"]),
            "unix" | "u" => exactly(Field::FdTypeName, &["unix"]),
            "pipe" | "p" => exactly(Field::FdTypeName, &["pipe"]),
            "file" | "f" => exactly(Field::FdTypeName, &["file", "tty", "null"]),
            _ => return None,
        }),
        Class::NetworkConnection => {
            let any = match word {
                "ipv4" | "4" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                "ipv6" | "6" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                _ => return Some(Plan::Always(false)),
            };
            let family = |field| Plan::Ask(field, vec![Matcher::Cidr(Cidr { address: any, prefix: 0 })]);
            Some(Plan::any(vec![family(Field::DestinationIp), family(Field::SourceIp)]))
        }
        // These have no descriptor.
        Class::ProcessCreation | Class::ProcessFork | Class::ProcessTermination => Some(Plan::Always(false)),
        _ => None,
    }
}
