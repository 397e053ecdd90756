//! Which clauses an event can match: those whose witness stands in it, and those that have none.
//!
//! In: clauses of compiled conditions, once; records, often. Out: candidates: clauses of whose witnesses every group
//! stands in the record. Only a clause's rarest group leads to it; whether one of another group stands is a bit, which
//! clauses share that ask for the same. By field there is one look-up of the value's last component, one each of its end
//! and its start, and one pass for literals over it; values of the whole event are passed over where rules have keywords. So an event costs
//! about what it can match, however many rules there are; and a value that came before costs a look-up (`memo`).

use super::literal::Literals;
use super::marks::{Find, Marks, Prepared, has_stood};
use super::names::{Ends, Names, Starts};
use super::node::Node;
use super::pairs::Pairs;
use super::record::{Alone, Key, Record, Scalar, bool_text};
use super::witness::{self, BESIDE_LIMIT, Group, Want, What, whole};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// A mark is the number of a clause, or the number of a group of further witnesses with this bit.
pub(super) const GROUP: u32 = 1 << 31;
/// Most names, ends and numbers of a field whose values are not remembered.
const CHEAP_LIMIT: usize = 4;

/// The witnesses of all clauses.
#[derive(Debug)]
pub(crate) struct Index<K> {
    /// A number that no other index has.
    id: u64,
    fields: Vec<(K, FieldIndex)>,
    /// By number of a key: its place in `fields`, or one behind them.
    places: Vec<usize>,
    /// Literals in any value.
    anywhere: Option<FieldIndex>,
    /// Clauses that are asked about each event.
    always: Vec<u32>,
    /// By clause: the groups of which a witness must stand too; 0 for none.
    needs: Vec<[u32; BESIDE_LIMIT]>,
    /// How many groups there are, 0 included.
    groups: usize,
    /// By clause: the parts of which nothing is left to ask where all its witnesses stand, a bit each.
    proven: Vec<u64>,
}

/// The number of the next index. 0 is that of none.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The witnesses in one field.
#[derive(Debug, Default)]
struct FieldIndex {
    names: Names,
    ends: Ends,
    starts: Starts,
    pairs: Pairs,
    literals: Literals,
    numbers: FxHashMap<i64, Box<[u32]>>,
    /// Where the value is not ASCII.
    foreign: Box<[u32]>,
    /// Where there is any value.
    present: Box<[u32]>,
    /// Where the value is no, or yes.
    of_bool: [Box<[u32]>; 2],
    has_texts: bool,
    /// Length of the shortest text in which anything may stand.
    shortest: usize,
    /// See [`Key::may_be_text`].
    may_be_text: bool,
    /// See [`FieldIndex::is_cheap`].
    is_cheap: bool,
}

