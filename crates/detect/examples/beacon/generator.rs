//! Draws processes of known kind: programs that sleep, and what else connects again and again.
//!
//! Everything comes from a seed; the same seed gives the same events on every machine up to the rounding of `ln`.

use super::random::Random;

/// Hours that a process lives.
pub const LIVES_H: [f64; 6] = [0.5, 1.0, 3.0, 8.0, 16.0, 24.0];
/// Jitters, as shares of the sleep.
pub const JITTERS: [f64; 8] = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9];
/// Shares of check-ins that are missed.
pub const LOSSES: [f64; 4] = [0.0, 0.1, 0.2, 0.3];
/// Periods of what keeps to a clock.
const CLOCK_S: [f64; 9] = [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0];
/// Check-ins after which a process is no longer drawn: more than a history keeps.
const MOST: usize = 400;

/// Times in seconds and sizes, in order.
pub type Events = Vec<(f64, u64, u64)>;

/// What sleeps.
#[derive(Clone, Copy, Debug)]
pub struct Sleeper {
    pub sleep_s: f64,
    pub jitter: f64,
    /// Sleeps from s(1-j) to s(1+j) rather than to s.
    pub symmetric: bool,
    pub loss: f64,
    pub life_h: f64,
    /// Keeps to a clock: the jitter is that of each run, not of the sleep.
    pub clock: bool,
    pub padded: bool,
    /// The most connections of one check-in.
    pub burst: u32,
}

impl Sleeper {
    /// One of all, from which eight events or more are expected.
    pub fn draw(random: &mut Random) -> Self {
        loop {
            let clock = random.chance(0.06);
            let sleeper = Self {
                sleep_s: if clock { random.pick(&CLOCK_S) } else { random.log_between(5.0, 3_600.0) },
                jitter: random.pick(&JITTERS),
                symmetric: random.chance(0.4),
                loss: random.pick(&LOSSES),
                life_h: random.pick(&LIVES_H),
                clock,
                padded: random.chance(0.5),
                burst: random.pick(&[1, 1, 1, 2, 3]),
            };
            if sleeper.expected() >= 8.0 {
                return sleeper;
            }
        }
    }

    /// Check-ins that are expected to be seen.
    pub fn expected(&self) -> f64 {
        let mean = self.sleep_s * if self.symmetric || self.clock { 1.0 } else { 1.0 - self.jitter / 2.0 };
        self.life_h * 3_600.0 / mean * (1.0 - self.loss)
    }

    /// Its events.
    pub fn events(&self, random: &mut Random) -> Events {
        let sleep = self.sleep_s;
        let end = self.life_h * 3_600.0;
        let (mut at, mut tick) = (random.between(0.0, sleep), 0.0);
        let sizes = Sizes::draw(random, self.padded);
        let mut events = Events::new();
        while at < end && events.len() < MOST {
            if !random.chance(self.loss) {
                self.check_in(at, &sizes, random, &mut events);
            }
            if self.clock {
                tick += 1.0;
                at = tick * sleep + random.between(0.0, 0.2 * self.jitter * sleep);
            } else {
                let low = 1.0 - self.jitter;
                let high = if self.symmetric { 1.0 + self.jitter } else { 1.0 };
                // The exchange itself takes its time before the next sleep begins.
                at += sleep * random.between(low, high) + random.log_normal(0.05, 0.8);
            }
        }
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        events
    }

    fn check_in(&self, at: f64, sizes: &Sizes, random: &mut Random, events: &mut Events) {
        events.push(sizes.next(at, random));
        let more = (random.unit() * f64::from(self.burst)) as u32;
        let tasks = if random.chance(0.02) { 1 + (random.unit() * 4.0) as u32 } else { 0 };
        let mut late = at;
        for _ in 0..more + tasks {
            late += random.log_between(0.02, 1.0_f64.min(0.04 * self.sleep_s));
            events.push(sizes.next(late, random));
        }
    }
}

/// How large events are.
enum Sizes {
    /// Nearly always the same, with a task now and then.
    Fixed(f64, f64),
    /// With padding of up to so many bytes.
    Padded(f64, f64),
    /// One of a few.
    Few(Vec<(f64, f64)>),
    /// Anything.
    Any(f64, f64),
}

impl Sizes {
    fn draw(random: &mut Random, padded: bool) -> Self {
        let base = random.log_between(80.0, 3_000.0);
        if padded {
            Self::any(random, base)
        } else {
            Self::Fixed(base.round(), random.log_between(60.0, 2_000.0).round())
        }
    }

