//! Measures sense + decode + filter: one reader takes every record of all rings, decodes it, and drops the event as
//! the filter does for a class that no strategy wants.
//!
//! In: the path of a file whose removal ends the measurement, and whether files are wanted (`capacity STOP [no-files]`);
//! "ready" on standard output says that the sensor runs. Out: one line of JSON: what containers whose id begins with a given prefix did, by class and
//! operation; what was written and lost by ring; the processor time of this process.
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::AsFd,
    path::Path,
    time::Duration,
};

use event::{Class, Event, Owner, Wants};
use sense::kernel::{
    Config, Counters, Decoder, Error, KernelSensor, MAX_CPUS, RingReader, boot_time, wait_readable, wall_time,
};

/// First bytes of the load's container ids (tests/load/mix.c).
const LOAD_ID: [u8; 2] = [0x10, 0xad];

/// How long records gather after the first of them.
const GATHER: Duration = Duration::from_millis(2);

struct Reader {
    rings: Vec<RingReader>,
    decoder: Decoder,
    events: Vec<Event>,
    seen: BTreeMap<(&'static str, String), u64>,
    records: u64,
    undecodable: u64,
    deepest_bytes: u64,
}

impl Reader {
    fn drain(&mut self) -> usize {
        let mut taken = 0;
        for ring in &mut self.rings {
            self.deepest_bytes = self.deepest_bytes.max(ring.pending_bytes());
            taken += ring.drain(2048, |record| {
                if self.decoder.decode(record, &mut self.events).is_err() {
                    self.undecodable += 1;
                }
                for event in self.events.drain(..) {
                    if of_the_load(&event) {
                        let class = event.class().as_str();
                        // A look-up by reference first: no allocation for what was seen before.
                        let operation = event.kind.operation();
                        if let Some(count) = find(&mut self.seen, class, operation) {
                            *count += 1;
                        } else {
                            self.seen.insert((class, operation.to_owned()), 1);
                        }
                    }
                }
            });
        }
        self.records += taken as u64;
        taken
    }
}

fn of_the_load(event: &Event) -> bool {
    matches!(&event.owner, Owner::Container(id) if id.0.starts_with(&LOAD_ID))
}

fn find<'a>(
    seen: &'a mut BTreeMap<(&'static str, String), u64>,
    class: &str,
    operation: &str,
) -> Option<&'a mut u64> {
    seen.iter_mut().find(|((c, o), _)| *c == class && o == operation).map(|(_, count)| count)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let stop = args.next().ok_or("usage: capacity STOP [no-files]: a file whose removal ends it")?;
    let mut classes = BTreeSet::from_iter(Class::ALL.iter().copied());
    if args.next().is_some() {
        classes.remove(&Class::FileEvent);
    }
    let wants = Wants { classes, ..Wants::default() };
    let mut sensor = KernelSensor::load(&Config::default(), Some(&wants))
        .inspect_err(|e: &Error| eprintln!("hint: {}", e.hint()))?;
    let decoder = Decoder::new(boot_time(), wall_time());
    sensor.seed(&decoder)?;
    let fds = sensor.fds()?;
    let counters = Counters::map(fds.counters, MAX_CPUS)?;
    let mut reader = Reader {
        rings: Vec::new(),
        decoder,
        events: Vec::new(),
        seen: BTreeMap::new(),
        records: 0,
        undecodable: 0,
        deepest_bytes: 0,
    };
    for ring in [fds.file, fds.network, fds.critical] {
        reader.rings.push(RingReader::new(ring.fd.try_clone_to_owned()?, ring.bytes)?);
    }
    println!("ready");
    let before = ticks()?;
    while Path::new(&stop).exists() {
        while reader.drain() > 0 {}
        let fds: Vec<_> = reader.rings.iter().map(AsFd::as_fd).collect();
        if wait_readable(&fds, Duration::from_millis(10))? {
            // Each look costs more than many records: let some gather.
            std::thread::sleep(GATHER);
        }
    }
    while reader.drain() > 0 {}
    let counts = counters.read();
    let after = ticks()?;
    let seen: BTreeMap<String, u64> =
        reader.seen.iter().map(|((class, operation), n)| (format!("{class}/{operation}"), *n)).collect();
    let report = serde_json::json!({
        "records": reader.records,
        "undecodable": reader.undecodable,
        "corrupt": reader.rings.iter().map(RingReader::corrupt).sum::<u64>(),
        "deepest_bytes": reader.deepest_bytes,
        "seen": seen,
        "emitted": counts.emitted,
        "lost": counts.lost,
        "table_full": counts.table_full,
        "cpu_ticks_user": after.0 - before.0,
        "cpu_ticks_system": after.1 - before.1,
    });
    println!("{report}");
    Ok(())
}

/// Processor time of this process, user and system, in ticks of 10 ms.
fn ticks() -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse().ok()).ok_or("unreadable /proc/self/stat");
    Ok((field(11)?, field(12)?))
}
