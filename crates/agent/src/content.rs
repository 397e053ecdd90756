//! Strategy documents: those in the binary, or those of a directory.

use crate::failure::Failure;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Largest document that is read, in bytes.
const DOCUMENT_BYTES: u64 = 1 << 20;

/// The documents of the repository at the time of the build: path and text.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/content.rs"));

/// A document's path and text.
pub type Document = (String, String);

/// The built-in documents.
pub fn built_in() -> Vec<Document> {
    BUILT_IN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Deepest nesting of directories.
const DEPTH_LIMIT: usize = 16;

/// What was found at paths.
#[derive(Debug, Default)]
pub struct Found {
    /// The documents, in the order of their paths.
    pub documents: Vec<Document>,
    /// Files that cannot be read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// The documents of `directory`, or the built-in ones.
///
/// # Errors
/// A directory that cannot be read. Files that cannot be read are named on standard error, and the others are read.
pub fn load(directory: Option<&Path>) -> Result<Vec<Document>, Failure> {
    let Some(directory) = directory else { return Ok(built_in()) };
    let found = from_paths(&[directory.to_owned()])?;
    for (path, reason) in &found.unreadable {
        // Standard error may be closed; the others run all the same.
        let _ = writeln!(io::stderr(), "error: strategy document {path} is left out: {reason}");
    }
    Ok(found.documents)
}

/// The documents at `paths`, directories searched to any reasonable depth.
///
/// # Errors
/// A path that does not exist or cannot be listed.
pub fn from_paths(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, 0, &mut files).map_err(|error| {
            Failure::usage(
                format!("cannot read {}: {error}", path.display()),
                "give a strategy document (.md) or a directory of them",
            )
        })?;
    }
    files.sort();
    files.dedup();
    let mut found = Found::default();
    for file in &files {
        let path = file.display().to_string();
        match read(file) {
            Ok(text) => found.documents.push((path, text)),
            Err(error) => found.unreadable.push((path, error.to_string())),
        }
    }
    Ok(found)
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > DEPTH_LIMIT {
        return Err(io::Error::other(format!("directories nested deeper than {DEPTH_LIMIT}")));
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    // A pipe or a device would be read for ever.
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > DOCUMENT_BYTES {
        let bytes = metadata.len();
        return Err(io::Error::other(format!(
            "{bytes} bytes are more than the {DOCUMENT_BYTES} that a document may have"
        )));
    }
    std::fs::read_to_string(path)
}
