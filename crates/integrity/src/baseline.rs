//! A baseline: states of files, kept in a file and compared with later ones.
//!
//! In and out: one JSON object per line, sorted by container and path; the same files give the same bytes. Out of a comparison:
//! [`FileChange`]s, in that order.

use crate::Error;
use compact_str::CompactString;
use event::ContainerId;
use event::Text;
use event::change::{Change, FileChange, FileState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// Longest line that is read, in bytes: two longest paths as JSON can escape them, and more.
const LINE_BYTES: usize = 64 << 10;

/// Which file: on the host, or in a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// In which container; none: on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// Its path there.
    pub path: CompactString,
}

/// States by file.
pub type Baseline = BTreeMap<Key, FileState>;

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: Key,
    state: FileState,
}

/// Writes a baseline.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl Write, baseline: Baseline) -> Result<(), Error> {
    for (key, state) in baseline {
        serde_json::to_writer(&mut *out, &Line { key, state }).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Reads a baseline.
///
/// # Errors
/// The reader's, or a line that is none.
pub fn read(input: &mut impl BufRead) -> Result<Baseline, Error> {
    let mut baseline = Baseline::new();
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let length = std::io::Read::take(&mut *input, LINE_BYTES as u64).read_until(b'\n', &mut text)?;
        if length == 0 {
            break;
        }
        if length == LINE_BYTES {
            return Err(Error::Line { line, cause: format!("longer than {LINE_BYTES} bytes") });
        }
        let parsed: Line =
            serde_json::from_slice(&text).map_err(|error| Error::Line { line, cause: error.to_string() })?;
        baseline.insert(parsed.key, parsed.state);
    }
    Ok(baseline)
}

/// What has changed from `before` to `after`.
#[must_use]
pub fn compare(before: &Baseline, after: &Baseline) -> Vec<FileChange> {
    let mut keys: Vec<&Key> =
        before.keys().chain(after.keys().filter(|key| !before.contains_key(key))).collect();
    keys.sort_unstable();
    let changed = keys.into_iter().filter_map(|key| change(key, before.get(key), after.get(key)));
    changed.collect()
}

/// The change of one file, without a diff and without who made it; `None` where there is none.
pub(crate) fn change(key: &Key, before: Option<&FileState>, after: Option<&FileState>) -> Option<FileChange> {
    let what = match (before, after) {
        (Some(before), Some(after)) if after.mode == 0 && before.mode != 0 => vec![Change::Unread],
        (Some(before), Some(after)) => before.differences(after),
        (None, Some(_)) => vec![Change::Created],
        (Some(_), None) => vec![Change::Deleted],
        (None, None) => Vec::new(),
    };
    let boxed = |state: Option<&FileState>| state.cloned().map(Box::new);
    (!what.is_empty()).then(|| FileChange {
        path: Text::resolved(key.path.clone()),
        host_path: if key.container.is_none() { key.path.clone() } else { CompactString::default() },
        container: key.container,
        what,
        before: boxed(before),
        after: boxed(after),
        ..FileChange::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> Key {
        Key { container: None, path: path.into() }
    }

    fn state(hash: &str) -> FileState {
        FileState { mode: 0o100_644, blake3: hash.into(), ..FileState::default() }
    }

    #[test]
    fn a_baseline_comes_back_as_it_was_written() {
        let own = Key { container: Some(ContainerId([7; 32])), path: "/etc/passwd".into() };
        let baseline = Baseline::from([(key("/b"), state("1")), (key("/a"), state("2")), (own, state("3"))]);
        let mut text = Vec::new();
        write(&mut text, baseline.clone()).unwrap();
        assert!(text.starts_with(b"{\"path\":\"/a\""), "{}", String::from_utf8_lossy(&text));
        assert_eq!(read(&mut text.as_slice()).unwrap(), baseline);
    }

    #[test]
    fn what_is_no_baseline_is_named_by_its_line() {
        let error = read(&mut &b"{\"path\":\"/a\",\"state\":{\"mode\":1}}\nnonsense\n"[..]).unwrap_err();
        assert!(error.to_string().starts_with("line 2 of the baseline"), "{error}");
        let long = vec![b'x'; LINE_BYTES + 1];
        assert!(matches!(read(&mut long.as_slice()), Err(Error::Line { line: 1, .. })));
        let mut whole = Vec::new();
        write(&mut whole, Baseline::from([(key("/a"), state("1"))])).unwrap();
        for end in 1..whole.len() - 1 {
            assert!(read(&mut &whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_comparison_names_what_came_went_and_changed_in_order() {
        let before =
            Baseline::from([(key("/gone"), state("1")), (key("/same"), state("2")), (key("/x"), state("3"))]);
        let after =
            Baseline::from([(key("/came"), state("1")), (key("/same"), state("2")), (key("/x"), state("4"))]);
        let changes: Vec<(String, Vec<Change>)> = compare(&before, &after)
            .into_iter()
            .map(|change| (change.path.to_string(), change.what))
            .collect();
        let expected = [("/came", Change::Created), ("/gone", Change::Deleted), ("/x", Change::Content)];
        assert_eq!(changes, expected.map(|(path, change)| (path.to_owned(), vec![change])));
    }
}
