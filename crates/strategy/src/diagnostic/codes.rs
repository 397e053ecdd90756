//! The list of all checks.
//!
//! 01xx sections and front matter, 02xx blocks and YAML, 03xx rules, 04xx ATT&CK, 05xx tests, 06xx
//! response and validation, 07xx between documents.

use super::Severity;

/// A check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// The stable name, `WK` and four digits.
    pub id: &'static str,
    /// How bad a finding of it is.
    pub severity: Severity,
    /// Whether a strategy with such a finding cannot run.
    pub breaks: Breaks,
    /// What it checks, one sentence.
    pub summary: &'static str,
}

/// What a finding means for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breaks {
    /// The strategy does not load.
    Strategy,
    /// The strategy loads; the document is incomplete.
    Nothing,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $breaks:ident, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code {
            id: $id, severity: Severity::$severity, breaks: Breaks::$breaks, summary: $summary,
        };)*
        /// All checks, in the order of their ids.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    DOCUMENT_SIZE = "WK0100", Error, Strategy, "A document is at most 1 MiB.";
    FRONT_MATTER_MISSING = "WK0101", Error, Strategy, "A document begins with YAML front matter.";
    FRONT_MATTER = "WK0102", Error, Strategy, "The front matter has all its keys, and no other.";
    SECTION_MISSING = "WK0103", Error, Nothing, "All ten sections of an ADS are there.";
    SECTION_EMPTY = "WK0104", Error, Nothing, "Each section says something.";
    SECTION_ORDER = "WK0105", Error, Nothing, "The sections stand in one of Palantir's two orders.";
    SECTION_PLACEHOLDER = "WK0106", Error, Nothing, "No section is a placeholder.";
    SECTION_TWICE = "WK0107", Error, Nothing, "Each section stands once.";
    SECTION_LEVEL = "WK0108", Warning, Nothing, "Sections are second-level headings.";
    TITLE = "WK0109", Warning, Nothing, "The first heading is the front matter's title.";
    SIGNAL_UNKNOWN = "WK0110", Error, Strategy, "Every required signal is one that a sensor gives.";
    PLATFORM_UNKNOWN = "WK0111", Error, Nothing, "Every platform is a known one.";
    PRIORITY_SEVERITY = "WK0112", Warning, Nothing, "The Priority section names the front matter's severity.";
    YAML = "WK0201", Error, Strategy, "YAML is well-formed.";
    YAML_DUPLICATE_KEY = "WK0202", Error, Strategy, "No key is written twice.";
    BLOCK_UNKNOWN = "WK0203", Error, Strategy, "Every machine-read block is of a known kind.";
    BLOCK_SECTION = "WK0204", Error, Strategy, "Every machine-read block stands in its section.";
    BLOCK = "WK0205", Error, Strategy, "A block has the keys and values of its kind.";
    RULE = "WK0301", Error, Strategy, "A rule, correlation or filter is valid Sigma.";
    MODIFIER = "WK0302", Error, Strategy, "Modifiers are known and in a possible order.";
    CONDITION = "WK0303", Error, Strategy, "A condition names what the detection defines.";
    REGEX = "WK0304", Error, Strategy, "A regular expression needs no backtracking and fits its limit.";
    FIELD_UNKNOWN = "WK0305", Error, Strategy, "Every field is one of the catalogue.";
    RULE_REFERENCE = "WK0306", Error, Strategy, "A correlation or filter refers to rules that exist.";
    RULE_DUPLICATE = "WK0307", Error, Strategy, "Rule names and ids are used once.";
    RULE_MESSAGE = "WK0308", Error, Strategy, "A rule of a strategy says what is observed and expected.";
    RULE_UNUSED = "WK0309", Warning, Nothing, "Every identifier of a detection is used by its condition.";
    RULE_NONE = "WK0310", Error, Nothing, "A strategy has a rule.";
    FILTER_NOT = "WK0311", Warning, Nothing, "A filter's condition excludes with `not`.";
    CORRELATION_CYCLE = "WK0312", Error, Strategy, "Correlations do not refer to themselves.";
    PLACEHOLDER = "WK0313", Error, Strategy, "A rule of a strategy has no unresolved placeholder.";
    CATEGORY_UNKNOWN = "WK0314", Error, Strategy, "Every log source category is a class of events.";
    ATTACK_UNKNOWN = "WK0401", Error, Nothing, "Every ATT&CK technique and tactic exists.";
    ATTACK_REVOKED = "WK0402", Error, Nothing, "No ATT&CK technique is revoked or deprecated.";
    ATTACK_TACTIC = "WK0403", Error, Nothing, "Every technique belongs to its tactic.";
    ATTACK_PRE = "WK0404", Warning, Nothing, "Host telemetry cannot observe techniques of the PRE platform.";
    ATTACK_PLATFORM = "WK0405", Warning, Nothing, "A technique exists on a platform of the strategy.";
    ATTACK_VERSION = "WK0406", Warning, Nothing, "The document is mapped to the ATT&CK version that is built in.";
    TEST = "WK0501", Error, Strategy, "A test block is events as JSON lines.";
    TEST_EXPECT = "WK0502", Error, Strategy, "A test expects rules of its document, `none` or `missed`.";
    TEST_POSITIVE = "WK0503", Error, Nothing, "Every rule has a test that raises it.";
    TEST_SILENT = "WK0504", Error, Nothing, "Every false positive has a test that stays silent.";
    TEST_MISSED = "WK0505", Note, Nothing, "A blind spot has a test that is missed.";
    PLAYBOOK_MISSING = "WK0601", Error, Nothing, "The Response section has a playbook.";
    ACTION_UNKNOWN = "WK0602", Error, Strategy, "Every playbook action exists.";
    EMULATION_MISSING = "WK0603", Warning, Nothing, "The Validation section has a live emulation.";
    EMULATION_EXPECT = "WK0604", Error, Nothing, "An emulation expects rules of its document.";
    EXCEPTION_RULE = "WK0605", Error, Nothing, "An exception silences rules of its document.";
    ASSUMPTION_SIGNAL = "WK0606", Error, Nothing, "An assumption needs signals that a sensor gives.";
    ASSUMPTION_MISSING = "WK0607", Warning, Nothing, "The Blind Spots section has a machine-read assumption.";
    DUPLICATE = "WK0701", Error, Strategy, "Ids, slugs and rule names are used by one document.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
