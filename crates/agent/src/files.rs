//! Text files at paths that a user gave: documents and rules.
//!
//! In: files and directories. Out: their texts, in the order of the paths and within a directory by name, and what
//! cannot be read, with the reason. One policy for all: links are followed, to directories too, as ConfigMap mounts of
//! Kubernetes need it; a file that several names lead to is read once, under the name that lies least deep; circles end
//! where they close; pipes and devices are not read; depth, number and size are bounded.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const FILE_BYTES: u64 = 1 << 20;
/// Deepest nesting of directories.
const DEPTH_LIMIT: usize = 16;
/// Most files below one path.
const FILES_LIMIT: usize = 20_000;
/// Most directories below one path, counted each time that one is listed: links can lead to one in many ways.
const DIRECTORIES_LIMIT: usize = 10_000;

/// What was found at paths.
#[derive(Debug, Default)]
pub struct Found {
    /// Path and text of each file.
    pub files: Vec<(String, String)>,
    /// Files and directories that cannot be read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// Reads the files at `paths`; of directories those with one of `extensions`. `wanted` says what they are, for people.
///
/// # Errors
/// A path that does not exist, or a directory that cannot be listed.
pub fn read(paths: &[PathBuf], extensions: &[&str], wanted: &str) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut seen = BTreeMap::new();
    for path in paths {
        let cannot = |error: io::Error| {
            Failure::usage(
                format!("cannot read {}: {error}", path.display()),
                format!("give {wanted}, or a directory of them"),
            )
        };
        let mut walk =
            Walk { extensions, files: BTreeMap::new(), open: Vec::new(), listed: 0, unreadable: Vec::new() };
        if std::fs::metadata(path).map_err(cannot)?.is_dir() {
            walk.directory(path).map_err(cannot)?;
        } else {
            walk.file(path);
        }
        let mut files: Vec<(PathBuf, PathBuf)> =
            walk.files.into_iter().map(|(real, name)| (name, real)).collect();
        files.sort();
        found.unreadable.append(&mut walk.unreadable);
        for (name, real) in files {
            if seen.insert(real, ()).is_some() {
                continue;
            }
            let path = name.display().to_string();
            match text(&name) {
                Ok(text) => found.files.push((path, text)),
                Err(error) => found.unreadable.push((path, error.to_string())),
            }
        }
    }
    Ok(found)
}

struct Walk<'e> {
    extensions: &'e [&'e str],
    /// By the file that is meant: the name under which it was found.
    files: BTreeMap<PathBuf, PathBuf>,
    /// The directories that are being listed, one in the other.
    open: Vec<PathBuf>,
    /// Directories listed so far.
    listed: usize,
    unreadable: Vec<(String, String)>,
}

impl Walk<'_> {
    /// Lists `directory`; what lies below it and cannot be listed is noted.
    fn directory(&mut self, directory: &Path) -> io::Result<()> {
        let real = directory.canonicalize()?;
        if self.open.contains(&real) {
            return Ok(());
        }
        if self.open.len() > DEPTH_LIMIT {
            return Err(io::Error::other(format!("directories nested deeper than {DEPTH_LIMIT}")));
        }
        self.listed += 1;
        if self.listed > DIRECTORIES_LIMIT {
            return Err(io::Error::other(format!("more than {DIRECTORIES_LIMIT} directories")));
        }
        self.open.push(real);
        let listed = self.entries(directory);
        self.open.pop();
        listed
    }

    fn entries(&mut self, directory: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                if let Err(error) = self.directory(&path) {
                    self.unreadable.push((path.display().to_string(), error.to_string()));
                }
            } else if path.extension().is_some_and(|own| self.extensions.iter().any(|one| own == *one)) {
                if self.files.len() >= FILES_LIMIT {
                    return Err(io::Error::other(format!("more than {FILES_LIMIT} files")));
                }
                self.file(&path);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) {
        // A link that leads nowhere stands for itself, and is named when it is read.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let depth = |path: &Path| path.components().count();
        let name = self.files.entry(real).or_insert_with(|| path.to_owned());
        if (depth(path), path) < (depth(name), name) {
            path.clone_into(name);
        }
    }
}

fn text(path: &Path) -> io::Result<String> {
    // A pipe or a device would be read for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(io::Error::other(format!("larger than {FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_mounted_config_map_is_read_once_and_circles_end() {
        let folder = std::env::temp_dir().join(format!("watchkeeper-files-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let version = folder.join("..2026_11_22");
        std::fs::create_dir_all(&version).unwrap();
        std::fs::write(version.join("b.yaml"), "b").unwrap();
        std::fs::write(version.join("a.yml"), "a").unwrap();
        std::fs::write(version.join("notes.txt"), "x").unwrap();
        symlink("..2026_11_22", folder.join("..data")).unwrap();
        symlink("..data/b.yaml", folder.join("b.yaml")).unwrap();
        symlink("..data/a.yml", folder.join("a.yml")).unwrap();
        symlink(".", folder.join("circle")).unwrap();
        symlink("nowhere.yml", folder.join("dangling.yml")).unwrap();
        symlink("/dev/zero", folder.join("device.yml")).unwrap();
        std::fs::write(folder.join("large.yml"), vec![b'x'; (1 << 20) + 1]).unwrap();

        let found = read(std::slice::from_ref(&folder), &["yml", "yaml"], "rules").unwrap();
        let names: Vec<&str> = found.files.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["a.yml", "b.yaml"]);
        assert!(found.files.iter().all(|(path, _)| !path.contains("..data")), "{:?}", found.files);
        let mut wrong: Vec<&str> =
            found.unreadable.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
        wrong.sort_unstable();
        assert_eq!(wrong, ["dangling.yml", "device.yml", "large.yml"]);

        let given = [folder.join("b.yaml"), folder.join("a.yml"), folder.join("b.yaml")];
        let found = read(&given, &["yml", "yaml"], "rules").unwrap();
        let texts: Vec<&str> = found.files.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["b", "a"], "in the order given, each once");
        assert!(read(&[folder.join("absent")], &["yml"], "rules").is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
