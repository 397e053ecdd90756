//! Conditions as alternatives, each with a witness of its own.
//!
//! In: the compiled condition of a rule. Out: its clauses: it holds where one of them does, and a clause where all of its
//! parts do. An `or` whose parts ask for different things together becomes clauses, so that an event that can match one
//! of them is asked about that one alone; other parts stay whole. A rule has few clauses, whatever its condition.

use super::node::Node;
use super::record::Key;
use super::single::gathered;
use super::witness::is_proven;
use std::sync::Arc;

/// Most clauses of a rule.
const CLAUSES_LIMIT: usize = 32;

/// A part of a condition: where it stands, from the outermost node inwards.
type Path = Vec<u16>;

/// An alternative of a rule, while its parts still stand in the condition alone.
#[derive(Debug)]
pub(super) struct Draft {
    /// The rule's number.
    pub(super) rule: usize,
    parts: Vec<Path>,
}

/// An alternative of a rule, and what of it is to be asked.
#[derive(Debug)]
pub(super) struct Clause<K> {
    /// The rule's number.
    pub(super) rule: usize,
    /// Shared with the condition, so that they are asked without a way through it.
    pub(super) parts: Box<[Arc<Node<K>>]>,
}

impl Draft {
    /// The clauses of the rule of this number.
    pub(super) fn all_of<K: Key>(rule: usize, node: &Node<K>) -> impl Iterator<Item = Self> {
        let clause = move |parts: Vec<Path>| Self { rule, parts };
        split(node, Vec::new()).into_iter().map(clause)
    }

    /// Its parts in the condition of its rule.
    pub(super) fn parts<'n, K>(&self, node: &'n Node<K>) -> impl Iterator<Item = &'n Node<K>> {
        self.parts.iter().filter_map(move |path| {
            path.iter().try_fold(node, |node, number| match node {
                Node::And(parts) | Node::Or(parts) => parts.get(usize::from(*number)),
                _ => None,
            })
        })
    }

    /// The clause, whose parts are shared with the condition of its rule from now on. Those whose bits are set are asked
    /// no more. `next` is the number of the next question.
    pub(super) fn finish<K: Key>(self, node: &mut Node<K>, proven: u64, next: &mut u32) -> Clause<K> {
        let is_left = |number: u32| proven.checked_shr(number).is_none_or(|bits| bits & 1 == 0);
        let left = (0..).zip(&self.parts).filter(|(number, _)| is_left(*number));
        let parts = left.filter_map(|(_, path)| shared(node, path, next)).collect();
        Clause { rule: self.rule, parts }
    }
}

/// The node at `path`, which is shared from now on. No part of a rule stands within another, as all of its clauses take
/// the same nodes apart.
fn shared<K: Key>(node: &mut Node<K>, path: &[u16], next: &mut u32) -> Option<Arc<Node<K>>> {
    let part = path.iter().try_fold(node, |node, number| match node {
        Node::And(parts) | Node::Or(parts) => parts.get_mut(usize::from(*number)),
        _ => None,
    })?;
    if let Node::Shared(part) = part {
        return Some(part.clone());
    }
    let own = Arc::new(gathered(std::mem::replace(part, Node::Or(Box::default())), next));
    *part = Node::Shared(own.clone());
    Some(own)
}

/// The alternatives of `node`, which stands at `path`: the parts of each.
fn split<K: Key>(node: &Node<K>, path: Path) -> Vec<Vec<Path>> {
    let below = |number: usize| {
        let mut path = path.clone();
        path.push(u16::try_from(number).ok()?);
        Some(path)
    };
    let whole = || vec![vec![path.clone()]];
    match node {
        Node::Or(parts) if !is_proven(node) && parts.len() <= CLAUSES_LIMIT => {
            let each = parts.iter().enumerate().map(|(number, part)| Some(split(part, below(number)?)));
            let all: Option<Vec<_>> = each.collect();
            let clauses = all.map(|all| all.concat()).unwrap_or_default();
            if clauses.is_empty() || clauses.len() > CLAUSES_LIMIT { whole() } else { clauses }
        }
        Node::And(parts) => {
            let mut clauses = vec![Vec::new()];
            for (number, part) in parts.iter().enumerate() {
                let Some(place) = below(number) else { return whole() };
                let mut choices = if is_of_clauses(part) { split(part, place.clone()) } else { Vec::new() };
                if choices.is_empty() || clauses.len() * choices.len() > CLAUSES_LIMIT {
                    choices = vec![vec![place]];
                }
                clauses = clauses
                    .iter()
                    .flat_map(|clause| choices.iter().map(move |choice| [&**clause, choice].concat()))
                    .collect();
            }
            clauses
        }
        _ => whole(),
    }
}

/// Whether something within an `and` gains by being taken apart: it asks for several things together.
fn is_of_clauses<K>(node: &Node<K>) -> bool {
    matches!(node, Node::Or(parts) if parts.iter().any(|part| matches!(part, Node::And(_))))
}
