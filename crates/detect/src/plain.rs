//! Rules alone, of Sigma and of Falco: for people who only need the engine.
//!
//! In: rules and filters as they were read; events, typed or JSON. Out: which rules hold. No strategy, no alert, no
//! state: correlations are rejected here, and run by [`crate::joined`]. A rule that cannot run comes back as [`Rejected`], and the others do.

use crate::error::Fault;
use crate::joined::Value;
use crate::json::{self, JsonRecord, Shape, Slot, Slots};
use crate::rule::{
    ClassMarks, Compiler, Judging, Marks, Node, Placeholders, Program, Record, RuleSet, Scalar, Schema,
    Typed, compile, falco_node,
};
use event::{Class, Event, Field};
use smallvec::SmallVec;
use strategy::falco;
use strategy::sigma::{Filter, Item, Rule};

pub use crate::json::JsonFault as Unreadable;

/// A rule or correlation that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place among the items; Falco's rules follow them.
    pub item: usize,
    /// Why.
    pub fault: Fault,
}

/// Rules over JSON events with any field names. Log sources are not asked: whoever brings events and rules together
/// has seen to it that they fit.
#[derive(Debug)]
pub struct JsonRules {
    shape: Shape,
    rules: RuleSet<Slot>,
    /// By rule: its place among the items.
    items: Vec<usize>,
    /// The fields that the caller reads.
    read: Vec<Slot>,
    has_keywords: bool,
}

/// What is kept from event to event, so that none allocates.
#[derive(Debug, Default)]
pub struct JsonScratch {
    slots: Slots,
    marks: Marks,
    matched: Vec<usize>,
}

impl JsonScratch {
    /// What the last event that was judged matched: the places among the items, in their order.
    pub fn matched(&self) -> &[usize] {
        &self.matched
    }
}

impl JsonRules {
    /// Compiles the rules among `items`, narrowed by the filters among them.
    pub fn new(items: &[Item], placeholders: &Placeholders) -> (Self, Vec<Rejected>) {
        Self::with_falco(items, &[], placeholders)
    }

    /// The same with rules of Falco, whose places follow those of the items. Rules that are not enabled are not asked.
    pub fn with_falco(
        items: &[Item],
        rules: &[falco::Rule],
        placeholders: &Placeholders,
    ) -> (Self, Vec<Rejected>) {
        let mut shape = Shape::default();
        let mut compiled =
            each(items, |rule, filters| Compiler { schema: &mut shape, placeholders }.rule(rule, filters));
        for (place, rule) in (items.len()..).zip(rules).filter(|(_, rule)| rule.enabled) {
            let node = falco::json::plan(&rule.condition).map_err(Fault::Falco).and_then(|plan| {
                let mut compiler = Compiler { schema: &mut shape, placeholders };
                falco_node(&plan, &mut compiler, &mut |shape, name| shape.field(name))
            });
            compiled.add(place, node);
        }
        let rules = RuleSet::new(compiled.nodes);
        let has_keywords = rules.has_keywords();
        (Self { shape, rules, items: compiled.items, read: Vec::new(), has_keywords }, compiled.rejected)
    }

