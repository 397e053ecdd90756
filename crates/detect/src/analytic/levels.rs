//! Levels of a value that is watched over time: when it enters one, and when it has left them all.

/// Levels, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Levels(Vec<u64>);

/// How many of the levels a value has entered and not left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Entered(usize);

impl Levels {
    /// The levels in their order; none of them may be 0.
    pub(crate) fn new(levels: impl IntoIterator<Item = u64>) -> Self {
        let mut levels: Vec<u64> = levels.into_iter().filter(|level| *level > 0).collect();
        levels.sort_unstable();
        levels.dedup();
        Self(levels)
    }

    /// The value is now `value`. Says `true` where it enters a level that it had not entered, `false` where it falls
    /// below half of the lowest: in between nothing is said, so a value that swings about a level says so once.
    pub(crate) fn turn(&self, entered: &mut Entered, value: u64) -> Option<bool> {
        let reached = self.0.partition_point(|level| *level <= value);
        if reached > entered.0 {
            entered.0 = reached;
            return Some(true);
        }
        let lowest = self.0.first().copied().unwrap_or_default();
        let left = entered.0 > 0 && value < lowest / 2;
        left.then(|| {
            *entered = Entered::default();
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_entered_once_until_the_lowest_is_left() {
        let levels = Levels::new([1000, 100, 100, 0]);
        let mut entered = Entered::default();
        let turns =
            [99, 100, 90, 150, 5000, 60, 50, 49, 49, 100].map(|value| levels.turn(&mut entered, value));
        let (enter, leave) = (Some(true), Some(false));
        assert_eq!(turns, [None, enter, None, None, enter, None, None, leave, None, enter]);
    }

    #[test]
    fn without_levels_nothing_is_said() {
        assert_eq!(Levels::new([]).turn(&mut Entered::default(), u64::MAX), None);
    }
}
