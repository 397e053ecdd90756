//! How well names are told apart.
//!
//! Benign are the registered domains of popular names; the full host names of Cisco's Umbrella list, where services and
//! telemetry have names that look drawn, are counted apart, as false positives only. Benign names that training has seen
//! are left out.

use super::families::FAMILIES;
use super::model;
use super::trainer::Name;
use detect::analytic::generated_name::{GENERATED, NameFailures, is_scored, probability};
use detect::analytic::registered_domain::registered;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

/// Families of the test data whose names are made of words; two thirds of nymaim's are.
const WORDS: &[&str] = &["suppobox", "gozi", "matsnu", "ngioweb", "nymaim", "banjori"];
/// Names of the family that nobody sorted.
const UNSORTED: &str = "unknown(360netlab)";
const UMBRELLA: &str = "cisco-umbrella-10k(fqdn)";

/// The names of the test data by family; `benign` among them.
type Families = BTreeMap<String, Vec<String>>;

/// Prints the tables.
pub fn report(words: &[String], people: &[Name]) {
    let root =
        std::env::var_os("WATCHKEEPER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let path = root.join("dns/dga/domains.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: {} is not there; set WATCHKEEPER_DATA", path.display());
        return;
    };
    let mut families = read(&text);
    forget(&mut families, people);
    let shipped = |name: &str| probability(name);
    println!("shipped model, trained on generators of our own for {} families", FAMILIES.len());
    let seen = |name: &str| FAMILIES.iter().any(|family| family.name == name);
    table(&families, shipped, |_| true);
    summary(&families, "families with a generator here", shipped, |name| {
        seen(name) && !WORDS.contains(&name)
    });
    summary(&families, "families without, unsorted among them", shipped, |name| {
        !seen(name) && !WORDS.contains(&name)
    });
    summary(&families, "families of words", shipped, |name| WORDS.contains(&name));
    for half in 0..2 {
        println!("model without every family whose number is {half} modulo 2");
        let of_half =
            FAMILIES.iter().enumerate().filter(|(number, family)| number % 2 == half && family.is_known());
        let unseen: Vec<&str> = of_half.map(|(_, family)| family.name).collect();
        let model = model(words, people, |family| !unseen.contains(&family.name));
        let odds = |name: &str| {
            registered(name)
                .filter(|parts| is_scored(parts.label))
                .map(|parts| model.odds(parts.label, parts.suffix))
        };
        table(&families, odds, |name| unseen.contains(&name));
        summary(&families, "families that it has not seen", odds, |name| {
            unseen.contains(&name) && !WORDS.contains(&name)
        });
        summary(&families, "of words, not seen", odds, |name| {
            unseen.contains(&name) && WORDS.contains(&name)
        });
    }
    umbrella(&families);
    containers(&families);
}

/// Takes the benign names out that training has seen.
fn forget(families: &mut Families, people: &[Name]) {
    let seen: BTreeSet<(&str, &str)> =
        people.iter().map(|name| (name.label.as_str(), name.suffix.as_str())).collect();
    let is_new =
        |name: &String| registered(name).is_none_or(|parts| !seen.contains(&(parts.label, parts.suffix)));
    if let Some(benign) = families.get_mut("benign") {
        let before = benign.len();
        benign.retain(is_new);
        println!(
            "{} of {before} benign names are in the training's lists, and left out",
            before - benign.len()
        );
    }
}

