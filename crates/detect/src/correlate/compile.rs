//! From a correlation's tree to what its state needs.

use super::holds::{self, Holds};
use super::order::Chain;
use crate::error::Fault;
use crate::judge::JudgeIndex;
use strategy::sigma::{self, CorrelationCondition, CorrelationKind, Order};

/// Largest count that is waited for: so many times or values of one group are kept at most.
pub(super) const COUNT_LIMIT: usize = 100_000;

/// A correlation, made ready; `F` names a field.
#[derive(Debug)]
pub(crate) struct Correlation<F> {
    /// Its own number.
    pub(crate) judge: JudgeIndex,
    /// The judges that it joins, in the order of its text.
    pub(crate) members: Vec<JudgeIndex>,
    /// By member: where the values to group by are from.
    pub(crate) group_by: Vec<Vec<Origin<F>>>,
    /// By member: where the values that are counted or summed are from.
    pub(crate) measured: Vec<Vec<Origin<F>>>,
    /// How far apart the first and the last may be, in nanoseconds.
    pub(crate) timespan: u64,
    pub(crate) kind: Kind,
    /// The names that it groups by, where they are aliases.
    aliases: Vec<Option<String>>,
}

/// Where a value is from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin<F> {
    /// A field of the event.
    Field(F),
    /// A value by which the member, a correlation, groups.
    Group(usize),
}

/// What is asked of the judgements of a window.
#[derive(Debug)]
pub(crate) enum Kind {
    /// As many events as this; asked at each, looking back.
    Events { at_least: usize },
    /// As many different values as this; asked at each, looking back.
    Values { at_least: usize },
    /// A sum above these bounds; asked at each, looking back.
    Sum { bounds: Vec<(Order, f64)> },
    /// Members, in any order; asked at each, looking back.
    Together { holds: Holds },
    /// Members, in order; any of the chains.
    InOrder { chains: Vec<Chain> },
    /// What can be said only of a whole window; asked when the window ends that the group's first event opened.
    AtEnd { gauge: Gauge, asks: Asks },
}

impl Kind {
    /// Whether a judgement of the member at `place` means anything for a group that saw none before.
    pub(super) fn heeds_first(&self, place: usize) -> bool {
        match self {
            Kind::InOrder { chains } => chains.iter().any(|chain| chain.heeds_first(place)),
            _ => true,
        }
    }
}

/// What is measured over a whole window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gauge {
    /// How many events.
    Events,
    /// How many different values.
    Values,
    Sum,
    Mean,
    Median,
    /// The smallest value that so many percent of the values do not exceed.
    Percentile(f64),
    /// Which members.
    Members,
}

/// What is asked of the measure.
#[derive(Debug)]
pub(crate) enum Asks {
    Bounds(Vec<(Order, f64)>),
    Members(Holds),
}

/// Where names are looked up.
pub(crate) struct Names<'a, F> {
    /// The judge of a reference.
    pub(crate) judge: &'a dyn Fn(&str) -> Option<JudgeIndex>,
    /// The field of a name.
    pub(crate) field: &'a mut dyn FnMut(&str) -> Result<F, Fault>,
    /// The correlations that there are already.
    pub(crate) correlations: &'a [Correlation<F>],
}

/// Makes `correlation`, whose own number is `judge`, ready.
///
/// # Errors
/// A field or reference that does not exist, or a condition that cannot be judged.
pub(crate) fn compile<F: Copy>(
    correlation: &sigma::Correlation,
    judge: JudgeIndex,
    names: &mut Names<'_, F>,
) -> Result<Correlation<F>, Fault> {
    let known = |name: &str| (names.judge)(name).ok_or_else(|| Fault::UnknownReference(name.to_owned()));
    let members: Vec<JudgeIndex> =
        correlation.rules.iter().map(|rule| known(&rule.name)).collect::<Result<_, _>>()?;
    let none: &[String] = &[];
    let fields = match &correlation.condition {
        CorrelationCondition::Bounds { fields, .. } => fields,
        _ => none,
    };
    let mut origins = |wanted: &[String]| -> Result<Vec<Vec<Origin<F>>>, Fault> {
        let members = correlation.rules.iter().zip(&members);
        let of_member = |(rule, member): (&sigma::Reference, &JudgeIndex)| {
            wanted.iter().map(|name| origin(correlation, (&rule.name, *member), name, names)).collect()
        };
        members.map(of_member).collect()
    };
    let (group_by, measured) = (origins(&correlation.group_by)?, origins(fields)?);
    let is_alias = |name: &&String| correlation.aliases.iter().any(|alias| alias.name == **name);
    Ok(Correlation {
        judge,
        members,
        group_by,
        measured,
        timespan: u64::try_from(correlation.timespan.as_nanos()).unwrap_or(u64::MAX),
        kind: kind(correlation)?,
        aliases: correlation.group_by.iter().map(|name| Some(name).filter(is_alias).cloned()).collect(),
    })
}

