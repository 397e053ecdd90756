//! The typed content of machine-read blocks, but for rules and tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use crate::period::Period;

/// `yaml analytic`: the thresholds of an analytic that the rules of the document read. Code holds defaults
/// only, so that a person can read and change them here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytic {
    /// Which analytic.
    pub name: String,
    /// How far it looks back.
    pub window: Option<Period>,
    /// Fewest observations that it judges.
    pub support: Option<u32>,
    /// Levels by name: entering or leaving one makes a fact.
    #[serde(default)]
    pub levels: BTreeMap<String, f64>,
    /// How far below a level the value must fall to leave it, as a share of the level.
    pub hysteresis: Option<f64>,
    /// Alerts per day that the strategy may raise on one host.
    pub budget: Option<f64>,
    /// Other numbers of the analytic, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Lists of the analytic, by name, that join those of the code: directories, ports, programs.
    #[serde(default)]
    pub lists: BTreeMap<String, OneOrMore>,
}

/// `yaml assumption`: what must hold for the strategy to see.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// Name within the document.
    pub id: String,
    /// The assumption, one sentence.
    pub statement: String,
    /// Signals of sensors that must be healthy for it to hold.
    pub needs: Vec<String>,
    /// Whether the strategy sees nothing without them, rather than less.
    #[serde(default = "yes")]
    pub blind_when_missing: bool,
}

/// `yaml exception`: a scoped, owned, expiring silence.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    pub window: Option<Maintenance>,
}

/// What an exception is limited to: all that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Workload.
    pub workload: Option<String>,
    /// Image, with `*` anywhere.
    pub image: Option<String>,
    /// Name of the container, with `*` anywhere.
    pub container: Option<String>,
    /// Kubernetes namespace.
    pub namespace: Option<String>,
    /// Values of fields, with `*` anywhere.
    #[serde(default)]
    pub fields: BTreeMap<String, OneOrMore>,
}

impl Scope {
    /// Whether it is limited to nothing, which would silence everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One text, or a list of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMore(pub Vec<String>);

/// A recurring time, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// `yaml emulation`: a live act and what it must raise; an act that must raise nothing is a benign control.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emulation {
    /// Name within the document.
    pub id: String,
    /// What is done, one sentence.
    pub act: String,
    /// Technique that is acted.
    pub technique: Option<String>,
    /// Image of the container in which it is done.
    pub image: String,
    /// Command lines, run one after the other by a shell in the container.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Steps in other places than the container; run after `commands`.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What the host must offer: `docker`, `privileged`, `bridge`, ….
    #[serde(default)]
    pub needs: Vec<String>,
    /// What it must raise; nothing for a benign control.
    #[serde(default)]
    pub expect: Vec<Expected>,
}

/// A step of an emulation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Command line.
    pub run: String,
    /// Where.
    #[serde(default, rename = "in")]
    pub place: Place,
    /// Whether the next step begins before this one ends.
    #[serde(default)]
    pub background: bool,
}

/// Where a step runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the emulation's container.
    #[default]
    Container,
    /// On the host.
    Host,
    /// In a second container on the same network: the fake server.
    Peer,
}

/// An alert that an emulation must raise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Name or id of the rule.
    pub rule: String,
    /// From act to alert at most.
    pub within: Period,
}

/// `yaml playbook`: what to do, in order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// The steps.
    pub steps: Vec<PlaybookStep>,
}

/// A step of a playbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookStep {
    /// What to do: one of [`ACTIONS`].
    pub action: String,
    /// To what.
    #[serde(default)]
    pub target: Target,
    /// When.
    #[serde(default)]
    pub when: When,
    /// Who must agree.
    #[serde(default)]
    pub approval: Approval,
    /// After which time it is undone by itself.
    pub undo_after: Option<Period>,
    /// For the responder: why, and what to look at.
    pub note: Option<String>,
}

/// To what a step is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Target {
    #[default]
    Container,
    Process,
    Image,
    Destination,
    File,
    Pod,
    Workload,
    Node,
    People,
}

/// When a step is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// At once.
    #[default]
    Alert,
    /// When a person has judged the alert to be true.
    Confirmed,
    /// When the rest is done.
    Recovery,
}

/// Who must agree to a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// A person.
    #[default]
    Ask,
    /// Nobody.
    Auto,
    /// It is only described, never done.
    Never,
}

/// Actions of playbooks, and what each does.
pub const ACTIONS: &[(&str, &str)] = &[
    ("notify", "tells people through the outputs"),
    ("evidence", "collects a bundle: processes, sockets, changed files, logs"),
    ("capture-packets", "records the container's packets"),
    ("snapshot", "commits the container and exports its changes"),
    ("analyse", "compares configuration, processes, files and flows with image, profile and intel"),
    ("quarantine", "cuts the container off the network"),
    ("disconnect", "detaches the container from its networks"),
    ("block-destination", "cuts the workload off one destination"),
    ("pause", "freezes the container"),
    ("stop", "stops the container with grace"),
    ("kill-process", "ends the process"),
    ("kill-container", "ends the container"),
    ("remove-container", "removes the container"),
    ("remove-image", "removes the image"),
    ("block-image", "refuses the image from now on"),
    ("revoke-exec", "ends exec sessions"),
    ("restore-file", "puts the known-good copy of a watched file back"),
    ("redeploy", "starts the last approved digest with the same configuration"),
    ("write-policy", "writes a seccomp, network or admission policy for review"),
    ("isolate-node", "cuts the host off but for its keepers"),
    ("cordon", "keeps new pods off the node"),
    ("drain", "moves pods off the node"),
    ("delete-pod", "deletes the pod"),
    ("detach-pod", "takes the pod out of its owner"),
    ("scale-to-zero", "scales the workload to zero"),
    ("revoke-token", "revokes the service account's tokens"),
];

fn yes() -> bool {
    true
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

fn date(text: &str) -> Option<Date> {
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
        assert_eq!(time_of_day("02:30"), Some(TimeOfDay(150)));
        assert_eq!(time_of_day("24:00"), None);
    }
}
