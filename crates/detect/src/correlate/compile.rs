//! From a correlation's tree to what its state needs.

use crate::error::Fault;
use crate::judge::{Group, JudgeIndex, Judgement};
use crate::rule;
use compact_str::CompactString;
use event::Field;
use std::time::Duration;
use strategy::sigma::{self, Condition, CorrelationCondition, CorrelationKind, Order, Quantity};

/// Longest value that is grouped by or counted; longer ones are cut, and so may fall together.
const VALUE_LIMIT_BYTES: usize = 512;

/// A correlation, made ready.
#[derive(Debug)]
pub(crate) struct Correlation {
    /// Its own number.
    pub(crate) judge: JudgeIndex,
    /// The judges that it joins, in the order of its text.
    pub(crate) members: Vec<JudgeIndex>,
    /// By member: the fields to group by.
    pub(crate) group_by: Vec<Vec<Field>>,
    pub(crate) timespan: Duration,
    pub(crate) kind: Kind,
}

/// What is asked of the judgements of a window.
#[derive(Debug)]
pub(crate) enum Kind {
    /// As many as this, judged at each.
    Events { at_least: u64 },
    /// As many different values as this, judged at each.
    Values { at_least: u64, fields: Vec<Field> },
    /// A number within bounds, judged when the window ends.
    AtEnd { bounds: Vec<(Order, f64)>, fields: Vec<Field> },
    /// All members.
    Together,
    /// All members, in their order.
    InOrder,
    /// Members by a condition over them.
    Holding(Holds),
}

/// A condition over the members that were seen.
#[derive(Debug)]
pub(crate) enum Holds {
    And(Vec<Holds>),
    Or(Vec<Holds>),
    Member(usize),
}

impl Holds {
    /// Whether it holds where `seen` says which members were seen.
    pub(crate) fn given(&self, seen: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Holds::And(parts) => parts.iter().all(|part| part.given(seen)),
            Holds::Or(parts) => parts.iter().any(|part| part.given(seen)),
            Holds::Member(place) => seen(*place),
        }
    }
}

/// Makes `correlation` ready; `find` gives the judge of a reference.
///
/// # Errors
/// A field or reference that does not exist, or a kind that does not run yet.
pub(crate) fn compile(
    correlation: &sigma::Correlation,
    judge: JudgeIndex,
    find: &dyn Fn(&str) -> Option<JudgeIndex>,
) -> Result<Correlation, Fault> {
    let known = |name: &str| find(name).ok_or_else(|| Fault::UnknownReference(name.to_owned()));
    let members: Vec<JudgeIndex> =
        correlation.rules.iter().map(|rule| known(&rule.name)).collect::<Result<_, _>>()?;
    let group_by = correlation.rules.iter().map(|rule| {
        let fields = correlation.group_by.iter().map(|name| aliased(correlation, &rule.name, name));
        fields.collect::<Result<Vec<_>, _>>()
    });
    let group_by = group_by.collect::<Result<_, _>>()?;
    Ok(Correlation { judge, members, group_by, timespan: correlation.timespan, kind: kind(correlation)? })
}

/// The field that `name` means for events of `rule`: an alias or a field.
fn aliased(correlation: &sigma::Correlation, rule_name: &str, name: &str) -> Result<Field, Fault> {
    let Some(alias) = correlation.aliases.iter().find(|alias| alias.name == name) else {
        return rule::field(name);
    };
    match alias.fields.iter().find(|(reference, _)| reference.name == rule_name) {
        Some((_, field)) => rule::field(field),
        None => Err(Fault::UnknownField(format!("{name} (of {rule_name})"))),
    }
}

