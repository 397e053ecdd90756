//! Strategy documents: those in the binary, or those of a directory.

use crate::failure::Failure;
use crate::files;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The documents of the repository at the time of the build, as build.rs packs them.
const BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/content"));
/// Most that they may be, unpacked.
const BUILT_IN_LIMIT: usize = 64 << 20;

/// A document's path and text.
pub type Document = (String, String);

/// The built-in documents.
pub fn built_in() -> Vec<Document> {
    // The build made it, and a test reads it.
    let content =
        miniz_oxide::inflate::decompress_to_vec_with_limit(BUILT_IN, BUILT_IN_LIMIT).unwrap_or_default();
    let content = String::from_utf8(content).unwrap_or_default();
    let mut parts = content.split('\0');
    let mut documents = Vec::new();
    while let (Some(path), Some(text)) = (parts.next(), parts.next()) {
        documents.push((path.to_owned(), text.to_owned()));
    }
    documents
}

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

/// The documents at `paths`, directories searched as [`files::read`] says.
///
/// # Errors
/// A path that does not exist or cannot be listed.
pub fn from_paths(paths: &[PathBuf]) -> Result<Found, Failure> {
    let found = files::read(paths, &["md"], "a strategy document (.md)")?;
    let mut documents = found.files;
    documents.sort();
    Ok(Found { documents, unreadable: found.unreadable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_the_repository_are_in_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = from_paths(&[root.join("strategies")]).unwrap();
        let built_in = built_in();
        assert_eq!(built_in.len(), found.documents.len());
        for (path, text) in built_in {
            assert_eq!(std::fs::read_to_string(root.join(&path)).unwrap(), text, "{path}");
        }
    }
}
