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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_holds_the_defaults() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/watchkeeper.toml");
        let documented = Config::load(Some(Path::new(path))).unwrap();
        let json = |config: &Config| serde_json::to_value(config).unwrap();
        assert_eq!(json(&documented), json(&Config::default()));
        let text = std::fs::read_to_string(path).unwrap();
        for (section, keys) in json(&Config::default()).as_object().unwrap() {
            assert!(text.contains(&format!("[{section}]")), "{section} is not documented");
            for key in keys.as_object().unwrap().keys() {
                assert!(text.contains(&format!("\n{key} = ")), "{section}.{key} is not documented");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        let path = std::env::temp_dir().join(format!("watchkeeper-config-{}", std::process::id()));
        std::fs::write(&path, "[kernel]\nfirst_byte = 1\n").unwrap();
        let failure = Config::load(Some(&path)).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(failure.message.contains("first_byte") && failure.message.contains("line 2"), "{failure}");
    }
}
