//! Acts out the emulations of strategy documents, and compares what they raise with what they must raise.
//!
//! In: documents, and the file to which a running agent writes its alerts as JSON. Out: a verdict per emulation on
//! standard output, as tests/lib/common.sh writes verdicts. The caller has started the Docker daemon of DOCKER_HOST, which
//! must be one of the tests, and built the images that it offers; what an emulation needs beyond that is skipped by name.

#![expect(clippy::print_stdout, reason = "verdicts are what it is for")]

mod act;
mod alerts;
mod resolver;

use act::Stage;
use alerts::{Alert, Alerts};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use strategy::Strategy;
use strategy::document::blocks::Emulation;
use strategy::sigma::Item;

/// How long a benign control and its alerts, which should not be, may take.
const BENIGN: Duration = Duration::from_millis(1500);

const USAGE: &str =
    "emulations --strategies DIR --alerts FILE --offers WORD,… --images IMAGE,… [--resolver COMMAND] [--peer-image IMAGE]
           [--filter TEXT] [--one-per-family]";

fn main() -> anyhow::Result<()> {
    let args = Args::read(std::env::args().skip(1)).context(USAGE)?;
    let strategies = load(&args.strategies)?;
    let mut alerts = Alerts::open(&args.alerts)?;
    let stage = Stage { resolver: args.resolver.clone(), peer_image: args.peer_image.clone() };
    let mut totals = [0_u32; 2];
    for strategy in &strategies {
        for emulation in args.chosen(strategy) {
            let name = format!("{}/{}", strategy.front.slug, emulation.id);
            if let Some(missing) = args.missing(emulation) {
                println!("SKIPPED: {name}: {missing}");
                continue;
            }
            let mut outcome = run(&stage, strategy, emulation, &mut alerts)?;
            if args.one_per_family && !outcome.is_right() {
                println!("AGAIN {name}: {}", outcome.sentence());
                outcome = run(&stage, strategy, emulation, &mut alerts)?;
            }
            let is_right = outcome.is_right();
            totals[usize::from(!is_right)] += 1;
            println!("{} {name}: {}", if is_right { "PASS" } else { "FAIL" }, outcome.sentence());
        }
    }
    let [passed, failed] = totals;
    println!("{passed} passed, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}

struct Args {
    strategies: PathBuf,
    alerts: PathBuf,
    offers: BTreeSet<String>,
    images: BTreeSet<String>,
    resolver: Option<String>,
    peer_image: String,
    filter: Option<String>,
    one_per_family: bool,
}

impl Args {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (mut strategies, mut alerts, mut offers, mut images) = (None, None, None, None);
        let (mut resolver, mut peer_image, mut filter, mut one_per_family) = (None, None, None, false);
        while let Some(word) = words.next() {
            if word == "--one-per-family" {
                one_per_family = true;
                continue;
            }
            let place = match word.as_str() {
                "--strategies" => &mut strategies,
                "--alerts" => &mut alerts,
                "--offers" => &mut offers,
                "--images" => &mut images,
                "--resolver" => &mut resolver,
                "--peer-image" => &mut peer_image,
                "--filter" => &mut filter,
                _ => bail!("unknown argument `{word}`"),
            };
            *place = Some(words.next().with_context(|| format!("`{word}` without a value"))?);
        }
        let list = |text: Option<String>| -> BTreeSet<String> {
            text.unwrap_or_default().split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        Ok(Self {
            strategies: strategies.context("--strategies is missing")?.into(),
            alerts: alerts.context("--alerts is missing")?.into(),
            offers: list(offers),
            images: list(images),
            resolver,
            peer_image: peer_image.unwrap_or_else(|| "alpine:latest".into()),
            filter,
            one_per_family,
        })
    }

    /// The emulations of a document to act out: all, or for one per family the first of it that can run and must raise
    /// something.
    fn chosen<'s>(&self, strategy: &'s Strategy) -> Vec<&'s Emulation> {
        let is_named = |emulation: &&Emulation| {
            let name = format!("{}/{}", strategy.front.slug, emulation.id);
            self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
        };
        let all = strategy.document.emulations.iter().map(|placed| &placed.value).filter(is_named);
        if self.one_per_family {
            return all.filter(|one| !one.expect.is_empty() && self.missing(one).is_none()).take(1).collect();
        }
        all.collect()
    }

    /// What the emulation needs and this stage does not offer.
    fn missing(&self, emulation: &Emulation) -> Option<String> {
        let lacking: Vec<&str> =
            emulation.needs.iter().map(String::as_str).filter(|need| !self.offers.contains(*need)).collect();
        if !lacking.is_empty() {
            return Some(format!("not offered here: {}", lacking.join(", ")));
        }
        let is_used = act::uses_image(emulation);
        (is_used && !self.images.contains(&emulation.image))
            .then(|| format!("the image {} is not built here", emulation.image))
    }
}

