//! A compiled condition: a tree of questions, the cheap ones first.

use super::falco::Made;
use super::fold::fold_text;
use super::record::{Key, Presence, Record, Scalar};
use super::single::Single;
use super::test::Test;
use crate::json::{ItemShape, JsonItem};
use std::cell::OnceCell;
use std::sync::Arc;
use strategy::sigma::Items;

/// A condition over an event.
#[derive(Debug)]
pub(crate) enum Node<K> {
    And(Box<[Node<K>]>),
    Or(Box<[Node<K>]>),
    /// Exactly one of them holds.
    One(Box<[Node<K>]>),
    Not(Box<Node<K>>),
    /// One of the tests holds for one of the values of the field.
    Ask(K, Tests<K>),
    /// The field is missing or null.
    Null(K),
    /// The field is there, even if null, or is not.
    Exists(K, bool),
    /// One of the tests holds for one of the values of the event.
    Keywords(Box<[Test<K>]>),
    /// The items of an array.
    Items(Box<ItemsNode<K>>),
    /// A value that is made of fields.
    Made(Box<Made<K>>),
    /// Of one field alone.
    Single(Box<Single<K>>),
    /// A part that a clause asks for by itself.
    Shared(Arc<Node<K>>),
}

/// Tests of one field, and by what the index knows them.
#[derive(Debug)]
pub(crate) struct Tests<K> {
    tests: Box<[Test<K>]>,
    /// The place of the field in the index; behind all where it is not there.
    pub(super) field: usize,
    /// A number that no other question of the field has, where the answer depends on the value alone.
    pub(super) number: Option<u32>,
}

impl<K> From<Vec<Test<K>>> for Tests<K> {
    fn from(tests: Vec<Test<K>>) -> Self {
        Self { tests: tests.into_boxed_slice(), field: usize::MAX, number: None }
    }
}

impl<K> std::ops::Deref for Tests<K> {
    type Target = [Test<K>];

    fn deref(&self) -> &[Test<K>] {
        &self.tests
    }
}

/// What is told of each question: its field, where `None` stands for all, and its tests.
pub(crate) type Visitor<'v, K> = dyn FnMut(Option<K>, &[Test<K>]) + 'v;

/// A condition over the items of an array.
#[derive(Debug)]
pub(crate) struct ItemsNode<K> {
    pub(crate) key: K,
    pub(crate) which: Items,
    /// The fields of an item and the condition over them.
    pub(crate) shape: ItemShape,
}

