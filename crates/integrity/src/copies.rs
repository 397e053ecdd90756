//! Known-good copies of watched files, by the hash of their content: to compare with, and to restore from.
//!
//! In: contents. Out: the same contents by their BLAKE3. They are kept in a directory that only root reads, one file for
//! each content under its hash, or in memory where there is no directory. Both are bounded by the sum of their lengths:
//! what does not fit is refused, so that the first states, which are the known-good ones, stay. What is read back is hashed
//! again: a copy that somebody changed is none.

use crate::observe::hex;
use compact_str::CompactString;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The copies.
#[derive(Debug)]
pub struct Copies {
    directory: Option<PathBuf>,
    /// Length of each copy; with the content where there is no directory.
    kept: BTreeMap<CompactString, (u64, Option<Vec<u8>>)>,
    bytes: u64,
    limit_bytes: u64,
    refused: u64,
}

impl Copies {
    /// Copies in memory.
    #[must_use]
    pub fn in_memory(limit_bytes: u64) -> Self {
        Self { directory: None, kept: BTreeMap::new(), bytes: 0, limit_bytes, refused: 0 }
    }

    /// Copies in `directory`, which is made where it is missing; those of earlier runs count.
    ///
    /// # Errors
    /// The directory cannot be made or listed.
    pub fn in_directory(directory: &Path, limit_bytes: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut copies = Self { directory: Some(directory.to_owned()), ..Self::in_memory(limit_bytes) };
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_hash(&name) {
                let len = entry.metadata()?.len();
                copies.bytes += len;
                copies.kept.insert(name.into(), (len, None));
            }
        }
        Ok(copies)
    }

    /// Whether the content of this hash is kept.
    #[must_use]
    pub fn has(&self, hash: &str) -> bool {
        self.kept.contains_key(hash)
    }

    /// Keeps `content` under `hash`, its BLAKE3. False where there is no room or the disk refuses.
    pub fn keep(&mut self, hash: &str, content: &[u8]) -> bool {
        if self.kept.contains_key(hash) {
            return true;
        }
        let len = content.len() as u64;
        let fits = self.bytes + len <= self.limit_bytes;
        let written = fits
            && self
                .directory
                .as_deref()
                .is_none_or(|directory| write(&directory.join(hash), content).is_ok());
        if !written {
            self.refused += 1;
            return false;
        }
        self.bytes += len;
        self.kept.insert(hash.into(), (len, self.directory.is_none().then(|| content.to_vec())));
        true
    }

    /// The content of this hash, where it is kept and still is what it was.
    #[must_use]
    pub fn content(&self, hash: &str) -> Option<Vec<u8>> {
        let (len, content) = self.kept.get(hash)?;
        let content = match (content, &self.directory) {
            (Some(content), _) => content.clone(),
            (None, Some(directory)) => {
                let path = directory.join(hash);
                // Ours alone; but whoever is root can put something else there.
                let metadata = fs::symlink_metadata(&path).ok()?;
                (metadata.is_file() && metadata.len() == *len).then(|| fs::read(path).ok())??
            }
            (None, None) => return None,
        };
        (hex(blake3::hash(&content).as_bytes()) == hash).then_some(content)
    }

    /// Contents that were refused for lack of room, so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn is_hash(name: &str) -> bool {
    name.len() == 2 * blake3::OUT_LEN && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Under another name first, so that a copy is whole or not there.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o400).open(&part)?;
    file.write_all(content)?;
    fs::rename(part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(content: &[u8]) -> CompactString {
        hex(blake3::hash(content).as_bytes())
    }

    #[test]
    fn copies_outlive_the_run_and_a_changed_one_is_none() {
        let directory = std::env::temp_dir().join(format!("watchkeeper-copies-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let mut copies = Copies::in_directory(&directory, 10).unwrap();
        assert!(copies.keep(&hash(b"12345"), b"12345") && copies.keep(&hash(b"12345"), b"12345"));
        assert!(!copies.keep(&hash(b"123456"), b"123456"), "no room");
        assert_eq!(copies.refused(), 1);
        let copies = Copies::in_directory(&directory, 10).unwrap();
        assert_eq!(copies.content(&hash(b"12345")).as_deref(), Some(&b"12345"[..]));
        let path = directory.join(hash(b"12345").as_str());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "54321").unwrap();
        assert_eq!(copies.content(&hash(b"12345")), None);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn memory_is_as_good_and_as_bounded() {
        let mut copies = Copies::in_memory(3);
        assert!(copies.keep(&hash(b"abc"), b"abc") && !copies.keep(&hash(b"d"), b"d"));
        assert_eq!(copies.content(&hash(b"abc")).as_deref(), Some(&b"abc"[..]));
        assert_eq!(copies.content(&hash(b"d")), None);
    }
}
