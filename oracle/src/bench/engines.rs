//! Our engine and rsigma, each as something that judges events.

use super::typed::Typed;
use detect::Placeholders;
use detect::plain::{EventRules, EventScratch, JsonRules, JsonScratch};
use event::Event;
use rsigma_eval::{Engine, EvaluationResult, JsonEvent};
use rsigma_parser::{LogSource, SigmaCollection, parse_sigma_yaml};
use std::collections::BTreeSet;
use strategy::sigma::{Item, read_str};

/// What judges events of one kind.
pub trait Judge<E> {
    /// How many rules hold.
    fn judge(&mut self, event: &E) -> usize;

    /// Which: their ids, or titles where they have none.
    fn rules(&mut self, event: &E) -> Vec<String>;

    /// Rules that do not run: no sensor gives what they read.
    fn left_out(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// How it is set up.
    fn settings(&self) -> String {
        String::new()
    }
}

/// Ours over typed events.
pub struct OurTyped {
    items: Vec<Item>,
    left_out: BTreeSet<String>,
    rules: EventRules,
    scratch: EventScratch,
}

impl OurTyped {
    pub fn new(texts: &[String]) -> Self {
        let items = our_items(texts);
        let (rules, rejected) = EventRules::new(&items, &Placeholders::new());
        let left_out = rejected.iter().map(|one| name(&items[one.item])).collect();
        Self { items, left_out, rules, scratch: EventScratch::default() }
    }
}

impl Judge<Event> for OurTyped {
    fn judge(&mut self, event: &Event) -> usize {
        self.rules.judge(event, &mut self.scratch).count()
    }

    fn rules(&mut self, event: &Event) -> Vec<String> {
        self.rules.judge(event, &mut self.scratch).map(|item| name(&self.items[item])).collect()
    }

    fn left_out(&self) -> BTreeSet<String> {
        self.left_out.clone()
    }
}

/// Ours over JSON.
pub struct OurJson {
    items: Vec<Item>,
    rules: JsonRules,
    scratch: JsonScratch,
}

impl OurJson {
    pub fn new(texts: &[String]) -> Self {
        let items = our_items(texts);
        let (rules, _) = JsonRules::new(&items, &Placeholders::new());
        Self { items, rules, scratch: JsonScratch::default() }
    }
}

impl Judge<String> for OurJson {
    fn judge(&mut self, line: &String) -> usize {
        self.rules.judge(line.as_bytes(), &mut self.scratch).expect("an event").0.len()
    }

    fn rules(&mut self, line: &String) -> Vec<String> {
        let (held, _) = self.rules.judge(line.as_bytes(), &mut self.scratch).expect("an event");
        held.iter().map(|item| name(&self.items[*item])).collect()
    }
}

fn our_items(texts: &[String]) -> Vec<Item> {
    texts.iter().flat_map(|text| read_str(text).0).collect()
}

fn name(item: &Item) -> String {
    let head = item.head();
    head.id.as_ref().unwrap_or(&head.title).clone()
}

/// rsigma's engine with these rules.
pub fn their_rules(texts: &[String]) -> Engine {
    let mut all = SigmaCollection::new();
    for text in texts {
        let one = parse_sigma_yaml(text).expect("a rule");
        assert!(!one.has_errors(), "{:?}", one.errors().next());
        all.rules.extend(one.rules);
    }
    let mut engine = Engine::new();
    engine.add_collection(&all).expect("rules that run");
    engine
}

/// With and without its filter of trigrams.
fn their_engines(texts: &[String]) -> impl Iterator<Item = Engine> {
    [false, true].into_iter().map(|bloom| {
        let mut engine = their_rules(texts);
        engine.set_bloom_prefilter(bloom);
        engine
    })
}

fn their_name(result: EvaluationResult) -> String {
    result.header.rule_id.unwrap_or(result.header.rule_title)
}

fn their_filter(engine: &Engine) -> &'static str {
    if engine.bloom_prefilter_enabled() { "bloom filter" } else { "no bloom filter" }
}

/// rsigma over typed events. As ours, it asks rules only whose log source fits.
pub struct TheirTyped {
    engine: Engine,
    source: LogSource,
    route: Route,
}

/// How rsigma heeds the log source.
#[derive(Clone, Copy)]
enum Route {
    /// Rules are left out whose log source is another.
    Pruned,
    /// Rules are asked whose log source is this.
    Matching,
}

impl TheirTyped {
    /// Every way to set it up. The first says what must be reported.
    pub fn all(texts: &[String]) -> Vec<Self> {
        let source = LogSource {
            category: Some("process_creation".into()),
            product: Some("linux".into()),
            ..LogSource::default()
        };
        let routed = |route| their_engines(texts).map(move |engine| (engine, route));
        let all = routed(Route::Matching).chain(routed(Route::Pruned));
        all.map(|(engine, route)| Self { engine, source: source.clone(), route }).collect()
    }

    fn evaluate(&self, event: &Event) -> Vec<EvaluationResult> {
        match self.route {
            Route::Pruned => self.engine.evaluate_pruned(&Typed(event), &self.source),
            Route::Matching => self.engine.evaluate_with_logsource(&Typed(event), &self.source),
        }
    }
}

impl Judge<Event> for TheirTyped {
    fn judge(&mut self, event: &Event) -> usize {
        self.evaluate(event).len()
    }

    fn rules(&mut self, event: &Event) -> Vec<String> {
        self.evaluate(event).into_iter().map(their_name).collect()
    }

    fn settings(&self) -> String {
        let route = match self.route {
            Route::Pruned => "conflicting log sources left out",
            Route::Matching => "matching log sources asked",
        };
        format!("{}, {route}", their_filter(&self.engine))
    }
}

/// rsigma over JSON: as ours, without looking at log sources.
pub struct TheirJson {
    engine: Engine,
}

impl TheirJson {
    /// Every way to set it up.
    pub fn all(texts: &[String]) -> Vec<Self> {
        their_engines(texts).map(|engine| Self { engine }).collect()
    }

    fn evaluate(&self, line: &str) -> Vec<EvaluationResult> {
        self.engine.evaluate(&JsonEvent::owned(serde_json::from_str(line).expect("an event")))
    }
}

impl Judge<String> for TheirJson {
    fn judge(&mut self, line: &String) -> usize {
        self.evaluate(line).len()
    }

    fn rules(&mut self, line: &String) -> Vec<String> {
        self.evaluate(line).into_iter().map(their_name).collect()
    }

    fn settings(&self) -> String {
        their_filter(&self.engine).to_owned()
    }
}
