//! What tests of the command share: folders that go with the test, and the command's outcome.

#![allow(dead_code, missing_docs, reason = "each test uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// First line of a recording.
pub const HEAD: &str = r#"{"watchkeeper":"events","schema":1,"version":"0","hostname":"h","kernel":"k"}"#;

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("watchkeeper-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the command ended.
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn watchkeeper() -> Command {
    Command::new(env!("CARGO_BIN_EXE_watchkeeper"))
}

/// Arguments may be paths or words.
pub fn run(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Outcome {
    let output =
        watchkeeper().args(arguments.iter().map(AsRef::as_ref)).stdin(Stdio::null()).output().unwrap();
    Outcome {
        code: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

/// The message names the thing and gives a hint, and nothing in it acts on a terminal.
#[track_caller]
pub fn refused(outcome: &Outcome, code: i32, message: &str) {
    assert_eq!(outcome.code, code, "{}", outcome.err);
    assert!(outcome.err.contains(message), "{}", outcome.err);
    assert!(outcome.err.contains("hint: "), "{}", outcome.err);
    assert!(!outcome.err.contains("panicked"), "{}", outcome.err);
    harmless(&outcome.err);
}

#[track_caller]
pub fn harmless(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../strategies/command-and-control/application-layer-protocol.md")
}
