//! Both engines over the same rules and events, in the same run: events per second on one thread, and loading.
//!
//! In: SigmaHQ's rules (`$WATCHKEEPER_DATA/rules/sigma`), events of `execs` (made by number, the same every time). Out: a line
//! per measurement: `row`, what, measured, what it must reach, `ok` or `no` (`-`: nothing to reach), divided by tabs.
//! `differ` lines name rules for which the engines report different matches.
//!
//! Each event is judged by both engines, with each set of rules, in turns of some thousand events; who goes first changes.
//! What is measured is the processor time of this thread; of several rounds the median counts. rsigma runs with the settings
//! that are fastest for it here, and reads typed events by borrowed fields (`typed`).

mod correlation;
mod duel;
mod engines;
mod rules;
mod typed;

use crate::execs;
use anyhow::Result;
use duel::{Duel, median};
use engines::{OurJson, OurTyped, TheirJson, TheirTyped};
use std::path::PathBuf;

/// Events that are judged in a round, if nothing else is said.
pub const EVENTS: u64 = 200_000;
/// Rules that cannot match.
const NEVER: usize = 1000;
/// Typed events per second that the process rules must reach on a quiet core.
const TYPED_PER_S: f64 = 2.5e6;
/// Rounds of loading.
const LOADS: usize = 5;

/// Measures and prints. Whether both engines report the same, whatever the speed.
pub fn run(count: u64) -> Result<bool> {
    let data = std::env::var("WATCHKEEPER_DATA").unwrap_or_else(|_| "../shared/data".into());
    let root = PathBuf::from(data).join("rules/sigma/rules");
    let all = rules::texts(&root)?;
    if all.is_empty() {
        println!("SKIPPED: no rules at {}", root.display());
        return Ok(true);
    }
    let processes = rules::processes(&all);
    let mut more = processes.clone();
    more.extend(rules::never(NEVER));
    let all: Vec<String> = all.into_iter().map(|(_, text)| text).collect();
    let few = processes.len();
    let sets = [
        (format!("{few} process rules"), &processes),
        (format!("{few} process rules and {NEVER} that never match"), &more),
        (format!("all {} rules", all.len()), &all),
    ];

    let make = |number| execs::sample(number).event();
    let pair = |rules: &Vec<String>| (OurTyped::new(rules), duel::fastest(make, TheirTyped::all(rules)));
    let mut pairs: Vec<_> = sets.iter().map(|(_, rules)| pair(rules)).collect();
    let typed = duel::fight(count, make, &mut pairs);
    drop(pairs);
    let make = |number| execs::sample(number).json();
    let pair = |rules: &Vec<String>| (OurJson::new(rules), duel::fastest(make, TheirJson::all(rules)));
    let mut pairs: Vec<_> = sets.iter().map(|(_, rules)| pair(rules)).collect();
    let json = duel::fight(count, make, &mut pairs);
    drop(pairs);

    let mut same = true;
    for (kind, duels) in [("typed events", &typed), ("JSON lines", &json)] {
        for (place, (duel, (name, _))) in duels.iter().zip(&sets).enumerate() {
            let must = (kind == "typed events" && place == 0).then_some(TYPED_PER_S);
            same &= report(&format!("{kind}, {name}"), duel, must);
        }
    }
    for (kind, duels) in [("typed events", &typed), ("JSON lines", &json)] {
        growth(kind, duels);
    }
    loading(&all);
    same &= correlation::run();
    Ok(same)
}

/// Prints a measurement, and what it must reach. Whether both report the same.
fn report(name: &str, duel: &Duel, must: Option<f64>) -> bool {
    let ratio = duel.ratio();
    let mut fine = ratio >= 3.0;
    let mut goal = String::from("≥ 3 × rsigma");
    if let Some(must) = must {
        fine &= duel.ours_per_s() >= must;
        goal.push_str(&format!(", ≥ {must:.0}/s on a quiet core"));
    }
    row(
        name,
        &format!(
            "{:.0}/s; rsigma {:.0}/s ({}); {ratio:.2} × [{:.2}, {:.2}]; {} matches{}",
            duel.ours_per_s(),
            duel.theirs_per_s(),
            duel.settings,
            duel.ratios().fold(f64::INFINITY, f64::min),
            duel.ratios().fold(0.0, f64::max),
            duel.matches,
            duel.without_source(),
        ),
        &goal,
        Some(fine),
    );
    for (rule, (ours, theirs)) in &duel.differing {
        println!("differ\t{name}\t{rule}\tours {ours}, rsigma {theirs}");
    }
    duel.differing.is_empty()
}

/// How much more an event costs us with rules added that cannot match, and with all rules.
fn growth(kind: &str, duels: &[Duel]) {
    let [few, more, all] = duels else { return };
    let times = |duel: &Duel| duel.ours_against(few);
    let theirs = |duel: &Duel| duel.theirs_against(few);
    let name = format!("{kind}, an event's cost with 1,000 rules more that cannot match");
    let measured =
        format!("{:+.1} %; rsigma {:+.1} %", (times(more) - 1.0) * 100.0, (theirs(more) - 1.0) * 100.0);
    row(&name, &measured, "< +10 %", Some(times(more) < 1.1));
    let name = format!("{kind}, an event's cost with all rules, against the process rules");
    row(&name, &format!("{:.2} ×; rsigma {:.2} ×", times(all), theirs(all)), "< 2 ×", Some(times(all) < 2.0));
}

fn loading(all: &[String]) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..LOADS {
        let mut first = || ours.push(duel::timed(|| OurJson::new(all)));
        let mut second = || theirs.push(duel::timed(|| engines::their_rules(all)));
        if round.is_multiple_of(2) {
            first();
            second();
        } else {
            second();
            first();
        }
    }
    let [ours, theirs] = [&ours, &theirs].map(|all| median(all.iter().copied()) / 1e6);
    let measured = format!("{ours:.0} ms; rsigma {theirs:.0} ms");
    row(&format!("loading {} rules from text", all.len()), &measured, "< 200 ms", Some(ours < 200.0));
}

fn row(name: &str, measured: &str, must: &str, fine: Option<bool>) {
    let verdict = fine.map_or("-", |fine| if fine { "ok" } else { "no" });
    println!("row\t{name}\t{measured}\t{must}\t{verdict}");
}
