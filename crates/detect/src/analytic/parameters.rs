//! What the strategies say to the analytics; code holds the defaults.

use super::{asked_names, attempts, check_ins, first_contacts, heartbeats, resolved, uploads};
use crate::error::Fault;
use compact_str::CompactString;
use event::WatchList;
use event::watched::PathPattern;
use std::collections::BTreeSet;
use std::str::FromStr;

/// Directories whose files make the host what it is.
const SYSTEM_DIRECTORIES: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/root",
    "/sbin",
    "/sys/kernel",
    "/sys/fs/cgroup",
    "/usr",
    "/var/lib/cloud",
    "/var/lib/kubelet",
    "/var/lib/systemd",
    "/var/spool/at",
    "/var/spool/cron",
];
/// Sockets through which a container runtime takes orders.
const RUNTIME_SOCKETS: &[&str] = &[
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/cri-dockerd.sock",
    "/run/dockershim.sock",
    "/run/k3s/containerd/containerd.sock",
];
/// Ports on which web services run: IANA's `http`, `https` and their alternatives, and the customary ones of servers.
const WEB_PORTS: &[u16] =
    &[80, 81, 443, 591, 3000, 5000, 8000, 8008, 8080, 8081, 8088, 8443, 8888, 9000, 9080, 9443];

/// Package managers and configuration management: names of their programs, or of the scripts that they are.
const MANAGERS: &[&str] = &[
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "cf-agent",
    "chef-client",
    "cloud-init",
    "dnf",
    "dnf-3",
    "dnf5",
    "dpkg",
    "microdnf",
    "pacman",
    "puppet",
    "rpm",
    "rpm-ostree",
    "salt-minion",
    "snapd",
    "unattended-upgrade",
    "unattended-upgrades",
    "yum",
    "zypper",
];

/// Parameters of all analytics.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameters {
    /// `plaintext_client`: programs beside the known ones.
    pub(crate) clients: Vec<CompactString>,
    /// `host_path`: system directories of the host.
    pub(crate) system_directories: Vec<CompactString>,
    /// `runtime_socket`: sockets of runtimes.
    pub(crate) runtime_sockets: Vec<CompactString>,
    /// `web`: ports of web services.
    pub(crate) web_ports: Vec<u16>,
    /// `protocol`: percent from which content is another protocol than the port promises.
    pub(crate) mismatch_confidence: Option<u8>,
    /// `beacon`: thousandths of probability of which entering is said.
    pub(crate) beacon_levels: Vec<u64>,
    /// `beacon`: shortest period that is judged inside one connection.
    pub(crate) heartbeat_period_s: u64,
    /// `dns_tunnel`: bytes of distinct names of which entering is said.
    pub(crate) tunnel_levels: Vec<u64>,
    /// `generated_names`: failed domains of which entering is said.
    pub(crate) failed_levels: Vec<u64>,
    /// `scan`: places of which no session came, of which entering is said.
    pub(crate) scan_levels: Vec<u64>,
    /// `logins`: attempts of which entering is said.
    pub(crate) login_levels: Vec<u64>,
    /// `logins`: what counts as an attempt.
    pub(crate) attempt: attempts::Attempt,
    /// `uploads`: bytes within a period of which entering is said.
    pub(crate) upload_levels: Vec<u64>,
    /// `uploads`: uploads of one size in a row of which entering is said.
    pub(crate) run_levels: Vec<u64>,
    /// `names_and_addresses`: lists of both.
    pub(crate) lists: resolved::Lists,
    /// `managed_by`: package managers and configuration management.
    pub(crate) managers: Vec<CompactString>,
    /// `watched_files`: what is watched on the host and in containers.
    pub(crate) watched: WatchList,
    /// `intel`: indicators of the documents.
    pub(crate) indicators: Vec<CompactString>,
}

impl Default for Parameters {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| CompactString::from(*text)).collect();
        Self {
            clients: Vec::new(),
            system_directories: texts(SYSTEM_DIRECTORIES),
            runtime_sockets: texts(RUNTIME_SOCKETS),
            web_ports: WEB_PORTS.to_vec(),
            mismatch_confidence: None,
            beacon_levels: check_ins::LEVELS.to_vec(),
            heartbeat_period_s: heartbeats::LEAST_PERIOD_S,
            tunnel_levels: asked_names::TUNNEL_LEVELS.to_vec(),
            failed_levels: asked_names::FAILED_LEVELS.to_vec(),
            scan_levels: first_contacts::LEVELS.to_vec(),
            login_levels: attempts::LEVELS.to_vec(),
            attempt: attempts::Attempt::default(),
            upload_levels: uploads::LEVELS.to_vec(),
            run_levels: uploads::RUN_LEVELS.to_vec(),
            lists: resolved::Lists::default(),
            managers: texts(MANAGERS),
            watched: WatchList::default(),
            indicators: Vec::new(),
        }
    }
}

