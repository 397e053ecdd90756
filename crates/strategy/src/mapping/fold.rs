//! A detection as it stands in events of one class: names become fields, and what is the same in all events of the
//! class is decided here.

use super::value::Asked;
use super::{Events, Lack, Meaning};
use crate::falco::event_type::{self, Operations};
use crate::sigma::{Condition, Detection, FieldMatch, Join, Matcher, Named, Quantity, Search, Subject};
use crate::source::Span;
use event::Field;

/// What is left of a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Folded<T> {
    /// It holds for no event.
    Never,
    /// It holds for every event.
    Always,
    /// Nobody can tell: it counts against the rule, and so does its negation.
    Unknown,
    /// It is to be asked.
    Ask(T),
}

impl Folded<Detection> {
    /// The detection that can hold.
    pub(super) fn detection(self) -> Option<Detection> {
        match self {
            Folded::Ask(detection) => Some(detection),
            Folded::Always => {
                Some(Detection { searches: Vec::new(), conditions: vec![Condition::And(Vec::new())] })
            }
            Folded::Never | Folded::Unknown => None,
        }
    }
}

impl<T> Folded<T> {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Folded::Always } else { Folded::Never }
    }

    fn map<U>(self, make: impl FnOnce(T) -> U) -> Folded<U> {
        match self {
            Folded::Never => Folded::Never,
            Folded::Always => Folded::Always,
            Folded::Unknown => Folded::Unknown,
            Folded::Ask(one) => Folded::Ask(make(one)),
        }
    }

    fn negated(self, negate: impl FnOnce(T) -> T) -> Self {
        match self {
            Folded::Never => Folded::Always,
            Folded::Always => Folded::Never,
            Folded::Unknown => Folded::Unknown,
            Folded::Ask(one) => Folded::Ask(negate(one)),
        }
    }
}

/// How parts are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    All,
    Any,
}

/// Joins `parts`. Where `splits`, one that nobody can tell takes only itself away, else all.
pub(super) fn join<T>(
    parts: impl IntoIterator<Item = Folded<T>>,
    joint: Joint,
    splits: bool,
    make: impl FnOnce(Vec<T>) -> T,
) -> Folded<T> {
    let (mut asked, mut has_unknown, mut is_decided) = (Vec::new(), false, false);
    for part in parts {
        match (part, joint) {
            (Folded::Ask(one), _) => asked.push(one),
            (Folded::Unknown, _) => has_unknown = true,
            (Folded::Never, Joint::All) | (Folded::Always, Joint::Any) => is_decided = true,
            (Folded::Never, Joint::Any) | (Folded::Always, Joint::All) => {}
        }
    }
    let is_left = !asked.is_empty() && (!has_unknown || splits);
    match asked.pop() {
        _ if is_decided => Folded::of(joint == Joint::Any),
        Some(only) if is_left && asked.is_empty() => Folded::Ask(only),
        Some(last) if is_left => {
            asked.push(last);
            Folded::Ask(make(asked))
        }
        _ if has_unknown => Folded::Unknown,
        _ => Folded::of(joint == Joint::All),
    }
}

/// Folds detections for the events of one class.
pub(super) struct Fold<'e> {
    events: &'e Events,
    /// All events that stand for the log source.
    all: &'e [Events],
    /// What has no source in this class.
    pub(super) lacks: Vec<Lack>,
    /// Those among them that nobody can tell, rather than that no event has.
    pub(super) untold: Vec<Lack>,
    /// Names that nobody knows.
    pub(super) unknown: Vec<String>,
}

impl<'e> Fold<'e> {
    pub(super) fn new(events: &'e Events, all: &'e [Events]) -> Self {
        Self { events, all, lacks: Vec::new(), untold: Vec::new(), unknown: Vec::new() }
    }

    pub(super) fn detection(&mut self, detection: &Detection) -> Folded<Detection> {
        let mut searches = Vec::new();
        for named in &detection.searches {
            searches.push((named.name.as_str(), named.span, self.search(&named.search)));
        }
        let holds = |condition: &Condition| condition_of(condition, &searches, false);
        let is_whole = searches.iter().all(|(.., folded)| matches!(folded, Folded::Ask(_)));
        let condition = if is_whole {
            Folded::Ask(detection.conditions.clone())
        } else {
            let each = detection.conditions.iter().map(holds);
            join(each, Joint::Any, true, Condition::Or).map(|condition| vec![condition])
        };
        condition.map(|conditions| {
            let searches = searches.into_iter().filter_map(|(name, span, folded)| match folded {
                Folded::Ask(search) => Some(Named { name: name.to_owned(), span, search }),
                _ => None,
            });
            Detection { searches: searches.collect(), conditions }
        })
    }

