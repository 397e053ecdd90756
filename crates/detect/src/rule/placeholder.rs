//! Placeholders: what `%name%` stands for under `|expand`.
//!
//! In: names with their values, from the configuration; a pattern. Out: the patterns that it stands for. A value may
//! have wildcards. A placeholder without a value rejects its rule, as the specification asks.

use crate::error::Fault;
use std::collections::BTreeMap;
use strategy::sigma::{Pattern, Segment};

/// Most patterns that one pattern may stand for.
const PATTERNS_LIMIT: usize = 10_000;

/// Values by name.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// The patterns that `pattern` stands for: itself where it has no placeholder.
pub(super) fn filled(pattern: &Pattern, values: &Placeholders) -> Result<Vec<Pattern>, Fault> {
    let mut patterns = vec![Pattern { segments: Vec::new(), cased: pattern.cased }];
    for segment in &pattern.segments {
        let Segment::Placeholder(name) = segment else {
            patterns.iter_mut().for_each(|pattern| pattern.push(segment.clone()));
            continue;
        };
        let values = values.get(name).filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| Fault::UnfilledPlaceholder(name.clone()))?;
        if patterns.len() * values.len() > PATTERNS_LIMIT {
            return Err(Fault::Unsupported(format!(
                "a pattern with more than {PATTERNS_LIMIT} values of its placeholders"
            )));
        }
        let parsed: Vec<Pattern> = values.iter().map(|value| Pattern::parse(value)).collect();
        let with = |pattern: &Pattern, value: &Pattern| {
            let mut longer = pattern.clone();
            value.segments.iter().for_each(|segment| longer.push(segment.clone()));
            longer
        };
        patterns = patterns
            .iter()
            .flat_map(|pattern| parsed.iter().map(move |value| with(pattern, value)))
            .collect();
    }
    Ok(patterns)
}
