//! A strategy document: Markdown to front matter, sections and typed blocks.
//!
//! In: the text. Out: a [`Document`] with all that could be read, and every problem of form. Whether what
//! was read makes sense together is for [`crate::lint`].

pub mod blocks;
pub mod exception;
pub mod front;
pub mod markdown;
pub mod section;
pub mod test_block;

use serde::de::DeserializeOwned;

use self::blocks::{ACTIONS, Analytic, Assumption, Emulation, Exception, Playbook};
use self::front::{ADS_VERSION, FrontMatter};
use self::markdown::{Fenced, Heading, Outline, Section};
use self::section::SectionKind;
use self::test_block::TestCase;
use crate::diagnostic::{Problem, codes};
use crate::sigma::{self, is_uuid};
use crate::source::{Source, Span};
use crate::suggest;
use crate::yaml::{self, Node};

/// Longest document.
pub const TEXT_LIMIT_BYTES: usize = 1 << 20;

/// All that a document says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The front matter, when it could be read.
    pub front: Option<Placed<FrontMatter>>,
    /// The front matter's YAML, for places of its keys.
    pub front_node: Option<Node>,
    /// The title in the text.
    pub title: Option<Heading>,
    /// The sections, in the order of the text.
    pub sections: Vec<Section>,
    /// Rules, correlations and filters.
    pub items: Vec<sigma::Item>,
    /// Whether there are rules beside `items` that could not be read.
    pub has_broken_rules: bool,
    /// Kinds of the blocks that are there, whether they could be read or not.
    pub block_kinds: Vec<BlockKind>,
    /// Analytics.
    pub analytics: Vec<Placed<Analytic>>,
    /// Assumptions.
    pub assumptions: Vec<Placed<Assumption>>,
    /// Exceptions.
    pub exceptions: Vec<Placed<Exception>>,
    /// Tests, each with its section.
    pub tests: Vec<(SectionKind, TestCase)>,
    /// Emulations.
    pub emulations: Vec<Placed<Emulation>>,
    /// Playbooks.
    pub playbooks: Vec<Placed<Playbook>>,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// Place in the document.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// The kinds of machine-read blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// `yaml sigma`
    Sigma,
    /// `yaml analytic`
    Analytic,
    /// `yaml assumption`
    Assumption,
    /// `yaml exception`
    Exception,
    /// `yaml emulation`
    Emulation,
    /// `yaml playbook`
    Playbook,
    /// `jsonl test`
    Test,
}

/// The info strings, with the sections in which each may stand.
const BLOCKS: &[(&str, BlockKind, &[SectionKind])] = &[
    ("yaml sigma", BlockKind::Sigma, &[SectionKind::StrategyAbstract]),
    ("yaml analytic", BlockKind::Analytic, &[SectionKind::StrategyAbstract]),
    ("yaml assumption", BlockKind::Assumption, &[SectionKind::BlindSpots]),
    ("yaml exception", BlockKind::Exception, &[SectionKind::FalsePositives]),
    ("yaml emulation", BlockKind::Emulation, &[SectionKind::Validation]),
    ("yaml playbook", BlockKind::Playbook, &[SectionKind::Response]),
    (
        "jsonl test",
        BlockKind::Test,
        &[SectionKind::Validation, SectionKind::FalsePositives, SectionKind::BlindSpots],
    ),
];

impl Document {
    /// Reads `source`, reporting every problem of form.
    pub fn read(source: &Source<'_>, problems: &mut Vec<Problem>) -> Self {
        if source.text.len() > TEXT_LIMIT_BYTES {
            let message = format!("a document of {} bytes, more than {TEXT_LIMIT_BYTES}", source.text.len());
            problems.push(Problem::new(codes::DOCUMENT_SIZE, Span::default(), message));
            return Self::default();
        }
        let Outline { front_matter, title, sections, blocks } = markdown::outline(source.text);
        let mut document = Self { title, sections, ..Self::default() };
        match front_matter {
            Some(fragment) => document.read_front(&fragment, problems),
            None => problems.push(
                Problem::new(codes::FRONT_MATTER_MISSING, Span::default(), "the front matter is missing")
                    .with_hint("begin with `---`, `ads: 1`, id, slug, title, …, `---`"),
            ),
        }
        for block in &blocks {
            document.read_block(block, source, problems);
        }
        document
    }

