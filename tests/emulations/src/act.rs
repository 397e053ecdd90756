//! Acting an emulation out: its peer, its container, its steps on the host, and clearing up after it.

use crate::resolver::Resolver;
use anyhow::Context;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use strategy::document::blocks::{Emulation, Place};

/// Longest act, seconds: what takes longer hangs.
const LONGEST: &str = "100";
/// How long a peer may take until it listens.
const PEER_STARTS: Duration = Duration::from_millis(700);
/// Begin of the names of containers and networks that emulations make.
const PREFIX: &str = "wk-";
/// Other names that the documents' acts use.
const OTHER_NAMES: [&str; 6] = [
    "malicious-service",
    "malicious-proxy",
    "malicious-client",
    "hidden-service",
    "kube-proxy-emulation",
    "emulation",
];

/// Where emulations are acted out.
pub struct Stage {
    /// Command that starts the resolver.
    pub resolver: Option<String>,
    /// Image of the peer: the far end is ours, whatever the container of the act is.
    pub peer_image: String,
}

/// Whether the emulation's image must be there before: some acts build theirs.
pub fn uses_image(emulation: &Emulation) -> bool {
    let builds = format!("-t {} ", emulation.image);
    !emulation.steps.iter().any(|step| step.run.contains("docker build") && step.run.contains(&builds))
}

impl Stage {
    /// Acts it out; what did not work is said, and is no error: many acts are refused on purpose.
    ///
    /// # Errors
    /// Docker or a shell cannot be run, or the resolver does not start.
    pub fn act(&self, emulation: &Emulation) -> anyhow::Result<Option<String>> {
        let peer = script(emulation, Place::Peer);
        let _resolver = match (&peer, &self.resolver) {
            (Some(script), Some(resolver)) => {
                let address = peer_address(&self.peer_image, script)?;
                std::thread::sleep(PEER_STARTS);
                Some(Resolver::start(resolver, &address)?)
            }
            (Some(_), None) => return Ok(Some("a peer without --resolver".into())),
            (None, _) => None,
        };
        let mut trouble = None;
        if let Some(script) = script(emulation, Place::Container) {
            let name = format!("{PREFIX}emulation");
            let output = limited("docker")
                .args(["run", "--rm", "--name", &name, &emulation.image, "sh", "-c", &script])
                .output()
                .context("docker")?;
            trouble = trouble_of(&output);
        }
        for step in emulation.steps.iter().filter(|step| step.place == Place::Host) {
            let output = limited("sh").args(["-c", &step.run]).stdin(Stdio::null()).output().context("sh")?;
            trouble = trouble.or(trouble_of(&output));
        }
        Ok(trouble)
    }

    /// Removes the containers and networks of acts, whatever state they left.
    pub fn clear(&self) {
        remove(&["ps", "-a", "--format", "{{.Names}}"], &["rm", "-f"]);
        remove(&["network", "ls", "--format", "{{.Name}}"], &["network", "rm"]);
    }
}

/// Removes what is listed and was made by an act.
fn remove(list: &[&str], removal: &[&str]) {
    let names = Command::new("docker").args(list).output().map(|output| output.stdout).unwrap_or_default();
    let names = String::from_utf8_lossy(&names).into_owned();
    for name in names.lines().filter(|name| name.starts_with(PREFIX) || OTHER_NAMES.contains(name)) {
        // It may be on its way out already.
        let _ = Command::new("docker").args(removal).arg(name).output();
    }
}

/// The commands and steps of a place, as one script of a shell.
fn script(emulation: &Emulation, place: Place) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    if place == Place::Container {
        lines.extend(emulation.commands.iter().cloned());
    }
    for step in emulation.steps.iter().filter(|step| step.place == place) {
        lines.push(if step.background { format!("({}) &", step.run) } else { step.run.clone() });
    }
    if place == Place::Peer && !lines.is_empty() {
        lines.push(format!("wait; sleep {LONGEST}"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Starts the peer and returns its address.
fn peer_address(image: &str, script: &str) -> anyhow::Result<String> {
    let name = format!("{PREFIX}peer");
    let run =
        Command::new("docker").args(["run", "-d", "--name", &name, image, "sh", "-c", script]).output()?;
    anyhow::ensure!(run.status.success(), "the peer: {}", String::from_utf8_lossy(&run.stderr));
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let found = Command::new("docker").args(["inspect", "-f", format, &name]).output()?;
    Ok(String::from_utf8_lossy(&found.stdout).trim().to_owned())
}

/// A command that is ended when it hangs.
fn limited(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "1", LONGEST, program]).stdin(Stdio::null());
    command
}

/// The last thing that a command which failed said.
fn trouble_of(output: &Output) -> Option<String> {
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or("").chars().take(160).collect::<String>();
    Some(format!("{} {last}", output.status))
}