impl<K: Key> Node<K> {
    /// All of `parts`, the cheap ones first.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        let flat = |part| match part {
            Node::And(parts) => parts.into_vec(),
            one => vec![one],
        };
        join(parts.into_iter().flat_map(flat).collect(), Node::And)
    }

    /// Any of `parts`, the cheap ones first.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        join(parts, Node::Or)
    }

    /// Whether it holds for `record`.
    pub(crate) fn holds<R: Record<K>>(&self, record: &R) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(record)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(record)),
            Node::One(parts) => parts.iter().filter(|part| part.holds(record)).take(2).count() == 1,
            Node::Not(part) => !part.holds(record),
            Node::Ask(key, tests) => record.ask(*key, tests),
            Node::Null(key) => match record.presence(*key) {
                Presence::Missing | Presence::Null => true,
                Presence::Here => record.any(*key, |value| value == Scalar::Null),
            },
            Node::Exists(key, wanted) => (record.presence(*key) != Presence::Missing) == *wanted,
            Node::Keywords(tests) => record.any_value(|value| any_holds(tests, value, record)),
            Node::Items(items) => items.holds(record),
            Node::Made(made) => made.holds(record),
            Node::Single(single) => record.ask_single(single),
            Node::Shared(part) => part.holds(record),
        }
    }

    /// How much asking costs, roughly.
    fn cost(&self) -> u32 {
        let sum = |parts: &[Self]| parts.iter().map(Node::cost).fold(1, u32::saturating_add);
        match self {
            Node::And(parts) | Node::Or(parts) | Node::One(parts) => sum(parts),
            Node::Not(part) => part.cost(),
            Node::Ask(key, tests) => tests.iter().map(Test::cost).fold(key.cost(), u32::saturating_add),
            Node::Null(_) | Node::Exists(..) => 1,
            Node::Keywords(_) => 100_000,
            Node::Items(_) => 10_000,
            Node::Made(_) => 1_000,
            Node::Single(single) => single.node.cost(),
            Node::Shared(part) => part.cost(),
        }
    }

    /// Tells each question of a field the place of its field, which `place` knows, and a number. Before parts are shared.
    pub(super) fn place(&mut self, next: &mut u32, place: &impl Fn(K) -> Option<usize>) {
        match self {
            Node::And(parts) | Node::Or(parts) | Node::One(parts) => {
                parts.iter_mut().for_each(|part| part.place(next, place));
            }
            Node::Not(part) => part.place(next, place),
            Node::Ask(key, tests) => {
                tests.field = place(*key).unwrap_or(usize::MAX);
                tests.number = tests.iter().all(Test::is_of_value).then_some(*next);
                *next = next.wrapping_add(1);
            }
            Node::Null(_)
            | Node::Exists(..)
            | Node::Keywords(_)
            | Node::Items(_)
            | Node::Made(_)
            | Node::Single(_)
            | Node::Shared(_) => {}
        }
    }

    /// Calls `visit` for each question.
    pub(crate) fn visit(&self, visit: &mut Visitor<'_, K>) {
        match self {
            Node::And(parts) | Node::Or(parts) | Node::One(parts) => {
                parts.iter().for_each(|part| part.visit(visit));
            }
            Node::Not(part) => part.visit(visit),
            Node::Ask(key, tests) => {
                visit(Some(*key), tests);
                for test in tests.iter() {
                    if let Test::Field { other, .. } = test {
                        visit(Some(*other), &[]);
                    }
                }
            }
            Node::Null(key) | Node::Exists(key, _) => visit(Some(*key), &[]),
            Node::Keywords(tests) => visit(None, tests),
            Node::Items(items) => visit(Some(items.key), &[]),
            Node::Made(made) => made.visit(visit),
            Node::Single(single) => single.node.visit(visit),
            Node::Shared(part) => part.visit(visit),
        }
    }
}

impl<K: Key> ItemsNode<K> {
    fn holds<R: Record<K>>(&self, record: &R) -> bool {
        let (mut items, mut held) = (0_u32, 0_u32);
        let mut at_index = false;
        record.for_each_item(self.key, &mut |item: JsonItem<'_>| {
            let holds = self.shape.holds(item);
            at_index |= holds && self.which == Items::At(items);
            held += u32::from(holds);
            items += 1;
        });
        match self.which {
            Items::Any => held > 0,
            Items::All => items > 0 && held == items,
            Items::AllOrEmpty => held == items,
            Items::None => held == 0,
            Items::At(_) => at_index,
        }
    }
}

/// Whether one of `tests` holds for `value`. Letters are told from others once, and folded once.
pub(super) fn any_holds<K: Key, R: Record<K>>(tests: &[Test<K>], value: Scalar<'_>, record: &R) -> bool {
    let Scalar::Text(text) = value else { return tests.iter().any(|test| test.holds(value, record)) };
    if text.is_ascii() {
        return tests.iter().any(|test| match test {
            Test::Text(matcher) => matcher.matches_ascii(text),
            other => other.holds(value, record),
        });
    }
    let folded = OnceCell::new();
    tests.iter().any(|test| match test {
        Test::Text(matcher) => matcher.matches_either(text, || folded.get_or_init(|| fold_text(text))),
        other => other.holds(value, record),
    })
}

fn join<K: Key>(mut parts: Vec<Node<K>>, kind: fn(Box<[Node<K>]>) -> Node<K>) -> Node<K> {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    parts.sort_by_key(Node::cost);
    kind(parts.into_boxed_slice())
}
