//! The analytic over logs of Zeek that RITA is tested with: a day of an exposed host to which one client beacons, and
//! office traffic without command and control.
//!
//! In: `beacon/rita` of WATCHKEEPER_DATA. Out: the rank of the known pair among all pairs with a score, and what is
//! probable on `proxy`. TCP and UDP only: ICMP has no connections.

use detect::analytic::beacon::{Beacon, Score};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who beacons to whom on every day of `missing_host`.
const KNOWN: [&str; 2] = ["73.54.23.243", "64.225.56.201"];
/// From here on a score is high.
const HIGH: f64 = 0.8;

/// The connections of a pair: seconds, bytes out, bytes in.
type Pairs = BTreeMap<[String; 2], Vec<(f64, u64, u64)>>;

/// Prints both.
pub fn report() {
    let root =
        std::env::var_os("WATCHKEEPER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let root = root.join("beacon/rita");
    if !root.is_dir() {
        println!("SKIPPED: {} is not there; set WATCHKEEPER_DATA", root.display());
        return;
    }
    for folder in folders(&root.join("missing_host")) {
        let scores = scores(&folder);
        println!("{}: {} pairs with a score", folder.display(), scores.len());
        place(&scores, "by rank", Score::rank);
        place(&scores, "by probability alone", |score| score.probability);
    }
    for name in ["proxy", "proxy_rolling"] {
        let scores = scores(&root.join(name));
        let high = scores.iter().filter(|(_, score)| score.probability >= HIGH).count();
        println!("{name}: {} pairs with a score, {high} of them {HIGH} or more", scores.len());
        for (pair, score) in &scores {
            line(pair, score);
        }
    }
}

fn place(scores: &[([String; 2], Score)], how: &str, key: impl Fn(&Score) -> f64) {
    let mut order: Vec<&([String; 2], Score)> = scores.iter().collect();
    order.sort_by(|a, b| key(&b.1).total_cmp(&key(&a.1)).then(a.0.cmp(&b.0)));
    let place = order.iter().position(|(pair, _)| *pair == KNOWN);
    println!("{how}: {} is number {:?}", KNOWN.join(" -> "), place.map(|place| place + 1));
    for (pair, score) in order.iter().take(12) {
        line(pair, score);
    }
    if let Some((pair, score)) = place.and_then(|place| order.get(place)) {
        line(pair, score);
    }
}

fn line(pair: &[String; 2], score: &Score) {
    println!(
        "  {:40} p {:.4} odds {:5.2} period {:8.1} s jitter {:.2} support {:3} span {:5.1} h aligned {:?}",
        pair.join(" -> "),
        score.probability,
        score.log_odds,
        score.period_s,
        score.jitter,
        score.support,
        score.span_s / 3_600.0,
        score.aligned_s
    );
    for term in &score.terms {
        print!("    {} {:.3} {:+.2}", term.name, term.value, term.weight);
    }
    println!();
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn scores(folder: &Path) -> Vec<([String; 2], Score)> {
    let mut pairs = Pairs::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("conn.") {
            read(&text(&file), &mut pairs);
        }
    }
    let score = |(pair, mut events): ([String; 2], Vec<(f64, u64, u64)>)| {
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut beacon = Beacon::new();
        for (at, out, back) in events {
            beacon.add((at * 1e9) as u64, out, back);
        }
        Some((pair, beacon.score()?))
    };
    pairs.into_iter().filter_map(score).collect()
}

fn text(file: &Path) -> String {
    let bytes = if file.extension().is_some_and(|extension| extension == "gz") {
        Command::new("gzip").arg("-dc").arg(file).output().expect("gzip").stdout
    } else {
        std::fs::read(file).unwrap_or_default()
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Rows of a log with tabs, by the names of its head.
fn read(text: &str, pairs: &mut Pairs) {
    let mut columns: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("#fields\t") {
            columns = names.split('\t').collect();
        }
        if line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |name: &str| {
            columns.iter().position(|column| *column == name).and_then(|at| cells.get(at)).copied()
        };
        let (Some(at), Some(src), Some(dst)) = (cell("ts"), cell("id.orig_h"), cell("id.resp_h")) else {
            continue;
        };
        let Ok(at) = at.parse::<f64>() else { continue };
        if cell("proto") == Some("icmp") {
            continue;
        }
        let count = |name: &str| cell(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        pairs.entry([src, dst].map(str::to_owned)).or_default().push((
            at,
            count("orig_ip_bytes"),
            count("resp_ip_bytes"),
        ));
    }
}
