//! The actor process: holds the container runtime's socket and passes on what the runtime says.
//!
//! In: end of standard input, which ends it. Out: events, one per line, on standard output. It takes no requests
//! yet; responses will be typed requests that a policy has checked.

use crate::failure::{Exit, Failure};
use event::{BootTime, Event, WallTime};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::time::Duration;

/// Runs until standard input ends or the engine does not listen any more.
///
/// # Errors
/// The asynchronous runtime could not be made.
pub fn run() -> Result<Exit, Failure> {
    super::capabilities::keep(super::capabilities::ACTOR)
        .map_err(|error| Failure::bug(format!("actor: capabilities are not given up: {error}")))?;
    // Set by the sensor process from the configuration; empty means the usual place.
    let socket = std::env::var("WATCHKEEPER_DOCKER_SOCKET").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::bug(format!("cannot make the actor's runtime: {error}")))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        // Any end of standard input, also by an error, means that the sensor process is gone.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(());
    });
    let mut config = sense::docker::Config::default();
    if !socket.is_empty() {
        config.socket = Some(socket.into());
    }
    let out = std::io::stdout();
    let sink = Box::new(move |event: Event| {
        let mut out = out.lock();
        match super::link::send(&mut out, &event).and_then(|()| out.flush()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let stopped = Box::pin(async move {
        // An end without a word is an end as well.
        let _ = stopped.await;
    });
    runtime.block_on(sense::docker::run(config, now, sink, stopped));
    Ok(Exit::Fine)
}

/// Both clocks, now.
pub fn now() -> (BootTime, WallTime) {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    (BootTime(nanos(sense::kernel::boot_time())), WallTime(nanos(sense::kernel::wall_time())))
}
