//! Records of the kernel's audit log: as `auditd` writes them, and as `ausearch` prints them.
//!
//! In: a line, which may hold several records. Out: records as pairs of name and value, what each tells, and the programs
//! that were executed, joined from the records of one call (`SYSCALL`, `EXECVE`, `CWD`, `PATH`, `PROCTITLE`), which may stand
//! between those of others. Open calls: [`CALLS`], the oldest gives way; arguments: [`ARGUMENTS`].
//!
//! Left out on purpose: calls other than `execve` and `execveat`, which are lines of a log and no more.
//!
//! Source: `include/uapi/linux/audit.h`, the audit project's list of record types and fields, audit_log_format(7) on encoded
//! values.

use super::pattern::{address, kept, short};
use event::Text;
use event::log::{Act, LogRecord};
use event::process::{Actor, Argv, Exec, UNSET};
use std::collections::VecDeque;

/// Calls whose records are waited for.
const CALLS: usize = 64;
/// Arguments that are kept of a command line.
const ARGUMENTS: usize = 256;
/// Pairs that are read of one record.
const PAIRS: usize = 256;
/// Numbers of `execve` and `execveat` on x86-64 and arm64, by their architecture's code.
const EXECUTING: [(&str, &[&str]); 2] = [("c000003e", &["59", "322"]), ("c00000b7", &["221", "281"])];
/// Fields that are in hexadecimal where they hold a blank, a quote or a control sign.
const ENCODED: [&str; 9] = ["acct", "exe", "comm", "cwd", "name", "proctitle", "cmd", "grp", "path"];

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'l> {
    pub(super) kind: &'l str,
    /// Nanoseconds since 1970.
    pub(super) time_ns: Option<u64>,
    /// What joins the records of one call.
    pub(super) serial: &'l str,
    pub(super) text: &'l str,
    pairs: Vec<(&'l str, &'l str)>,
}

/// Whether `line` begins as a record does.
pub(super) fn is_record(line: &str) -> bool {
    let line = match line.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ').map_or("", |(_, rest)| rest),
        None => line,
    };
    line.strip_prefix("type=").is_some_and(|rest| {
        rest.split_once(' ').is_some_and(|(kind, rest)| is_kind(kind) && rest.starts_with("msg=audit("))
    })
}

/// What `ausearch` prints between records.
pub(super) fn is_divider(line: &str) -> bool {
    line == "----" || line.starts_with("time->")
}

fn is_kind(kind: &str) -> bool {
    !kind.is_empty()
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_[]".contains(&byte))
}

/// The records of `line`.
pub(super) fn records(line: &str) -> impl Iterator<Item = Record<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = if rest.starts_with("type=") { 0 } else { rest.find(" type=")? + 1 };
        let from = rest.get(start..)?;
        let begins = |at: usize| from.get(at + 1..).is_some_and(is_record);
        let end = from.match_indices(" type=").map(|(at, _)| at).find(|at| begins(*at)).unwrap_or(from.len());
        let (record, after) = from.split_at_checked(end)?;
        rest = after;
        Some(record)
    })
    .filter_map(record)
}

fn record(text: &str) -> Option<Record<'_>> {
    let (kind, rest) = text.strip_prefix("type=")?.split_once(" msg=audit(")?;
    let (stamp, rest) = rest.split_once(')')?;
    let (time, serial) = stamp.rsplit_once(':')?;
    let rest = rest.trim_start_matches([':', ' ']);
    Some(Record { kind, time_ns: seconds(time), serial, text: rest, pairs: pairs(rest) })
}

/// `1604994496.155`, or as `ausearch -i` prints it, `11/10/2020 07:48:16.155`: then none.
fn seconds(text: &str) -> Option<u64> {
    let (whole, millis) = text.split_once('.')?;
    let millis = millis.parse::<u64>().ok().filter(|_| millis.len() == 3)?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(millis * 1_000_000)
}

/// The pairs of a record, those inside `msg='…'` too. What the audit daemon adds behind U+001D in capital letters is read
/// like any other.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while pairs.len() < PAIRS {
        rest = rest.trim_start_matches([' ', ',', '\u{1d}', '\'', '(', ')', ':', ']']);
        let Some((before, after)) = rest.split_once('=') else { break };
        let name = before.rsplit([' ', '\u{1d}', '\'', '(']).next().unwrap_or(before);
        if after.starts_with('\'') {
            rest = after;
            continue;
        }
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after.find([' ', '\u{1d}', '\'', ',', ')']).unwrap_or(after.len());
                after.split_at_checked(end).unwrap_or((after, ""))
            }
        };
        pairs.push((name, value));
        rest = next;
    }
    pairs
}

