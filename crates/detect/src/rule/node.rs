//! A compiled condition: a tree of questions, the cheap ones first.

use super::test::{Test, any_text};
use super::text::TextMatcher;
use event::field::FieldType;
use event::{Event, Field};

/// A condition over an event.
#[derive(Debug)]
pub(crate) enum Node {
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not(Box<Node>),
    /// One of the tests holds for the field.
    Ask(Field, Box<[Test]>),
    /// The event is about a container or not: what most rules ask, without making a text of the id.
    InContainer(bool),
    /// One of the texts stands in one of the fields of the event.
    Keywords(Box<[TextMatcher]>),
}

impl Node {
    /// All of `parts`, the cheap ones first.
    pub(crate) fn all(parts: Vec<Node>) -> Node {
        join(parts, Node::And)
    }

    /// Any of `parts`, the cheap ones first.
    pub(crate) fn any(parts: Vec<Node>) -> Node {
        join(parts, Node::Or)
    }

    /// Whether it holds for `event`.
    pub(crate) fn holds(&self, event: &Event) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(event)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(event)),
            Node::Not(part) => !part.holds(event),
            Node::Ask(field, tests) => {
                let value = field.of(event);
                tests.iter().any(|test| test.holds(&value, event))
            }
            Node::InContainer(wanted) => event.container_id().is_some() == *wanted,
            Node::Keywords(texts) => Field::ALL.iter().any(|field| {
                any_text(&field.of(event), |text| texts.iter().any(|matcher| matcher.matches(text)))
            }),
        }
    }

    /// How much asking costs, roughly.
    fn cost(&self) -> u32 {
        let sum = |parts: &[Node]| parts.iter().map(Node::cost).fold(1, u32::saturating_add);
        match self {
            Node::And(parts) | Node::Or(parts) => sum(parts),
            Node::Not(part) => part.cost(),
            Node::Ask(field, tests) => {
                tests.iter().map(Test::cost).fold(reading_cost(*field), u32::saturating_add)
            }
            Node::InContainer(_) => 1,
            Node::Keywords(_) => 100_000,
        }
    }

    /// The exact texts of which one must be the value of a field, and that field: what rules are indexed by.
    /// `wanted` chooses among fields.
    pub(crate) fn gate(&self, wanted: fn(Field) -> bool) -> Option<(Field, Vec<String>)> {
        match self {
            Node::And(parts) => parts.iter().find_map(|part| part.gate(wanted)),
            Node::Ask(field, tests) if wanted(*field) => {
                let texts = tests.iter().map(|test| match test {
                    Test::Text(matcher) => {
                        matcher.exact().filter(|text| !text.is_empty()).map(super::fold::fold_text)
                    }
                    _ => None,
                });
                texts.collect::<Option<Vec<String>>>().map(|texts| (*field, texts))
            }
            _ => None,
        }
    }

    /// Calls `visit` for each field that is asked, with its tests.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Field, &[Test])) {
        match self {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Node::Not(part) => part.visit(visit),
            Node::Ask(field, tests) => {
                visit(*field, tests);
                for test in tests {
                    if let Test::Field { other, .. } = test {
                        visit(*other, &[]);
                    }
                }
            }
            Node::InContainer(_) => visit(Field::ContainerId, &[]),
            Node::Keywords(_) => Field::ALL.iter().for_each(|field| visit(*field, &[])),
        }
    }
}

/// How much reading a field costs, roughly: lists and ids are made for the occasion.
fn reading_cost(field: Field) -> u32 {
    match field.field_type() {
        FieldType::List => 20,
        _ if matches!(field, Field::ContainerId | Field::TargetContainer) => 20,
        _ => 0,
    }
}

fn join(mut parts: Vec<Node>, kind: fn(Box<[Node]>) -> Node) -> Node {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    parts.sort_by_key(Node::cost);
    kind(parts.into_boxed_slice())
}
