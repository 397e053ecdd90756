//! `files`: the baseline of watched files, and what differs from it.
//!
//! `scan` prints the state of each file, one JSON object a line, sorted; `diff` compares a baseline with what is there now
//! and exits with 1 where something differs. The files are those that strategies watch, or those of `--path`. The same
//! reading is done by `watch`, which also says who made a change.

use crate::config::Config;
use crate::content;
use crate::failure::{Exit, Failure, say};
use crate::strategies::{self, Checked};
use clap::{Args, Subcommand, ValueEnum};
use compact_str::CompactString;
use event::watched::PathPattern;
use event::{FileChange, WatchList};
use integrity::baseline::{self, Baseline, Key};
use integrity::{Limits, Root, running_containers, scan};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::PathBuf;

/// Characters of a path that are shown.
const PATH: usize = 4096;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the state of watched files: mode, owner, size, times, attributes, hash.
    Scan(Scan),
    /// Compares a baseline with the files of now.
    Diff(Diff),
}

/// Which files.
#[derive(Debug, Args)]
pub struct Which {
    /// Files in the place of those that strategies watch: an absolute path, `*` within a component, `/**` at the end for all
    /// below. May be given more than once.
    #[arg(long = "path", value_name = "PATTERN", value_parser = pattern)]
    pub paths: Vec<PathPattern>,
    /// The files of running containers too.
    #[arg(long)]
    pub containers: bool,
    /// Directory below which the host's files lie.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: String,
    /// Threads that read. Default: as many as there are processors.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Directory with strategy documents, in the place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub strategies: Option<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `files scan`.
#[derive(Debug, Args)]
pub struct Scan {
    /// Writes the baseline to this file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which files.
    #[command(flatten)]
    pub which: Which,
}

/// `files diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// What `files scan` printed.
    pub baseline: PathBuf,
    /// Form of changes on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Which files.
    #[command(flatten)]
    pub which: Which,
}

/// Form of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// One line per file: its container, path and what differs.
    #[default]
    Text,
    /// One object per file and line, with both states.
    Json,
}

fn pattern(text: &str) -> Result<PathPattern, String> {
    PathPattern::try_from(CompactString::from(text)).map_err(|fault| fault.to_string())
}

/// Runs one of the commands.
///
/// # Errors
/// A baseline, a root, documents or a configuration that cannot be read, or an output that cannot be written.
pub fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Scan(args) => {
            let found = states(&args.which)?;
            let out: Box<dyn Write> = match &args.output {
                None => Box::new(io::stdout().lock()),
                Some(path) => Box::new(File::create(path).map_err(|error| {
                    Failure::usage(
                        format!("cannot write the baseline {}: {error}", path.display()),
                        "give --output a path in a writable directory",
                    )
                })?),
            };
            baseline::write(&mut BufWriter::with_capacity(1 << 16, out), found).map_err(failed)?;
            Ok(Exit::Fine)
        }
        Command::Diff(args) => diff(args),
    }
}

fn diff(args: &Diff) -> Result<Exit, Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::usage(
            format!("cannot read the baseline {}: {error}", args.baseline.display()),
            "give what `watchkeeper files scan --output FILE` wrote",
        )
    };
    let file = File::open(&args.baseline).map_err(|error| cannot(&error))?;
    let before = baseline::read(&mut BufReader::new(file)).map_err(|error| cannot(&error))?;
    let changes = baseline::compare(&before, &states(&args.which)?);
    let mut out = BufWriter::new(io::stdout().lock());
    for change in &changes {
        print(&mut out, change, args.format).map_err(|error| Failure::output(&error))?;
    }
    out.flush().map_err(|error| Failure::output(&error))?;
    Ok(if changes.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn print(out: &mut impl Write, change: &FileChange, format: Format) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer(&mut *out, change)?;
        return out.write_all(b"\n");
    }
    let what: Vec<&str> = change.what.iter().map(|what| what.as_str()).collect();
    let whose = change.container.map(|id| format!("container {}: ", id.short())).unwrap_or_default();
    writeln!(out, "{whose}{}: {}", respond::escape::escaped(change.path.as_str(), PATH), what.join(", "))
}

/// The states of the files that are asked for.
fn states(which: &Which) -> Result<Baseline, Failure> {
    let config = Config::load(which.config.as_deref())?;
    let list = list(which, &config)?;
    let limits = Limits { file_bytes: config.files.file_bytes, kept_bytes: 0 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = which.threads.unwrap_or(cores);
    let mut all = Baseline::new();
    let host = Root::open(&which.root).map_err(failed)?;
    add(&mut all, None, &host, &list.host, limits, threads);
    if which.containers {
        for (id, pid) in running_containers() {
            // It may have ended since it was listed.
            if let Ok(root) = Root::of_process(pid) {
                add(&mut all, Some(id), &root, &list.container, limits, threads);
            }
        }
    }
    Ok(all)
}

fn add(
    all: &mut Baseline,
    container: Option<event::ContainerId>,
    root: &Root,
    patterns: &BTreeSet<PathPattern>,
    limits: Limits,
    threads: usize,
) {
    let scanned = scan(root, patterns, limits, threads);
    scanned.unread.iter().for_each(|what| say(&format!("not read: {what}")));
    all.extend(scanned.files.into_iter().map(|(path, state)| (Key { container, path }, state)));
}

fn list(which: &Which, config: &Config) -> Result<WatchList, Failure> {
    if !which.paths.is_empty() {
        let patterns: BTreeSet<PathPattern> = which.paths.iter().cloned().collect();
        return Ok(WatchList { host: patterns.clone(), container: patterns });
    }
    let documents = content::load(which.strategies.as_deref())?;
    let Checked { engine, .. } = strategies::check(&documents, config)?;
    let list = engine.wanted().watched;
    if list.is_empty() {
        return Err(Failure::usage(
            "no strategy watches files",
            "name some with --path, or give the analytic `watched_files` a list in a strategy document",
        ));
    }
    Ok(list)
}

fn failed(error: integrity::Error) -> Failure {
    match error {
        integrity::Error::Io(error) => Failure::output(&error),
        error => Failure::host(error.to_string(), "run as root, with --root a directory that is there"),
    }
}
