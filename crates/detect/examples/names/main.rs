//! Makes and measures the model of generated names.
//!
//! ```text
//! cargo run --release -p watchkeeper-detect --example names -- train WORDS FILE…   # writes data/generated_names.bin
//! cargo run --release -p watchkeeper-detect --example names -- evaluate WORDS FILE…
//! cargo run --release -p watchkeeper-detect --example names -- speed [ROUNDS]
//! ```
//!
//! WORDS is a list of English words, one a line, from which families of words are drawn (Debian's `wamerican`, public
//! domain). Each FILE holds names that people gave, one a line, or a warning list of MISP with its `list` (CC0). The
//! model that is shipped was trained on MISP's `dynamic-dns`, `moz-top500`, `url-shortener` and
//! `security-provider-blogpost`, and on the host names of the Homepage fields of Debian 12:
//!
//! ```text
//! apt-cache dumpavail | sed -nE 's#^Homepage: *https?://([^/:]+).*#\1#p' | sort -u > homepages.txt
//! ```
//!
//! `evaluate` reads `dns/dga/domains.tsv` of WATCHKEEPER_DATA, which `train` never reads. It measures the shipped model
//! on all families, and, for families that a model has not seen, models that were trained on half of the families each.
#![allow(clippy::print_stdout, reason = "a tool of the command line")]

mod evaluate;
mod families;
#[path = "../support/random.rs"]
mod random;
mod trainer;

use detect::analytic::generated_name::is_scored;
use detect::analytic::registered_domain::registered;
use families::{FAMILIES, Family};
use random::Random;
use std::collections::BTreeSet;
use std::process::ExitCode;
use trainer::{Model, Name};

/// Names that are drawn of each family.
const DRAWN: usize = 1_800;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first().map(|(what, rest)| (what.as_str(), rest)) {
        Some(("train", [words, files @ ..])) if !files.is_empty() => {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/generated_names.bin");
            let model = model(&read_words(words), &people(files), |_| true);
            std::fs::write(path, model.bytes()).expect("a writable model");
            println!("wrote {path}; build again before measuring");
        }
        Some(("evaluate", [words, files @ ..])) if !files.is_empty() => {
            evaluate::report(&read_words(words), &people(files));
        }
        Some(("speed", rounds)) => {
            evaluate::speed(rounds.first().and_then(|rounds| rounds.parse().ok()).unwrap_or(20))
        }
        _ => {
            println!("usage: names train|evaluate WORDS FILE… | speed [ROUNDS]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// A model of the families that `holds` says.
pub fn model(words: &[String], people: &[Name], holds: impl Fn(&Family) -> bool) -> Model {
    let mut names = people.to_vec();
    for (number, family) in FAMILIES.iter().enumerate().filter(|(_, family)| holds(family)) {
        let mut random = Random::new(7_000 + number as u64);
        let drawn = std::iter::repeat_with(|| family.draw(words, &mut random))
            .filter(|(label, _)| is_scored(label))
            .take(if family.is_words() { DRAWN / 3 } else { DRAWN })
            .map(|(label, suffix)| Name { label, suffix: suffix.to_owned(), generated: true });
        names.extend(drawn);
    }
    let generated = names.iter().filter(|name| name.generated).count();
    println!("{} names, {generated} of them drawn", names.len());
    trainer::train(&names)
}

fn read_words(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a readable list of words");
    let plain =
        |word: &&str| (3..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.lines().filter(plain).map(str::to_owned).collect()
}

/// The registered names of all files, each once.
fn people(files: &[String]) -> Vec<Name> {
    let mut seen = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a readable list of names");
        let list: Vec<String> = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(json) => json["list"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect(),
            Err(_) => text.lines().map(str::to_owned).collect(),
        };
        for name in &list {
            let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
            if let Some(parts) = registered(&name).filter(|parts| is_scored(parts.label) && name.is_ascii()) {
                seen.insert((parts.label.to_owned(), parts.suffix.to_owned()));
            }
        }
    }
    seen.into_iter().map(|(label, suffix)| Name { label, suffix, generated: false }).collect()
}
