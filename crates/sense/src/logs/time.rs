//! Times as logs write them.
//!
//! In: the start of a line. Out: the time and what follows it. Forms: RFC 3339 and its relatives (a blank instead of `T`, a
//! comma instead of the point, a zone without its colon or none at all), RFC 3164 (`Feb 12 14:10:21`, without a year), what
//! nginx and Go write (`2022/03/01 12:57:58`), and the common log format (`12/Dec/2021:14:41:40 +0100`).
//!
//! A time without a zone is read as UTC, and says so: such a host's clock may be hours away.
//!
//! Source: RFC 3164 section 4.1.2, RFC 3339, RFC 5424 section 6.2.3, the documentation of Apache's `mod_log_config`.

/// Nanoseconds in a second.
const SECOND_NS: i64 = 1_000_000_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Days before each month of a common year.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// A time of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Nanoseconds since 1970; whether the log named a zone.
    Known {
        /// Nanoseconds since 1970 in UTC.
        ns: u64,
        /// Whether the log names the zone.
        zoned: bool,
    },
    /// Without a year: month from 0, day, nanoseconds of the day.
    Yearless {
        /// Month, from 0.
        month: i64,
        /// Day of the month.
        day: i64,
        /// Nanoseconds since midnight.
        of_day_ns: i64,
    },
}

impl Time {
    /// Nanoseconds since 1970; a year that is missing is the last one in which the time is not after `bound_ns` by more than
    /// a day, as a host whose zone is ahead has it.
    pub fn before(self, bound_ns: u64) -> Option<u64> {
        let Self::Yearless { month, day, of_day_ns } = self else {
            return match self {
                Self::Known { ns, .. } => Some(ns),
                Self::Yearless { .. } => None,
            };
        };
        let bound = i64::try_from(bound_ns).ok()?;
        let latest = bound.saturating_add(86_400 * SECOND_NS);
        let year = 1970 + bound / (31_556_952 * SECOND_NS);
        let of_year = |year: i64| nanoseconds(days(year, month, day)?, of_day_ns);
        // The 29th of February is not in every year.
        let years = (0..=8).map(|back| year + 1 - back);
        years.filter_map(of_year).find(|ns| *ns <= latest).and_then(|ns| u64::try_from(ns).ok())
    }

    /// Whether the log names year and zone.
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Known { zoned: true, .. })
    }
}

/// Days since 1970 of a date; `None` where there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = *DAYS_BEFORE.get(usize::try_from(month).ok()?)?;
    let next = DAYS_BEFORE.get(usize::try_from(month + 1).ok()?).copied().unwrap_or(365);
    let length = next - before + i64::from(is_leap && month == 1);
    if !(1..=length).contains(&day) || !(1970..=2400).contains(&year) {
        return None;
    }
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let of_years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    Some(of_years + before + i64::from(is_leap && month > 1) + day - 1)
}

/// Nanoseconds since 1970; `None` behind the year 2262, where 64 bits end.
fn nanoseconds(days: i64, of_day_ns: i64) -> Option<i64> {
    days.checked_mul(86_400 * SECOND_NS)?.checked_add(of_day_ns)
}

/// Reads a text from its start.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits).filter(|_| digits >= least)?;
        self.0 = rest;
        number.parse().ok()
    }

    /// One of these signs.
    fn sign(&mut self, signs: &[char]) -> Option<char> {
        let sign = self.0.chars().next().filter(|sign| signs.contains(sign))?;
        self.0 = self.0.get(sign.len_utf8()..)?;
        Some(sign)
    }

    /// Month by its English name.
    fn month(&mut self) -> Option<i64> {
        let (name, rest) = self.0.split_at_checked(3)?;
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        self.0 = rest;
        i64::try_from(month).ok()
    }

    /// `14:10:21`, with a fraction where there is one, as nanoseconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.number(1, 2).filter(|hour| *hour < 24)?;
        self.sign(&[':'])?;
        let minute = self.number(2, 2).filter(|minute| *minute < 60)?;
        self.sign(&[':'])?;
        // 60 is a leap second.
        let second = self.number(2, 2).filter(|second| *second <= 60)?;
        let mut ns = (hour * 3600 + minute * 60 + second) * SECOND_NS;
        let point = self.0;
        if self.sign(&['.', ',']).is_some() {
            let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
            let Some((fraction, rest)) = self.0.split_at_checked(digits).filter(|_| digits > 0) else {
                self.0 = point;
                return Some(ns);
            };
            self.0 = rest;
            let mut unit = SECOND_NS / 10;
            for digit in fraction.bytes().take(9) {
                ns += i64::from(digit - b'0') * unit;
                unit /= 10;
            }
        }
        Some(ns)
    }

    /// `Z`, `+01:00` or `+0100` as seconds; `None` where there is none.
    fn zone(&mut self) -> Option<i64> {
        let before = self.0;
        let sign = self.sign(&['Z', '+', '-'])?;
        if sign == 'Z' {
            return Some(0);
        }
        let offset = self.number(2, 2).and_then(|hours| {
            self.sign(&[':']);
            Some(hours * 3600 + self.number(2, 2)? * 60)
        });
        if offset.is_none() {
            self.0 = before;
        }
        offset.map(|seconds| if sign == '-' { -seconds } else { seconds })
    }
}

/// The time at the start of `text`, and what follows it.
pub fn leading(text: &str) -> Option<(Time, &str)> {
    numeric(text).or_else(|| named(text)).or_else(|| common(text))
}

