//! From strategies to what the engine runs.
//!
//! In: strategies. Out: judges (rules, then correlations), the compiled program, correlations, exceptions and the
//! parameters of analytics; and everything that cannot run, all at once. What can run does.

use crate::alerting::{Exceptions, Message};
use crate::analytic::Parameters;
use crate::correlate::{self, Correlation, Names};
use crate::error::{CompileError, Fault};
use crate::judge::{Judge, JudgeIndex};
use crate::rule::{self, Placeholders, Program, Sensed};
use compact_str::CompactString;
use event::alert::{Severity, StrategyHead};
use event::{Class, Field};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use strategy::Strategy;
use strategy::sigma::{self, Filter, Head, Item, Level, Template};
use strategy::yaml::Node;

/// How long repeats of a rule fold into one alert, where it does not say.
const DEFAULT_WINDOW: Duration = Duration::from_secs(600);
/// How sure a rule is, where it does not say; percent.
const DEFAULT_CONFIDENCE: u8 = 75;

/// Everything that strategies say, made ready.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) judges: Vec<Judge>,
    pub(crate) program: Program,
    pub(crate) correlations: Vec<Correlation<Field>>,
    pub(crate) exceptions: Exceptions,
    pub(crate) parameters: Parameters,
    /// By strategy: its head, and the signals that it requires.
    pub(crate) strategies: Vec<Arc<StrategyHead>>,
    pub(crate) requires: Vec<Vec<CompactString>>,
    /// By class: the fields that rules and their messages read.
    pub(crate) fields: BTreeMap<Class, BTreeSet<Field>>,
    /// By class: the fields that rules read.
    pub(crate) judged: BTreeMap<Class, BTreeSet<Field>>,
    /// By class: the operations that its rules can hold for, where each of them asks for some.
    pub(crate) operations: BTreeMap<Class, BTreeSet<CompactString>>,
    /// Last components of the paths that rules about reads name.
    pub(crate) file_names: BTreeSet<CompactString>,
    pub(crate) errors: Vec<CompileError>,
}

/// Compiles `strategies`; `placeholders` says what `%name%` stands for in their rules.
pub(crate) fn compile(strategies: &[Strategy], placeholders: &Placeholders) -> Compiled {
    let mut loader = Loader { placeholders: placeholders.clone(), ..Loader::default() };
    for (number, strategy) in strategies.iter().enumerate() {
        loader.add_strategy(number, strategy);
    }
    let filters: Vec<Vec<&Filter>> = strategies.iter().map(filters_of).collect();
    for (number, strategy) in strategies.iter().enumerate() {
        for item in &strategy.document.items {
            if let Item::Rule(rule) = item {
                loader.add_rule(number, strategy, rule, filters.get(number).map_or(&[], Vec::as_slice));
            }
        }
    }
    loader.add_correlations(strategies);
    loader.finish()
}

/// The strategy as an alert of one rule names it: with the techniques that the rule is tagged with, or all of them
/// where it is tagged with none.
fn narrowed(strategy: Arc<StrategyHead>, rule: &Head) -> Arc<StrategyHead> {
    let tagged = |id: &str| {
        rule.tags
            .iter()
            .any(|tag| tag.strip_prefix("attack.").is_some_and(|tag| tag.eq_ignore_ascii_case(id)))
    };
    let techniques: Vec<_> =
        strategy.techniques.iter().filter(|technique| tagged(&technique.id)).cloned().collect();
    if techniques.is_empty() || techniques.len() == strategy.techniques.len() {
        return strategy;
    }
    Arc::new(StrategyHead { techniques, ..(*strategy).clone() })
}

fn filters_of(strategy: &Strategy) -> Vec<&Filter> {
    let items = strategy.document.items.iter();
    items.filter_map(|item| if let Item::Filter(filter) = item { Some(filter) } else { None }).collect()
}

#[derive(Default)]
struct Loader {
    compiled: Compiled,
    /// The rules by class; one that several classes stand for is there for each.
    rules: Vec<(Class, rule::Node<Field>)>,
    /// By place in `rules`: the judge.
    numbers: Vec<JudgeIndex>,
    placeholders: Placeholders,
    /// By judge: what it is called.
    handles: Vec<Handles>,
}

/// The names of a judge.
struct Handles {
    strategy: usize,
    name: Option<String>,
    id: Option<String>,
}

