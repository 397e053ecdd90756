//! `match`: any JSON events, judged by plain Sigma and Falco rules.
//!
//! Rules that cannot run are named on standard error, with the reason; the others run. An event is any JSON object, one
//! after the other: one a line, or over several lines, or in one list. What is no event is named, and left out up to
//! the end of its line. Correlations join what the rules say.

mod events;
mod joining;
mod rules;

use crate::cli::{Match, MatchFormat};
use crate::config::Config;
use crate::failure::{Exit, Failure, say};
use detect::joined::{Joined, Noted};
use detect::plain::{JsonRules, JsonScratch};
use events::{Events, Next};
use joining::Joining;
use respond::escape::escaped;
pub use rules::Loaded;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use strategy::sigma::{Head, Item};

/// How many of the things that are no event, and of the events without a time, are named; all are counted.
const NAMED: u64 = 10;
/// Longest text of a rule that is printed, in characters.
const TEXT: usize = 300;

/// Runs the command.
///
/// # Errors
/// A path that cannot be read, no rule that can run, or an output that cannot be written.
pub fn run(args: &Match) -> Result<Exit, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let mut loaded = Loaded::read(&args.rules)?;
    loaded.prune(args.logsource.as_ref());
    let placeholders = &config.detect.placeholders;
    let (mut rules, mut rejected) = JsonRules::with_falco(&loaded.items, &loaded.falco, placeholders);
    // Correlations are not for these rules to run, but for those that join.
    rejected.retain(|one| !matches!(loaded.items.get(one.item), Some(Item::Correlation(_))));
    let (joining, refused) =
        Joining::new(&loaded, &rejected, (&mut rules, args.time.as_deref()), &config.detect);
    loaded.report(rejected.iter().chain(&refused));
    if rules.is_empty() {
        return Err(Failure::usage(
            "no rule can run",
            "give --rules a Sigma or Falco rule (.yml, .yaml) or a directory of them",
        ));
    }
    let scratch = JsonScratch::default();
    let mut judge = Judge { rules, loaded, joining, format: args.format, scratch, events: 0, matches: 0 };
    let mut out = BufWriter::new(io::stdout().lock());
    let standard_input = [PathBuf::from("-")];
    let files = if args.files.is_empty() { standard_input.as_slice() } else { &args.files };
    for file in files {
        judge.file(file, &mut out)?;
    }
    judge.finish(&mut out).map_err(|error| Failure::output(&error))?;
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(if judge.matches > 0 { Exit::Findings } else { Exit::Fine })
}

struct Judge {
    rules: JsonRules,
    loaded: Loaded,
    joining: Joining,
    format: MatchFormat,
    scratch: JsonScratch,
    /// In all files.
    events: u64,
    matches: u64,
}

/// A match: the contract of `--format json`. Authors and licence are named because SigmaHQ's licence asks for it.
#[derive(Serialize)]
struct Found<'a> {
    rule_id: &'a str,
    rule: &'a str,
    level: &'a str,
    file: &'a str,
    event: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    joined: Option<Together<'a>>,
}

/// The same for people.
impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = if self.rule_id.is_empty() { "no id" } else { self.rule_id };
        let [file, rule, id] = [self.file, self.rule, id].map(|text| escaped(text, TEXT));
        write!(f, "{file}:{}: {}: {rule} ({id})", self.event, self.level)
    }
}

/// What a correlation adds: its group, what it counted or measured, and the first and last events, in order.
#[derive(Serialize)]
struct Together<'a> {
    group: BTreeMap<&'a str, &'a str>,
    count: serde_json::Number,
    events: Vec<Place<'a>>,
}

/// Where an event stands.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    event: u64,
}

