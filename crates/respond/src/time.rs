//! Wall time as text.

use event::WallTime;

/// RFC 3339 in UTC with milliseconds, as `2026-11-21T22:53:50.123Z`.
pub fn rfc3339(time: WallTime) -> String {
    match jiff::Timestamp::from_millisecond(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)) {
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => format!("{} ms after 1970", time.as_millis()),
    }
}
