//! Macros, lists and exceptions written out.
//!
//! In: items of all files. Out: rules whose conditions stand for themselves, and what is wrong with the others. A rule
//! may come to [`RULE_LIMIT`] checks and values, all rules to [`ALL_LIMIT`]: macros that double themselves end there.

use super::collect::{Collected, Exception, Written};
use super::exception;
use super::expression::{Expression, Right, Value};
use super::field::{self, Known};
use super::parse::{self, Misfit};
use super::text::Text;
use super::{Finding, Input, Rule, RuleSet};
use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::suggest;
use std::collections::BTreeMap;

/// Most checks and values of one condition.
const RULE_LIMIT: usize = 50_000;
/// Most checks and values of all conditions.
const ALL_LIMIT: usize = 300_000;
/// Unknown names of one rule that are told.
const NAMES_TOLD: usize = 20;
/// Findings to which the nearest known word is looked for: it costs a comparison with all of them.
const HINTS_GIVEN: usize = 100;
/// Deepest nesting of a condition that is written out, and of macros and lists in each other.
const NESTING_LIMIT: usize = 200;

/// Makes rules of what was collected.
pub(super) fn rules(mut collected: Collected, files: &[Input<'_>]) -> RuleSet {
    let written = std::mem::take(&mut collected.rules);
    let mut expander =
        Expander { files, macros: vec![State::Unread; collected.macros.len()], collected, left: ALL_LIMIT };
    for at in 0..expander.macros.len() {
        // Wrong macros are told even where no rule uses them.
        let _ = expander.macro_body(at, 0);
    }
    let rules = written.into_iter().filter_map(|rule| expander.rule(rule)).collect();
    let Collected { errors, warnings, .. } = expander.collected;
    RuleSet { rules, errors, warnings }
}

/// How far a macro is.
#[derive(Clone, Debug)]
enum State {
    Unread,
    /// It is being written out: whoever needs it now goes round in a circle.
    Open,
    Ready(Expression),
    /// What is wrong with it was told.
    Wrong,
}

struct Expander<'f> {
    files: &'f [Input<'f>],
    collected: Collected,
    macros: Vec<State>,
    left: usize,
}

