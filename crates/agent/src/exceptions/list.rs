//! `exceptions list`: one line per exception.

use super::{Form, List, Silence, is_expired, scope, silences, window};
use crate::config::Config;
use crate::content;
use crate::failure::{Exit, Failure};
use crate::table;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;
use strategy::Strategy;
use strategy::document::blocks::Exception;
use strategy::source::Source;

/// Prints the list.
///
/// # Errors
/// Documents or a configuration that cannot be read, or an output that cannot be written.
pub fn run(args: &List) -> Result<Exit, Failure> {
    let config = Config::load(args.sources.config.as_deref())?;
    let documents = content::load(args.sources.strategies.as_deref())?;
    let strategies = crate::strategies::check(&documents, &config)?.strategies;
    let now = sense::kernel::wall_time();
    let all = silences(&strategies);
    let mut out = io::stdout().lock();
    let written = match args.sources.format {
        Form::Json => all.iter().try_for_each(|one| writeln!(out, "{}", object(one, &strategies, now))),
        Form::Text if all.is_empty() => writeln!(out, "no exceptions"),
        Form::Text => {
            let rows: Vec<[String; 8]> = all.iter().map(|one| row(one, &strategies, now)).collect();
            let head = ["ID", "STATE", "EXPIRES", "OWNER", "STRATEGY", "SCOPE", "WHEN", "REASON"];
            table::write(&mut out, head, &rows)
        }
    };
    written.map_err(|error| Failure::output(&error))?;
    let expired = all.iter().any(|one| is_expired(one.exception.expires, now));
    Ok(if expired { Exit::Findings } else { Exit::Fine })
}

/// Whether it is honoured, or how long it has not been.
fn state(exception: &Exception, now: Duration) -> &'static str {
    if is_expired(exception.expires, now) { "EXPIRED" } else { "active" }
}

fn row(silence: &Silence<'_>, strategies: &[Strategy], now: Duration) -> [String; 8] {
    let exception = silence.exception;
    let rules = if exception.rules.is_empty() { "all rules".to_owned() } else { exception.rules.join(",") };
    [
        exception.id.clone(),
        state(exception, now).to_owned(),
        exception.expires.to_string(),
        exception.owner.clone(),
        format!("{} ({rules})", silence.strategy(strategies)),
        scope(exception),
        window(exception),
        exception.reason.trim().to_owned(),
    ]
}

fn object(silence: &Silence<'_>, strategies: &[Strategy], now: Duration) -> Value {
    let mut value = serde_json::to_value(silence.exception).unwrap_or(Value::Null);
    let meant: Vec<&Strategy> =
        silence.strategies.iter().filter_map(|number| strategies.get(*number)).collect();
    let slugs: Vec<&str> = meant.iter().map(|strategy| strategy.front.slug.as_str()).collect();
    let place = match (silence.span, meant.first()) {
        (Some(span), Some(strategy)) => {
            let line = Source::new(&strategy.path, &strategy.text).position(span.start).line;
            format!("{}:{line}", strategy.path)
        }
        _ => "configuration".to_owned(),
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("strategies".into(), json!(slugs));
        object.insert("state".into(), json!(state(silence.exception, now).to_lowercase()));
        object.insert("place".into(), json!(place));
    }
    value
}
