//! Lengths of time as documents write them: `250ms`, `1.5s`, `90s`, `5m`, `1h`, `7d`, `2w`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Longest length of time that means anything here: ten years.
const LIMIT: Duration = Duration::from_secs(3653 * 24 * 3600);

/// A length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub Duration);

/// Reads a length of time; `None` when it is not one or longer than ten years.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(strategy::period::parse("1.5s"), Some(Duration::from_millis(1500)));
/// assert_eq!(strategy::period::parse("90"), None);
/// ```
pub fn parse(text: &str) -> Option<Duration> {
    let unit_at = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * seconds_per_unit;
    // Rounded to microseconds, so that 0.1 s is what it says.
    let micros = Duration::try_from_secs_f64(seconds).ok()?.as_nanos().saturating_add(500) / 1000;
    let period = Duration::from_micros(u64::try_from(micros).ok()?);
    (period <= LIMIT).then_some(period)
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a length of time such as 90s, 5m or 1h"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_a_unit_and_a_limit() {
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("2w"), Some(Duration::from_secs(1_209_600)));
        for bad in ["", "5", "m", "-5m", "5 m", "5x", "1e9s", "9999w", "1..2s", "٣s"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
