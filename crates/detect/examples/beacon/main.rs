//! Makes and measures the table of the beacon analytic.
//!
//! ```text
//! cargo run --release -p watchkeeper-detect --example beacon -- train      # writes src/analytic/beacon/table.rs
//! cargo run --release -p watchkeeper-detect --example beacon -- evaluate   # drawn processes, with other seeds
//! cargo run --release -p watchkeeper-detect --example beacon -- real       # beacon/rita of WATCHKEEPER_DATA
//! cargo run --release -p watchkeeper-detect --example beacon -- cost       # 1,000 scores, for counting instructions
//! ```
//!
//! `train` and `evaluate` draw from the same description (`generator`) with seeds that never meet. A cell is a sleep of
//! 5 to 3,600 s with jitter of 0 to 90 %, loss of 0 to 30 %, padding, bursts and a life of half an hour to a day, from
//! which eight check-ins or more are expected; a third each of the others are Poisson arrivals, people and bursty
//! programs with eight events or more. A history that is too short for a score counts as missed.
#![allow(clippy::print_stdout, reason = "a tool of the command line")]

mod generator;
#[path = "../support/random.rs"]
mod random;
mod real;
mod trainer;

use detect::analytic::beacon::Beacon;
use generator::{Events, JITTERS, LIVES_H, LOSSES, OTHERS, Sleeper};
use random::Random;
use std::process::ExitCode;