    fn search(&mut self, search: &Search) -> Folded<Search> {
        match search {
            Search::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.search(part)).collect();
                join(parts, Joint::All, false, Search::And)
            }
            Search::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.search(part)).collect();
                join(parts, Joint::Any, false, Search::Or)
            }
            Search::Field(asked) => {
                let before = self.lacks.len();
                let folded = self.field_match(asked);
                if folded == Folded::Unknown {
                    self.untold.extend_from_slice(self.lacks.get(before..).unwrap_or_default());
                }
                if asked.negated { folded.negated(negated) } else { folded }
            }
            Search::Array(_) => Folded::Ask(search.clone()),
        }
    }

    /// What `asked` asks, before it is negated.
    fn field_match(&mut self, asked: &FieldMatch) -> Folded<Search> {
        let name = match &asked.subject {
            Subject::Field(name) => name.as_str(),
            Subject::Keyword if !self.events.text.is_empty() => return keywords(asked, self.events.text),
            Subject::Keyword | Subject::Item => {
                return Folded::Ask(Search::Field(FieldMatch { negated: false, ..asked.clone() }));
            }
        };
        let meaning = match self.events.meaning(name) {
            Some(meaning) => meaning,
            None => match Field::by_name(name) {
                Some(field) => return self.of_fields(asked, &[field]),
                None => return self.absent(asked, name),
            },
        };
        match meaning {
            Meaning::Fields(fields) => self.of_fields(asked, fields),
            Meaning::Words(words, field) => self.each(asked, |asked| asked.of_words(words, field)),
            Meaning::Coded(field, codes, others) => {
                self.each(asked, |asked| asked.of_codes(field, codes, others))
            }
            Meaning::Call => {
                let class = self.events.class;
                self.each(asked, |asked| asked.of_call(class))
            }
            Meaning::Missing(reason) => {
                self.lack(name, None, reason);
                Folded::Unknown
            }
        }
    }

    /// A name that is known, if at all, in other classes.
    fn absent(&mut self, asked: &FieldMatch, name: &str) -> Folded<Search> {
        if !self.all.iter().any(|events| events.meaning(name).is_some()) {
            self.unknown.push(name.to_owned());
        }
        let holds = |matcher: &Matcher| matches!(matcher, Matcher::Null | Matcher::Exists(false));
        let mut values = asked.values.iter().map(|value| value.iter().any(holds));
        Folded::of(match asked.join {
            Join::Any => values.any(|value| value),
            Join::All => values.all(|value| value),
        })
    }

    /// One of `fields`; whether there is a value is asked of the first.
    fn of_fields(&mut self, asked: &FieldMatch, fields: &[Field]) -> Folded<Search> {
        let Some(values) = self.references(asked) else { return Folded::Unknown };
        let asked = FieldMatch { values, ..asked.clone() };
        in_fields(&asked, fields)
    }

    /// The values, with the names of other fields turned into those of the catalogue.
    fn references(&mut self, asked: &FieldMatch) -> Option<Vec<Vec<Matcher>>> {
        let mut values = asked.values.clone();
        for matcher in values.iter_mut().flatten() {
            let Matcher::Field(other) = matcher else { continue };
            let field = match self.events.meaning(&other.name) {
                None => Field::by_name(&other.name),
                Some(Meaning::Fields([field, ..])) => Some(*field),
                Some(_) => None,
            };
            let Some(field) = field else {
                if self.all.iter().any(|events| events.meaning(&other.name).is_some()) {
                    self.lack(&other.name, None, "cannot be compared with another field");
                } else {
                    self.unknown.push(other.name.clone());
                }
                return None;
            };
            other.name = field.name().to_owned();
        }
        Some(values)
    }

    /// Each value by itself.
    fn each(
        &mut self,
        asked: &FieldMatch,
        mut ask: impl FnMut(&mut Asked<'_>) -> Folded<Search>,
    ) -> Folded<Search> {
        let mut parts = Vec::new();
        for value in &asked.values {
            let matchers: Vec<_> = value
                .iter()
                .map(|matcher| {
                    let mut one = Asked { asked, matcher, lacks: &mut self.lacks };
                    ask(&mut one)
                })
                .collect();
            parts.push(join(matchers, Joint::Any, false, Search::Or));
        }
        match asked.join {
            Join::Any => join(parts, Joint::Any, false, merged),
            Join::All => join(parts, Joint::All, false, Search::And),
        }
    }

    fn lack(&mut self, name: &str, value: Option<String>, reason: &'static str) {
        self.lacks.push(Lack { name: name.to_owned(), value, reason });
    }
}

