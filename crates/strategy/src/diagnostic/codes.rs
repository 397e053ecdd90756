//! The list of all checks.
//!
//! 00xx files, 01xx sections and front matter, 02xx blocks and YAML, 03xx rules, 04xx ATT&CK, 05xx
//! tests, 06xx response, validation and exceptions, 07xx between documents.

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
    /// How to mend a finding of it, wherever it is.
    pub help: &'static str,
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
    ($($name:ident = $id:literal, $severity:ident, $breaks:ident, $summary:literal, $help:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code {
            id: $id, severity: Severity::$severity, breaks: Breaks::$breaks, summary: $summary, help: $help,
        };)*
        /// All checks, in the order of their ids.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    DOCUMENT_READABLE = "WK0001", Error, Strategy, "A document is a regular file of UTF-8 text.",
        "Save the file as UTF-8 text of at most 1 MiB.";
    DOCUMENT_SIZE = "WK0100", Error, Strategy, "A document is at most 1 MiB.",
        "Split the document: one strategy finds one thing.";
    FRONT_MATTER_MISSING = "WK0101", Error, Strategy, "A document begins with YAML front matter.",
        "Begin with `---`, then ads, id, slug, title, status, version, severity, attack_version, attack, platforms, requires, owners, then `---`.";
    FRONT_MATTER = "WK0102", Error, Strategy, "The front matter has all its keys, and no other.",
        "Write the key as docs/strategy-format.md says; unknown keys are refused, so that a slip does not pass for a setting.";
    SECTION_MISSING = "WK0103", Error, Nothing, "All ten sections of an ADS are there.",
        "Add the section: a responder reads all ten, and each answers another question.";
    SECTION_EMPTY = "WK0104", Error, Nothing, "Each section says something.",
        "Say in the section what a responder who has never seen the technique must know.";
    SECTION_ORDER = "WK0105", Error, Nothing, "The sections stand in one of Palantir's two orders.",
        "Move the section: Goal, Categorization, Strategy Abstract, Technical Context, Blind Spots and Assumptions, False Positives, Priority and Validation (in either order), Response, Additional Resources.";
    SECTION_PLACEHOLDER = "WK0106", Error, Nothing, "No section is a placeholder.",
        "Write the section, or find out what belongs into it; an open end is a gap in the defence.";
    SECTION_TWICE = "WK0107", Error, Nothing, "Each section stands once.",
        "Join the two sections.";
    SECTION_LEVEL = "WK0108", Warning, Nothing, "Sections are second-level headings.",
        "Make the heading one of the second level: `## Goal`.";
    TITLE = "WK0109", Warning, Nothing, "The first heading is the front matter's title.",
        "Let the first heading end with the front matter's title.";
    SIGNAL_UNKNOWN = "WK0110", Error, Strategy, "Every required signal is one that a sensor gives.",
        "Name signals of the list in docs/reference/fields.md.";
    PLATFORM_UNKNOWN = "WK0111", Error, Nothing, "Every platform is a known one.",
        "Name a platform of the list: linux, docker, containers, kubernetes, macos, windows.";
    PRIORITY_SEVERITY = "WK0112", Warning, Nothing, "The Priority section names the front matter's severity.",
        "Name the severity in the Priority section, and say why it is that one.";
    SIGNAL_UNSENSED = "WK0113", Error, Nothing, "Every required signal and every class that a rule reads is given by a sensor of this version.",
        "Require signals that a sensor gives, or leave the rule out until there is one: it would never be tried.";
    SIGNAL_NOT_REQUIRED = "WK0114", Warning, Nothing, "The signals of the events that rules read are required or assumed.",
        "Add the signal to `requires`, or to an assumption's `needs`: only then is its loss told with the alerts.";
    YAML = "WK0201", Error, Strategy, "YAML is well-formed.",
        "Mend the YAML at the place; texts with `: ` or `#` need quotes.";
    YAML_DUPLICATE_KEY = "WK0202", Error, Strategy, "No key is written twice.",
        "Take one of the two keys out; a map keeps one value per key.";
    BLOCK_UNKNOWN = "WK0203", Error, Strategy, "Every machine-read block is of a known kind.",
        "Use an info string of docs/strategy-format.md, or `text` for a block that is only read by people.";
    BLOCK_SECTION = "WK0204", Error, Strategy, "Every machine-read block stands in its section.",
        "Move the block to the section that docs/strategy-format.md names for it.";
    BLOCK = "WK0205", Error, Strategy, "A block has the keys and values of its kind.",
        "Write the keys and values as docs/strategy-format.md lists them for this kind of block.";
    RULE = "WK0301", Error, Strategy, "A rule, correlation or filter is valid Sigma.",
        "Mend the rule as the Sigma specification 2.1 says.";
    MODIFIER = "WK0302", Error, Strategy, "Modifiers are known and in a possible order.",
        "Use the modifiers of the Sigma specification, in an order in which each takes what the one before it gives.";
    CONDITION = "WK0303", Error, Strategy, "A condition names what the detection defines.",
        "Name searches that the detection defines; operators are and, or, not, `1 of`, `all of`.";
    REGEX = "WK0304", Error, Strategy, "A regular expression needs no backtracking and fits its limit.",
        "Write the expression without look-around and back references, and shorter where it is too large.";
    FIELD_UNKNOWN = "WK0305", Error, Strategy, "Every field is one of the catalogue, or of the rule's log source.",
        "Name a field of docs/reference/fields.md, or one that docs/reference/sigma.md has for the log source.";
    RULE_REFERENCE = "WK0306", Error, Strategy, "A correlation or filter refers to rules that exist.",
        "Name a rule of this document by its name or id.";
    RULE_DUPLICATE = "WK0307", Error, Strategy, "Rule names and ids are used once.",
        "Give each rule a name and an id of its own.";
    RULE_MESSAGE = "WK0308", Error, Strategy, "A rule of a strategy says what is observed and expected.",
        "Add `observed` and `expected`: one sentence each, with {Field} placeholders.";
    RULE_UNUSED = "WK0309", Warning, Nothing, "Every identifier of a detection is used by its condition.",
        "Use the search in the condition, or take it out.";
    RULE_NONE = "WK0310", Error, Nothing, "A strategy has a rule.",
        "Write a `yaml sigma` block in the Strategy Abstract.";
    FILTER_NOT = "WK0311", Warning, Nothing, "A filter's condition excludes with `not`.",
        "Write `not selection`: conditions of filters are joined to those of rules with `and`.";
    CORRELATION_CYCLE = "WK0312", Error, Strategy, "Correlations do not refer to themselves.",
        "Let the correlation join rules, or correlations that do not lead back to it.";
    PLACEHOLDER = "WK0313", Error, Nothing, "Every placeholder of a rule has values in the configuration.",
        "Give it values in the configuration, as [detect] placeholders, and name the configuration with --config; without them the rule does not run, and the others of the document do.";
    CATEGORY_UNKNOWN = "WK0314", Error, Strategy, "Every log source has events.",
        "Use a category of docs/reference/fields.md, or a log source of docs/reference/sigma.md.";
    NEGATES_CLAIMED = "WK0315", Warning, Nothing, "No condition negates what a process says of itself or what may be cut.",
        "Negate a field that the kernel resolved, such as Image, or demand what a good value looks like: an adversary writes the excluded text into a command line to be let through.";
    RULE_COMPILE = "WK0316", Error, Nothing, "The engine can run every rule, analytic and exception.",
        "Write it otherwise, as the finding says; the other rules of the document run.";
    FIELD_UNSOURCED = "WK0317", Warning, Nothing, "Every field and value that a rule asks for has a source.",
        "Take out what no event has: the rule runs without it, and is blind for it.";
    ATTACK_UNKNOWN = "WK0401", Error, Nothing, "Every ATT&CK technique and tactic exists.",
        "Look the id up at attack.mitre.org; tactics may be written by id or short name.";
    ATTACK_REVOKED = "WK0402", Error, Nothing, "No ATT&CK technique is revoked or deprecated.",
        "Use the technique that took its place, as the finding names it.";
    ATTACK_TACTIC = "WK0403", Error, Nothing, "Every technique belongs to its tactic.",
        "Use a tactic that the technique serves.";
    ATTACK_PRE = "WK0404", Warning, Nothing, "Host telemetry cannot observe techniques of the PRE platform.",
        "Add the techniques that the rules observe on the host; preparation happens where no sensor is.";
    ATTACK_PLATFORM = "WK0405", Warning, Nothing, "A technique exists on a platform of the strategy.",
        "Use a technique that exists on the strategy's platforms, or add the platform.";
    ATTACK_VERSION = "WK0406", Warning, Nothing, "The document is mapped to the ATT&CK version that is built in.",
        "Check the mapping against the built-in version, then set attack_version to it.";
    ATTACK_TAG = "WK0407", Warning, Nothing, "The ATT&CK tags of rules name techniques and tactics of the front matter.",
        "Map the technique in the front matter, or take the tag away: alerts name what both have.";
    TEST = "WK0501", Error, Strategy, "A test block is events as JSON lines.",
        "Write one JSON object per line, with `at`, `repeat` and `every` as docs/strategy-format.md says.";
    TEST_EXPECT = "WK0502", Error, Strategy, "A test expects rules of its document, `none` or `missed`.",
        "Write expect=RULE in Validation, expect=none there or in False Positives, expect=missed in Blind Spots.";
    TEST_POSITIVE = "WK0503", Error, Nothing, "Every rule has a test that raises it.",
        "Write a block `jsonl test expect=RULE` in Validation with events that raise the rule.";
    TEST_SILENT = "WK0504", Error, Nothing, "Every false positive has a test that stays silent.",
        "Write a block `jsonl test expect=none` in False Positives for each cause that the list names.";
    TEST_MISSED = "WK0505", Note, Nothing, "A blind spot has a test that is missed.",
        "Write a block `jsonl test expect=missed` in Blind Spots: it fails on the day that the gap is closed.";
    CAPTURE = "WK0506", Error, Nothing, "Every capture that a test names is there and can be read.",
        "Put the file below the document's folder: Watchkeeper events (NDJSON) or a Kubernetes audit log.";
    PLAYBOOK_MISSING = "WK0601", Error, Nothing, "The Response section has a playbook.",
        "Write a `yaml playbook` block in Response.";
    ACTION_UNKNOWN = "WK0602", Error, Strategy, "Every playbook action exists.",
        "Use an action of docs/strategy-format.md.";
    EMULATION_MISSING = "WK0603", Warning, Nothing, "The Validation section has a live emulation.",
        "Write a `yaml emulation` block in Validation: a live act, and the alert that it must raise.";
    EMULATION_EXPECT = "WK0604", Error, Nothing, "An emulation expects rules of its document.",
        "Name rules of this document that raise alerts.";
    EXCEPTION_RULE = "WK0605", Error, Nothing, "An exception silences rules of its document.",
        "Name rules of this document that raise alerts, or none for all of them.";
    ASSUMPTION_SIGNAL = "WK0606", Error, Nothing, "An assumption needs signals that a sensor gives.",
        "Name signals of the list in docs/reference/fields.md.";
    ASSUMPTION_MISSING = "WK0607", Warning, Nothing, "The Blind Spots section has a machine-read assumption.",
        "Write a `yaml assumption` block: what must be healthy for the strategy to see.";
    EXCEPTION_EXPIRED = "WK0608", Warning, Nothing, "No exception has expired.",
        "Take the exception away, or have its owner set a new day; it is not honoured any more.";
    EXCEPTION_TWICE = "WK0609", Error, Nothing, "The exceptions of a document have names of their own.",
        "Give each exception an id of its own; uses are counted by it.";
    DUPLICATE = "WK0701", Error, Strategy, "Ids, slugs and rule names are used by one document.",
        "Give the document an id and a slug of its own; an id is never used again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
