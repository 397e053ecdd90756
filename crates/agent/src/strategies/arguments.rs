//! The arguments of `strategy`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `strategy`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the strategies.
    List(List),
    /// Reports all errors of all documents at once.
    Lint(Lint),
    /// Runs the tests inside the documents, exact both ways.
    Test(Test),
    /// Shows one document with its state on this host.
    Explain(Explain),
    /// Shows which techniques of ATT&CK are covered, tested and emulated.
    Coverage(Coverage),
    /// Makes strategy documents of Falco and Sigma rules, and says what of them cannot run.
    Import(Import),
}

/// Which documents, and what they run with.
#[derive(Debug, Args)]
pub struct Documents {
    /// Files or directories; the built-in documents where none is given.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Configuration file (TOML), for the values of placeholders and the limits of detection.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `strategy list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub documents: Documents,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
}

/// `strategy lint`.
#[derive(Debug, Args)]
pub struct Lint {
    #[command(flatten)]
    pub documents: Documents,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub format: LintForm,
}

/// `strategy test`.
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    pub documents: Documents,
    /// Only the tests whose name, `slug / section / name`, contains this.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Only the test that begins on this line of its document.
    #[arg(long, value_name = "NUMBER")]
    pub line: Option<usize>,
    /// Writes what came into the documents, where a test in Validation expects something else.
    #[arg(long)]
    pub update: bool,
}

/// `strategy explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Id, begin of the id, slug or technique of the strategy.
    pub id: String,
    /// Directory with strategy documents, in the place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub strategies: Option<PathBuf>,
    /// Configuration file (TOML), for its exceptions, the values of placeholders and the limits of detection.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `strategy coverage`.
#[derive(Debug, Args)]
pub struct Coverage {
    #[command(flatten)]
    pub documents: Documents,
    /// Lists the techniques of Linux that nothing covers too; those of Containers are always listed.
    #[arg(long)]
    pub all: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Form,
    /// Writes a layer for the ATT&CK Navigator (format 4.5) to this file.
    #[arg(long, value_name = "FILE")]
    pub navigator: Option<PathBuf>,
}

/// `strategy import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Files or directories of rules; files of Falco rules are one set, in the order given.
    #[arg(required = true, value_name = "FILE")]
    pub paths: Vec<PathBuf>,
    /// Writes the documents into this directory, which is made where it is missing; a document that is there is left
    /// alone. Without it only the table is printed.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Form of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Form {
    /// A table.
    #[default]
    Text,
    /// One object per line.
    Json,
}

/// Form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum LintForm {
    /// Blocks with the source line and a caret under the place.
    #[default]
    Text,
    /// One object per line.
    Json,
    /// One SARIF 2.1.0 log, as code hosts and editors read it.
    Sarif,
}
