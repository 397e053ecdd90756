//! Message templates: text with `{field}` placeholders; `{{` and `}}` are braces.

use crate::diagnostic::{Problem, codes};
use crate::source::Span;

/// Longest template.
const LENGTH_LIMIT: usize = 1000;

/// A message to be filled in from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Place in the document.
    pub span: Span,
    /// The parts in order.
    pub parts: Vec<TemplatePart>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// This text.
    Text(String),
    /// The value of this field.
    Field(String),
}

impl Template {
    /// Reads a template that stands at `span`.
    ///
    /// # Errors
    /// A brace without its partner, an empty placeholder, or a text of more than 1000 bytes.
    pub fn parse(text: &str, span: Span) -> Result<Self, Problem> {
        let wrong = |message: &str| Problem::new(codes::RULE_MESSAGE, span, message);
        if text.trim().is_empty() || text.len() > LENGTH_LIMIT {
            return Err(wrong("a message is one sentence of at most 1000 bytes"));
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    literal.push(letter);
                }
                '}' => return Err(wrong("`}` without `{`")),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match letters.next() {
                            None | Some('{') => return Err(wrong("`{` without `}`")),
                            Some('}') => break,
                            Some(letter) => name.push(letter),
                        }
                    }
                    if name.trim().is_empty() {
                        return Err(wrong("an empty placeholder"));
                    }
                    if !literal.is_empty() {
                        parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(TemplatePart::Field(name.trim().to_owned()));
                }
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self { span, parts })
    }

    /// The fields that it names.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Field(name) => Some(name.as_str()),
            TemplatePart::Text(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_fields_and_double_braces_are_braces() {
        let template = Template::parse("{Image} spoke to {DestinationPort} {{x}}", Span::default()).unwrap();
        assert_eq!(template.fields().collect::<Vec<_>>(), ["Image", "DestinationPort"]);
        assert_eq!(template.parts.last().unwrap(), &TemplatePart::Text(" {x}".into()));
    }

    #[test]
    fn broken_templates_are_refused() {
        for text in ["", "{", "}", "{}", "a {b", "{a{b}}"] {
            assert!(Template::parse(text, Span::default()).is_err(), "{text}");
        }
    }
}
