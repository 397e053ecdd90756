//! The sensor process: loads the kernel programs, starts engine and actor, and keeps them together until the end.

use super::capabilities;
use super::handover::{self, Sizes};
use super::link::Form;
use super::lock::{self, Lock};
use super::processes::{Happening, Processes, Wanted, next};
use crate::cli::{self, Watch};
use crate::config::Config;
use crate::content;
use crate::failure::{Exit, Failure, say};
use crate::intel;
use event::process::Guarded;
use sense::kernel::{Decoder, KernelSensor, RingFds, boot_time, signals, wall_time};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

/// Runs `watch`.
///
/// # Errors
/// What the host lacks, what is wrong with the configuration, or a process of ours that died.
pub fn watch(args: &Watch) -> Result<Exit, Failure> {
    let started = Instant::now();
    give_up_capabilities()?;
    // From here on a signal ends the watch in order, however early it comes.
    let (happen, happenings) = channel();
    listen_to_signals(happen.clone())?;
    let config = Config::load(args.judging.config.as_deref())?;
    let documents = content::load(args.judging.strategies.as_deref())?;
    let lists = intel::open(&config)?;
    let _lock = only_instance()?;
    // Only the one instance may do this: it empties the file.
    let record = args.record.as_deref().map(create).transpose()?;
    // The engine compiles the strategies while the object is prepared for this kernel.
    let form = form(args.judging.format);
    let (mut processes, rings) =
        Processes::start(&config, (documents, lists), record, form, &happen, started)
            .map_err(|error| Failure::bug(format!("cannot start the engine and the actor: {error}")))?;
    let mut sensor = KernelSensor::open(&config.kernel).map_err(refused)?;
    let wants = match processes.wanted(&happenings)? {
        Wanted::Told(wants) => wants,
        Wanted::Interrupted => return processes.finish(&happenings, Exit::Interrupted),
    };
    give(rings, &sensor)?;
    // A recording holds everything, for strategies that are written later.
    let wants = if args.record.is_some() { wants.widened() } else { wants };
    sensor.attach(Some(&wants)).map_err(refused)?;
    describe(&mut sensor, &mut processes)?;
    processes.read_logs(&config, &wants);
    // After the programs: what happens while the first states are read is told of.
    processes.watch_files(wants.watched, &config, &happen);
    let deadline = args.duration.map(|duration| Instant::now() + duration);
    while let Some(happening) = next(&happenings, deadline) {
        match processes.attend(happening)? {
            None => {}
            Some(Exit::Interrupted) => {
                drop(sensor);
                return processes.finish(&happenings, Exit::Interrupted);
            }
            Some(exit) => return Ok(exit),
        }
    }
    drop(sensor);
    processes.finish(&happenings, Exit::Fine)
}

/// Makes sure that this process may sense, and alone does.
fn only_instance() -> Result<Lock, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::host(
            "sensing needs root: loading kernel programs and reading Docker's socket are not allowed to this user",
            "run `sudo watchkeeper watch`; `replay`, `strategy` and `doctor` work without root",
        ));
    }
    lock::take()
}

/// Gives the engine the rings to read.
fn give(engine: UnixStream, sensor: &KernelSensor) -> Result<(), Failure> {
    let RingFds { critical, file, network, counters } =
        sensor.fds().map_err(|error| Failure::bug(error.to_string()))?;
    let sizes = Sizes([critical.bytes, file.bytes, network.bytes]);
    // An engine that does not listen has ended; its end is reported by whoever waits for it.
    let _ = handover::give(&engine, sizes, [critical.fd, file.fd, network.fd, counters]);
    Ok(())
}

fn refused(error: sense::kernel::Error) -> Failure {
    Failure::host(error.to_string(), format!("{}; {}", error.hint(), error.still_works()))
}

/// Before any thread is made. Without root there is nothing to give up, and the configuration is still checked.
fn give_up_capabilities() -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    capabilities::keep(capabilities::SENSOR).map_err(|error| {
        Failure::host(
            format!("capabilities that the sensor process does not need cannot be given up: {error}"),
            "in a container: give it CAP_SETPCAP and the capabilities that README.md names",
        )
    })
}

fn create(path: &std::path::Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| {
        Failure::usage(
            format!("cannot write the recording {}: {error}", path.display()),
            "give --record a path in a writable directory with free space",
        )
    })
}

fn listen_to_signals(happen: Sender<Happening>) -> Result<(), Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::bug(format!("cannot listen to signals: {error}")))?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if happen.send(Happening::Signal).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Tells the kernel programs whom to guard and what already runs, and the engine what it can expect.
fn describe(sensor: &mut KernelSensor, processes: &mut Processes) -> Result<(), Failure> {
    for pid in std::iter::once(std::process::id()).chain(processes.pids()) {
        sensor.guard(pid, Guarded::Watchkeeper).map_err(|error| Failure::bug(error.to_string()))?;
    }
    let decoder = Decoder::new(boot_time(), wall_time());
    for kind in signals(sensor.report()) {
        processes.send(decoder.own(boot_time(), kind));
    }
    for missing in &sensor.report().missing {
        say(&format!("{} does not load, so unseen: {} ({})", missing.program, missing.unseen, missing.cause));
    }
    let seed = sensor.seed(&decoder).map_err(|error| Failure::host(error.to_string(), error.hint()))?;
    for event in seed.events {
        processes.send(event);
    }
    if seed.unreadable + seed.refused > 0 {
        say(&format!(
            "{} running processes or control groups could not be read, {} did not fit the kernel's tables",
            seed.unreadable, seed.refused
        ));
    }
    Ok(())
}

/// Form of alerts for this output.
pub fn form(format: cli::Format) -> Form {
    match format {
        cli::Format::Json => Form::Json,
        cli::Format::Falco => Form::Falco,
        cli::Format::Text if colour_wanted() => Form::Colour,
        cli::Format::Text => Form::Text,
    }
}

/// Colour on a terminal only, and not where `NO_COLOR` is set.
pub fn colour_wanted() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
