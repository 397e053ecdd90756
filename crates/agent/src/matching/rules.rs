//! Rules from files and directories.

use crate::failure::{Failure, say};
use detect::plain::Rejected;
use std::io::Read;
use std::path::{Path, PathBuf};
use strategy::sigma::{Item, read_str};
use strategy::source::Source;

/// Largest file of rules that is read.
const FILE_BYTES: u64 = 1 << 20;

/// What was read: the rules of all files, in the order of their paths.
pub struct Loaded {
    /// Rules, filters and correlations.
    pub items: Vec<Item>,
    /// By item: its file.
    files: Vec<PathBuf>,
}

impl Loaded {
    /// Reads the files at `paths`, directories searched to any depth. What is wrong in one is named on standard error,
    /// and the others are read.
    ///
    /// # Errors
    /// A path that does not exist or cannot be listed.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for path in paths {
            collect(path, &mut files).map_err(|error| {
                Failure::usage(
                    format!("cannot read {}: {error}", path.display()),
                    "give a Sigma rule (.yml) or a directory of them",
                )
            })?;
        }
        files.sort();
        files.dedup();
        let mut loaded = Self { items: Vec::new(), files: Vec::new() };
        for file in files {
            match text(&file) {
                Ok(text) => loaded.add(&file, &text),
                Err(reason) => say(&format!("{}: not read: {reason}", file.display())),
            }
        }
        Ok(loaded)
    }

    fn add(&mut self, file: &Path, text: &str) {
        let (items, problems) = read_str(text);
        let name = file.display().to_string();
        let source = Source::new(&name, text);
        for problem in problems {
            let line = source.position(problem.span.start).line;
            let hint = problem.hint.map_or(String::new(), |hint| format!("; {hint}"));
            say(&format!("{name}:{line}: rule left out: {}{hint}", problem.message));
        }
        self.files.extend(items.iter().map(|_| file.to_owned()));
        self.items.extend(items);
    }

    /// Names what does not run.
    pub fn report(&self, rejected: &[Rejected]) {
        for Rejected { item, fault } in rejected {
            let title = self.items.get(*item).map_or("", |item| item.head().title.as_str());
            let file = self.files.get(*item).map(|file| file.display().to_string()).unwrap_or_default();
            let hint = fault.hint().map_or(String::new(), |hint| format!("; {hint}"));
            say(&format!("{file}: `{title}` left out: {fault}{hint}"));
        }
    }
}

fn text(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(format!("larger than {FILE_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let path = entry.path();
        // A link to a directory could lead round in a circle.
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else if path.is_file()
            && path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
        {
            files.push(path);
        }
    }
    Ok(())
}
