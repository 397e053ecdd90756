//! What rules cost: events per second on one thread through SigmaHQ's 189 process rules of Linux and macOS, over typed
//! events and over the same as JSON; with all rules loaded; and with rules added that cannot match.
//!
//! `cargo run --release -p watchkeeper-detect --example rules [EVENTS [typed|json|load|always [SET]]]` measures, where
//! SET is the start of the name of one set of rules; instructions of judging alone are counted by `valgrind
//! --tool=callgrind --toggle-collect='*judge_events*'` (or `*judge_lines*`, `*load_rules*`) before the built example;
//! `… --example rules write FILE [EVENTS]` writes the events as JSON lines, for other engines.
//! Rules are those of `$WATCHKEEPER_DATA/rules/sigma`.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "support/execs.rs"]
mod execs;

use detect::Placeholders;
use detect::plain::{EventRules, EventScratch, JsonRules, JsonScratch};
use event::Event;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use strategy::sigma::{Item, read_all, read_str};

const EVENTS: u64 = 200_000;
/// Rounds of each measurement; the best counts, since others only add to it.
const ROUNDS: usize = 5;
/// Typed events that are made at once.
const BATCH: usize = 500;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize| arguments.get(at).map_or(EVENTS, |text| text.parse().expect("a number of events"));
    if arguments.first().is_some_and(|first| first == "write") {
        let file = std::fs::File::create(&arguments[1]).expect("a writable file");
        let mut out = std::io::BufWriter::new(file);
        for index in 0..number(2) {
            writeln!(out, "{}", execs::sample(index).json()).expect("room on the disk");
        }
        return;
    }
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    measure(number(0), argument(1), argument(2).unwrap_or(""));
}

fn measure(count: u64, only: Option<&str>, set: &str) {
    let data = std::env::var("WATCHKEEPER_DATA").unwrap_or_else(|_| "../shared/data".into());
    let root = PathBuf::from(data).join("rules/sigma/rules");
    let all = texts(&root);
    if all.is_empty() {
        println!("SKIPPED: no rules at {}", root.display());
        return;
    }
    // Only where loading is measured is more than one round worth its time.
    let (items, everything) =
        load_rules(&all, if only.is_none_or(|only| only == "load") { ROUNDS } else { 1 });
    if only == Some("load") {
        return;
    }
    if only == Some("always") {
        everything.always_asked().for_each(|item| println!("{}", items[item].head().title));
        return;
    }
    let processes = process_rules(&all);
    let mut more = processes.clone();
    more.extend(never(1000));

    if only != Some("json") {
        measure_typed(count, [&processes, &more, &items], set);
    }
    if only != Some("typed") {
        measure_json(count, &processes, &more, &everything, set);
    }
}

/// Reads and compiles all rules, and prints what that costs.
#[inline(never)]
fn load_rules(all: &[(PathBuf, String)], rounds: usize) -> (Vec<Item>, JsonRules) {
    let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
    let (mut read, mut items) = (f64::INFINITY, Vec::new());
    for _ in 0..rounds {
        // Threads share the work: only a clock says how long it takes.
        let clock = Instant::now();
        items = read_all(&texts).into_iter().flat_map(|(items, _)| items).collect();
        read = read.min(clock.elapsed().as_secs_f64());
    }
    let mut compiled = JsonRules::new(&[], &Placeholders::new());
    let mut compile = f64::INFINITY;
    for _ in 0..rounds {
        let mut made = None;
        compile = compile.min(timed(|| made = Some(JsonRules::new(&items, &Placeholders::new()))));
        compiled = made.expect("made just now");
    }
    let (everything, rejected) = compiled;
    println!(
        "{} rules: read in {:.0} ms by {} threads, compiled in {:.0} ms by one, {} rejected, {} asked about every event",
        items.len(),
        read * 1e3,
        std::thread::available_parallelism().map_or(1, usize::from),
        compile * 1e3,
        rejected.len(),
        everything.always_asked().count()
    );
    (items, everything)
}

fn measure_typed(count: u64, [processes, more, all]: [&[Item]; 3], set: &str) {
    let sets = [("189 process rules", processes), ("and 1,000 that never match", more), ("all rules", all)];
    for (name, items) in sets.into_iter().filter(|(name, _)| name.starts_with(set)) {
        let (rules, _) = EventRules::new(items, &Placeholders::new());
        let (matches, best) = typed(&rules, count);
        report("typed", name, rules.len(), count, matches, best);
    }
}

