//! Rules: Sigma's trees compiled to a program over the fields of events.
//!
//! In: the rules of strategies, once; an event with its facts, often. Out: which rules hold for it. The program never
//! changes and keeps no state. Rules are indexed by the class of event that their log source selects, and within a
//! class by an exact value that they need (an operation, a name), so that most rules are never asked.

mod compile;
mod fold;
mod node;
mod test;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use compile::{field, rule as compile};
pub(crate) use node::Node;
pub(crate) use test::any_text;
pub(crate) use test::in_order;
pub(crate) use text::TextMatcher;

use compact_str::CompactString;
use event::file::FileOp;
use event::{Class, Event, Field};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use test::Test;

/// Number of a rule in its program.
pub(crate) type RuleIndex = usize;

/// All rules, compiled.
#[derive(Debug, Default)]
pub(crate) struct Program {
    rules: Vec<(Class, Node)>,
    by_class: Vec<ClassRules>,
}

/// The rules of one class.
#[derive(Debug, Default)]
struct ClassRules {
    /// Rules that need one of some exact values of a field.
    gated: Vec<(Field, FxHashMap<CompactString, Vec<RuleIndex>>)>,
    /// Rules that are asked of each event.
    always: Vec<RuleIndex>,
}

impl Program {
    /// Indexes `rules`.
    pub(crate) fn new(rules: Vec<(Class, Node)>) -> Self {
        let mut by_class: Vec<ClassRules> = Class::ALL.iter().map(|_| ClassRules::default()).collect();
        for (index, (class, node)) in rules.iter().enumerate() {
            if let Some(of_class) = by_class.get_mut(*class as usize) {
                of_class.add(index, node);
            }
        }
        Self { rules, by_class }
    }

    /// Appends the rules that hold for `event`, in their order.
    pub(crate) fn judge(&self, event: &Event, out: &mut SmallVec<[RuleIndex; 4]>) {
        let Some(of_class) = self.by_class.get(event.class() as usize) else { return };
        let holds = |index: &&RuleIndex| self.rules.get(**index).is_some_and(|(_, node)| node.holds(event));
        out.extend(of_class.always.iter().filter(holds).copied());
        for (field, rules) in &of_class.gated {
            let candidates = match field.of(event) {
                event::Value::Str(text) => folded(text, |text| rules.get(text)),
                event::Value::Owned(text) => folded(&text, |text| rules.get(text)),
                _ => None,
            };
            out.extend(candidates.into_iter().flatten().filter(holds).copied());
        }
        if out.len() > 1 {
            out.sort_unstable();
        }
    }

    /// The fields that the rules of each class read.
    pub(crate) fn fields(&self) -> BTreeMap<Class, BTreeSet<Field>> {
        let mut fields: BTreeMap<Class, BTreeSet<Field>> = BTreeMap::new();
        for (class, node) in &self.rules {
            let of_class = fields.entry(*class).or_default();
            node.visit(&mut |field, _| {
                of_class.insert(field);
            });
        }
        fields
    }

    /// The operations that the rules of a class can hold for; `None` where one of them asks for no operation.
    pub(crate) fn operations(&self, class: Class) -> Option<BTreeSet<CompactString>> {
        let mut operations = BTreeSet::new();
        for (_, node) in self.rules.iter().filter(|(own, _)| *own == class) {
            let (_, texts) = node.gate(|field| field == Field::EventOperation)?;
            operations.extend(texts.into_iter().map(CompactString::from));
        }
        Some(operations)
    }

    /// Last components of the paths that rules about reads name: what a sensor of reads can watch by name.
    pub(crate) fn file_names(&self) -> BTreeSet<CompactString> {
        const PATHS: [Field; 4] =
            [Field::TargetFilename, Field::FileName, Field::FileHostPath, Field::FactHostPath];
        let mut names = BTreeSet::new();
        let reads = |node: &Node| {
            let operations = node.gate(|field| field == Field::EventOperation);
            operations.is_none_or(|(_, texts)| texts.iter().any(|text| *text == FileOp::OpenRead.as_str()))
        };
        let rules = self.rules.iter().filter(|(class, node)| *class == Class::FileEvent && reads(node));
        for (_, node) in rules {
            node.visit(&mut |field, tests| {
                let texts = tests.iter().filter_map(|test| match test {
                    Test::Text(matcher) if PATHS.contains(&field) => matcher.suffix(),
                    _ => None,
                });
                let bases = texts.filter_map(|text| text.rsplit('/').next());
                names.extend(bases.filter(|base| !base.is_empty()).map(CompactString::from));
            });
        }
        names
    }
}

/// Looks up `text`, folded.
fn folded<T>(text: &str, look_up: impl Fn(&str) -> Option<T>) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return look_up(text);
    }
    look_up(&fold::fold_text(text))
}

impl ClassRules {
    fn add(&mut self, index: RuleIndex, node: &Node) {
        // Only what is one text of one event: a member of a list would be a second look-up.
        let selective =
            |field| matches!(field, Field::ProcessName | Field::SyscallName | Field::DnsQuery | Field::Image);
        let gate = node.gate(selective).or_else(|| node.gate(|field| field == Field::EventOperation));
        let Some((field, texts)) = gate else {
            self.always.push(index);
            return;
        };
        let slot = match self.gated.iter().position(|(known, _)| *known == field) {
            Some(slot) => slot,
            None => {
                self.gated.push((field, FxHashMap::default()));
                self.gated.len() - 1
            }
        };
        let Some((_, rules)) = self.gated.get_mut(slot) else { return };
        for text in texts {
            let of_text: &mut Vec<RuleIndex> = rules.entry(text.into()).or_default();
            if of_text.last() != Some(&index) {
                of_text.push(index);
            }
        }
    }
}
