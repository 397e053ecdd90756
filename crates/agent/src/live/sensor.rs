//! The sensor process: loads the kernel programs, starts engine and actor, and keeps them together until the end.

use super::capabilities;
use super::link::{Form, FromEngine, Setup, send};
use super::lock::{self, Lock};
use crate::cli::{self, Watch};
use crate::config::Config;
use crate::content::{self, Document};
use crate::exceptions;
use crate::failure::{Exit, Failure, say};
use crate::strategies::Checked;
use event::process::Guarded;
use event::{Event, Wants};
use rustix::io::{FdFlags, fcntl_setfd};
use sense::kernel::{Decoder, HashLimits, Hasher, KernelSensor, boot_time, signals, wall_time};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// User and group id of the engine: of no account, in the range that systemd uses for such.
const ENGINE_ID: u32 = 61_313;
/// Priority (nice value) of the engine's reading thread: it must run while a busy host fills the rings.
const READING_PRIORITY: i32 = -15;
/// How long the engine may take to finish before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// Events to the engine that may wait.
const CONTROL_QUEUE: usize = 4096;

/// What the sensor process waits for.
enum Happening {
    Signal,
    Engine(FromEngine),
    EngineEnded(io::Result<ExitStatus>),
    ActorEnded(io::Result<ExitStatus>),
    Event(Box<Event>),
}

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
    // Each takes a hundred milliseconds or so.
    let (checked, opened) = thread::scope(|scope| {
        let checking = scope.spawn(|| crate::strategies::check(&documents, &config));
        let opened = open(&config);
        (checking.join(), opened)
    });
    let checked = checked.map_err(|_| Failure::bug("the thread that checks strategies panicked"))?;
    let Checked { strategies, wants } = checked?;
    exceptions::expired(&strategies).iter().for_each(|sentence| say(sentence));
    let (_lock, mut sensor) = opened?;
    // Only the one instance may do this: it empties the file.
    let record = args.record.as_deref().map(create).transpose()?;
    // A recording holds everything, for strategies that are written later.
    let wants = if record.is_some() { wants.map(Wants::widened) } else { wants };
    let documents = strategies.into_iter().map(|strategy| (strategy.path, strategy.text)).collect();
    // The engine compiles strategies while the kernel verifies programs.
    let running = Running::start(&sensor, &config, documents, record, args.judging.format, &happen, started)?;
    sensor.attach(wants.as_ref()).map_err(refused)?;
    running.run(sensor, args.duration, &happenings)
}

/// Opens the kernel sensor of the one instance.
fn open(config: &Config) -> Result<(Lock, KernelSensor), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::host(
            "sensing needs root: loading kernel programs and reading Docker's socket are not allowed to this user",
            "run `sudo watchkeeper watch`; `replay`, `strategy` and `doctor` work without root",
        ));
    }
    let lock = lock::take()?;
    Ok((lock, KernelSensor::open(&config.kernel).map_err(refused)?))
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

/// Engine and actor, and the way to talk to them.
struct Running {
    engine: u32,
    actor: Option<u32>,
    /// Closing it ends the engine.
    control: Option<SyncSender<Event>>,
    /// Closing it ends the actor.
    actor_input: Option<PipeWriter>,
    hasher: Option<Hasher>,
    dropped: u64,
    started: Instant,
}

impl Running {
    fn start(
        sensor: &KernelSensor,
        config: &Config,
        documents: Vec<Document>,
        record: Option<File>,
        format: cli::Format,
        happen: &Sender<Happening>,
        started: Instant,
    ) -> Result<Self, Failure> {
        let bug = |error: io::Error| Failure::bug(format!("cannot start the engine and the actor: {error}"));
        let (actor, actor_input, actor_output) = start_actor(config).map_err(bug)?.unzip3();
        let (requests, requests_in) = io::pipe().map_err(bug)?;
        let (control, control_in) = io::pipe().map_err(bug)?;
        let fds = sensor.fds().map_err(|error| Failure::bug(error.to_string()))?;
        let rings = [fds.critical, fds.file, fds.network];
        let setup = Setup {
            documents,
            format: form(format),
            hostname: hostname(),
            kernel: sensor.host().kernel.clone(),
            rings: rings.map(|ring| (ring.fd.as_raw_fd(), ring.bytes)),
            counters: fds.counters.as_raw_fd(),
            actor: actor_output.as_ref().map(AsRawFd::as_raw_fd),
            requests: requests_in.as_raw_fd(),
            record: record.as_ref().map(AsRawFd::as_raw_fd),
            config: config.clone(),
        };
        let mut inherited: Vec<BorrowedFd<'_>> = rings.iter().map(|ring| ring.fd).collect();
        inherited.extend([fds.counters, requests_in.as_fd()]);
        inherited.extend(actor_output.as_ref().map(AsFd::as_fd));
        inherited.extend(record.as_ref().map(AsFd::as_fd));
        let engine = start_engine(control, &inherited).map_err(bug)?;
        let engine_pid = engine.id();
        prefer(engine_pid);
        let actor_pid = actor.as_ref().map(Child::id);
        wait_for(engine, happen, Happening::EngineEnded);
        if let Some(actor) = actor {
            wait_for(actor, happen, Happening::ActorEnded);
        }
        listen_to_engine(requests, happen.clone());
        let control = talk_to_engine(control_in, setup);
        Ok(Self {
            engine: engine_pid,
            actor: actor_pid,
            control: Some(control),
            actor_input,
            hasher: start_hasher(happen.clone()),
            dropped: 0,
            started,
        })
    }

