//! Sigma: rules, correlations and filters as checked trees.
//!
//! In: YAML (specification 2.1.0, `filter.rules: any` of 2.2, arrays of `sigma-version: 3`). Out: [`Item`]s
//! whose values are ready to be matched. All that is wrong in a text is reported at once. Left out on
//! purpose: matching, and the aggregations of Sigma 1.
//!
//! Beside the specification's keys a rule may say what was `observed` and what was `expected`, as
//! [`Template`]s; a rule of a strategy must.

pub mod condition;
pub mod correlation;
pub mod detection;
mod encode;
pub mod expression;
mod head;
mod lower;
mod many;
pub mod matcher;
pub mod modifier;
pub mod pattern;
mod template;

pub use condition::{Condition, Quantity, Selector};
pub use correlation::{Alias, Correlation, CorrelationCondition, CorrelationKind, Reference};
pub use detection::{ArrayMatch, Detection, FieldMatch, Items, Join, Named, Search, Subject};
pub use event::alert::Severity as Level;
pub use expression::REGEX_LIMIT_BYTES;
pub use head::{Head, is_uuid};
pub use many::read_all;
pub use matcher::{Cidr, FieldRef, Matcher, Order, Regex, TimePart};
pub use modifier::Modifier;
pub use pattern::{DASHES, Openness, Pattern, Segment};
pub use template::{Template, TemplatePart};

use crate::diagnostic::{Problem, codes};
use crate::source::{Fragment, Span};
use crate::suggest;
use crate::yaml::{self, Node};

/// A document of Sigma.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Judges events.
    Rule(Rule),
    /// Joins judgements.
    Correlation(Correlation),
    /// Narrows rules.
    Filter(Filter),
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Metadata.
    pub head: Head,
    /// Which events it is about.
    pub logsource: Logsource,
    /// What it asks of them.
    pub detection: Detection,
    /// What was seen, for the alert's sentence.
    pub observed: Option<Template>,
    /// What would have been normal, for the alert's sentence.
    pub expected: Option<Template>,
}

/// A filter: its condition is joined to that of each rule with `and`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Metadata.
    pub head: Head,
    /// Which rules' log source it fits.
    pub logsource: Logsource,
    /// Which rules it narrows.
    pub rules: FilterRules,
    /// The condition; exactly one.
    pub detection: Detection,
}

/// Which rules a filter narrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterRules {
    /// All whose log source fits.
    Any,
    /// These.
    These(Vec<Reference>),
}

/// Which events a rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Logsource {
    /// Kind of event: `process_creation`.
    pub category: Option<String>,
    /// What makes them: `linux`, `kubernetes`.
    pub product: Option<String>,
    /// Which part of the product: `auditd`.
    pub service: Option<String>,
    /// How to get them, for people.
    pub definition: Option<String>,
}

impl Item {
    /// Metadata.
    pub fn head(&self) -> &Head {
        match self {
            Self::Rule(rule) => &rule.head,
            Self::Correlation(correlation) => &correlation.head,
            Self::Filter(filter) => &filter.head,
        }
    }
}

impl Rule {
    /// Searches of the rule that the condition `selector` chooses.
    pub fn selected<'r>(&'r self, selector: &'r Selector) -> impl Iterator<Item = &'r Named> {
        self.detection.searches.iter().filter(|named| selector.selects(&named.name))
    }
}

/// Reads all documents of `fragment`. Those without a problem come back, whatever is wrong in the others.
pub fn read(fragment: &Fragment) -> (Vec<Item>, Vec<Problem>) {
    let documents = match yaml::parse(fragment) {
        Ok(documents) => documents,
        Err(problems) => return (Vec::new(), problems),
    };
    let mut problems = Vec::new();
    let mut items = Vec::new();
    for document in &documents {
        let mut found = Vec::new();
        let item = read_document(document, &mut found);
        if found.is_empty() {
            items.extend(item);
        }
        problems.append(&mut found);
    }
    (items, problems)
}

