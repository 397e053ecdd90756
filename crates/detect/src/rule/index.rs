//! Which rules an event can match: those whose witness stands in it, and those that have none.
//!
//! In: compiled conditions, once; records, often. Out: candidates, each once. By field there is one look-up of the
//! value's last component and one pass for literals over the value; values of the whole event are passed over where
//! rules have keywords. So an event costs about what it can match, however many rules there are.

use super::fold::fold_text;
use super::literal::Literals;
use super::node::Node;
use super::record::{Key, Record};
use super::witness::{self, What};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The witnesses of all rules.
#[derive(Debug)]
pub(crate) struct Index<K> {
    fields: Vec<(K, FieldIndex)>,
    /// Literals in any value.
    anywhere: Option<FieldIndex>,
    /// Rules that are asked about each event.
    always: Vec<usize>,
    rules: usize,
}

/// The witnesses in one field.
#[derive(Debug, Default)]
struct FieldIndex {
    names: FxHashMap<Box<str>, Vec<usize>>,
    literals: Literals,
}

/// Witnesses while they are gathered.
#[derive(Default)]
struct Gathered {
    names: FxHashMap<Box<str>, Vec<usize>>,
    literals: BTreeMap<String, Vec<usize>>,
}

impl<K: Key> Index<K> {
    /// Indexes `nodes` by their place.
    pub(super) fn new(nodes: &[Node<K>]) -> Self {
        let mut gathered: BTreeMap<Option<K>, Gathered> = BTreeMap::new();
        let mut always = Vec::new();
        for (rule, node) in nodes.iter().enumerate() {
            let Some(wants) = witness::of(node) else {
                always.push(rule);
                continue;
            };
            for want in wants {
                let field = gathered.entry(want.key).or_default();
                let rules = match want.what {
                    What::Name(name) => field.names.entry(name.into_boxed_str()).or_default(),
                    What::Literal(text) => field.literals.entry(text).or_default(),
                };
                if rules.last() != Some(&rule) {
                    rules.push(rule);
                }
            }
        }
        let ready = |gathered: Gathered| FieldIndex {
            names: gathered.names,
            literals: Literals::new(gathered.literals),
        };
        let anywhere = gathered.remove(&None).map(ready);
        let fields = gathered.into_iter().filter_map(|(key, found)| Some((key?, ready(found)))).collect();
        Self { fields, anywhere, always, rules: nodes.len() }
    }

    /// Marks the rules that `record` can match.
    pub(super) fn candidates<R: Record<K>>(&self, record: &R, marks: &mut Marks) {
        marks.make_room(self.rules);
        self.always.iter().for_each(|rule| marks.add(*rule));
        for (key, field) in &self.fields {
            record.any(*key, |value| {
                value.is_text(|text| {
                    field.candidates(text, marks);
                    false
                })
            });
        }
        if let Some(anywhere) = &self.anywhere {
            record.any_value(|value| {
                value.is_text(|text| {
                    anywhere.candidates(text, marks);
                    false
                })
            });
        }
    }

    /// How many rules have no witness.
    pub(super) fn always(&self) -> usize {
        self.always.len()
    }
}

impl FieldIndex {
    fn candidates(&self, text: &str, marks: &mut Marks) {
        if !text.is_ascii() {
            return self.candidates_in_folded(&fold_text(text), marks);
        }
        if !self.names.is_empty() {
            let name = last_component(text);
            let rules = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.names.get(name.to_ascii_lowercase().as_str())
            } else {
                self.names.get(name)
            };
            rules.into_iter().flatten().for_each(|rule| marks.add(*rule));
        }
        self.literals.find(text.as_bytes(), &mut |rule| marks.add(rule));
    }

    fn candidates_in_folded(&self, text: &str, marks: &mut Marks) {
        let rules = self.names.get(last_component(text));
        rules.into_iter().flatten().for_each(|rule| marks.add(*rule));
        self.literals.find(text.as_bytes(), &mut |rule| marks.add(rule));
    }
}

/// What follows the last `/` or `\`.
fn last_component(text: &str) -> &str {
    let at = memchr::memrchr2(b'/', b'\\', text.as_bytes()).map_or(0, |at| at + 1);
    text.get(at..).unwrap_or(text)
}

/// The candidates for one event: each once. Kept by the caller, so that no event allocates.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    marked: Vec<u64>,
    rules: Vec<usize>,
}

impl Marks {
    fn make_room(&mut self, rules: usize) {
        if self.marked.len() * 64 < rules {
            self.marked.resize(rules.div_ceil(64), 0);
        }
    }

    fn add(&mut self, rule: usize) {
        let bit = 1 << (rule % 64);
        if let Some(word) = self.marked.get_mut(rule / 64)
            && *word & bit == 0
        {
            *word |= bit;
            self.rules.push(rule);
        }
    }

    /// Calls `see` with each rule, and forgets it.
    pub(super) fn drain(&mut self, mut see: impl FnMut(usize)) {
        for rule in self.rules.drain(..) {
            if let Some(word) = self.marked.get_mut(rule / 64) {
                *word &= !(1 << (rule % 64));
            }
            see(rule);
        }
    }
}
