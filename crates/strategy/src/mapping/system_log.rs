//! Logs of Linux by their services (`auth`, `cron`, `sshd`, `sudo`, `syslog` and others), and all of them.
//!
//! Every line is asked, of whatever service: SigmaHQ's rules for them are keywords that no other service's lines have, and
//! which file a line comes to is for each distribution to say. Source: SigmaHQ's `rules/linux/builtin`.

use super::{Events, Meaning, Name};
use event::{Class, Field};

/// The events that stand for a log.
pub(super) const EVENTS: &[Events] =
    &[of(Class::Authentication), of(Class::UserActivity), of(Class::SystemLog)];

const fn of(class: Class) -> Events {
    Events { class, operations: &[], names: &[NAMES], text: &[Field::LogMessage] }
}

const fn field(name: &'static str, field: &'static [Field]) -> Name {
    Name { name, meaning: Meaning::Fields(field) }
}

const NAMES: &[Name] = &[
    field("message", &[Field::LogMessage]),
    field("msg", &[Field::LogMessage]),
    field("program", &[Field::LogProgram]),
    field("hostname", &[Field::LogHost]),
    field("host", &[Field::LogHost]),
    field("src_ip", &[Field::ActivitySource]),
    field("user", &[Field::ActivityUser]),
    field("unit", &[Field::LogUnit]),
];
