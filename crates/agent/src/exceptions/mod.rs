//! `exceptions`: the silences of documents and of the configuration: who answers for them, until when they hold, and
//! what they hide.
//!
//! An exception keeps alerts from being raised. It deletes no event and no count: what it silenced is counted, stays in
//! recordings and is seen by correlations. One that has expired is reported and not honoured.

mod list;
mod replayed;

use crate::cli::Kind;
use crate::config;
use crate::failure::{Exit, Failure};
use clap::{Args, Subcommand, ValueEnum};
use detect::ExceptionUse;
use event::Field;
use std::path::PathBuf;
use std::time::Duration;
use strategy::Strategy;
use strategy::document::blocks::{Date, Exception};
use strategy::document::{Document, Placed};
use strategy::sigma::Item;
use strategy::source::Span;

const SECONDS_PER_DAY: u64 = 86_400;
/// In the place of a strategy: all of them.
const EVERY: &str = "*";

/// `exceptions`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists exceptions with owner, reason and expiry; status 1 where one has expired.
    List(List),
    /// Replays recordings and shows what each exception would have hidden; status 1 where one hides alerts.
    Test(Test),
}

/// Where exceptions are looked for.
#[derive(Debug, Args)]
pub struct Sources {
    /// Directory with strategy documents, in the place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub strategies: Option<PathBuf>,
    /// Configuration file (TOML), which may hold exceptions too.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// One object per line.
    Json,
}

/// `exceptions list`.
#[derive(Debug, Args)]
pub struct List {
    /// Where they are looked for.
    #[command(flatten)]
    pub sources: Sources,
}

/// `exceptions test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Recordings: Watchkeeper events (NDJSON), Kubernetes audit logs. `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only the exception of this id.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Kind of the files, where it should not be recognised.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<Kind>,
    /// Where exceptions are looked for.
    #[command(flatten)]
    pub sources: Sources,
}

/// Runs one of the commands.
///
/// # Errors
/// Documents, configuration or recordings that cannot be read, or an output that cannot be written.
pub fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(args),
        Command::Test(args) => replayed::run(args),
    }
}

/// Adds the exceptions of the configuration to the strategies that they name.
///
/// # Errors
/// An exception without scope or owner, of a strategy, rule or field that does not exist.
pub fn apply(strategies: &mut [Strategy], exceptions: &[config::Exception]) -> Result<(), Failure> {
    for written in exceptions {
        let exception = written.exception();
        let refused = |what: String, hint: String| {
            Failure::usage(format!("exception `{}` of the configuration: {what}", exception.id), hint)
        };
        if let Some((key, fault)) = exception.faults().first() {
            return Err(refused(
                format!("`{key}`: {fault}"),
                "docs/strategy-format.md lists the keys".into(),
            ));
        }
        if let Some(name) = exception.scope.fields.keys().find(|name| Field::by_name(name).is_none()) {
            return Err(refused(
                format!("unknown field `{name}`"),
                "docs/reference/fields.md lists all fields".into(),
            ));
        }
        let known: Vec<String> = strategies.iter().map(|strategy| strategy.front.slug.clone()).collect();
        let mut found = 0;
        for strategy in strategies.iter_mut().filter(|strategy| is_meant(strategy, &written.strategy)) {
            found += 1;
            if let Some(rule) = exception.rules.iter().find(|rule| !has_rule(strategy, rule)) {
                let slug = &strategy.front.slug;
                return Err(refused(
                    format!("strategy `{slug}` has no rule `{rule}`"),
                    format!("`watchkeeper strategy explain {slug}` lists its rules"),
                ));
            }
            strategy.document.exceptions.push(Placed { span: Span::default(), value: exception.clone() });
        }
        if found == 0 {
            return Err(refused(
                format!("there is no strategy `{}`", written.strategy),
                format!("known: {}; `{EVERY}` means all", known.join(", ")),
            ));
        }
    }
    Ok(())
}

/// Lets go of all of a strategy but what the sentences here need.
pub fn keep_only(strategy: &mut Strategy) {
    strategy.text = String::new();
    let exceptions = std::mem::take(&mut strategy.document.exceptions);
    strategy.document = Document { exceptions, ..Document::default() };
}

fn is_meant(strategy: &Strategy, name: &str) -> bool {
    name == EVERY || strategy.front.slug == name || strategy.front.id == name
}

fn has_rule(strategy: &Strategy, rule: &str) -> bool {
    strategy.document.items.iter().map(Item::head).any(|head| head.is(rule))
}