/// Reads a file of plain Sigma, as `match` and `import` take it.
pub fn read_str(text: &str) -> (Vec<Item>, Vec<Problem>) {
    read(&Fragment::whole(text))
}

fn read_document(node: &Node, problems: &mut Vec<Problem>) -> Option<Item> {
    if node.mapping().is_none() {
        problems.push(Problem::new(
            codes::RULE,
            node.span,
            format!("{} where a rule was expected", node.kind()),
        ));
        return None;
    }
    if let Some(body) = node.entry("correlation") {
        let head = head::read(node, &["correlation", "generate"], problems);
        return correlation::read(head, node, body, problems).map(Item::Correlation);
    }
    if let Some(body) = node.entry("filter") {
        let head = head::read(node, &["filter", "logsource"], problems);
        return filter(head, node, body, problems).map(Item::Filter);
    }
    let mut head = head::read(node, &["logsource", "detection"], problems);
    let [observed, expected] = ["observed", "expected"].map(|key| template(&mut head, key, problems));
    let logsource = logsource(node, problems);
    let Some(body) = node.entry("detection") else {
        let hint = node.mapping().and_then(|entries| {
            suggest::nearest("detection", entries.iter().map(|(key, _)| key.text.as_str()))
        });
        let problem = Problem::new(codes::RULE, Span::at(node.span.start), "the `detection` is missing")
            .with_hint_if(hint.map(|key| format!("is `{key}` meant?")));
        problems.push(problem);
        return None;
    };
    let detection =
        detection::Reader { problems, version: head.sigma_version }.detection(body, &["timeframe"])?;
    Some(Item::Rule(Rule { head, logsource, detection, observed, expected }))
}

fn filter(head: Head, node: &Node, body: &Node, problems: &mut Vec<Problem>) -> Option<Filter> {
    let logsource = logsource(node, problems);
    let rules = match body.entry("rules") {
        None => {
            problems.push(Problem::new(codes::RULE, body.span, "the filter's `rules` are missing"));
            FilterRules::Any
        }
        Some(rules) if rules.text() == Some("any") => FilterRules::Any,
        Some(rules) => {
            let nodes = rules.sequence().unwrap_or(std::slice::from_ref(rules));
            let reference =
                |node: &Node| node.text().map(|name| Reference { name: name.to_owned(), span: node.span });
            FilterRules::These(nodes.iter().filter_map(reference).collect())
        }
    };
    let detection =
        detection::Reader { problems, version: head.sigma_version }.detection(body, &["rules"])?;
    if detection.conditions.len() > 1 {
        problems.push(Problem::new(codes::CONDITION, body.span, "a filter has exactly one condition"));
    }
    Some(Filter { head, logsource, rules, detection })
}

fn logsource(node: &Node, problems: &mut Vec<Problem>) -> Logsource {
    let mut logsource = Logsource::default();
    let Some(body) = node.entry("logsource") else {
        let at = Span::at(node.span.start);
        problems.push(Problem::new(codes::RULE, at, "the `logsource` is missing"));
        return logsource;
    };
    for (key, value) in body.mapping().unwrap_or_default() {
        let slot = match key.text.as_str() {
            "category" => &mut logsource.category,
            "product" => &mut logsource.product,
            "service" => &mut logsource.service,
            "definition" => &mut logsource.definition,
            // The specification leaves other keys to everybody.
            _ => continue,
        };
        *slot = value.text().map(str::to_owned);
    }
    if logsource.category.is_none() && logsource.product.is_none() && logsource.service.is_none() {
        let message = "a log source without category, product and service";
        problems.push(Problem::new(codes::RULE, body.span, message));
    }
    logsource
}

/// Takes the template `key` out of the custom keys.
fn template(head: &mut Head, key: &str, problems: &mut Vec<Problem>) -> Option<Template> {
    let index = head.custom.iter().position(|(name, _)| name.text == key)?;
    let (_, node) = head.custom.remove(index);
    match Template::parse(node.text().unwrap_or(""), node.span) {
        Ok(template) => Some(template),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

#[cfg(test)]
mod tests;
