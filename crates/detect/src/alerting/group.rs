//! One group of judgements, and the alert that it makes.

use super::uid::uid;
use crate::cut::cut;
use crate::judge::{Judge, Judgement};
use compact_str::CompactString;
use event::alert::Activity;
use event::{Alert, BootTime, Container, ContainerId, Event, Field, WallTime};
use std::sync::Arc;

/// First events of a group that are kept as evidence.
const FIRST_EVIDENCE: usize = 4;
/// First and last events together.
const EVIDENCE_LIMIT: usize = 8;
/// Longest part of a group's key; longer values are cut.
const KEY_PART_LIMIT_BYTES: usize = 512;

/// Judgements that belong together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) judge: usize,
    pub(super) key: CompactString,
    uid: CompactString,
    first: Judgement,
    last: WallTime,
    pub(super) count: u64,
    /// Judgements at the last record that went out.
    pub(super) reported: u64,
    /// Judgements when the window began.
    pub(super) at_window: u64,
    /// When the window ends.
    pub(super) ends: BootTime,
    evidence: Vec<Arc<Event>>,
    /// The container whose facts are still missing.
    pub(super) awaits: Option<ContainerId>,
}

/// When a record is made, and under what circumstances.
pub(super) struct Occasion {
    pub(super) activity: Activity,
    pub(super) time: WallTime,
    pub(super) boot: BootTime,
    pub(super) health: Vec<CompactString>,
    pub(super) ended_because: Option<CompactString>,
}

impl Group {
    /// A group that begins with `judgement`.
    pub(super) fn new(key: CompactString, judge: &Judge, judgement: Judgement) -> Self {
        let event = judgement.members.first().unwrap_or(&judgement.event);
        let uid = uid(&judge.head.id, &judge.id, &key, event.id);
        let missing = judgement.event.context.container.is_none() && judgement.event.context.container_late;
        let mut group = Self {
            judge: judgement.judge,
            key,
            uid,
            last: judgement.event.wall,
            count: 1,
            reported: 1,
            at_window: 1,
            ends: judgement.event.boot.plus(judge.window),
            evidence: Vec::new(),
            awaits: judgement.event.container_id().copied().filter(|_| missing),
            first: judgement.clone(),
        };
        group.add_evidence(&judgement);
        group
    }

    /// Another judgement of the same key.
    pub(super) fn repeat(&mut self, judgement: &Judgement) {
        self.count += 1;
        self.last = self.last.max(judgement.event.wall);
        self.add_evidence(judgement);
    }

    fn add_evidence(&mut self, judgement: &Judgement) {
        let one = std::slice::from_ref(&judgement.event);
        let events = if judgement.members.is_empty() { one } else { judgement.members.as_slice() };
        for event in events {
            if self.evidence.len() >= EVIDENCE_LIMIT {
                self.evidence.remove(FIRST_EVIDENCE);
            }
            self.evidence.push(event.clone());
        }
    }

    /// The runtime's facts about the container arrived. Says whether anything became known by it.
    pub(super) fn fill_in(&mut self, id: &ContainerId, record: &Arc<Container>) -> bool {
        let mut changed = false;
        let events = self.evidence.iter_mut().chain(std::iter::once(&mut self.first.event));
        for event in events.filter(|event| event.container_id() == Some(id)) {
            if event.context.container.as_ref() == Some(record) {
                continue;
            }
            let event = Arc::make_mut(event);
            event.context.container = Some(record.clone());
            event.context.container_late = false;
            changed = true;
        }
        if record.inspected {
            self.awaits = None;
        }
        changed
    }

    /// The alert as it stands.
    pub(super) fn alert(&self, judge: &Judge, occasion: Occasion) -> Alert {
        let Occasion { activity, time, boot, health, ended_because } = occasion;
        let first = self.first.members.first().unwrap_or(&self.first.event);
        Alert {
            uid: self.uid.clone(),
            activity,
            strategy: judge.head.clone(),
            rule_id: judge.id.clone(),
            rule_title: judge.title.clone(),
            tags: judge.tags.clone(),
            severity: judge.severity,
            confidence: judge.confidence,
            message: judge.message.render(&self.first),
            group_key: self.key.clone(),
            time,
            boot,
            first: first.wall,
            first_event: first.id,
            last: self.last,
            count: self.count,
            evidence: self.evidence.clone(),
            health,
            ended_because,
        }
    }
}

/// What makes repeats of `judge` belong together: the workload (or `host`), the executable, and the fields that the
/// rule adds; for a correlation the values by which it groups.
pub(super) fn key(judge: &Judge, judgement: &Judgement) -> CompactString {
    let mut key = CompactString::default();
    if let Some(group) = &judgement.group {
        group.iter().for_each(|value| push_part(&mut key, value));
        return if key.is_empty() { "all".into() } else { key };
    }
    let event = &judgement.event;
    match Field::WorkloadId.of(event).to_text() {
        host if host.is_empty() => push_part(&mut key, "host"),
        workload => push_part(&mut key, &workload),
    }
    push_part(&mut key, &Field::Image.of(event).to_text());
    for field in &judge.group_by {
        push_part(&mut key, &field.of(event).to_text());
    }
    key
}

/// Appends `|` and the value; what would look like the end of a part is escaped, so that no two keys look the same.
fn push_part(key: &mut CompactString, value: &str) {
    if !key.is_empty() {
        key.push('|');
    }
    for letter in cut(value, KEY_PART_LIMIT_BYTES).chars() {
        if matches!(letter, '|' | '\\') {
            key.push('\\');
        }
        key.push(letter);
    }
}
