//! Conditions that negate what a process says of itself, or what was cut: an adversary adds the excluded word to a
//! command line, or pushes it past the cut, and the rule lets him through.
//!
//! In: detections. Out: one problem per field that is asked under an odd number of negations. A test for presence or
//! absence (`exists`, null) is not meant.

use event::Doubt;
use event::field::Field;

use crate::diagnostic::{Problem, codes};
use crate::mapping::{self, Events};
use crate::sigma::condition::Part;
use crate::sigma::{ArrayMatch, Condition, Detection, FieldMatch, Matcher, Search, Subject};
use crate::source::Span;

/// Reports the fields in doubt that `detection`, over `events`, negates.
pub(super) fn check(detection: &Detection, events: &[Events], problems: &mut Vec<Problem>) {
    let mut walk = Walk { events, found: Vec::new() };
    walk.detection(detection, Polarity::Plain);
    let mut seen: Vec<(Span, Field)> = Vec::new();
    for (span, field, doubt) in walk.found {
        if seen.contains(&(span, field)) {
            continue;
        }
        seen.push((span, field));
        let (name, word) = (field.name(), doubt.as_str());
        let message = format!("the condition negates `{name}`, which is {word}");
        let hint = match doubt {
            Doubt::Claimed => {
                "whoever writes the excluded text is let through: negate a field of the kernel, such as Image"
            }
            Doubt::Truncated => "what lies behind the cut is not seen: demand what a good value looks like",
        };
        problems.push(Problem::new(codes::NEGATES_CLAIMED, span, message).with_hint(hint));
    }
}

/// Whether a condition holds where its part does, or where it does not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polarity {
    Plain,
    Negated,
}

impl Polarity {
    fn turned_if(self, turn: bool) -> Self {
        match (self, turn) {
            (polarity, false) => polarity,
            (Self::Plain, true) => Self::Negated,
            (Self::Negated, true) => Self::Plain,
        }
    }
}

struct Walk<'e> {
    events: &'e [Events],
    found: Vec<(Span, Field, Doubt)>,
}

impl Walk<'_> {
    fn detection(&mut self, detection: &Detection, polarity: Polarity) {
        for condition in &detection.conditions {
            self.condition(condition, detection, polarity);
        }
    }

    fn condition(&mut self, condition: &Condition, detection: &Detection, polarity: Polarity) {
        match condition {
            Condition::Or(parts) | Condition::And(parts) => {
                parts.iter().for_each(|part| self.condition(part, detection, polarity));
            }
            Condition::Not(part) => self.condition(part, detection, polarity.turned_if(true)),
            Condition::Name(name, span) => self.part(&Part::Name(name, *span), detection, polarity),
            Condition::Of(_, selector, span) => {
                self.part(&Part::Selector(selector, *span), detection, polarity);
            }
        }
    }

    fn part(&mut self, part: &Part<'_>, detection: &Detection, polarity: Polarity) {
        for named in &detection.searches {
            let is_meant = match part {
                Part::Name(name, _) => *name == named.name,
                Part::Selector(selector, _) => selector.selects(&named.name),
            };
            if is_meant {
                self.search(&named.search, polarity);
            }
        }
    }

    fn search(&mut self, search: &Search, polarity: Polarity) {
        match search {
            Search::And(parts) | Search::Or(parts) => {
                parts.iter().for_each(|part| self.search(part, polarity));
            }
            Search::Field(found) => self.field(found, polarity.turned_if(found.negated)),
            Search::Array(array) => self.array(array, polarity),
        }
    }

    fn array(&mut self, array: &ArrayMatch, polarity: Polarity) {
        if polarity == Polarity::Negated {
            self.name(&array.field, array.span);
        }
        self.detection(&array.detection, polarity);
    }

    fn field(&mut self, found: &FieldMatch, polarity: Polarity) {
        if polarity == Polarity::Plain {
            return;
        }
        let mut matchers = found.values.iter().flatten();
        if matchers.all(|matcher| matches!(matcher, Matcher::Null | Matcher::Exists(_))) {
            return;
        }
        if let Subject::Field(name) = &found.subject {
            self.name(name, found.span);
        }
        for matcher in found.values.iter().flatten() {
            if let Matcher::Field(other) = matcher {
                self.name(&other.name, found.span);
            }
        }
    }

    fn name(&mut self, name: &str, span: Span) {
        // Where no event stands for the log source, the names are those of the catalogue.
        let fields = mapping::fields(self.events, name);
        let fields = if self.events.is_empty() { Field::by_name(name).into_iter().collect() } else { fields };
        for field in fields {
            if let Some(doubt) = field.doubt() {
                self.found.push((span, field, doubt));
            }
        }
    }
}
