//! Plans of Falco's conditions as detections of Sigma, where Sigma can say exactly the same.

use super::quoted;
use crate::falco::expression::Transformer;
use crate::falco::{Computed, Plan};
use crate::sigma::{Matcher, Order, Pattern, Segment};
use crate::yaml::Number;
use event::Field;
use std::collections::BTreeMap;

/// A detection section.
pub(super) struct Translation {
    /// The searches as YAML, indented by two.
    pub(super) searches: String,
    /// The condition.
    pub(super) condition: String,
}

/// The detection of `plan`.
///
/// # Errors
/// All that Sigma cannot say.
pub(super) fn detection(plan: &Plan<Field>) -> Result<Translation, Vec<String>> {
    let mut writer = Writer::default();
    let condition = writer.condition(plan);
    if !writer.reasons.is_empty() {
        return Err(writer.reasons);
    }
    Ok(Translation { searches: writer.searches, condition: condition.text })
}

#[derive(Default)]
struct Writer {
    searches: String,
    names: BTreeMap<String, String>,
    reasons: Vec<String>,
}

/// A part of a condition.
struct Part {
    text: String,
    /// Whether `and`, `or` or `not` stand in it outside of parentheses.
    is_joined: bool,
}

impl Part {
    fn closed(self) -> String {
        if self.is_joined { format!("({})", self.text) } else { self.text }
    }
}

impl Writer {
    fn condition(&mut self, plan: &Plan<Field>) -> Part {
        match plan {
            Plan::And(parts) => self.joined(parts, " and "),
            Plan::Or(parts) => self.joined(parts, " or "),
            Plan::Not(part) => {
                let part = self.condition(part).closed();
                Part { text: format!("not {part}"), is_joined: true }
            }
            Plan::Ask(field, matchers) => self.ask(*field, matchers),
            Plan::Here(field) => self.search(format!("{}|exists", field.name()), &["true".to_owned()]),
            Plan::Computed(value, matchers) => self.computed(value, matchers),
            Plan::Bits(field, ..) => self.cannot(format!("bits of `{}`", field.name())),
            Plan::Every(field, _) => {
                self.cannot(format!("that all values of `{}` are in a set", field.name()))
            }
            Plan::One(_) => self.cannot("that exactly one of several holds"),
            Plan::Related(..) => self.cannot("a comparison of values that are made of fields"),
            Plan::Always(_) => self.cannot("a condition that always holds"),
            Plan::Missing(what) => self.cannot(format!("`{what}`, which no sensor gives")),
        }
    }

    fn joined(&mut self, parts: &[Plan<Field>], word: &str) -> Part {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part).closed()).collect();
        Part { text: parts.join(word), is_joined: parts.len() > 1 }
    }

    fn cannot(&mut self, what: impl Into<String>) -> Part {
        let what = what.into();
        if !self.reasons.contains(&what) {
            self.reasons.push(what);
        }
        Part { text: String::new(), is_joined: false }
    }

    fn computed(&mut self, value: &Computed<Field>, matchers: &[Matcher]) -> Part {
        let literals = matchers.iter().map(|matcher| match matcher {
            Matcher::Pattern(pattern) if pattern.cased => Some(pattern),
            _ => None,
        });
        let patterns: Vec<&Pattern> = literals.flatten().collect();
        if patterns.is_empty() || patterns.len() != matchers.len() {
            return self.cannot(described(value));
        }
        match value {
            // The name of an absolute path is what follows its last `/`.
            Computed::Call(Transformer::Basename, values)
                if patterns.iter().all(|pattern| pattern.as_literal().is_some()) =>
            {
                let [Computed::Field(field)] = values.as_slice() else {
                    return self.cannot(described(value));
                };
                let names: Vec<String> = patterns
                    .iter()
                    .map(|pattern| quoted(&escaped(&format!("/{}", pattern.as_literal().unwrap_or("")))))
                    .collect();
                self.search(format!("{}|endswith|cased", field.name()), &names)
            }
            // After its first word a command line is the same in both, whatever the first word is.
            Computed::CommandLine { line, .. }
                if patterns.iter().all(|pattern| is_within_arguments(pattern)) =>
            {
                self.ask(*line, matchers)
            }
            other => self.cannot(described(other)),
        }
    }

    fn ask(&mut self, field: Field, matchers: &[Matcher]) -> Part {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for matcher in matchers {
            match written(field, matcher) {
                Some((key, value)) => by_key.entry(key).or_default().push(value),
                None => return self.cannot(format!("a comparison of `{}`", field.name())),
            }
        }
        let parts: Vec<String> =
            by_key.into_iter().map(|(key, values)| self.search(key, &values).text).collect();
        Part { text: parts.join(" or "), is_joined: parts.len() > 1 }
    }

    /// A search of one key; the same one is written once.
    fn search(&mut self, key: String, values: &[String]) -> Part {
        let body = match values {
            [one] => format!("    {key}: {one}\n"),
            all => {
                let items: String = all.iter().map(|value| format!("      - {value}\n")).collect();
                format!("    {key}:\n{items}")
            }
        };
        let next = format!("s{}", self.names.len() + 1);
        let name = match self.names.get(&body) {
            Some(name) => name.clone(),
            None => {
                self.searches.push_str(&format!("  {next}:\n{body}"));
                self.names.insert(body, next.clone());
                next
            }
        };
        Part { text: name, is_joined: false }
    }
}

