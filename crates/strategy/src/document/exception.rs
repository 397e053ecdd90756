//! `yaml exception`: scoped, owned, expiring silences, as documents and configurations write them.
//!
//! Days and times are UTC's. Whether an event is covered is for the engine.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `yaml exception`: a scoped, owned, expiring silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Name within the document.
    pub id: String,
    /// Rules that it silences; none means all of the document.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What it is limited to; not empty.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub expires: Date,
    /// When it holds, if not always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Maintenance>,
}

impl Exception {
    /// What is wrong with it that its types cannot say, each with its key.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if self.scope.is_empty() {
            faults.push((
                "scope",
                "an exception that silences everything: limit it by workload, image, container, namespace, fields",
            ));
        }
        for (key, text) in [("id", &self.id), ("owner", &self.owner), ("reason", &self.reason)] {
            if text.trim().is_empty() {
                faults.push((key, "an exception without id, owner or reason"));
            }
        }
        faults
    }
}

/// What an exception is limited to: all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// Image, with `*` anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Name of the container, with `*` anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Kubernetes namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Values of fields, with `*` anywhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, OneOrMore>,
}

impl Scope {
    /// Whether it is limited to nothing, which would silence everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One text, or a list of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMore(pub Vec<String>);

/// A recurring time, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Days of the week; none means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Begin.
    pub from: TimeOfDay,
    /// End; before `from` it is on the next day.
    pub until: TimeOfDay,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(pub u16);

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// Days from 1970-01-01 to it; 0 for earlier ones.
    pub fn days_since_1970(self) -> u64 {
        // Counting years from March makes the leap day a year's last.
        let (year, month) = (u64::from(self.year), u64::from(self.month));
        let (year, month_from_march) =
            if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
        let days = year * 365 + year / 4 - year / 100 + year / 400;
        let days = days + (153 * month_from_march + 2) / 5 + u64::from(self.day);
        // 719,469 days lie between the last of February of the year 0, where the count begins, and 1970.
        days.saturating_sub(719_469)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = OneOrMore;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![number.to_string()]))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![value.to_string()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMore, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element::<String>()? {
                    texts.push(text);
                }
                if texts.is_empty() { Err(de::Error::custom("an empty list")) } else { Ok(OneOrMore(texts)) }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        date(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a date such as 2027-01-31")))
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        time_of_day(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not a time such as 02:30")))
    }
}

/// A date of the form 2027-01-31.
pub fn date(text: &str) -> Option<Date> {
    let [year, month, day]: [&str; 3] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    let fits = year.len() == 4 && month.len() == 2 && day.len() == 2;
    let digits = [year, month, day].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let date = Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
    let leap =
        date.year.is_multiple_of(4) && (!date.year.is_multiple_of(100) || date.year.is_multiple_of(400));
    let days = match date.month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (fits && digits && (1..=days).contains(&date.day)).then_some(date)
}

fn time_of_day(text: &str) -> Option<TimeOfDay> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (digits(hour) && digits(minute) && hours < 24 && minutes < 60).then_some(TimeOfDay(hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_of_the_calendar() {
        assert_eq!(date("2028-02-29"), Some(Date { year: 2028, month: 2, day: 29 }));
        for bad in ["2027-02-29", "2027-13-01", "2027-1-1", "27-01-01", "2027-01-00", "+027-01-01", ""] {
            assert_eq!(date(bad), None, "{bad}");
        }
        assert_eq!(date("2028-02-29").unwrap().to_string(), "2028-02-29");
        for (text, days) in
            [("1970-01-01", 0), ("1970-03-01", 59), ("2000-02-29", 11_016), ("2026-01-01", 20_454)]
        {
            assert_eq!(date(text).unwrap().days_since_1970(), days, "{text}");
        }
        assert_eq!(time_of_day("02:30"), Some(TimeOfDay(150)));
        assert_eq!(TimeOfDay(150).to_string(), "02:30");
        assert_eq!(time_of_day("24:00"), None);
    }
}