    fn any(random: &mut Random, base: f64) -> Self {
        if random.chance(0.5) {
            Self::Padded(base, random.log_between(50.0, 4_000.0))
        } else {
            Self::Any(base, random.between(0.3, 1.2))
        }
    }

    /// What people and chance send: now and then always the same, mostly not.
    fn other(random: &mut Random) -> Self {
        let base = random.log_between(80.0, 3_000.0);
        match random.unit() {
            share if share < 0.2 => Self::Fixed(base.round(), random.log_between(60.0, 2_000.0).round()),
            share if share < 0.45 => {
                let one = |random: &mut Random| {
                    (random.log_between(80.0, 3_000.0).round(), random.log_between(60.0, 50_000.0).round())
                };
                Self::Few((0..random.pick(&[2, 3, 5])).map(|_| one(random)).collect())
            }
            _ => Self::any(random, base),
        }
    }

    fn next(&self, at: f64, random: &mut Random) -> (f64, u64, u64) {
        let (out, back) = match self {
            Self::Fixed(out, back) if random.chance(0.95) => (*out, *back),
            Self::Fixed(out, back) => (out * random.between(1.0, 4.0), back * random.between(1.0, 20.0)),
            Self::Padded(base, most) => {
                (base + random.between(0.0, *most), base + random.between(0.0, *most))
            }
            Self::Few(list) => list[(random.unit() * list.len() as f64) as usize],
            Self::Any(median, width) => {
                (random.log_normal(*median, *width), random.log_normal(3.0 * median, *width))
            }
        };
        (at, out as u64, back as u64)
    }
}

/// What does not sleep: the three kinds by turns.
pub const OTHERS: [&str; 3] = ["poisson", "human", "bursty"];

/// Events of another kind (a place in [`OTHERS`]), at least eight.
pub fn other(kind: usize, random: &mut Random) -> Events {
    loop {
        let end = random.pick(&LIVES_H) * 3_600.0;
        let sizes = Sizes::other(random);
        let times = match kind {
            0 => poisson(end, random),
            1 => human(end, random),
            _ => bursty(end, random),
        };
        if times.len() >= 8 {
            return times.into_iter().map(|at| sizes.next(at, random)).collect();
        }
    }
}

/// Arrivals that know nothing of each other.
fn poisson(end: f64, random: &mut Random) -> Vec<f64> {
    let mean = random.log_between(5.0, (end / 8.0).min(3_600.0));
    until(end, random, |random| random.exponential(mean))
}

/// Sessions of a person: pages some seconds apart, each with a few requests, then other things.
fn human(end: f64, random: &mut Random) -> Vec<f64> {
    let (between, think) = (random.log_between(300.0, 7_200.0), random.log_between(2.0, 40.0));
    let (width, pages, requests) =
        (random.between(0.8, 1.6), random.log_between(3.0, 40.0), random.pick(&[1, 1, 3, 6]));
    let (mut times, mut at) = (Vec::new(), random.exponential(between) / 2.0);
    while at < end && times.len() < MOST * 2 {
        times.push(at);
        for _ in 1..requests {
            if random.chance(0.5) {
                times.push(at + random.log_between(0.01, 1.5));
            }
        }
        at += if random.chance(1.0 / pages) {
            random.exponential(between)
        } else {
            random.log_normal(think, width)
        };
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Programs that work when there is work: a rate that switches, or gaps with a heavy tail.
fn bursty(end: f64, random: &mut Random) -> Vec<f64> {
    let mean = random.log_between(5.0, (end / 16.0).min(1_200.0));
    if random.chance(0.5) {
        let (contrast, stay) = (random.log_between(4.0, 60.0), random.log_between(5.0, 50.0));
        let mut busy = false;
        until(end, random, |random| {
            busy ^= random.chance(1.0 / stay);
            random.exponential(if busy { mean / contrast } else { mean })
        })
    } else if random.chance(0.5) {
        let width = random.between(1.0, 2.2);
        until(end, random, |random| random.log_normal(mean, width))
    } else {
        let shape = random.between(0.8, 1.8);
        let least = mean * 0.1;
        // Lomax: a Pareto that begins at 0, because a least gap would be a sleep.
        until(end, random, |random| least * ((1.0 - random.unit()).powf(-1.0 / shape) - 1.0))
    }
}

fn until(end: f64, random: &mut Random, mut gap: impl FnMut(&mut Random) -> f64) -> Vec<f64> {
    let (mut times, mut at) = (Vec::new(), gap(random));
    while at < end && times.len() < MOST * 2 {
        times.push(at);
        at += gap(random);
    }
    times
}
