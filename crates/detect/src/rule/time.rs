//! Parts of a time: what `|hour` and its siblings ask for.
//!
//! In: a value of a field. Out: seconds since 1970, and their minute, hour, day, week, month or year in UTC. A time is a
//! number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its size, or a text as
//! RFC 3339 has it; the `T` may be a space, and seconds and offset may be missing (UTC then).

use super::record::Scalar;
use strategy::sigma::TimePart;
use strategy::yaml::Number;

/// Whole numbers from here on count milliseconds: as seconds they would lie after the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Seconds since 1970.
pub(crate) fn seconds(value: Scalar<'_>) -> Option<i64> {
    match value {
        Scalar::Text(text) => of_text(text).or_else(|| of_number(value.number()?)),
        other => of_number(other.number()?),
    }
}

fn of_number(number: Number) -> Option<i64> {
    let mut whole = match number {
        Number::Integer(whole) => whole,
        // A fraction of a second does not change any part of the time.
        Number::Float(real) => format!("{:.0}", real.floor()).parse().ok()?,
    };
    for _ in 0..3 {
        if whole.abs() < FIRST_MILLISECONDS {
            break;
        }
        whole = whole.div_euclid(1000);
    }
    Some(whole)
}

/// Reads `2025-10-22T20:33:27.276+02:00`.
fn of_text(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let year = digits(&mut rest, 4)?;
    mark(&mut rest, &['-'])?;
    let month = digits(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    mark(&mut rest, &['-'])?;
    let day = digits(&mut rest, 2).filter(|day| (1..=31).contains(day))?;
    let mut at = days(year, month, day) * 86_400;
    if mark(&mut rest, &['T', 't', ' ']).is_none() {
        return rest.is_empty().then_some(at);
    }
    at += digits(&mut rest, 2)? * 3600;
    mark(&mut rest, &[':'])?;
    at += digits(&mut rest, 2)? * 60;
    if mark(&mut rest, &[':']).is_some() {
        at += digits(&mut rest, 2)?;
        if mark(&mut rest, &['.', ',']).is_some() {
            rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        }
    }
    Some(at - offset(rest.trim_start())?)
}

/// Seconds by which an offset such as `+02:00` is ahead of UTC.
fn offset(mut rest: &str) -> Option<i64> {
    if matches!(rest, "" | "Z" | "z" | "UTC") {
        return Some(0);
    }
    let sign = if mark(&mut rest, &['-']).is_some() { -1 } else { mark(&mut rest, &['+']).map(|()| 1)? };
    let hours = digits(&mut rest, 2)?;
    mark(&mut rest, &[':']);
    let minutes = if rest.is_empty() { 0 } else { digits(&mut rest, 2)? };
    rest.is_empty().then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(rest: &mut &str, count: usize) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(count)?;
    let number = head.bytes().all(|byte| byte.is_ascii_digit()).then(|| head.parse().ok())??;
    *rest = tail;
    Some(number)
}

fn mark(rest: &mut &str, any_of: &[char]) -> Option<()> {
    *rest = rest.strip_prefix(any_of)?;
    Some(())
}

/// Days from 1970 to a date. The year is counted from March, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
    year * 365 + leaps + (153 * month_from_march + 2) / 5 + day - 1 - 719_468
}

/// Part of a time in seconds since 1970, UTC. Source of the calendar: the proleptic Gregorian one, by the counting of
/// days from 1 March that has the leap day at the end of its year.
pub(super) fn time_part(seconds: i64, part: TimePart) -> Option<Number> {
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970; 146,097 are 400 years.
    let shifted = days.checked_add(719_468)?;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some(Number::Integer(match part {
        TimePart::Minute => second_of_day / 60 % 60,
        TimePart::Hour => second_of_day / 3600,
        TimePart::Day => day,
        TimePart::Week => iso_week(days, year),
        TimePart::Month => month,
        TimePart::Year => year,
    }))
}

/// ISO 8601 week: the week belongs to the year of its Thursday.
fn iso_week(days: i64, year: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let new_year = |year: i64| {
        let before = year - 1;
        before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
    };
    let first = [year + 1, year, year - 1].map(new_year).into_iter().find(|first| *first <= thursday);
    (thursday - first.unwrap_or(thursday)) / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_from_numbers_and_texts() {
        // 2025-10-22T20:33:27Z, a Wednesday of week 43.
        const AT: i64 = 1_761_165_207;
        for text in [
            "2025-10-22T20:33:27Z",
            "2025-10-22 20:33:27.274",
            "2025-10-22T22:33:27.276702+02:00",
            "2025-10-22t15:03:27-0530",
            "1761165207",
            "1761165207.9",
            "1761165207274",
            "1761165207274000000",
        ] {
            assert_eq!(seconds(Scalar::Text(text)), Some(AT), "{text}");
        }
        for text in ["", "2025", "2025-13-01", "2025-10-22T20", "2025-10-22T20:33:27 noon", "yesterday"] {
            assert!(seconds(Scalar::Text(text)).is_none_or(|at| at < 10_000), "{text}");
        }
        let part = |part| time_part(AT, part);
        let expect =
            [(TimePart::Minute, 33), (TimePart::Hour, 20), (TimePart::Day, 22), (TimePart::Week, 43)];
        for (asked, number) in expect.into_iter().chain([(TimePart::Month, 10), (TimePart::Year, 2025)]) {
            assert_eq!(part(asked), Some(Number::Integer(number)), "{asked:?}");
        }
    }
}
