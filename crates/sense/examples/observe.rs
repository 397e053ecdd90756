//! Loads the kernel sensor and prints every event as JSON until the given number of seconds has passed.
//!
//! `observe [SECONDS] [quiet]`; quiet prints only the numbers at the end: events, loss, processor time. It lets
//! records gather as the agent does, so that the programs' cost is not that of waking it for each.
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    collections::BTreeMap,
    io::Write,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use sense::kernel::{
    Config, Counters, Decoder, Error, KernelSensor, MAX_CPUS, RingReader, boot_time, wait_readable, wall_time,
};

const GATHERING: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(10);
    let quiet = arguments.next().is_some_and(|a| a == "quiet");
    let begun = Instant::now();
    let mut sensor = KernelSensor::load(&Config::default(), None)
        .inspect_err(|e: &Error| eprintln!("hint: {}", e.hint()))?;
    eprintln!("loaded in {:?}", begun.elapsed());
    for m in &sensor.report().missing {
        eprintln!("missing {}: unseen: {} ({})", m.program, m.unseen, m.cause);
    }
    eprintln!("attached {} tracked {:?}", sensor.report().attached.len(), sensor.host().tracked);
    let mut decoder = Decoder::new(boot_time(), wall_time());
    let seed = sensor.seed(&decoder)?;
    eprintln!(
        "seeded {} events, {} unreadable, {} refused",
        seed.events.len(),
        seed.unreadable,
        seed.refused
    );
    let fds = sensor.fds()?;
    let counters = Counters::map(fds.counters, MAX_CPUS)?;
    let mut readers = Vec::new();
    for ring in [fds.critical, fds.file, fds.network] {
        readers.push(RingReader::new(ring.fd.try_clone_to_owned()?, ring.bytes)?);
    }
    let mut out = std::io::stdout().lock();
    for event in &seed.events {
        if !quiet {
            writeln!(out, "{}", serde_json::to_string(event)?)?;
        }
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut events = Vec::new();
    let mut classes: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    let mut records = 0;
    while Instant::now() < end {
        let fds: Vec<_> = readers.iter().map(AsFd::as_fd).collect();
        wait_readable(&fds, Duration::from_millis(100))?;
        if quiet {
            std::thread::sleep(GATHERING);
        }
        for reader in &mut readers {
            records += reader.drain(4096, |record| {
                if let Err(e) = decoder.decode(record, &mut events) {
                    *errors.entry(e.to_string()).or_default() += 1;
                }
                // A filter looks at the class first; what nobody wants goes no further.
                for event in events.drain(..) {
                    *classes.entry(event.class().as_str()).or_default() += 1;
                    if !quiet && let Ok(json) = serde_json::to_string(&event) {
                        let _ = writeln!(out, "{json}");
                    }
                }
            });
        }
    }
    let corrupt: u64 = readers.iter().map(RingReader::corrupt).sum();
    eprintln!("records {records} without payload {} corrupt {corrupt}", decoder.without_payload());
    eprintln!("classes {classes:?}\nerrors {errors:?}\ncounters {:?}", counters.read());
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.split(' ').collect();
    eprintln!("ticks user {} system {}", fields[13], fields[14]);
    Ok(())
}
