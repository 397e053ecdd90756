//! The rules that are measured, as text.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The rules below `root`, in the order of their paths; none where it is no folder.
pub fn texts(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                found.push((path, text));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The process rules of Linux and macOS, as rules of Linux.
pub fn processes(all: &[(PathBuf, String)]) -> Vec<String> {
    let is_wanted = |path: &Path| {
        let path = path.to_string_lossy();
        path.contains("linux/process_creation") || path.contains("macos/process_creation")
    };
    let wanted = all.iter().filter(|(path, _)| is_wanted(path));
    wanted.map(|(_, text)| text.replace("product: macos", "product: linux")).collect()
}

/// Rules like those of SigmaHQ that hold for no event.
pub fn never(count: usize) -> Vec<String> {
    let rule = |number: usize| {
        let selection = match number % 3 {
            0 => format!(
                "    Image|endswith: [/tool-{number}, /other-{number}]\n    CommandLine|contains: ' -x'\n"
            ),
            1 => format!("    CommandLine|contains: ['--secret-{number}', 'hidden_{number}.so']\n"),
            _ => format!(
                "    ParentImage|endswith: /bash\n    CommandLine|contains|all: [' -e ', 'payload{number}', http]\n"
            ),
        };
        format!(
            "title: never {number}\nlogsource: {{category: process_creation, product: linux}}\n\
             detection:\n  s:\n{selection}  condition: s\n"
        )
    };
    (0..count).map(rule).collect()
}
