//! When a line was written, as far as it can be believed.
//!
//! Whoever can write to a log can write any time into it, and with it out of the window of a count. So the time of a line is
//! its own only between bounds:
//!
//! * [`Clock::recorded`], of a log that was written before: no later than the log itself, and no earlier than the line before,
//!   for lines stand in the order in which they were written. Boot time is wall time: the log has no other.
//! * [`Clock::live`], of a log that grows: no later than it was read, and at most [`DELAY`] earlier; else it is the time of
//!   reading. A time without a year or a zone is not exact enough for that.
//!
//! Lines with a time that is not believed are counted.

use super::time::Time;
use event::{BootTime, WallTime};
use std::time::Duration;

/// How long a line may take from its writer to us.
pub const DELAY: Duration = Duration::from_secs(300);
/// How far a log's clock may be ahead of ours: a host in another zone that does not say so.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// Where lines stand in time.
#[derive(Debug, Clone)]
pub struct Clock {
    bound_ns: u64,
    /// Boot time at which the bound is, of a log that grows.
    boot: Option<BootTime>,
    last_ns: u64,
    disbelieved: u64,
}

impl Clock {
    /// Of a log that was written before `until`.
    pub fn recorded(until: WallTime) -> Self {
        Self { bound_ns: until.0, boot: None, last_ns: 0, disbelieved: 0 }
    }

    /// Of a log that grows.
    pub fn live() -> Self {
        Self { bound_ns: 0, boot: Some(BootTime(0)), last_ns: 0, disbelieved: 0 }
    }

    /// The next line was read then.
    pub fn read_at(&mut self, boot: BootTime, wall: WallTime) {
        (self.boot, self.bound_ns) = (Some(boot), wall.0);
    }

    /// Lines whose time was not believed since the last call.
    pub fn take_disbelieved(&mut self) -> u64 {
        std::mem::take(&mut self.disbelieved)
    }

    /// When a line that names `time` was written.
    pub(super) fn place(&mut self, time: Option<Time>) -> (BootTime, WallTime) {
        match self.boot {
            Some(boot) => self.of_growing(boot, time),
            None => self.of_recorded(time),
        }
    }

    fn of_growing(&mut self, boot: BootTime, time: Option<Time>) -> (BootTime, WallTime) {
        let read = (boot, WallTime(self.bound_ns));
        let Some(time) = time.filter(|time| time.is_exact()) else { return read };
        let Some(ns) = time.before(self.bound_ns) else { return read };
        match self.bound_ns.checked_sub(ns) {
            Some(ago) if u128::from(ago) <= DELAY.as_nanos() => {
                (BootTime(boot.0.saturating_sub(ago)), WallTime(ns))
            }
            _ => {
                self.disbelieved += 1;
                read
            }
        }
    }

    fn of_recorded(&mut self, time: Option<Time>) -> (BootTime, WallTime) {
        let latest = self.bound_ns.saturating_add(u64::try_from(AHEAD.as_nanos()).unwrap_or(u64::MAX));
        let found = time.and_then(|time| time.before(self.bound_ns));
        let ns = match found {
            Some(ns) if ns >= self.last_ns && ns <= latest => ns,
            found => {
                self.disbelieved += u64::from(found.is_some());
                self.last_ns
            }
        };
        if ns == 0 {
            // Before the first time of the log: boot time has yet to begin.
            return (BootTime(1), WallTime(self.bound_ns));
        }
        // Of lines that name no time nothing is learned.
        if found.is_some() {
            self.last_ns = ns;
        }
        (BootTime(ns), WallTime(ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(seconds: u64) -> Option<Time> {
        Some(Time::Known { ns: seconds * SECOND, zoned: true })
    }

    #[test]
    fn a_recorded_line_is_not_later_than_its_log_and_not_earlier_than_the_line_before() {
        let mut clock = Clock::recorded(WallTime(1_000_000 * SECOND));
        let mut place = |time| clock.place(time).1.0 / SECOND;
        assert_eq!(place(at(900_000)), 900_000);
        assert_eq!(place(at(899_000)), 900_000, "earlier than the one before");
        assert_eq!(place(at(2_000_000)), 900_000, "forged: later than the log");
        assert_eq!(place(None), 900_000);
        assert_eq!(place(at(900_005)), 900_005);
        assert_eq!(clock.take_disbelieved(), 2);
    }

    #[test]
    fn a_line_that_comes_now_is_of_the_last_minutes() {
        let mut clock = Clock::live();
        clock.read_at(BootTime(5000 * SECOND), WallTime(1_000_000 * SECOND));
        let mut place = |time| {
            let (boot, wall) = clock.place(time);
            (boot.0 / SECOND, wall.0 / SECOND)
        };
        assert_eq!(place(at(999_990)), (4990, 999_990));
        assert_eq!(place(at(900_000)), (5000, 1_000_000), "forged: long ago");
        assert_eq!(place(at(1_000_100)), (5000, 1_000_000), "forged: not yet");
        let zoneless = Some(Time::Known { ns: 999_990 * SECOND, zoned: false });
        assert_eq!(place(zoneless), (5000, 1_000_000));
        assert_eq!(clock.take_disbelieved(), 2);
    }
}
