//! Items of all files joined: later ones override earlier ones and append to them.
//!
//! In: items in their order. Out: one macro, list or rule per name. Each remembers when it was first written and when
//! last touched: a macro sees the macros that were first written before it was last touched, as in Falco.

use super::text::Text;
use super::{Finding, Priority};
use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use std::collections::HashMap;

/// All items.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) rules: Vec<Written>,
    pub(super) macros: Vec<Macro>,
    pub(super) lists: Vec<List>,
    pub(super) errors: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
    names: [HashMap<String, usize>; 3],
    next: usize,
}

/// A rule as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) condition: Text,
    pub(super) output: String,
    pub(super) desc: String,
    pub(super) priority: Priority,
    pub(super) source: String,
    pub(super) tags: Vec<String>,
    pub(super) enabled: bool,
    pub(super) skips_unknown: bool,
    pub(super) exceptions: Vec<Exception>,
    pub(super) file: usize,
    pub(super) span: Span,
}

/// What a later item says of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Update {
    pub(super) condition: Option<Text>,
    pub(super) output: Option<String>,
    pub(super) desc: Option<String>,
    pub(super) priority: Option<Priority>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) skips_unknown: Option<bool>,
    pub(super) exceptions: Option<Vec<Exception>>,
}

/// A named condition.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    pub(super) name: String,
    pub(super) condition: Text,
    pub(super) index: usize,
    pub(super) visibility: usize,
    pub(super) file: usize,
    pub(super) span: Span,
}

/// A named list.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) name: String,
    pub(super) items: Vec<String>,
    pub(super) index: usize,
    pub(super) visibility: usize,
    pub(super) file: usize,
    pub(super) span: Span,
}

/// A named silence within a rule.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub(super) name: String,
    pub(super) fields: Option<Entry>,
    pub(super) comps: Option<Entry>,
    pub(super) values: Vec<Entry>,
    pub(super) file: usize,
    pub(super) span: Span,
}

/// A text or a list of them.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    One(String),
    Many(Vec<Entry>),
}

/// Most tags and exceptions of a rule to which is appended.
const JOINED_LIMIT: usize = 5_000;
/// Places in `names`.
const RULES: usize = 0;
const MACROS: usize = 1;
const LISTS: usize = 2;

impl Collected {
    pub(super) fn warn(&mut self, file: usize, problem: Problem) {
        self.warnings.push(Finding { file, problem });
    }

    pub(super) fn error(&mut self, file: usize, problem: Problem) {
        self.errors.push(Finding { file, problem });
    }

    fn refuse(&mut self, file: usize, span: Span, message: String) {
        self.error(file, Problem::new(codes::RULE, span, message));
    }

    fn known(&self, kind: usize, name: &str) -> Option<usize> {
        self.names.get(kind)?.get(name).copied()
    }

    fn learn(&mut self, kind: usize, name: &str, at: usize) {
        if let Some(names) = self.names.get_mut(kind) {
            names.insert(name.to_owned(), at);
        }
    }

