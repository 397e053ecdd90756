//! `strategy list`: one line per strategy.

use super::arguments::{Form, List};
use super::examined::Examined;
use super::unwritable;
use crate::failure::{Exit, Failure};
use crate::table;
use serde_json::{Value, json};
use std::io::{self, Write};
use strategy::document::front::{FrontMatter, Status};
use strategy::sigma::Item;
use strategy::source::Source;
use strategy::{Document, Severity, Strategy, attack};

/// Characters of the id that the table shows; `explain` takes them.
const ID_SHOWN: usize = 8;

/// Prints the list. Status 1 where a document cannot run.
///
/// # Errors
/// Paths that cannot be read, or an output that cannot be written.
pub fn run(args: &List) -> Result<Exit, Failure> {
    let examined = Examined::of(&args.documents)?;
    let entries: Vec<Entry<'_>> = entries(&examined);
    let mut out = io::stdout().lock();
    match args.format {
        Form::Text => {
            let rows: Vec<[String; 8]> = entries.iter().map(Entry::row).collect();
            let head = ["ID", "SLUG", "SEVERITY", "TECHNIQUES", "SOURCES", "TESTS", "STATE", "TITLE"];
            table::write(&mut out, head, &rows)
        }
        Form::Json => entries.iter().try_for_each(|entry| writeln!(out, "{}", entry.object())),
    }
    .map_err(unwritable)?;
    Ok(if entries.iter().all(|entry| entry.state != State::Broken) { Exit::Fine } else { Exit::Findings })
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It runs, and lint finds no error.
    Ready,
    /// It runs, and lint finds errors.
    Incomplete,
    /// It does not run.
    Broken,
}

impl State {
    /// The state of a document of which these errors are known.
    pub(super) fn of(errors: usize, runs: bool) -> Self {
        match (runs, errors) {
            (false, _) => Self::Broken,
            (true, 0) => Self::Ready,
            (true, _) => Self::Incomplete,
        }
    }

    /// The word for people and machines.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Incomplete => "incomplete",
            Self::Broken => "broken",
        }
    }
}

struct Entry<'e> {
    path: &'e str,
    /// The strategy that runs.
    strategy: Option<&'e Strategy>,
    /// What could be read of one that does not run.
    document: Option<Document>,
    errors: usize,
    warnings: usize,
    state: State,
}

fn entries(examined: &Examined) -> Vec<Entry<'_>> {
    let entry = |path: &'_ str| {
        (examined.findings(Some(path), Severity::Error), examined.findings(Some(path), Severity::Warning))
    };
    let mut all = Vec::new();
    for (path, text) in &examined.found.documents {
        let strategy = examined.strategies.iter().find(|strategy| strategy.path == *path);
        let (errors, warnings) = entry(path);
        let document = strategy.is_none().then(|| Document::read(&Source::new(path, text), &mut Vec::new()));
        let state = State::of(errors, strategy.is_some());
        all.push(Entry { path, strategy, document, errors, warnings, state });
    }
    for (path, _) in &examined.found.unreadable {
        let (errors, warnings) = entry(path);
        all.push(Entry { path, strategy: None, document: None, errors, warnings, state: State::Broken });
    }
    all
}

impl Entry<'_> {
    fn front(&self) -> Option<&FrontMatter> {
        let broken = || self.document.as_ref()?.front.as_ref().map(|front| &front.value);
        self.strategy.map(|strategy| &strategy.front).or_else(broken)
    }

    fn document(&self) -> Option<&Document> {
        self.strategy.map(|strategy| &strategy.document).or(self.document.as_ref())
    }

    fn row(&self) -> [String; 8] {
        let text = |read: fn(&FrontMatter) -> String| self.front().map_or_else(|| "-".to_owned(), read);
        let tests = self.document().map_or(0, |document| document.tests.len());
        [
            text(|front| front.id.chars().take(ID_SHOWN).collect()),
            text(|front| front.slug.clone()),
            text(|front| front.severity.as_str().to_owned()),
            text(|front| techniques(front).join(",")),
            text(|front| front.requires.join(",")),
            tests.to_string(),
            self.state_text(),
            self.front().map_or_else(|| self.path.to_owned(), |front| front.title.clone()),
        ]
    }

    /// What became of it; for one that runs, how far it has come too.
    fn state_text(&self) -> String {
        let status = self.front().filter(|_| self.state == State::Ready).map(|front| status(front.status));
        match (self.state, status) {
            (State::Ready, Some(status)) => format!("ready ({status})"),
            (state, _) => format!("{} ({} errors)", state.as_str(), self.errors),
        }
    }

    fn object(&self) -> Value {
        let front = self.front();
        let text = |read: fn(&FrontMatter) -> String| front.map(read);
        let mappings = front.map_or(&[][..], |front| &front.attack);
        let attack: Vec<Value> = mappings
            .iter()
            .map(|mapping| {
                let tactic = attack::tactic(&mapping.tactic).map(|tactic| tactic.id);
                let name = attack::technique(&mapping.technique).map(|technique| technique.name);
                json!({"tactic": tactic, "technique": mapping.technique, "name": name})
            })
            .collect();
        let document = self.document();
        let items = document.map_or(&[][..], |document| &document.items);
        let rules: Vec<Value> = items
            .iter()
            .filter(|item| !matches!(item, Item::Filter(_)))
            .map(|item| json!({"id": item.head().id, "name": item.head().handle(), "title": item.head().title}))
            .collect();
        json!({
            "id": text(|front| front.id.clone()),
            "slug": text(|front| front.slug.clone()),
            "title": text(|front| front.title.clone()),
            "path": self.path,
            "status": text(|front| status(front.status).to_owned()),
            "version": text(|front| front.version.clone()),
            "severity": text(|front| front.severity.as_str().to_owned()),
            "attack_version": text(|front| front.attack_version.clone()),
            "attack": attack,
            "platforms": front.map(|front| &front.platforms),
            "sources": front.map(|front| &front.requires),
            "owners": front.map(|front| &front.owners),
            "rules": rules,
            "tests": document.map_or(0, |document| document.tests.len()),
            "emulations": document.map_or(0, |document| document.emulations.len()),
            "exceptions": document.map_or(0, |document| document.exceptions.len()),
            "state": self.state.as_str(),
            "errors": self.errors,
            "warnings": self.warnings,
        })
    }
}

/// Techniques of the front matter, each once.
pub(super) fn techniques(front: &FrontMatter) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for mapping in &front.attack {
        if !ids.contains(&mapping.technique.as_str()) {
            ids.push(&mapping.technique);
        }
    }
    ids
}

/// The word of the front matter.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Experimental => "experimental",
        Status::Test => "test",
        Status::Stable => "stable",
        Status::Deprecated => "deprecated",
    }
}
