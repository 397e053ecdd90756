//! The unified diff of two texts, bounded.
//!
//! In: two contents. Out: hunks with three lines of context, as `diff -u` prints them below its two head lines. Text is
//! UTF-8 without NUL; anything else has no diff. The work is bounded by [`EDITS`]: texts with more differences have none.
//!
//! Source: E. Myers, *An O(ND) Difference Algorithm and Its Variations*, Algorithmica 1 (1986).

use std::fmt::Write;

/// Most lines that differ: the search keeps a row for each, of twice as many numbers.
const EDITS: usize = 400;
/// Lines around a difference.
const CONTEXT: usize = 3;

/// Why two contents have no diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDiff {
    /// One of them is not text.
    #[error("not text")]
    Binary,
    /// They differ in too many lines.
    #[error("more than {EDITS} lines differ")]
    TooMany,
}

/// The hunks, at most about `limit` bytes of them, and how many bytes there would be.
///
/// # Errors
/// There is no diff to give.
pub fn unified(before: &[u8], after: &[u8], limit: usize) -> Result<(String, usize), NoDiff> {
    let (before, after) = (text(before)?, text(after)?);
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let edits = edits(&old, &new)?;
    let mut out = String::new();
    hunks(&edits, &mut out);
    let whole = out.len();
    if whole > limit {
        let end = (0..=limit).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0);
        out.truncate(end);
    }
    Ok((out, whole))
}

fn text(bytes: &[u8]) -> Result<&str, NoDiff> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or(NoDiff::Binary)
}

