//! Exceptions as conditions: `fields`, `comps` and `values` become text of the filter language, as Falco makes it.
//!
//! In: an exception. Out: the condition under which the rule stays silent, or what is wrong. What Falco would put into
//! the condition unquoted although it cannot stand there so (a `)` in a value) is quoted here.

use super::collect::{Entry, Exception};
use super::expression::{Operator, Quantifier};
use super::field::{self, Known};

/// The condition of `exception` of a rule for `source`; `None` where it has no values.
pub(super) fn condition(exception: &Exception, source: &str) -> Result<Option<String>, String> {
    let Some(fields) = &exception.fields else { return Err("`fields` is missing".to_owned()) };
    match fields {
        Entry::One(field) => single(exception, field, source),
        Entry::Many(fields) => several(exception, fields, source),
    }
}

fn single(exception: &Exception, field: &str, source: &str) -> Result<Option<String>, String> {
    check_field(field, source)?;
    let comp = match &exception.comps {
        None => "in",
        Some(Entry::One(comp)) => comp.trim(),
        Some(Entry::Many(_)) => return Err("`fields` is a text, so `comps` must be one".to_owned()),
    };
    let takes_list = match comparison(comp)? {
        (operator, None) => operator.takes_list(),
        (_, Some(_)) => true,
    };
    if !takes_list {
        return Err(format!(
            "`{comp}` does not compare with a list: in, pmatch, intersects or an operator with anyof"
        ));
    }
    let values: Vec<String> = exception.values.iter().map(text_of).collect::<Result<_, _>>()?;
    Ok((!values.is_empty()).then(|| format!("{field} {comp} ({})", values.join(", "))))
}

fn several(exception: &Exception, fields: &[Entry], source: &str) -> Result<Option<String>, String> {
    let names: Vec<&str> = fields.iter().map(plain).collect::<Result<_, _>>()?;
    let comps: Vec<&str> = match &exception.comps {
        None => vec!["="; names.len()],
        Some(Entry::Many(comps)) => comps.iter().map(plain).collect::<Result<_, _>>()?,
        Some(Entry::One(_)) => return Err("`fields` is a list, so `comps` must be one".to_owned()),
    };
    if names.len() != comps.len() {
        return Err(format!(
            "{} fields and {} comps: the lists must have equal length",
            names.len(),
            comps.len()
        ));
    }
    for comp in &comps {
        comparison(comp)?;
    }
    for name in &names {
        check_field(name, source)?;
    }
    let mut ways = Vec::with_capacity(exception.values.len());
    for row in &exception.values {
        let Entry::Many(values) = row else {
            return Err("`fields` is a list, so each of `values` must be one".to_owned());
        };
        if values.len() != names.len() {
            return Err(format!(
                "{} fields and {} values: the lists must have equal length",
                names.len(),
                values.len()
            ));
        }
        let mut checks = Vec::with_capacity(values.len());
        for ((name, comp), value) in names.iter().zip(&comps).zip(values) {
            checks.push(format!("{name} {comp} {}", right(comp, value)?));
        }
        ways.push(format!("({})", checks.join(" and ")));
    }
    Ok((!ways.is_empty()).then(|| ways.join(" or ")))
}

/// What stands right of `comp`.
fn right(comp: &str, value: &Entry) -> Result<String, String> {
    let (operator, quantifier) = comparison(comp)?;
    let takes_list = operator.takes_list() || quantifier.is_some();
    match value {
        Entry::Many(values) => {
            let values: Vec<String> = values.iter().map(text_of).collect::<Result<_, _>>()?;
            Ok(format!("({})", values.join(", ")))
        }
        // A list may be written out as in a condition.
        Entry::One(text) if takes_list && text.starts_with('(') => Ok(text.clone()),
        Entry::One(_) if takes_list => Ok(format!("({})", text_of(value)?)),
        Entry::One(_) => text_of(value),
    }
}

fn comparison(comp: &str) -> Result<(Operator, Option<Quantifier>), String> {
    let mut words = comp.split_whitespace();
    let operator = words.next().and_then(Operator::by_name).filter(|operator| *operator != Operator::Exists);
    let quantifier = words.next().map(Quantifier::by_name);
    match (operator, quantifier, words.next()) {
        (Some(operator), None, None) => Ok((operator, None)),
        (Some(operator), Some(Some(quantifier)), None) if operator.takes_quantifier() => {
            Ok((operator, Some(quantifier)))
        }
        _ => Err(format!("`{comp}` is no comparison operator")),
    }
}

fn check_field(text: &str, source: &str) -> Result<(), String> {
    let name = text.split('[').next().unwrap_or(text);
    // A transformer is looked at when the condition is read.
    if !text.contains('(') && field::known(source, name) == Known::No {
        return Err(format!("`{text}` is no field"));
    }
    Ok(())
}

fn plain(entry: &Entry) -> Result<&str, String> {
    match entry {
        Entry::One(text) => Ok(text.trim()),
        Entry::Many(_) => Err("a list where a text was expected".to_owned()),
    }
}

/// A value as it stands in a condition: quoted where it must be, and as it is where it brings its own quotation marks.
fn text_of(entry: &Entry) -> Result<String, String> {
    let Entry::One(text) = entry else { return Err("a list where a text was expected".to_owned()) };
    let is_quoted = |mark| text.len() > 1 && text.starts_with(mark) && text.ends_with(mark);
    let must = text.is_empty()
        || text.contains(|letter: char| letter.is_whitespace() || "()\"',=\\".contains(letter));
    if !must || is_quoted('"') || is_quoted('\'') {
        return Ok(text.clone());
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}
