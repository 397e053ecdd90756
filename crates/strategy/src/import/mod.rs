//! Strategy documents made of rules: a start for whoever writes the rest.
//!
//! In: a rule of Falco or Sigma. Out: the text of a document with all ten sections. What the rule says stands in them;
//! what it does not say is marked `TODO`, so that `strategy lint` names it. Nothing is invented. A condition is put into
//! the document where Sigma can say exactly the same, and else as text with the reason.

mod falco;
mod sigma;
mod translate;

pub use falco::document as of_falco;
pub use sigma::document as of_sigma;

use crate::attack::{self, Technique};
use event::alert::Severity;
use std::fmt::Write;

/// A document that was made of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its short name, also that of its file.
    pub slug: String,
    /// Its text.
    pub text: String,
    /// Why it has no rule yet: what Sigma cannot say.
    pub untranslated: Vec<String>,
}

/// What of a document a rule gives.
struct Draft<'r> {
    title: &'r str,
    id: String,
    severity: Severity,
    /// Short names of tactics with techniques, and what tags could not be read.
    attack: Vec<(&'static str, &'static str)>,
    signals: Vec<&'static str>,
    goal: &'r str,
    /// Paragraphs and blocks of the Strategy Abstract.
    strategy: String,
    priority: String,
    false_positives: &'r [String],
    references: &'r [String],
}

/// The mark of an open end.
const OPEN: &str = "TODO";

impl Draft<'_> {
    fn slug(&self) -> String {
        let mut slug = String::new();
        for letter in self.title.chars() {
            if letter.is_ascii_alphanumeric() {
                slug.push(letter.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_end_matches('-');
        let end = slug.len().min(80);
        let slug = slug.get(..end).unwrap_or(slug).trim_end_matches('-');
        if slug.is_empty() { self.id.clone() } else { slug.to_owned() }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        self.front_matter(out)?;
        writeln!(out, "# {}\n", line(self.title))?;
        writeln!(out, "## Goal\n\n{}\n", prose(self.goal))?;
        writeln!(out, "## Categorization\n")?;
        for (tactic, technique) in &self.attack {
            let name = attack::technique(technique).map_or("", |technique| technique.name);
            writeln!(out, "* {tactic}: {technique} {name}")?;
        }
        if self.attack.is_empty() {
            writeln!(out, "{OPEN}: name tactics and techniques of ATT&CK; the rule names none that exists.")?;
        }
        writeln!(out, "\n## Strategy Abstract\n\n{}", self.strategy)?;
        writeln!(
            out,
            "## Technical Context\n\n{OPEN}: explain what a responder must know of the technique.\n"
        )?;
        writeln!(
            out,
            "## Blind Spots and Assumptions\n\n{OPEN}: say what must hold, and what the rule does not see.\n"
        )?;
        writeln!(out, "## False Positives\n")?;
        for cause in self.false_positives {
            writeln!(out, "* {}", line(cause))?;
        }
        let gap = if self.false_positives.is_empty() { "" } else { "\n" };
        writeln!(out, "{gap}{OPEN}: name harmless causes, each with a test that stays silent.\n")?;
        writeln!(out, "## Priority\n\n{}\n", self.priority)?;
        writeln!(out, "## Validation\n\n{OPEN}: give events that raise the alert, as tests.\n")?;
        writeln!(out, "## Response\n\n{OPEN}: say what to do, step by step, with a playbook.\n")?;
        writeln!(out, "## Additional Resources\n")?;
        for reference in self.references {
            writeln!(out, "* {}", line(reference))?;
        }
        if self.references.is_empty() {
            writeln!(out, "{OPEN}: name sources; the rule names none.")?;
        }
        Ok(())
    }

    fn front_matter(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "---\nads: 1\nid: {}\nslug: {}", self.id, self.slug())?;
        writeln!(out, "title: {}\nstatus: experimental\nversion: \"0.1\"", quoted(self.title))?;
        writeln!(out, "severity: {}\nattack_version: \"{}\"", self.severity.as_str(), attack::version())?;
        let mapping =
            |(tactic, technique): &(_, _)| format!("  - {{tactic: {tactic}, technique: {technique}}}\n");
        let mappings: String = self.attack.iter().map(mapping).collect();
        match mappings.as_str() {
            "" => writeln!(out, "attack: []")?,
            mappings => write!(out, "attack:\n{mappings}")?,
        }
        writeln!(out, "platforms: [linux, containers]\nrequires: [{}]", self.signals.join(", "))?;
        writeln!(out, "owners: [{OPEN}]\nrelated: []\n---\n")
    }
}

/// Techniques that tags name, each with a tactic that it serves: one of the tags where there is one. Ids that were
/// revoked are followed to their successors.
fn mapped(tags: &[String]) -> Vec<(&'static str, &'static str)> {
    let tactics: Vec<&str> = tags
        .iter()
        .filter_map(|tag| {
            let name = tag.strip_prefix("mitre_").or_else(|| tag.strip_prefix("attack."))?;
            attack::tactic(&name.replace('_', "-")).map(|tactic| tactic.short)
        })
        .collect();
    let mut found = Vec::new();
    for tag in tags {
        let id = tag.strip_prefix("attack.").unwrap_or(tag).to_ascii_uppercase();
        let Some(technique) = attack::technique(&id).and_then(Technique::successor) else { continue };
        let named = technique.tactics.iter().find(|tactic| tactics.contains(tactic));
        let Some(tactic) = named.or_else(|| technique.tactics.first()) else { continue };
        if !found.contains(&(*tactic, technique.id)) {
            found.push((*tactic, technique.id));
        }
    }
    found
}

/// A UUID (RFC 9562, version 8) that the same `namespace` and `name` always have: a rule that is imported again keeps it.
fn uuid(namespace: &str, name: &str) -> String {
    // FNV-1a of 128 bits.
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in namespace.bytes().chain([0]).chain(name.bytes()) {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let version_and_variant = (hash & !(0xf << 76) & !(0x3 << 62)) | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{version_and_variant:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("").to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Text of a rule as a line of Markdown.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text of a rule as paragraphs: nothing in it begins a heading or a block.
fn prose(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.trim();
        let escape = if line.starts_with(['#', '`', '~', '=', '-', '<', '|']) { "\\" } else { "" };
        format!("{escape}{line}")
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A YAML text in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// `text` in a fence that it cannot close.
fn fenced(info: &str, text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{info}\n{}\n{fence}\n", text.trim_end())
}