impl Expander<'_> {
    fn rule(&mut self, rule: Written) -> Option<Rule> {
        let title = format!("rule `{}`", rule.name);
        let condition = self.condition(&title, &rule.condition, usize::MAX, 0)?;
        let mut parts = vec![condition];
        for exception in &rule.exceptions {
            if let Some(silence) = self.exception(&title, exception, &rule.source)? {
                parts.push(Expression::Not(Box::new(silence)));
            }
        }
        let condition = if parts.len() > 1 { Expression::And(parts) } else { parts.pop()? };
        let fields = self.check_fields(&title, &rule, &condition);
        let output = self.check_output(&title, &rule);
        if !(fields && output) {
            return None;
        }
        let Written { name, desc, output, priority, source, tags, enabled, file, span, .. } = rule;
        Some(Rule { name, desc, condition, output, priority, source, tags, enabled, file, span })
    }

    /// The condition `text`, written out; it sees the macros that were first written before `visibility`.
    fn condition(&mut self, title: &str, text: &Text, visibility: usize, depth: usize) -> Option<Expression> {
        let limit = RULE_LIMIT.min(self.left);
        let mut budget = limit;
        let read = match parse::parse(&text.text) {
            Ok(tree) => self.written_out(&tree, visibility, depth, &mut budget),
            Err(misfit) => Err(misfit),
        };
        self.left = self.left.saturating_sub(limit - budget);
        match read {
            Ok(tree) => Some(tree),
            Err(misfit) => {
                let (file, span) = text.place(misfit.at, self.files);
                self.refuse(file, span, format!("{title}: condition: {}", misfit.message));
                None
            }
        }
    }

    fn exception(&mut self, title: &str, exception: &Exception, source: &str) -> Option<Option<Expression>> {
        let refused = |own: &mut Self, message: String| {
            let message = format!("{title}: exception `{}`: {message}", exception.name);
            own.refuse(exception.file, exception.span, message);
        };
        let text = match exception::condition(exception, source) {
            Ok(Some(text)) => text,
            Ok(None) => return Some(None),
            Err(message) => {
                refused(self, message);
                return None;
            }
        };
        let limit = RULE_LIMIT.min(self.left);
        let mut budget = limit;
        let read = parse::parse(&text).and_then(|tree| self.written_out(&tree, usize::MAX, 0, &mut budget));
        self.left = self.left.saturating_sub(limit - budget);
        match read {
            Ok(tree) => Some(Some(tree)),
            Err(misfit) => {
                refused(self, misfit.message);
                None
            }
        }
    }

    fn macro_body(&mut self, at: usize, depth: usize) -> Result<Expression, Option<String>> {
        match self.macros.get(at) {
            Some(State::Ready(body)) => return Ok(body.clone()),
            Some(State::Wrong) | None => return Err(None),
            Some(State::Open) => return Err(Some("leads back to itself".to_owned())),
            Some(State::Unread) if depth > NESTING_LIMIT => {
                return Err(Some(format!("lies deeper than {NESTING_LIMIT} macros")));
            }
            Some(State::Unread) => {}
        }
        let Some(written) = self.collected.macros.get(at).cloned() else { return Err(None) };
        self.set(at, State::Open);
        let title = format!("macro `{}`", written.name);
        let body = self.condition(&title, &written.condition, written.visibility, depth + 1);
        self.set(at, body.clone().map_or(State::Wrong, State::Ready));
        body.ok_or(None)
    }

    fn set(&mut self, at: usize, state: State) {
        if let Some(slot) = self.macros.get_mut(at) {
            *slot = state;
        }
    }

    fn written_out(
        &mut self,
        tree: &Expression,
        visibility: usize,
        depth: usize,
        budget: &mut usize,
    ) -> Result<Expression, Misfit> {
        let depth = depth + 1;
        if depth > NESTING_LIMIT {
            return Err(Misfit {
                at: 0,
                message: format!("nested deeper than {NESTING_LIMIT}, written out"),
            });
        }
        let mut all = |own: &mut Self, parts: &[Expression]| -> Result<Vec<_>, Misfit> {
            parts.iter().map(|part| own.written_out(part, visibility, depth, budget)).collect()
        };
        Ok(match tree {
            Expression::And(parts) => Expression::And(all(self, parts)?),
            Expression::Or(parts) => Expression::Or(all(self, parts)?),
            Expression::Not(part) => {
                Expression::Not(Box::new(self.written_out(part, visibility, depth, budget)?))
            }
            Expression::Macro(name, span) => self.of_macro(name, *span, (visibility, depth), budget)?,
            Expression::Check(check) => {
                let mut check = check.clone();
                check.right = self.right(check.right, check.span, budget)?;
                spend(budget, 1, check.span)?;
                Expression::Check(check)
            }
        })
    }

    fn of_macro(
        &mut self,
        name: &str,
        span: Span,
        (visibility, depth): (usize, usize),
        budget: &mut usize,
    ) -> Result<Expression, Misfit> {
        let because = |message: String| Misfit { at: span.start, message };
        let known = self.collected.macro_at(name);
        let visible =
            known.filter(|at| self.collected.macros.get(*at).is_some_and(|one| one.index < visibility));
        let Some(at) = visible else {
            let names = self.collected.macros.iter().map(|one| one.name.as_str());
            let hint = if self.gives_hints() { suggest::nearest(name, names) } else { None };
            return Err(because(match (known, hint) {
                (Some(_), _) => format!("macro `{name}` is written only later"),
                (None, Some(near)) => format!("macro `{name}` is not defined; did you mean `{near}`?"),
                (None, None) => format!("macro `{name}` is not defined"),
            }));
        };
        let body = self.macro_body(at, depth).map_err(|reason| match reason {
            Some(reason) => because(format!("macro `{name}` {reason}")),
            None => because(format!("macro `{name}` has an error")),
        })?;
        spend(budget, size(&body), span)?;
        if depth + nesting(&body) > NESTING_LIMIT {
            return Err(because(format!("nested deeper than {NESTING_LIMIT}, written out")));
        }
        Ok(body)
    }

    /// Lists among the values, written out.
    fn right(&self, right: Right, span: Span, budget: &mut usize) -> Result<Right, Misfit> {
        let because = |message| Misfit { at: span.start, message };
        match right {
            Right::List(quantifier, values) => {
                let mut items = Vec::with_capacity(values.len());
                for value in values {
                    self.item(value, 0, &mut items, budget, span)?;
                }
                Ok(Right::List(quantifier, items))
            }
            Right::Value(value) if value.bare && self.collected.list_named(&value.text).is_some() => {
                let (name, mut items) = (value.text.clone(), Vec::new());
                self.item(value, 0, &mut items, budget, span)?;
                match (items.pop(), items.is_empty()) {
                    (Some(only), true) => Ok(Right::Value(only)),
                    _ => Err(because(format!(
                        "list `{name}` stands where one value was expected; write `in ({name})`"
                    ))),
                }
            }
            other => Ok(other),
        }
    }

    fn item(
        &self,
        value: Value,
        depth: usize,
        items: &mut Vec<Value>,
        budget: &mut usize,
        span: Span,
    ) -> Result<(), Misfit> {
        let list = if value.bare { self.collected.list_named(&value.text) } else { None };
        spend(budget, 1, span)?;
        let Some(list) = list else {
            items.push(value);
            return Ok(());
        };
        if depth >= NESTING_LIMIT {
            let message = format!("list `{}` leads back to itself, or lies too deep", list.name);
            return Err(Misfit { at: span.start, message });
        }
        for item in &list.items {
            // An item that is its own list's name stands for itself, as in Falco.
            let value =
                if *item == list.name { Value { text: item.clone(), bare: false } } else { unquoted(item) };
            self.item(value, depth + 1, items, budget, span)?;
        }
        Ok(())
    }

    /// Whether all fields of the condition are known.
    fn check_fields(&mut self, title: &str, rule: &Written, condition: &Expression) -> bool {
        let mut unknown: BTreeMap<String, Known> = BTreeMap::new();
        condition.for_each_field(&mut |name, _| {
            let known = field::known(&rule.source, name);
            if known != Known::Yes && unknown.len() < NAMES_TOLD && !unknown.contains_key(name) {
                unknown.insert(name.to_owned(), known);
            }
        });
        let mut fits = true;
        for (name, known) in unknown {
            let near = if self.gives_hints() { field::nearest(&name) } else { None };
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let problem = Problem::new(
                codes::FIELD_UNKNOWN,
                rule.span,
                format!("{title}: `{name}` is no field of Falco"),
            )
            .with_hint_if(hint);
            match known {
                Known::No if !rule.skips_unknown => {
                    self.collected.error(rule.file, problem);
                    fits = false;
                }
                Known::No => {
                    self.collected.warn(rule.file, problem);
                    fits = false;
                }
                _ => self.collected.warn(rule.file, problem),
            }
        }
        fits
    }

    /// Whether the output names fields only.
    fn check_output(&mut self, title: &str, rule: &Written) -> bool {
        let mut fits = true;
        for name in field::of_output(&rule.output) {
            if !field::begins_with_field(&rule.source, name) {
                let message = format!("{title}: output names `%{name}`, which is no field");
                if rule.skips_unknown {
                    self.collected.warn(rule.file, Problem::new(codes::FIELD_UNKNOWN, rule.span, message));
                } else {
                    self.refuse(rule.file, rule.span, message);
                }
                fits = false;
            }
        }
        fits
    }

    fn gives_hints(&self) -> bool {
        self.collected.errors.len() + self.collected.warnings.len() < HINTS_GIVEN
    }

    fn refuse(&mut self, file: usize, span: Span, message: String) {
        let problem = Problem::new(codes::CONDITION, span, message);
        self.collected.errors.push(Finding { file, problem });
    }
}

