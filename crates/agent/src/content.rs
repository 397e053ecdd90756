//! Strategy documents: those in the binary, or those of a directory.

use crate::failure::Failure;
use crate::files;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The documents of the repository at the time of the build: path and text.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/content.rs"));

/// A document's path and text.
pub type Document = (String, String);

/// The built-in documents.
pub fn built_in() -> Vec<Document> {
    BUILT_IN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
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
