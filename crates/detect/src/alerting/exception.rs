//! Exceptions: scoped, owned, expiring silences.
//!
//! In: the `yaml exception` blocks of strategies; an event that a rule judged. Out: whether the judgement alerts. A
//! silenced judgement is counted, and correlations still see it, unless the exception names them. Time is the event's
//! wall time, since a person wrote the date; an exception that expired is not honoured, and is counted too. Left out on
//! purpose: an exception with a field that does not exist, which is refused when it is read.

use crate::error::Fault;
use crate::rule::{self, TextMatcher};
use event::{Container, Event, Field, WallTime};
use strategy::document::blocks::{Date, Day, Exception, Maintenance};
use strategy::sigma::Pattern;

const NS_PER_MINUTE: u64 = 60_000_000_000;
const MINUTES_PER_DAY: u64 = 24 * 60;
/// Label by which the kubelet tells a container's namespace.
const NAMESPACE_LABEL: &str = "io.kubernetes.pod.namespace";
/// Label by which Docker Compose tells a container's service.
const SERVICE_LABEL: &str = "com.docker.compose.service";

/// What an exception did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionUse {
    /// Number of the strategy.
    pub strategy: usize,
    /// Name within the strategy.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Judgements that it silenced.
    pub silenced: u64,
    /// Judgements that it would have silenced, had it not expired.
    pub expired: u64,
}

/// All exceptions.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    all: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    rules: Vec<String>,
    workload: Option<TextMatcher>,
    image: Option<TextMatcher>,
    container: Option<TextMatcher>,
    namespace: Option<TextMatcher>,
    fields: Vec<(Field, Vec<TextMatcher>)>,
    /// First moment at which it does not hold any more.
    ends: WallTime,
    window: Option<Maintenance>,
    usage: ExceptionUse,
}

/// What exceptions say to a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alert,
    Silence,
}

impl Exceptions {
    /// Adds an exception of the strategy.
    ///
    /// # Errors
    /// A field that does not exist.
    pub(crate) fn add(&mut self, strategy: usize, exception: &Exception) -> Result<(), Fault> {
        let scope = &exception.scope;
        let matcher = |text: &String| {
            TextMatcher::new(&Pattern::parse(text)).map_err(|name| Fault::UnfilledPlaceholder(name.0))
        };
        let optional = |text: &Option<String>| text.as_ref().map(matcher).transpose();
        let fields = scope.fields.iter().map(|(name, texts)| {
            Ok((rule::field(name)?, texts.0.iter().map(matcher).collect::<Result<_, _>>()?))
        });
        self.all.push(Compiled {
            rules: exception.rules.clone(),
            workload: optional(&scope.workload)?,
            image: optional(&scope.image)?,
            container: optional(&scope.container)?,
            namespace: optional(&scope.namespace)?,
            fields: fields.collect::<Result<_, Fault>>()?,
            ends: end_of(exception.expires),
            window: exception.window.clone(),
            usage: ExceptionUse {
                strategy,
                id: exception.id.clone(),
                owner: exception.owner.clone(),
                silenced: 0,
                expired: 0,
            },
        });
        Ok(())
    }

    /// Whether a judgement of `strategy` about `event` alerts; the rule is known by any of `handles`.
    pub(crate) fn ask(&mut self, strategy: usize, handles: &[&str], event: &Event) -> Verdict {
        let mut verdict = Verdict::Alert;
        for exception in self.all.iter_mut().filter(|exception| exception.usage.strategy == strategy) {
            if !exception.covers(handles, event) {
                continue;
            }
            if event.wall >= exception.ends {
                exception.usage.expired += 1;
            } else {
                exception.usage.silenced += 1;
                verdict = Verdict::Silence;
            }
        }
        verdict
    }

    /// What each did so far.
    pub(crate) fn usage(&self) -> Vec<ExceptionUse> {
        self.all.iter().map(|exception| exception.usage.clone()).collect()
    }
}

impl Compiled {
    fn covers(&self, handles: &[&str], event: &Event) -> bool {
        let named = self.rules.is_empty() || self.rules.iter().any(|rule| handles.contains(&rule.as_str()));
        named
            && self.window.as_ref().is_none_or(|window| is_within(window, event.wall))
            && self.fits_container(event.context.container.as_deref())
            && self.fields.iter().all(|(field, texts)| {
                let value = field.of(event);
                rule::any_text(&value, |text| texts.iter().any(|matcher| matcher.matches(text)))
            })
    }

    /// A container of which nothing is known fits no exception that asks for it.
    fn fits_container(&self, record: Option<&Container>) -> bool {
        let fits = |asked: &Option<TextMatcher>, texts: &[&str]| {
            asked
                .as_ref()
                .is_none_or(|matcher| texts.iter().any(|text| !text.is_empty() && matcher.matches(text)))
        };
        let label = |name: &str| {
            let labels = record.map_or([].as_slice(), |record| record.labels.as_slice());
            labels.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
        };
        let image = record.map_or("", |record| record.image.as_str());
        let image_name = record.map_or("", Container::image_name);
        fits(&self.image, &[image, image_name])
            && fits(&self.container, &[record.map_or("", |record| record.name.as_str())])
            && fits(&self.namespace, &[label(NAMESPACE_LABEL)])
            && fits(&self.workload, &[label(SERVICE_LABEL), image_name])
    }
}

/// The first moment after the day.
fn end_of(date: Date) -> WallTime {
    WallTime((date.days_since_1970() + 1).saturating_mul(MINUTES_PER_DAY * NS_PER_MINUTE))
}

fn is_within(window: &Maintenance, wall: WallTime) -> bool {
    let minutes = wall.0 / NS_PER_MINUTE;
    let (day, minute) = (minutes / MINUTES_PER_DAY, minutes % MINUTES_PER_DAY);
    let (from, until) = (u64::from(window.from.0), u64::from(window.until.0));
    let holds_on = |day: u64| window.days.is_empty() || window.days.contains(&weekday(day));
    if from <= until {
        holds_on(day) && (from..until).contains(&minute)
    } else {
        // Over midnight: it belongs to the day on which it began.
        holds_on(day) && minute >= from || day.checked_sub(1).is_some_and(holds_on) && minute < until
    }
}

fn weekday(day: u64) -> Day {
    // 1970-01-01 was a Thursday.
    match day % 7 {
        0 => Day::Thu,
        1 => Day::Fri,
        2 => Day::Sat,
        3 => Day::Sun,
        4 => Day::Mon,
        5 => Day::Tue,
        _ => Day::Wed,
    }
}
