//! What lists of what is known to be bad cost: memory, loading, a question.
//!
//! `cargo run --release -p watchkeeper-detect --example intel -- [NAMES]` draws five million names, or as many as are said, and
//! asks for a million of them, for a million names that are on no list, and for a million addresses. Times are those of the
//! process, without what others took.
#![allow(clippy::print_stdout, missing_docs)]

use detect::intel::{Builder, Set};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

const QUESTIONS: u64 = 1_000_000;
const NETWORKS: u64 = 1_000;

fn main() {
    let names = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5_000_000_u64);
    let (set, load_s) = timed(|| load(names));
    println!("{} indicators: {:.1} MB", set.len(), set.heap_bytes() as f64 / 1e6);
    println!("loaded in {load_s:.2} s, {:.0} ns a line", load_s * 1e9 / names as f64);
    let ask = |what: &str, question: &dyn Fn(u64) -> bool| {
        let (found, seconds) = timed(|| (0..QUESTIONS).filter(|number| black_box(question(*number))).count());
        println!(
            "{what}: {:.0} ns a question, {found} of {QUESTIONS} found",
            seconds * 1e9 / QUESTIONS as f64
        );
    };
    ask("names on the list, one label below", &|number| set.name(&name(scatter(number) % names)).is_some());
    ask("names on no list", &|number| {
        set.name(&format!("{:x}.quiet.example.org", scatter(number))).is_some()
    });
    ask("addresses, networks of 16 and 24 bits on the list", &|number| {
        let [a, b, c, d, ..] = scatter(number).to_be_bytes();
        set.address(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), 443).is_some()
    });
}

fn load(names: u64) -> Set {
    let mut builder = Builder::new();
    builder.begin("drawn");
    (0..names).for_each(|number| builder.line(number, &name(number)));
    for number in 0..NETWORKS {
        let [a, b, c, d, e, ..] = scatter(number).to_be_bytes();
        builder.line(number, &format!("{a}.{b}.0.0/16"));
        builder.line(number, &format!("{c}.{d}.{e}.0/24"));
    }
    builder.finish().0
}

/// The name of a number, a dozen letters long.
fn name(number: u64) -> String {
    format!("w.{:012x}.example", scatter(number) >> 16)
}

/// A number far from its neighbours (the finalizer of SplitMix64).
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// What came of it, and the seconds of processor time that it took.
fn timed<T>(act: impl FnOnce() -> T) -> (T, f64) {
    let before = processor_s();
    let outcome = act();
    (outcome, processor_s() - before)
}

fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns: u64 = stat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default();
    ns as f64 / 1e9
}