    fn run(
        mut self,
        mut sensor: KernelSensor,
        duration: Option<Duration>,
        happenings: &Receiver<Happening>,
    ) -> Result<Exit, Failure> {
        self.describe_host(&mut sensor)?;
        let deadline = duration.map(|duration| Instant::now() + duration);
        let mut exit = Exit::Fine;
        loop {
            match next(happenings, deadline) {
                Some(Happening::Signal) => {
                    exit = Exit::Interrupted;
                    break;
                }
                Some(Happening::Engine(message)) => self.hear(message),
                Some(Happening::Event(event)) => self.send(*event),
                Some(Happening::EngineEnded(status)) => return self.engine_died(status),
                Some(Happening::ActorEnded(status)) => self.actor_died(&status),
                None => break,
            }
        }
        drop(sensor);
        self.finish(happenings, exit)
    }

    /// Tells the kernel programs whom to guard and what already runs, and the engine what it can expect.
    fn describe_host(&mut self, sensor: &mut KernelSensor) -> Result<(), Failure> {
        let own = [Some(std::process::id()), Some(self.engine), self.actor];
        for pid in own.into_iter().flatten() {
            sensor.guard(pid, Guarded::Watchkeeper).map_err(|error| Failure::bug(error.to_string()))?;
        }
        let decoder = Decoder::new(boot_time(), wall_time());
        for kind in signals(sensor.report()) {
            self.send(decoder.own(boot_time(), kind));
        }
        for missing in &sensor.report().missing {
            say(&format!(
                "{} does not load, so unseen: {} ({})",
                missing.program, missing.unseen, missing.cause
            ));
        }
        let seed = sensor.seed(&decoder).map_err(|error| Failure::host(error.to_string(), error.hint()))?;
        for event in seed.events {
            self.send(event);
        }
        if seed.unreadable + seed.refused > 0 {
            say(&format!(
                "{} running processes or control groups could not be read, {} did not fit the kernel's tables",
                seed.unreadable, seed.refused
            ));
        }
        Ok(())
    }

    fn send(&mut self, event: Event) {
        if let Some(control) = &self.control
            && control.try_send(event).is_err()
        {
            self.dropped += 1;
        }
    }

    fn hear(&mut self, message: FromEngine) {
        match message {
            FromEngine::Ready { strategies, sandbox_missing } => {
                say(&format!(
                    "watching with {strategies} strategies, ready after {} ms; Ctrl-C ends",
                    self.started.elapsed().as_millis()
                ));
                for part in sandbox_missing {
                    say(&format!("the engine runs without a part of its sandbox: {part}"));
                }
            }
            FromEngine::Say(text) => say(&text),
            FromEngine::Hash(request) => {
                if let Some(hasher) = &self.hasher
                    && let Err(refused) = hasher.request(request)
                {
                    self.send(refused.into_event(super::actor::now().0));
                }
            }
            FromEngine::Done { raised, events, lost } => {
                say(&format!("{raised} alerts from {events} events, {lost} observations lost"));
            }
        }
    }

    fn engine_died(&mut self, status: io::Result<ExitStatus>) -> Result<Exit, Failure> {
        self.actor_input = None;
        match status {
            Ok(status) if status.success() => Ok(Exit::Fine),
            Ok(status) if status.code() == Some(Exit::Host as i32) => {
                Err(Failure::host("the engine cannot go on, for the reason above", ""))
            }
            Ok(status) => Err(Failure::bug(format!("the engine ended: {status}"))),
            Err(error) => Err(Failure::bug(format!("the engine cannot be waited for: {error}"))),
        }
    }

    fn actor_died(&mut self, status: &io::Result<ExitStatus>) {
        let how = match status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        say(&format!("the actor ended ({how}): containers keep their ids but get no names from now on"));
        let health = event::health::Health {
            signal: "docker".into(),
            state: event::health::SensorState::Down,
            reason: event::Text::resolved(format!("the actor process ended: {how}")),
        };
        let now = super::actor::now().0;
        self.send(Event::new(event::Sensor::Own, now, event::Kind::Health(Box::new(health))));
    }

