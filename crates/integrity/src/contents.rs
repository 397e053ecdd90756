//! Contents of watched files, and what can be shown of their changes.
//!
//! The first contents are the known-good copies. Later ones are kept to compare with only, in a room that is emptied when
//! it is full.
//!
//! A diff can hold secrets. Where not everybody may read a file, its diff is withheld, unless its path says that its
//! content is public in kind ([`PUBLIC`]).

use crate::Copies;
use crate::baseline::Key;
use crate::diff::unified;
use crate::observe::{Limits, Observed, Root, observe};
use event::Text;
use event::change::{Change, FileChange, FileState};

/// Bytes of later contents.
const LATER_BYTES: u64 = 16 << 20;
/// Longest diff that is shown, in bytes.
const DIFF_BYTES: usize = 4 << 10;
/// Read permission of everybody.
const READ_BY_ALL: u32 = 0o004;
/// Parts of paths whose files hold no secrets, though not everybody may read them.
const PUBLIC: [&str; 4] = ["/authorized_keys", "/sudoers", "/cron", "/systemd/"];

/// The contents.
#[derive(Debug)]
pub(crate) struct Contents {
    good: Copies,
    later: Copies,
}

impl Contents {
    pub(crate) fn new(good: Copies) -> Self {
        Self { good, later: Copies::in_memory(LATER_BYTES) }
    }

    /// Keeps the first content of a file.
    pub(crate) fn keep_good(&mut self, root: &Root, key: &Key, state: &FileState, limits: Limits) {
        let is_short = state.size <= limits.kept_bytes && !state.blake3.is_empty();
        if !is_short || self.good.has(&state.blake3) {
            return;
        }
        if let Some(Observed { state: now, content: Some(content) }) = observe(root, &key.path, limits)
            && now.blake3 == state.blake3
        {
            self.good.keep(&state.blake3, &content);
        }
    }

    /// Keeps a content to compare the next one with.
    pub(crate) fn keep_later(&mut self, observed: &Observed) {
        let Some(content) = &observed.content else { return };
        let hash = &observed.state.blake3;
        if !self.good.has(hash) && !self.later.keep(hash, content) {
            self.later = Copies::in_memory(LATER_BYTES);
            self.later.keep(hash, content);
        }
    }

    fn content(&self, hash: &str) -> Option<Vec<u8>> {
        self.good.content(hash).or_else(|| self.later.content(hash))
    }

    /// Adds to a change its diff, or why there is none, and where the known-good copy is.
    pub(crate) fn explain(&self, change: &mut FileChange, observed: Option<&Observed>, limits: Limits) {
        if let Some(before) = &change.before
            && self.good.has(&before.blake3)
        {
            change.notes.push(format!("known-good copy {}", before.blake3).into());
        }
        let reason =
            change.after.as_ref().map(|after| after.unread.clone()).filter(|reason| !reason.is_empty());
        change.notes.extend(reason);
        if change.what.contains(&Change::BeforeScan) {
            return;
        }
        match self.diff(change, observed, limits) {
            Ok(None) => {}
            Ok(Some(diff)) => change.diff = diff,
            Err(reason) => change.notes.push(format!("no diff: {reason}").into()),
        }
    }

    /// The diff; none where the content is the same or there is none.
    fn diff(
        &self,
        change: &FileChange,
        observed: Option<&Observed>,
        limits: Limits,
    ) -> Result<Option<Text>, String> {
        let is_file = |state: &Option<Box<FileState>>| state.as_ref().is_none_or(|state| state.is_file());
        let hash = |state: &Option<Box<FileState>>| state.as_ref().map(|state| state.blake3.clone());
        let (before, after) = (hash(&change.before), hash(&change.after));
        if before == after || !is_file(&change.before) || !is_file(&change.after) {
            return Ok(None);
        }
        if !is_public(change) {
            return Err("not everybody may read the file".to_owned());
        }
        let short = |state: &Option<Box<FileState>>| {
            state.as_ref().is_none_or(|state| state.size <= limits.kept_bytes)
        };
        if !short(&change.before) || !short(&change.after) {
            return Err(format!("longer than {} bytes", limits.kept_bytes));
        }
        let old = match before {
            None => Vec::new(),
            Some(hash) => self.content(&hash).ok_or("its earlier content was not kept")?,
        };
        let new = match after {
            None => &[][..],
            Some(_) => {
                observed.and_then(|observed| observed.content.as_deref()).ok_or("its content was not read")?
            }
        };
        let (diff, whole) = unified(&old, new, DIFF_BYTES).map_err(|reason| reason.to_string())?;
        let cut = diff.len() < whole;
        let diff = Text::resolved(diff);
        Ok(Some(if cut { diff.cut_from(u32::try_from(whole).unwrap_or(u32::MAX)) } else { diff }))
    }
}

fn is_public(change: &FileChange) -> bool {
    let states = [&change.before, &change.after];
    let by_mode = states.into_iter().flatten().all(|state| state.mode & READ_BY_ALL != 0);
    let path = if change.host_path.is_empty() { change.path.as_str() } else { &change.host_path };
    by_mode || PUBLIC.iter().any(|part| path.contains(part))
}
