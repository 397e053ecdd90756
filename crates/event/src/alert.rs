//! A strategy's finding.

use crate::event::Event;
use crate::identity::{BootTime, EventId, WallTime};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How bad it is, in Sigma's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Low.
    Low,
    /// Medium.
    #[default]
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Name, as in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
    /// OCSF `severity_id`, 1 to 5.
    pub fn ocsf_id(self) -> u8 {
        match self {
            Severity::Informational => 1,
            Severity::Low => 2,
            Severity::Medium => 3,
            Severity::High => 4,
            Severity::Critical => 5,
        }
    }
    /// The severity of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == name)
    }
}

/// An ATT&CK technique with the tactic that it serves here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Technique {
    /// Tactic id, as `TA0011`.
    pub tactic_id: CompactString,
    /// Tactic name.
    pub tactic: CompactString,
    /// Technique id, as `T1071` or `T1071.004`.
    pub id: CompactString,
    /// Technique name.
    pub name: CompactString,
}

/// What an alert needs to say of its strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StrategyHead {
    /// UUID of the document.
    pub id: CompactString,
    /// Short name.
    pub slug: CompactString,
    /// Title.
    pub title: CompactString,
    /// Version of the document.
    pub version: CompactString,
    /// Version of the ATT&CK data.
    pub attack_version: CompactString,
    /// Techniques.
    pub techniques: Vec<Technique>,
    /// First step of the response, one sentence.
    pub first_response: CompactString,
}

/// First, update or close: OCSF `activity_id` 1, 2, 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[repr(u8)]
pub enum Activity {
    /// First of its group.
    #[default]
    Create = 1,
    /// Repeats or late facts.
    Update = 2,
    /// The group ended.
    Close = 3,
}

/// A strategy's finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Hash of strategy id, rule, group key and first event id: the same on every replay.
    pub uid: CompactString,
    /// First, update or close.
    pub activity: Activity,
    /// The strategy.
    pub strategy: Arc<StrategyHead>,
    /// Id of the rule.
    pub rule_id: CompactString,
    /// Title of the rule.
    pub rule_title: CompactString,
    /// Tags of the rule.
    pub tags: Vec<CompactString>,
    /// How bad.
    pub severity: Severity,
    /// How sure, percent.
    pub confidence: u8,
    /// One sentence: what was observed and what was expected.
    pub message: String,
    /// What makes repeats belong together.
    pub group_key: CompactString,
    /// Wall time of the event that caused this record.
    pub time: WallTime,
    /// Its boot time.
    pub boot: BootTime,
    /// First event of the group.
    pub first: WallTime,
    /// First event's id.
    pub first_event: EventId,
    /// Last event of the group so far.
    pub last: WallTime,
    /// Events in the group so far.
    pub count: u64,
    /// The events that show it, first to last, bounded.
    pub evidence: Vec<Arc<Event>>,
    /// Loss or missing sources at that time, one sentence each.
    pub health: Vec<CompactString>,
    /// Why the group ended before its window, where it did.
    pub ended_because: Option<CompactString>,
}
