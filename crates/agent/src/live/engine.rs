//! The engine process: parsing, enrichment, detection, printing. It has no rights, opens nothing and reaches nobody:
//! all that it uses are descriptors that it inherited.

use super::files::Files;
use super::handover::{self, Sizes};
use super::ingest::{BATCHES, Batch, Ingest, Sources};
use super::link::{FromEngine, Lines, Setup, send};
use super::log_lines::Logs;
use super::record::Recorder;
use super::sandbox;
use super::touched::Touched;
use crate::exceptions;
use crate::failure::{Exit, Failure};
use crate::intel;
use crate::pipeline::Pipeline;
use crate::strategies::{self, Checked};
use event::health::{Health, SensorState};
use event::recording::Head;
use event::{Kind, Sensor};
use sense::kernel::{Counters, MAX_CPUS, RingReader, inherited};
use std::fs::File;
use std::io::{self, BufWriter, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

/// Runs until the sensor process closes its pipe.
///
/// # Errors
/// The setup is not readable, or a ring cannot be mapped.
pub fn run() -> Result<Exit, Failure> {
    die_with_parent();
    let bug = |what: &str, error: io::Error| Failure::bug(format!("engine: {what}: {error}"));
    let mut control = Lines::new(File::from(inherited(0)));
    let setup = control.first::<Setup>().map_err(|error| bug("setup", error))?;
    let requests = File::from(inherited(setup.requests));
    let handover = UnixStream::from(inherited(setup.rings));
    let record = setup.record.map(|fd| File::from(inherited(fd)));
    let actor = setup.actor.map(|fd| Lines::new(File::from(inherited(fd))));
    let logs = setup.logs.map(|fd| Logs::new(File::from(inherited(fd)), &setup.config.logs)).transpose()?;
    let lists = setup.intel.iter().map(|(name, fd)| (name.clone(), File::from(inherited(*fd)))).collect();
    let wake = io::pipe().map_err(|error| bug("pipe", error))?;
    let sandbox_missing = sandbox::enter();
    let mut engine = EngineProcess::new(setup, lists, requests, record)?;
    let rings = Rings::take(&handover, wake).map_err(|error| bug("rings", error))?;
    drop(handover);
    // The sensor process has ended before there were any.
    let Some(rings) = rings else { return Ok(Exit::Fine) };
    engine.tell(&FromEngine::Ready { strategies: engine.strategies.len(), sandbox_missing });
    let (sender, batches) = sync_channel(BATCHES);
    let ingest = std::thread::Builder::new()
        .name("ingest".into())
        .spawn(move || Ingest::new(rings.start(control, actor, logs)?, sender).run())
        .map_err(|error| bug("thread", error))?;
    judging_priority();
    let exit = engine.run(&batches);
    drop(batches);
    match ingest.join() {
        Ok(Ok(())) => exit,
        Ok(Err(error)) => Err(bug("reading events", error)),
        Err(_) => Err(Failure::bug("engine: the reading thread panicked")),
    }
}

/// Priority (nice value) of the judging thread: behind the reading threads, but before what it judges. With an ordinary
/// one, twenty busy processes leave it a tenth of two processors, and what it cannot take is lost in the rings.
const JUDGING_PRIORITY: i32 = -10;

/// The reading threads keep the priority that the sensor process gave to the engine; this thread lowers its own.
fn judging_priority() {
    // Lowering one's own priority is always allowed; where it fails, judging competes as reading does.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), JUDGING_PRIORITY);
}

/// Without the sensor process there is nothing to do.
fn die_with_parent() {
    // Fails only on an invalid signal; end of the control pipe ends the engine as well.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// What the kernel programs fill, mapped.
struct Rings {
    critical: RingReader,
    file: RingReader,
    network: RingReader,
    counters: Counters,
    wake: (PipeReader, PipeWriter),
}

impl Rings {
    /// Waits for them; `None` where none come any more.
    fn take(handover: &UnixStream, wake: (PipeReader, PipeWriter)) -> io::Result<Option<Self>> {
        let Some((Sizes(sizes), fds)) = handover::take(handover)? else { return Ok(None) };
        let ([critical, file, network], [to_critical, to_file, to_network, counters]) = (sizes, fds);
        Ok(Some(Self {
            critical: RingReader::new(to_critical, critical)?,
            file: RingReader::new(to_file, file)?,
            network: RingReader::new(to_network, network)?,
            counters: Counters::map(counters.as_fd(), MAX_CPUS)?,
            wake,
        }))
    }

    /// Starts the file ring's thread.
    fn start(
        self,
        control: Lines<File>,
        actor: Option<Lines<File>>,
        logs: Option<Logs>,
    ) -> io::Result<Sources> {
        Ok(Sources {
            files: Files::start(self.file, self.wake)?,
            network: self.network,
            critical: self.critical,
            counters: self.counters,
            control,
            actor,
            logs,
        })
    }
}

struct EngineProcess {
    pipeline: Pipeline,
    /// What is left of them: their exceptions.
    strategies: Vec<strategy::Strategy>,
    recorder: Option<Recorder<File>>,
    requests: File,
    out: BufWriter<io::Stdout>,
    events: u64,
    lost: u64,
    docker_down: bool,
}

impl EngineProcess {
    /// Compiles the strategies, and says what is wrong with them and what they use.
    fn new(
        setup: Setup,
        lists: Vec<(String, File)>,
        requests: File,
        record: Option<File>,
    ) -> Result<Self, Failure> {
        let Setup { documents, format, hostname, kernel, config, .. } = setup;
        let Checked { mut strategies, mut engine } = strategies::check(&documents, &config)?;
        drop(documents);
        // Somebody else's files: read without any rights.
        let (listed, sentences) = intel::read(lists);
        engine.take_lists(Arc::new(listed));
        let head = Head::new(env!("CARGO_PKG_VERSION"), &hostname, &kernel);
        let host = respond::Host { hostname, version: env!("CARGO_PKG_VERSION").to_owned() };
        let wants = engine.wanted();
        let expired = exceptions::expired(&strategies);
        strategies.iter_mut().for_each(exceptions::keep_only);
        let mut process = Self {
            pipeline: Pipeline::new(engine, &config, format.into(), host)
                .touching(Touched::new(wants.watched.clone())),
            strategies,
            recorder: record.map(|file| Recorder::new(file, &head)),
            requests,
            out: BufWriter::new(io::stdout()),
            events: 0,
            lost: 0,
            docker_down: false,
        };
        process.tell(&FromEngine::Wants(Box::new(wants)));
        for sentence in expired.into_iter().chain(sentences) {
            process.tell(&FromEngine::Say(sentence));
        }
        Ok(process)
    }

    fn tell(&mut self, message: &FromEngine) {
        // A sensor process that does not listen has ended, and the control pipe says so next.
        let _ = send(&mut self.requests, message);
    }

    fn run(&mut self, batches: &Receiver<Batch>) -> Result<Exit, Failure> {
        let ended = loop {
            let Ok(batch) = batches.recv() else { break self.pipeline.finish(&mut self.out) };
            if let Err(error) = self.take(batch) {
                break Err(error);
            }
        };
        self.flush_recording();
        let (raised, events, lost) = (self.pipeline.raised(), self.events, self.lost + self.pipeline.lost());
        for sentence in exceptions::uses(&self.strategies, &self.pipeline.exceptions()) {
            self.tell(&FromEngine::Say(sentence));
        }
        self.tell(&FromEngine::Done { raised, events, lost });
        match ended {
            Err(error) => Err(Failure::output(&error)),
            Ok(()) => Ok(Exit::Fine),
        }
    }

    fn take(&mut self, batch: Batch) -> io::Result<()> {
        for request in &batch.requests {
            self.tell(request);
        }
        for event in batch.events {
            self.events += 1;
            match &event.kind {
                Kind::Loss(loss) => self.lost += loss.count,
                Kind::Health(health) if event.id.sensor == Sensor::Docker => self.say_docker(health),
                Kind::Tick => self.flush_recording(),
                _ => {}
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.event(&event);
            }
            self.pipeline.push(event, &mut self.out)?;
            for look in self.pipeline.take_looks() {
                self.tell(&FromEngine::Look(Box::new(look)));
            }
        }
        Ok(())
    }

    /// That Docker does not answer, and that it does again.
    fn say_docker(&mut self, health: &Health) {
        let was_down = std::mem::replace(&mut self.docker_down, health.state != SensorState::Up);
        match (was_down, self.docker_down) {
            (_, true) => self.tell(&FromEngine::Say(format!("Docker: {}", health.reason.as_str()))),
            (true, false) => self.tell(&FromEngine::Say("Docker answers again".to_owned())),
            (false, false) => {}
        }
    }

    fn flush_recording(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.flush();
        let failure = recorder.take_failure();
        if let Some(Kind::Loss(loss)) = recorder.take_loss() {
            self.lost += loss.count;
        }
        if let Some(failure) = failure {
            self.tell(&FromEngine::Say(failure));
        }
    }
}