/// Where the value that `name` means for judgements of a member is from: an alias, what an inner correlation calls so,
/// or a field.
fn origin<F: Copy>(
    correlation: &sigma::Correlation,
    (rule, member): (&str, JudgeIndex),
    name: &str,
    names: &mut Names<'_, F>,
) -> Result<Origin<F>, Fault> {
    let alias = correlation.aliases.iter().find(|alias| alias.name == name);
    let aliased = alias.map(|alias| alias.fields.iter().find(|(reference, _)| reference.name == rule));
    let name = match aliased {
        None => name,
        Some(Some((_, field))) => field,
        Some(None) => return Err(Fault::UnknownField(format!("{name} (of {rule})"))),
    };
    let inner = names.correlations.iter().find(|inner| inner.judge == member);
    let place = inner.and_then(|inner| inner.aliases.iter().position(|alias| alias.as_deref() == Some(name)));
    match place {
        Some(place) => Ok(Origin::Group(place)),
        None => (names.field)(name).map(Origin::Field),
    }
}

fn kind(correlation: &sigma::Correlation) -> Result<Kind, Fault> {
    let members = correlation.rules.len();
    let (bounds, percentile) = match &correlation.condition {
        CorrelationCondition::AllRules => {
            return members_kind(correlation, Holds::And((0..members).map(Holds::Member).collect()));
        }
        CorrelationCondition::Rules(condition) => {
            return members_kind(correlation, holds::compile(condition, correlation)?);
        }
        CorrelationCondition::Bounds { bounds, .. } if correlation.kind.is_temporal() => {
            return members_kind(correlation, Holds::Count(bounds.clone()));
        }
        CorrelationCondition::Bounds { bounds, percentile, .. } => (bounds, *percentile),
    };
    let at_end = |gauge| Kind::AtEnd { gauge, asks: Asks::Bounds(bounds.clone()) };
    let is_count = matches!(correlation.kind, CorrelationKind::EventCount | CorrelationKind::ValueCount);
    let at_least = if is_count { at_least(bounds)? } else { None };
    let only_below = bounds.iter().all(|(order, _)| matches!(order, Order::Gt | Order::Gte));
    Ok(match (correlation.kind, at_least) {
        (CorrelationKind::EventCount, Some(at_least)) => Kind::Events { at_least },
        (CorrelationKind::EventCount, None) => at_end(Gauge::Events),
        (CorrelationKind::ValueCount, Some(at_least)) => Kind::Values { at_least },
        (CorrelationKind::ValueCount, None) => at_end(Gauge::Values),
        (CorrelationKind::ValueSum, _) if only_below => Kind::Sum { bounds: bounds.clone() },
        (CorrelationKind::ValueSum, _) => at_end(Gauge::Sum),
        (CorrelationKind::ValueAvg, _) => at_end(Gauge::Mean),
        (CorrelationKind::ValueMedian, _) => at_end(Gauge::Median),
        (CorrelationKind::ValuePercentile, _) => at_end(Gauge::Percentile(percentile)),
        (CorrelationKind::Temporal | CorrelationKind::TemporalOrdered, _) => {
            return Err(Fault::Unsupported("a temporal correlation with bounds".to_owned()));
        }
    })
}

/// A condition over members.
fn members_kind(correlation: &sigma::Correlation, holds: Holds) -> Result<Kind, Fault> {
    if holds.given(0) {
        return Err(Fault::Unsupported("a condition that holds where no rule matched".to_owned()));
    }
    let every = u64::MAX >> (64 - correlation.rules.len().clamp(1, 64));
    if !holds.can_hold(every) {
        return Err(Fault::Unsupported("a condition that never holds".to_owned()));
    }
    if correlation.kind == CorrelationKind::TemporalOrdered {
        return holds.chains(correlation.rules.len()).map(|chains| Kind::InOrder { chains });
    }
    Ok(match holds.is_final() {
        true => Kind::Together { holds },
        false => Kind::AtEnd { gauge: Gauge::Members, asks: Asks::Members(holds) },
    })
}

/// The count from which all bounds hold for good, where there is one.
fn at_least(bounds: &[(Order, f64)]) -> Result<Option<usize>, Fault> {
    let each = bounds.iter().map(|(order, bound)| match order {
        Order::Gte => Some(bound.ceil()),
        Order::Gt => Some(bound.floor() + 1.0),
        _ => None,
    });
    let Some(each) = each.collect::<Option<Vec<f64>>>() else { return Ok(None) };
    // Every judgement is at least one event.
    let most = each.into_iter().fold(1.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "the limit is far below 2^53")]
    let limit = COUNT_LIMIT as f64;
    if most > limit {
        return Err(Fault::Unsupported(format!("a count above {COUNT_LIMIT}")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    Ok(Some(most as usize))
}

impl<F: Copy> Correlation<F> {
    /// The fields that it reads of the events of the member at `place`.
    pub(crate) fn fields(&self, place: usize) -> impl Iterator<Item = F> {
        let [grouped, measured] = [&self.group_by, &self.measured].map(|origins| origins.get(place));
        grouped.into_iter().chain(measured).flatten().filter_map(|origin| match origin {
            Origin::Field(field) => Some(*field),
            Origin::Group(_) => None,
        })
    }
}