/// One line of the way from the old text to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit<'a> {
    Keep(&'a str),
    Remove(&'a str),
    Add(&'a str),
}

/// What begins and ends alike is set aside; the rest is searched for the shortest way.
fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Result<Vec<Edit<'a>>, NoDiff> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = |rest: &'_ [&'a str]| rest.get(..rest.len() - tail).unwrap_or_default().to_vec();
    let mut all: Vec<Edit<'a>> = old.iter().take(head).map(|line| Edit::Keep(line)).collect();
    all.extend(shortest(&middle(old_rest), &middle(new_rest))?);
    all.extend(old.iter().skip(old.len() - tail).map(|line| Edit::Keep(line)));
    Ok(all)
}

/// How far a way of some edits leads on one diagonal, and by what it came there.
#[derive(Debug, Clone, Copy)]
struct Reached {
    /// Lines of the old text behind it.
    old: usize,
    /// Its last edit takes a line away; else it adds one.
    by_removal: bool,
}

/// For each number of edits a row: the furthest that as many lead, by how many of them take lines away.
fn shortest<'a>(old: &[&'a str], new: &[&'a str]) -> Result<Vec<Edit<'a>>, NoDiff> {
    let same = |x: usize, y: usize| matches!((old.get(x), new.get(y)), (Some(a), Some(b)) if a == b);
    let mut rows: Vec<Vec<Reached>> = Vec::new();
    for count in 0..=EDITS {
        let mut row = Vec::with_capacity(count + 1);
        for removals in 0..=count {
            let mut reached = begin(rows.last(), removals, count);
            let mut y = (reached.old + count).saturating_sub(2 * removals);
            while same(reached.old, y) {
                (reached.old, y) = (reached.old + 1, y + 1);
            }
            row.push(reached);
            if reached.old >= old.len() && y >= new.len() {
                rows.push(row);
                return Ok(walk_back(&rows, removals, old, new));
            }
        }
        rows.push(row);
    }
    Err(NoDiff::TooMany)
}

/// Where the way with so many `removals` among `count` edits begins to follow equal lines: the further of the two
/// ways with one edit less, and that edit.
fn begin(last: Option<&Vec<Reached>>, removals: usize, count: usize) -> Reached {
    let way = |removals: Option<usize>| last.and_then(|last| last.get(removals?));
    let added = way(Some(removals)).filter(|_| removals < count).map(|way| way.old);
    let removed = way(removals.checked_sub(1)).map(|way| way.old + 1);
    match (added, removed) {
        (added, Some(removed)) if added.is_none_or(|added| removed > added) => {
            Reached { old: removed, by_removal: true }
        }
        (added, _) => Reached { old: added.unwrap_or(0), by_removal: false },
    }
}

/// From the end to the beginning, along the edits that the rows were made by.
fn walk_back<'a>(
    rows: &[Vec<Reached>],
    mut removals: usize,
    old: &[&'a str],
    new: &[&'a str],
) -> Vec<Edit<'a>> {
    let mut edits = Vec::new();
    let (mut x, mut y) = (old.len(), new.len());
    for count in (0..rows.len()).rev() {
        let last = count.checked_sub(1).and_then(|below| rows.get(below));
        let Reached { old: begin, by_removal } = begin(last, removals, count);
        while x > begin {
            (x, y) = (x - 1, y.saturating_sub(1));
            edits.extend(old.get(x).map(|line| Edit::Keep(line)));
        }
        if count == 0 {
            break;
        }
        if by_removal {
            (x, removals) = (x.saturating_sub(1), removals - 1);
            edits.extend(old.get(x).map(|line| Edit::Remove(line)));
        } else {
            y = y.saturating_sub(1);
            edits.extend(new.get(y).map(|line| Edit::Add(line)));
        }
    }
    edits.reverse();
    edits
}

/// Differences that are near each other, with the lines around them.
fn hunks(edits: &[Edit<'_>], out: &mut String) {
    let changed: Vec<usize> =
        (0..edits.len()).filter(|at| !matches!(edits.get(*at), Some(Edit::Keep(_)))).collect();
    let mut rest = changed.as_slice();
    while let Some(first) = rest.first() {
        let together =
            rest.windows(2).take_while(|pair| matches!(pair, [a, b] if b - a <= 2 * CONTEXT)).count() + 1;
        let last = rest.get(together - 1).unwrap_or(first);
        hunk(edits, first.saturating_sub(CONTEXT), (last + 1 + CONTEXT).min(edits.len()), out);
        rest = rest.get(together..).unwrap_or_default();
    }
}

fn hunk(edits: &[Edit<'_>], from: usize, to: usize, out: &mut String) {
    let lines = |edits: &[Edit<'_>]| {
        let old = edits.iter().filter(|edit| !matches!(edit, Edit::Add(_))).count();
        let new = edits.iter().filter(|edit| !matches!(edit, Edit::Remove(_))).count();
        (old, new)
    };
    let (Some(before), Some(own)) = (edits.get(..from), edits.get(from..to)) else { return };
    let ((old_before, new_before), (old, new)) = (lines(before), lines(own));
    // A side without lines is named by the line before it.
    let begin = |before: usize, lines: usize| if lines == 0 { before } else { before + 1 };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "@@ -{},{old} +{},{new} @@", begin(old_before, old), begin(new_before, new));
    for edit in own {
        let (sign, line) = match edit {
            Edit::Keep(line) => (' ', line),
            Edit::Remove(line) => ('-', line),
            Edit::Add(line) => ('+', line),
        };
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expect: &str) {
        assert_eq!(
            unified(before.as_bytes(), after.as_bytes(), 1 << 16).map(|(diff, _)| diff).as_deref(),
            Ok(expect)
        );
    }

    #[test]
    fn hunks_are_those_of_diff() {
        check("a\nb\n", "a\nb\n", "");
        check("a\nb\n", "a\nc\nb\n", "@@ -1,2 +1,3 @@\n a\n+c\n b\n");
        check("a\nb\nc\n", "a\nc\n", "@@ -1,3 +1,2 @@\n a\n-b\n c\n");
        check(
            "a",
            "b",
            "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n",
        );
        check("", "x\n", "@@ -0,0 +1,1 @@\n+x\n");
        check("x\n", "", "@@ -1,1 +0,0 @@\n-x\n");
    }

    /// A text after the hunks, applied line by line.
    fn patched(before: &str, diff: &str) -> String {
        let old: Vec<&str> = before.split_inclusive('\n').collect();
        let (mut out, mut at) = (String::new(), 0);
        for line in diff.lines() {
            if let Some(head) = line.strip_prefix("@@ -") {
                let (start, rest) = head.split_once(',').unwrap();
                let count: usize = rest.split(' ').next().unwrap().parse().unwrap();
                let start: usize = start.parse().unwrap();
                let begin = if count == 0 { start } else { start - 1 };
                out.extend(old[at..begin].iter().copied());
                at = begin;
            } else if let Some(added) = line.strip_prefix('+') {
                out.push_str(added);
                out.push('\n');
            } else {
                assert_eq!(old[at].trim_end(), &line[1..], "{diff}");
                if line.starts_with(' ') {
                    out.push_str(old[at]);
                }
                at += 1;
            }
        }
        out.extend(old[at..].iter().copied());
        out
    }

    #[test]
    fn every_diff_leads_from_the_old_text_to_the_new_one() {
        let mut seed = 7_u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for _ in 0..2000 {
            let mut text = |lines: u64| (0..lines).map(|_| format!("{}\n", draw(4))).collect::<String>();
            let (before, after) = (text(12), text(10));
            let (diff, _) = unified(before.as_bytes(), after.as_bytes(), 1 << 16).unwrap();
            assert_eq!(patched(&before, &diff), after, "{before:?} {diff}");
        }
    }

    #[test]
    fn what_is_no_text_or_too_different_has_none() {
        assert_eq!(unified(b"\xff", b"", 99), Err(NoDiff::Binary));
        assert_eq!(unified(b"a\0b", b"", 99), Err(NoDiff::Binary));
        let many: String = (0..EDITS + 1).map(|number| format!("{number}\n")).collect();
        assert_eq!(unified(many.as_bytes(), b"", 99), Err(NoDiff::TooMany));
    }

    #[test]
    fn a_long_diff_is_cut_and_says_how_long_it_was() {
        let (diff, whole) = unified(b"", "ä\n".repeat(50).as_bytes(), 20).unwrap();
        assert!(diff.len() <= 20 && whole > 100, "{diff} {whole}");
    }
}