/// Witnesses while they are gathered.
#[derive(Default)]
struct Gathered {
    names: BTreeMap<String, Vec<u32>>,
    ends: BTreeMap<String, Vec<u32>>,
    starts: BTreeMap<String, Vec<u32>>,
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
        let mut beside: BTreeMap<Vec<Want<K>>, u32> = BTreeMap::new();
        let (mut always, mut needs, mut proven) = (Vec::new(), Vec::new(), Vec::new());
        let all: Vec<Vec<Group<K>>> = clauses.iter().map(|parts| witness::groups_of(parts)).collect();
        let passed_over = witness::passed_over(&all);
        for (clause, groups) in (0_u32..).zip(all) {
            let mut groups = witness::choose(groups, &passed_over).into_iter();
            let (mut own_needs, mut own_proven) = ([0; BESIDE_LIMIT], 0);
            match groups.next() {
                Some(first) => {
                    own_proven |= proven_bit(&first);
                    gather(&mut gathered, &first.wants, clause);
                }
                None => always.push(clause),
            }
            for (need, group) in own_needs.iter_mut().zip(groups) {
                own_proven |= proven_bit(&group);
                let next = u32::try_from(beside.len() + 1).unwrap_or(u32::MAX);
                *need = *beside.entry(group.wants).or_insert_with_key(|wants| {
                    gather(&mut gathered, wants, GROUP | next);
                    next
                });
            }
            needs.push(own_needs);
            proven.push(own_proven);
        }
        let anywhere = gathered.remove(&None).map(FieldIndex::new);
        let fields: Vec<(K, FieldIndex)> = gathered
            .into_iter()
            .filter_map(|(key, found)| Some((key?, FieldIndex::of(key?, found))))
            .collect();
        let mut places = Vec::new();
        for (place, (key, _)) in fields.iter().enumerate() {
            places.resize(places.len().max(key.number() + 1), usize::MAX);
            if let Some(own) = places.get_mut(key.number()) {
                *own = place;
            }
        }
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { id, fields, places, anywhere, always, needs, groups: beside.len() + 1, proven }
    }

    /// The place of the field of this key among those that are read.
    #[inline]
    pub(super) fn place(&self, key: K) -> Option<usize> {
        self.places.get(key.number()).copied().filter(|place| *place < self.fields.len())
    }

    /// By clause: the parts of which nothing is left to ask once it is a candidate, a bit each.
    pub(super) fn proven(&self, clause: usize) -> u64 {
        self.proven.get(clause).copied().unwrap_or(0)
    }

    /// Calls `see` with each clause that `record` can match, some of them more than once, and with the record, prepared
    /// to be asked.
    pub(super) fn candidates<R: Record<K>>(
        &self,
        record: &R,
        marks: &mut Marks,
        mut see: impl FnMut(u32, &Prepared<'_, R>),
    ) {
        self.mark(record, marks);
        let (touched, stood, values) = marks.parts();
        touched.retain(|clause| {
            let needs = self.needs.get(*clause as usize);
            needs.is_some_and(|needs| needs.iter().all(|group| has_stood(stood, *group)))
        });
        if !touched.is_empty() {
            // Several questions to a value cost less once it is folded.
            values.fold_plain(|place| {
                self.fields.get(place).map_or(Alone::Nothing, |(key, _)| record.alone(*key))
            });
        }
        let prepared = Prepared { record, values };
        touched.drain(..).for_each(|clause| see(clause, &prepared));
        self.always.iter().for_each(|clause| see(*clause, &prepared));
    }

    /// Marks the witnesses that stand in `record`.
    fn mark<R: Record<K>>(&self, record: &R, marks: &mut Marks) {
        marks.begin(self.id, self.groups, self.fields.len());
        match record.keys() {
            Some(keys) => {
                keys.iter()
                    .filter_map(|key| self.place(*key))
                    .for_each(|place| self.mark_field(place, record, marks));
            }
            None => (0..self.fields.len()).for_each(|place| self.mark_field(place, record, marks)),
        }
        if let Some(anywhere) = &self.anywhere {
            record.any_value(|value| {
                anywhere.candidates(value, self.fields.len(), marks);
                false
            });
        }
    }

    /// Marks the witnesses that stand in one field.
    #[inline]
    fn mark_field<R: Record<K>>(&self, place: usize, record: &R, marks: &mut Marks) {
        let Some((key, field)) = self.fields.get(place) else { return };
        let alone = if field.may_be_text { record.alone(*key) } else { Alone::Other };
        match alone {
            Alone::Nothing => {}
            Alone::Text(text) if !field.is_cheap => marks.see(place, text, field),
            Alone::Text(text) if !field.may_have(text) => {}
            Alone::Text(_) | Alone::Other => {
                record.any(*key, |value| {
                    field.candidates(value, place, marks);
                    false
                });
            }
        }
    }

    /// The clauses that have no witness.
    pub(super) fn always(&self) -> &[u32] {
        &self.always
    }
}

/// The bit of the part that a group proves.
fn proven_bit<K>(group: &Group<K>) -> u64 {
    group.proves.map_or(0, |part| 1 << part)
}

/// Notes that `mark` is made where one of `wants` stands.
fn gather<K: Key>(gathered: &mut BTreeMap<Option<K>, Gathered>, wants: &[Want<K>], mark: u32) {
    for want in wants {
        let marks = gathered.entry(want.key).or_default().marks(&want.what);
        if marks.last() != Some(&mark) {
            marks.push(mark);
        }
    }
}

impl Gathered {
    fn marks(&mut self, what: &What) -> &mut Vec<u32> {
        match what {
            What::Name(name) => self.names.entry(name.clone()).or_default(),
            What::End(text) => self.ends.entry(text.clone()).or_default(),
            What::Start(text) => self.starts.entry(text.clone()).or_default(),
            What::Pair(pair) => self.pairs.entry(*pair).or_default(),
            What::Literal(text) => self.literals.entry(text.clone()).or_default(),
            What::Number(number) => self.numbers.entry(*number).or_default(),
            What::Foreign => &mut self.foreign,
            What::Present => &mut self.present,
        }
    }
}

