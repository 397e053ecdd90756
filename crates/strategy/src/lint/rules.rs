//! Rules: fields that exist, references that lead somewhere, messages for people.

use std::collections::HashMap;

use event::event::Class;

use crate::diagnostic::{Problem, codes};
use crate::document::Document;
use crate::document::section::SectionKind;
use crate::mapping::{self, Events, Unmapped};
use crate::sigma::condition::Part;
use crate::sigma::correlation::CorrelationCondition;
use crate::sigma::{
    Condition, Correlation, Detection, FieldMatch, FilterRules, Head, Item, Matcher, Reference, Rule, Search,
    Subject, Template,
};
use crate::source::Span;
use crate::suggest;

use super::negation;

/// Checks the rules of `document`.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let items = &document.items;
    if !document.has_broken_rules && !items.iter().any(|item| !matches!(item, Item::Filter(_))) {
        let at = document.section(SectionKind::StrategyAbstract);
        let span = at.map_or(Span::default(), |section| section.heading.span);
        let problem = Problem::new(codes::RULE_NONE, span, "the strategy has no rule");
        problems.push(problem.with_hint("write a `yaml sigma` block in the Strategy Abstract"));
    }
    duplicates(items, problems);
    for item in items {
        match item {
            Item::Rule(rule) => {
                messages(rule, problems);
                let events = logsource(rule, problems);
                detection(&rule.detection, &events, problems);
                negation::check(&rule.detection, &events, problems);
                lacks(rule, problems);
            }
            Item::Correlation(correlation) => check_correlation(correlation, document, problems),
            Item::Filter(filter) => {
                if let FilterRules::These(rules) = &filter.rules {
                    references(rules, document, problems);
                }
                let events = mapping::events(&filter.logsource).unwrap_or_default();
                detection(&filter.detection, &events, problems);
                negation::check(&filter.detection, &events, problems);
                if !filter.detection.conditions.iter().any(Condition::has_not) {
                    let message = "a filter that excludes nothing";
                    let problem = Problem::new(codes::FILTER_NOT, filter.head.span, message);
                    problems
                        .push(problem.with_hint("conditions are joined with `and`: write `not selection`"));
                }
            }
        }
    }
    cycles(items, problems);
}

fn duplicates(items: &[Item], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, ()> = HashMap::new();
    for head in items.iter().map(Item::head) {
        for word in [head.name.as_deref(), head.id.as_deref()].into_iter().flatten() {
            if seen.insert(word, ()).is_some() {
                let message = format!("the name or id `{word}` is used by two rules");
                problems.push(Problem::new(codes::RULE_DUPLICATE, Span::at(head.span.start), message));
            }
        }
    }
}

fn messages(rule: &Rule, problems: &mut Vec<Problem>) {
    for (key, template) in [("observed", &rule.observed), ("expected", &rule.expected)] {
        match template {
            None => {
                let message = format!("the rule `{}` has no `{key}` message", rule.head.handle());
                let problem = Problem::new(codes::RULE_MESSAGE, Span::at(rule.head.span.start), message);
                problems.push(
                    problem.with_hint(format!("add `{key}:` with one sentence and {{field}} placeholders")),
                );
            }
            Some(template) => template_fields(template, problems),
        }
    }
}

/// The events that stand for the log source: a rule whose category has none is never tried. Where a category is known,
/// and a product or service is not, the engine says so.
fn logsource(rule: &Rule, problems: &mut Vec<Problem>) -> Vec<Events> {
    let reason = match mapping::events(&rule.logsource) {
        Ok(events) => return events,
        Err(Unmapped::Source { reason, .. }) => reason,
        Err(_) => return Vec::new(),
    };
    if let Some(name) = rule.logsource.category.as_deref().filter(|name| Class::by_name(name).is_none()) {
        let hint = suggest::hint(name, Class::ALL.iter().map(|class| class.as_str()));
        let message = format!("the category `{name}` has no events: {reason}");
        let problem = Problem::new(codes::CATEGORY_UNKNOWN, Span::at(rule.head.span.start), message);
        problems.push(problem.with_hint_if(hint));
    }
    Vec::new()
}

/// What the rule asks for and no event has. A rule of which nothing runs is an error of the engine.
fn lacks(rule: &Rule, problems: &mut Vec<Problem>) {
    let Ok(plan) = mapping::plan(&rule.logsource, &[&rule.detection]) else { return };
    for lack in plan.lacks {
        let message = format!("the rule `{}` asks for what has no source: {lack}", rule.head.handle());
        let at = Span::at(rule.head.span.start);
        problems.push(Problem::new(codes::FIELD_UNSOURCED, at, message));
    }
}

