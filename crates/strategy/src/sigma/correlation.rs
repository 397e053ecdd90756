//! Correlations (Sigma 2.1.0, "Sigma Correlation Rules"): how judgements are joined over time.
//!
//! All seven types of the specification, and `value_median` and the boolean conditions of pySigma.

use std::time::Duration;

use super::condition::{self, Condition, Part};
use super::head::Head;
use super::matcher::Order;
use crate::diagnostic::{Problem, codes};
use crate::period;
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Node, Resolved};

/// Most rules that one correlation joins.
const RULES_LIMIT: usize = 64;

/// A correlation.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// Metadata.
    pub head: Head,
    /// What is counted or looked for.
    pub kind: CorrelationKind,
    /// Names or ids of the rules and correlations that it joins.
    pub rules: Vec<Reference>,
    /// Fields, or aliases, whose values must be the same.
    pub group_by: Vec<String>,
    /// How far apart the first and the last may be.
    pub timespan: Duration,
    /// When it fires.
    pub condition: CorrelationCondition,
    /// Names for fields that are called differently in each rule.
    pub aliases: Vec<Alias>,
    /// Whether the joined rules also raise alerts of their own.
    pub generate: bool,
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The name or id of a rule.
    pub name: String,
    /// Place in the document.
    pub span: Span,
}

/// What a correlation counts or looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CorrelationKind {
    /// How many.
    EventCount,
    /// How many different values of a field.
    ValueCount,
    /// Rules that fire together.
    Temporal,
    /// Rules that fire in this order.
    TemporalOrdered,
    /// The sum of a field.
    ValueSum,
    /// The mean of a field.
    ValueAvg,
    /// A percentile of a field.
    ValuePercentile,
    /// The median of a field.
    ValueMedian,
}

const KINDS: &[(&str, CorrelationKind)] = &[
    ("event_count", CorrelationKind::EventCount),
    ("value_count", CorrelationKind::ValueCount),
    ("temporal", CorrelationKind::Temporal),
    ("temporal_ordered", CorrelationKind::TemporalOrdered),
    ("temporal_extended", CorrelationKind::Temporal),
    ("temporal_ordered_extended", CorrelationKind::TemporalOrdered),
    ("value_sum", CorrelationKind::ValueSum),
    ("value_avg", CorrelationKind::ValueAvg),
    ("value_percentile", CorrelationKind::ValuePercentile),
    ("value_median", CorrelationKind::ValueMedian),
];

impl CorrelationKind {
    /// The word in a rule.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether it looks for rules that fire together.
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    fn needs_field(self) -> bool {
        !self.is_temporal() && self != Self::EventCount
    }
}

/// When a correlation fires.
#[derive(Clone, Debug, PartialEq)]
pub enum CorrelationCondition {
    /// All joined rules fired.
    AllRules,
    /// This holds for the rules that fired.
    Rules(Condition),
    /// The count or value is within all of `bounds`; of a temporal correlation how many different rules fired.
    Bounds {
        /// Comparisons that must all hold.
        bounds: Vec<(Order, f64)>,
        /// The fields that are counted or summed; none where events or rules are counted.
        fields: Vec<String>,
        /// Which percentile, 0 to 100, of `value_percentile`.
        percentile: f64,
    },
}

/// A name for fields that are called differently in each rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name in `group-by`.
    pub name: String,
    /// `(rule, field)`.
    pub fields: Vec<(Reference, String)>,
}

const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];
const ORDERS: [(&str, Order); 6] = [
    ("eq", Order::Eq),
    ("neq", Order::Neq),
    ("lt", Order::Lt),
    ("lte", Order::Lte),
    ("gt", Order::Gt),
    ("gte", Order::Gte),
];
/// What `value_percentile` takes when it does not say.
const DEFAULT_PERCENTILE: f64 = 50.0;

