//! The engine and the actor, seen from the sensor process: how they start, what they are told and tell, how they end.

use super::integrity::{Integrity, Order};
use super::link::{Form, FromEngine, Setup, send};
use crate::config::Config;
use crate::content::Document;
use crate::failure::{Exit, Failure, say};
use event::health::{Health, Loss, LossAt, SensorState};
use event::{Class, Event, Kind, Sensor, Text, Wants, WatchList};
use rustix::io::{FdFlags, fcntl_setfd};
use sense::kernel::{HashLimits, Hasher};
use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// User and group id of the engine: of no account, in the range that systemd uses for such.
const ENGINE_ID: u32 = 61_313;
/// Priority (nice value) of the engine's reading thread: it must run while a busy host fills the rings.
const READING_PRIORITY: i32 = -15;
/// How long the engine may take to finish before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks whether the engine has made room.
const ROOM: Duration = Duration::from_millis(5);
/// Events to the engine that may wait.
const CONTROL_QUEUE: usize = 4096;

/// What the sensor process waits for.
pub enum Happening {
    /// The user wants the end.
    Signal,
    /// The engine says something.
    Engine(FromEngine),
    /// The engine is gone.
    EngineEnded(io::Result<ExitStatus>),
    /// The actor is gone.
    ActorEnded(io::Result<ExitStatus>),
    /// Something for the engine.
    Event(Box<Event>),
}

/// The next thing that happens; `None` when the deadline has passed.
pub fn next(happenings: &Receiver<Happening>, deadline: Option<Instant>) -> Option<Happening> {
    match deadline {
        None => happenings.recv().ok(),
        Some(deadline) => happenings.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok(),
    }
}

/// How waiting for what the engine wants came out.
pub enum Wanted {
    /// The strategies are compiled and use this.
    Told(Wants),
    /// The user wants the end.
    Interrupted,
}

/// Engine and actor, and the way to talk to them.
pub struct Processes {
    engine: u32,
    actor: Option<u32>,
    /// Closing it ends the engine.
    control: Option<SyncSender<Event>>,
    /// Closing it ends the actor.
    actor_input: Option<PipeWriter>,
    hasher: Option<Hasher>,
    /// Where lines of system logs go, until somebody reads logs.
    logs: Option<PipeWriter>,
    integrity: Option<Integrity>,
    dropped: u64,
    /// Of these, how many no loss has told of.
    untold: u64,
    started: Instant,
}

impl Processes {
    /// Starts both. The engine compiles the documents and reads the intel lists at once and then waits at the other end
    /// of the returned socket for the rings; `started` is when the user asked.
    ///
    /// # Errors
    /// The kernel refuses a process, a pipe or a socket.
    pub fn start(
        config: &Config,
        (documents, lists): (Vec<Document>, Vec<(String, File)>),
        record: Option<File>,
        format: Form,
        happen: &Sender<Happening>,
        started: Instant,
    ) -> io::Result<(Self, UnixStream)> {
        let actor = start_actor(config)?;
        let (requests, requests_in) = io::pipe()?;
        let (control, control_in) = io::pipe()?;
        let (rings, rings_in) = UnixStream::pair()?;
        let logs = config.logs.enabled.then(io::pipe).transpose()?;
        let host = rustix::system::uname();
        let setup = Setup {
            documents,
            format,
            hostname: host.nodename().to_string_lossy().into_owned(),
            kernel: host.release().to_string_lossy().into_owned(),
            rings: rings_in.as_raw_fd(),
            actor: actor.as_ref().map(|actor| actor.output.as_raw_fd()),
            logs: logs.as_ref().map(|(lines, _)| lines.as_raw_fd()),
            requests: requests_in.as_raw_fd(),
            record: record.as_ref().map(AsRawFd::as_raw_fd),
            intel: lists.iter().map(|(name, file)| (name.clone(), file.as_raw_fd())).collect(),
            config: config.clone(),
        };
        let mut inherited = vec![rings_in.as_fd(), requests_in.as_fd()];
        inherited.extend(actor.as_ref().map(|actor| actor.output.as_fd()));
        inherited.extend(logs.as_ref().map(|(lines, _)| lines.as_fd()));
        inherited.extend(record.as_ref().map(AsFd::as_fd));
        inherited.extend(lists.iter().map(|(_, file)| file.as_fd()));
        let engine = start_engine(control, &inherited)?;
        let engine_pid = engine.id();
        prefer(engine_pid);
        wait_for(engine, happen, Happening::EngineEnded);
        let (actor, actor_input) = match actor {
            None => (None, None),
            Some(Actor { child, input, .. }) => {
                let pid = child.id();
                wait_for(child, happen, Happening::ActorEnded);
                (Some(pid), Some(input))
            }
        };
        listen_to_engine(requests, happen.clone());
        let processes = Self {
            engine: engine_pid,
            actor,
            control: Some(talk_to_engine(control_in, setup)),
            actor_input,
            hasher: start_hasher(happen.clone()),
            logs: logs.map(|(_, pipe)| pipe),
            integrity: None,
            dropped: 0,
            untold: 0,
            started,
        };
        Ok((processes, rings))
    }

    /// Watches files from now on.
    pub fn watch_files(&mut self, list: WatchList, config: &Config, happen: &Sender<Happening>) {
        self.integrity = Integrity::start(list, &config.files, happen.clone());
    }

    fn order(&self, order: Order) {
        if let Some(integrity) = &self.integrity {
            integrity.order(order);
        }
    }

    /// The process ids of both.
    pub fn pids(&self) -> impl Iterator<Item = u32> {
        [Some(self.engine), self.actor].into_iter().flatten()
    }

