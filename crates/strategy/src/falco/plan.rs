//! What a condition asks of events: the tree from which programs are made.
//!
//! In: an [`Expression`] and [`Fields`], which says what a field is. Out: a [`Plan`], in which what is always so is left
//! out, and what has no counterpart is named. How Falco compares: letters mind their case; a field that is not there
//! fits no comparison, not even `!=`, so that only `not` holds without it.

use super::expression::{Check, Expression, Operand, Operator, Quantifier, Right, Transformer, Value};
use super::matcher::matchers;
use super::{glob, lex};
use crate::sigma::Matcher;
use crate::yaml::Number;

/// A condition over fields of the kind `F`.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan<F> {
    /// Always, or never.
    Always(bool),
    /// All of these.
    And(Vec<Plan<F>>),
    /// Any of these.
    Or(Vec<Plan<F>>),
    /// Exactly one of these.
    One(Vec<Plan<F>>),
    /// Not this.
    Not(Box<Plan<F>>),
    /// The field has a value that one of the matchers fits.
    Ask(F, Vec<Matcher>),
    /// The field has values, and each fits one of the matchers.
    Every(F, Vec<Matcher>),
    /// The field is there, and not null.
    Here(F),
    /// The field is a number that, masked, is one of these.
    Bits(F, u64, Vec<u64>),
    /// What is computed has a value that one of the matchers fits; without matchers: it is there.
    Computed(Computed<F>, Vec<Matcher>),
    /// Two values of the event compare so.
    Related(Computed<F>, Operator, Computed<F>),
    /// Something for which there is no counterpart.
    Missing(String),
}

/// A value that is made of fields.
#[derive(Clone, Debug, PartialEq)]
pub enum Computed<F> {
    /// The field itself.
    Field(F),
    /// This text.
    Text(String),
    /// These values.
    List(Vec<Computed<F>>),
    /// What a transformer makes of these.
    Call(Transformer, Vec<Computed<F>>),
    /// What precedes the first blank of a command line: the name that the program was called by.
    Called(F),
    /// What follows the first blank of a command line: its arguments.
    Arguments(F),
    /// A command line whose first word is replaced by a name: what Falco calls one.
    CommandLine {
        /// The name.
        name: F,
        /// The command line.
        line: F,
    },
    /// What precedes the last `/`: `/` for a file of the root.
    Directory(F),
    /// The member at this place, from 0.
    Nth(F, usize),
    /// The first that is there.
    Either(Vec<Computed<F>>),
}

/// What a field stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning<F> {
    /// This value.
    Value(Computed<F>, Kind),
    /// One of these values, each where its condition holds: `fd.ip` is either end.
    Any(Vec<(Plan<F>, Computed<F>)>, Kind),
    /// Events of this kind never have it.
    Never,
    /// It has no counterpart, for this reason.
    Missing(String),
}

/// Of what kind values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Numbers.
    Number,
    /// `true` or `false`.
    Bool,
    /// An address; `=` and `in` compare with addresses and blocks.
    Address,
    /// Several texts.
    List,
    /// Whatever the event has.
    Unknown,
}

/// What fields mean in one kind of events.
pub trait Fields {
    /// A field.
    type Field: Clone;
    /// What `name` means.
    fn field(&self, name: &str, argument: Option<&str>) -> Meaning<Self::Field>;
    /// What a whole check means, where it is a case of its own.
    fn special(&self, check: &Check) -> Option<Plan<Self::Field>>;
}

/// The plan of a condition.
///
/// # Errors
/// The first check that cannot run on any event, with the reason.
pub fn plan<S: Fields>(tree: &Expression, fields: &S) -> Result<Plan<S::Field>, String> {
    Ok(match tree {
        Expression::And(parts) => {
            Plan::all(parts.iter().map(|part| plan(part, fields)).collect::<Result<_, _>>()?)
        }
        Expression::Or(parts) => {
            Plan::any(parts.iter().map(|part| plan(part, fields)).collect::<Result<_, _>>()?)
        }
        Expression::Not(part) => Plan::negated(plan(part, fields)?),
        Expression::Macro(name, _) => return Err(format!("macro `{name}` is not written out")),
        Expression::Check(check) => match &check.right {
            Right::List(quantifier, values) if *quantifier != Quantifier::Operator => {
                let each = values.iter().map(|value| {
                    simple(&Check { right: Right::Value(value.clone()), ..check.clone() }, fields)
                });
                quantified(*quantifier, each.collect::<Result<_, _>>()?)
            }
            _ => simple(check, fields)?,
        },
    })
}