fn described(value: &Computed<Field>) -> String {
    match value {
        Computed::Called(field) => format!("the first word of `{}`", field.name()),
        Computed::CommandLine { .. } | Computed::Arguments(_) => {
            "the command line as Falco writes it: the task's name in the place of the first argument"
                .to_owned()
        }
        Computed::Nth(field, place) => format!("item {place} of `{}`", field.name()),
        Computed::Directory(field) => format!("the directory of `{}`", field.name()),
        Computed::Call(transformer, values) => match values.as_slice() {
            [inner @ Computed::Nth(..)] => described(inner),
            _ => format!("the transformer `{}`", transformer.as_str()),
        },
        _ => "a value that is made of fields".to_owned(),
    }
}

fn is_within_arguments(pattern: &Pattern) -> bool {
    matches!(pattern.segments.as_slice(), [Segment::Any, Segment::Literal(text), Segment::Any] if text.starts_with(' '))
}

/// Key and value of a search that asks what `matcher` asks.
fn written(field: Field, matcher: &Matcher) -> Option<(String, String)> {
    let name = field.name();
    Some(match matcher {
        Matcher::Bool(flag) => (name.to_owned(), flag.to_string()),
        Matcher::Number(number) => (name.to_owned(), of_number(*number)),
        Matcher::Compare(order, number) => {
            let modifier = match order {
                Order::Lt => "lt",
                Order::Lte => "lte",
                Order::Gt => "gt",
                Order::Gte => "gte",
                Order::Eq | Order::Neq => return None,
            };
            (format!("{name}|{modifier}"), of_number(*number))
        }
        Matcher::Cidr(cidr) => (format!("{name}|cidr"), quoted(&format!("{}/{}", cidr.address, cidr.prefix))),
        Matcher::Regex(regex) => {
            let mut key = format!("{name}|re");
            for (is_on, modifier) in
                [(regex.ignore_case, "|i"), (regex.multi_line, "|m"), (regex.dot_all, "|s")]
            {
                key.push_str(if is_on { modifier } else { "" });
            }
            (key, quoted(&regex.source))
        }
        Matcher::Pattern(pattern) => of_pattern(name, pattern)?,
        _ => return None,
    })
}

fn of_pattern(name: &str, pattern: &Pattern) -> Option<(String, String)> {
    let cased = if pattern.cased { "|cased" } else { "" };
    let (modifier, text) = match pattern.segments.as_slice() {
        [Segment::Any, Segment::Literal(text), Segment::Any] => ("|contains", escaped(text)),
        [Segment::Literal(text), Segment::Any] => ("|startswith", escaped(text)),
        [Segment::Any, Segment::Literal(text)] => ("|endswith", escaped(text)),
        segments => {
            let mut text = String::new();
            for segment in segments {
                match segment {
                    Segment::Literal(literal) => text.push_str(&escaped(literal)),
                    Segment::Any => text.push('*'),
                    Segment::One => text.push('?'),
                    Segment::Dash | Segment::Placeholder(_) => return None,
                }
            }
            ("", text)
        }
    };
    Some((format!("{name}{modifier}{cased}"), quoted(&text)))
}

/// Text without wildcards, as Sigma writes it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

fn of_number(number: Number) -> String {
    match number {
        Number::Integer(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}
