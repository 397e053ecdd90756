//! Rules: Sigma's trees compiled to a program over the fields of events.
//!
//! In: rules, once; events, often. Out: which rules hold for an event. The program never changes and keeps no state. It
//! is one for typed events (whose unknown fields are errors) and for JSON with any names: `record` says what it reads.
//!
//! | module | does |
//! |---|---|
//! | `compile`, `falco` | trees of rules to trees of questions |
//! | `node`, `test`, `text`, `time`, `fold` | the questions |
//! | `clause` | conditions as alternatives |
//! | `witness` | what must stand in an event for a clause to hold |
//! | `index`, `literal`, `names`, `pairs` | find the clauses whose witness stands in an event: the others are not asked |
//! | `single` | parts of a condition that ask one field alone |
//! | `marks`, `memo` | what is known of the event that is judged, and of values that come again |
//! | `record`, `typed` | fields of events |

mod clause;
mod compile;
mod falco;
mod fold;
mod index;
mod literal;
mod marks;
mod memo;
mod names;
mod node;
mod pairs;
mod placeholder;
mod record;
mod single;
mod test;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod time;
mod typed;
mod witness;

pub(crate) use compile::{Compiler, Judging, rule as compile};
pub(crate) use falco::node as falco_node;
pub(crate) use marks::Marks;
pub(crate) use node::Node;
pub use placeholder::Placeholders;
pub(crate) use record::{Alone, Key, Presence, Record, Scalar, Schema};
pub(crate) use test::in_order;
pub(crate) use text::TextMatcher;
pub(crate) use typed::{Catalogue as Typed, Sensed, field};

use clause::{Clause, Draft};
use event::{Class, Event, Field, Value};
use index::Index;
use smallvec::SmallVec;

/// Number of a rule in its program.
pub(crate) type RuleIndex = usize;

/// Rules that hold for one event.
pub(crate) type Rules = SmallVec<[RuleIndex; 4]>;

/// Rules over one kind of record, compiled and indexed.
#[derive(Debug)]
pub(crate) struct RuleSet<K> {
    nodes: Vec<Node<K>>,
    clauses: Vec<Clause<K>>,
    index: Index<K>,
}

impl<K: Key> RuleSet<K> {
    /// Indexes `nodes`.
    pub(crate) fn new(mut nodes: Vec<Node<K>>) -> Self {
        let each = nodes.iter().enumerate();
        let drafts: Vec<Draft> = each.flat_map(|(rule, node)| Draft::all_of(rule, node)).collect();
        let parts = drafts.iter().map(|draft| {
            let node = nodes.get(draft.rule);
            node.map(|node| draft.parts(node).collect()).unwrap_or_default()
        });
        let index = Index::new(&parts.collect::<Vec<_>>());
        let mut next = 0;
        nodes.iter_mut().for_each(|node| node.place(&mut next, &|key| index.place(key)));
        let numbered = drafts.into_iter().enumerate();
        let clauses = numbered
            .filter_map(|(number, draft)| {
                let node = nodes.get_mut(draft.rule)?;
                Some(draft.finish(node, index.proven(number), &mut next))
            })
            .collect();
        Self { index, clauses, nodes }
    }

    /// Calls `holds` with the rules that hold for `record`, in no order, and with some of them more than once.
    pub(crate) fn judge<R: Record<K>>(
        &self,
        record: &R,
        marks: &mut Marks,
        mut holds: impl FnMut(RuleIndex),
    ) {
        self.index.candidates(record, marks, |clause, prepared| {
            let Some(clause) = self.clauses.get(clause as usize) else { return };
            if clause.parts.iter().all(|part| part.holds(prepared)) {
                holds(clause.rule);
            }
        });
    }

    /// The rules that hold for `record`, by asking each.
    pub(crate) fn judge_each<R: Record<K>>(&self, record: &R) -> impl Iterator<Item = RuleIndex> {
        let asked = self.nodes.iter().enumerate().filter(move |(_, node)| node.holds(record));
        asked.map(|(rule, _)| rule)
    }

    /// Whether a rule asks for a value anywhere in the event.
    pub(crate) fn has_keywords(&self) -> bool {
        let mut has = false;
        self.nodes.iter().for_each(|node| node.visit(&mut |key, _| has |= key.is_none()));
        has
    }

    /// The rules that are asked about every event, since nothing is known that must stand in it.
    pub(crate) fn always(&self) -> impl Iterator<Item = RuleIndex> {
        let clauses = self.index.always().iter().filter_map(|clause| self.clauses.get(*clause as usize));
        let mut last = None;
        clauses.map(|clause| clause.rule).filter(move |rule| last.replace(*rule) != Some(*rule))
    }
}

/// Rules over typed events, by the class of event that their log source selects.
#[derive(Debug, Default)]
pub(crate) struct Program {
    by_class: Vec<ClassRules>,
}

/// Marks of events, by class.
#[derive(Debug, Default)]
pub(crate) struct ClassMarks(Vec<Marks>);

/// The rules of one class.
#[derive(Debug)]
struct ClassRules {
    rules: RuleSet<Field>,
    /// By number in `rules`: number in the program.
    numbers: Vec<RuleIndex>,
}

impl Program {
    /// Sorts `rules` by class and indexes them. A rule's number is its place.
    pub(crate) fn new(rules: Vec<(Class, Node<Field>)>) -> Self {
        Self::numbered(rules.into_iter().enumerate())
    }

    /// The same for rules with a number each; one number may stand for several classes.
    pub(crate) fn numbered(rules: impl Iterator<Item = (RuleIndex, (Class, Node<Field>))>) -> Self {
        let mut sorted: Vec<(Vec<RuleIndex>, Vec<Node<Field>>)> =
            Class::ALL.iter().map(|_| (Vec::new(), Vec::new())).collect();
        for (number, (class, node)) in rules {
            if let Some((numbers, nodes)) = sorted.get_mut(class as usize)
                && let Some(node) = typed::settled(node, class)
            {
                numbers.push(number);
                nodes.push(node);
            }
        }
        let of_class = |(numbers, nodes)| ClassRules { numbers, rules: RuleSet::new(nodes) };
        Self { by_class: sorted.into_iter().map(of_class).collect() }
    }

    /// The classes that have rules.
    pub(crate) fn classes(&self) -> Vec<Class> {
        let with_rules = Class::ALL.iter().zip(&self.by_class).filter(|(_, rules)| !rules.numbers.is_empty());
        with_rules.map(|(class, _)| *class).collect()
    }

    /// Appends the rules that hold for `event`, in their order.
    pub(crate) fn judge(&self, event: &Event, marks: &mut ClassMarks, out: &mut Rules) {
        let class = event.class() as usize;
        let Some(ClassRules { rules, numbers }) = self.by_class.get(class) else { return };
        if marks.0.len() < self.by_class.len() {
            marks.0.resize_with(self.by_class.len(), Marks::default);
        }
        let Some(marks) = marks.0.get_mut(class) else { return };
        rules.judge(event, marks, |rule| out.extend(numbers.get(rule).copied()));
        if out.len() > 1 {
            out.sort_unstable();
            out.dedup();
        }
    }
}

/// Whether `holds` holds for the text of the value, or of one of its members.
pub(crate) fn any_text(value: &Value<'_>, mut holds: impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::List(items) => items.iter().any(|item| holds(item)),
        Value::Absent => false,
        one => holds(&one.to_text()),
    }
}
