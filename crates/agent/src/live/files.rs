//! The file ring's own reading thread: files are most of what a busy host does, so their records are decoded beside
//! those of the other rings.
//!
//! In: the ring. Out: chunks of events, in the order of the ring, through a channel of [`CHUNKS`] chunks; a byte on a
//! pipe wakes whoever waits for them. When the channel is full this thread waits, the ring fills up, and the kernel
//! programs count what they cannot write.

use super::ingest::RECORDS;
use super::pace::Pace;
use event::Event;
use sense::kernel::{Decoder, RingReader, boot_time, wait_readable, wall_time};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Chunks that may wait.
const CHUNKS: usize = 4;
/// Longest wait of the thread before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(250);

/// What the two threads share besides the channel.
#[derive(Default)]
struct Shared {
    end: AtomicBool,
    undecodable: AtomicU64,
    corrupt: AtomicU64,
}

/// The reading end.
pub struct Files {
    chunks: Receiver<Vec<Event>>,
    wake: PipeReader,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Files {
    /// Starts the thread on `ring`; it has the priority of the calling one. `pipe` wakes the reader.
    ///
    /// # Errors
    /// The thread cannot be made.
    pub fn start(ring: RingReader, pipe: (PipeReader, PipeWriter)) -> io::Result<Self> {
        let (out, chunks) = sync_channel(CHUNKS);
        let shared = Arc::new(Shared::default());
        let reader = Reader { ring, out, wake: pipe.1, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new().name("files".into()).spawn(move || reader.run())?;
        Ok(Self { chunks, wake: pipe.0, shared, thread: Some(thread) })
    }

    /// Readable when chunks wait.
    pub fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Appends what waits to `batch`, and returns how many events that was.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub fn take(&mut self, batch: &mut Vec<Event>) -> io::Result<usize> {
        let before = batch.len();
        if wait_readable(&[self.wake.as_fd()], Duration::ZERO)? {
            // One byte a chunk, and never more chunks than this.
            let _ = self.wake.read(&mut [0; 2 * CHUNKS])?;
        }
        while let Ok(chunk) = self.chunks.try_recv() {
            batch.extend(chunk);
        }
        Ok(batch.len() - before)
    }

    /// Ends the thread once it has emptied the ring; the rest goes to `batch`.
    pub fn finish(&mut self, batch: &mut Vec<Event>) {
        self.shared.end.store(true, Ordering::Release);
        for chunk in self.chunks.iter() {
            batch.extend(chunk);
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has printed its own message; the other rings are worth finishing.
            let _ = thread.join();
        }
    }

    /// Records that were no events, and how often the ring held nonsense.
    pub fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.shared.undecodable), read(&self.shared.corrupt))
    }
}

struct Reader {
    ring: RingReader,
    out: SyncSender<Vec<Event>>,
    wake: PipeWriter,
    shared: Arc<Shared>,
}

impl Reader {
    fn run(mut self) {
        let mut decoder = Decoder::new(boot_time(), wall_time());
        let mut pace = Pace::default();
        loop {
            let ending = self.shared.end.load(Ordering::Acquire);
            let mut chunk = Vec::new();
            let mut undecodable = 0;
            let taken = self.ring.drain(RECORDS, |record| {
                undecodable += u64::from(decoder.decode(record, &mut chunk).is_err());
            });
            self.shared.undecodable.fetch_add(undecodable, Ordering::Relaxed);
            self.shared.corrupt.store(self.ring.corrupt(), Ordering::Relaxed);
            if !chunk.is_empty() && !self.hand_on(chunk) || ending && taken == 0 {
                return;
            }
            if !pace.nap(taken, taken >= RECORDS) && wait_readable(&[self.ring.as_fd()], LOOK).is_err() {
                return;
            }
        }
    }

    /// False where nobody listens any more.
    fn hand_on(&mut self, chunk: Vec<Event>) -> bool {
        self.out.send(chunk).is_ok() && self.wake.write_all(&[1]).is_ok()
    }
}
