//! Records of logs as fields.

use super::read::{compact, text};
use super::{Field, Value};
use crate::log::{Act, LogRecord};

pub(super) fn of_log(record: &LogRecord, field: Field) -> Value<'_> {
    match field {
        Field::LogName => compact(&record.log),
        Field::LogHost => compact(&record.host),
        Field::LogProgram => compact(&record.program),
        Field::LogMessage => text(&record.message),
        Field::LogRecord => compact(&record.record),
        Field::LogUnit => compact(&record.unit),
        Field::LogExecutable => text(&record.executable),
        Field::LogOperation => compact(&record.operation),
        Field::LogTerminal => compact(&record.terminal),
        Field::AuthService | Field::AuthUser | Field::AuthSuccess | Field::AuthMethod | Field::AuthSource => {
            of_attempt(record, field)
        }
        Field::ActivityUser => text(&record.user),
        Field::ActivityTarget => text(&record.target),
        Field::ActivityCommand => text(&record.command),
        Field::ActivitySource => compact(&record.source),
        Field::ActivitySuccess => record.success.map_or(Value::Absent, Value::Bool),
        _ => Value::Absent,
    }
}

/// What only attempts to log in have.
fn of_attempt(record: &LogRecord, field: Field) -> Value<'_> {
    if !matches!(record.act, Act::Success | Act::Failure) {
        return Value::Absent;
    }
    match field {
        Field::AuthService => compact(&record.service),
        Field::AuthUser => text(&record.user),
        Field::AuthSuccess => Value::Bool(record.act == Act::Success),
        Field::AuthMethod => compact(&record.method),
        _ => compact(&record.source),
    }
}