impl Judge {
    fn file(&mut self, path: &Path, out: &mut impl Write) -> Result<(), Failure> {
        let name = path.display().to_string();
        let unreadable = |error: &io::Error| {
            Failure::usage(
                format!("cannot read {name}: {error}"),
                "give JSON events, or `-` for standard input",
            )
        };
        let input: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            _ => Box::new(File::open(path).map_err(|error| unreadable(&error))?),
        };
        let mut events = Events::new(input);
        let (mut number, mut left_out) = (0, 0_u64);
        self.joining.begin(&name, self.events);
        loop {
            let Self { rules, scratch, joining, .. } = self;
            let mut values = None;
            let next = events.next(|bytes| {
                let length = rules.judge(bytes, scratch)?.1;
                let event = bytes.get(..length).unwrap_or_default();
                values = joining.wants(scratch.matched()).then(|| rules.values(event, scratch));
                Ok(length)
            });
            match next.map_err(|error| unreadable(&error))? {
                Next::Event => {
                    self.print(&name, number, out).map_err(|error| Failure::output(&error))?;
                    if let Some(values) = values {
                        let mut joined = Vec::new();
                        self.joining.take(self.events, self.scratch.matched(), values, &mut joined);
                        self.print_joined(&joined, out).map_err(|error| Failure::output(&error))?;
                    }
                    number += 1;
                    self.events += 1;
                    if events.waits() {
                        out.flush().map_err(|error| Failure::output(&error))?;
                    }
                }
                Next::Broken { at, fault } => {
                    left_out += 1;
                    if left_out <= NAMED {
                        say(&format!("{name}: byte {at}: not an event, left out: {fault}"));
                    }
                }
                Next::End => break,
            }
        }
        if left_out > NAMED {
            say(&format!("{name}: {left_out} pieces in all are not events and were left out"));
        }
        Ok(())
    }

    fn print(&mut self, file: &str, event: u64, out: &mut impl Write) -> io::Result<()> {
        let spoken = |item: &usize| self.joining.speaks(*item);
        let matched: Vec<usize> = self.scratch.matched().iter().copied().filter(spoken).collect();
        for item in matched {
            let Some(found) = self.found(item, file, event) else { continue };
            match self.format {
                MatchFormat::Json => {
                    serde_json::to_writer(&mut *out, &found)?;
                    writeln!(out)?;
                }
                MatchFormat::Text => writeln!(out, "{found}")?,
            }
            self.matches += 1;
        }
        Ok(())
    }
}

impl Judge {
    /// The rule at this place as it is printed. Falco's rules have a name and a priority, and no id.
    fn found<'a>(&'a self, place: usize, file: &'a str, event: u64) -> Option<Found<'a>> {
        if let Some(head) = self.loaded.items.get(place).map(Item::head) {
            return Some(Found {
                rule_id: head.id.as_deref().unwrap_or(""),
                rule: &head.title,
                level: level(head),
                file,
                event,
                author: head.author.as_deref(),
                license: head.license.as_deref(),
                joined: None,
            });
        }
        let rule = self.loaded.falco_rule(place)?;
        let level = rule.priority.as_str();
        Some(Found {
            rule_id: "",
            rule: &rule.name,
            level,
            file,
            event,
            author: None,
            license: None,
            joined: None,
        })
    }

    /// The input ended.
    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.joining.is_empty() {
            return Ok(());
        }
        let mut joined = Vec::new();
        self.joining.finish(&mut joined);
        self.print_joined(&joined, out)
    }

    fn print_joined(&mut self, joined: &[Joined<Noted>], out: &mut impl Write) -> io::Result<()> {
        for one in joined.iter().filter(|one| self.joining.speaks(one.item)) {
            let Some(Item::Correlation(correlation)) = self.loaded.items.get(one.item) else { continue };
            self.matches += 1;
            let places = one.events.iter().map(|event| self.joining.place(event));
            let events: Vec<Place<'_>> = places.map(|(file, event)| Place { file, event }).collect();
            let Some(Place { file, event }) = events.last().map(|last| Place { ..*last }) else { continue };
            let names = correlation.group_by.iter().map(String::as_str);
            let group: BTreeMap<&str, &str> = names.zip(one.group.iter().map(String::as_str)).collect();
            let Some(found) = self.found(one.item, file, event) else { continue };
            match self.format {
                MatchFormat::Json => {
                    let count = one.count.to_string().parse().unwrap_or_else(|_| 0.into());
                    let found = Found { joined: Some(Together { group, count, events }), ..found };
                    serde_json::to_writer(&mut *out, &found)?;
                    writeln!(out)?;
                }
                MatchFormat::Text => {
                    let of_group = group.iter().map(|(name, value)| format!(" {name}={value}"));
                    writeln!(out, "{found}: {}{}", one.count, escaped(&of_group.collect::<String>(), TEXT))?;
                }
            }
        }
        Ok(())
    }
}

/// The level in the rule's own word.
fn level(head: &Head) -> &'static str {
    head.level.map_or("no level", |level| level.as_str())
}