    /// Begins to read system logs, where a strategy or a recording wants them; else nothing of them is opened.
    pub fn read_logs(&mut self, config: &Config, wants: &Wants) {
        let pipe = self.logs.take();
        let is_wanted = [Class::Authentication, Class::UserActivity, Class::SystemLog]
            .into_iter()
            .any(|class| wants.wants_class(class));
        if let Some(pipe) = pipe.filter(|_| is_wanted) {
            super::logs::start(&config.logs, pipe);
        }
    }

    /// Waits until the engine says what its strategies use.
    ///
    /// # Errors
    /// It ended instead.
    pub fn wanted(&mut self, happenings: &Receiver<Happening>) -> Result<Wanted, Failure> {
        while let Some(happening) = next(happenings, None) {
            match happening {
                Happening::Engine(FromEngine::Wants(wants)) => return Ok(Wanted::Told(*wants)),
                Happening::Signal => break,
                other => {
                    if let Some(exit) = self.attend(other)? {
                        return Err(Failure::told(exit));
                    }
                }
            }
        }
        Ok(Wanted::Interrupted)
    }

    /// Deals with what happened; a code where that is the end.
    ///
    /// # Errors
    /// The engine died.
    pub fn attend(&mut self, happening: Happening) -> Result<Option<Exit>, Failure> {
        match happening {
            Happening::Signal => return Ok(Some(Exit::Interrupted)),
            Happening::Engine(message) => self.hear(message),
            Happening::Event(event) => self.send(*event),
            Happening::EngineEnded(status) => return self.engine_died(status).map(Some),
            Happening::ActorEnded(status) => self.actor_died(&status),
        }
        Ok(None)
    }

    /// Sends the engine an event; one that does not fit is counted.
    pub fn send(&mut self, event: Event) {
        let Some(control) = &self.control else { return };
        if self.untold > 0 && control.try_send(untold(self.untold)).is_ok() {
            self.untold = 0;
        }
        if control.try_send(event).is_err() {
            self.dropped += 1;
            self.untold += 1;
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
            FromEngine::Look(look) => self.order(Order::Look(look)),
            FromEngine::Container { container, pid } => self.order(Order::Begin(container, pid)),
            FromEngine::ContainerEnded { container } => self.order(Order::End(container)),
            FromEngine::Done { raised, events, lost } => {
                say(&format!("{raised} alerts from {events} events, {lost} observations lost"));
            }
            // Said once, before there are events; whoever says it later has no say.
            FromEngine::Wants(_) => {}
        }
    }

    fn engine_died(&mut self, status: io::Result<ExitStatus>) -> Result<Exit, Failure> {
        self.actor_input = None;
        match status {
            Ok(status) if status.success() => Ok(Exit::Fine),
            // It has said why.
            Ok(status) if status.code() == Some(Exit::Usage as i32) => Err(Failure::told(Exit::Usage)),
            Ok(status) if status.code() == Some(Exit::Host as i32) => Err(Failure::told(Exit::Host)),
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
        let health = Health {
            signal: "docker".into(),
            state: SensorState::Down,
            reason: Text::resolved(format!("the actor process ended: {how}")),
        };
        let now = super::actor::now().0;
        self.send(Event::new(Sensor::Own, now, Kind::Health(Box::new(health))));
    }

    /// Ends the looks at watched files, and passes on what they found and how many there still were. Returns the end of the
    /// engine, where that happened meanwhile.
    fn end_integrity(&mut self, happenings: &Receiver<Happening>) -> Option<Happening> {
        let integrity = self.integrity.take()?;
        integrity.end();
        for happening in happenings.try_iter() {
            match happening {
                ended @ Happening::EngineEnded(_) => return Some(ended),
                Happening::Event(event) => self.send(*event),
                Happening::Engine(FromEngine::Look(_)) => self.untold += 1,
                Happening::Engine(message) => self.hear(message),
                Happening::Signal | Happening::ActorEnded(_) => {}
            }
        }
        let deadline = Instant::now() + GRACE;
        while self.untold > 0
            && let Some(control) = &self.control
            && let Err(TrySendError::Full(_)) = control.try_send(untold(self.untold))
            && Instant::now() < deadline
        {
            // The engine still reads.
            thread::sleep(ROOM);
        }
        None
    }

    /// Lets the engine take what is left, and waits for it.
    ///
    /// # Errors
    /// It died instead.
    pub fn finish(mut self, happenings: &Receiver<Happening>, exit: Exit) -> Result<Exit, Failure> {
        let mut ended = self.end_integrity(happenings);
        self.control = None;
        self.actor_input = None;
        let deadline = Some(Instant::now() + GRACE);
        loop {
            match ended.take().or_else(|| next(happenings, deadline)) {
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

/// That so many late facts did not reach the engine.
fn untold(count: u64) -> Event {
    let detail = Text::resolved("late facts that found no room on their way to the engine");
    let loss = Loss { at: LossAt::Integrity, count, detail };
    Event::new(Sensor::Own, super::actor::now().0, Kind::Loss(Box::new(loss)))
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

/// The actor, and the pipes to it and from it.
struct Actor {
    child: Child,
    /// Closing it ends the actor.
    input: PipeWriter,
    /// Its events, for the engine.
    output: PipeReader,
}

fn start_actor(config: &Config) -> io::Result<Option<Actor>> {
    if !config.docker.enabled {
        return Ok(None);
    }
    let (input_end, input) = io::pipe()?;
    let (output, output_end) = io::pipe()?;
    let child = ourselves("actor")
        .env("WATCHKEEPER_DOCKER_SOCKET", &config.docker.socket)
        .stdin(Stdio::from(input_end))
        .stdout(Stdio::from(output_end))
        .spawn()?;
    Ok(Some(Actor { child, input, output }))
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
        drop(setup);
        for event in events {
            if send(&mut control, &event).is_err() {
                return;
            }
        }
    });
    sender
}