impl Record<'_> {
    /// Value of the first pair of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// The same, empty where the record does not say.
    fn said(&self, name: &str) -> &str {
        self.get(name)
            .filter(|value| !matches!(*value, "?" | "(none)" | "(null" | "(null)"))
            .unwrap_or_default()
    }

    /// The same as text: what is in hexadecimal is decoded.
    fn text_of(&self, name: &str) -> String {
        decoded(name, self.said(name))
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    fn is_exec(&self) -> bool {
        let (arch, call) = (self.said("arch"), self.said("syscall"));
        let by_number = EXECUTING.iter().any(|(own, calls)| *own == arch && calls.contains(&call));
        self.kind == "SYSCALL"
            && self.said("success") != "no"
            && (by_number || matches!(call, "execve" | "execveat"))
    }

    /// What it tells, as a line of a log.
    pub(super) fn tell(&self, record: &mut LogRecord) {
        record.record = short(self.kind);
        record.unit = short(self.said("unit"));
        record.operation = short(self.said("op"));
        record.terminal = short(self.said("terminal"));
        record.executable = kept(&self.text_of("exe"));
        record.program = short(record.executable.base_name());
        if record.program.is_empty() {
            record.program = short(&self.text_of("comm"));
        }
        record.success = match self.said("res") {
            "success" | "1" | "yes" => Some(true),
            "failed" | "0" | "no" => Some(false),
            _ => None,
        };
        record.user = kept(&self.user());
        record.source =
            ["addr", "hostname"].into_iter().find_map(|name| address(self.said(name))).unwrap_or_default();
        record.act = self.act(record);
        if matches!(record.act, Act::Success | Act::Failure) {
            record.service =
                if record.program.starts_with("sshd") { "ssh".into() } else { record.program.clone() };
            record.method = if self.kind == "USER_LOGIN" { "login".into() } else { "pam".into() };
        }
        if matches!(record.act, Act::Privilege | Act::PrivilegeDenied) {
            record.command = kept(&self.text_of("cmd"));
        }
        self.target(record);
    }

    /// Who did it or logged in: the account where the record names it, else the login's user id.
    fn user(&self) -> String {
        match self.text_of("acct") {
            account if !account.is_empty() => account,
            _ => match (self.text_of("AUID"), self.said("auid")) {
                (name, _) if !name.is_empty() && name != "unset" => name,
                (_, "4294967295" | "-1" | "unset") => String::new(),
                (_, number) => number.to_owned(),
            },
        }
    }

    fn target(&self, record: &mut LogRecord) {
        let of_account = matches!(
            record.act,
            Act::UserAdded | Act::UserRemoved | Act::UserChanged | Act::PasswordChanged | Act::GroupAdded
        );
        if of_account {
            let group = self.text_of("grp");
            let account = self.text_of("acct");
            let id = self.said("id");
            let named = [account.as_str(), group.as_str(), id].into_iter().find(|name| !name.is_empty());
            record.target = kept(named.unwrap_or_default());
        } else if record.act == Act::Crash {
            record.target = kept(&self.text_of("comm"));
            record.method = short(self.said("sig"));
        } else if record.act == Act::Promiscuous {
            record.target = kept(self.said("dev"));
        }
    }

    fn act(&self, record: &LogRecord) -> Act {
        let failed = record.success == Some(false);
        match self.kind {
            "USER_LOGIN" if failed => Act::Failure,
            "USER_LOGIN" => Act::Success,
            // Of SSH `USER_LOGIN` tells the same.
            "USER_AUTH" | "USER_ACCT" if failed && !record.program.starts_with("sshd") => Act::Failure,
            "ANOM_LOGIN_FAILURES" | "ANOM_LOGIN_ACCT" | "ANOM_LOGIN_LOCATION" | "ANOM_LOGIN_SESSIONS" => {
                Act::Failure
            }
            "USER_CMD" if failed => Act::PrivilegeDenied,
            "USER_CMD" => Act::Privilege,
            "ADD_USER" if !failed => Act::UserAdded,
            "DEL_USER" | "ANOM_DEL_ACCT" if !failed => Act::UserRemoved,
            "ADD_GROUP" if !failed => Act::GroupAdded,
            "DEL_GROUP" if !failed => Act::GroupRemoved,
            "USER_CHAUTHTOK" if !failed => Act::PasswordChanged,
            "USER_MGMT" | "USER_ACCT_CHG" | "ACCT_LOCK" | "ACCT_UNLOCK" | "CHUSER_ID" | "GRP_MGMT"
                if !failed =>
            {
                Act::UserChanged
            }
            "SERVICE_START" if failed => Act::ServiceFailed,
            "SERVICE_START" => Act::ServiceStarted,
            "SERVICE_STOP" => Act::ServiceStopped,
            "DAEMON_END" | "DAEMON_ABORT" => Act::AuditStopped,
            "DAEMON_START" | "DAEMON_RESUME" if failed => Act::AuditStopped,
            "CONFIG_CHANGE" if self.get("audit_enabled") == Some("0") => Act::AuditStopped,
            "CONFIG_CHANGE" | "DAEMON_CONFIG" => Act::AuditChanged,
            "ANOM_ABEND" | "ANOM_EXEC" => Act::Crash,
            "ANOM_PROMISCUOUS" if self.get("prom").is_some_and(|prom| prom != "0") => Act::Promiscuous,
            "SELINUX_ERR" | "USER_SELINUX_ERR" | "MAC_STATUS" => Act::PolicyBroken,
            "TIME_INJOFFSET" | "TIME_ADJNTPVAL" => Act::ClockSet,
            _ => Act::Message,
        }
    }
}

