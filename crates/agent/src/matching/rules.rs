//! Rules from files and directories: Sigma's and Falco's.
//!
//! A YAML file whose items are Falco's is read as Falco, and all such files are one set of rules in the order in which
//! they were given; any other is read as Sigma.

use crate::cli::LogsourceArgument;
use crate::failure::{Failure, say};
use crate::files;
use detect::plain::Rejected;
use std::path::PathBuf;
use strategy::diagnostic::Problem;
use strategy::falco::{self, Input};
use strategy::sigma::{Item, read_all};
use strategy::source::Source;

/// What was read.
pub struct Loaded {
    /// Sigma's rules, filters and correlations, in the order of their files.
    pub items: Vec<Item>,
    /// Falco's rules.
    pub falco: Vec<falco::Rule>,
    /// By item, then by Falco rule: its file.
    files: Vec<String>,
    /// By item: its own text.
    texts: Vec<String>,
}

impl Loaded {
    /// Reads the files at `paths`. What is wrong in one is named on standard error, and the others are read.
    ///
    /// # Errors
    /// A path that does not exist or cannot be listed.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let found = files::read(paths, &["yml", "yaml"], "a Sigma or Falco rule (.yml, .yaml)")?;
        for (path, reason) in &found.unreadable {
            say(&format!("{path}: not read: {reason}"));
        }
        let (of_falco, of_sigma): (Vec<_>, Vec<_>) =
            found.files.iter().partition(|(_, text)| falco::is_falco(text));
        let mut loaded = Self { items: Vec::new(), falco: Vec::new(), files: Vec::new(), texts: Vec::new() };
        let texts: Vec<&str> = of_sigma.iter().map(|(_, text)| text.as_str()).collect();
        for ((name, text), read) in of_sigma.iter().zip(read_all(&texts)) {
            loaded.add_sigma(name, text, read);
        }
        let inputs: Vec<Input<'_>> = of_falco.iter().map(|(name, text)| Input { name, text }).collect();
        loaded.add_falco(&inputs);
        Ok(loaded)
    }

    fn add_sigma(&mut self, name: &str, text: &str, (items, problems): (Vec<Item>, Vec<Problem>)) {
        let source = Source::new(name, text);
        for problem in problems {
            tell(&source, &problem, "rule left out");
        }
        self.files.extend(items.iter().map(|_| name.to_owned()));
        self.texts.extend(items.iter().map(|item| source.slice(item.head().span).to_owned()));
        self.items.extend(items);
    }

    fn add_falco(&mut self, inputs: &[Input<'_>]) {
        let set = falco::load(inputs);
        let sources: Vec<Source<'_>> =
            inputs.iter().map(|input| Source::new(input.name, input.text)).collect();
        for (findings, what) in [(&set.errors, "left out"), (&set.warnings, "warning")] {
            for finding in findings {
                if let Some(source) = sources.get(finding.file) {
                    tell(source, &finding.problem, what);
                }
            }
        }
        let file = |rule: &falco::Rule| inputs.get(rule.file).map_or("", |input| input.name).to_owned();
        self.files.extend(set.rules.iter().map(file));
        self.falco = set.rules;
    }

    /// Takes out the rules that are about other log sources than `wanted`, and says how many.
    pub fn prune(&mut self, wanted: Option<&LogsourceArgument>) {
        let Some(wanted) = wanted else { return };
        let fits = |item: &Item| match item {
            Item::Rule(rule) => wanted.fits(&rule.logsource),
            Item::Correlation(_) | Item::Filter(_) => true,
        };
        let before = self.items.len();
        // Falco's rules come after the items, and say nothing of log sources.
        let of_falco = self.files.split_off(before);
        let all = std::mem::take(&mut self.items).into_iter().zip(std::mem::take(&mut self.files));
        (self.items, self.files) = all.filter(|(item, _)| fits(item)).unzip();
        self.files.extend(of_falco);
        if self.items.len() < before {
            say(&format!("{} rules of other log sources are not asked", before - self.items.len()));
        }
    }

    /// Names what does not run.
    pub fn report<'r>(&self, rejected: impl Iterator<Item = &'r Rejected>) {
        for Rejected { item, fault } in rejected {
            let title = self.title(*item);
            let file = self.files.get(*item).map_or("", String::as_str);
            let hint = fault.hint().map_or(String::new(), |hint| format!("; {hint}"));
            say(&format!("{file}: `{title}` left out: {fault}{hint}"));
        }
    }

    /// The Falco rule at this place.
    pub fn falco_rule(&self, place: usize) -> Option<&falco::Rule> {
        self.falco.get(place.checked_sub(self.items.len())?)
    }

    /// The text of the item at this place, as it stands in its file.
    pub fn text(&self, place: usize) -> &str {
        self.texts.get(place).map_or("", String::as_str)
    }

    fn title(&self, place: usize) -> &str {
        match self.items.get(place) {
            Some(item) => &item.head().title,
            None => self.falco_rule(place).map_or("", |rule| &rule.name),
        }
    }
}

fn tell(source: &Source<'_>, problem: &Problem, what: &str) {
    let line = source.position(problem.span.start).line;
    let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("; {hint}"));
    say(&format!("{}:{line}: {what}: {}{hint}", source.path, problem.message));
}
