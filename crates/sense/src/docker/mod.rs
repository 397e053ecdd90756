//! The Docker sensor: container and image lifecycle, and the facts of each container.
//!
//! In: the daemon's API on its Unix socket: images and containers at start, then the event stream, and inspect for
//! each container that is new or changed. Out: [`event::Kind::Container`] events, and health and loss of the `docker`
//! signal. A lost connection is made again; what changed meanwhile is found by listing again (`found`, `gone`).
//!
//! The order at start matters to who reads it: `image_found` and `found` for all that is there, then health `up`,
//! then the stream. A container's `create` goes out before its facts are asked for.
//!
//! Left out: networks, volumes and plugins of their own; remote daemons over TCP.
//! Source: Docker Engine API 1.41 to 1.53, `/events`, `/containers/json`, `/containers/{id}/json`, `/images/json`.

mod map;
mod session;

#[cfg(test)]
mod tests;

use event::{BootTime, Event, WallTime};
use std::future::Future;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// Where the daemon listens unless it is told otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// First pause before connecting again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause before connecting again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How the daemon is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The daemon's socket; `None`: `DOCKER_HOST` where it names a Unix socket, else `/var/run/docker.sock`.
    pub socket: Option<PathBuf>,
    /// How long one answer may take. Default 5 s.
    pub timeout: Duration,
    /// How many inspect requests are under way at once. Default 8.
    pub inspects: usize,
    /// How often the daemon is asked whether it still answers: a stopped one keeps its connections. Default 10 s.
    pub ping: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { socket: None, timeout: Duration::from_secs(5), inspects: 8, ping: Duration::from_secs(10) }
    }
}

impl Config {
    /// The socket to connect to.
    pub fn socket(&self) -> PathBuf {
        if let Some(socket) = &self.socket {
            return socket.clone();
        }
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        host.strip_prefix("unix://").filter(|path| !path.is_empty()).unwrap_or(DEFAULT_SOCKET).into()
    }
}

/// Both clocks, at the moment of the call.
pub type Clock = fn() -> (BootTime, WallTime);
/// Takes events, and says whether to go on.
pub type Sink<'s> = Box<dyn FnMut(Event) -> ControlFlow<()> + 's>;
/// Something to wait for. Boxed, so that the daemon's client is compiled once, here, and not again in each caller.
pub type Waiting<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// Follows the daemon until `stop` is ready or `sink` breaks. Runs on a current-thread runtime with time and I/O.
///
/// `now` gives the time of receipt, with which events are stamped. The daemon's own times are not trusted for order.
pub fn run<'s>(config: Config, now: Clock, sink: Sink<'s>, stop: Waiting<'s>) -> Waiting<'s> {
    Box::pin(follow(config, now, sink, stop))
}

async fn follow(config: Config, now: Clock, sink: Sink<'_>, stop: Waiting<'_>) {
    let follow = async {
        let mut sensor = session::Sensor::new(&config, now, sink);
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(ended) = sensor.session().await;
            let session::Ended::Lost(reason) = ended else { return };
            let was_up = sensor.is_up();
            if sensor.down(&reason).is_break() {
                return;
            }
            pause = if was_up { FIRST_PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = stop => {}
    }
}
