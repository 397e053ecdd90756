//! `strategy import`: documents made of Falco and Sigma rules, and a table of what came of each.
//!
//! A document holds what the rule says; what it does not say is marked, and `strategy lint` names it. Nothing that is
//! there already is written over.

use super::arguments::Import;
use super::unwritable;
use crate::failure::{Exit, Failure, say};
use crate::matching::Loaded;
use crate::table;
use detect::Placeholders;
use detect::plain::EventRules;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use strategy::falco;
use strategy::import::{self, Imported};
use strategy::sigma::Item;

/// What came of a rule.
struct Outcome {
    rule: String,
    result: &'static str,
    detail: String,
    document: Option<Imported>,
}

/// Runs the command.
///
/// # Errors
/// A path that cannot be read, no rule in any, or a directory that cannot be written.
pub fn run(args: &Import) -> Result<Exit, Failure> {
    let loaded = Loaded::read(&args.paths)?;
    if loaded.items.is_empty() && loaded.falco.is_empty() {
        return Err(Failure::usage("no rule was read", "give Falco or Sigma rules (.yml, .yaml)"));
    }
    let mut outcomes: Vec<Outcome> = loaded.falco.iter().map(of_falco).collect();
    for (place, item) in loaded.items.iter().enumerate() {
        outcomes.push(of_sigma(item, loaded.text(place)));
    }
    if let Some(directory) = &args.out {
        write(directory, &mut outcomes)?;
    }
    let rows: Vec<[String; 3]> =
        outcomes.iter().map(|one| [one.rule.clone(), one.result.to_owned(), one.detail.clone()]).collect();
    let mut out = io::stdout().lock();
    table::write(&mut out, ["RULE", "RESULT", "DETAIL"], &rows).map_err(unwritable)?;
    let count = |result: &str| outcomes.iter().filter(|one| one.result == result).count();
    writeln!(
        out,
        "{} rules: {} imported, {} without their condition, {} cannot run",
        outcomes.len(),
        count(IMPORTED),
        count(WITHOUT_RULE),
        count(CANNOT_RUN)
    )
    .map_err(unwritable)?;
    if args.out.is_none() {
        say("nothing was written: give --out DIR to write the documents");
    }
    Ok(Exit::Fine)
}

const IMPORTED: &str = "imported";
const WITHOUT_RULE: &str = "without rule";
const CANNOT_RUN: &str = "cannot run";

fn of_falco(rule: &falco::Rule) -> Outcome {
    let outcome = |result, detail, document| Outcome { rule: rule.name.clone(), result, detail, document };
    let typed = match falco::typed::plans(rule) {
        Ok(typed) => typed,
        Err(reason) => return outcome(CANNOT_RUN, reason, None),
    };
    let mut lacks = typed.all_missing();
    lacks.extend(typed.unsensed.iter().map(|name| format!("evt.type = {name}")));
    if typed.runs.is_empty() {
        let detail = match lacks.as_slice() {
            [] => "can hold for no event".to_owned(),
            lacks => format!("needs {}", lacks.join(", ")),
        };
        return outcome(CANNOT_RUN, detail, None);
    }
    let document = import::of_falco(rule, &typed);
    let mut details = Vec::new();
    if !rule.enabled {
        details.push("not enabled in Falco".to_owned());
    }
    if !lacks.is_empty() {
        details.push(format!("in part: needs {} for the rest", lacks.join(", ")));
    }
    let result = if document.untranslated.is_empty() {
        IMPORTED
    } else {
        details.push(format!("Sigma cannot say: {}", document.untranslated.join("; ")));
        WITHOUT_RULE
    };
    outcome(result, details.join("; "), Some(document))
}

fn of_sigma(item: &Item, text: &str) -> Outcome {
    let outcome =
        |result, detail, document| Outcome { rule: item.head().title.clone(), result, detail, document };
    let Item::Rule(rule) = item else {
        return outcome(CANNOT_RUN, "only rules are imported: put it beside them by hand".to_owned(), None);
    };
    let (compiled, rejected) = EventRules::new(std::slice::from_ref(item), &Placeholders::new());
    let fault = rejected.first().map(|rejected| rejected.fault.to_string());
    let classes = compiled.classes();
    if classes.is_empty() {
        return outcome(CANNOT_RUN, fault.unwrap_or_else(|| "it is no rule".to_owned()), None);
    }
    let detail = fault.map_or(String::new(), |fault| format!("in part: {fault}"));
    outcome(IMPORTED, detail, Some(import::of_sigma(rule, text, &classes)))
}

/// Writes the documents; of those that are there already it is said.
fn write(directory: &Path, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let cannot = |path: &Path, error: &io::Error| {
        Failure::usage(
            format!("cannot write {}: {error}", path.display()),
            "give a directory that can be written",
        )
    };
    std::fs::create_dir_all(directory).map_err(|error| cannot(directory, &error))?;
    let mut slugs = BTreeSet::new();
    for outcome in outcomes {
        let Some(document) = &outcome.document else { continue };
        let path = directory.join(format!("{}.md", document.slug));
        let note = if slugs.insert(document.slug.clone()) {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(document.text.as_bytes()).map_err(|error| cannot(&path, &error))?;
                    path.display().to_string()
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    format!("{} is there and was left alone", path.display())
                }
                Err(error) => return Err(cannot(&path, &error)),
            }
        } else {
            format!("{} was made of another rule", path.display())
        };
        let gap = if outcome.detail.is_empty() { "" } else { "; " };
        outcome.detail = format!("{note}{gap}{}", outcome.detail);
    }
    Ok(())
}
