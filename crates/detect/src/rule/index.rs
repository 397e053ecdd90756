//! Which clauses an event can match: those whose witness stands in it, and those that have none.
//!
//! In: clauses of compiled conditions, once; records, often. Out: candidates, each once: clauses of whose witnesses every
//! group stands in the record. By field there is one look-up of the value's last component, one of its end and one pass
//! for literals over it; values of the whole event are passed over where rules have keywords. So an event costs about
//! what it can match, however many rules there are.

use super::fold::fold_text;
use super::literal::Literals;
use super::names::{Ends, Names};
use super::node::Node;
use super::pairs::Pairs;
use super::record::{Key, Record, Scalar};
use super::witness::{self, Group, What, whole};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A mark is the number of a clause times this, and the number of a group of its witnesses.
const GROUPS: u32 = 8;
const _: () = assert!(witness::GROUPS_LIMIT <= GROUPS as usize);

/// The witnesses of all clauses.
#[derive(Debug)]
pub(crate) struct Index<K> {
    fields: Vec<(K, FieldIndex)>,
    /// Literals in any value.
    anywhere: Option<FieldIndex>,
    /// Clauses that are asked about each event.
    always: Vec<u32>,
    /// By clause: its groups of witnesses, a bit each.
    needs: Vec<u8>,
    /// By clause: the parts of which nothing is left to ask where all its witnesses stand, a bit each.
    proven: Vec<u64>,
}

/// The witnesses in one field.
#[derive(Debug, Default)]
struct FieldIndex {
    names: Names,
    ends: Ends,
    pairs: Pairs,
    literals: Literals,
    numbers: FxHashMap<i64, Box<[u32]>>,
    /// Where the value is not ASCII.
    foreign: Box<[u32]>,
    /// Where there is any value.
    present: Box<[u32]>,
    has_texts: bool,
}

/// Witnesses while they are gathered.
#[derive(Default)]
struct Gathered {
    names: BTreeMap<String, Vec<u32>>,
    ends: BTreeMap<String, Vec<u32>>,
    pairs: BTreeMap<[u8; 2], Vec<u32>>,
    literals: BTreeMap<String, Vec<u32>>,
    numbers: BTreeMap<i64, Vec<u32>>,
    foreign: Vec<u32>,
    present: Vec<u32>,
}

impl<K: Key> Index<K> {
    /// Indexes clauses, each the parts that must all hold, by their place.
    pub(super) fn new(clauses: &[Vec<&Node<K>>]) -> Self {
        let mut gathered: BTreeMap<Option<K>, Gathered> = BTreeMap::new();
        let (mut always, mut needs, mut proven) = (Vec::new(), Vec::new(), Vec::new());
        let all: Vec<Vec<Group<K>>> = clauses.iter().map(|parts| witness::groups_of(parts)).collect();
        let passed_over = witness::passed_over(&all);
        for (clause, groups) in (0_u32..).zip(all) {
            let groups = witness::choose(groups, &passed_over);
            if groups.is_empty() {
                always.push(clause);
            }
            needs.push((1 << groups.len()) - 1);
            proven
                .push(groups.iter().filter_map(|group| group.proves).fold(0, |bits, part| bits | 1 << part));
            let wants = (0..).zip(groups).flat_map(|(number, group): (u32, Group<K>)| {
                group.wants.into_iter().map(move |want| (number, want))
            });
            for (group, want) in wants {
                let marks = gathered.entry(want.key).or_default().marks(want.what);
                let mark = clause * GROUPS + group;
                if marks.last() != Some(&mark) {
                    marks.push(mark);
                }
            }
        }
        let anywhere = gathered.remove(&None).map(FieldIndex::new);
        let fields =
            gathered.into_iter().filter_map(|(key, found)| Some((key?, FieldIndex::new(found)))).collect();
        Self { fields, anywhere, always, needs, proven }
    }

    /// Calls `see` with each clause that `record` can match, and with the parts of it that need not be asked.
    pub(super) fn candidates<R: Record<K>>(
        &self,
        record: &R,
        marks: &mut Marks,
        mut see: impl FnMut(u32, u64),
    ) {
        self.mark(record, marks);
        for clause in marks.touched.drain(..) {
            let at = clause as usize;
            let seen = marks.seen.get_mut(at).map(std::mem::take);
            if seen.as_ref() == self.needs.get(at) {
                see(clause, self.proven.get(at).copied().unwrap_or(0));
            }
        }
        self.always.iter().for_each(|clause| see(*clause, 0));
    }

