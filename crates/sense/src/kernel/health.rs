//! Loss and health of the kernel sensor as events.
//!
//! In: the counters of the kernel programs and of the readers, looked at about once a second. Out: a loss event
//! for every place that lost something since the last look, with the exact number. Nothing is estimated.

use event::{
    Kind, Text,
    health::{Health, Loss, LossAt, SensorState},
};

use super::{hooks::SIGNALS, loader::Report, ring::Counts};

/// What the reading side could not use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReaderCounts {
    /// Records that were no events.
    pub undecodable: u64,
    /// How often a ring held nonsense and was skipped.
    pub corrupt: u64,
}

/// Turns counts into loss events.
#[derive(Debug, Clone, Default)]
pub struct LossWatch {
    counts: Counts,
    reader: ReaderCounts,
}

impl LossWatch {
    /// What was lost since the last call.
    pub fn look(&mut self, counts: Counts, reader: ReaderCounts) -> Vec<Kind> {
        let mut losses = Vec::new();
        let places = [LossAt::RingCritical, LossAt::RingFile, LossAt::RingNetwork];
        for ((at, now), before) in places.into_iter().zip(counts.lost).zip(self.counts.lost) {
            push(&mut losses, at, now.saturating_sub(before), "ring full");
        }
        let table = counts.table_full.saturating_sub(self.counts.table_full);
        push(&mut losses, LossAt::KernelTable, table, "lineage, owner or flow table full");
        let undecodable = reader.undecodable.saturating_sub(self.reader.undecodable);
        push(&mut losses, LossAt::Decode, undecodable, "records that could not be decoded");
        let corrupt = reader.corrupt.saturating_sub(self.reader.corrupt);
        push(&mut losses, LossAt::Decode, corrupt, "ring skipped to its end");
        self.counts = counts;
        self.reader = reader;
        losses
    }
}

fn push(losses: &mut Vec<Kind>, at: LossAt, count: u64, detail: &'static str) {
    if count > 0 {
        losses.push(Kind::Loss(Box::new(Loss { at, count, detail: Text::resolved(detail) })));
    }
}

/// State of each signal that the kernel sensor gives, as attached programs allow.
#[must_use]
pub fn signals(report: &Report) -> Vec<Kind> {
    let missing_for = |signal: &str| -> Vec<String> {
        let concerned = report.missing.iter().filter(|m| m.signals.contains(&signal));
        concerned.map(|m| format!("unseen: {} ({}: {})", m.unseen, m.program, m.cause)).collect()
    };
    SIGNALS
        .iter()
        .map(|signal| {
            let reasons = missing_for(signal);
            Kind::Health(Box::new(Health {
                signal: (*signal).into(),
                state: if reasons.is_empty() { SensorState::Up } else { SensorState::Degraded },
                reason: Text::resolved(reasons.join("; ")),
            }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::loader::Missing;

    #[test]
    fn loss_is_reported_once_and_exactly() {
        let mut watch = LossWatch::default();
        let mut counts = Counts { emitted: [10, 0, 0], ..Counts::default() };
        assert!(watch.look(counts, ReaderCounts::default()).is_empty());
        counts.lost = [0, 7, 0];
        let expected = Loss { at: LossAt::RingFile, count: 7, detail: Text::resolved("ring full") };
        assert_eq!(watch.look(counts, ReaderCounts::default()), [Kind::Loss(Box::new(expected))]);
        assert!(watch.look(counts, ReaderCounts::default()).is_empty());
    }

    #[test]
    fn a_missing_program_degrades_its_signals_only() {
        let missing = Missing { program: "on_x", unseen: "x", signals: &["file"], cause: "no".into() };
        let states = signals(&Report { attached: vec![], missing: vec![missing] });
        let degraded: Vec<_> = states
            .iter()
            .filter_map(|k| match k {
                Kind::Health(h) if h.state == SensorState::Degraded => Some(h.signal.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(degraded, ["file"]);
    }
}