/// A value of a field, decoded where it is in hexadecimal: zeros part the words of a command line.
fn decoded(name: &str, value: &str) -> String {
    let is_argument =
        name.strip_prefix('a').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let is_hexadecimal = value.len() >= 2
        && value.len().is_multiple_of(2)
        && value.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    if !is_hexadecimal || !(is_argument || ENCODED.contains(&name)) {
        return value.to_owned();
    }
    let digit =
        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let bytes: Vec<u8> = value
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | digit(*half)))
        .map(|byte| if byte == 0 { b' ' } else { byte })
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A program that was executed, as far as its records have come.
#[derive(Debug, Default)]
struct Call {
    serial: String,
    time_ns: u64,
    actor: Actor,
    exec: Exec,
}

/// What a finished call gives.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) time_ns: u64,
    pub(super) actor: Actor,
    pub(super) exec: Exec,
}

/// Calls whose records are still coming.
#[derive(Debug, Default)]
pub(super) struct Calls(VecDeque<Call>);

impl Calls {
    /// Takes a record; whether it is part of an exec. Calls that are over, or had to give way, go to `out`.
    pub(super) fn take(&mut self, record: &Record<'_>, out: &mut Vec<Executed>) -> bool {
        if record.is_exec() {
            while self.0.len() >= CALLS {
                out.extend(self.0.pop_front().map(Call::done));
            }
            self.0.push_back(Call::begin(record));
            return true;
        }
        let Some(place) = self.0.iter().position(|call| call.serial == record.serial) else {
            return false;
        };
        let is_over = matches!(record.kind, "PROCTITLE" | "EOE");
        if let Some(call) = self.0.get_mut(place) {
            call.add(record);
        }
        if is_over {
            out.extend(self.0.remove(place).map(Call::done));
        }
        matches!(record.kind, "EXECVE" | "CWD" | "PATH" | "PROCTITLE" | "EOE")
    }

    /// The input ended.
    pub(super) fn finish(&mut self, out: &mut Vec<Executed>) {
        out.extend(self.0.drain(..).map(Call::done));
    }
}

impl Call {
    fn begin(record: &Record<'_>) -> Self {
        let number = |name| record.number(name);
        let comm = record.text_of("comm");
        let actor = Actor {
            pid: number("pid").unwrap_or_default(),
            ppid: number("ppid").unwrap_or_default(),
            uid: number("uid").unwrap_or(UNSET),
            gid: number("gid").unwrap_or(UNSET),
            euid: number("euid").unwrap_or(UNSET),
            login_uid: number("auid").unwrap_or(UNSET),
            session: number("ses").unwrap_or(UNSET),
            tty: u32::from(!record.said("tty").is_empty()),
            comm: short(&comm),
            ..Actor::default()
        };
        let exec = Exec {
            path: kept(&record.text_of("exe")),
            argv: Argv { args: vec![short(&comm)], ..Argv::default() },
            ..Exec::default()
        };
        Self { serial: record.serial.to_owned(), time_ns: record.time_ns.unwrap_or_default(), actor, exec }
    }

    fn add(&mut self, record: &Record<'_>) {
        match record.kind {
            "EXECVE" => {
                let arguments = (0..ARGUMENTS).map_while(|number| {
                    let name = format!("a{number}");
                    record.get(&name).map(|value| short_argument(&decoded(&name, value)))
                });
                let args: Vec<_> = arguments.collect();
                if !args.is_empty() {
                    self.exec.argv = Argv { args, ..Argv::default() };
                }
            }
            "CWD" => self.exec.cwd = kept(&record.text_of("cwd")),
            "PATH" if record.get("item") == Some("0") => {
                self.exec.requested = kept(&record.text_of("name"));
                let mode = u32::from_str_radix(record.said("mode"), 8).unwrap_or_default();
                // Set-user-id, set-group-id.
                self.exec.setid = mode & 0o6000 != 0;
            }
            _ => {}
        }
    }

    fn done(self) -> Executed {
        let Self { time_ns, actor, mut exec, .. } = self;
        if exec.path.is_empty() {
            exec.path = Text::claimed(exec.requested.as_str());
        }
        Executed { time_ns, actor, exec }
    }
}

fn short_argument(text: &str) -> compact_str::CompactString {
    kept(text).as_str().into()
}
