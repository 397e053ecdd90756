//! Records of system logs, and what they tell of users, services and the log itself.
//!
//! One line of a log is one event. Its class is that of what the line tells: an attempt to log in, an act of a user or of
//! the system that strategies know by name, or nothing but the line. Whatever a log says is a claim: only the kernel's audit
//! log and the journal's own fields are vouched for by more than the program that wrote them.

use crate::event::Class;
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

macro_rules! acts {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $class:ident;)+) => {
        /// What a line tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "CompactString")]
        pub enum Act { #[default] $($(#[doc = $doc])+ $variant,)+ }

        impl Act {
            /// All of them.
            pub const ALL: &'static [Act] = &[$(Act::$variant,)+];
            /// Its name: `event.operation`.
            pub fn as_str(self) -> &'static str { match self { $(Act::$variant => $name,)+ } }
            /// The class of an event that tells it.
            pub fn class(self) -> Class { match self { $(Act::$variant => Class::$class,)+ } }
        }
    };
}

acts! {
    /// Nothing that has a name here.
    Message = "message", SystemLog;
    /// Somebody was let in.
    Success = "success", Authentication;
    /// Somebody was not let in.
    Failure = "failure", Authentication;
    /// A client came and did not try to log in, or was turned away before it could.
    Probe = "probe", UserActivity;
    /// A user did something as another user.
    Privilege = "privilege", UserActivity;
    /// A user was not allowed to.
    PrivilegeDenied = "privilege_denied", UserActivity;
    /// An account was made.
    UserAdded = "user_added", UserActivity;
    /// An account was removed.
    UserRemoved = "user_removed", UserActivity;
    /// An account was changed: its name, number, shell, home, lock.
    UserChanged = "user_changed", UserActivity;
    /// A password was changed.
    PasswordChanged = "password_changed", UserActivity;
    /// A group was made.
    GroupAdded = "group_added", UserActivity;
    /// A group was removed.
    GroupRemoved = "group_removed", UserActivity;
    /// A user became a member of a group.
    MemberAdded = "member_added", UserActivity;
    /// A user is no member of a group any more.
    MemberRemoved = "member_removed", UserActivity;
    /// A job of cron ran.
    CronRun = "cron_run", UserActivity;
    /// A table of cron was changed.
    CronChanged = "cron_changed", UserActivity;
    /// A service was started.
    ServiceStarted = "service_started", UserActivity;
    /// A service was stopped.
    ServiceStopped = "service_stopped", UserActivity;
    /// A service failed.
    ServiceFailed = "service_failed", UserActivity;
    /// A log was emptied or removed.
    LogCleared = "log_cleared", UserActivity;
    /// Who writes a log stopped, or dropped lines.
    LogStopped = "log_stopped", UserActivity;
    /// The rules or the state of auditing were changed.
    AuditChanged = "audit_changed", UserActivity;
    /// Auditing stopped, was switched off or could not begin.
    AuditStopped = "audit_stopped", UserActivity;
    /// A program ended by an error of memory, or otherwise abnormally.
    Crash = "crash", UserActivity;
    /// A link takes packets that are not for it.
    Promiscuous = "promiscuous", UserActivity;
    /// A packet was refused by the firewall.
    PacketRefused = "packet_refused", UserActivity;
    /// A request was refused by a web application firewall or by the server.
    RequestRefused = "request_refused", UserActivity;
    /// A policy of the kernel (SELinux, AppArmor) is broken or was changed.
    PolicyBroken = "policy_broken", UserActivity;
    /// The clock was set.
    ClockSet = "clock_set", UserActivity;
}

impl From<Act> for &'static str {
    fn from(act: Act) -> Self {
        act.as_str()
    }
}

impl TryFrom<CompactString> for Act {
    type Error = String;

    fn try_from(name: CompactString) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|act| act.as_str() == name);
        found
            .copied()
            .ok_or_else(|| format!("no act of a log is called `{name}`; docs/logs.md says where they stand"))
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogRecord {
    /// The log: `syslog`, `journal`, `audit`, `file`, or `container` and the start of its id. Counts of correlations are of
    /// one log, since several logs tell the same.
    pub log: CompactString,
    /// Host that the line names.
    #[serde(skip_serializing_if = "is_default")]
    pub host: CompactString,
    /// Program that the line names.
    #[serde(skip_serializing_if = "is_default")]
    pub program: CompactString,
    /// What it says.
    pub message: Text,
    /// Type of a record of the audit log.
    #[serde(skip_serializing_if = "is_default")]
    pub record: CompactString,
    /// Unit of systemd.
    #[serde(skip_serializing_if = "is_default")]
    pub unit: CompactString,
    /// Executable that the record names.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub executable: Text,
    /// What was done, as the audit log calls it (`op`).
    #[serde(skip_serializing_if = "is_default")]
    pub operation: CompactString,
    /// Terminal.
    #[serde(skip_serializing_if = "is_default")]
    pub terminal: CompactString,
    /// What it tells.
    pub act: Act,
    /// Who logged in, or did it.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub user: Text,
    /// As whom or to what it was done: a user, a group, a program, a port.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub target: Text,
    /// Address or name that it came from.
    #[serde(skip_serializing_if = "is_default")]
    pub source: CompactString,
    /// Service that was asked.
    #[serde(skip_serializing_if = "is_default")]
    pub service: CompactString,
    /// By what it was tried: `password`, `publickey`, `unknown_user`, `pam`. Logs tell one attempt in several lines, each with
    /// a word of its own here.
    #[serde(skip_serializing_if = "is_default")]
    pub method: CompactString,
    /// Command line.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub command: Text,
    /// Whether it succeeded, where the line tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
}
