//! The detection section: named searches and the condition over them.
//!
//! A map is AND, a list is OR, a list of plain values is a keyword search over the whole event. With
//! `sigma-version: 3` a field may choose items of an array: `containers[any]`, `args[0]`; its value may then
//! be a map whose fields are those of the item, with a `condition` of its own.

use super::condition::{self, Condition, Part, Selector};
use super::lower::lower;
use super::matcher::Matcher;
use super::modifier::{self, Modifier};
use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Key, Node, Value};

/// Deepest nesting of searches.
const DEPTH_LIMIT: usize = 16;

/// Named searches and the conditions over them.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The searches, in the order of the text.
    pub searches: Vec<Named>,
    /// The conditions; any of them is enough.
    pub conditions: Vec<Condition>,
}

/// A search with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The name in the condition.
    pub name: String,
    /// Place of the name.
    pub span: Span,
    /// What is asked.
    pub search: Search,
}

/// What a search asks of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// All of these.
    And(Vec<Search>),
    /// Any of these.
    Or(Vec<Search>),
    /// One field.
    Field(FieldMatch),
    /// Items of an array.
    Array(ArrayMatch),
}

/// What is asked of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldMatch {
    /// Which field.
    pub subject: Subject,
    /// Place of the key, or of the list of keywords.
    pub span: Span,
    /// The modifiers as written.
    pub modifiers: Vec<Modifier>,
    /// Whether one value is enough.
    pub join: Join,
    /// `|neq`: the outcome is turned round.
    pub negated: bool,
    /// One entry per value; each is alternatives, of which one is enough.
    pub values: Vec<Vec<Matcher>>,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field by name.
    Field(String),
    /// Any value of the event.
    Keyword,
    /// The item of the array itself.
    Item,
}

/// How several values are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// One is enough.
    Any,
    /// All are needed (`|all`).
    All,
}

/// What is asked of the items of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayMatch {
    /// The array.
    pub field: String,
    /// Place of the key.
    pub span: Span,
    /// Which items.
    pub items: Items,
    /// What is asked of each.
    pub detection: Box<Detection>,
}

/// Which items of an array must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// At least one.
    Any,
    /// All, and there is one.
    All,
    /// All, or there is none.
    AllOrEmpty,
    /// None.
    None,
    /// The one at this index, from 0.
    At(u32),
}

/// The highest `sigma-version` at which arrays are not yet special.
const LAST_VERSION_WITHOUT_ARRAYS: i64 = 2;

/// Reads detections, collecting all that is wrong.
pub struct Reader<'p> {
    /// What was wrong so far.
    pub problems: &'p mut Vec<Problem>,
    /// The rule's `sigma-version`.
    pub version: i64,
}

