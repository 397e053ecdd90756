//! Puts the strategy documents of the repository into the binary: path, zero, text, zero, each after the other, deflated. Tells
//! the linker to keep the binary small.

use std::path::{Path, PathBuf};

/// Best of miniz_oxide, short of what takes twice as long for a hundredth more.
const LEVEL: u8 = 8;

/// No symbols, which the profile leaves in where a package has settings of its own. One copy of functions that compile to the same code, and addresses that the loader mends as bits instead of records of 24
/// bytes (DT_RELR, glibc 2.36): a fifteenth of the binary. The linker of Rust's toolchain on x86-64 knows both.
const LINK: &str = "-Wl,-s,--icf=all,-z,pack-relative-relocs";

fn main() {
    let target =
        ["CARGO_CFG_TARGET_ARCH", "CARGO_CFG_TARGET_ENV"].map(|name| std::env::var(name).unwrap_or_default());
    if target == ["x86_64", "gnu"] {
        println!("cargo::rustc-link-arg-bins={LINK}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut documents = Vec::new();
    collect(&root, &mut documents);
    documents.sort();
    if documents.is_empty() {
        println!("cargo::error=no strategy documents in {}: build in a whole checkout", root.display());
    }
    let mut content = Vec::new();
    for path in documents {
        let name = path.strip_prefix(&root).unwrap_or(&path);
        println!("cargo::rerun-if-changed={}", path.display());
        match std::fs::read(&path) {
            Ok(text) => {
                content.extend(format!("strategies/{}\0", name.display()).into_bytes());
                content.extend(text);
                content.push(0);
            }
            Err(error) => println!("cargo::error=cannot read {}: {error}", path.display()),
        }
    }
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("content");
    if let Err(error) = std::fs::write(&out, miniz_oxide::deflate::compress_to_vec(&content, LEVEL)) {
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
