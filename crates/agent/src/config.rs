//! The configuration file: one section per crate, every key optional.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The kernel sensor.
    pub kernel: sense::kernel::Config,
    /// The Docker sensor.
    pub docker: Docker,
    /// Enrichment.
    pub enrich: enrich::Config,
    /// Detection.
    pub detect: detect::Config,
}

/// The Docker sensor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// Path of the daemon's socket; empty: `DOCKER_HOST` where it names a Unix socket, else `/var/run/docker.sock`.
    pub socket: String,
    /// Whether to ask Docker at all. Default true.
    pub enabled: bool,
}

impl Default for Docker {
    fn default() -> Self {
        Self { socket: String::new(), enabled: true }
    }
}

impl Config {
    /// Reads the file, or gives the defaults where there is none.
    ///
    /// # Errors
    /// A file that cannot be read, is no TOML, or has an unknown key; the message names line and key.
    pub fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(
                format!("cannot read configuration {}: {error}", path.display()),
                "give --config a readable TOML file, or leave it out for the defaults",
            )
        })?;
        toml::from_str(&text).map_err(|error| {
            Failure::usage(
                format!("configuration {} is wrong: {error}", path.display()),
                "docs/watchkeeper.toml lists every key with its default",
            )
        })
    }
}