/// `2023-10-05T11:47:20.799042+02:00` and its relatives.
fn numeric(text: &str) -> Option<(Time, &str)> {
    let mut cursor = Cursor(text);
    let year = cursor.number(4, 4)?;
    let divider = cursor.sign(&['-', '/'])?;
    let month = cursor.number(2, 2)?;
    cursor.sign(&[divider])?;
    let day = cursor.number(2, 2)?;
    cursor.sign(&['T', ' ', 't'])?;
    cursor.sign(&[' ']);
    let of_day_ns = cursor.clock()?;
    let zone = cursor.zone();
    known(days(year, month - 1, day)?, of_day_ns, zone).map(|time| (time, cursor.0))
}

/// `Feb 12 14:10:21`, with the year before (`2015 Nov 13 …`) or behind (`Nov 13 2015 …`) where there is one, and a day of the
/// week before it.
fn named(text: &str) -> Option<(Time, &str)> {
    let mut cursor = Cursor(text);
    let mut year = cursor.number(4, 4);
    if year.is_some() {
        cursor.sign(&[' '])?;
    } else if cursor
        .0
        .get(..4)
        .is_some_and(|day| ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "].contains(&day))
    {
        cursor.0 = cursor.0.get(4..)?;
    }
    let month = cursor.month()?;
    cursor.sign(&[' '])?;
    cursor.sign(&[' ']);
    let day = cursor.number(1, 2)?;
    cursor.sign(&[' '])?;
    let before = cursor.0;
    if year.is_none() {
        year = cursor.number(4, 4).filter(|_| cursor.0.starts_with(' '));
        match year {
            Some(_) => cursor.0 = cursor.0.trim_start_matches(' '),
            None => cursor.0 = before,
        }
    }
    let of_day_ns = cursor.clock()?;
    if year.is_none() {
        // `Oct 08 17:08:41.203277 2021`, as Apache writes it.
        let mut behind = Cursor(cursor.0);
        if behind.sign(&[' ']).is_some()
            && let Some(found) = behind.number(4, 4)
            && behind.0.starts_with(']')
        {
            (year, cursor) = (Some(found), behind);
        }
    }
    if let Some(year) = year {
        return known(days(year, month, day)?, of_day_ns, None).map(|time| (time, cursor.0));
    }
    // 2024 has every day that there is.
    days(2024, month, day)?;
    Some((Time::Yearless { month, day, of_day_ns }, cursor.0))
}

/// `12/Dec/2021:14:41:40 +0100`.
fn common(text: &str) -> Option<(Time, &str)> {
    let mut cursor = Cursor(text);
    let day = cursor.number(1, 2)?;
    cursor.sign(&['/'])?;
    let month = cursor.month()?;
    cursor.sign(&['/'])?;
    let year = cursor.number(4, 4)?;
    cursor.sign(&[':'])?;
    let of_day_ns = cursor.clock()?;
    cursor.sign(&[' ']);
    let zone = cursor.zone();
    known(days(year, month, day)?, of_day_ns, zone).map(|time| (time, cursor.0))
}

fn known(days: i64, of_day_ns: i64, zone: Option<i64>) -> Option<Time> {
    let ns = nanoseconds(days, of_day_ns)?.checked_sub(zone.unwrap_or(0) * SECOND_NS)?;
    Some(Time::Known { ns: u64::try_from(ns).ok()?, zoned: zone.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2022-01-01T00:00:00Z.
    const NEW_YEAR: u64 = 1_640_995_200;

    fn seconds(text: &str) -> Option<(u64, &str)> {
        let (time, rest) = leading(text)?;
        Some((time.before(NEW_YEAR * 1_000_000_000)? / 1_000_000_000, rest))
    }

    #[test]
    fn every_form_gives_the_same_instant() {
        for text in [
            "2021-12-10T13:41:40Z x",
            "2021-12-10T14:41:40.25+01:00 x",
            "2021-12-10 14:41:40,250+0100 x",
            "2021/12/10 13:41:40 x",
            "Dec 10 13:41:40 x",
            "2021 Dec 10 13:41:40 x",
            "Dec 10 2021 13:41:40 x",
            "Fri Dec 10 13:41:40 x",
            "10/Dec/2021:14:41:40 +0100 x",
        ] {
            assert_eq!(seconds(text), Some((1_639_143_700, " x")), "{text}");
        }
        assert_eq!(seconds("Fri Dec 10 13:41:40.203277 2021] x"), Some((1_639_143_700, "] x")));
    }

    #[test]
    fn a_year_that_is_missing_is_the_last_that_fits() {
        assert_eq!(seconds("Dec 31 23:59:59 x").unwrap().0, NEW_YEAR - 1);
        assert_eq!(seconds("Jan  1 12:00:00 x").unwrap().0, NEW_YEAR + 43_200, "a zone ahead");
        assert_eq!(seconds("Jan  3 00:00:00 x").unwrap().0, NEW_YEAR - 363 * 86_400);
        let leap = leading("Feb 29 00:00:00").unwrap().0.before(NEW_YEAR * 1_000_000_000).unwrap();
        assert_eq!(leap / 1_000_000_000, 1_582_934_400, "2020");
    }

    #[test]
    fn a_time_that_64_bits_do_not_hold_is_none() {
        assert_eq!(leading("2399-12-10T00:00:00Z"), None);
        assert_eq!(leading("10/Dec/2300:14:41:40 +0100"), None);
        let yearless = leading("Feb 12 14:10:21").unwrap().0;
        assert!(yearless.before(i64::MAX.unsigned_abs()).is_some_and(|ns| ns > NEW_YEAR * 1_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "Feb", "Feb 30 00:00:00", "2021-13-01T00:00:00", "2021-12-10", "99:99:99", "Dec 10 24:00:00"]
        {
            assert_eq!(leading(text), None, "{text}");
        }
        for end in 0.."2021-12-10T14:41:40.25+01:00".len() {
            let _ = leading(&"2021-12-10T14:41:40.25+01:00"[..end]);
        }
    }
}
