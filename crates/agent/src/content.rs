//! Strategy documents: those in the binary, or those of a directory.

use crate::failure::Failure;
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

/// The documents of `directory`, or the built-in ones.
///
/// # Errors
/// A directory that cannot be read. Files that cannot be read are named on standard error, and the others are read.
pub fn load(directory: Option<&Path>) -> Result<Vec<Document>, Failure> {
    match directory {
        None => Ok(built_in()),
        Some(directory) => from_paths(&[directory.to_owned()]),
    }
}

/// The documents at `paths`, directories searched to any depth.
///
/// # Errors
/// A path that does not exist or cannot be listed.
pub fn from_paths(paths: &[PathBuf]) -> Result<Vec<Document>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).map_err(|error| {
            Failure::usage(
                format!("cannot read {}: {error}", path.display()),
                "give a strategy document (.md) or a directory of them",
            )
        })?;
    }
    files.sort();
    Ok(files.iter().filter_map(|path| read(path)).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads one document; says on standard error why where it cannot be read, so that the others still run.
#[expect(clippy::print_stderr, reason = "a message to the user")]
fn read(path: &Path) -> Option<Document> {
    let text = std::fs::metadata(path)
        .and_then(|metadata| {
            // A pipe or a device would be read for ever.
            if !metadata.is_file() {
                return Err(std::io::Error::other("not a regular file"));
            }
            if metadata.len() > DOCUMENT_BYTES {
                return Err(std::io::Error::other(format!(
                    "{} bytes are more than the {DOCUMENT_BYTES} that a document may have",
                    metadata.len()
                )));
            }
            std::fs::read_to_string(path)
        })
        .map_err(|error| eprintln!("error: strategy document {} is left out: {error}", path.display()))
        .ok()?;
    Some((path.display().to_string(), text))
}