impl Loader {
    fn add_strategy(&mut self, number: usize, strategy: &Strategy) {
        let compiled = &mut self.compiled;
        compiled.strategies.push(Arc::new(strategy.head()));
        compiled.requires.push(strategy.front.requires.iter().map(|signal| signal.as_str().into()).collect());
        let mut faults = Vec::new();
        for exception in &strategy.document.exceptions {
            let added = compiled.exceptions.add(number, &exception.value);
            faults.extend(added.err().map(|fault| (format!("exception {}", exception.value.id), fault)));
        }
        for analytic in strategy.document.analytics.iter().map(|placed| &placed.value) {
            for (key, value) in &analytic.parameters {
                let set = compiled.parameters.set_number(&analytic.name, key, *value);
                faults.extend(set.err().map(|fault| ("analytic".to_owned(), fault)));
            }
            for (key, values) in &analytic.lists {
                let set = compiled.parameters.set_list(&analytic.name, key, &values.0);
                faults.extend(set.err().map(|fault| ("analytic".to_owned(), fault)));
            }
        }
        for (rule, fault) in faults {
            self.report(strategy, &rule, fault);
        }
    }

    fn add_rule(&mut self, number: usize, strategy: &Strategy, rule: &sigma::Rule, filters: &[&Filter]) {
        let compiled = rule::compile(rule, filters, &self.placeholders).and_then(|judging| {
            let sentence = Message::new(&rule.head.title, rule.observed.as_ref(), rule.expected.as_ref())?;
            Ok((judging.runs, self.judge(number, strategy, &rule.head, sentence)?))
        });
        match compiled {
            Ok((runs, judge)) => {
                for (class, node) in runs {
                    let fields = self.compiled.fields.entry(class).or_default();
                    fields.extend(judge.message.fields().chain(judge.group_by.iter().copied()));
                    self.rules.push((class, node));
                    self.numbers.push(self.compiled.judges.len());
                }
                self.compiled.judges.push(judge);
                self.handles.push(Handles::of(number, &rule.head));
            }
            Err(fault) => self.report(strategy, rule.head.handle(), fault),
        }
    }

    /// Adds correlations after what they join; what is left over joins itself or something that does not run.
    fn add_correlations(&mut self, strategies: &[Strategy]) {
        let mut left: Vec<(usize, &Strategy, &sigma::Correlation)> = Vec::new();
        for (number, strategy) in strategies.iter().enumerate() {
            let correlations = strategy.document.items.iter().filter_map(|item| match item {
                Item::Correlation(correlation) => Some((number, strategy, correlation)),
                _ => None,
            });
            left.extend(correlations);
        }
        loop {
            let before = left.len();
            left.retain(|(number, strategy, correlation)| {
                !self.add_correlation(*number, strategy, correlation, &[])
            });
            if left.is_empty() {
                return;
            }
            if left.len() == before {
                break;
            }
        }
        let waiting: Vec<&Head> = left.iter().map(|(.., correlation)| &correlation.head).collect();
        for (number, strategy, correlation) in &left {
            self.add_correlation(*number, strategy, correlation, &waiting);
        }
    }

    /// Says whether the correlation is done with: it was added, or is refused. One that joins what is not there yet is
    /// left for later, unless it is known what will never be there.
    fn add_correlation(
        &mut self,
        number: usize,
        strategy: &Strategy,
        correlation: &sigma::Correlation,
        never: &[&Head],
    ) -> bool {
        let judge_index = self.compiled.judges.len();
        let mut names = Names {
            judge: &|reference: &str| self.find(number, reference),
            field: &mut rule::field,
            correlations: &self.compiled.correlations,
        };
        let compiled = correlate::compile(correlation, judge_index, &mut names).and_then(|ready| {
            let [observed, expected] = ["observed", "expected"].map(|key| template(&correlation.head, key));
            let sentence = Message::new(&correlation.head.title, observed?.as_ref(), expected?.as_ref())?;
            let mut judge = self.judge(number, strategy, &correlation.head, sentence)?;
            if custom(&correlation.head, "window").is_none() {
                // What fires again within the timespan is the same alert.
                judge.window = judge.window.max(correlation.timespan);
            }
            Ok((ready, judge))
        });
        let fault = match compiled {
            Ok((ready, judge)) => {
                self.silence_members(&ready, correlation.generate);
                self.read_by(&ready, &judge);
                self.compiled.judges.push(judge);
                self.compiled.correlations.push(ready);
                self.handles.push(Handles::of(number, &correlation.head));
                return true;
            }
            Err(Fault::UnknownReference(_)) if never.is_empty() => return false,
            Err(Fault::UnknownReference(name)) if never.iter().any(|head| head.is(&name)) => {
                Fault::Cycle(name)
            }
            Err(fault) => fault,
        };
        self.report(strategy, correlation.head.handle(), fault);
        true
    }

