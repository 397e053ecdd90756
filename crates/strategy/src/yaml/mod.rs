//! YAML to a tree in which every key and value knows its place in the document.
//!
//! In: a [`Fragment`]. Out: one [`Node`] per YAML document. Left out on purpose: anchors, aliases, merge
//! keys and tags (a strategy must read the same to a person as to the program), and keys that are not
//! scalars. Duplicate keys are refused. Plain scalars follow the core schema of YAML 1.2.2, §10.3.2;
//! they are resolved when they are used, so that `version: 1.10` read as text is "1.10".

mod decode;
mod scalar;

use std::collections::HashSet;

use granit_parser::{Event, Parser, ScalarStyle, Span as Marks};

pub use decode::decode;
pub use scalar::{Number, Resolved, Scalar};

use crate::diagnostic::{Problem, codes};
use crate::source::{Fragment, Span};

/// Longest YAML text that is read.
pub const TEXT_LIMIT_BYTES: usize = 1 << 20;
/// Deepest nesting of lists and maps.
pub const DEPTH_LIMIT: usize = 64;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Place in the document.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, number, boolean or null.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order of the text.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Place in the document.
    pub span: Span,
}

impl Node {
    /// The value of `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Node> {
        self.mapping()?.iter().find(|(name, _)| name.text == key).map(|(_, node)| node)
    }

    /// The entries, if this is a map.
    pub fn mapping(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar, if this is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| scalar.resolve() != Resolved::Null).map(|scalar| scalar.text.as_str())
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
            Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => "nothing",
                Resolved::Bool(_) => "a boolean",
                Resolved::Number(_) => "a number",
                Resolved::Text(_) => "text",
            },
        }
    }
}

/// Reads all documents of `fragment`.
///
/// # Errors
/// The first syntax error, or each duplicate key. An empty text is no document and no error.
pub fn parse(fragment: &Fragment) -> Result<Vec<Node>, Vec<Problem>> {
    if fragment.text.len() > TEXT_LIMIT_BYTES {
        let message = format!("YAML of {} bytes, more than {TEXT_LIMIT_BYTES}", fragment.text.len());
        return Err(vec![Problem::new(codes::YAML, fragment.span(0..1), message)]);
    }
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.disallow_directives = true;
    options.flow_nesting_limit = DEPTH_LIMIT;
    options.block_nesting_limit = DEPTH_LIMIT;
    let events = Parser::new_from_str_with_options(&fragment.text, options);
    let mut builder = Builder { fragment, open: Vec::new(), documents: Vec::new(), problems: Vec::new() };
    for next in events {
        let step = match next {
            Ok((event, marks)) => builder.accept(event, &marks),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(fragment.text.len());
                Err(Problem::new(codes::YAML, fragment.span(at..at), error.info()))
            }
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            break;
        }
    }
    if builder.problems.is_empty() { Ok(builder.documents) } else { Err(builder.problems) }
}

/// Builds nodes from parser events without recursion.
struct Builder<'a> {
    fragment: &'a Fragment,
    open: Vec<Open>,
    documents: Vec<Node>,
    problems: Vec<Problem>,
}

/// A list or map whose end has not been seen.
enum Open {
    Sequence { start: usize, items: Vec<Node> },
    Mapping { start: usize, entries: Vec<(Key, Node)>, seen: Seen, key: Option<Key> },
}

/// The keys of a map that has so many that they are not looked through one by one.
#[derive(Default)]
struct Seen(HashSet<String>);

impl Seen {
    /// Keys that are looked through.
    const FEW: usize = 16;

    /// Whether none of `entries` has the key `text`, which is the next.
    fn is_new(&mut self, text: &str, entries: &[(Key, Node)]) -> bool {
        if entries.len() < Self::FEW {
            return entries.iter().all(|(key, _)| key.text != text);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|(key, _)| key.text.clone()));
        }
        self.0.insert(text.to_owned())
    }
}

impl Builder<'_> {
    fn accept(&mut self, event: Event<'_>, marks: &Marks) -> Result<(), Problem> {
        let start = marks.start.byte_offset().unwrap_or(0);
        let end = marks.end.byte_offset().unwrap_or(start);
        let span = self.fragment.span(start..end);
        match event {
            Event::Scalar(_, _, anchor, tag) if anchor != 0 || tag.is_some() => Err(no_references(span)),
            Event::Scalar(text, style, ..) => {
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.value(Node { span, value: Value::Scalar(scalar) })
            }
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag)
                if anchor != 0 || tag.is_some() =>
            {
                Err(no_references(span))
            }
            Event::SequenceStart(..) => self.open(Open::Sequence { start, items: Vec::new() }, span),
            Event::MappingStart(..) => self
                .open(Open::Mapping { start, entries: Vec::new(), seen: Seen::default(), key: None }, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(no_references(span)),
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, span: Span) -> Result<(), Problem> {
        if let Some(Open::Mapping { key: None, .. }) = self.open.last() {
            return Err(Problem::new(codes::YAML, span, "a key that is a list or a map"));
        }
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Problem::new(codes::YAML, span, format!("nesting deeper than {DEPTH_LIMIT}")));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Problem> {
        let (start, value) = match self.open.pop() {
            Some(Open::Sequence { start, items }) => (start, Value::Sequence(items)),
            Some(Open::Mapping { start, entries, .. }) => (start, Value::Mapping(entries)),
            None => return Ok(()),
        };
        self.value(Node { span: self.fragment.span(start..end.max(start)), value })
    }

    fn value(&mut self, node: Node) -> Result<(), Problem> {
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key: key @ Some(_), .. }) => {
                entries.extend(key.take().map(|key| (key, node)));
            }
            Some(Open::Mapping { entries, seen, key, .. }) => {
                let Value::Scalar(scalar) = node.value else {
                    return Err(Problem::new(codes::YAML, node.span, "a key that is a list or a map"));
                };
                if !seen.is_new(&scalar.text, entries) {
                    let message = format!("the key `{}` is written twice", scalar.text);
                    self.problems.push(Problem::new(codes::YAML_DUPLICATE_KEY, node.span, message));
                }
                *key = Some(Key { text: scalar.text, span: node.span });
            }
        }
        Ok(())
    }
}

fn no_references(span: Span) -> Problem {
    Problem::new(codes::YAML, span, "an anchor, alias or tag")
        .with_hint("write the value out: a strategy reads the same to a person as to the program")
}

#[cfg(test)]
mod tests;
