//! `strategy coverage`: the ATT&CK matrix of Containers and Linux: what is covered, tested and emulated.
//!
//! A cell is a technique under a tactic. It is *covered* where a strategy that runs maps it, *tested* where a test
//! raises one of the strategy's rules for it and passes, *emulated* where a live emulation must raise one. A rule is for
//! the techniques that it is tagged with; one without such tags is for all of its document.

use super::arguments::{Coverage, Form};
use super::examined::{Examined, Setting};
use super::{navigator, testing, unwritable};
use crate::failure::{Exit, Failure};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use strategy::Strategy;
use strategy::attack::{self, Status, Tactic, Technique};
use strategy::document::test_block::Expect;
use strategy::sigma::{Head, Item};

/// The platforms of the matrix, with their marks.
pub(super) const PLATFORMS: [(&str, char); 2] = [("Containers", 'C'), ("Linux", 'L')];
/// The tactics in the order of the matrix.
const ORDER: [&str; 15] = [
    "TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112", "TA0006", "TA0007",
    "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
];
/// Characters of a line of the table.
const WIDTH: usize = 100;
/// Characters of a technique's name.
const NAME: usize = 38;

/// Prints the matrix, and writes the layer. Status 1 where a document cannot run.
///
/// # Errors
/// Paths that cannot be read, or an output that cannot be written.
pub fn run(args: &Coverage) -> Result<Exit, Failure> {
    let examined = Examined::of(&args.documents)?;
    let matrix = Matrix::of(&examined.strategies, &examined.setting);
    if let Some(path) = &args.navigator {
        navigator::write(path, &matrix)?;
    }
    let mut out = io::stdout().lock();
    match args.format {
        Form::Text => matrix.table(&mut out, args.all),
        Form::Json => matrix.objects(&mut out, args.all),
    }
    .map_err(unwritable)?;
    Ok(if examined.strategies.len() == examined.count() { Exit::Fine } else { Exit::Findings })
}

/// A technique under a tactic.
pub(super) struct Cell {
    /// The tactic.
    pub tactic: &'static Tactic,
    /// The technique.
    pub technique: &'static Technique,
    /// Slugs of the strategies that map it, that test it, that emulate it.
    pub covered: BTreeSet<String>,
    pub tested: BTreeSet<String>,
    pub emulated: BTreeSet<String>,
}

impl Cell {
    fn is_on(&self, platform: &str) -> bool {
        self.technique.platforms.contains(&platform)
    }

    /// 1 covered, 2 tested, 3 emulated too; 0 nothing.
    pub(super) fn score(&self) -> u8 {
        match (self.covered.is_empty(), self.tested.is_empty(), self.emulated.is_empty()) {
            (true, ..) => 0,
            (_, true, _) => 1,
            (_, _, true) => 2,
            _ => 3,
        }
    }
}

/// All cells, in the order of the matrix.
pub(super) struct Matrix {
    /// The cells of the two platforms, and those that strategies map beside them.
    pub cells: Vec<Cell>,
    strategies: usize,
}

impl Matrix {
    fn of(strategies: &[Strategy], setting: &Setting) -> Self {
        let mut claims: BTreeMap<(&str, &str), [BTreeSet<String>; 3]> = BTreeMap::new();
        for strategy in strategies {
            let tested = passing(strategy, setting);
            for mapping in &strategy.front.attack {
                let Some(tactic) = attack::tactic(&mapping.tactic) else { continue };
                let Some(technique) = attack::technique(&mapping.technique).and_then(Technique::successor)
                else {
                    continue;
                };
                let claim = claims.entry((tactic.id, technique.id)).or_default();
                let slug = &strategy.front.slug;
                let held = [
                    true,
                    is_for(strategy, &tested, &mapping.technique),
                    is_emulated(strategy, &mapping.technique),
                ];
                for (slugs, held) in claim.iter_mut().zip(held) {
                    if held {
                        slugs.insert(slug.clone());
                    }
                }
            }
        }
        let mut cells = Vec::new();
        for tactic in ORDER.iter().filter_map(|id| attack::tactic(id)) {
            for technique in
                attack::techniques().iter().filter(|technique| technique.status == Status::Active)
            {
                let claim = claims.remove(&(tactic.id, technique.id));
                let is_in_matrix = technique.tactics.contains(&tactic.short)
                    && PLATFORMS.iter().any(|(platform, _)| technique.platforms.contains(platform));
                if is_in_matrix || claim.is_some() {
                    let [covered, tested, emulated] = claim.unwrap_or_default();
                    cells.push(Cell { tactic, technique, covered, tested, emulated });
                }
            }
        }
        Self { cells, strategies: strategies.len() }
    }

