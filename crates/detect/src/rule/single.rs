//! Parts of a condition that ask one field alone: asked once of a value that comes again.
//!
//! In: a part whose questions have their places. Out: the same part, in which what asks one field alone stands together,
//! each such group with a number, by which its answer is kept with the value (`memo`).

use super::node::Node;
use super::record::Key;
use super::test::Test;

/// A condition over the value of one field.
#[derive(Debug)]
pub(crate) struct Single<K> {
    /// The place of the field in the index.
    pub(super) field: usize,
    /// A number that no other question of the field has.
    pub(super) number: u32,
    pub(super) node: Node<K>,
}

/// What a part asks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked<K> {
    key: K,
    /// The place of the field in the index, where a question knows it.
    field: Option<usize>,
    questions: usize,
}

/// Puts together what asks one field alone. `next` is the number of the next question.
pub(super) fn gathered<K: Key>(node: Node<K>, next: &mut u32) -> Node<K> {
    match single(node, next) {
        Node::And(parts) => Node::And(by_field(parts, Node::And, next)),
        Node::Or(parts) => Node::Or(by_field(parts, Node::Or, next)),
        Node::Not(part) => Node::Not(Box::new(gathered(*part, next))),
        other => other,
    }
}

/// The part with a number, where it asks several things of one field alone that the index reads.
fn single<K: Key>(node: Node<K>, next: &mut u32) -> Node<K> {
    let Some(Asked { field: Some(field), questions: 2.., .. }) = asked(&node) else { return node };
    let number = *next;
    *next = next.wrapping_add(1);
    Node::Single(Box::new(Single { field, number, node }))
}

/// The parts, where those that ask the same field alone are one; each group stands where its first part did.
fn by_field<K: Key>(
    parts: Box<[Node<K>]>,
    join: fn(Box<[Node<K>]>) -> Node<K>,
    next: &mut u32,
) -> Box<[Node<K>]> {
    let mut groups: Vec<(Option<K>, Vec<Node<K>>)> = Vec::new();
    for part in parts {
        let key = asked(&part).map(|asked| asked.key);
        match groups.iter_mut().find(|(known, _)| key.is_some() && *known == key) {
            Some((_, group)) => group.push(part),
            None => groups.push((key, vec![part])),
        }
    }
    let joined = groups.into_iter().map(|(_, mut group)| match group.pop() {
        Some(only) if group.is_empty() => gathered(only, next),
        last => {
            group.extend(last);
            single(join(group.into_boxed_slice()), next)
        }
    });
    joined.collect()
}

/// What a part asks, where the answer depends on the value of one field alone.
fn asked<K: Key>(node: &Node<K>) -> Option<Asked<K>> {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            let mut each = parts.iter().map(asked);
            let first = each.next()??;
            each.try_fold(first, |all, part| {
                let part = part.filter(|part| part.key == all.key)?;
                Some(Asked {
                    key: all.key,
                    field: all.field.or(part.field),
                    questions: all.questions + part.questions,
                })
            })
        }
        Node::Not(part) => asked(part),
        Node::Ask(key, tests) if tests.iter().all(Test::is_of_value) => {
            let field = Some(tests.field).filter(|field| *field != usize::MAX);
            Some(Asked { key: *key, field, questions: 1 })
        }
        Node::Null(key) | Node::Exists(key, _) => Some(Asked { key: *key, field: None, questions: 1 }),
        _ => None,
    }
}