impl Parameters {
    /// Sets the list `key` of the analytic `name`; lists of several strategies join.
    ///
    /// # Errors
    /// No such analytic or list, or a value that is none of its kind.
    pub(crate) fn set_list(&mut self, name: &str, key: &str, values: &[String]) -> Result<(), Fault> {
        if let Some(levels) = self.levels(name, key) {
            return add_numbers(levels, name, values, "whole number");
        }
        let list = match (name, key) {
            ("plaintext_client", "programs") => &mut self.clients,
            ("host_path", "system_directories") => &mut self.system_directories,
            ("runtime_socket", "sockets") => &mut self.runtime_sockets,
            ("web", "ports") => return add_numbers(&mut self.web_ports, name, values, "port"),
            ("logins", "protocols") => &mut self.attempt.protocols,
            ("names_and_addresses", "resolver_names") => &mut self.lists.resolver_names,
            ("names_and_addresses", "resolver_addresses") => {
                return add_numbers(&mut self.lists.resolver_addresses, name, values, "address");
            }
            ("names_and_addresses", "metadata_addresses") => {
                return add_numbers(&mut self.lists.metadata_addresses, name, values, "address");
            }
            ("managed_by", "programs") => &mut self.managers,
            ("watched_files", "host") => return add_patterns(&mut self.watched.host, name, values),
            ("watched_files", "container") => return add_patterns(&mut self.watched.container, name, values),
            ("names_and_addresses", "top_levels") => &mut self.lists.top_levels,
            ("intel", "indicators") => {
                check_indicators(name, values)?;
                &mut self.indicators
            }
            _ => return Err(unknown(name, key)),
        };
        for value in values {
            if !list.iter().any(|known| known == value) {
                list.push(value.into());
            }
        }
        Ok(())
    }

    /// The levels that an analytic has under a key.
    fn levels(&mut self, name: &str, key: &str) -> Option<&mut Vec<u64>> {
        Some(match (name, key) {
            ("beacon", "levels") => &mut self.beacon_levels,
            ("dns_tunnel", "levels") => &mut self.tunnel_levels,
            ("generated_names", "levels") => &mut self.failed_levels,
            ("scan", "levels") => &mut self.scan_levels,
            ("logins", "levels") => &mut self.login_levels,
            ("uploads", "levels") => &mut self.upload_levels,
            ("uploads", "run_levels") => &mut self.run_levels,
            _ => return None,
        })
    }

    /// Sets the number `key` of the analytic `name`.
    ///
    /// # Errors
    /// No such analytic or number, or one out of range.
    pub(crate) fn set_number(&mut self, name: &str, key: &str, value: f64) -> Result<(), Fault> {
        let (number, most) = match (name, key) {
            ("protocol", "mismatch_confidence") => {
                let percent = whole_to(name, key, value, 100)?;
                self.mismatch_confidence = u8::try_from(percent).ok();
                return Ok(());
            }
            ("beacon", "heartbeat_seconds") => (&mut self.heartbeat_period_s, 86_400),
            ("logins", "short_bytes") => (&mut self.attempt.short_bytes, 1 << 30),
            ("logins", "short_seconds") => (&mut self.attempt.short_s, 86_400),
            _ => return Err(unknown(name, key)),
        };
        *number = whole_to(name, key, value, most)?;
        Ok(())
    }
}

/// The whole number next to `value`, from 0 to `most`.
fn whole_to(name: &str, key: &str, value: f64, most: u32) -> Result<u64, Fault> {
    let in_range = (-0.5..f64::from(most) + 0.5).contains(&value);
    let whole = u64::try_from(check_ins::whole(value)).ok().filter(|_| in_range);
    whole.ok_or_else(|| Fault::Parameter {
        name: name.to_owned(),
        reason: format!("`{key}` is {value}, not 0 to {most}"),
    })
}

/// Every text is an indicator.
fn check_indicators(name: &str, values: &[String]) -> Result<(), Fault> {
    for value in values {
        crate::intel::indicator(value).map_err(|reason| Fault::Parameter {
            name: name.to_owned(),
            reason: format!("`{value}` is no indicator: {reason}"),
        })?;
    }
    Ok(())
}

/// Adds patterns of paths.
fn add_patterns(patterns: &mut BTreeSet<PathPattern>, name: &str, values: &[String]) -> Result<(), Fault> {
    for value in values {
        let pattern = PathPattern::try_from(CompactString::from(value.as_str())).map_err(|fault| {
            Fault::Parameter { name: name.to_owned(), reason: format!("has a pattern that is none: {fault}") }
        })?;
        patterns.insert(pattern);
    }
    Ok(())
}

/// Adds the numbers that are not there yet; `what` says what each must be.
fn add_numbers<N: FromStr + PartialEq>(
    list: &mut Vec<N>,
    name: &str,
    values: &[String],
    what: &str,
) -> Result<(), Fault> {
    for value in values {
        let number = value.parse().map_err(|_| Fault::Parameter {
            name: name.to_owned(),
            reason: format!("`{value}` is no {what}"),
        })?;
        if !list.contains(&number) {
            list.push(number);
        }
    }
    Ok(())
}

fn unknown(name: &str, key: &str) -> Fault {
    Fault::Parameter { name: name.to_owned(), reason: format!("has no parameter `{key}`") }
}
