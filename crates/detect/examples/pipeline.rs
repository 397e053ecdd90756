//! Measures enrich + detect over a recording that is in memory: events a second on one core.
//!
//! `pipeline STRATEGIES RECORDING [MINIMUM]`: a directory of documents, and what `watch --record` or `observe` wrote.
//! Reading and parsing the recording is not part of the time. Containers of which the recording has no facts are given
//! some, as their events would else wait for Docker's answer. Prints one line of JSON; status 1 below MINIMUM events
//! a second.
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use detect::Engine;
use enrich::Enricher;
use event::container::{Container, ContainerChange, ContainerVerb};
use event::recording::from_line;
use event::{BootTime, ContainerId, Event, Kind, Sensor};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Passes over the recording; the best counts, as other work on the machine only slows a pass.
const PASSES: usize = 5;

/// Processor time of this thread: the rate is for one core, whatever else runs on it. Zero where the kernel does not
/// keep it (CONFIG_SCHED_INFO), and the rate is then infinite.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [strategies, recording, rest @ ..] = arguments.as_slice() else {
        return Err("usage: pipeline STRATEGIES RECORDING [MINIMUM]".into());
    };
    let minimum: f64 = rest.first().map_or(Ok(0.0), |m| m.parse())?;
    let mut documents = Vec::new();
    collect(Path::new(strategies), &mut documents)?;
    let (strategies, diagnostics) = strategy::load(&documents);
    let events = read(Path::new(recording))?;
    let mut whole = Vec::new();
    let mut enriching = Vec::new();
    let mut alerts = 0;
    for _ in 0..PASSES {
        let (time, raised) = run(&strategies, events.clone())?;
        alerts = raised;
        whole.push(time);
        enriching.push(enrich_only(events.clone()));
    }
    let per_s =
        |times: &[Duration]| times.iter().min().map_or(0.0, |best| events.len() as f64 / best.as_secs_f64());
    let rate = per_s(&whole);
    println!(
        "{}",
        serde_json::json!({
            "events": events.len(),
            "strategies": strategies.len(),
            "diagnostics": diagnostics.len(),
            "alerts": alerts,
            "events_per_s": rate.round(),
            "enrich_only_per_s": per_s(&enriching).round(),
            "passes_per_s": whole.iter().map(|t| (events.len() as f64 / t.as_secs_f64()).round()).collect::<Vec<_>>(),
        })
    );
    Ok(if rate < minimum { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run(
    strategies: &[strategy::Strategy],
    events: Vec<Event>,
) -> Result<(Duration, usize), Box<dyn std::error::Error>> {
    let mut enricher = Enricher::new(enrich::Config::default());
    let (mut engine, _) = Engine::new(strategies, &detect::Config::default())?;
    let (mut enriched, mut alerts, mut raised) = (Vec::new(), Vec::new(), 0);
    let begun = cpu_time();
    for event in events {
        enricher.push(event, &mut enriched);
        for event in enriched.drain(..) {
            engine.push(event, &mut alerts);
        }
        raised += alerts.drain(..).filter(|alert| alert.activity == event::alert::Activity::Create).count();
    }
    let time = cpu_time() - begun;
    Ok((time, raised))
}

fn enrich_only(events: Vec<Event>) -> Duration {
    let mut enricher = Enricher::new(enrich::Config::default());
    let mut enriched = Vec::new();
    let begun = cpu_time();
    for event in events {
        enricher.push(event, &mut enriched);
        enriched.clear();
    }
    cpu_time() - begun
}

fn collect(path: &Path, documents: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, documents)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push((path.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    documents.sort();
    Ok(())
}

/// All events, behind facts of those containers that the recording tells nothing about.
fn read(path: &Path) -> Result<Vec<Event>, Box<dyn std::error::Error>> {
    let mut events = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        // The head of a recording is no event.
        if let Ok(event) = from_line(&line?) {
            events.push(event);
        }
    }
    let told: BTreeSet<ContainerId> = events
        .iter()
        .filter(|event| matches!(event.kind, Kind::Container(_)))
        .filter_map(|event| event.container_id().copied())
        .collect();
    let acting: BTreeSet<ContainerId> =
        events.iter().filter_map(|event| event.owner.container().copied()).collect();
    let begin = events.iter().map(|event| event.boot).min().unwrap_or_default();
    let mut all: Vec<Event> = acting.difference(&told).map(|id| found(*id, begin)).collect();
    all.extend(events);
    Ok(all)
}

fn found(id: ContainerId, at: BootTime) -> Event {
    let record = Container {
        id: Some(id),
        name: id.short().into(),
        image: "load:test".into(),
        image_known: Some(true),
        inspected: true,
        ..Container::default()
    };
    let change = ContainerChange { verb: ContainerVerb::Found, record, ..ContainerChange::default() };
    Event::new(Sensor::Docker, at, Kind::Container(Box::new(change)))
}
