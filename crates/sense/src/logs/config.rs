//! Which logs are read, as the configuration says.

use super::pattern::Pattern;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which logs are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether to read any. Default true.
    pub enabled: bool,
    /// Whether to read the journal, through `journalctl`, where the host has it. Then `syslog` is not read: it holds the same
    /// lines. Default true.
    pub journal: bool,
    /// Files of syslog; those that are not there are waited for. Default those of Debian and of Red Hat.
    pub syslog: Vec<PathBuf>,
    /// Files of the audit log, and logs that services write themselves. Default the audit log and the error logs of nginx,
    /// Apache, PostgreSQL's and MySQL's packages.
    pub files: Vec<PathBuf>,
    /// Folder of Docker's containers, whose output is read where they log to `json-file`; empty: it is not. Default empty: a
    /// busy container writes more than all of the host.
    pub containers: PathBuf,
    /// Patterns before those that are built in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pattern: Vec<Pattern>,
}

impl Default for Config {
    fn default() -> Self {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        Self {
            enabled: true,
            journal: true,
            syslog: paths(&[
                "/var/log/auth.log",
                "/var/log/secure",
                "/var/log/syslog",
                "/var/log/messages",
                "/var/log/cron",
            ]),
            files: paths(&[
                "/var/log/audit/audit.log",
                "/var/log/nginx/error.log",
                "/var/log/apache2/error.log",
                "/var/log/httpd/error_log",
                "/var/log/mysql/error.log",
            ]),
            containers: PathBuf::new(),
            pattern: Vec::new(),
        }
    }
}
