//! `--update`: what came is written into the info string of a test in Validation.
//!
//! Only there: silence in False Positives and misses in Blind Spots are statements about the rules, not about the test.

use super::report::Failed;
use crate::failure::Failure;
use std::fs;
use std::io::Write;
use std::path::Path;
use strategy::Strategy;
use strategy::document::section::SectionKind;

/// The word of the info string that says what is expected.
const KEY: &str = "expect=";

/// Rewrites the document of `failures`, and takes those that were written out of them; returns how many.
///
/// # Errors
/// The document changed meanwhile, or cannot be written.
pub fn write(
    out: &mut impl Write,
    strategy: &Strategy,
    failures: &mut Vec<Failed<'_>>,
) -> Result<usize, Failure> {
    let mut text = strategy.text.clone();
    let mut notes = Vec::new();
    // From the end on, so that places before stay where they are.
    failures.sort_by_key(|failed| std::cmp::Reverse(failed.test.span.start));
    failures.retain(|failed| {
        let Some((range, words)) = replacement(failed) else { return true };
        let before = text.get(range.clone()).unwrap_or_default().to_owned();
        text.replace_range(range, &words);
        notes.push(format!("updated {}:{}: {before} is {words} now", strategy.path, failed.test.line));
        false
    });
    failures.reverse();
    if notes.is_empty() {
        return Ok(0);
    }
    replace(Path::new(&strategy.path), &strategy.text, &text)?;
    for note in notes.iter().rev() {
        writeln!(out, "{note}").map_err(super::unwritable)?;
    }
    Ok(notes.len())
}

/// The range of the document that holds the expectation, and what belongs there.
fn replacement(failed: &Failed<'_>) -> Option<(std::ops::Range<usize>, String)> {
    let Failed { strategy, section, test, difference } = failed;
    if *section != SectionKind::Validation || !difference.was_run {
        return None;
    }
    let rules: Vec<&str> = difference.got.iter().map(|(rule, _)| rule.as_str()).collect();
    // A title cannot stand in an info string: its words would be keys.
    if rules.iter().any(|rule| rule.contains([' ', '\t', ',', '`', '\n'])) {
        return None;
    }
    let words = if rules.is_empty() { "none".to_owned() } else { rules.join(",") };
    let info = strategy.text.get(test.span.start..test.span.end)?;
    let at = info.find(&format!(" {KEY}"))? + 1;
    let length = info.get(at..)?.find(char::is_whitespace).unwrap_or(info.len() - at);
    let start = test.span.start + at;
    Some((start..start + length, format!("{KEY}{words}")))
}

/// Puts `new` in the place of the file, whole or not at all; what others wrote meanwhile is not overwritten.
fn replace(path: &Path, old: &str, new: &str) -> Result<(), Failure> {
    let refused = |what: String| {
        Failure::usage(
            format!("cannot update {}: {what}", path.display()),
            "run the tests again, or edit the document by hand",
        )
    };
    let written = || -> std::io::Result<bool> {
        let path = path.canonicalize()?;
        if fs::read_to_string(&path)? != old {
            return Ok(false);
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".update");
        let beside = path.with_file_name(name);
        fs::write(&beside, new)?;
        fs::set_permissions(&beside, fs::metadata(&path)?.permissions())?;
        fs::rename(&beside, &path)?;
        Ok(true)
    };
    match written() {
        Ok(true) => Ok(()),
        Ok(false) => Err(refused("it changed while its tests ran".to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}