fn read(text: &str) -> Families {
    let mut families = Families::new();
    for row in text.lines().skip(1) {
        let mut cells = row.split('\t');
        let (Some(name), Some(label), Some(family)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        let family = if label == "benign" && family != UMBRELLA { "benign" } else { family };
        families.entry(family.to_owned()).or_default().push(name.to_owned());
    }
    families
}

/// Scores of names that have one, lowest first, and how many have none.
fn scores(names: &[String], score: impl Fn(&str) -> Option<f64>) -> Vec<f64> {
    // What is not scored is never called generated.
    let mut scores: Vec<f64> = names.iter().map(|name| score(name).unwrap_or(f64::NEG_INFINITY)).collect();
    scores.sort_by(f64::total_cmp);
    scores
}

/// The share of pairs in which the drawn name scores above the benign one; ties count half.
fn area(benign: &[f64], drawn: &[f64]) -> f64 {
    let above: f64 = drawn
        .iter()
        .map(|score| {
            let below = benign.partition_point(|other| other < score);
            let equal = benign.partition_point(|other| other <= score) - below;
            below as f64 + equal as f64 / 2.0
        })
        .sum();
    above / (benign.len() * drawn.len()).max(1) as f64
}

fn rate(benign: &[f64], drawn: &[f64], false_positives: f64) -> f64 {
    let at = benign[benign.len() - 1 - (benign.len() as f64 * false_positives) as usize];
    drawn.iter().filter(|score| **score > at).count() as f64 / drawn.len().max(1) as f64
}

fn table(families: &Families, score: impl Fn(&str) -> Option<f64> + Copy, of: impl Fn(&str) -> bool) {
    let benign = scores(&families["benign"], score);
    println!("{:40} {:>6} {:>6} {:>6} {:>6}", "family", "names", "AUC", "1 %", "0.1 %");
    for (name, names) in
        families.iter().filter(|(name, _)| *name != "benign" && *name != UMBRELLA && of(name))
    {
        line(name, &benign, &scores(names, score));
    }
}

fn line(name: &str, benign: &[f64], drawn: &[f64]) {
    let [one, tenth] = [0.01, 0.001].map(|rate_| rate(benign, drawn, rate_));
    println!("{name:40} {:6} {:6.3} {one:6.3} {tenth:6.3}", drawn.len(), area(benign, drawn));
}

fn summary(
    families: &Families,
    title: &str,
    score: impl Fn(&str) -> Option<f64> + Copy,
    of: impl Fn(&str) -> bool,
) {
    let benign = scores(&families["benign"], score);
    let chosen = families.iter().filter(|(name, _)| *name != "benign" && *name != UMBRELLA && of(name));
    let names: Vec<String> = chosen.flat_map(|(_, names)| names.clone()).collect();
    if !names.is_empty() {
        line(title, &benign, &scores(&names, score));
    }
}

/// Host names of services: how many pass as generated.
fn umbrella(families: &Families) {
    for (title, names) in
        [("popular domains", &families["benign"]), ("Umbrella's host names", &families[UMBRELLA])]
    {
        let scored: Vec<f64> = names.iter().filter_map(|name| probability(name)).collect();
        let high = scored.iter().filter(|p| **p >= GENERATED).count();
        println!(
            "{title}: {high} of {} ({} with a score) are {GENERATED} or more",
            names.len(),
            scored.len()
        );
    }
}

/// Ten failed look-ups of a container: how many of them look generated.
fn containers(families: &Families) {
    println!(
        "containers with ten domains that do not exist: share with at least 3, 4, 5 that look generated"
    );
    for (name, names) in families.iter().filter(|(name, names)| *name != UMBRELLA && names.len() >= 40) {
        let stride = (names.len() / 10).max(1);
        let counts: Vec<u32> = (0..stride)
            .map(|first| {
                let mut failures = NameFailures::new(u64::MAX);
                let of = names.iter().skip(first).step_by(stride).take(10).zip(0..);
                of.filter_map(|(name, at)| failures.push(at, name))
                    .map(|failed| failed.generated)
                    .last()
                    .unwrap_or(0)
            })
            .collect();
        let share = [3, 4, 5]
            .map(|least| counts.iter().filter(|count| **count >= least).count() as f64 / counts.len() as f64);
        println!("  {name:38} {:5} containers {share:.3?}", counts.len());
    }
    let unsorted = families.get(UNSORTED).map_or(0, Vec::len);
    println!("  ({unsorted} names of the unsorted family are of many programs)");
}

/// Names per second of one core, with labels of eleven characters (popular ones have ten in the mean), the best of so many rounds of 204,800 names; one round is for counting instructions.
pub fn speed(rounds: u32) {
    let names: Vec<String> = (0..4_096_u64)
        .map(|number| format!("www.{:x}store.com", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40))
        .collect();
    let mut best = f64::MAX;
    let mut sum = 0.0;
    for _ in 0..rounds {
        let begin = Instant::now();
        for _ in 0..50 {
            sum += names.iter().filter_map(|name| probability(name)).sum::<f64>();
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    println!("{:.0} names/s, best of {rounds} (sum {sum:.3})", 50.0 * names.len() as f64 / best);
}
