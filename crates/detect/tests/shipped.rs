//! The strategies that ship: all of each runs.

use detect::{Config, Engine};
use std::path::{Path, PathBuf};

/// All documents below `directory`, in the order of their paths.
fn documents(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_of_every_document_runs() {
    let mut paths = Vec::new();
    documents(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies"), &mut paths);
    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("a readable document")))
        .collect();
    let (strategies, _) = strategy::load(&texts);
    assert_eq!(strategies.len(), texts.len(), "a document cannot be loaded; strategy lint says why");
    let (engine, errors) =
        Engine::new(&strategies, &Config::default()).expect("the default limits leave room");
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!engine.wanted().classes.is_empty());
}
