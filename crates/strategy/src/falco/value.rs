//! Values of items: texts, lists, truth values, each with what is wrong with it.

use super::collect::Entry;
use super::item::Reader;
use super::text::Text;
use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Node, Value};

impl Reader<'_> {
    pub(super) fn entry(&mut self, node: &Node) -> Option<Entry> {
        match &node.value {
            Value::Sequence(items) => {
                Some(Entry::Many(items.iter().filter_map(|item| self.entry(item)).collect()))
            }
            _ => match node.text().filter(|text| !text.is_empty()) {
                Some(text) => Some(Entry::One(text.to_owned())),
                None => {
                    self.error(node.span, format!("{} where a text or a list was expected", node.kind()));
                    None
                }
            },
        }
    }

    /// The name of an item, whose keys must be among `known`.
    pub(super) fn name(&mut self, node: &Node, kind: &str, known: &[&str]) -> Option<String> {
        kind.clone_into(&mut self.item);
        let name = self.text(node, kind)?;
        self.item = format!("{kind} `{name}`");
        self.known_keys(node, known);
        Some(name)
    }

    pub(super) fn known_keys(&mut self, node: &Node, known: &[&str]) {
        for (key, _) in node.mapping().unwrap_or_default() {
            if !known.contains(&key.text.as_str()) {
                let hint = suggest::hint(&key.text, known.iter().copied());
                let problem = Problem::new(codes::RULE, key.span, format!("unknown key `{}`", key.text));
                self.problem(problem.with_hint_if(hint));
            }
        }
    }

    pub(super) fn condition(&mut self, node: &Node) -> Option<Text> {
        let text = self.text(node, "condition")?;
        let span = node.entry("condition").map_or(node.span, |node| node.span);
        Some(Text::new(&text, self.file, span))
    }

    /// A text that must be there, and not empty.
    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let Some(value) = node.entry(key) else {
            self.error(node.span, format!("`{key}` is missing"));
            return None;
        };
        match value.text() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.error(value.span, format!("`{key}` is empty"));
                None
            }
            None if value.scalar().is_some() => {
                self.error(value.span, format!("`{key}` is empty"));
                None
            }
            None => {
                self.error(value.span, format!("`{key}` is {} where text was expected", value.kind()));
                None
            }
        }
    }

    pub(super) fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        let Some(items) = node.sequence() else {
            self.error(node.span, format!("`{key}` is {} where a list was expected", node.kind()));
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.scalar() {
                // `null` is a word like others in a list.
                Some(scalar) => texts.push(scalar.text.clone()),
                None => self.error(item.span, format!("{} in `{key}` where text was expected", item.kind())),
            }
        }
        texts
    }

    pub(super) fn flag(&mut self, node: &Node, key: &str) -> Option<bool> {
        let value = node.entry(key)?;
        match value.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on" | "y") => Some(true),
            Some("false" | "no" | "off" | "n") => Some(false),
            _ => {
                self.error(value.span, format!("`{key}` is neither true nor false"));
                None
            }
        }
    }

    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.problem(Problem::new(codes::RULE, span, message));
    }

    pub(super) fn problem(&mut self, mut problem: Problem) {
        self.has_failed = true;
        if !self.item.is_empty() {
            problem.message = format!("{}: {}", self.item, problem.message);
        }
        self.out.error(self.file, problem);
    }
}
