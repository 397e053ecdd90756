//! The engine's first thread: takes records from the rings and lines from the pipes, makes events of them, gives
//! them their order, and hands them on in batches. The file ring has a thread of its own ([`Files`]).
//!
//! Order: in each round files come first and the critical ring is read last, so that it holds everything that was
//! written to it before the youngest record of the others; the round is then sorted by boot time. A process is therefore
//! known before its files and connections. Sequence numbers follow that order, and a recording keeps it.
//!
//! The channel to the pipeline holds [`BATCHES`] batches. When it is full this thread waits, the rings fill up, and
//! the kernel programs count what they cannot write.

use super::contained::Contained;
use super::files::Files;
use super::hashes::{Follow, Hashes};
use super::link::{EventLine, FromEngine, Lines};
use super::log_lines::Logs;
use super::pace::Pace;
use event::health::{Loss, LossAt};
use event::{BootTime, Event, Kind, Text};
use sense::kernel::{
    Counters, Decoder, LossWatch, ReaderCounts, RingReader, boot_time, wait_readable, wall_time,
};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Batches that may wait for the pipeline.
pub const BATCHES: usize = 4;
/// Records taken from one ring at a time.
pub const RECORDS: usize = 2048;
/// Time between ticks.
const TICK: Duration = Duration::from_millis(100);
/// Ticks between looks at the loss counters.
const LOSS_TICKS: u32 = 10;

/// What the pipeline gets at a time.
#[derive(Default)]
pub struct Batch {
    /// Events in order.
    pub events: Vec<Event>,
    /// What the sensor process is asked or told because of them: files to hash, containers that came and went.
    pub requests: Vec<FromEngine>,
}

/// Where events come from.
pub struct Sources {
    /// Files.
    pub files: Files,
    /// Sockets and packets.
    pub network: RingReader,
    /// Processes, cgroups, security.
    pub critical: RingReader,
    /// The kernel programs' counters.
    pub counters: Counters,
    /// Pipe from the sensor.
    pub control: Lines<File>,
    /// Pipe from the actor.
    pub actor: Option<Lines<File>>,
    /// Lines of system logs.
    pub logs: Option<Logs>,
}

/// Reads until the sensor closes its pipe, then takes what is left.
pub struct Ingest {
    sources: Sources,
    decoder: Decoder,
    losses: LossWatch,
    undecodable: u64,
    sequence: u64,
    next_tick: Duration,
    ticks: u32,
    batch: Vec<Event>,
    hashes: Hashes,
    contained: Contained,
    out: SyncSender<Batch>,
}

impl Ingest {
    /// Reads `sources` and sends batches to `out`.
    pub fn new(sources: Sources, out: SyncSender<Batch>) -> Self {
        Self {
            sources,
            decoder: Decoder::new(boot_time(), wall_time()),
            losses: LossWatch::default(),
            undecodable: 0,
            sequence: 0,
            next_tick: boot_time() + TICK,
            ticks: 0,
            batch: Vec::new(),
            hashes: Hashes::default(),
            contained: Contained::default(),
            out,
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Waiting or reading failed in a way that cannot pass.
    pub fn run(mut self) -> io::Result<()> {
        let (mut taken, mut pace) = (0, Pace::default());
        while !self.sources.control.ended() || self.sources.control.has_line() {
            if !pace.nap(taken, taken >= RECORDS) {
                self.wait()?;
            }
            taken = self.round()?;
            if self.send().is_err() {
                return Ok(());
            }
        }
        self.sources.files.finish(&mut self.batch);
        loop {
            let taken = self.drain_rings(0);
            self.tick(boot_time());
            if self.send().is_err() || taken == 0 {
                break;
            }
        }
        self.look_for_loss(boot_time());
        // The pipeline is gone where this fails, and nobody is left to be told.
        let _ = self.send();
        Ok(())
    }

    fn wait(&self) -> io::Result<()> {
        let timeout = self.next_tick.saturating_sub(boot_time());
        let sources = &self.sources;
        let rings = [&sources.network, &sources.critical];
        if rings.iter().any(|ring| ring.pending_bytes() > 0) {
            return Ok(());
        }
        let mut fds = vec![
            sources.files.wake(),
            sources.network.as_fd(),
            sources.critical.as_fd(),
            sources.control.inner().as_fd(),
        ];
        if let Some(actor) = sources.actor.as_ref().filter(|actor| !actor.ended()) {
            fds.push(actor.inner().as_fd());
        }
        if let Some(logs) = sources.logs.as_ref().filter(|logs| !logs.ended()) {
            fds.push(logs.as_fd());
        }
        wait_readable(&fds, timeout).map(|_| ())
    }

    /// Takes what there is; returns how many records the rings gave.
    fn round(&mut self) -> io::Result<usize> {
        self.read_pipes()?;
        let begin = self.batch.len();
        let files = self.sources.files.take(&mut self.batch)?;
        let taken = files + self.drain_rings(begin);
        let now = boot_time();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now);
        }
        Ok(taken)
    }

