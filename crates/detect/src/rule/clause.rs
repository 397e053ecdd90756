//! Conditions as alternatives, each with a witness of its own.
//!
//! In: the compiled condition of a rule. Out: its clauses: it holds where one of them does, and a clause where all of its
//! parts do. An `or` whose parts ask for different things together becomes clauses, so that an event that can match one
//! of them is asked about that one alone; other parts stay whole. A rule has few clauses, whatever its condition.

use super::node::Node;
use super::record::Key;
use super::witness::is_proven;

/// Most clauses of a rule.
const CLAUSES_LIMIT: usize = 32;

/// A part of a condition: where it stands, from the outermost node inwards.
type Path = Vec<u16>;

/// An alternative of a rule.
#[derive(Debug)]
pub(super) struct Clause {
    /// The rule's number.
    pub(super) rule: usize,
    parts: Box<[Box<[u16]>]>,
}

impl Clause {
    /// The clauses of the rule of this number.
    pub(super) fn all_of<K: Key>(rule: usize, node: &Node<K>) -> impl Iterator<Item = Self> {
        let clause = move |parts: Vec<Path>| Self {
            rule,
            parts: parts.into_iter().map(Vec::into_boxed_slice).collect(),
        };
        split(node, Vec::new()).into_iter().map(clause)
    }

    /// Asks no more for the parts whose bits are set.
    pub(super) fn drop_parts(&mut self, proven: u64) {
        let is_left = |number: u32| proven.checked_shr(number).is_none_or(|bits| bits & 1 == 0);
        let parts = std::mem::take(&mut self.parts).into_vec();
        self.parts = (0..).zip(parts).filter(|(number, _)| is_left(*number)).map(|(_, part)| part).collect();
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
