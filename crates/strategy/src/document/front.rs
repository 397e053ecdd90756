//! The front matter: what a strategy is called, and what it is about.

use event::alert::Severity;
use serde::Deserialize;

/// The only version of the document format.
pub const ADS_VERSION: u32 = 1;

/// The YAML at the head of a document.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// Version of the document format: [`ADS_VERSION`].
    pub ads: u32,
    /// UUID, never used again.
    pub id: String,
    /// Short name, as in the file's name.
    pub slug: String,
    /// One singular event, in a few words.
    pub title: String,
    /// How far it has come.
    pub status: Status,
    /// Version of the document, counted up with each change of meaning.
    pub version: String,
    /// Severity of its alerts, where a rule does not say.
    pub severity: Severity,
    /// Version of ATT&CK to which it is mapped.
    pub attack_version: String,
    /// Where it stands in ATT&CK.
    pub attack: Vec<Mapping>,
    /// Where it works: see [`PLATFORMS`].
    pub platforms: Vec<String>,
    /// Signals of sensors that it cannot do without: see [`event::event::SIGNALS`].
    pub requires: Vec<String>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Slugs of strategies that belong to it.
    #[serde(default)]
    pub related: Vec<String>,
}

/// A technique and the tactic that it serves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Id or short name of the tactic.
    pub tactic: String,
    /// Id of the technique.
    pub technique: String,
}

/// How far a strategy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Being tried.
    Experimental,
    /// Tested, not yet proven in the field.
    Test,
    /// In use.
    Stable,
    /// To be replaced.
    Deprecated,
}

/// Platforms of strategies, each with the platforms of ATT&CK that it covers.
pub const PLATFORMS: &[(&str, &[&str])] = &[
    ("linux", &["Linux"]),
    ("docker", &["Containers", "Linux"]),
    ("containers", &["Containers", "Linux"]),
    ("kubernetes", &["Containers", "Linux"]),
    ("macos", &["macOS"]),
    ("windows", &["Windows"]),
];
