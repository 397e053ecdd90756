//! The configuration file: one section per crate, every key optional.

use crate::failure::Failure;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::path::{Path, PathBuf};
use strategy::document::blocks::{self, Date, Maintenance, Scope};

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The kernel sensor.
    pub kernel: sense::kernel::Config,
    /// The Docker sensor.
    pub docker: Docker,
    /// System logs.
    pub logs: sense::logs::Config,
    /// Enrichment.
    pub enrich: enrich::Config,
    /// Detection.
    pub detect: detect::Config,
    /// Lists of what is known to be bad.
    pub intel: Intel,
    /// Watched files.
    pub files: Files,
    /// Silences beside those of the documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exception: Vec<Exception>,
}

/// Watched files: which ones, strategies say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Whether watched files are read and compared at all. Default true.
    pub enabled: bool,
    /// Largest file that is hashed, bytes. Default 16 MiB.
    pub file_bytes: u64,
    /// Directory of the known-good copies. Default `/var/lib/watchkeeper/copies`.
    pub copies: PathBuf,
    /// Largest file of which a copy is kept and a diff shown, bytes. Default 256 KiB.
    pub copied_file_bytes: u64,
    /// Bytes of all copies. Default 64 MiB.
    pub copies_bytes: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            enabled: true,
            file_bytes: 16 << 20,
            copies: "/var/lib/watchkeeper/copies".into(),
            copied_file_bytes: 256 << 10,
            copies_bytes: 64 << 20,
        }
    }
}

/// Lists of what is known to be bad.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intel {
    /// Files of indicators: text, CSV, STIX 2.1 bundles, MISP events. Default none.
    pub lists: Vec<PathBuf>,
}

/// A silence: the same keys as in a document, and the strategy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Slug or id of the strategy; `*` means all.
    pub strategy: String,
    /// Name, for lists and counts.
    pub id: String,
    /// Rules of the strategy that it silences; none means all.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What it is limited to; not empty.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, in UTC.
    #[serde(deserialize_with = "day")]
    pub expires: Date,
    /// When it holds, if not always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Maintenance>,
}

impl Exception {
    /// The silence as documents have it.
    pub fn exception(&self) -> blocks::Exception {
        blocks::Exception {
            id: self.id.clone(),
            rules: self.rules.clone(),
            scope: self.scope.clone(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires,
            window: self.window.clone(),
        }
    }
}

/// A day as text or as TOML's own date.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Toml(toml::value::Datetime),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Toml(date) => date.to_string(),
    };
    blocks::date(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a date such as 2027-01-31")))
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
    fn exceptions_are_read_as_the_documented_example_writes_them_and_cross_to_the_engine_whole() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/watchkeeper.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let example: String = text
            .lines()
            .skip_while(|line| *line != "#[[exception]]")
            .map(|line| format!("{}\n", line.strip_prefix('#').unwrap()))
            .collect();
        for text in [example.clone(), example.replace("2027-12-31", "\"2027-12-31\"")] {
            let config: Config = toml::from_str(&text).unwrap();
            let exception = &config.exception[0];
            assert_eq!(exception.expires.to_string(), "2027-12-31");
            assert_eq!(exception.window.as_ref().unwrap().from.to_string(), "02:00");
            let crossed: Config = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
            assert_eq!(crossed.exception[0].exception(), exception.exception());
        }
        assert!(toml::from_str::<Config>(&example.replace("2027-12-31", "2027-02-30")).is_err());
        assert!(toml::from_str::<Config>(&example.replace("owner", "ownr")).is_err());
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