/// An exception with the strategies that it is for: one of a document has one, one of the configuration may have more.
pub struct Silence<'s> {
    /// What it says.
    pub exception: &'s Exception,
    /// Where it stands in its document; `None` for one of the configuration.
    pub span: Option<Span>,
    /// Numbers of the strategies.
    pub strategies: Vec<usize>,
}

impl Silence<'_> {
    /// The strategy's slug, or how many there are.
    fn strategy(&self, all: &[Strategy]) -> String {
        match self.strategies[..] {
            [one] => all.get(one).map_or_else(String::new, |strategy| strategy.front.slug.clone()),
            _ => format!("{} strategies", self.strategies.len()),
        }
    }

    /// What it did: judgements that it covered, and those that it would have covered, had it not expired.
    fn usage(&self, uses: &[ExceptionUse]) -> (u64, u64) {
        let is_own =
            |used: &&ExceptionUse| used.id == self.exception.id && self.strategies.contains(&used.strategy);
        uses.iter()
            .filter(is_own)
            .fold((0, 0), |(silenced, expired), used| (silenced + used.silenced, expired + used.expired))
    }
}

/// All exceptions, in the order of the strategies; those of the configuration once each.
pub fn silences(strategies: &[Strategy]) -> Vec<Silence<'_>> {
    let mut all: Vec<Silence<'_>> = Vec::new();
    for (number, strategy) in strategies.iter().enumerate() {
        for placed in &strategy.document.exceptions {
            // Exceptions of the configuration have no place in the document.
            let span = Some(placed.span).filter(|span| *span != Span::default());
            let same = all
                .iter_mut()
                .find(|one| one.span.is_none() && span.is_none() && *one.exception == placed.value);
            match same {
                Some(known) => known.strategies.push(number),
                None => all.push(Silence { exception: &placed.value, span, strategies: vec![number] }),
            }
        }
    }
    all
}

/// Whether the last day of an exception is over, `now` after 1970.
pub fn is_expired(expires: Date, now: Duration) -> bool {
    now.as_secs() / SECONDS_PER_DAY > expires.days_since_1970()
}

/// One sentence for each exception that has expired by the host's clock.
pub fn expired(strategies: &[Strategy]) -> Vec<String> {
    let now = sense::kernel::wall_time();
    let all = silences(strategies);
    let gone = all.iter().filter(|silence| is_expired(silence.exception.expires, now));
    gone.map(|silence| {
        let exception = silence.exception;
        format!(
            "exception `{}` of {} expired on {} and is not honoured; its owner is {}",
            exception.id,
            silence.strategy(strategies),
            exception.expires,
            exception.owner
        )
    })
    .collect()
}

/// One sentence for each exception that did something, or would have, had it not expired.
pub fn uses(strategies: &[Strategy], uses: &[ExceptionUse]) -> Vec<String> {
    let mut sentences = Vec::new();
    for silence in silences(strategies) {
        let (id, owner) = (&silence.exception.id, &silence.exception.owner);
        let name = format!("exception `{id}` of {} (owner {owner})", silence.strategy(strategies));
        let (silenced, expired) = silence.usage(uses);
        if silenced > 0 {
            sentences.push(format!("{name} covered {silenced} judgements"));
        }
        if expired > 0 {
            sentences.push(format!("{name} has expired and was not honoured {expired} times"));
        }
    }
    sentences
}

/// What an exception is limited to, in words.
fn scope(exception: &Exception) -> String {
    let scope = &exception.scope;
    let named = [
        ("workload", &scope.workload),
        ("image", &scope.image),
        ("container", &scope.container),
        ("namespace", &scope.namespace),
    ];
    let mut parts: Vec<String> = named
        .into_iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")))
        .collect();
    parts.extend(scope.fields.iter().map(|(field, texts)| format!("{field}={}", texts.0.join("|"))));
    parts.join(" ")
}

/// When an exception holds, if not always, in words.
fn window(exception: &Exception) -> String {
    let Some(window) = &exception.window else { return "always".to_owned() };
    let days: Vec<String> = window.days.iter().map(|day| format!("{day:?}").to_lowercase()).collect();
    let days = if days.is_empty() { "daily".to_owned() } else { days.join(",") };
    format!("{days} {}-{} UTC", window.from, window.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_holds_through_its_last_day() {
        let last = strategy::document::blocks::date("2026-01-01").unwrap();
        let day = |day: u64| Duration::from_secs(day * SECONDS_PER_DAY);
        assert!(!is_expired(last, day(20_454)));
        assert!(!is_expired(last, day(20_455) - Duration::from_nanos(1)));
        assert!(is_expired(last, day(20_455)));
    }
}