    fn table(&self, out: &mut impl Write, all: bool) -> io::Result<()> {
        writeln!(
            out,
            "ATT&CK {} on Containers and Linux, by {} strategies that run",
            attack::version(),
            self.strategies
        )?;
        writeln!(
            out,
            "\n{:<24}{:>14}{:>14}{:>10}{:>10}",
            "TACTIC", "CONTAINERS", "LINUX", "TESTED", "EMULATED"
        )?;
        for tactic in ORDER.iter().filter_map(|id| attack::tactic(id)) {
            let cells: Vec<&Cell> = self.cells.iter().filter(|cell| cell.tactic == tactic).collect();
            if !cells.is_empty() {
                self.summary(out, tactic.name, &cells)?;
            }
        }
        self.summary(out, "techniques in all", &self.unique())?;
        writeln!(out, "\nC Containers, L Linux; c covered, t tested by a test that passes, e emulated live")?;
        let mut tactic = None;
        for cell in self.cells.iter().filter(|cell| all || cell.score() > 0 || cell.is_on("Containers")) {
            if tactic != Some(cell.tactic.id) {
                tactic = Some(cell.tactic.id);
                writeln!(out, "\n{} ({})", cell.tactic.name, cell.tactic.id)?;
            }
            writeln!(out, "{}", row(cell))?;
        }
        Ok(())
    }

    /// A line of counts.
    fn summary(&self, out: &mut impl Write, name: &str, cells: &[&Cell]) -> io::Result<()> {
        let share = |platform: &str| {
            let on: Vec<_> = cells.iter().filter(|cell| cell.is_on(platform)).collect();
            format!("{} of {}", on.iter().filter(|cell| cell.score() > 0).count(), on.len())
        };
        let [containers, linux] = PLATFORMS.map(|(platform, _)| share(platform));
        let tested = cells.iter().filter(|cell| !cell.tested.is_empty()).count();
        let emulated = cells.iter().filter(|cell| !cell.emulated.is_empty()).count();
        writeln!(out, "{name:<24}{containers:>14}{linux:>14}{tested:>10}{emulated:>10}")
    }

    /// One cell per technique: the one that says most.
    fn unique(&self) -> Vec<&Cell> {
        let mut best: BTreeMap<&str, &Cell> = BTreeMap::new();
        for cell in &self.cells {
            let known = best.entry(cell.technique.id).or_insert(cell);
            if cell.score() > known.score() {
                *known = cell;
            }
        }
        best.into_values().collect()
    }

    fn objects(&self, out: &mut impl Write, all: bool) -> io::Result<()> {
        for cell in self.cells.iter().filter(|cell| all || cell.score() > 0 || cell.is_on("Containers")) {
            let object = json!({
                "tactic": cell.tactic.id,
                "tactic_name": cell.tactic.name,
                "technique": cell.technique.id,
                "name": cell.technique.name,
                "platforms": cell.technique.platforms,
                "covered": cell.covered,
                "tested": cell.tested,
                "emulated": cell.emulated,
            });
            writeln!(out, "{object}")?;
        }
        Ok(())
    }
}

