//! Changes of watched files as fields.

use super::read::{compact, list, text};
use super::{Field, Value};
use crate::change::{Change, FileChange, FileState};

pub(super) fn of_change(change: &FileChange, field: Field) -> Value<'_> {
    match field {
        Field::TargetFilename => text(&change.path),
        Field::FileName if !change.path.is_empty() => Value::Str(change.path.base_name()),
        Field::FileMode => change.after.as_ref().map_or(Value::Absent, |after| Value::Int(after.mode.into())),
        Field::ChangeWhat => list(change.what.iter().map(|what: &Change| what.as_str())),
        Field::ChangeHashBefore => hash(change.before.as_deref()),
        Field::ChangeHashAfter => hash(change.after.as_deref()),
        Field::ChangeDiff => text(&change.diff),
        Field::ChangeCause => compact(&change.operation),
        Field::ChangeNotes => list(change.notes.iter().map(|note| note.as_str())),
        _ => Value::Absent,
    }
}

fn hash(state: Option<&FileState>) -> Value<'_> {
    state.map_or(Value::Absent, |state| compact(&state.blake3))
}
