use super::*;

const SECOND: u64 = 1_000_000_000;

fn pushed(times_s: impl IntoIterator<Item = f64>) -> Beacon {
    let mut beacon = Beacon::new();
    for at in times_s {
        beacon.push((at * SECOND as f64) as u64, 300, 120);
    }
    beacon
}

/// Numbers that look like chance: the fractions of n times the golden ratio, spread by a square.
fn fraction(number: u32) -> f64 {
    (f64::from(number * number) * 0.618_033_988_75 + f64::from(number) * 0.414_213_562).fract()
}

fn running(gaps: impl IntoIterator<Item = f64>) -> Vec<f64> {
    gaps.into_iter()
        .scan(0.0, |at, gap| {
            *at += gap;
            Some(*at)
        })
        .collect()
}

#[test]
fn seven_events_have_no_score_and_the_eighth_has() {
    let mut beacon = Beacon::new();
    for number in 1..8 {
        assert!(beacon.push(number * 60 * SECOND, 1, 1).is_none());
        assert!(beacon.score().is_none());
    }
    let score = beacon.push(8 * 60 * SECOND, 1, 1).unwrap();
    assert!(score.probability > 0.9, "{score:?}");
    assert_eq!(score.period_s, 60.0);
}

#[test]
fn sleeps_with_half_jitter_are_a_beacon_and_arrivals_by_chance_are_not() {
    let beacon = pushed(running((0..40).map(|n| 60.0 * (0.5 + 0.5 * fraction(n)))));
    assert!(beacon.score().unwrap().probability > 0.95);
    let mut chance = Beacon::new();
    for (number, at) in running((0..40).map(|n| -60.0 * (1.0 - fraction(n)).ln())).into_iter().enumerate() {
        chance.push(
            (at * SECOND as f64) as u64,
            200 + 37 * (number as u64 * 7 % 11),
            900 * (number as u64 % 5),
        );
    }
    let score = chance.score().unwrap();
    assert!(score.probability < 0.2, "{score:?}");
}

#[test]
fn missed_check_ins_keep_the_period() {
    let times = (0..60).filter(|n| fraction(*n) > 0.3).map(|n| 120.0 * f64::from(n));
    let score = pushed(times).score().unwrap();
    assert!(score.probability > 0.95);
    assert!((score.period_s - 120.0).abs() < 1.0);
    assert_eq!(score.aligned_s, Some(120.0));
}

#[test]
fn a_burst_is_one_check_in() {
    let times = (0..30).flat_map(|n| [0.0, 0.1, 0.3].map(|late| 60.0 * f64::from(n) + late));
    let beacon = pushed(times);
    let score = beacon.score().unwrap();
    assert_eq!(score.support, 30);
    assert!((score.period_s - 60.0).abs() < 0.01);
}

#[test]
fn heartbeats_inside_one_connection_are_found_among_milliseconds() {
    let times = running((0..50).map(|n| 30.0 + 0.02 * fraction(n)));
    let score = pushed(times).score().unwrap();
    assert!(score.probability > 0.95);
    assert!(score.jitter < 0.01);
}

#[test]
fn a_late_event_is_put_in_its_place() {
    let mut in_order = Beacon::new();
    let mut out_of_order = Beacon::new();
    let times: Vec<u64> = (1..20).map(|n| n * 60 * SECOND).collect();
    for at in &times {
        in_order.push(*at, 5, 6);
    }
    for pair in times.chunks(2) {
        for at in pair.iter().rev() {
            out_of_order.push(*at, 5, 6);
        }
    }
    let [expect, got] = [in_order, out_of_order].map(|beacon| {
        assert_eq!(beacon.late(), 0);
        beacon.score()
    });
    assert_eq!(got, expect);
}

#[test]
fn the_history_is_bounded_and_late_events_are_counted() {
    let mut beacon = Beacon::new();
    for number in 1..10_000 {
        beacon.push(number * 10 * SECOND, u64::MAX, 0);
    }
    assert_eq!(beacon.score().unwrap().support, HISTORY);
    assert!(beacon.size_bytes() <= 6_400, "{}", beacon.size_bytes());
    beacon.push(0, 1, 1);
    assert_eq!(beacon.late(), 1);
    beacon.push(u64::MAX, 1, 1);
    assert!(beacon.score().unwrap().probability.is_finite());
}

#[test]
fn terms_and_bias_sum_up_to_the_log_odds() {
    let beacon = pushed(running((0..40).map(|n| 60.0 * (0.5 + 0.5 * fraction(n)))));
    let (odds, weights) = model::log_odds(&beacon.features().unwrap());
    assert!((weights.iter().sum::<f64>() + model::bare() - odds).abs() < 1e-9);
}

#[test]
fn the_same_time_over_and_over_is_no_panic() {
    let mut beacon = Beacon::new();
    for _ in 0..100 {
        assert!(beacon.push(7, 0, 0).is_none());
    }
    for number in 0..20 {
        beacon.push(number, u64::MAX, u64::MAX);
    }
    assert!(beacon.score().is_none());
}
