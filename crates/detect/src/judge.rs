//! What all that judges has in common: the head of a rule or correlation, and the judgement that it gives.

use crate::alerting::Message;
use crate::correlate::Joinable;
use compact_str::CompactString;
use event::alert::{Severity, StrategyHead};
use event::{BootTime, Event, EventId, Field};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// Number of a judge: rules first, then correlations.
pub(crate) type JudgeIndex = usize;

/// A rule or a correlation, without its condition.
#[derive(Debug)]
pub(crate) struct Judge {
    /// The document.
    pub(crate) strategy: usize,
    /// Its head, for alerts.
    pub(crate) head: Arc<StrategyHead>,
    /// The rule's id, or its name or title where it has none.
    pub(crate) id: CompactString,
    /// What the document calls it.
    pub(crate) name: CompactString,
    /// Its title.
    pub(crate) title: CompactString,
    /// Its tags.
    pub(crate) tags: Vec<CompactString>,
    /// How bad.
    pub(crate) severity: Severity,
    /// How sure, percent.
    pub(crate) confidence: u8,
    /// The sentence.
    pub(crate) message: Message,
    /// Fields whose values make repeats belong together, beside the container and the executable.
    pub(crate) group_by: Vec<Field>,
    /// How long repeats fold into one alert.
    pub(crate) window: Duration,
    /// Whether it alerts; a member of a correlation may only be counted.
    pub(crate) alerts: bool,
}

/// A judge's yes to an event.
#[derive(Debug, Clone)]
pub(crate) struct Judgement<R = Arc<Event>> {
    pub(crate) judge: JudgeIndex,
    /// The event, or the last event of a correlation.
    pub(crate) event: R,
    /// When it became true: with the event, or when the window ended that a correlation waited for.
    pub(crate) moment: Moment,
    /// Events that led to it, first to last, the last included; empty for a rule.
    pub(crate) members: Vec<R>,
    /// What a correlation counted or measured; 1 for a rule.
    pub(crate) count: f64,
    /// Values by which a correlation groups.
    pub(crate) group: Option<Group>,
}

/// Values of the fields by which a correlation groups.
pub(crate) type Group = SmallVec<[CompactString; 2]>;

/// Where a judgement stands in time: the order in which correlations see them.
pub(crate) type Moment = (BootTime, EventId);

impl<R: Joinable> Judgement<R> {
    /// A rule's yes.
    pub(crate) fn of_rule(judge: JudgeIndex, event: R) -> Self {
        Self { judge, moment: event.moment(), event, members: Vec::new(), count: 1.0, group: None }
    }
}
