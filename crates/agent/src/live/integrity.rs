//! The thread of the sensor process that watches files: it reads first states, and looks where the engine or the kernel
//! says that something happened.
//!
//! In: [`Order`]s through a channel of [`ORDERS`]; what does not fit is counted. Out: events for the engine, losses among
//! them. The kernel programs run before it begins, so that what happens during the first scan is told of too.

use super::actor::now;
use super::processes::Happening;
use crate::config::Files;
use crate::failure::say;
use event::change::Look;
use event::health::{Health, Loss, LossAt, SensorState};
use event::{ContainerId, Event, Kind, Sensor, Text, WatchList};
use integrity::{Copies, Limits, Root, Watcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Orders that may wait.
const ORDERS: usize = 16_384;
/// Longest wait before the kernel's notices are read.
const LOOK: Duration = Duration::from_millis(100);
/// Orders between two readings of the notices, where orders do not end.
const ROUND: usize = 256;

/// What the thread is told.
pub enum Order {
    /// Look at these places.
    Look(Box<Look>),
    /// A container runs, with this process.
    Begin(ContainerId, u32),
    /// It ended.
    End(ContainerId),
}

/// The way to the thread.
pub struct Integrity {
    orders: SyncSender<Order>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What the two sides share besides the channel.
#[derive(Default)]
struct Shared {
    /// Orders that found no room.
    refused: AtomicU64,
    /// The thread is to count what waits, and to end.
    end: AtomicBool,
}

impl Integrity {
    /// Starts the thread; `None` where nothing is watched or it cannot be, which is said.
    pub fn start(list: WatchList, config: &Files, happen: Sender<Happening>) -> Option<Self> {
        if list.is_empty() || !config.enabled {
            return None;
        }
        let limits = Limits { file_bytes: config.file_bytes, kept_bytes: config.copied_file_bytes };
        let tell = happen.clone();
        let watcher = Root::open("/").and_then(|root| Watcher::new(list, limits, root, copies(config)));
        let mut watcher = match watcher {
            Ok(watcher) => watcher,
            Err(error) => {
                health(&tell, SensorState::Down, &error.to_string());
                return None;
            }
        };
        let (orders, waiting) = sync_channel(ORDERS);
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("integrity".into()).spawn(move || {
            watcher.begin_host(now().0);
            health(&happen, SensorState::Up, "");
            run(watcher, &waiting, &its, &happen);
        });
        match thread {
            Ok(thread) => Some(Self { orders, shared, thread }),
            Err(error) => {
                health(&tell, SensorState::Down, &error.to_string());
                None
            }
        }
    }

    /// Gives an order; never waits.
    pub fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends the thread; what it has not looked at is told as lost by its last event.
    pub fn end(self) {
        self.shared.end.store(true, Ordering::Release);
        drop(self.orders);
        // A panic of the thread has printed its own message.
        let _ = self.thread.join();
    }
}

/// Where the known-good copies go: in memory, where the directory cannot be had.
fn copies(config: &Files) -> Copies {
    Copies::in_directory(&config.copies, config.copies_bytes).unwrap_or_else(|error| {
        say(&format!(
            "known-good copies are kept in memory only: {}: {error}; set files.copies to a directory that can be written",
            config.copies.display()
        ));
        Copies::in_memory(config.copies_bytes)
    })
}

fn run(mut watcher: Watcher, orders: &Receiver<Order>, shared: &Shared, happen: &Sender<Happening>) {
    let mut next = orders.recv_timeout(LOOK);
    loop {
        if shared.end.load(Ordering::Acquire) {
            let looks =
                next.into_iter().chain(orders.try_iter()).filter(|order| matches!(order, Order::Look(_)));
            let unseen = looks.count() + watcher.waiting();
            let lost = u64::try_from(unseen).unwrap_or(u64::MAX) + shared.refused.swap(0, Ordering::Relaxed);
            if lost > 0 {
                // The receiver goes only when the process ends.
                let _ = happen.send(Happening::Event(Box::new(loss(lost))));
            }
            return;
        }
        let mut found = Vec::new();
        for _ in 0..ROUND {
            match next {
                Ok(Order::Look(look)) => found.extend(watcher.look(&look, now().0)),
                Ok(Order::Begin(container, pid)) => watcher.begin_container(container, pid, now().0),
                Ok(Order::End(container)) => watcher.end_container(container),
                Err(_) => break,
            }
            next = orders.try_recv().map_err(|_| RecvTimeoutError::Timeout);
        }
        found.extend(watcher.attend(now().0, next.is_ok()));
        let lost = watcher.take_lost() + shared.refused.swap(0, Ordering::Relaxed);
        let events =
            found.into_iter().map(|found| found.into_event(now().0)).chain((lost > 0).then(|| loss(lost)));
        for event in events {
            if happen.send(Happening::Event(Box::new(event))).is_err() {
                return;
            }
        }
        if next.is_err() {
            next = orders.recv_timeout(LOOK);
        }
        if matches!(next, Err(RecvTimeoutError::Disconnected)) {
            return;
        }
    }
}

fn loss(count: u64) -> Event {
    let detail =
        Text::resolved("looks at watched files that found no room, or files that could not be watched");
    Event::new(
        Sensor::Integrity,
        now().0,
        Kind::Loss(Box::new(Loss { at: LossAt::Integrity, count, detail })),
    )
}

fn health(happen: &Sender<Happening>, state: SensorState, reason: &str) {
    let health = Health { signal: "integrity".into(), state, reason: Text::resolved(reason) };
    let event = Event::new(Sensor::Integrity, now().0, Kind::Health(Box::new(health)));
    // The receiver goes only when the process ends.
    let _ = happen.send(Happening::Event(Box::new(event)));
}