    /// Judges the event at the start of `bytes`: the places among the items of the rules that hold, in their order,
    /// and the length of the event in bytes. Bytes that are no UTF-8 count as U+FFFD.
    ///
    /// # Errors
    /// The event is cut off, or is no JSON.
    pub fn judge<'s>(
        &self,
        bytes: &[u8],
        scratch: &'s mut JsonScratch,
    ) -> Result<(&'s [usize], usize), Unreadable> {
        let JsonScratch { slots, marks, matched } = scratch;
        matched.clear();
        slots.expect_many(&self.shape);
        let end = json::walk(bytes, &self.shape, slots, self.has_keywords)?;
        let event = bytes.get(..end).unwrap_or_default();
        let lossy;
        let text = match std::str::from_utf8(event) {
            Ok(text) => text,
            Err(_) => {
                lossy = String::from_utf8_lossy(event).into_owned();
                json::walk(lossy.as_bytes(), &self.shape, slots, self.has_keywords)?;
                &lossy
            }
        };
        let record = JsonRecord { text, slots };
        self.rules.judge(&record, marks, |rule| matched.extend(self.items.get(rule)));
        if matched.len() > 1 {
            matched.sort_unstable();
            matched.dedup();
        }
        Ok((matched, end))
    }

    /// Also keeps the values of these fields, for [`JsonRules::values`].
    ///
    /// # Errors
    /// A name that no field can have.
    pub fn read(&mut self, fields: &[String]) -> Result<(), Fault> {
        self.read = fields.iter().map(|name| self.shape.field(name)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The values of the fields given to [`JsonRules::read`], in their order, of the event of `bytes` that was judged
    /// last. A list is one text, its items joined by commas; null is no value.
    pub fn values(&self, bytes: &[u8], scratch: &JsonScratch) -> Vec<Option<Value>> {
        let text = String::from_utf8_lossy(bytes);
        let record = JsonRecord { text: &text, slots: &scratch.slots };
        self.read.iter().map(|slot| value(&record, *slot)).collect()
    }

    /// The same as [`JsonRules::judge`], by asking every rule: what the index must agree with. For tests.
    ///
    /// # Errors
    /// The event is cut off, or is no JSON.
    pub fn judge_each(&self, bytes: &[u8]) -> Result<Vec<usize>, Unreadable> {
        let mut slots = Slots::default();
        let end = json::walk(bytes, &self.shape, &mut slots, self.has_keywords)?;
        let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
        json::walk(text.as_bytes(), &self.shape, &mut slots, self.has_keywords)?;
        let record = JsonRecord { text: &text, slots: &slots };
        Ok(self.rules.judge_each(&record).filter_map(|rule| self.items.get(rule).copied()).collect())
    }

    /// How many rules run.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no rule runs.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The places among the items of the rules that are asked about every event, because nothing is known that must
    /// stand in it: what they cost, they cost always.
    pub fn always_asked(&self) -> impl Iterator<Item = usize> {
        self.rules.always().filter_map(|rule| self.items.get(rule).copied())
    }
}

fn value(record: &JsonRecord<'_>, slot: Slot) -> Option<Value> {
    let mut found: Option<Value> = None;
    record.any(slot, |scalar| {
        let mut text = None;
        scalar.is_text(|value| {
            text = Some(value.to_owned());
            true
        });
        let Some(text) = text else { return false };
        found = Some(match found.take() {
            None => match (scalar, scalar.number()) {
                (Scalar::Integer(_) | Scalar::Number(_), Some(number)) => Value::Number(number),
                _ => Value::Text(text),
            },
            Some(before) => Value::Text(format!("{before},{text}")),
        });
        false
    });
    found
}

/// Rules over typed events, chosen by their log source.
#[derive(Debug)]
pub struct EventRules {
    program: Program,
    items: Vec<usize>,
}

/// What is kept from event to event, so that none allocates.
#[derive(Debug, Default)]
pub struct EventScratch {
    marks: ClassMarks,
    matched: SmallVec<[usize; 4]>,
}

impl EventRules {
    /// Compiles the rules among `items`, narrowed by the filters among them. A rule whose log source several classes of
    /// events stand for runs for those in which it can hold; where that is not all that it is about, it is among the
    /// rejected too.
    pub fn new(items: &[Item], placeholders: &Placeholders) -> (Self, Vec<Rejected>) {
        Self::with_falco(items, &[], placeholders)
    }

    /// The same with rules of Falco, whose places follow those of the items. A rule runs for the classes of events that
    /// have all that it needs; where those are not all that it is about, it is among the rejected too. Rules that are
    /// not enabled are not asked.
    pub fn with_falco(
        items: &[Item],
        rules: &[falco::Rule],
        placeholders: &Placeholders,
    ) -> (Self, Vec<Rejected>) {
        let filters = filters_of(items);
        let mut compiled = Compiled::default();
        for (place, item) in items.iter().enumerate() {
            match item {
                Item::Rule(rule) => compiled.judging(place, compile(rule, &filters, placeholders)),
                Item::Correlation(_) => compiled.add(place, Err(alone())),
                Item::Filter(_) => {}
            }
        }
        for (place, rule) in (items.len()..).zip(rules).filter(|(_, rule)| rule.enabled) {
            falco_rule(rule, place, placeholders, &mut compiled);
        }
        (Self { program: Program::new(compiled.nodes), items: compiled.items }, compiled.rejected)
    }

    /// The places among the items of the rules that hold for `event`, in their order.
    pub fn judge<'s>(
        &'s self,
        event: &Event,
        scratch: &'s mut EventScratch,
    ) -> impl Iterator<Item = usize> + 's {
        scratch.matched.clear();
        self.program.judge(event, &mut scratch.marks, &mut scratch.matched);
        scratch.matched.iter().filter_map(|rule| self.items.get(*rule).copied())
    }

    /// The classes of events that rules are asked about.
    pub fn classes(&self) -> Vec<Class> {
        self.program.classes()
    }

    /// How many rules run; a rule counts once for each class of events.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no rule runs.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Rules as they come out of a compiler.
