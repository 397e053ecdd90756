//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Finds adversaries who hide in containers.
#[derive(Debug, Parser)]
#[command(name = "watchkeeper", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Senses this host live and prints alerts.
    Watch(Watch),
    /// Runs the same pipeline over recordings, in event time.
    Replay(Replay),
    /// Prints the flows of captures: who, with whom, which protocol, how much.
    Flows(Flows),
    /// Works on strategy documents.
    #[command(subcommand)]
    Strategy(crate::strategies::Command),
    /// Judges any JSON events by plain Sigma and Falco rules.
    Match(Match),
    /// Lists silences, and shows what they hide.
    #[command(subcommand)]
    Exceptions(crate::exceptions::Command),
    /// Reads watched files, and compares them with a baseline.
    #[command(subcommand)]
    Files(crate::integrity::Command),
    /// Says what this host can and cannot sense, why, and how to mend it.
    Doctor(Doctor),
    /// One of the processes that `watch` starts.
    #[command(hide = true)]
    Process {
        /// Which one.
        role: Role,
    },
}

/// The processes beside the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Parsing, enrichment and detection, without rights.
    Engine,
    /// The container runtime's socket.
    Actor,
    /// The engine's sandbox with attempts to leave it, for the test of it.
    SandboxProbe,
}

/// Form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// One block per alert.
    #[default]
    Text,
    /// OCSF, one object per line.
    Json,
    /// Falco's shape, one object per line.
    Falco,
}

/// What every command that judges events takes.
#[derive(Debug, Args)]
pub struct Judging {
    /// Directory with strategy documents, in the place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub strategies: Option<PathBuf>,
    /// Form of alerts on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Ends after this long, as `30s` or `5m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Writes what was sensed to this file, for `replay`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// How to judge and print.
    #[command(flatten)]
    pub judging: Judging,
}

/// `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Recordings, plain or gzip-compressed: Watchkeeper events (NDJSON), captures (pcap, pcapng), Kubernetes audit logs,
    /// Zeek's conn, dns, ssl and http logs. Logs of Zeek that follow each other are joined. `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Kind of the files, where it should not be recognised.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<Kind>,
    /// How to judge and print.
    #[command(flatten)]
    pub judging: Judging,
}

/// `flows`.
#[derive(Debug, Args)]
pub struct Flows {
    /// Captures: pcap or pcapng, plain or gzip-compressed. `-` is standard input. With `--facts` also Zeek's logs.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Form of flows on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: FlowFormat,
    /// Prints what the analytics count of each pair instead: who opened flows, where they led, over all files.
    #[arg(long)]
    pub facts: bool,
    /// Order of pairs, greatest first.
    #[arg(long, value_enum, default_value_t, requires = "facts")]
    pub sort: PairOrder,
}

/// What pairs are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum PairOrder {
    /// By rank: the probability that a program keeps time, of which half counts in full and half by how much of a day the pair
    /// lasted.
    #[default]
    Beacon,
    /// By the bytes of distinct names that were asked for below a domain, over a minute, an hour or a day.
    Tunnel,
    /// By payload both ways.
    Bytes,
}

/// Form of flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum FlowFormat {
    /// One line per flow: time, endpoints, protocol, packets and bytes out and in, names, facts.
    #[default]
    Text,
    /// One object per flow and line.
    Json,
}

/// `match`.
#[derive(Debug, Args)]
pub struct Match {
    /// Sigma rules and filters, and Falco rules: files, or directories that are searched for `.yml` and `.yaml`. May be
    /// given more than once; files of Falco rules are one set, in the order given.
    #[arg(long, required = true, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// JSON events, one after the other; `-`, or none, is standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Form of matches on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: MatchFormat,
    /// Field with the time of an event, for correlations. Without it the first of `@timestamp`, `timestamp`, `time`,
    /// `TimeCreated`, `SystemTime`, `UtcTime`, `ts` that can be read.
    #[arg(long, value_name = "FIELD")]
    pub time: Option<String>,
    /// Where the events are from: rules that name another `product`, `category` or `service` are not asked. Without it
    /// all are.
    #[arg(long, value_name = "product=linux,category=process_creation")]
    pub logsource: Option<LogsourceArgument>,
    /// Configuration file (TOML), for the values of placeholders and the limits of correlations.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A log source: `product=linux,category=process_creation`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogsourceArgument(strategy::sigma::Logsource);

impl LogsourceArgument {
    /// Whether a rule about `other` may be about these events: it names nothing else than they are.
    pub fn fits(&self, other: &strategy::sigma::Logsource) -> bool {
        let own = &self.0;
        let pairs = [
            (&own.product, &other.product),
            (&own.category, &other.category),
            (&own.service, &other.service),
        ];
        pairs.into_iter().all(|pair| match pair {
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            _ => true,
        })
    }
}

impl std::str::FromStr for LogsourceArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut logsource = strategy::sigma::Logsource::default();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let slot = match name.trim() {
                "product" => &mut logsource.product,
                "category" => &mut logsource.category,
                "service" => &mut logsource.service,
                other => return Err(format!("`{other}` is none of product, category, service")),
            };
            if value.trim().is_empty() {
                return Err(format!("`{name}` has no value, as in `{name}=linux`"));
            }
            *slot = Some(value.trim().to_owned());
        }
        Ok(Self(logsource))
    }
}

/// Form of matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum MatchFormat {
    /// One line per match: place of the event, level, title, id.
    #[default]
    Text,
    /// One object per match and line.
    Json,
}

/// Kinds of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Watchkeeper events (NDJSON).
    Events,
    /// Kubernetes audit log (JSON lines).
    KubernetesAudit,
    /// System log: syslog, `journalctl -o json`, audit log, Docker's json-file, access and error logs.
    Log,
    /// Packets: pcap or pcapng.
    Capture,
    /// Zeek's log of connections.
    ZeekConn,
    /// Zeek's log of DNS.
    ZeekDns,
    /// Zeek's log of TLS.
    ZeekSsl,
    /// Zeek's log of HTTP.
    ZeekHttp,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    strategy::period::parse(text)
        .ok_or_else(|| format!("`{text}` is no length of time; write `30s`, `5m` or `1h`"))
}
