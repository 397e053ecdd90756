//! Documents to strategies: what the engine runs.

use std::collections::HashMap;

use event::alert::StrategyHead;

use crate::attack;
use crate::diagnostic::codes::Breaks;
use crate::diagnostic::{Diagnostic, Problem, Severity, codes};
use crate::document::Document;
use crate::document::front::FrontMatter;
use crate::document::place;
use crate::lint;
use crate::source::Source;

/// A strategy that can run.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Where the document is from.
    pub path: String,
    /// Its text, for whoever shows it.
    pub text: String,
    /// Its front matter.
    pub front: FrontMatter,
    /// All that it says.
    pub document: Document,
}

impl Strategy {
    /// What an alert says of the strategy.
    pub fn head(&self) -> StrategyHead {
        let front = &self.front;
        let technique = |mapping: &crate::document::front::Mapping| {
            let tactic = attack::tactic(&mapping.tactic);
            let technique = attack::technique(&mapping.technique);
            event::alert::Technique {
                tactic_id: tactic.map_or(mapping.tactic.as_str(), |tactic| tactic.id).into(),
                tactic: tactic.map_or(mapping.tactic.as_str(), |tactic| tactic.name).into(),
                id: mapping.technique.as_str().into(),
                name: technique.map_or("", |technique| technique.name).into(),
            }
        };
        StrategyHead {
            id: front.id.as_str().into(),
            slug: front.slug.as_str().into(),
            title: front.title.as_str().into(),
            version: front.version.as_str().into(),
            attack_version: front.attack_version.as_str().into(),
            techniques: front.attack.iter().map(technique).collect(),
            first_response: self.first_response().into(),
        }
    }

    /// The first step of the playbook, as a sentence.
    fn first_response(&self) -> String {
        let steps = self.document.playbooks.iter().flat_map(|playbook| &playbook.value.steps);
        let sentence = |step: &crate::document::blocks::PlaybookStep| match &step.note {
            Some(note) => format!("{}: {}", step.action, note.trim()),
            None => step.action.clone(),
        };
        steps.into_iter().next().map(sentence).unwrap_or_default()
    }
}

/// Loads `documents`, each a path and its text.
///
/// All that is wrong in any of them comes back at once; those that can run come back in the order given.
/// A document that is incomplete but can run does.
pub fn load(documents: &[(String, String)]) -> (Vec<Strategy>, Vec<Diagnostic>) {
    read(documents, |_| {})
}

/// As [`load`], without tests and emulations: for whoever only runs them. Each document's are let go before the next one
/// is read.
pub fn load_to_run(documents: &[(String, String)]) -> (Vec<Strategy>, Vec<Diagnostic>) {
    read(documents, |document| {
        document.tests = Vec::new();
        document.emulations = Vec::new();
    })
}

fn read(documents: &[(String, String)], lighten: impl Fn(&mut Document)) -> (Vec<Strategy>, Vec<Diagnostic>) {
    let mut strategies = Vec::new();
    let mut diagnostics = Vec::new();
    let mut owners: HashMap<String, &str> = HashMap::new();
    for (path, text) in documents {
        let source = Source::new(path, text);
        let (mut document, mut found) = lint::examine(&source);
        lighten(&mut document);
        found.extend(duplicates(&document, &source, &mut owners));
        let breaks = |diagnostic: &Diagnostic| {
            diagnostic.severity == Severity::Error && diagnostic.code.breaks == Breaks::Strategy
        };
        if let Some(front) = document.front.clone()
            && !found.iter().any(breaks)
        {
            let front = front.value;
            strategies.push(Strategy { path: path.clone(), text: text.clone(), front, document });
        }
        diagnostics.append(&mut found);
    }
    (strategies, diagnostics)
}

/// Reports ids and slugs that an earlier document has.
fn duplicates<'d>(
    document: &Document,
    source: &Source<'d>,
    owners: &mut HashMap<String, &'d str>,
) -> Vec<Diagnostic> {
    let mut used = Vec::new();
    if let (Some(front), Some(node)) = (&document.front, &document.front_node) {
        used.push((format!("id {}", front.value.id), place(node, "id")));
        used.push((format!("slug {}", front.value.slug), place(node, "slug")));
    }
    for head in document.items.iter().map(crate::sigma::Item::head) {
        used.extend(head.id.as_ref().map(|id| (format!("id {id}"), head.span)));
    }
    let mut found = Vec::new();
    for (word, span) in used {
        match owners.get(&word) {
            Some(owner) if *owner != source.path => {
                let problem =
                    Problem::new(codes::DUPLICATE, span, format!("the {word} is used by {owner} too"));
                found.push(Diagnostic::new(problem, source));
            }
            _ => {
                owners.insert(word, source.path);
            }
        }
    }
    found
}