    /// The section of this kind.
    pub fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }

    fn read_front(&mut self, fragment: &crate::source::Fragment, problems: &mut Vec<Problem>) {
        let nodes = match yaml::parse(fragment) {
            Ok(nodes) => nodes,
            Err(mut found) => return problems.append(&mut found),
        };
        let Some(node) = nodes.into_iter().next() else {
            let problem = Problem::new(codes::FRONT_MATTER, fragment.span(0..1), "the front matter is empty");
            return problems.push(problem);
        };
        match yaml::decode::<FrontMatter>(&node, codes::FRONT_MATTER) {
            Ok(front) => {
                check_front(&front, &node, problems);
                self.front = Some(Placed { span: node.span, value: front });
            }
            Err(problem) => problems.push(problem),
        }
        self.front_node = Some(node);
    }

    fn read_block(&mut self, block: &Fenced, source: &Source<'_>, problems: &mut Vec<Problem>) {
        let words: Vec<&str> = block.info.split_whitespace().collect();
        let kind_words = words.get(..2).unwrap_or(&words).join(" ");
        let Some((_, kind, sections)) = BLOCKS.iter().find(|(info, ..)| *info == kind_words) else {
            let hint = suggest::hint(&kind_words, BLOCKS.iter().map(|(info, ..)| *info));
            let message = format!("unknown block `{}`", block.info);
            return problems.push(Problem::new(codes::BLOCK_UNKNOWN, block.span, message).with_hint_if(hint));
        };
        let Some(section) = block.section.filter(|section| sections.contains(section)) else {
            let places: Vec<&str> = sections.iter().map(|section| section.heading()).collect();
            let message = format!("a `{kind_words}` block outside {}", places.join(", "));
            return problems.push(Problem::new(codes::BLOCK_SECTION, block.span, message));
        };
        self.block_kinds.push(*kind);
        let rest = words.get(2..).unwrap_or_default();
        if *kind == BlockKind::Test {
            let line = source.position(block.span.start).line;
            let case = test_block::read(rest, block.span, line, &block.content, problems);
            self.tests.extend(case.map(|case| (section, case)));
            return;
        }
        if !rest.is_empty() {
            let message = format!("unknown words after `{kind_words}`");
            problems.push(Problem::new(codes::BLOCK, block.span, message));
        }
        self.read_yaml(*kind, block, problems);
    }

    fn read_yaml(&mut self, kind: BlockKind, block: &Fenced, problems: &mut Vec<Problem>) {
        match kind {
            BlockKind::Sigma => {
                let (mut items, mut found) = sigma::read(&block.content);
                if items.is_empty() && found.is_empty() {
                    found.push(Problem::new(codes::BLOCK, block.span, "an empty block"));
                }
                self.has_broken_rules |= !found.is_empty();
                self.items.append(&mut items);
                problems.append(&mut found);
            }
            BlockKind::Analytic => typed(block, problems, &mut self.analytics),
            BlockKind::Assumption => typed(block, problems, &mut self.assumptions),
            BlockKind::Exception => typed(block, problems, &mut self.exceptions),
            BlockKind::Emulation => typed(block, problems, &mut self.emulations),
            BlockKind::Playbook => typed(block, problems, &mut self.playbooks),
            BlockKind::Test => {}
        }
    }
}