/// A line of the table: never longer than [`WIDTH`].
fn row(cell: &Cell) -> String {
    let mark = |(platform, mark): (&str, char)| if cell.is_on(platform) { mark } else { '-' };
    let platforms: String = PLATFORMS.map(mark).iter().collect();
    let flags: String = [(&cell.covered, 'c'), (&cell.tested, 't'), (&cell.emulated, 'e')]
        .map(|(slugs, flag)| if slugs.is_empty() { '-' } else { flag })
        .iter()
        .collect();
    let indent = if cell.technique.id.contains('.') { "  " } else { "" };
    let name = cut(&format!("{indent}{}", cell.technique.name), NAME);
    let head = format!("  {platforms}  {:<9}  {name:<NAME$}  {flags}", cell.technique.id);
    let room = WIDTH.saturating_sub(head.chars().count() + 2);
    let mut slugs = cell.covered.iter().cloned().collect::<Vec<_>>().join(", ");
    if slugs.chars().count() > room
        && let Some(first) = cell.covered.first()
    {
        let more = format!(" +{}", cell.covered.len() - 1);
        let more = if cell.covered.len() > 1 { more.as_str() } else { "" };
        slugs = format!("{}{more}", cut(first, room.saturating_sub(more.len())));
    }
    format!("{head}  {slugs}").trim_end().to_owned()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The rules of which a test demands alerts and passes.
fn passing(strategy: &Strategy, setting: &Setting) -> Vec<String> {
    let mut rules = Vec::new();
    for (_, test) in &strategy.document.tests {
        if let Expect::Alerts(expected) = &test.expect
            && testing::check(strategy, test, setting).is_ok()
        {
            rules.extend(expected.iter().cloned());
        }
    }
    rules
}

/// Whether one of `rules` is for the technique.
fn is_for(strategy: &Strategy, rules: &[String], technique: &str) -> bool {
    let heads = strategy.document.items.iter().map(Item::head);
    heads.filter(|head| rules.iter().any(|rule| head.is(rule))).any(|head| has(head, technique))
}

/// Whether the rule is tagged with the technique, or with none.
fn has(head: &Head, technique: &str) -> bool {
    let mut tagged = head
        .tags
        .iter()
        .filter_map(|tag| tag.strip_prefix("attack."))
        .filter(|tag| attack::is_technique_id(&tag.to_ascii_uppercase()))
        .peekable();
    tagged.peek().is_none() || tagged.any(|tag| tag.eq_ignore_ascii_case(technique))
}

/// Whether an emulation acts the technique and must raise an alert.
fn is_emulated(strategy: &Strategy, technique: &str) -> bool {
    strategy.document.emulations.iter().map(|placed| &placed.value).any(|emulation| {
        let rules: Vec<String> = emulation.expect.iter().map(|expected| expected.rule.clone()).collect();
        let acted = emulation.technique.as_deref();
        !rules.is_empty()
            && (acted == Some(technique) || acted.is_none() && is_for(strategy, &rules, technique))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let (strategies, _) = strategy::load(&crate::content::built_in());
        Matrix::of(&strategies, &Setting { is_built_in: true, detect: detect::Config::default() })
    }

    #[test]
    fn the_matrix_has_all_techniques_of_containers_and_no_line_is_too_long() {
        let matrix = matrix();
        let on: BTreeSet<&str> = matrix
            .cells
            .iter()
            .filter(|cell| cell.is_on("Containers"))
            .map(|cell| cell.technique.id)
            .collect();
        assert_eq!(on.len(), 48);
        let mut out = Vec::new();
        matrix.table(&mut out, true).unwrap();
        for line in String::from_utf8(out).unwrap().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn what_the_shipped_strategies_map_is_covered_tested_and_emulated() {
        let matrix = matrix();
        let cell = matrix
            .cells
            .iter()
            .find(|cell| cell.technique.id == "T1571" && cell.tactic.id == "TA0011")
            .unwrap();
        assert_eq!(cell.score(), 3, "{:?} {:?} {:?}", cell.covered, cell.tested, cell.emulated);
    }

    #[test]
    fn long_lists_of_strategies_are_cut() {
        let slugs: BTreeSet<String> = ["a".repeat(60), "b".repeat(60)].into();
        let cell = Cell {
            tactic: attack::tactic("TA0002").unwrap(),
            technique: attack::technique("T1059").unwrap(),
            covered: slugs,
            tested: BTreeSet::new(),
            emulated: BTreeSet::new(),
        };
        let row = row(&cell);
        assert!(row.chars().count() <= WIDTH && row.ends_with("… +1"), "{row}");
    }
}
