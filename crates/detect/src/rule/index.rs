//! Which rules an event can match: those whose witness stands in it, and those that have none.
//!
//! In: compiled conditions, once; records, often. Out: candidates, each once: rules of whose witnesses every group stands
//! in the record. By field there is one look-up of the
//! value's last component and one pass for literals over the value; values of the whole event are passed over where
//! rules have keywords. So an event costs about what it can match, however many rules there are.

use super::fold::fold_text;
use super::literal::Literals;
use super::node::Node;
use super::record::{Key, Record};
use super::witness::{self, Group, What};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A mark is the number of a rule times this, and the number of a group of its witnesses.
const GROUPS: usize = 8;
const _: () = assert!(witness::GROUPS_LIMIT <= GROUPS);

/// The witnesses of all rules.
#[derive(Debug)]
pub(crate) struct Index<K> {
    fields: Vec<(K, FieldIndex)>,
    /// Literals in any value.
    anywhere: Option<FieldIndex>,
    /// Rules that are asked about each event.
    always: Vec<usize>,
    /// By rule: its groups of witnesses, a bit each.
    needs: Vec<u8>,
    /// By rule: the parts of which nothing is left to ask where all its witnesses stand, a bit each.
    proven: Vec<u64>,
}

/// The witnesses in one field.
#[derive(Debug, Default)]
struct FieldIndex {
    /// Marks by name.
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
        let (mut always, mut needs, mut proven) = (Vec::new(), Vec::new(), Vec::new());
        let all: Vec<Vec<Group<K>>> = nodes.iter().map(witness::groups_of).collect();
        let passed_over = witness::passed_over(&all);
        for (rule, groups) in all.into_iter().enumerate() {
            let groups = witness::choose(groups, &passed_over);
            if groups.is_empty() {
                always.push(rule);
            }
            needs.push((1 << groups.len()) - 1);
            proven
                .push(groups.iter().filter_map(|group| group.proves).fold(0, |bits, part| bits | 1 << part));
            let wants = (0..).zip(groups).flat_map(|(number, group): (usize, Group<K>)| {
                group.wants.into_iter().map(move |want| (number, want))
            });
            for (group, want) in wants {
                let mark = rule * GROUPS + group;
                let field = gathered.entry(want.key).or_default();
                let marks = match want.what {
                    What::Name(name) => field.names.entry(name.into_boxed_str()).or_default(),
                    What::Literal(text) => field.literals.entry(text).or_default(),
                };
                if marks.last() != Some(&mark) {
                    marks.push(mark);
                }
            }
        }
        let ready = |gathered: Gathered| FieldIndex {
            names: gathered.names,
            literals: Literals::new(gathered.literals),
        };
        let anywhere = gathered.remove(&None).map(ready);
        let fields = gathered.into_iter().filter_map(|(key, found)| Some((key?, ready(found)))).collect();
        Self { fields, anywhere, always, needs, proven }
    }

    /// Calls `see` with each rule that `record` can match, and with the parts of it that need not be asked.
    pub(super) fn candidates<R: Record<K>>(
        &self,
        record: &R,
        marks: &mut Marks,
        mut see: impl FnMut(usize, u64),
    ) {
        self.mark(record, marks);
        for rule in marks.touched.drain(..) {
            let seen = marks.seen.get_mut(rule).map(std::mem::take);
            if seen.as_ref() == self.needs.get(rule) {
                see(rule, self.proven.get(rule).copied().unwrap_or(0));
            }
        }
        self.always.iter().for_each(|rule| see(*rule, 0));
    }

    /// Marks the witnesses that stand in `record`.
    fn mark<R: Record<K>>(&self, record: &R, marks: &mut Marks) {
        marks.make_room(self.needs.len());
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

    /// The rules that have no witness.
    pub(super) fn always(&self) -> &[usize] {
        &self.always
    }
}

impl FieldIndex {
    fn candidates(&self, text: &str, marks: &mut Marks) {
        if !text.is_ascii() {
            return self.candidates_in_folded(&fold_text(text), marks);
        }
        if !self.names.is_empty() {
            let name = last_component(text);
            let found = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.names.get(name.to_ascii_lowercase().as_str())
            } else {
                self.names.get(name)
            };
            found.into_iter().flatten().for_each(|mark| marks.add(*mark));
        }
        self.literals.find(text.as_bytes(), &mut |mark| marks.add(mark));
    }

    fn candidates_in_folded(&self, text: &str, marks: &mut Marks) {
        let found = self.names.get(last_component(text));
        found.into_iter().flatten().for_each(|mark| marks.add(*mark));
        self.literals.find(text.as_bytes(), &mut |mark| marks.add(mark));
    }
}

/// The last `/` or `\` and what follows it; the whole text where there is neither.
fn last_component(text: &str) -> &str {
    let at = memchr::memrchr2(b'/', b'\\', text.as_bytes()).unwrap_or(0);
    text.get(at..).unwrap_or(text)
}

/// Marks of one event: which witnesses of which rules stand in it. Kept by the caller, so that no event allocates.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// By rule: the groups of which a witness was seen, a bit each.
    seen: Vec<u8>,
    /// Rules of which one was seen.
    touched: Vec<usize>,
}

impl Marks {
    fn make_room(&mut self, rules: usize) {
        if self.seen.len() < rules {
            self.seen.resize(rules, 0);
        }
    }

    #[inline]
    fn add(&mut self, mark: usize) {
        let (rule, group) = (mark / GROUPS, mark % GROUPS);
        if let Some(seen) = self.seen.get_mut(rule) {
            if *seen == 0 {
                self.touched.push(rule);
            }
            *seen |= 1 << group;
        }
    }
}