    /// Marks the witnesses that stand in `record`.
    fn mark<R: Record<K>>(&self, record: &R, marks: &mut Marks) {
        marks.make_room(self.needs.len());
        for (key, field) in &self.fields {
            record.any(*key, |value| {
                field.candidates(value, marks);
                false
            });
        }
        if let Some(anywhere) = &self.anywhere {
            record.any_value(|value| {
                anywhere.candidates(value, marks);
                false
            });
        }
    }

    /// The clauses that have no witness.
    pub(super) fn always(&self) -> &[u32] {
        &self.always
    }
}

impl Gathered {
    fn marks(&mut self, what: What) -> &mut Vec<u32> {
        match what {
            What::Name(name) => self.names.entry(name).or_default(),
            What::End(text) => self.ends.entry(text).or_default(),
            What::Pair(pair) => self.pairs.entry(pair).or_default(),
            What::Literal(text) => self.literals.entry(text).or_default(),
            What::Number(number) => self.numbers.entry(number).or_default(),
            What::Foreign => &mut self.foreign,
            What::Present => &mut self.present,
        }
    }
}

impl FieldIndex {
    fn new(gathered: Gathered) -> Self {
        let Gathered { names, ends, pairs, literals, numbers, foreign, present } = gathered;
        let has_lists = !pairs.is_empty() || !foreign.is_empty();
        let has_texts = !names.is_empty() || !ends.is_empty() || !literals.is_empty() || has_lists;
        let numbers = numbers.into_iter().map(|(number, marks)| (number, marks.into_boxed_slice()));
        Self {
            names: Names::new(names),
            ends: Ends::new(ends),
            pairs: Pairs::new(pairs),
            literals: Literals::new(literals),
            numbers: numbers.collect(),
            foreign: foreign.into_boxed_slice(),
            present: present.into_boxed_slice(),
            has_texts,
        }
    }

    #[inline]
    fn candidates(&self, value: Scalar<'_>, marks: &mut Marks) {
        marks.add_all(&self.present);
        if !self.numbers.is_empty()
            && let Some(found) = value.number().and_then(whole).and_then(|number| self.numbers.get(&number))
        {
            marks.add_all(found);
        }
        if self.has_texts {
            value.is_text(|text| {
                self.candidates_of_text(text, marks);
                false
            });
        }
    }

    fn candidates_of_text(&self, text: &str, marks: &mut Marks) {
        if text.is_ascii() {
            return self.candidates_of_folded(text, marks);
        }
        marks.add_all(&self.foreign);
        self.candidates_of_folded(&fold_text(text), marks);
    }

    /// Of a text that is ASCII, or folded.
    #[inline]
    fn candidates_of_folded(&self, text: &str, marks: &mut Marks) {
        marks.add_all(self.names.find(text));
        self.ends.find(text, &mut |mark| marks.add(mark));
        self.pairs.find(text.as_bytes(), &mut |mark| marks.add(mark));
        self.literals.find(text.as_bytes(), &mut |mark| marks.add(mark));
    }
}

/// Marks of one event: which witnesses of which clauses stand in it. Kept by the caller, so that no event allocates.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// By clause: the groups of which a witness was seen, a bit each.
    seen: Vec<u8>,
    /// Clauses of which one was seen.
    touched: Vec<u32>,
}

impl Marks {
    fn make_room(&mut self, clauses: usize) {
        if self.seen.len() < clauses {
            self.seen.resize(clauses, 0);
        }
    }

    #[inline]
    fn add_all(&mut self, marks: &[u32]) {
        marks.iter().for_each(|mark| self.add(*mark));
    }

    #[inline]
    fn add(&mut self, mark: u32) {
        let (clause, group) = (mark / GROUPS, mark % GROUPS);
        if let Some(seen) = self.seen.get_mut(clause as usize) {
            if *seen == 0 {
                self.touched.push(clause);
            }
            *seen |= 1 << group;
        }
    }
}
