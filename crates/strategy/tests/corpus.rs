//! SigmaHQ's rules: all of them must load, or say why a finite engine cannot run them.

use std::path::{Path, PathBuf};

use strategy::sigma;

/// Where the acceptance data is: `WATCHKEEPER_DATA`, else beside the repository.
fn data() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("WATCHKEEPER_DATA").map_or_else(beside, PathBuf::from)
}

fn rule_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            rule_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            into.push(path);
        }
    }
}

#[test]
fn sigmahq_rules_load() {
    let folder = data().join("rules/sigma/rules");
    let mut files = Vec::new();
    rule_files(&folder, &mut files);
    if files.is_empty() {
        println!("SKIPPED: no rules in {}", folder.display());
        return;
    }
    let mut refused = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let (items, problems) = sigma::read_str(&text);
        if items.is_empty() || !problems.is_empty() {
            let reasons: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
            refused.push(format!("{}: {}", file.display(), reasons.join("; ")));
        }
    }
    println!("{} of {} files load", files.len() - refused.len(), files.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