/// A check without a quantifier.
fn simple<S: Fields>(check: &Check, fields: &S) -> Result<Plan<S::Field>, String> {
    match constant(check).or_else(|| fields.special(check)) {
        Some(plan) => Ok(plan),
        None => of_check(check, fields),
    }
}

/// `each` as `oneof`, `anyof` and `allof` say; of no values none is enough.
fn quantified<F>(quantifier: Quantifier, each: Vec<Plan<F>>) -> Plan<F> {
    match quantifier {
        _ if each.is_empty() => Plan::Always(false),
        Quantifier::AllOf => Plan::all(each),
        Quantifier::OneOf => Plan::One(each),
        Quantifier::AnyOf | Quantifier::Operator => Plan::any(each),
    }
}

impl<F> Plan<F> {
    /// All of `parts`.
    pub fn all(parts: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Always(true) => {}
                Self::Always(false) => return Self::Always(false),
                Self::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        single(kept, true, Self::And)
    }

    /// Any of `parts`.
    pub fn any(parts: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Always(false) => {}
                Self::Always(true) => return Self::Always(true),
                Self::Or(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        single(kept, false, Self::Or)
    }

    /// Not `part`.
    pub fn negated(part: Self) -> Self {
        match part {
            Self::Always(holds) => Self::Always(!holds),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// What has no counterpart, each once.
    pub fn missing(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_missing(&mut found);
        found.sort();
        found.dedup();
        found
    }

    fn collect_missing(&self, found: &mut Vec<String>) {
        match self {
            Self::And(parts) | Self::Or(parts) | Self::One(parts) => {
                parts.iter().for_each(|part| part.collect_missing(found));
            }
            Self::Not(part) => part.collect_missing(found),
            Self::Missing(what) => found.push(what.clone()),
            _ => {}
        }
    }
}

fn single<F>(mut parts: Vec<Plan<F>>, empty: bool, kind: fn(Vec<Plan<F>>) -> Plan<F>) -> Plan<F> {
    match parts.pop() {
        None => Plan::Always(empty),
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            kind(parts)
        }
    }
}

/// Checks that are so for every event: `evt.num` counts events from 1, their time is never 0, and each is the end of
/// its system call.
fn constant<F>(check: &Check) -> Option<Plan<F>> {
    let Operand::Field { name, argument: None } = &check.left else { return None };
    let value = match &check.right {
        Right::Value(value) => value.text.as_str(),
        Right::Nothing => "",
        _ => return None,
    };
    let holds = match (name.as_str(), check.operator) {
        ("evt.num" | "evt.rawtime" | "jevt.rawtime" | "evt.dir", Operator::Exists) => true,
        ("evt.dir", Operator::Eq) => value == "<",
        ("evt.dir", Operator::Neq) => value != "<",
        ("evt.num" | "evt.rawtime" | "jevt.rawtime", operator) => {
            let Some(Number::Integer(number)) = lex::number(value) else { return None };
            match (operator, number) {
                (Operator::Eq, ..=0) | (Operator::Lt, ..=1) | (Operator::Lte, ..=0) => false,
                (Operator::Neq, ..=0) | (Operator::Gte, ..=1) | (Operator::Gt, ..=0) => true,
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Plan::Always(holds))
}

fn of_check<S: Fields>(check: &Check, fields: &S) -> Result<Plan<S::Field>, String> {
    match meaning(&check.left, fields) {
        Meaning::Never => Ok(Plan::Always(false)),
        Meaning::Missing(what) => Ok(Plan::Missing(what)),
        Meaning::Value(value, kind) => compare(&value, kind, check.operator, &check.right, fields),
        Meaning::Any(values, kind) => {
            let each = |operator, right: &Right| -> Result<Plan<S::Field>, String> {
                let ways = values.iter().map(|(guard, value)| {
                    Ok(Plan::all(vec![guard.clone(), compare(value, kind, operator, right, fields)?]))
                });
                Ok(Plan::any(ways.collect::<Result<_, String>>()?))
            };
            match check.operator {
                Operator::Neq => {
                    let here = each(Operator::Exists, &Right::Nothing)?;
                    Ok(Plan::all(vec![here, Plan::negated(each(Operator::Eq, &check.right)?)]))
                }
                operator => each(operator, &check.right),
            }
        }
    }
}

/// What an operand of a check means.
fn meaning<S: Fields>(operand: &Operand, fields: &S) -> Meaning<S::Field> {
    match operand {
        Operand::Field { name, argument } => fields.field(name, argument.as_deref()),
        Operand::Text(text) => Meaning::Value(Computed::Text(text.clone()), Kind::Text),
        Operand::List(parts) => match values(parts, fields) {
            Ok(parts) => Meaning::Value(Computed::List(parts), Kind::List),
            Err(other) => other,
        },
        Operand::Call(transformer, parts) => match values(parts, fields) {
            Ok(parts) => {
                let kind = match transformer {
                    Transformer::Len => Kind::Number,
                    Transformer::Getopt => Kind::List,
                    _ => Kind::Text,
                };
                Meaning::Value(Computed::Call(*transformer, parts), kind)
            }
            Err(other) => other,
        },
    }
}

fn values<S: Fields>(parts: &[Operand], fields: &S) -> Result<Vec<Computed<S::Field>>, Meaning<S::Field>> {
    let value = |part: &Operand| match meaning(part, fields) {
        Meaning::Value(value, _) => Ok(value),
        Meaning::Any(values, _) => Ok(Computed::Either(values.into_iter().map(|(_, value)| value).collect())),
        other => Err(other),
    };
    parts.iter().map(value).collect()
}

fn compare<S: Fields>(
    value: &Computed<S::Field>,
    kind: Kind,
    operator: Operator,
    right: &Right,
    fields: &S,
) -> Result<Plan<S::Field>, String> {
    match right {
        Right::Nothing => Ok(here(value)),
        Right::Value(wanted) => one(value, kind, operator, wanted),
        Right::List(_, wanted) => many(value, kind, operator, wanted),
        Right::Operand(other) => {
            let dynamic = matches!(
                operator,
                Operator::Glob
                    | Operator::IGlob
                    | Operator::Regex
                    | Operator::PMatch
                    | Operator::BContains
                    | Operator::BStartsWith
            );
            if dynamic {
                return Err(format!("`{}` with another field", operator.as_str()));
            }
            match meaning(other, fields) {
                Meaning::Never => Ok(Plan::Always(false)),
                Meaning::Missing(what) => Ok(Plan::Missing(what)),
                Meaning::Value(other, _) => Ok(Plan::Related(value.clone(), operator, other)),
                Meaning::Any(others, _) => {
                    let others = others.into_iter().map(|(_, other)| other).collect();
                    Ok(Plan::Related(value.clone(), operator, Computed::Either(others)))
                }
            }
        }
    }
}

fn here<F: Clone>(value: &Computed<F>) -> Plan<F> {
    match value {
        Computed::Field(field) => Plan::Here(field.clone()),
        Computed::Text(_) => Plan::Always(true),
        other => Plan::Computed(other.clone(), Vec::new()),
    }
}

fn ask<F: Clone>(value: &Computed<F>, matchers: Vec<Matcher>) -> Plan<F> {
    match value {
        _ if matchers.is_empty() => Plan::Always(false),
        Computed::Field(field) => Plan::Ask(field.clone(), matchers),
        other => Plan::Computed(other.clone(), matchers),
    }
}

fn one<F: Clone>(
    value: &Computed<F>,
    kind: Kind,
    operator: Operator,
    wanted: &Value,
) -> Result<Plan<F>, String> {
    if operator == Operator::Neq {
        let equal = ask(value, matchers(Operator::Eq, &wanted.text, kind)?);
        return Ok(Plan::all(vec![here(value), Plan::negated(equal)]));
    }
    Ok(ask(value, matchers(operator, &wanted.text, kind)?))
}

fn many<F: Clone>(
    value: &Computed<F>,
    kind: Kind,
    operator: Operator,
    wanted: &[Value],
) -> Result<Plan<F>, String> {
    let mut all = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        match operator {
            Operator::PMatch => all.extend(glob::below(&wanted.text)),
            _ => all.extend(matchers(Operator::Eq, &wanted.text, kind)?),
        }
    }
    Ok(match (value, operator) {
        _ if all.is_empty() => Plan::Always(false),
        // Of several values all must be in the set.
        (Computed::Field(field), Operator::In) if matches!(kind, Kind::List | Kind::Unknown) => {
            Plan::Every(field.clone(), all)
        }
        _ => ask(value, all),
    })
}
