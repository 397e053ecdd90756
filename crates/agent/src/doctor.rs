//! `doctor`: what this host can and cannot sense, why, and how to mend it.

use crate::cli;
use crate::failure::{Exit, Failure};
use sense::kernel::{Config, Error as KernelError, KernelSensor};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// State of one examined thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Partial,
    Missing,
}

/// One examined thing.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    detail: String,
    /// What is unseen because of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    unseen: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    mend: String,
}

impl Finding {
    fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, state: State::Good, detail: detail.into(), unseen: String::new(), mend: String::new() }
    }

    fn lacking(state: State, what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, state, detail: detail.into(), unseen: String::new(), mend: String::new() }
    }

    fn unseen(mut self, unseen: impl Into<String>) -> Self {
        self.unseen = unseen.into();
        self
    }

    fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }
}

/// Runs `doctor`. Exit code 3 where `watch` would not run.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &cli::Doctor) -> Result<Exit, Failure> {
    let mut findings = vec![kernel(), btf(), rights(), cgroups()];
    findings.extend(programs());
    findings.extend([docker(), clock()]);
    print(&findings, args.json).map_err(|error| Failure::output(&error))?;
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Good);
    Ok(if worst == State::Missing { Exit::Host } else { Exit::Fine })
}

fn print(findings: &[Finding], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{}", serde_json::to_string_pretty(findings)?);
    }
    for finding in findings {
        let mark = match finding.state {
            State::Good => "good   ",
            State::Partial => "partial",
            State::Missing => "MISSING",
        };
        writeln!(out, "{mark}  {:<10} {}", finding.what, finding.detail)?;
        for (label, text) in [("unseen", &finding.unseen), ("mend", &finding.mend)] {
            if !text.is_empty() {
                writeln!(out, "{:20} {label}: {text}", "")?;
            }
        }
    }
    Ok(())
}

/// Whether the kernel sensor can run here, as far as can be said without loading its programs.
///
/// # Errors
/// What the host lacks.
pub fn kernel_sensor() -> Result<(), String> {
    lacking([kernel(), btf(), rights()].iter().find(|finding| finding.state == State::Missing))
}

/// Whether sockets can be told by their container here.
///
/// # Errors
/// What the host lacks.
pub fn socket_owners() -> Result<(), String> {
    let finding = cgroups();
    lacking(Some(&finding).filter(|finding| finding.state != State::Good))
}

/// Whether Docker answers.
///
/// # Errors
/// Why it does not.
pub fn docker_daemon() -> Result<(), String> {
    let finding = docker();
    lacking(Some(&finding).filter(|finding| finding.state != State::Good))
}

fn lacking(finding: Option<&Finding>) -> Result<(), String> {
    finding.map_or(Ok(()), |finding| Err(finding.detail.clone()))
}

fn kernel() -> Finding {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (5, 10) {
        return Finding::good("kernel", release);
    }
    Finding::lacking(State::Missing, "kernel", format!("{release} is older than 5.10"))
        .unseen("everything that the kernel sensor sees")
        .mend("run a kernel of 5.10 or newer, as Debian 11 and later have")
}

fn btf() -> Finding {
    match std::fs::metadata("/sys/kernel/btf/vmlinux") {
        Ok(metadata) => Finding::good("BTF", format!("/sys/kernel/btf/vmlinux, {} bytes", metadata.len())),
        Err(error) => Finding::lacking(State::Missing, "BTF", format!("/sys/kernel/btf/vmlinux: {error}"))
            .unseen(
                "everything that the kernel sensor sees: the programs cannot find the kernel's structures",
            )
            .mend("run a kernel built with CONFIG_DEBUG_INFO_BTF=y"),
    }
}

fn rights() -> Finding {
    if rustix::process::geteuid().is_root() {
        return Finding::good("rights", "root");
    }
    Finding::lacking(State::Missing, "rights", "not root")
        .unseen("everything live; `replay` and `strategy` work")
        .mend("run `sudo watchkeeper doctor`")
}

fn cgroups() -> Finding {
    match sense::kernel::Host::examine() {
        Ok(host) => {
            let layout = format!("tracking {}", host.tracked.root().display());
            match host.cgroup2 {
                Some(path) => Finding::good("cgroups", format!("{layout}; version 2 at {}", path.display())),
                None => Finding::lacking(State::Partial, "cgroups", layout)
                    .unseen("payload, DNS and connections by their container: sockets have no cgroup here")
                    .mend("mount cgroup2: `mount -t cgroup2 none /sys/fs/cgroup/unified`"),
            }
        }
        Err(error @ KernelError::NoCgroups) => {
            Finding::lacking(State::Missing, "cgroups", error.to_string()).mend(error.hint())
        }
        // Said above or with the programs; of the cgroups nothing is known then.
        Err(error) => Finding::lacking(State::Partial, "cgroups", format!("not examined: {error}")),
    }
}

/// Loads every program, says what would not, and lets go of them again.
fn programs() -> Vec<Finding> {
    if !rustix::process::geteuid().is_root() {
        return vec![
            Finding::lacking(State::Partial, "programs", "not tried without root")
                .mend("run `sudo watchkeeper doctor`"),
        ];
    }
    let sensor = match KernelSensor::load(&Config::default(), None) {
        Ok(sensor) => sensor,
        Err(error) => {
            return vec![
                Finding::lacking(State::Missing, "programs", error.to_string())
                    .unseen("everything that the kernel sensor sees")
                    .mend(error.hint()),
            ];
        }
    };
    let report = sensor.report();
    let all = report.attached.len() + report.missing.len();
    let mut findings = vec![Finding::good("programs", format!("{} of {all} load", report.attached.len()))];
    findings.extend(report.missing.iter().map(|missing| {
        Finding::lacking(State::Partial, "program", format!("{}: {}", missing.program, missing.cause))
            .unseen(missing.unseen)
    }));
    findings
}

fn docker() -> Finding {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let path = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
    match std::os::unix::net::UnixStream::connect(Path::new(path)) {
        Ok(_) => Finding::good("Docker", format!("{path} answers")),
        Err(error) => Finding::lacking(State::Partial, "Docker", format!("{path}: {error}"))
            .unseen(
                "names, images, mounts and configuration of containers; their ids still come from the kernel",
            )
            .mend("start Docker, or set DOCKER_HOST=unix://PATH or `docker.socket` in the configuration"),
    }
}

fn clock() -> Finding {
    let boot = sense::kernel::boot_time();
    let wall = sense::kernel::wall_time();
    // 2020-01-01: no host that runs this program lives before it.
    if wall.as_secs() > 1_577_836_800 {
        return Finding::good("clock", format!("up for {} s; wall clock is plausible", boot.as_secs()));
    }
    Finding::lacking(State::Partial, "clock", format!("the wall clock says {} s after 1970", wall.as_secs()))
        .unseen("nothing, but alerts carry wrong times")
        .mend("set the clock, or run a time service")
}
