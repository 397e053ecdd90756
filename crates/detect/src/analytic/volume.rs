//! Volume: what a workload sends to one destination, against what it gets from there and against its own past.
//!
//! In: bytes out and in, with their times. Out: [`Upload`] of the running period. The past is a histogram of the bytes
//! that were sent in each period that had any, in steps of a quarter octave, which forgets: at 512 periods all counts
//! are halved. Its 99 % quantile is robust, because one large period moves one count.
//!
//! | figure | formula |
//! |---|---|
//! | ratio | bytes out / bytes in of the period, each plus one packet of 1,500 bytes |
//! | excess | bytes out / the larger of the floor and of the past's 99 % quantile |
//!
//! Left out on purpose: the season of the day, which the rate models of a workload hold; and the first period of a
//! destination, which has no past: its excess is against the floor alone, and [`Upload::periods`] says so.

/// A quarter of an octave from one byte to 2^48.
const STEPS: usize = 192;
/// Periods after which the past is halved.
const MOST_PERIODS: u32 = 512;
/// A packet, so that ratios of nearly nothing are nearly one.
const PACKET: f64 = 1_500.0;

/// The volume of one workload and destination. 480 bytes.
#[derive(Clone, Debug)]
pub struct Volume {
    period_ns: u64,
    floor: u64,
    /// Number of the running period.
    number: u64,
    out: u64,
    back: u64,
    periods: u32,
    past: Box<[u16; STEPS]>,
}

/// The running period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upload {
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// How many times more was sent than received.
    pub ratio: f64,
    /// How many times more was sent than is usual.
    pub excess: f64,
    /// The 99 % quantile of what was sent in a period of the past, to a quarter octave; 0 without a past.
    pub usual: f64,
    /// Periods of the past that had any bytes.
    pub periods: u32,
}

impl Volume {
    /// Nothing yet. Less than `floor` bytes in a period is never an excess.
    pub fn new(period_ns: u64, floor: u64) -> Self {
        let past = Box::new([0; STEPS]);
        Self { period_ns: period_ns.max(1), floor, number: 0, out: 0, back: 0, periods: 0, past }
    }

    /// Adds bytes. What comes late counts in the running period.
    pub fn push(&mut self, at_ns: u64, bytes_out: u64, bytes_in: u64) -> Upload {
        let number = at_ns / self.period_ns;
        if number > self.number {
            self.close();
            self.number = number;
        }
        self.out = self.out.saturating_add(bytes_out);
        self.back = self.back.saturating_add(bytes_in);
        self.upload()
    }

    /// The running period.
    pub fn upload(&self) -> Upload {
        let usual = self.quantile(0.99);
        let out = self.out as f64;
        Upload {
            bytes_out: self.out,
            bytes_in: self.back,
            ratio: (out + PACKET) / (self.back as f64 + PACKET),
            excess: out / usual.max(self.floor as f64).max(1.0),
            usual,
            periods: self.periods,
        }
    }

    fn close(&mut self) {
        if self.out > 0 || self.back > 0 {
            if self.periods >= MOST_PERIODS {
                self.past.iter_mut().for_each(|count| *count /= 2);
                self.periods = self.past.iter().map(|count| u32::from(*count)).sum();
            }
            if let Some(count) = self.past.get_mut(step(self.out)) {
                *count = count.saturating_add(1);
            }
            self.periods += 1;
        }
        (self.out, self.back) = (0, 0);
    }

    /// The upper end of the step in which a quantile of the past lies.
    fn quantile(&self, share: f64) -> f64 {
        let beyond = f64::from(self.periods) * (1.0 - share);
        let mut above = 0.0;
        for (step, count) in self.past.iter().enumerate().rev() {
            above += f64::from(*count);
            if above > beyond {
                return ((step + 1) as f64 / 4.0).exp2();
            }
        }
        0.0
    }
}

/// Four times the binary logarithm, downwards.
fn step(bytes: u64) -> usize {
    let step = ((bytes.max(1) as f64).log2() * 4.0).floor();
    // At most 256, so it fits.
    (step as usize).min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn ten_times_the_past_is_an_excess_of_about_ten() {
        let mut volume = Volume::new(MINUTE, 10_000);
        for minute in 0..200 {
            volume.push(minute * MINUTE, 1_000_000 + minute * 1_000, 50_000);
        }
        let upload = volume.push(200 * MINUTE, 12_000_000, 4_000);
        assert!((8.0..12.5).contains(&upload.excess), "{upload:?}");
        assert!(upload.ratio > 2_000.0);
        assert_eq!(upload.periods, 200);
    }

    #[test]
    fn one_large_period_does_not_become_usual() {
        let mut volume = Volume::new(MINUTE, 1);
        for minute in 0..300 {
            volume.push(minute * MINUTE, if minute == 150 { 1 << 40 } else { 1_000 }, 0);
        }
        assert!(volume.upload().usual < 2_000.0);
    }

    #[test]
    fn without_a_past_the_floor_is_the_measure() {
        let upload = Volume::new(MINUTE, 1_000_000).push(5, 2_000_000, 0);
        assert_eq!((upload.excess, upload.usual, upload.periods), (2.0, 0.0, 0));
    }

    #[test]
    fn numbers_of_any_size_are_finite() {
        let mut volume = Volume::new(0, 0);
        for at in 0..2_000 {
            let upload = volume.push(at, u64::MAX, u64::MAX);
            assert!(upload.ratio.is_finite() && upload.excess.is_finite());
        }
        assert!(volume.upload().periods <= MOST_PERIODS + 1);
    }
}
