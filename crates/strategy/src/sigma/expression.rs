//! Regular expressions of rules: what is refused, before anybody builds them.
//!
//! In: an expression as a rule has it. Out: its tree, or why it cannot run: it needs backtracking, or its automaton would
//! be too large. Building automata is half of what loading rules takes, so a bound of the size settles it where it can, and
//! whoever searches may build an expression that fits when it is first asked.

use super::matcher::Regex;
use regex_automata::nfa::thompson;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// Largest regular expression after compilation; the default of the `regex` crate. One of SigmaHQ's needs
/// more than 1 MiB.
pub const REGEX_LIMIT_BYTES: usize = 10 << 20;

impl Regex {
    /// The tree of the expression.
    ///
    /// # Errors
    /// What is no expression, or needs backtracking; the error is for people.
    pub fn tree(&self) -> Result<Hir, String> {
        let parsed = ParserBuilder::new()
            .case_insensitive(self.ignore_case)
            .multi_line(self.multi_line)
            .dot_matches_new_line(self.dot_all)
            .build()
            .parse(&self.source);
        parsed.map_err(|error| {
            // The last line of the message is the reason; the lines before it draw the expression.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            format!("regular expression `{}`: {reason}", self.source)
        })
    }

    /// Refuses what needs backtracking or too much memory.
    ///
    /// # Errors
    /// As [`Regex::tree`]; or an automaton larger than [`REGEX_LIMIT_BYTES`].
    pub fn check(&self) -> Result<(), String> {
        let tree = self.tree()?;
        if fits(&tree) {
            return Ok(());
        }
        let limits = thompson::Config::new()
            .nfa_size_limit(Some(REGEX_LIMIT_BYTES))
            .which_captures(thompson::WhichCaptures::None);
        match thompson::Compiler::new().configure(limits).build_from_hir(&tree) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("a regular expression larger than {REGEX_LIMIT_BYTES} bytes")),
        }
    }
}

/// Whether any automaton of `tree`, forwards or backwards, surely stays below [`REGEX_LIMIT_BYTES`].
pub fn fits(tree: &Hir) -> bool {
    EMPTY_BYTES.saturating_add(most_bytes(tree)) <= REGEX_LIMIT_BYTES
}

/// Bytes that an automaton takes without states, at most.
const EMPTY_BYTES: usize = 4096;
/// Bytes that a state of an automaton takes at most, its edges included.
const STATE_BYTES: usize = 64;
/// Bytes that a class takes at most for each byte of each of the sequences that its characters are in UTF-8: a state
/// with one edge.
const CLASS_BYTES: usize = 40;

/// A size that the states of an automaton of `tree` do not exceed, bytes.
fn most_bytes(tree: &Hir) -> usize {
    let states = match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges().iter();
            let sequences = ranges.flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            let bytes = sequences.fold(0_usize, |bytes, sequence| bytes.saturating_add(sequence.len()));
            return bytes.saturating_mul(CLASS_BYTES).saturating_add(2 * STATE_BYTES);
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(repetition.min).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX).saturating_add(1);
            return most_bytes(&repetition.sub).saturating_add(STATE_BYTES).saturating_mul(times);
        }
        HirKind::Capture(capture) => return most_bytes(&capture.sub).saturating_add(2 * STATE_BYTES),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            let each = parts.iter().map(|part| most_bytes(part).saturating_add(STATE_BYTES));
            return each.fold(STATE_BYTES, usize::saturating_add);
        }
    };
    states.saturating_add(1).saturating_mul(STATE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_an_expression_is_no_less_than_its_automaton() {
        for source in [
            r"\w+",
            r"(?i)\w{3,9}\s*[^a-z]",
            r".*",
            "a",
            "",
            r"(a|b|\d){20}",
            r"(?s).{1,100}x",
            r"[\u{80}-\u{10ffff}]",
            r"\p{L}+\b\p{Nd}{2}",
            r"^(curl|wget)\s+-k$",
            r"((\w{2}){3}){4}",
            "(?i)Straße|ſ",
            r"\w{1,64}",
            r"[^\w]{3}",
        ] {
            let tree = ParserBuilder::new().build().parse(source).unwrap();
            let config = thompson::Config::new().which_captures(thompson::WhichCaptures::All);
            for reverse in [false, true] {
                let config = config.clone().reverse(reverse).which_captures(if reverse {
                    thompson::WhichCaptures::None
                } else {
                    thompson::WhichCaptures::All
                });
                let bound = EMPTY_BYTES + most_bytes(&tree);
                // Building takes no more either.
                let config = config.nfa_size_limit(Some(bound));
                let made = thompson::Compiler::new().configure(config).build_from_hir(&tree).unwrap();
                let bytes = made.memory_usage();
                assert!(bytes <= bound, "{source}: {bytes} > {bound}");
            }
        }
    }

    #[test]
    fn what_rules_ask_need_not_be_built_to_be_known_to_fit() {
        for source in [r"-k\s\w{1,64}(?:\s?(?:-p|-s))?", r"\\[^\\]{1,256}$", "(?i)[a-z0-9._-]{1,200}"] {
            assert!(fits(&ParserBuilder::new().build().parse(source).unwrap()), "{source}");
        }
    }

    #[test]
    fn an_expression_that_is_too_large_is_refused() {
        let large = |source: &str| {
            let (ignore_case, multi_line, dot_all) = (false, false, false);
            Regex { source: source.into(), ignore_case, multi_line, dot_all }.check().is_err()
        };
        assert!(large(r"((\w{50}){50}){50}"));
        assert!(large(r"\w{5000}"));
        assert!(!large(r"\w{20}"));
    }
}