    /// Lets the engine take what is left, and waits for it.
    fn finish(mut self, happenings: &Receiver<Happening>, exit: Exit) -> Result<Exit, Failure> {
        self.control = None;
        self.actor_input = None;
        let deadline = Some(Instant::now() + GRACE);
        loop {
            match next(happenings, deadline) {
                Some(Happening::EngineEnded(Ok(status))) if status.success() => break,
                Some(Happening::EngineEnded(status)) => {
                    self.engine_died(status)?;
                    break;
                }
                Some(Happening::Engine(message)) => self.hear(message),
                Some(Happening::Signal | Happening::ActorEnded(_) | Happening::Event(_)) => {}
                None => {
                    kill(self.engine);
                    say("the engine did not finish in time and was killed; its last alerts may be missing");
                    return Ok(exit);
                }
            }
        }
        // What the engine said last may still be on its way.
        while let Ok(Happening::Engine(message)) = happenings.recv_timeout(Duration::from_millis(50)) {
            self.hear(message);
        }
        if self.dropped > 0 {
            say(&format!("{} late facts did not reach the engine", self.dropped));
        }
        Ok(exit)
    }
}

fn pid_of(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

/// Gives the engine its priority, before it starts its threads: they inherit it.
fn prefer(engine: u32) {
    if let Err(error) = rustix::process::setpriority_process(pid_of(engine), READING_PRIORITY) {
        say(&format!("the engine runs at ordinary priority and may lose records on a busy host: {error}"));
    }
}

fn kill(pid: u32) {
    if let Some(pid) = pid_of(pid) {
        // It is our child and not waited for yet, so the pid is its own; it may have ended just now.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// The next thing that happens; `None` when the deadline has passed.
fn next(happenings: &Receiver<Happening>, deadline: Option<Instant>) -> Option<Happening> {
    match deadline {
        None => happenings.recv().ok(),
        Some(deadline) => happenings.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok(),
    }
}

fn start_hasher(happen: Sender<Happening>) -> Option<Hasher> {
    Hasher::spawn(HashLimits::default(), move |hashed| {
        // The receiver goes only when the process ends.
        let _ = happen.send(Happening::Event(Box::new(hashed.into_event(super::actor::now().0))));
    })
    .map_err(|error| say(&format!("executed files are not hashed: {error}")))
    .ok()
}

fn ourselves(role: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    // Own process group: Ctrl-C reaches the sensor process alone, which ends the others in order.
    command.arg("process").arg(role).process_group(0);
    command
}

/// The actor with the pipe that ends it and the pipe that it writes events to.
type Actor = (Child, PipeWriter, PipeReader);

fn start_actor(config: &Config) -> io::Result<Option<Actor>> {
    if !config.docker.enabled {
        return Ok(None);
    }
    let (input, input_writer) = io::pipe()?;
    let (output, output_writer) = io::pipe()?;
    let child = ourselves("actor")
        .env("WATCHKEEPER_DOCKER_SOCKET", &config.docker.socket)
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output_writer))
        .spawn()?;
    Ok(Some((child, input_writer, output)))
}

trait Unzip3 {
    fn unzip3(self) -> (Option<Child>, Option<PipeWriter>, Option<PipeReader>);
}

impl Unzip3 for Option<Actor> {
    fn unzip3(self) -> (Option<Child>, Option<PipeWriter>, Option<PipeReader>) {
        match self {
            Some((child, input, output)) => (Some(child), Some(input), Some(output)),
            None => (None, None, None),
        }
    }
}

fn start_engine(control: PipeReader, inherited: &[BorrowedFd<'_>]) -> io::Result<Child> {
    for fd in inherited {
        fcntl_setfd(fd, FdFlags::empty())?;
    }
    let child = ourselves("engine").uid(ENGINE_ID).gid(ENGINE_ID).stdin(Stdio::from(control)).spawn();
    for fd in inherited {
        fcntl_setfd(fd, FdFlags::CLOEXEC)?;
    }
    child
}

fn wait_for(mut child: Child, happen: &Sender<Happening>, ended: fn(io::Result<ExitStatus>) -> Happening) {
    let happen = happen.clone();
    thread::spawn(move || happen.send(ended(child.wait())));
}

fn listen_to_engine(requests: PipeReader, happen: Sender<Happening>) {
    thread::spawn(move || {
        for line in BufReader::new(requests).lines().map_while(Result::ok) {
            // The engine reads hostile bytes: what it says is parsed, and anything else is dropped.
            if let Ok(message) = serde_json::from_str(&line)
                && happen.send(Happening::Engine(message)).is_err()
            {
                return;
            }
        }
    });
}

fn talk_to_engine(mut control: PipeWriter, setup: Setup) -> SyncSender<Event> {
    let (sender, events) = sync_channel::<Event>(CONTROL_QUEUE);
    thread::spawn(move || {
        // An engine that does not read has ended; its end is reported by whoever waits for it.
        if send(&mut control, &setup).is_err() {
            return;
        }
        for event in events {
            if send(&mut control, &event).is_err() {
                return;
            }
        }
    });
    sender
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

/// The host's name.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