fn spend(budget: &mut usize, cost: usize, span: Span) -> Result<(), Misfit> {
    match budget.checked_sub(cost) {
        Some(left) => {
            *budget = left;
            Ok(())
        }
        None => {
            let message = format!("comes to more than {RULE_LIMIT} checks and values, written out");
            Err(Misfit { at: span.start, message })
        }
    }
}

/// How deep a condition is nested.
fn nesting(tree: &Expression) -> usize {
    match tree {
        Expression::And(parts) | Expression::Or(parts) => parts.iter().map(nesting).max().unwrap_or(0) + 1,
        Expression::Not(part) => nesting(part) + 1,
        Expression::Check(_) | Expression::Macro(..) => 1,
    }
}

/// Checks and values of a condition.
fn size(tree: &Expression) -> usize {
    let mut size = 0;
    tree.for_each_check(&mut |check| {
        size += 1;
        if let Right::List(_, values) = &check.right {
            size += values.len();
        }
    });
    size
}

/// An item of a list: quotation marks of its own are not part of it.
fn unquoted(item: &str) -> Value {
    for mark in ['"', '\''] {
        if let Some(inner) = item.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark)) {
            return Value { text: inner.to_owned(), bare: false };
        }
    }
    Value { text: item.to_owned(), bare: true }
}