fn template_fields(template: &Template, problems: &mut Vec<Problem>) {
    template.fields().for_each(|name| field(name, template.span, &[], problems));
}

/// A name that is neither of the catalogue nor of the log source that `events` stand for.
fn field(name: &str, span: Span, events: &[Events], problems: &mut Vec<Problem>) {
    if !mapping::is_known(events, name) {
        let hint = suggest::nearest(name, mapping::names(events));
        let problem = Problem::new(codes::FIELD_UNKNOWN, span, format!("unknown field `{name}`"));
        problems.push(problem.with_hint_if(hint.map(|name| format!("did you mean `{name}`?"))));
    }
}

fn detection(detection: &Detection, events: &[Events], problems: &mut Vec<Problem>) {
    for named in &detection.searches {
        named.search.for_each_field(&mut |search| match search {
            Search::Field(found) => field_match(found, events, problems),
            Search::Array(array) => field(&array.field, array.span, events, problems),
            Search::And(_) | Search::Or(_) => {}
        });
        let is_used = |used: &mut bool, part: Part<'_>| {
            *used |= match part {
                Part::Name(name, _) => name == named.name,
                Part::Selector(selector, _) => selector.selects(&named.name),
            };
        };
        let mut used = false;
        for condition in &detection.conditions {
            condition.for_each_part(&mut |part| is_used(&mut used, part));
        }
        if !used {
            let message = format!("the condition does not use `{}`", named.name);
            problems.push(Problem::new(codes::RULE_UNUSED, named.span, message));
        }
    }
}

fn field_match(found: &FieldMatch, events: &[Events], problems: &mut Vec<Problem>) {
    if let Subject::Field(name) = &found.subject {
        field(name, found.span, events, problems);
    }
    for matcher in found.values.iter().flatten() {
        if let Matcher::Field(other) = matcher {
            field(&other.name, found.span, events, problems);
        }
    }
}

fn check_correlation(correlation: &Correlation, document: &Document, problems: &mut Vec<Problem>) {
    let span = correlation.head.span;
    references(&correlation.rules, document, problems);
    let is_alias = |name: &str| correlation.aliases.iter().any(|alias| alias.name == name);
    let counted: &[String] = match &correlation.condition {
        CorrelationCondition::Bounds { fields, .. } => fields,
        _ => &[],
    };
    for name in correlation.group_by.iter().chain(counted).filter(|name| !is_alias(name)) {
        field(name, span, &[], problems);
    }
    for (reference, name) in correlation.aliases.iter().flat_map(|alias| &alias.fields) {
        references(std::slice::from_ref(reference), document, problems);
        field(name, reference.span, &[], problems);
    }
}

fn references(wanted: &[Reference], document: &Document, problems: &mut Vec<Problem>) {
    // A rule that could not be read is not missing.
    if document.has_broken_rules {
        return;
    }
    let items = &document.items;
    for reference in wanted {
        let known = |item: &&Item| !matches!(item, Item::Filter(_)) && item.head().is(&reference.name);
        if !items.iter().any(|item| known(&item)) {
            let hint = suggest::hint(&reference.name, items.iter().map(|item| item.head().handle()));
            let message = format!("no rule `{}` in this document", reference.name);
            problems.push(Problem::new(codes::RULE_REFERENCE, reference.span, message).with_hint_if(hint));
        }
    }
}

/// A correlation that, through others, joins itself would never end.
fn cycles(items: &[Item], problems: &mut Vec<Problem>) {
    let correlations: Vec<&Correlation> = items
        .iter()
        .filter_map(|item| match item {
            Item::Correlation(correlation) => Some(correlation),
            _ => None,
        })
        .collect();
    for start in &correlations {
        let mut reached: Vec<&Head> = Vec::new();
        let mut open = vec![*start];
        while let Some(current) = open.pop() {
            for next in correlations.iter().filter(|next| joins(current, &next.head)) {
                if !reached.contains(&&next.head) {
                    reached.push(&next.head);
                    open.push(next);
                }
            }
        }
        if reached.contains(&&start.head) {
            let message = format!("the correlation `{}` joins itself", start.head.handle());
            problems.push(Problem::new(codes::CORRELATION_CYCLE, Span::at(start.head.span.start), message));
        }
    }
}

fn joins(correlation: &Correlation, head: &Head) -> bool {
    correlation.rules.iter().any(|reference| head.is(&reference.name))
}
