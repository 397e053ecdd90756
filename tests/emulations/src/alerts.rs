//! The alerts of the agent, as its output grows.

use anyhow::Context;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// An alert that was raised.
pub struct Alert {
    /// When it was read.
    pub at: Instant,
    /// When the first of its events happened.
    pub begin: SystemTime,
    /// Id of its strategy.
    pub strategy: String,
    /// Id of its rule.
    pub rule: String,
    /// Title of its rule.
    pub title: String,
}

/// The agent's output.
pub struct Alerts {
    file: BufReader<File>,
    /// The begin of a line whose end is not written yet.
    begun: String,
}

impl Alerts {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        Ok(Self { file: BufReader::new(file), begun: String::new() })
    }

    /// Leaves out what was raised so far.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn pass_over(&mut self) -> anyhow::Result<()> {
        self.read(&mut Vec::new())
    }

    /// Appends the alerts that were raised since.
    ///
    /// # Errors
    /// It cannot be read, or is no alert.
    pub fn read(&mut self, out: &mut Vec<Alert>) -> anyhow::Result<()> {
        while self.file.read_line(&mut self.begun)? > 0 {
            if !self.begun.ends_with('\n') {
                return Ok(());
            }
            let value: Value = serde_json::from_str(&self.begun).context("an alert")?;
            self.begun.clear();
            let text =
                |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
            // A first alert, not its updates.
            if value.get("activity_id").and_then(Value::as_u64) == Some(1) {
                let begin = value.pointer("/finding_info/first_seen_time").and_then(Value::as_u64);
                let begin = Duration::from_millis(begin.context("an alert without a time")?);
                out.push(Alert {
                    at: Instant::now(),
                    begin: SystemTime::UNIX_EPOCH + begin,
                    strategy: text("/finding_info/analytic/uid"),
                    rule: text("/finding_info/analytic/related_analytics/0/uid"),
                    title: text("/finding_info/title"),
                });
            }
        }
        Ok(())
    }
}
