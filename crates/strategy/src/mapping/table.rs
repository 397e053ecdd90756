//! The log sources of other products: one entry each. A log source that is met by events later changes its entry here.

use super::{Given, Key, Source, audit, http, kubernetes, network, system_log};

/// Why there is nothing for a log source that is in no entry.
pub(super) const NO_SENSOR: &str = "no sensor gives them";
const NO_LOG: &str = "no sensor reads this log";
const NO_PROTOCOL: &str = "no sensor reads this protocol";

const fn events(key: (&'static str, &'static str, &'static str), given: Given) -> Source {
    let (category, product, service) = key;
    Source { key: Key { category, product, service }, given }
}

/// A service of Zeek that no event stands for.
const fn zeek(service: &'static str, reason: &'static str) -> Source {
    events(("", "zeek", service), Given::Nothing(reason))
}

/// A log of Linux, of the lines of a service.
const fn log(service: &'static str) -> Source {
    events(("", "linux", service), Given::Events(system_log::EVENTS))
}

/// All, the first that fits counts. Log sources that are our own come before them.
pub const SOURCES: &[Source] = &[
    events(("", "linux", "auditd"), Given::Events(audit::EVENTS)),
    events(("application", "kubernetes", "audit"), Given::Events(kubernetes::EVENTS)),
    events(("dns", "*", ""), Given::Events(network::DNS)),
    events(("", "zeek", "dns"), Given::Events(network::ZEEK_DNS)),
    events(("", "zeek", "conn"), Given::Events(network::ZEEK_CONN)),
    events(("firewall", "*", ""), Given::Events(network::FIREWALL)),
    events(("", "zeek", "http"), Given::Events(http::ZEEK_HTTP)),
    zeek("dce_rpc", NO_PROTOCOL),
    zeek("kerberos", NO_PROTOCOL),
    zeek("rdp", NO_PROTOCOL),
    zeek("smb_files", NO_PROTOCOL),
    zeek("x509", NO_PROTOCOL),
    events(("proxy", "*", "*"), Given::Events(http::PROXY)),
    events(("webserver", "*", "*"), Given::Events(http::WEB_SERVER)),
    events(("", "", "apache"), Given::Events(system_log::EVENTS)),
    events(("", "", "nginx"), Given::Events(system_log::EVENTS)),
    log(""),
    log("auth"),
    log("clamav"),
    log("cron"),
    log("guacamole"),
    log("sshd"),
    log("sudo"),
    log("syslog"),
    log("vsftpd"),
    events(("antivirus", "*", "*"), Given::Nothing(NO_LOG)),
    events(("database", "*", "*"), Given::Nothing(NO_LOG)),
];
