//! `strategy explain`: a document in the terminal, with what the program makes of it on this host.

use super::arguments::Explain;
use super::examined::Examined;
use super::list::{State, status};
use super::presence::Offer;
use super::{testing, unwritable};
use crate::config::Config;
use crate::exceptions::{self, is_expired};
use crate::failure::{Exit, Failure};
use crate::live;
use respond::escape::escaped;
use std::io::{self, Write};
use strategy::sigma::Item;
use strategy::{Severity, Strategy};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";
/// Fewest characters that name a strategy by the begin of its id.
const ID_BEGIN: usize = 4;
/// Longest line that is shown, in characters.
const LINE: usize = 500;

/// Shows the strategy that `args.id` names: by id, begin of the id, slug, or technique.
///
/// # Errors
/// No strategy, or several, have that name; an output that cannot be written.
pub fn run(args: &Explain) -> Result<Exit, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let paths: Vec<_> = args.strategies.iter().cloned().collect();
    let mut examined = Examined::read(&paths, config.detect.clone())?;
    exceptions::apply(&mut examined.strategies, &config.exception)?;
    let found: Vec<&Strategy> =
        examined.strategies.iter().filter(|strategy| is_named(strategy, &args.id)).collect();
    let [strategy] = found[..] else { return Err(ambiguous(&examined, &found, &args.id)) };
    let mut page = Page { out: io::stdout().lock(), colour: live::colour_wanted() };
    page.head(strategy)
        .and_then(|()| page.state(strategy, &examined))
        .and_then(|()| page.body(&strategy.text))
        .map_err(unwritable)?;
    Ok(Exit::Fine)
}

fn is_named(strategy: &Strategy, name: &str) -> bool {
    let front = &strategy.front;
    front.slug == name
        || (name.len() >= ID_BEGIN && front.id.starts_with(&name.to_ascii_lowercase()))
        || front.attack.iter().any(|mapping| mapping.technique.eq_ignore_ascii_case(name))
}

fn ambiguous(examined: &Examined, found: &[&Strategy], name: &str) -> Failure {
    let slugs = |strategies: &[&Strategy]| {
        strategies.iter().map(|strategy| strategy.front.slug.as_str()).collect::<Vec<_>>().join(", ")
    };
    if !found.is_empty() {
        return Failure::usage(
            format!("{} strategies are called `{name}`", found.len()),
            format!("name one of them: {}", slugs(found)),
        );
    }
    let all: Vec<&Strategy> = examined.strategies.iter().collect();
    let broken = examined.count() - examined.strategies.len();
    let lint = if broken > 0 {
        format!("; {broken} documents do not run, `watchkeeper strategy lint` says why")
    } else {
        String::new()
    };
    Failure::usage(format!("no strategy is called `{name}`"), format!("known: {}{lint}", slugs(&all)))
}

struct Page<W> {
    out: W,
    colour: bool,
}

impl<W: Write> Page<W> {
    fn paint(&self, code: &'static str) -> &'static str {
        if self.colour { code } else { "" }
    }

    /// A line of the head: a dim label and its text.
    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        let (dim, reset) = (self.paint(DIM), self.paint(RESET));
        writeln!(self.out, "{dim}{label:<11}{reset} {}", safe(text))
    }

    fn head(&mut self, strategy: &Strategy) -> io::Result<()> {
        let (head, front) = (strategy.head(), &strategy.front);
        let (bold, reset) = (self.paint(BOLD), self.paint(RESET));
        writeln!(
            self.out,
            "{bold}{}{reset}  ({}, version {})",
            safe(&head.title),
            head.slug,
            safe(&head.version)
        )?;
        self.line("id", &head.id)?;
        self.line("status", status(front.status))?;
        self.line("severity", front.severity.as_str())?;
        self.line("owners", &front.owners.join(", "))?;
        self.line("platforms", &front.platforms.join(", "))?;
        for technique in &head.techniques {
            let version = &head.attack_version;
            let text =
                format!("{} {} ({}), ATT&CK {version}", technique.id, technique.name, technique.tactic);
            self.line("technique", &text)?;
        }
        Ok(())
    }

