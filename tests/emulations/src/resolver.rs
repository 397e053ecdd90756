//! The resolver that answers the containers' questions while a peer is there.

use anyhow::{Context, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The resolver; dropping it ends it.
pub struct Resolver(Child);

impl Resolver {
    /// Starts `command` with the names that lead to `address`, and returns once it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(command: &str, address: &str) -> anyhow::Result<Self> {
        let line = format!("exec {command} c2.example.com={address} peer={address}");
        let mut child = Command::new("sh").args(["-c", &line]).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        if !lines.next().is_some_and(|line| line.is_ok_and(|line| line == "ready")) {
            bail!("the resolver does not start: {line}");
        }
        // What else it says is read, so that it can go on.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self(child))
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
