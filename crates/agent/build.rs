//! Puts the strategy documents of the repository into the binary.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut documents = Vec::new();
    collect(&root, &mut documents);
    documents.sort();
    if documents.is_empty() {
        println!("cargo::error=no strategy documents in {}: build in a whole checkout", root.display());
    }
    let mut code = String::from("&[\n");
    for path in documents {
        let name = path.strip_prefix(&root).unwrap_or(&path);
        println!("cargo::rerun-if-changed={}", path.display());
        let _ = writeln!(
            code,
            "    (\"strategies/{}\", include_str!(\"{}\")),",
            name.display(),
            path.canonicalize().unwrap_or_else(|_| path.clone()).display()
        );
    }
    code.push(']');
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("content.rs");
    if let Err(error) = std::fs::write(&out, code) {
        println!("cargo::error=cannot write {}: {error}", out.display());
    }
}

fn collect(directory: &Path, documents: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, documents);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
}
