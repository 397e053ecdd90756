//! Conditions over the members of a correlation.

use super::order::Chain;
use crate::error::Fault;
use crate::rule::in_order;
use strategy::sigma::{self, Condition, Order, Quantity};

/// Ways in which a condition in order may come true.
const CHAINS_LIMIT: usize = 64;

/// A condition over the members that were seen; a set of members is a number with a bit for each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Holds {
    And(Vec<Holds>),
    Or(Vec<Holds>),
    Not(Box<Holds>),
    Member(usize),
    /// So many different members.
    Count(Vec<(Order, f64)>),
}

/// Members that must be seen, and members that must not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Way {
    with: u64,
    without: u64,
}

/// The tree of `condition`, whose names are those of the rules of `correlation`.
pub(super) fn compile(condition: &Condition, correlation: &sigma::Correlation) -> Result<Holds, Fault> {
    let each =
        |parts: &[Condition]| parts.iter().map(|part| compile(part, correlation)).collect::<Result<_, _>>();
    Ok(match condition {
        Condition::And(parts) => Holds::And(each(parts)?),
        Condition::Or(parts) => Holds::Or(each(parts)?),
        Condition::Not(part) => Holds::Not(Box::new(compile(part, correlation)?)),
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

/// The bit of the member at `place`.
pub(super) fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}

/// Whether `number` lies within all of `bounds`.
pub(super) fn within(number: f64, bounds: &[(Order, f64)]) -> bool {
    let fits = |(order, bound): &(Order, f64)| {
        number.partial_cmp(bound).is_some_and(|ordering| in_order(ordering, *order))
    };
    bounds.iter().all(fits)
}

impl Holds {
    /// Whether it holds where the members of `seen` were seen and no other.
    pub(crate) fn given(&self, seen: u64) -> bool {
        match self {
            Holds::And(parts) => parts.iter().all(|part| part.given(seen)),
            Holds::Or(parts) => parts.iter().any(|part| part.given(seen)),
            Holds::Not(part) => !part.given(seen),
            Holds::Member(place) => seen & bit(*place) != 0,
            Holds::Count(bounds) => within(f64::from(seen.count_ones()), bounds),
        }
    }

    /// Whether it stays true once it is: whether nothing more that is seen can break it.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Holds::And(parts) | Holds::Or(parts) => parts.iter().all(Holds::is_final),
            Holds::Not(_) => false,
            Holds::Member(_) => true,
            Holds::Count(bounds) => bounds.iter().all(|(order, _)| matches!(order, Order::Gt | Order::Gte)),
        }
    }

    /// Whether it can hold, where there are the members `every`. Says yes where finding out would take long.
    pub(super) fn can_hold(&self, every: u64) -> bool {
        match self {
            Holds::Count(_) => (0..=every.count_ones()).any(|seen| {
                let seen = u64::MAX.checked_shr(64_u32.saturating_sub(seen)).unwrap_or(0);
                self.given(seen)
            }),
            _ => self.ways(false).is_none_or(|ways| !ways.is_empty()),
        }
    }

    /// The ways in which it comes true in order, each a chain; `rules` is how many members there are.
    ///
    /// # Errors
    /// A count other than of all, and a condition with too many ways.
    pub(super) fn chains(&self, rules: usize) -> Result<Vec<Chain>, Fault> {
        if let Holds::Count(bounds) = self {
            #[expect(clippy::cast_precision_loss, reason = "there are at most 64 rules")]
            let all_but_one = rules.saturating_sub(1) as f64;
            if !self.is_final() || within(all_but_one, bounds) {
                let what = "a count of rules in order that is not that of all its rules";
                return Err(Fault::Unsupported(what.to_owned()));
            }
            return Ok(vec![Chain::new(u64::MAX, 0, rules)]);
        }
        let too_many =
            || Fault::Unsupported(format!("a condition in order with more than {CHAINS_LIMIT} alternatives"));
        let ways = self.ways(false).ok_or_else(too_many)?;
        Ok(ways.into_iter().map(|way| Chain::new(way.with, way.without, rules)).collect())
    }

    /// The ways in which it comes true, or, where `negated`, false; `None` where they are too many.
    fn ways(&self, negated: bool) -> Option<Vec<Way>> {
        let mut ways = match self {
            Holds::Member(place) => vec![match negated {
                false => Way { with: bit(*place), without: 0 },
                true => Way { with: 0, without: bit(*place) },
            }],
            Holds::Not(part) => part.ways(!negated)?,
            Holds::Count(_) => return None,
            Holds::And(parts) if !negated => product(parts, negated)?,
            Holds::Or(parts) if negated => product(parts, negated)?,
            Holds::And(parts) | Holds::Or(parts) => {
                let mut ways = Vec::new();
                for part in parts {
                    ways.extend(part.ways(negated)?);
                }
                ways
            }
        };
        ways.retain(|way| way.with & way.without == 0);
        (ways.len() <= CHAINS_LIMIT).then_some(ways)
    }
}

/// The ways in which all parts come true together.
fn product(parts: &[Holds], negated: bool) -> Option<Vec<Way>> {
    let mut ways = vec![Way { with: 0, without: 0 }];
    for part in parts {
        let of_part = part.ways(negated)?;
        let joined = |way: &Way| {
            let way = *way;
            of_part
                .iter()
                .map(move |other| Way { with: way.with | other.with, without: way.without | other.without })
        };
        ways = ways.iter().flat_map(joined).filter(|way| way.with & way.without == 0).collect();
        if ways.len() > CHAINS_LIMIT {
            return None;
        }
    }
    Some(ways)
}
