//! The sentence of an alert: what was observed and what was expected.
//!
//! In: the rule's templates, and a judgement. Out: `{observed}; expected: {expected}` with the values of fields in the
//! place of their names. A value is never read as a template. Text of an attacker stays as it is: outputs escape it.

use crate::cut::cut;
use crate::error::Fault;
use crate::judge::Judgement;
use crate::rule;
use event::Field;
use strategy::sigma::{Template, TemplatePart};

/// Longest value in a sentence.
const VALUE_LIMIT_BYTES: usize = 256;
/// Longest sentence.
const MESSAGE_LIMIT_BYTES: usize = 2048;
/// What stands where the event has no value.
const NOTHING: &str = "(unknown)";

/// The templates of a rule, with their fields found.
#[derive(Debug)]
pub(crate) struct Message {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Field(Field),
    /// `{count}`: what a correlation counted.
    Count,
}

impl Message {
    /// Reads the templates; a rule without them is told by its title.
    pub(crate) fn new(
        title: &str,
        observed: Option<&Template>,
        expected: Option<&Template>,
    ) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        match observed {
            Some(template) => read(template, &mut parts)?,
            None => parts.push(Part::Text(title.to_owned())),
        }
        if let Some(template) = expected {
            parts.push(Part::Text("; expected: ".to_owned()));
            read(template, &mut parts)?;
        }
        Ok(Self { parts })
    }

    /// The fields that it names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(*field),
            _ => None,
        })
    }

    /// The sentence for `judgement`.
    pub(crate) fn render(&self, judgement: &Judgement) -> String {
        let mut sentence = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => sentence.push_str(text),
                Part::Count => sentence.push_str(&judgement.count.to_string()),
                Part::Field(field) => {
                    let value = field.of(&judgement.event).to_text();
                    let value = if value.is_empty() { NOTHING } else { &value };
                    push_cut(&mut sentence, value, VALUE_LIMIT_BYTES);
                }
            }
        }
        if sentence.len() > MESSAGE_LIMIT_BYTES {
            let mut cut = String::new();
            push_cut(&mut cut, &sentence, MESSAGE_LIMIT_BYTES);
            return cut;
        }
        sentence
    }
}

fn read(template: &Template, parts: &mut Vec<Part>) -> Result<(), Fault> {
    for part in &template.parts {
        parts.push(match part {
            TemplatePart::Text(text) => Part::Text(text.clone()),
            TemplatePart::Field(name) if name == "count" => Part::Count,
            TemplatePart::Field(name) => {
                Part::Field(rule::field(name).map_err(|_| Fault::UnknownPlaceholder(name.clone()))?)
            }
        });
    }
    Ok(())
}

/// Appends at most `limit` bytes of `text`, whole characters, and `…` where something is missing.
fn push_cut(sentence: &mut String, text: &str, limit: usize) {
    if text.len() <= limit {
        return sentence.push_str(text);
    }
    sentence.push_str(cut(text, limit));
    sentence.push('…');
}
