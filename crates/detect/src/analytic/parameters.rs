//! What the strategies say to the analytics; code holds the defaults.

use super::{asked_names, check_ins};
use crate::error::Fault;
use compact_str::CompactString;
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
    /// `dns_tunnel`: bytes of distinct names of which entering is said.
    pub(crate) tunnel_levels: Vec<u64>,
    /// `generated_names`: failed domains of which entering is said.
    pub(crate) failed_levels: Vec<u64>,
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
            tunnel_levels: asked_names::TUNNEL_LEVELS.to_vec(),
            failed_levels: asked_names::FAILED_LEVELS.to_vec(),
        }
    }
}

impl Parameters {
    /// Sets the list `key` of the analytic `name`; lists of several strategies join.
    ///
    /// # Errors
    /// No such analytic or list, or a value that is none of its kind.
    pub(crate) fn set_list(&mut self, name: &str, key: &str, values: &[String]) -> Result<(), Fault> {
        let list = match (name, key) {
            ("plaintext_client", "programs") => &mut self.clients,
            ("host_path", "system_directories") => &mut self.system_directories,
            ("runtime_socket", "sockets") => &mut self.runtime_sockets,
            ("web", "ports") => return add_numbers(&mut self.web_ports, name, values, "port"),
            ("beacon", "levels") => {
                return add_numbers(&mut self.beacon_levels, name, values, "whole number");
            }
            ("dns_tunnel", "levels") => {
                return add_numbers(&mut self.tunnel_levels, name, values, "whole number");
            }
            ("generated_names", "levels") => {
                return add_numbers(&mut self.failed_levels, name, values, "whole number");
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

    /// Sets the number `key` of the analytic `name`.
    ///
    /// # Errors
    /// No such analytic or number, or one out of range.
    pub(crate) fn set_number(&mut self, name: &str, key: &str, value: f64) -> Result<(), Fault> {
        if (name, key) != ("protocol", "mismatch_confidence") {
            return Err(unknown(name, key));
        }
        let percent = (0..=100_u8).find(|percent| (f64::from(*percent) - value).abs() < 0.5);
        self.mismatch_confidence = Some(percent.ok_or_else(|| Fault::Parameter {
            name: name.to_owned(),
            reason: format!("`{key}` is {value}, not 0 to 100"),
        })?);
        Ok(())
    }
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