fn measure_json(count: u64, processes: &[Item], more: &[Item], everything: &JsonRules, set: &str) {
    let lines: Vec<String> = (0..count).map(|index| execs::sample(index).json()).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("JSON: {} bytes per event", bytes as u64 / count);
    let [none, few, many] =
        [&[], processes, more].map(|items: &[Item]| JsonRules::new(items, &Placeholders::new()).0);
    let sets = [
        ("no rule: reading alone", &none),
        ("189 process rules", &few),
        ("and 1,000 that never match", &many),
        ("all rules", everything),
    ];
    for (name, rules) in sets.into_iter().filter(|(name, _)| name.starts_with(set)) {
        let (matches, best) = json(rules, &lines);
        report("JSON", name, rules.len(), count, matches, best);
    }
}

/// Events are made in batches that the cache holds, as enrichment hands over what it has just made.
fn typed(rules: &EventRules, count: u64) -> (usize, f64) {
    let mut scratch = EventScratch::default();
    let (mut matches, mut fastest) = (0, f64::INFINITY);
    for _ in 0..ROUNDS {
        let mut seconds = 0.0;
        matches = 0;
        for first in (0..count).step_by(BATCH) {
            let numbers = first..count.min(first + BATCH as u64);
            let events: Vec<Event> = numbers.map(|number| execs::sample(number).event()).collect();
            seconds += timed(|| matches += judge_events(rules, &events, &mut scratch));
        }
        fastest = fastest.min(seconds);
    }
    (matches, fastest)
}

#[inline(never)]
fn judge_events(rules: &EventRules, events: &[Event], scratch: &mut EventScratch) -> usize {
    events.iter().map(|event| rules.judge(event, scratch).count()).sum()
}

fn json(rules: &JsonRules, lines: &[String]) -> (usize, f64) {
    let mut scratch = JsonScratch::default();
    best(|| judge_lines(rules, lines, &mut scratch))
}

#[inline(never)]
fn judge_lines(rules: &JsonRules, lines: &[String], scratch: &mut JsonScratch) -> usize {
    lines.iter().map(|line| rules.judge(line.as_bytes(), scratch).expect("an event").0.len()).sum()
}

fn best(mut round: impl FnMut() -> usize) -> (usize, f64) {
    let mut matches = 0;
    let rounds = (0..ROUNDS).map(|_| timed(|| matches = round()));
    let fastest = rounds.fold(f64::INFINITY, f64::min);
    (matches, fastest)
}

/// Seconds that this thread runs for: what else the machine does counts less than on a clock.
fn timed(work: impl FnOnce()) -> f64 {
    let ran = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
    };
    let (clock, before) = (Instant::now(), ran());
    work();
    match (before, ran()) {
        (Some(before), Some(after)) if after > before => after - before,
        _ => clock.elapsed().as_secs_f64(),
    }
}

fn report(kind: &str, name: &str, rules: usize, count: u64, matches: usize, seconds: f64) {
    let each = seconds * 1e9 / count as f64;
    println!(
        "{kind}, {name} ({rules} run): {:.0} events/s, {each:.0} ns each, {matches} matches",
        1e9 / each
    );
}

/// The process rules of Linux and macOS, as rules of Linux.
fn process_rules(all: &[(PathBuf, String)]) -> Vec<Item> {
    let is_wanted = |path: &Path| {
        let path = path.to_string_lossy();
        path.contains("linux/process_creation") || path.contains("macos/process_creation")
    };
    let wanted = all.iter().filter(|(path, _)| is_wanted(path));
    wanted.flat_map(|(_, text)| read_str(&text.replace("product: macos", "product: linux")).0).collect()
}

/// Rules like those of SigmaHQ that hold for no event.
fn never(count: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for number in 0..count {
        let mut text = format!(
            "title: never {number}\nlogsource: {{category: process_creation, product: linux}}\ndetection:\n"
        );
        let _ = match number % 3 {
            0 => write!(
                text,
                "  s:\n    Image|endswith: [/tool-{number}, /other-{number}]\n    CommandLine|contains: ' -x'\n"
            ),
            1 => {
                write!(text, "  s:\n    CommandLine|contains: ['--secret-{number}', 'hidden_{number}.so']\n")
            }
            _ => write!(
                text,
                "  s:\n    ParentImage|endswith: /bash\n    CommandLine|contains|all: [' -e ', 'payload{number}', http]\n"
            ),
        };
        text.push_str("  condition: s\n");
        items.extend(read_str(&text).0);
    }
    items
}

/// The rules below `root`, in the order of their paths.
fn texts(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                let text = std::fs::read_to_string(&path).expect("a readable rule");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}