/// Reads the YAML documents of a block as `T`s; those that are right are kept.
fn typed<T: DeserializeOwned + Checked>(
    block: &Fenced,
    problems: &mut Vec<Problem>,
    into: &mut Vec<Placed<T>>,
) {
    let nodes = match yaml::parse(&block.content) {
        Ok(nodes) => nodes,
        Err(mut found) => return problems.append(&mut found),
    };
    if nodes.is_empty() {
        problems.push(Problem::new(codes::BLOCK, block.span, "an empty block"));
    }
    for node in &nodes {
        match yaml::decode::<T>(node, codes::BLOCK) {
            Ok(value) => {
                let before = problems.len();
                value.check(node, problems);
                if problems.len() == before {
                    into.push(Placed { span: node.span, value });
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
}

/// What the types of a block cannot say.
trait Checked {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>);
}

impl Checked for Analytic {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>) {
        let numbers = self.levels.values().chain(self.parameters.values()).chain(&self.budget);
        if numbers.chain(&self.hysteresis).any(|number| !number.is_finite()) {
            problems.push(Problem::new(codes::BLOCK, node.span, "a number that is not finite"));
        }
        if self.hysteresis.is_some_and(|share| !(0.0..1.0).contains(&share)) {
            problems.push(Problem::new(
                codes::BLOCK,
                place(node, "hysteresis"),
                "`hysteresis` is a share of 1",
            ));
        }
        if self.budget.is_some_and(|budget| budget < 0.0) {
            problems.push(Problem::new(codes::BLOCK, place(node, "budget"), "a negative budget"));
        }
    }
}

impl Checked for Assumption {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>) {
        for signal in self.needs.iter().filter(|signal| !is_signal(signal)) {
            problems.push(unknown_signal(codes::ASSUMPTION_SIGNAL, place(node, "needs"), signal));
        }
    }
}

impl Checked for Exception {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>) {
        for (key, fault) in self.faults() {
            problems.push(Problem::new(codes::BLOCK, place(node, key), fault));
        }
    }
}

impl Checked for Emulation {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>) {
        if self.commands.is_empty() && self.steps.is_empty() {
            problems.push(Problem::new(codes::BLOCK, node.span, "an emulation that does nothing"));
        }
    }
}

impl Checked for Playbook {
    fn check(&self, node: &Node, problems: &mut Vec<Problem>) {
        if self.steps.is_empty() {
            problems.push(Problem::new(codes::PLAYBOOK_MISSING, node.span, "a playbook without steps"));
        }
        let nodes = node.entry("steps").and_then(Node::sequence).unwrap_or_default();
        for (step, node) in self.steps.iter().zip(nodes) {
            let names = ACTIONS.iter().map(|(name, _)| *name);
            if !names.clone().any(|name| name == step.action) {
                let message = format!("unknown action `{}`", step.action);
                let hint = suggest::hint(&step.action, names);
                let problem = Problem::new(codes::ACTION_UNKNOWN, place(node, "action"), message);
                problems.push(problem.with_hint_if(hint));
            }
        }
    }
}

fn check_front(front: &FrontMatter, node: &Node, problems: &mut Vec<Problem>) {
    let mut wrong = |key: &str, message: String| {
        problems.push(Problem::new(codes::FRONT_MATTER, place(node, key), message));
    };
    if front.ads != ADS_VERSION {
        wrong("ads", format!("`ads: {}` where {ADS_VERSION} is known", front.ads));
    }
    if !is_uuid(&front.id) {
        wrong("id", format!("`{}` is not a UUID", front.id));
    }
    let is_slug_letter =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if front.slug.is_empty() || !front.slug.chars().all(is_slug_letter) {
        wrong("slug", format!("`{}` is not a slug of small letters, digits and `-`", front.slug));
    }
    if front.title.trim().is_empty() {
        wrong("title", "an empty title".to_owned());
    }
    for (key, empty) in [
        ("attack", front.attack.is_empty()),
        ("platforms", front.platforms.is_empty()),
        ("requires", front.requires.is_empty()),
        ("owners", front.owners.is_empty()),
    ] {
        if empty {
            wrong(key, format!("`{key}` is empty"));
        }
    }
    for signal in front.requires.iter().filter(|signal| !is_signal(signal)) {
        problems.push(unknown_signal(codes::SIGNAL_UNKNOWN, place(node, "requires"), signal));
    }
}

fn is_signal(name: &str) -> bool {
    event::event::SIGNALS.iter().any(|(signal, _)| *signal == name)
}

fn unknown_signal(code: codes::Code, span: Span, signal: &str) -> Problem {
    let hint = suggest::hint(signal, event::event::SIGNALS.iter().map(|(name, _)| *name));
    Problem::new(code, span, format!("no sensor gives the signal `{signal}`")).with_hint_if(hint)
}

/// The place of a key's value, else of the map.
pub(crate) fn place(node: &Node, key: &str) -> Span {
    node.entry(key).map_or(node.span, |value| value.span)
}
