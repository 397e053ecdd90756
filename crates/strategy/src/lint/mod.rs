//! What a document lacks: checks of what was read, each part by itself and all parts together.
//!
//! In: a [`Document`]. Out: every problem at once. Form (YAML, blocks, rules) was checked when it was read.

mod attack;
mod content;
mod negation;
mod rules;
mod sections;
mod signals;

use crate::diagnostic::{Diagnostic, Problem};
use crate::document::Document;
use crate::source::Source;

/// Everything that is wrong with one document, in the order of the text.
///
/// ```
/// let found = strategy::lint::lint("a.md", "# A strategy\n");
/// assert_eq!(found[0].code.id, "WK0101");
/// ```
pub fn lint(path: &str, text: &str) -> Vec<Diagnostic> {
    examine(&Source::new(path, text)).1
}

/// The document and everything that is wrong with it, in the order of the text.
pub(crate) fn examine(source: &Source<'_>) -> (Document, Vec<Diagnostic>) {
    let mut problems: Vec<Problem> = Vec::new();
    let document = Document::read(source, &mut problems);
    if !document.sections.is_empty() || document.front.is_some() || !source.text.is_empty() {
        sections::check(&document, &mut problems);
        attack::check(&document, source, &mut problems);
        rules::check(&document, &mut problems);
        signals::check(&document, &mut problems);
        content::check(&document, &mut problems);
    }
    problems.sort_by_key(|problem| (problem.span.start, problem.code.id));
    let found = problems.into_iter().map(|problem| Diagnostic::new(problem, source)).collect();
    (document, found)
}

#[cfg(test)]
mod tests;
