//! `match`: any JSON events, judged by plain Sigma and Falco rules.
//!
//! Rules that cannot run are named on standard error, with the reason; the others run. An event is any JSON object, one
//! after the other: one a line, or over several lines, or in one list. What is no event is named, and left out up to
//! the end of its line.

mod events;
mod rules;

use crate::cli::{Match, MatchFormat};
use crate::config::Config;
use crate::failure::{Exit, Failure, say};
use detect::plain::{JsonRules, JsonScratch};
use events::{Events, Next};
use respond::escape::escaped;
pub use rules::Loaded;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use strategy::sigma::Head;

/// How many of the things that are no event are named; all are counted.
const NAMED: u64 = 10;
/// Longest text of a rule that is printed, in characters.
const TEXT: usize = 300;

/// Runs the command.
///
/// # Errors
/// A path that cannot be read, no rule that can run, or an output that cannot be written.
pub fn run(args: &Match) -> Result<Exit, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let loaded = Loaded::read(&args.rules)?;
    let placeholders = &config.detect.placeholders;
    let (rules, rejected) = JsonRules::with_falco(&loaded.items, &loaded.falco, placeholders);
    loaded.report(&rejected);
    if rules.is_empty() {
        return Err(Failure::usage(
            "no rule can run",
            "give --rules a Sigma or Falco rule (.yml, .yaml) or a directory of them",
        ));
    }
    let mut judge = Judge { rules, loaded, format: args.format, scratch: JsonScratch::default(), matches: 0 };
    let mut out = BufWriter::new(io::stdout().lock());
    let standard_input = [PathBuf::from("-")];
    let files = if args.files.is_empty() { standard_input.as_slice() } else { &args.files };
    for file in files {
        judge.file(file, &mut out)?;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(if judge.matches > 0 { Exit::Findings } else { Exit::Fine })
}

struct Judge {
    rules: JsonRules,
    loaded: Loaded,
    format: MatchFormat,
    scratch: JsonScratch,
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
        loop {
            let Self { rules, scratch, .. } = self;
            let next = events.next(|bytes| Ok(rules.judge(bytes, scratch)?.1));
            match next.map_err(|error| unreadable(&error))? {
                Next::Event => {
                    self.print(&name, number, out).map_err(|error| Failure::output(&error))?;
                    number += 1;
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
        for item in self.scratch.matched().to_vec() {
            let Some(found) = self.found(item, file, event) else { continue };
            match self.format {
                MatchFormat::Json => {
                    serde_json::to_writer(&mut *out, &found)?;
                    writeln!(out)?;
                }
                MatchFormat::Text => writeln!(
                    out,
                    "{}:{event}: {}: {} ({})",
                    escaped(file, TEXT),
                    found.level,
                    escaped(found.rule, TEXT),
                    escaped(if found.rule_id.is_empty() { "no id" } else { found.rule_id }, TEXT)
                )?,
            }
            self.matches += 1;
        }
        Ok(())
    }
}

impl Judge {
    /// The rule at this place as it is printed. Falco's rules have a name and a priority, and no id.
    fn found<'a>(&'a self, place: usize, file: &'a str, event: u64) -> Option<Found<'a>> {
        if let Some(head) = self.loaded.items.get(place).map(strategy::sigma::Item::head) {
            return Some(Found {
                rule_id: head.id.as_deref().unwrap_or(""),
                rule: &head.title,
                level: level(head),
                file,
                event,
                author: head.author.as_deref(),
                license: head.license.as_deref(),
            });
        }
        let rule = self.loaded.falco_rule(place)?;
        let level = rule.priority.as_str();
        Some(Found { rule_id: "", rule: &rule.name, level, file, event, author: None, license: None })
    }
}

/// The level in the rule's own word.
fn level(head: &Head) -> &'static str {
    head.level.map_or("no level", |level| level.as_str())
}