/// What stands for the system call `name` in events of `class`.
pub(super) fn call(name: &str, class: event::Class) -> Option<Operations> {
    event_type::operations(&name.to_ascii_lowercase(), class)
}

/// `asked` of one of `fields`.
fn in_fields(asked: &FieldMatch, fields: &[Field]) -> Folded<Search> {
    let ask = |field: &Field, values: Vec<Vec<Matcher>>, join: Join| {
        Search::Field(FieldMatch {
            subject: Subject::Field(field.name().to_owned()),
            values,
            join,
            negated: false,
            ..asked.clone()
        })
    };
    let (Some(first), rest) = (fields.first(), fields.get(1..).unwrap_or_default()) else {
        return Folded::Never;
    };
    if rest.is_empty() {
        return Folded::Ask(ask(first, asked.values.clone(), asked.join));
    }
    let is_value = |matcher: &&Matcher| !matches!(matcher, Matcher::Null | Matcher::Exists(_));
    let in_any = |value: &Vec<Matcher>| {
        let others: Vec<Matcher> = value.iter().filter(is_value).cloned().collect();
        let mut parts = vec![ask(first, vec![value.clone()], Join::Any)];
        if !others.is_empty() {
            parts.extend(rest.iter().map(|field| ask(field, vec![others.clone()], Join::Any)));
        }
        if parts.len() == 1 { parts.pop().unwrap_or(Search::Or(Vec::new())) } else { Search::Or(parts) }
    };
    match asked.join {
        Join::Any => Folded::Ask(in_any(&asked.values.concat())),
        Join::All => Folded::Ask(Search::And(asked.values.iter().map(in_any).collect())),
    }
}

/// Keywords stand anywhere in the text of the record.
fn keywords(asked: &FieldMatch, fields: &[Field]) -> Folded<Search> {
    let values = asked.values.iter().map(|value| value.iter().map(super::value::anywhere).collect());
    in_fields(&FieldMatch { values: values.collect(), ..asked.clone() }, fields)
}

/// Several searches over one field as one, so that they are found together.
fn merged(parts: Vec<Search>) -> Search {
    let mut joined: Vec<Search> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Search::Field(last)), Search::Field(next))
                if last.subject == next.subject && last.join == Join::Any && next.join == Join::Any =>
            {
                last.values.extend(next.values);
            }
            (_, part) => joined.push(part),
        }
    }
    match joined.pop() {
        Some(only) if joined.is_empty() => only,
        last => Search::Or(joined.into_iter().chain(last).collect()),
    }
}

/// The opposite of `search`.
fn negated(search: Search) -> Search {
    match search {
        Search::And(parts) => Search::Or(parts.into_iter().map(negated).collect()),
        Search::Or(parts) => Search::And(parts.into_iter().map(negated).collect()),
        Search::Field(asked) => Search::Field(FieldMatch { negated: !asked.negated, ..asked }),
        Search::Array(_) => search,
    }
}

type Searches<'s> = [(&'s str, Span, Folded<Search>)];

fn condition_of(condition: &Condition, searches: &Searches<'_>, is_negated: bool) -> Folded<Condition> {
    let parts = |parts: &[Condition]| -> Vec<_> {
        parts.iter().map(|part| condition_of(part, searches, is_negated)).collect()
    };
    match condition {
        Condition::Or(some) => join(parts(some), Joint::Any, !is_negated, Condition::Or),
        Condition::And(some) => join(parts(some), Joint::All, is_negated, Condition::And),
        Condition::Not(part) => {
            condition_of(part, searches, !is_negated).negated(|one| Condition::Not(Box::new(one)))
        }
        Condition::Name(name, span) => named(name, *span, searches),
        Condition::Of(quantity, selector, span) => {
            let chosen = searches.iter().filter(|(name, ..)| selector.selects(name));
            let chosen: Vec<_> = chosen.map(|(name, ..)| named(name, *span, searches)).collect();
            match quantity {
                Quantity::Any => join(chosen, Joint::Any, !is_negated, Condition::Or),
                Quantity::All => join(chosen, Joint::All, is_negated, Condition::And),
            }
        }
    }
}

fn named(name: &str, span: Span, searches: &Searches<'_>) -> Folded<Condition> {
    let found = searches.iter().find(|(own, ..)| *own == name);
    match found.map(|(.., folded)| folded) {
        Some(Folded::Never) => Folded::Never,
        Some(Folded::Always) => Folded::Always,
        Some(Folded::Unknown) => Folded::Unknown,
        // An undefined name is left to the compiler, which says so.
        Some(Folded::Ask(_)) | None => Folded::Ask(Condition::Name(name.to_owned(), span)),
    }
}