/// Reads the correlation of `document`, whose `correlation` is `node`.
pub fn read(head: Head, document: &Node, node: &Node, problems: &mut Vec<Problem>) -> Option<Correlation> {
    let mut reader = Reader { problems };
    let Some(entries) = node.mapping() else {
        reader.report(node.span, format!("{} where a correlation was expected", node.kind()));
        return None;
    };
    for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        let hint = suggest::hint(&key.text, KEYS);
        let problem = Problem::new(codes::RULE, key.span, format!("unknown key `{}`", key.text));
        reader.problems.push(problem.with_hint_if(hint));
    }
    let kind = reader.kind(node)?;
    let rules = reader.references(node);
    let timespan = reader.timespan(node)?;
    let condition = reader.condition(kind, node, &rules)?;
    let group_by = reader.names(node.entry("group-by"));
    let aliases = reader.aliases(node.entry("aliases"), &rules);
    // `generate` stands inside the section by the text of the specification, beside it in older rules.
    let generate = node.entry("generate").or_else(|| document.entry("generate"));
    let generate = generate.is_some_and(|node| reader.boolean(node));
    Some(Correlation { head, kind, rules, group_by, timespan, condition, aliases, generate })
}

struct Reader<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(codes::RULE, span, message));
    }

    fn required<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let found = node.entry(key);
        if found.is_none() {
            self.report(Span::at(node.span.start), format!("the correlation's `{key}` is missing"));
        }
        found
    }

    fn kind(&mut self, node: &Node) -> Option<CorrelationKind> {
        let node = self.required(node, "type")?;
        let text = node.text().unwrap_or("");
        let kind = KINDS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        if kind.is_none() {
            let hint = suggest::hint(text, KINDS.iter().map(|(name, _)| *name));
            let problem = Problem::new(codes::RULE, node.span, format!("unknown correlation type `{text}`"));
            self.problems.push(problem.with_hint_if(hint));
        }
        kind
    }

    fn references(&mut self, node: &Node) -> Vec<Reference> {
        let Some(node) = self.required(node, "rules") else { return Vec::new() };
        let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
        if nodes.is_empty() || nodes.len() > RULES_LIMIT {
            self.report(node.span, format!("{} rules where 1 to {RULES_LIMIT} were expected", nodes.len()));
        }
        let mut references = Vec::new();
        for node in nodes {
            match node.text() {
                Some(name) => references.push(Reference { name: name.to_owned(), span: node.span }),
                None => self.report(node.span, format!("{} where a rule's name was expected", node.kind())),
            }
        }
        references
    }

    fn names(&mut self, node: Option<&Node>) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
        let names: Vec<String> = nodes.iter().filter_map(Node::text).map(str::to_owned).collect();
        if names.len() != nodes.len() {
            self.report(node.span, "a list of names was expected");
        }
        names
    }

    fn timespan(&mut self, node: &Node) -> Option<Duration> {
        let node = self.required(node, "timespan")?;
        let text = node.text().unwrap_or("");
        let timespan = period::parse(text).filter(|period| !period.is_zero());
        if timespan.is_none() {
            self.report(node.span, format!("`{text}` is not a length of time such as 90s, 5m, 1h or 2d"));
        }
        timespan
    }

    fn boolean(&mut self, node: &Node) -> bool {
        match node.scalar().map(|scalar| scalar.resolve()) {
            Some(Resolved::Bool(value)) => value,
            _ => {
                self.report(node.span, format!("{} where true or false was expected", node.kind()));
                false
            }
        }
    }

    fn condition(
        &mut self,
        kind: CorrelationKind,
        node: &Node,
        rules: &[Reference],
    ) -> Option<CorrelationCondition> {
        let Some(node) = node.entry("condition") else {
            if kind.is_temporal() {
                return Some(CorrelationCondition::AllRules);
            }
            self.required(node, "condition");
            return None;
        };
        if node.mapping().is_some() {
            return self.bounds(kind, node);
        }
        match condition::parse(node) {
            Ok(condition) if kind.is_temporal() => {
                self.check_names(&condition, rules);
                Some(CorrelationCondition::Rules(condition))
            }
            Ok(_) => {
                self.report(node.span, format!("`{}` takes bounds such as `gte: 5`", kind.as_str()));
                None
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn check_names(&mut self, condition: &Condition, rules: &[Reference]) {
        let names = || rules.iter().map(|rule| rule.name.as_str());
        condition.for_each_part(&mut |part| {
            let (missing, span) = match part {
                Part::Name(name, span) => (!names().any(|known| known == name), span),
                Part::Selector(selector, span) => (!names().any(|name| selector.selects(name)), span),
            };
            if missing {
                let message = "the condition names a rule that is not in `rules`";
                self.problems.push(Problem::new(codes::CONDITION, span, message));
            }
        });
    }

    fn bounds(&mut self, kind: CorrelationKind, node: &Node) -> Option<CorrelationCondition> {
        let mut bounds = Vec::new();
        let mut percentile = DEFAULT_PERCENTILE;
        for (key, value) in node.mapping().unwrap_or_default() {
            let number = match value.scalar().map(|scalar| scalar.resolve()) {
                Some(Resolved::Number(number)) => Some(number.as_f64()).filter(|number| number.is_finite()),
                _ => None,
            };
            let order = ORDERS.iter().find(|(name, _)| *name == key.text).map(|(_, order)| *order);
            match (key.text.as_str(), order, number) {
                (_, Some(order), Some(number)) => bounds.push((order, number)),
                (_, Some(_), None) => self.report(value.span, format!("`{}` takes a number", key.text)),
                ("field", ..) => {}
                ("percentile", _, Some(number)) if (0.0..=100.0).contains(&number) => percentile = number,
                ("percentile", ..) => self.report(value.span, "`percentile` takes a number from 0 to 100"),
                (name, ..) => self.report(key.span, format!("unknown key `{name}`")),
            }
        }
        let fields = self.names(node.entry("field"));
        if bounds.is_empty() {
            self.report(node.span, "a condition without a bound such as `gte: 5`");
        }
        if kind.needs_field() == fields.is_empty() {
            let needs = if kind.needs_field() { "needs" } else { "takes no" };
            self.report(node.span, format!("`{}` {needs} `field`", kind.as_str()));
        }
        if fields.len() > 1 && kind != CorrelationKind::ValueCount {
            self.report(node.span, format!("`{}` takes one `field`", kind.as_str()));
        }
        if node.entry("percentile").is_some() && kind != CorrelationKind::ValuePercentile {
            self.report(node.span, format!("`{}` takes no `percentile`", kind.as_str()));
        }
        Some(CorrelationCondition::Bounds { bounds, fields, percentile })
    }

    fn aliases(&mut self, node: Option<&Node>, rules: &[Reference]) -> Vec<Alias> {
        let mut aliases = Vec::new();
        let Some(node) = node else { return aliases };
        for (name, fields) in node.mapping().unwrap_or_default() {
            let entries = fields.mapping().unwrap_or_default();
            let pairs: Vec<_> = entries
                .iter()
                .filter_map(|(rule, field)| {
                    let reference = Reference { name: rule.text.clone(), span: rule.span };
                    Some((reference, field.text()?.to_owned()))
                })
                .collect();
            if pairs.is_empty() || pairs.len() != entries.len() {
                self.report(fields.span, "an alias is a map from rules to fields");
            }
            for (rule, _) in
                pairs.iter().filter(|(rule, _)| !rules.iter().any(|known| known.name == rule.name))
            {
                let hint = suggest::hint(&rule.name, rules.iter().map(|known| known.name.as_str()));
                let message = format!("the alias names `{}`, which is not in `rules`", rule.name);
                self.problems.push(Problem::new(codes::RULE, rule.span, message).with_hint_if(hint));
            }
            aliases.push(Alias { name: name.text.clone(), fields: pairs });
        }
        if aliases.is_empty() {
            self.report(node.span, "`aliases` is a map of names");
        }
        aliases
    }
}
