//! Two engines in turns over the same events, and the time that each takes.

use super::engines::Judge;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;

/// Rounds of a measurement.
const ROUNDS: usize = 5;
/// Events that are made at once: few enough for the cache, enough for the clock.
const BATCH: usize = 512;
/// Events of a turn: an engine then works mostly with what it has in the cache, as where it works alone.
const TURN: usize = 16 * BATCH;
/// Events over which settings are tried.
const TRIED: u64 = 20_000;

/// What two engines did with the same events.
pub struct Duel {
    events: u64,
    /// Nanoseconds per round: ours, theirs.
    rounds: Vec<(f64, f64)>,
    /// Matches that we report, in one round.
    pub matches: usize,
    /// By rule that both do not report equally often: how often we do, and they.
    pub differing: BTreeMap<String, (usize, usize)>,
    /// Rules that we leave out; whether they match is not compared.
    left_out: usize,
    /// Theirs.
    pub settings: String,
}

impl Duel {
    /// How many rules we leave out, in words.
    pub fn without_source(&self) -> String {
        match self.left_out {
            0 => String::new(),
            count => format!("; {count} rules are without a source or field here"),
        }
    }

    /// Our events per second, median of the rounds.
    pub fn ours_per_s(&self) -> f64 {
        self.events as f64 * 1e9 / median(self.rounds.iter().map(|round| round.0))
    }

    /// Theirs.
    pub fn theirs_per_s(&self) -> f64 {
        self.events as f64 * 1e9 / median(self.rounds.iter().map(|round| round.1))
    }

    /// How often the time that we take for the events of `other` goes into that for these, median of the rounds.
    pub fn ours_against(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| own.0 / other.0))
    }

    /// The same for theirs.
    pub fn theirs_against(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| own.1 / other.1))
    }

    /// By how much we are faster, median of the rounds.
    pub fn ratio(&self) -> f64 {
        median(self.ratios())
    }

    /// The same by round.
    pub fn ratios(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|(ours, theirs)| theirs / ours)
    }
}

/// Pairs of engines, ours and theirs, all over the same `count` events, several times: each has its turn over some of them
/// before the first goes on, so that whatever else the machine does meets all alike.
pub fn fight<E, O: Judge<E>, T: Judge<E>>(
    count: u64,
    make: impl Fn(u64) -> E,
    pairs: &mut [(O, T)],
) -> Vec<Duel> {
    let mut duels: Vec<Duel> =
        pairs.iter_mut().map(|(ours, theirs)| start(count, &make, ours, theirs)).collect();
    for round in 0..ROUNDS {
        let mut took = vec![(0.0, 0.0); pairs.len()];
        for (turn, first) in (0..count).step_by(TURN).enumerate() {
            let of_turn = first..count.min(first + TURN as u64);
            let number = pairs.len();
            for place in (0..number).map(|place| (place + turn + round) % number) {
                let ((ours, theirs), took) = (&mut pairs[place], &mut took[place]);
                // Neither is always the one that comes after the other.
                if (turn / number + round).is_multiple_of(2) {
                    took.0 += time(ours, of_turn.clone(), &make);
                    took.1 += time(theirs, of_turn.clone(), &make);
                } else {
                    took.1 += time(theirs, of_turn.clone(), &make);
                    took.0 += time(ours, of_turn.clone(), &make);
                }
            }
        }
        duels.iter_mut().zip(took).for_each(|(duel, took)| duel.rounds.push(took));
    }
    duels
}

/// Compares what both report; nothing is measured yet.
fn start<E>(
    count: u64,
    make: &impl Fn(u64) -> E,
    ours: &mut impl Judge<E>,
    theirs: &mut impl Judge<E>,
) -> Duel {
    let (matches, mut differing) = compare(count, make, ours, theirs);
    let left_out = ours.left_out();
    differing.retain(|rule, _| !left_out.contains(rule));
    let (rounds, left_out) = (Vec::new(), left_out.len());
    Duel { events: count, rounds, matches, differing, left_out, settings: theirs.settings() }
}

/// The engine that is fastest over some events, of those that report what the first does.
pub fn fastest<E, J: Judge<E>>(make: impl Fn(u64) -> E, engines: Vec<J>) -> J {
    let mut expect = None;
    let mut best: Option<(f64, J)> = None;
    for mut engine in engines {
        let (mut ns, mut matches) = (0.0, 0);
        for first in (0..TRIED).step_by(BATCH) {
            let events = batch(first, TRIED, &make);
            ns += timed(|| matches += events.iter().map(|event| engine.judge(event)).sum::<usize>());
        }
        let same = *expect.get_or_insert(matches) == matches;
        if same && best.as_ref().is_none_or(|(fastest, _)| ns < *fastest) {
            best = Some((ns, engine));
        }
    }
    best.expect("at least one engine").1
}

/// How many matches we report, and the rules for which they report another number.
fn compare<E>(
    count: u64,
    make: &impl Fn(u64) -> E,
    ours: &mut impl Judge<E>,
    theirs: &mut impl Judge<E>,
) -> (usize, BTreeMap<String, (usize, usize)>) {
    let mut by_rule: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut matches = 0;
    for number in 0..count {
        let event = make(number);
        for rule in ours.rules(&event) {
            by_rule.entry(rule).or_default().0 += 1;
            matches += 1;
        }
        for rule in theirs.rules(&event) {
            by_rule.entry(rule).or_default().1 += 1;
        }
    }
    by_rule.retain(|_, (ours, theirs)| ours != theirs);
    (matches, by_rule)
}

fn batch<E>(first: u64, count: u64, make: &impl Fn(u64) -> E) -> Vec<E> {
    (first..count.min(first + BATCH as u64)).map(make).collect()
}

/// Nanoseconds that an engine takes for the events of a turn, each judged soon after it is made.
fn time<E>(engine: &mut impl Judge<E>, turn: Range<u64>, make: &impl Fn(u64) -> E) -> f64 {
    let mut ns = 0.0;
    for first in turn.clone().step_by(BATCH) {
        let events = batch(first, turn.end, make);
        ns += timed(|| {
            for event in &events {
                black_box(engine.judge(event));
            }
        });
    }
    ns
}

/// Nanoseconds that this thread runs for: what others take of the processor does not count.
pub fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let now = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let before = now();
    let result = work();
    let took = now() - before;
    drop(black_box(result));
    took
}

/// The middle of some numbers.
pub fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