    fn state(&mut self, strategy: &Strategy, examined: &Examined) -> io::Result<()> {
        let document = &strategy.document;
        let [errors, warnings] = [Severity::Error, Severity::Warning]
            .map(|severity| examined.findings(Some(&strategy.path), severity));
        let state = State::of(errors, true).as_str();
        self.line("state", &format!("{state}: {errors} errors, {warnings} warnings in lint"))?;
        let offer = Offer::examine();
        for signal in &strategy.front.requires {
            let presence = offer.presence(signal);
            self.line("needs", &format!("{signal} is {} ({})", presence.as_str(), presence.detail()))?;
        }
        for item in &document.items {
            let kind = match item {
                Item::Rule(_) => "rule",
                Item::Correlation(_) => "correlation",
                Item::Filter(_) => "filter",
            };
            let head = item.head();
            let level = head.level.unwrap_or(strategy.front.severity).as_str();
            self.line(kind, &format!("{} ({level}): {}", head.handle(), head.title))?;
        }
        let (passed, failed) = testing::counts(strategy, &examined.setting);
        self.line("tests", &format!("{passed} pass, {failed} fail"))?;
        for emulation in document.emulations.iter().map(|placed| &placed.value) {
            let rules: Vec<&str> = emulation.expect.iter().map(|expected| expected.rule.as_str()).collect();
            let raises = if rules.is_empty() {
                "benign control, raises nothing".to_owned()
            } else {
                format!("raises {}", rules.join(", "))
            };
            self.line("emulation", &format!("{}: {} ({raises})", emulation.id, emulation.act.trim()))?;
        }
        self.exceptions(strategy)?;
        let steps = document.playbooks.iter().flat_map(|playbook| &playbook.value.steps);
        let actions: Vec<&str> = steps.map(|step| step.action.as_str()).collect();
        self.line("playbook", &actions.join(" → "))?;
        writeln!(self.out)
    }

    fn exceptions(&mut self, strategy: &Strategy) -> io::Result<()> {
        if strategy.document.exceptions.is_empty() {
            return self.line("exceptions", "none");
        }
        let now = sense::kernel::wall_time();
        for exception in strategy.document.exceptions.iter().map(|placed| &placed.value) {
            let until = exception.expires;
            let state = if is_expired(until, now) {
                format!("EXPIRED on {until}, not honoured")
            } else {
                format!("until {until}")
            };
            let text =
                format!("{} ({state}; owner {}): {}", exception.id, exception.owner, exception.reason.trim());
            self.line("exception", &text)?;
        }
        Ok(())
    }

    /// The document's text: headings bold, blocks indented and dim.
    fn body(&mut self, text: &str) -> io::Result<()> {
        let mut fence: Option<String> = None;
        for line in body(text).lines() {
            let line = safe(line);
            let (bold, dim, reset) = (self.paint(BOLD), self.paint(DIM), self.paint(RESET));
            let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
            if let Some(opened) = &fence {
                let closes = ticks.len() >= opened.len() && line.trim() == ticks;
                if closes {
                    fence = None;
                } else {
                    writeln!(self.out, "{dim}    {line}{reset}")?;
                }
            } else if ticks.len() >= 3 {
                writeln!(self.out, "{dim}  {}{reset}", line.trim().trim_start_matches('`'))?;
                fence = Some(ticks);
            } else if line.starts_with('#') {
                writeln!(self.out, "{bold}{line}{reset}")?;
            } else {
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }
}

/// The text without anything that a terminal would act on. Backslashes and tabs of the document stay.
fn safe(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(LINE) {
        match c {
            '\\' => out.push(c),
            '\t' => out.push_str("    "),
            c => out.push_str(&escaped(c.encode_utf8(&mut [0; 4]), 1).to_string()),
        }
    }
    out
}

/// The document without its front matter.
fn body(text: &str) -> &str {
    text.strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(text, |(_, body)| body.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_indented_and_nothing_acts_on_the_terminal() {
        let mut page = Page { out: Vec::new(), colour: false };
        page.body("---\nads: 1\n---\n# T\n```yaml sigma\na: '\\d'\n```\ntext\u{1b}[2J\n").unwrap();
        let text = String::from_utf8(page.out).unwrap();
        assert_eq!(text, "# T\n  yaml sigma\n    a: '\\d'\ntext\\u{1b}[2J\n");
    }
}