/// Rows of each truth that trees are learned from.
const TRAINING: u64 = 90_000;
/// Rows of each truth that they are measured on.
const TEST: u64 = 60_000;
/// Seeds of the test begin here; those of the training end far below.
const TEST_SEED: u64 = 1 << 40;
/// Trees, and how much of what it learned each one says.
const TREES: usize = 110;
const RATE: f64 = 0.18;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("train") => train(),
        Some("evaluate") => evaluate(),
        Some("real") => real::report(),
        Some("cost") => cost(),
        _ => {
            println!("usage: beacon train | evaluate | real | cost");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn history(events: &Events) -> Beacon {
    let mut beacon = Beacon::new();
    for (at, out, back) in events {
        beacon.add((at * 1e9) as u64, *out, *back);
    }
    beacon
}

fn sleeper(seed: u64) -> (Sleeper, Events) {
    let mut random = Random::new(seed * 2);
    let sleeper = Sleeper::draw(&mut random);
    let events = sleeper.events(&mut random);
    (sleeper, events)
}

fn other(seed: u64) -> Events {
    generator::other((seed % 3) as usize, &mut Random::new(seed * 2 + 1))
}

fn train() {
    let positives = (0..TRAINING).filter_map(|seed| Some((history(&sleeper(seed).1).features()?, true)));
    let negatives = (0..TRAINING).filter_map(|seed| Some((history(&other(seed)).features()?, false)));
    let rows: Vec<trainer::Row> = positives.chain(negatives).collect();
    println!("{} rows", rows.len());
    let forest = trainer::train(&rows, TREES, RATE);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/analytic/beacon/table.rs");
    std::fs::write(path, trainer::write(&forest)).expect("a writable table");
    println!("wrote {path}; build again before measuring");
}

/// A thousand scores of a full history, and the bytes that it takes.
fn cost() {
    let (mut random, mut at) = (Random::new(0), 0.0);
    let mut next = || {
        at += random.between(30.0, 60.0);
        (at, 300, 200)
    };
    let beacon = history(&(0..300).map(|_| next()).collect());
    let sum: f64 = (0..1_000).filter_map(|_| beacon.score()).map(|score| score.probability).sum();
    println!("{} bytes, {} scores, sum {sum:.1}", beacon.size_bytes(), 1_000);
}

/// A sleeper and what it scored.
struct Measured {
    sleeper: Sleeper,
    probability: f64,
    right_period: bool,
}

fn evaluate() {
    let probability = |events: &Events| history(events).score().map_or(0.0, |score| score.probability);
    let mut others: Vec<(usize, f64)> =
        (TEST_SEED..TEST_SEED + TEST).map(|seed| ((seed % 3) as usize, probability(&other(seed)))).collect();
    others.sort_by(|a, b| b.1.total_cmp(&a.1));
    let sleepers: Vec<Measured> = (TEST_SEED..TEST_SEED + TEST)
        .map(|seed| {
            let (sleeper, events) = sleeper(seed);
            let score = history(&events).score();
            let mean = sleeper.sleep_s
                * if sleeper.symmetric || sleeper.clock { 1.0 } else { 1.0 - sleeper.jitter / 2.0 };
            Measured {
                sleeper,
                probability: score.as_ref().map_or(0.0, |score| score.probability),
                right_period: score.is_some_and(|score| (score.period_s / mean - 1.0).abs() < 0.2),
            }
        })
        .collect();
    let thresholds = [0.01, 0.002, 0.001].map(|rate| others[(TEST as f64 * rate) as usize].1);
    println!("thresholds for 1 %, 0.2 % and 0.1 % false positives: {thresholds:.4?}");
    for (kind, name) in OTHERS.iter().enumerate() {
        let of: Vec<f64> = others.iter().filter(|other| other.0 == kind).map(|other| other.1).collect();
        let above =
            thresholds.map(|at| 100.0 * of.iter().filter(|p| **p > at).count() as f64 / of.len() as f64);
        println!("  {name:8} {above:.2?} % above");
    }
    println!(
        "{:32} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "true positive rate", "cells", "1 %", "0.2 %", "0.1 %", "period"
    );
    table(&sleepers, &thresholds, "all", |_| true);
    for jitter in JITTERS {
        table(&sleepers, &thresholds, &format!("jitter {jitter}"), |s| s.jitter == jitter);
    }
    table(&sleepers, &thresholds, "jitter 0.9, 30 events and more", |s| {
        s.jitter == 0.9 && s.expected() >= 30.0
    });
    table(&sleepers, &thresholds, "  sleeps from s(1-j) to s", |s| {
        s.jitter == 0.9 && s.expected() >= 30.0 && !s.symmetric
    });
    table(&sleepers, &thresholds, "  sleeps from s(1-j) to s(1+j)", |s| {
        s.jitter == 0.9 && s.expected() >= 30.0 && s.symmetric
    });
    for life in LIVES_H {
        table(&sleepers, &thresholds, &format!("life {life} h"), |s| s.life_h == life);
    }
    for loss in LOSSES {
        table(&sleepers, &thresholds, &format!("loss {loss}"), |s| s.loss == loss);
    }
    for (low, high) in [(8.0, 12.0), (12.0, 20.0), (20.0, 40.0), (40.0, 100.0), (100.0, 1e9)] {
        let name = if high > 1e8 {
            format!("{low} check-ins and more")
        } else {
            format!("{low} to {high} check-ins")
        };
        table(&sleepers, &thresholds, &name, |s| (low..high).contains(&s.expected()));
    }
    for padded in [false, true] {
        table(&sleepers, &thresholds, &format!("padded {padded}"), |s| s.padded == padded);
    }
    table(&sleepers, &thresholds, "keeps to a clock", |s| s.clock);
    for burst in [1, 2, 3] {
        table(&sleepers, &thresholds, &format!("bursts of up to {burst}"), |s| s.burst == burst);
    }
    calibration(&sleepers, &others);
}

fn table(sleepers: &[Measured], thresholds: &[f64; 3], name: &str, of: impl Fn(&Sleeper) -> bool) {
    let cells: Vec<&Measured> = sleepers.iter().filter(|one| of(&one.sleeper)).collect();
    let count = cells.len().max(1) as f64;
    let [one, fifth, tenth] =
        thresholds.map(|at| cells.iter().filter(|cell| cell.probability > at).count() as f64 / count);
    let period = cells.iter().filter(|cell| cell.right_period).count() as f64 / count;
    println!("{name:32} {:7} {one:7.3} {fifth:7.3} {tenth:7.3} {period:7.3}", cells.len());
}

/// How often what was given a probability is true, at even odds.
fn calibration(sleepers: &[Measured], others: &[(usize, f64)]) {
    println!("calibration: said, true, histories");
    for tenth in 0..10 {
        let (low, high) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
        let within = |p: f64| p >= low && (p < high || tenth == 9);
        let yes = sleepers.iter().filter(|one| within(one.probability)).map(|one| one.probability);
        let no = others.iter().filter(|one| within(one.1)).map(|one| one.1);
        let (count, right) = (yes.clone().count() + no.clone().count(), yes.clone().count());
        let said = yes.chain(no).sum::<f64>() / count.max(1) as f64;
        println!("  {said:.3} {:.3} {count}", right as f64 / count.max(1) as f64);
    }
}
