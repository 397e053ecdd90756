//! The patterns that a line is asked for, by the program that it names.
//!
//! Those of the configuration come first, then those of `patterns.txt`. A line costs one look-up and a search for the
//! longest text of each pattern of its program.

use super::pattern::{Compiled, Pattern, PatternError};
use event::log::{Act, LogRecord};
use std::collections::BTreeMap;

/// The patterns that are built in.
const BUILT_IN: &str = include_str!("patterns.txt");
/// Stands for lines that name no program.
const BARE: &str = "-";
/// Stands for every program.
const ANY: &str = "*";

/// Patterns by program.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    patterns: Vec<Compiled>,
    by_program: BTreeMap<String, Vec<usize>>,
}

impl Table {
    /// The patterns of `own` and those that are built in.
    ///
    /// # Errors
    /// What is wrong with the first of `own` that is none.
    pub(super) fn new(own: &[Pattern]) -> Result<Self, PatternError> {
        let mut table = Self::default();
        for pattern in own.iter().cloned().chain(built_in()) {
            let number = table.patterns.len();
            table.patterns.push(Compiled::new(&pattern)?);
            let programs = if pattern.programs.is_empty() { vec![BARE.to_owned()] } else { pattern.programs };
            for program in programs {
                table.by_program.entry(program).or_default().push(number);
            }
        }
        Ok(table)
    }

    /// Fills `record` by the first pattern that fits its message, in lines of its program. Where nobody vouches for the
    /// program's name, only what any service may say of itself is believed.
    pub(super) fn read(&self, message: &str, is_vouched: bool, record: &mut LogRecord) {
        let program = record.program.clone();
        let program = if program.is_empty() { BARE } else { program.as_str() };
        let of = |program: &str| self.by_program.get(program).into_iter().flatten();
        let any = of(ANY).filter(|_| program != BARE);
        for number in of(program).chain(any) {
            let is_believed = is_vouched || of(BARE).any(|bare| bare == number);
            if let Some(pattern) = self.patterns.get(*number).filter(|_| is_believed)
                && pattern.fits(message, record)
            {
                return;
            }
        }
    }
}

/// The lines of `patterns.txt` as patterns. A test reads them all.
fn built_in() -> impl Iterator<Item = Pattern> {
    BUILT_IN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.splitn(5, '|').map(|cell| cell.strip_prefix(' ').unwrap_or(cell));
        let (programs, act) = (cells.next()?, cells.next()?.trim());
        let (service, method) = (cells.next()?.trim(), cells.next()?.trim());
        Some(Pattern {
            programs: programs.split_whitespace().map(str::to_owned).collect(),
            act: *Act::ALL.iter().find(|own| own.as_str() == act)?,
            service: service.to_owned(),
            method: method.to_owned(),
            text: cells.next()?.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_pattern() {
        let lines = BUILT_IN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(built_in().count(), lines);
        for pattern in built_in() {
            assert!(Compiled::new(&pattern).is_ok(), "{pattern:?}");
        }
    }
}