impl Reader<'_> {
    /// Reads a detection or filter section; keys in `reserved` are not searches.
    pub fn detection(&mut self, node: &Node, reserved: &[&str]) -> Option<Detection> {
        let Some(entries) = node.mapping() else {
            self.report(node.span, format!("{} where a map of searches was expected", node.kind()));
            return None;
        };
        let mut detection = Detection { searches: Vec::new(), conditions: Vec::new() };
        let mut has_condition = false;
        for (key, value) in entries {
            match key.text.as_str() {
                "condition" => {
                    has_condition = true;
                    self.conditions(value, &mut detection.conditions);
                }
                name if reserved.contains(&name) => {}
                name => {
                    let search = self.search(value, 0)?;
                    detection.searches.push(Named { name: name.to_owned(), span: key.span, search });
                }
            }
        }
        if !has_condition {
            self.problems.push(Problem::new(codes::CONDITION, node.span, "the `condition` is missing"));
        }
        if detection.searches.is_empty() {
            self.report(node.span, "no search beside the condition");
        }
        self.check_names(&detection);
        Some(detection)
    }

    fn conditions(&mut self, node: &Node, into: &mut Vec<Condition>) {
        let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
        if nodes.is_empty() {
            self.problems.push(Problem::new(codes::CONDITION, node.span, "an empty list of conditions"));
        }
        for node in nodes {
            match condition::parse(node) {
                Ok(condition) => into.push(condition),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// Every name in a condition must be a search, and every selector must choose one.
    fn check_names(&mut self, detection: &Detection) {
        let names = || detection.searches.iter().map(|named| named.name.as_str());
        for condition in &detection.conditions {
            condition.for_each_part(&mut |part| match part {
                Part::Name(name, span) if !names().any(|known| known == name) => {
                    let message = format!("`{name}` is not a search of this rule");
                    let hint = suggest::hint(name, names());
                    self.problems.push(Problem::new(codes::CONDITION, span, message).with_hint_if(hint));
                }
                Part::Selector(selector, span) if !names().any(|name| selector.selects(name)) => {
                    let message = match selector {
                        Selector::Them => "`them` chooses no search".to_owned(),
                        Selector::Pattern(pattern) => format!("`{pattern}` chooses no search"),
                    };
                    self.problems.push(Problem::new(codes::CONDITION, span, message));
                }
                _ => {}
            });
        }
    }

    fn search(&mut self, node: &Node, depth: usize) -> Option<Search> {
        if depth > DEPTH_LIMIT {
            self.report(node.span, format!("searches nested deeper than {DEPTH_LIMIT}"));
            return None;
        }
        match &node.value {
            Value::Mapping(entries) if entries.is_empty() => self.empty(node),
            Value::Sequence(items) if items.is_empty() => self.empty(node),
            Value::Mapping(entries) => {
                let parts = entries.iter().filter_map(|(key, value)| self.entry(key, value, depth)).collect();
                Some(Search::And(parts))
            }
            Value::Sequence(items) if items.iter().all(|item| item.scalar().is_some()) => {
                self.values(Subject::Keyword, node.span, Vec::new(), node)
            }
            Value::Sequence(items) => {
                let parts = items.iter().filter_map(|item| self.search(item, depth + 1)).collect();
                Some(Search::Or(parts))
            }
            Value::Scalar(_) => self.values(Subject::Keyword, node.span, Vec::new(), node),
        }
    }

    fn empty(&mut self, node: &Node) -> Option<Search> {
        self.report(node.span, "an empty search");
        None
    }

    /// One `field|modifier: value` of a map.
    fn entry(&mut self, key: &Key, value: &Node, depth: usize) -> Option<Search> {
        let (field, modifiers) = match modifier::split(&key.text, key.span) {
            Ok(split) => split,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        if self.version > LAST_VERSION_WITHOUT_ARRAYS
            && let Some((array, items)) = self.array(field, key.span)
        {
            let detection = Box::new(self.item(value, key.span, modifiers, depth)?);
            return Some(Search::Array(ArrayMatch {
                field: array.to_owned(),
                span: key.span,
                items,
                detection,
            }));
        }
        let subject = match field {
            "" => Subject::Keyword,
            "." => Subject::Item,
            field => Subject::Field(field.to_owned()),
        };
        self.values(subject, key.span, modifiers, value)
    }

    /// What is asked of an item: values of its own, or a map of its fields.
    fn item(
        &mut self,
        value: &Node,
        span: Span,
        modifiers: Vec<Modifier>,
        depth: usize,
    ) -> Option<Detection> {
        if value.entry("condition").is_some() {
            return self.detection(value, &[]);
        }
        let search = match value.mapping() {
            Some(_) => self.search(value, depth + 1)?,
            None => self.values(Subject::Item, span, modifiers, value)?,
        };
        let name = "item".to_owned();
        let conditions = vec![Condition::Name(name.clone(), span)];
        Some(Detection { searches: vec![Named { name, span, search }], conditions })
    }

    /// Splits `field[any]`; `None` when there is no bracket at the end.
    fn array<'f>(&mut self, field: &'f str, span: Span) -> Option<(&'f str, Items)> {
        let (array, items) = field.strip_suffix(']')?.rsplit_once('[')?;
        let items = match items {
            "any" => Items::Any,
            "all" => Items::All,
            "all_or_empty" => Items::AllOrEmpty,
            "none" => Items::None,
            number => match number.parse() {
                Ok(index) => Items::At(index),
                Err(_) => {
                    self.report(
                        span,
                        format!("`[{number}]` is not any, all, all_or_empty, none or a number"),
                    );
                    return None;
                }
            },
        };
        Some((array, items))
    }

    fn values(
        &mut self,
        subject: Subject,
        span: Span,
        modifiers: Vec<Modifier>,
        node: &Node,
    ) -> Option<Search> {
        let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
        let all = modifiers.contains(&Modifier::All);
        if all && node.sequence().is_none() {
            let problem = Problem::new(codes::MODIFIER, span, "`all` on a single value")
                .with_hint("`all` says that every value of a list must match");
            self.problems.push(problem);
        }
        if nodes.is_empty() {
            self.report(node.span, "an empty list of values");
        }
        let only_fields = [Modifier::Exists, Modifier::FieldRef];
        if subject == Subject::Keyword && modifiers.iter().any(|modifier| only_fields.contains(modifier)) {
            self.problems.push(Problem::new(codes::MODIFIER, span, "a modifier that needs a field"));
        }
        let before = self.problems.len();
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            match lower(node, &modifiers) {
                Ok(alternatives) => values.push(alternatives),
                Err(problem) => self.problems.push(problem),
            }
        }
        (self.problems.len() == before).then(|| {
            Search::Field(FieldMatch {
                subject,
                span,
                join: if all { Join::All } else { Join::Any },
                negated: modifiers.contains(&Modifier::Neq),
                modifiers,
                values,
            })
        })
    }

    fn report(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(codes::RULE, span, message));
    }
}

impl Search {
    /// Calls `visit` for each field and array, those inside arrays included.
    pub fn for_each_field(&self, visit: &mut dyn FnMut(&Search)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.for_each_field(visit)),
            Self::Field(_) => visit(self),
            Self::Array(array) => {
                visit(self);
                array.detection.searches.iter().for_each(|named| named.search.for_each_field(visit));
            }
        }
    }
}