    fn silence_members(&mut self, correlation: &Correlation<Field>, generate: bool) {
        if generate {
            return;
        }
        for member in &correlation.members {
            if let Some(judge) = self.compiled.judges.get_mut(*member) {
                judge.alerts = false;
            }
        }
    }

    /// Notes which facts the correlation reads of the events of its members.
    fn read_by(&mut self, correlation: &Correlation<Field>, judge: &Judge) {
        for (place, member) in correlation.members.iter().enumerate() {
            let of_member = self.numbers.iter().zip(&self.rules).filter(|(number, _)| *number == member);
            for (_, (class, _)) in of_member {
                let fields = correlation.fields(place).chain(judge.message.fields());
                self.compiled.fields.entry(*class).or_default().extend(fields);
            }
        }
    }

    /// The judge of this name or id: of the same strategy first, then of any by id.
    fn find(&self, strategy: usize, reference: &str) -> Option<JudgeIndex> {
        let named =
            |handles: &Handles| handles.name.as_deref() == Some(reference) || handles.has_id(reference);
        let own = self.handles.iter().position(|handles| handles.strategy == strategy && named(handles));
        own.or_else(|| self.handles.iter().position(|handles| handles.has_id(reference)))
    }

    fn judge(
        &self,
        number: usize,
        strategy: &Strategy,
        head: &Head,
        message: Message,
    ) -> Result<Judge, Fault> {
        let strategy_head = narrowed(self.compiled.strategies.get(number).cloned().unwrap_or_default(), head);
        let group_by = match custom(head, "group_by") {
            None => Vec::new(),
            Some(node) => {
                let nodes = node.sequence().unwrap_or(std::slice::from_ref(node));
                nodes.iter().filter_map(Node::text).map(rule::field).collect::<Result<_, _>>()?
            }
        };
        let confidence = match custom(head, "confidence") {
            None => DEFAULT_CONFIDENCE,
            Some(node) => {
                let percent =
                    node.text().and_then(|text| text.parse().ok()).filter(|percent| *percent <= 100);
                percent.ok_or_else(|| Fault::Unsupported("`confidence` that is no percentage".to_owned()))?
            }
        };
        let window = match custom(head, "window") {
            None => DEFAULT_WINDOW,
            Some(node) => {
                let period = node.text().and_then(strategy::period::parse).filter(|period| !period.is_zero());
                period.ok_or_else(|| Fault::Unsupported("`window` that is no length of time".to_owned()))?
            }
        };
        Ok(Judge {
            strategy: number,
            head: strategy_head,
            id: head.id.as_deref().unwrap_or(head.handle()).into(),
            name: head.handle().into(),
            title: head.title.as_str().into(),
            tags: head.tags.iter().map(|tag| tag.as_str().into()).collect(),
            severity: head.level.map_or(strategy.front.severity, severity),
            confidence,
            message,
            group_by,
            window,
            alerts: true,
        })
    }

    fn report(&mut self, strategy: &Strategy, rule: &str, fault: Fault) {
        let strategy = strategy.front.slug.clone();
        self.compiled.errors.push(CompileError { strategy, rule: rule.to_owned(), fault });
    }

    fn finish(self) -> Compiled {
        let mut compiled = self.compiled;
        let rules = self.rules.as_slice();
        compiled.judged = rules.fields();
        for (class, fields) in &compiled.judged {
            compiled.fields.entry(*class).or_default().extend(fields);
        }
        let operations = |class: &Class| Some((*class, rules.operations(*class)?));
        compiled.operations = compiled.judged.keys().filter_map(operations).collect();
        compiled.file_names = rules.file_names();
        compiled.program = Program::numbered(self.numbers.into_iter().zip(self.rules));
        compiled
    }
}

impl Handles {
    fn of(strategy: usize, head: &Head) -> Self {
        Self { strategy, name: head.name.clone(), id: head.id.clone() }
    }

    fn has_id(&self, reference: &str) -> bool {
        self.id.as_deref() == Some(reference)
    }
}

fn custom<'h>(head: &'h Head, key: &str) -> Option<&'h Node> {
    head.custom.iter().find(|(name, _)| name.text == key).map(|(_, node)| node)
}

/// A correlation's sentence is one of its custom keys.
fn template(head: &Head, key: &str) -> Result<Option<Template>, Fault> {
    let Some(node) = custom(head, key) else { return Ok(None) };
    let parsed = Template::parse(node.text().unwrap_or(""), node.span);
    parsed.map(Some).map_err(|problem| Fault::Unsupported(format!("`{key}` ({})", problem.message)))
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Informational => Severity::Informational,
        Level::Low => Severity::Low,
        Level::Medium => Severity::Medium,
        Level::High => Severity::High,
        Level::Critical => Severity::Critical,
    }
}