fn load(folder: &Path) -> anyhow::Result<Vec<Strategy>> {
    let mut documents = Vec::new();
    collect(folder, &mut documents)?;
    documents.sort();
    Ok(strategy::load(&documents).0)
}

fn collect(folder: &Path, documents: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, documents)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push((path.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// What came of an emulation.
struct Outcome {
    /// The rules that must raise alerts, with the time to each or nothing.
    expected: Vec<(String, Option<Duration>)>,
    /// Other rules of the same strategy that raised alerts.
    own: Vec<String>,
    /// What other strategies raised.
    others: BTreeSet<String>,
    /// Where an act did not do what it should.
    trouble: Option<String>,
}

impl Outcome {
    fn is_right(&self) -> bool {
        let is_benign = self.expected.is_empty();
        self.expected.iter().all(|(_, time)| time.is_some()) && (!is_benign || self.own.is_empty())
    }

    fn sentence(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (rule, time) in &self.expected {
            parts.push(match time {
                Some(time) => format!("{rule} after {} ms", time.as_millis()),
                None => format!("{rule} MISSED"),
            });
        }
        if self.expected.is_empty() {
            parts.push(if self.own.is_empty() { "silent".into() } else { "RAISED".into() });
        }
        if !self.own.is_empty() {
            parts.push(format!("also {}", self.own.join(", ")));
        }
        if !self.others.is_empty() {
            parts.push(format!("others: {}", self.others.iter().cloned().collect::<Vec<_>>().join(", ")));
        }
        if let Some(trouble) = &self.trouble {
            parts.push(format!("act: {trouble}"));
        }
        parts.join("; ")
    }
}

fn run(
    stage: &Stage,
    strategy: &Strategy,
    emulation: &Emulation,
    alerts: &mut Alerts,
) -> anyhow::Result<Outcome> {
    alerts.pass_over()?;
    let (began, began_at) = (Instant::now(), SystemTime::now());
    let trouble = stage.act(emulation)?;
    let wanted: Vec<String> = emulation.expect.iter().map(|one| rule_id(strategy, &one.rule)).collect();
    let patience = emulation.expect.iter().map(|one| one.within.0).max().unwrap_or(BENIGN).max(BENIGN);
    let deadline = Instant::now() + patience;
    let mut seen: Vec<Alert> = Vec::new();
    loop {
        alerts.read(&mut seen)?;
        // A correlation waits for what may come out of order: it may raise its alert during the next act.
        seen.retain(|alert| alert.begin >= began_at);
        let is_complete = |id: &String| seen.iter().any(|alert| alert.rule == *id);
        if Instant::now() >= deadline || (!wanted.is_empty() && wanted.iter().all(is_complete)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.clear();
    let time_to = |id: &str| {
        seen.iter().find(|alert| alert.rule == id).map(|alert| alert.at.saturating_duration_since(began))
    };
    let expected = emulation.expect.iter().zip(&wanted).map(|(one, id)| (one.rule.clone(), time_to(id)));
    let own =
        seen.iter().filter(|alert| alert.strategy == strategy.front.id && !wanted.contains(&alert.rule));
    let others = seen.iter().filter(|alert| alert.strategy != strategy.front.id);
    Ok(Outcome {
        expected: expected.collect(),
        own: own.map(|alert| alert.title.clone()).collect(),
        others: others.map(|alert| alert.title.clone()).collect(),
        trouble,
    })
}

/// The id by which alerts name a rule that a document calls by any of its words.
fn rule_id(strategy: &Strategy, rule: &str) -> String {
    let mut heads = strategy.document.items.iter().map(Item::head);
    let id = heads.find(|head| head.is(rule)).and_then(|head| head.id.clone());
    id.map_or_else(|| rule.to_owned(), |id| id.to_string())
}
