//! A failed test for people: where, why, expected and got side by side, and how to run it again.

use super::super::arguments::Test;
use super::{Difference, name};
use respond::escape::escaped;
use std::io::{self, Write};
use std::path::Path;
use strategy::Strategy;
use strategy::document::section::SectionKind;
use strategy::document::test_block::TestCase;

/// Longest sentence of an alert that is shown, in characters.
const SENTENCE: usize = 160;
/// Longest name of a rule that is shown, in characters.
const RULE: usize = 60;

/// A test that did not pass.
pub struct Failed<'t> {
    /// Its document.
    pub strategy: &'t Strategy,
    /// Where it stands.
    pub section: SectionKind,
    /// The test.
    pub test: &'t TestCase,
    /// How it failed.
    pub difference: Difference,
}

/// Prints the failure.
///
/// # Errors
/// `out` cannot be written.
pub fn print(out: &mut impl Write, failed: &Failed<'_>, args: &Test) -> io::Result<()> {
    let Failed { strategy, section, test, difference } = failed;
    let path = escaped(&strategy.path, usize::MAX).to_string();
    writeln!(out, "FAILED {path}:{}  {}", test.line, name(strategy, *section, test))?;
    match difference.line {
        Some(line) if line != test.line => {
            writeln!(out, "  {path}:{line}: {}", escaped(&difference.why, SENTENCE * 2))?;
        }
        _ => writeln!(out, "  {}", escaped(&difference.why, SENTENCE * 2))?,
    }
    if difference.was_run {
        table(out, difference)?;
    }
    writeln!(out, "  again: {}\n", again(failed, args))
}

/// The command that runs this test and no other.
fn again(failed: &Failed<'_>, args: &Test) -> String {
    let Failed { strategy, test, .. } = failed;
    let config = args.documents.config.as_deref().map(Path::to_string_lossy);
    let config = config.map(|path| format!(" --config {}", quoted(&path))).unwrap_or_default();
    if args.documents.paths.is_empty() {
        return format!(
            "watchkeeper strategy test --filter '{} / ' --line {}{config}",
            strategy.front.slug, test.line
        );
    }
    format!("watchkeeper strategy test {} --line {}{config}", quoted(&strategy.path), test.line)
}

/// A path as a word of the shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,".contains(c);
    if path.chars().all(is_plain) && !path.starts_with('-') {
        return path.to_owned();
    }
    format!("'{}'", escaped(path, usize::MAX).to_string().replace('\'', "'\\''"))
}

/// Rows of equal rules stand side by side; what is on one side only is marked.
fn table(out: &mut impl Write, difference: &Difference) -> io::Result<()> {
    let rows = rows(difference);
    let shown = |cell: &str| escaped(cell, RULE).to_string();
    let width = rows.iter().map(|row| shown(&row.expected).chars().count()).max().unwrap_or(0).max(8);
    writeln!(out, "    {:<width$}  GOT", "EXPECTED")?;
    for row in &rows {
        writeln!(out, "  {} {:<width$}  {}", row.mark, shown(&row.expected), shown(&row.got))?;
        if !row.sentence.is_empty() {
            writeln!(out, "    {:<width$}  {}", "", escaped(&row.sentence, SENTENCE))?;
        }
    }
    Ok(())
}

struct Row {
    mark: char,
    expected: String,
    got: String,
    sentence: String,
}

fn rows(difference: &Difference) -> Vec<Row> {
    const NOTHING: &str = "-";
    let (mut expected, mut got) = (difference.expected.iter().peekable(), difference.got.iter().peekable());
    let mut rows = Vec::new();
    loop {
        let order = match (expected.peek(), got.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some((right, _))) => left.as_str().cmp(right.as_str()),
        };
        let left = if order.is_le() { expected.next() } else { None };
        let right = if order.is_ge() { got.next() } else { None };
        rows.push(Row {
            mark: if order.is_eq() { ' ' } else { '!' },
            expected: left.map_or(NOTHING, String::as_str).to_owned(),
            got: right.map_or(NOTHING, |(rule, _)| rule.as_str()).to_owned(),
            sentence: right.map_or(String::new(), |(_, sentence)| sentence.clone()),
        });
    }
    if difference.expected.is_empty() {
        rows.insert(
            0,
            Row { mark: ' ', expected: "silence".to_owned(), got: String::new(), sentence: String::new() },
        );
    }
    if difference.got.is_empty() {
        rows.push(Row {
            mark: ' ',
            expected: String::new(),
            got: "silence".to_owned(),
            sentence: String::new(),
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expected: &[&str], got: &[&str]) -> String {
        let difference = Difference {
            why: String::new(),
            line: None,
            expected: expected.iter().map(|rule| (*rule).to_owned()).collect(),
            got: got.iter().map(|rule| ((*rule).to_owned(), String::new())).collect(),
            was_run: true,
        };
        let mut out = Vec::new();
        table(&mut out, &difference).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn expected_and_got_stand_side_by_side() {
        assert_eq!(
            shown(&["a", "b", "b"], &["b", "c"]),
            "    EXPECTED  GOT\n  ! a         -\n    b         b\n  ! b         -\n  ! -         c\n"
        );
        assert_eq!(shown(&[], &["c"]), "    EXPECTED  GOT\n    silence   \n  ! -         c\n");
        assert_eq!(shown(&["a"], &[]), "    EXPECTED  GOT\n  ! a         -\n              silence\n");
    }

    #[test]
    fn paths_become_words_of_the_shell() {
        assert_eq!(quoted("strategies/a.md"), "strategies/a.md");
        assert_eq!(quoted("it's a.md"), "'it'\\''s a.md'");
    }
}