struct Compiled<N> {
    nodes: Vec<N>,
    /// By node: the place of its rule among the items.
    items: Vec<usize>,
    rejected: Vec<Rejected>,
}

impl<N> Default for Compiled<N> {
    fn default() -> Self {
        Self { nodes: Vec::new(), items: Vec::new(), rejected: Vec::new() }
    }
}

fn filters_of(items: &[Item]) -> Vec<&Filter> {
    items
        .iter()
        .filter_map(|item| if let Item::Filter(filter) = item { Some(filter) } else { None })
        .collect()
}

fn alone() -> Fault {
    Fault::Unsupported("a correlation among rules alone".to_owned())
}

fn each<N>(items: &[Item], mut compile: impl FnMut(&Rule, &[&Filter]) -> Result<N, Fault>) -> Compiled<N> {
    let filters = filters_of(items);
    let mut compiled = Compiled::default();
    for (place, item) in items.iter().enumerate() {
        let node = match item {
            Item::Rule(rule) => compile(rule, &filters),
            Item::Correlation(_) => Err(alone()),
            Item::Filter(_) => continue,
        };
        compiled.add(place, node);
    }
    compiled
}

impl Compiled<(Class, Node<Field>)> {
    fn judging(&mut self, place: usize, judging: Result<Judging, Fault>) {
        match judging {
            Ok(Judging { runs, lacks }) => {
                runs.into_iter().for_each(|run| self.add(place, Ok(run)));
                self.rejected.extend(lacks.map(|fault| Rejected { item: place, fault }));
            }
            Err(fault) => self.add(place, Err(fault)),
        }
    }
}

impl<N> Compiled<N> {
    fn add(&mut self, place: usize, node: Result<N, Fault>) {
        match node {
            Ok(node) => {
                self.nodes.push(node);
                self.items.push(place);
            }
            Err(fault) => self.rejected.push(Rejected { item: place, fault }),
        }
    }
}

/// Adds what of `rule` runs over typed events, and what does not.
fn falco_rule(
    rule: &falco::Rule,
    place: usize,
    placeholders: &Placeholders,
    into: &mut Compiled<(Class, Node<Field>)>,
) {
    let typed = match falco::typed::plans(rule) {
        Ok(typed) => typed,
        Err(reason) => return into.add(place, Err(Fault::Falco(reason))),
    };
    let mut lacks = typed.all_missing();
    lacks.extend(typed.unsensed.iter().map(|name| format!("evt.type = {name}")));
    for (class, plan) in &typed.runs {
        let mut compiler = Compiler { schema: &mut Typed, placeholders };
        let node = falco_node(plan, &mut compiler, &mut |_, field: &Field| Ok(*field));
        into.add(place, node.map(|node| (*class, node)));
    }
    if !lacks.is_empty() {
        into.add(place, Err(Fault::NoCounterpart(lacks)));
    } else if typed.runs.is_empty() {
        into.add(place, Err(Fault::Falco("can hold for no event".to_owned())));
    }
}