    fn read_pipes(&mut self) -> io::Result<()> {
        let batch = &mut self.batch;
        if let Some(logs) = &mut self.sources.logs {
            logs.read(&self.decoder, batch)?;
        }
        let mut lines = vec![&mut self.sources.control];
        lines.extend(self.sources.actor.as_mut());
        for pipe in lines {
            let waits = pipe.has_line() || wait_readable(&[pipe.inner().as_fd()], Duration::ZERO)?;
            if pipe.ended() && !pipe.has_line() || !waits {
                continue;
            }
            pipe.read(|event: EventLine| batch.push(*event))?;
            let unreadable = pipe.take_unreadable();
            if unreadable > 0 {
                let loss = Loss {
                    at: LossAt::Runtime,
                    count: unreadable,
                    detail: Text::resolved("lines of a pipe that are no events"),
                };
                batch.push(self.decoder.own(boot_time(), Kind::Loss(Box::new(loss))));
            }
        }
        Ok(())
    }

    /// Takes records of the two other rings, the critical one last, and sorts the batch from `begin` on. Returns how
    /// many.
    fn drain_rings(&mut self, begin: usize) -> usize {
        let Self { sources, decoder, batch, undecodable, .. } = self;
        let mut take = |record: &[u8]| {
            if decoder.decode(record, batch).is_err() {
                *undecodable += 1;
            }
        };
        let mut taken = sources.network.drain(RECORDS, &mut take);
        taken += sources.critical.drain(RECORDS, &mut take);
        if let Some(fresh) = batch.get_mut(begin..) {
            fresh.sort_by_key(|event| event.boot);
        }
        taken
    }

    fn tick(&mut self, now: Duration) {
        self.ticks += 1;
        if let Some(step) = self.decoder.tick(now, wall_time()) {
            self.batch.push(step);
        }
        if self.ticks.is_multiple_of(LOSS_TICKS) {
            self.look_for_loss(now);
        }
        self.batch.push(self.decoder.own(now, Kind::Tick));
    }

    fn look_for_loss(&mut self, now: Duration) {
        let sources = &self.sources;
        let (undecodable, corrupt) = sources.files.counts();
        let reader = ReaderCounts {
            undecodable: self.undecodable + undecodable,
            corrupt: corrupt + sources.network.corrupt() + sources.critical.corrupt(),
        };
        for kind in self.losses.look(sources.counters.read(), reader) {
            self.batch.push(self.decoder.own(now, kind));
        }
    }

    /// Numbers the batch and hands it on; an error means that the pipeline is gone.
    fn send(&mut self) -> Result<(), ()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let mut batch = Batch { events: Vec::with_capacity(self.batch.len()), requests: Vec::new() };
        for event in std::mem::take(&mut self.batch) {
            let follow = self.hashes.look(&event);
            batch.requests.extend(self.contained.look(&event));
            batch.events.push(self.numbered(event));
            match follow {
                Follow::Nothing => {}
                Follow::Ask(request) => batch.requests.push(FromEngine::Hash(request)),
                Follow::Tell(event) => {
                    let event = self.numbered(*event);
                    batch.events.push(event);
                }
            }
        }
        self.out.send(batch).map_err(|_| ())
    }

    fn numbered(&mut self, mut event: Event) -> Event {
        event.id.sequence = self.sequence;
        self.sequence += 1;
        if event.boot == BootTime(0) {
            event.boot = super::actor::now().0;
        }
        event.wall = self.decoder.wall(event.boot);
        event
    }
}