    fn tick(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// The list of this name.
    pub(super) fn list_named(&self, name: &str) -> Option<&List> {
        self.lists.get(self.known(LISTS, name)?)
    }

    /// The place of the macro of this name.
    pub(super) fn macro_at(&self, name: &str) -> Option<usize> {
        self.known(MACROS, name)
    }

    pub(super) fn list(&mut self, mut list: List, appends: bool) {
        let now = self.tick();
        let at = self.known(LISTS, &list.name);
        list.index = now;
        list.visibility = now;
        match at.and_then(|at| self.lists.get_mut(at)) {
            Some(known) if appends => {
                known.items.append(&mut list.items);
                known.visibility = now;
            }
            Some(known) => *known = List { index: known.index, ..list },
            None if appends => {
                let message = format!("list `{}` appends to a list that was not written before", list.name);
                self.refuse(list.file, list.span, message);
            }
            None => {
                self.learn(LISTS, &list.name, self.lists.len());
                self.lists.push(list);
            }
        }
    }

    pub(super) fn macro_item(&mut self, mut one: Macro, appends: bool) {
        let now = self.tick();
        let at = self.known(MACROS, &one.name);
        one.index = now;
        one.visibility = now;
        match at.and_then(|at| self.macros.get_mut(at)) {
            Some(known) if appends => {
                known.condition.append(one.condition);
                known.visibility = now;
            }
            Some(known) => *known = Macro { index: known.index, ..one },
            None if appends => {
                let message = format!("macro `{}` appends to a macro that was not written before", one.name);
                self.refuse(one.file, one.span, message);
            }
            None => {
                self.learn(MACROS, &one.name, self.macros.len());
                self.macros.push(one);
            }
        }
    }

    pub(super) fn rule(&mut self, rule: Written) {
        let at = self.known(RULES, &rule.name);
        match at.and_then(|at| self.rules.get_mut(at)) {
            Some(known) if known.source != rule.source => {
                let message = format!(
                    "rule `{}` was written for source `{}` before, and is for `{}` now",
                    rule.name, known.source, rule.source
                );
                self.refuse(rule.file, rule.span, message);
            }
            Some(known) => *known = rule,
            None => {
                self.learn(RULES, &rule.name, self.rules.len());
                self.rules.push(rule);
            }
        }
    }

    fn rule_named(&mut self, file: usize, span: Span, name: &str) -> Option<&mut Written> {
        let at = self.known(RULES, name);
        if at.is_none() {
            let message = format!("rule `{name}` changes a rule that was not written before");
            self.refuse(file, span, message);
        }
        self.rules.get_mut(at?)
    }

    pub(super) fn append(&mut self, file: usize, span: Span, name: &str, update: Update) {
        let is_empty = update.condition.is_none()
            && update.exceptions.is_none()
            && update.output.is_none()
            && update.desc.is_none()
            && update.tags.is_none();
        let Some(rule) = self.rule_named(file, span, name) else { return };
        if is_empty {
            return self.refuse(
                file,
                span,
                format!("rule `{name}` appends neither a condition nor exceptions"),
            );
        }
        if let Some(condition) = update.condition {
            rule.condition.append(condition);
        }
        for (own, more) in [(&mut rule.output, update.output), (&mut rule.desc, update.desc)] {
            if let Some(more) = more {
                own.push(' ');
                own.push_str(&more);
            }
        }
        for tag in update.tags.into_iter().flatten() {
            if !rule.tags.contains(&tag) {
                rule.tags.push(tag);
            }
        }
        let mut wrong = Vec::new();
        if rule.tags.len() + rule.exceptions.len() > JOINED_LIMIT {
            let message = format!("rule `{name}`: more than {JOINED_LIMIT} tags and exceptions");
            return self.refuse(file, span, message);
        }
        for exception in update.exceptions.into_iter().flatten() {
            let place = (exception.file, exception.span);
            if let Err(message) = append_exception(&mut rule.exceptions, exception) {
                wrong.push((place, format!("rule `{name}`: {message}")));
            }
        }
        for ((file, span), message) in wrong {
            self.refuse(file, span, message);
        }
    }

    pub(super) fn replace(&mut self, file: usize, span: Span, name: &str, update: Update) {
        let Some(rule) = self.rule_named(file, span, name) else { return };
        let Update { condition, output, desc, priority, tags, enabled, skips_unknown, exceptions } = update;
        set(&mut rule.condition, condition);
        set(&mut rule.output, output);
        set(&mut rule.desc, desc);
        set(&mut rule.priority, priority);
        set(&mut rule.tags, tags);
        set(&mut rule.enabled, enabled);
        set(&mut rule.skips_unknown, skips_unknown);
        set(&mut rule.exceptions, exceptions);
    }
}

fn set<T>(own: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *own = new;
    }
}

fn append_exception(known: &mut Vec<Exception>, mut exception: Exception) -> Result<(), String> {
    let name = &exception.name;
    match known.iter_mut().find(|one| one.name == *name) {
        Some(_) if exception.fields.is_some() || exception.comps.is_some() => {
            Err(format!("exception `{name}` is known: only `values` can be appended to it"))
        }
        Some(one) => {
            one.values.append(&mut exception.values);
            Ok(())
        }
        None if exception.fields.is_none() => Err(format!("exception `{name}`: `fields` is missing")),
        None if exception.values.is_empty() => Err(format!("exception `{name}`: `values` is missing")),
        None => {
            known.push(exception);
            Ok(())
        }
    }
}