impl FieldIndex {
    fn of<K: Key>(key: K, gathered: Gathered) -> Self {
        Self { may_be_text: key.may_be_text(), ..Self::new(gathered) }
    }

    fn new(gathered: Gathered) -> Self {
        let Gathered { names, ends, starts, pairs, literals, numbers, foreign, present } = gathered;
        let has_short = !names.is_empty() || !ends.is_empty() || !numbers.is_empty() || !present.is_empty();
        let has_short = has_short || !starts.is_empty() || !pairs.is_empty() || !foreign.is_empty();
        let shortest = if has_short { 0 } else { literals.keys().map(String::len).min().unwrap_or(0) };
        let has_lists = !pairs.is_empty() || !foreign.is_empty();
        let has_ends = !names.is_empty() || !ends.is_empty() || !starts.is_empty();
        let has_texts = has_ends || !literals.is_empty() || has_lists;
        let numbers = numbers.into_iter().map(|(number, marks)| (number, marks.into_boxed_slice()));
        let ready = Self {
            names: Names::new(names),
            ends: Ends::new(ends),
            starts: Starts::new(starts),
            pairs: Pairs::new(pairs),
            literals: Literals::new(literals),
            numbers: numbers.collect(),
            foreign: foreign.into_boxed_slice(),
            present: present.into_boxed_slice(),
            of_bool: Default::default(),
            has_texts,
            shortest,
            may_be_text: true,
            is_cheap: false,
        };
        let of_bool = [false, true].map(|flag| {
            let (text, mut found) = (bool_text(flag), Vec::new());
            ready.find(text, text.as_bytes(), &mut found);
            found.into_boxed_slice()
        });
        Self { is_cheap: ready.is_cheap(), of_bool, ..ready }
    }

    /// Marks what stands in one of several values, or in one that is no text. The memo of this number remembers texts.
    #[inline]
    fn candidates(&self, value: Scalar<'_>, memo: usize, marks: &mut Marks) {
        if let Scalar::Bool(flag) = value {
            marks.add_all(self.of_bool.get(usize::from(flag)).map_or(&[], |found| &**found));
            return;
        }
        let is_known = self.has_texts
            && value.is_text(|text| {
                if text.len() >= self.shortest {
                    marks.see_any(memo, text, self);
                }
                true
            });
        if is_known {
            return;
        }
        marks.add_all(&self.present);
        if !self.numbers.is_empty()
            && let Some(found) = value.number().and_then(whole).and_then(|number| self.numbers.get(&number))
        {
            marks.add_all(found);
        }
    }

    /// Whether anything may stand in a text of a field that [`FieldIndex::is_cheap`].
    #[inline]
    fn may_have(&self, text: &str) -> bool {
        let is_nameless = self.present.is_empty() && self.foreign.is_empty() && self.numbers.is_empty();
        !is_nameless || self.ends.len() + self.starts.len() > 0 || self.names.may_have(text.as_bytes())
    }

    /// Whether looking costs less than remembering what was found: nothing is passed over, and little is looked up.
    fn is_cheap(&self) -> bool {
        let looked_up = self.names.len() + self.ends.len() + self.starts.len() + self.numbers.len();
        self.pairs.is_empty() && self.literals.is_empty() && looked_up <= CHEAP_LIMIT
    }
}

impl Find for FieldIndex {
    fn find(&self, text: &str, folded: &[u8], found: &mut Vec<u32>) {
        found.extend_from_slice(&self.present);
        if !self.numbers.is_empty()
            && let Some(marks) =
                Scalar::Text(text).number().and_then(whole).and_then(|number| self.numbers.get(&number))
        {
            found.extend_from_slice(marks);
        }
        if !self.has_texts {
            return;
        }
        if !self.foreign.is_empty() && !text.is_ascii() {
            found.extend_from_slice(&self.foreign);
        }
        self.names.find(folded, found);
        self.ends.find(folded, found);
        self.starts.find(folded, found);
        self.pairs.find(folded, found);
        self.literals.find(folded, found);
    }
}