fn kind(correlation: &sigma::Correlation) -> Result<Kind, Fault> {
    let unsupported = |what: &str| Err(Fault::Unsupported(what.to_owned()));
    let (bounds, fields) = match &correlation.condition {
        CorrelationCondition::AllRules if correlation.kind == CorrelationKind::TemporalOrdered => {
            return Ok(Kind::InOrder);
        }
        CorrelationCondition::AllRules => return Ok(Kind::Together),
        CorrelationCondition::Rules(condition) => {
            if correlation.kind == CorrelationKind::TemporalOrdered {
                return unsupported("a condition over rules in order");
            }
            return holds(condition, correlation).map(Kind::Holding);
        }
        CorrelationCondition::Bounds { bounds, fields, .. } => (bounds, fields),
    };
    let fields: Vec<Field> = fields.iter().map(|name| rule::field(name)).collect::<Result<_, _>>()?;
    if !matches!(correlation.kind, CorrelationKind::EventCount | CorrelationKind::ValueCount) {
        return unsupported(&format!("`{}`", correlation.kind.as_str()));
    }
    Ok(match at_least(bounds) {
        Some(at_least) if fields.is_empty() => Kind::Events { at_least },
        Some(at_least) => Kind::Values { at_least, fields },
        None => Kind::AtEnd { bounds: bounds.clone(), fields },
    })
}

/// The count from which all bounds hold for good, where there is one.
fn at_least(bounds: &[(Order, f64)]) -> Option<u64> {
    let each = bounds.iter().map(|(order, bound)| match order {
        Order::Gte => whole(bound.ceil()),
        Order::Gt => whole(bound.floor()).map(|below| below + 1),
        _ => None,
    });
    // Every judgement is at least one event.
    each.collect::<Option<Vec<u64>>>()?.into_iter().max().map(|most| most.max(1))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: f64) -> Option<u64> {
    // 2^53: up to there every whole number is a float.
    (number <= 9_007_199_254_740_992.0).then_some(number.max(0.0) as u64)
}

fn holds(condition: &Condition, correlation: &sigma::Correlation) -> Result<Holds, Fault> {
    let each =
        |parts: &[Condition]| parts.iter().map(|part| holds(part, correlation)).collect::<Result<_, _>>();
    Ok(match condition {
        Condition::And(parts) => Holds::And(each(parts)?),
        Condition::Or(parts) => Holds::Or(each(parts)?),
        Condition::Not(_) => {
            return Err(Fault::Unsupported("`not` in the condition of a correlation".to_owned()));
        }
        Condition::Name(name, _) => {
            let place = correlation.rules.iter().position(|rule| rule.name == *name);
            Holds::Member(place.ok_or_else(|| Fault::UnknownReference(name.clone()))?)
        }
        Condition::Of(quantity, selector, _) => {
            let chosen =
                correlation.rules.iter().enumerate().filter(|(_, rule)| selector.selects(&rule.name));
            let members = chosen.map(|(place, _)| Holds::Member(place)).collect();
            match quantity {
                Quantity::Any => Holds::Or(members),
                Quantity::All => Holds::And(members),
            }
        }
    })
}

impl Correlation {
    /// The group of `judgement` of the member at `place`; `None` where it lacks a field.
    pub(crate) fn group(&self, judgement: &Judgement, place: usize) -> Option<Group> {
        self.group_by.get(place)?.iter().map(|field| value(judgement, *field)).collect()
    }

    /// The value that is counted; `None` where the event has none.
    pub(crate) fn counted(&self, judgement: &Judgement) -> Option<Group> {
        let (Kind::Values { fields, .. } | Kind::AtEnd { fields, .. }) = &self.kind else { return None };
        fields.iter().map(|field| value(judgement, *field)).collect()
    }

    /// The fields whose values are counted.
    pub(crate) fn counted_fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Values { fields, .. } | Kind::AtEnd { fields, .. } => fields,
            _ => &[],
        }
    }

    /// Whether it counts values rather than judgements.
    pub(crate) fn counts_values(&self) -> bool {
        match &self.kind {
            Kind::Values { .. } => true,
            Kind::AtEnd { fields, .. } => !fields.is_empty(),
            _ => false,
        }
    }
}

fn value(judgement: &Judgement, field: Field) -> Option<CompactString> {
    let mut text = field.of(&judgement.event).to_text();
    text.truncate(text.floor_char_boundary(VALUE_LIMIT_BYTES));
    (!text.is_empty()).then_some(text)
}
