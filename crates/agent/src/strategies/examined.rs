//! Documents with everything that is wrong with them: what cannot be read, what lint finds, what the engine refuses,
//! what has expired by the host's clock.

use super::arguments::Documents;
use crate::config::Config;
use crate::content::{self, Found};
use crate::exceptions::is_expired;
use crate::failure::Failure;
use std::path::PathBuf;
use std::time::Duration;
use strategy::diagnostic::{Problem, codes};
use strategy::sigma::Item;
use strategy::source::{Source, Span};
use strategy::{Diagnostic, Severity, Strategy};

/// Documents and all that is known of them.
pub struct Examined {
    /// What was found at the paths.
    pub found: Found,
    /// The strategies that load.
    pub strategies: Vec<Strategy>,
    /// All findings, by path and place.
    pub diagnostics: Vec<Diagnostic>,
    /// What their tests run with.
    pub setting: Setting,
}

/// What tests run with.
pub struct Setting {
    /// Whether the documents are those of this program, which have no captures beside them.
    pub is_built_in: bool,
    /// The configuration of detection.
    pub detect: detect::Config,
}

impl Examined {
    /// Examines the documents at `paths`, or the built-in ones where there is none.
    ///
    /// # Errors
    /// A path that does not exist or cannot be listed.
    pub fn read(paths: &[PathBuf], detect: detect::Config) -> Result<Self, Failure> {
        let found = if paths.is_empty() {
            Found { documents: content::built_in(), unreadable: Vec::new() }
        } else {
            content::from_paths(paths)?
        };
        let (strategies, mut diagnostics) = strategy::load(&found.documents);
        diagnostics.extend(unreadable(&found));
        diagnostics
            .extend(compile_errors(&strategies, &detect).iter().map(|error| placed(error, &strategies)));
        diagnostics.extend(expired(&strategies, sense::kernel::wall_time()));
        diagnostics.sort_by(|left, right| {
            let key = |one: &Diagnostic| (one.path.clone(), one.line, one.column, one.code.id);
            key(left).cmp(&key(right))
        });
        let setting = Setting { is_built_in: paths.is_empty(), detect };
        Ok(Self { found, strategies, diagnostics, setting })
    }

    /// The same, as arguments say it.
    ///
    /// # Errors
    /// Also a configuration that cannot be read.
    pub fn of(documents: &Documents) -> Result<Self, Failure> {
        Self::read(&documents.paths, Config::load(documents.config.as_deref())?.detect)
    }

    /// Documents that were found, readable or not.
    pub fn count(&self) -> usize {
        self.found.documents.len() + self.found.unreadable.len()
    }

    /// Findings of this severity in the document at `path`, or in all.
    pub fn findings(&self, path: Option<&str>, severity: Severity) -> usize {
        let counts = |one: &&Diagnostic| one.severity == severity && path.is_none_or(|path| one.path == path);
        self.diagnostics.iter().filter(counts).count()
    }
}

/// What of the rules does not compile.
fn compile_errors(strategies: &[Strategy], config: &detect::Config) -> Vec<detect::CompileError> {
    detect::Engine::new(strategies, config).map_or_else(|_| Vec::new(), |(_, errors)| errors)
}

fn unreadable(found: &Found) -> impl Iterator<Item = Diagnostic> + '_ {
    found.unreadable.iter().map(|(path, reason)| {
        let problem = Problem::new(
            codes::DOCUMENT_READABLE,
            Span::default(),
            format!("the document cannot be read: {reason}"),
        );
        Diagnostic::new(problem, &Source::new(path, ""))
    })
}

/// The error at the rule, analytic or exception of which it speaks.
fn placed(error: &detect::CompileError, strategies: &[Strategy]) -> Diagnostic {
    let strategy = strategies.iter().find(|strategy| strategy.front.slug == error.strategy);
    let span = strategy.map_or(Span::default(), |strategy| place(strategy, &error.rule));
    let message = format!("`{}`: {}", error.rule, error.fault);
    let code = match error.fault {
        detect::Fault::UnfilledPlaceholder(_) => codes::PLACEHOLDER,
        _ => codes::RULE_COMPILE,
    };
    let mut problem = Problem::new(code, span, message);
    problem.hint = error.hint().map(str::to_owned);
    let (path, text) = strategy
        .map_or((error.strategy.as_str(), ""), |strategy| (strategy.path.as_str(), strategy.text.as_str()));
    Diagnostic::new(problem, &Source::new(path, text))
}

fn place(strategy: &Strategy, what: &str) -> Span {
    let document = &strategy.document;
    let rule = document.items.iter().map(Item::head).find(|head| head.handle() == what);
    let exception = || {
        let id = what.strip_prefix("exception ")?;
        document.exceptions.iter().find(|one| one.value.id == id).map(|one| one.span)
    };
    let analytic = || document.analytics.first().filter(|_| what == "analytic").map(|one| one.span);
    let span = rule.map(|head| head.span).or_else(exception).or_else(analytic).unwrap_or_default();
    Span::at(span.start)
}

fn expired(strategies: &[Strategy], now: Duration) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for strategy in strategies {
        let source = Source::new(&strategy.path, &strategy.text);
        for placed in &strategy.document.exceptions {
            let exception = &placed.value;
            if is_expired(exception.expires, now) {
                let message = format!("the exception `{}` expired on {}", exception.id, exception.expires);
                let problem = Problem::new(codes::EXCEPTION_EXPIRED, Span::at(placed.span.start), message)
                    .with_hint(format!("its owner, {}, takes it away or sets a new day", exception.owner));
                found.push(Diagnostic::new(problem, &source));
            }
        }
    }
    found
}
