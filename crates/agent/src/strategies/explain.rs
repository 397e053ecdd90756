//! `strategy explain`: a document in the terminal, with what the program makes of it.

use super::{loaded, unwritable};
use crate::cli::Explain;
use crate::content;
use crate::failure::{Exit, Failure};
use crate::live;
use std::io::{self, Write};
use strategy::Strategy;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Shows the strategy that `args.id` names: by id, slug, or technique.
///
/// # Errors
/// No strategy, or several, have that name.
pub fn run(args: &Explain) -> Result<Exit, Failure> {
    let strategies = loaded(&content::load(args.strategies.as_deref())?);
    let found: Vec<&Strategy> = strategies.iter().filter(|strategy| named(strategy, &args.id)).collect();
    let [strategy] = found[..] else {
        let slugs: Vec<&str> = strategies.iter().map(|strategy| strategy.front.slug.as_str()).collect();
        return Err(Failure::usage(
            format!("{} strategies are called `{}`", found.len(), args.id),
            format!("known: {}", slugs.join(", ")),
        ));
    };
    show(strategy).map_err(unwritable)?;
    Ok(Exit::Fine)
}

fn named(strategy: &Strategy, name: &str) -> bool {
    let front = &strategy.front;
    front.id == name
        || front.slug == name
        || front.attack.iter().any(|mapping| mapping.technique.eq_ignore_ascii_case(name))
}

fn show(strategy: &Strategy) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let colour = live::colour_wanted();
    let paint = |code: &'static str| if colour { code } else { "" };
    let head = strategy.head();
    writeln!(
        out,
        "{}{}{}  ({}, version {})",
        paint(BOLD),
        head.title,
        paint(RESET),
        head.slug,
        head.version
    )?;
    writeln!(out, "{}id{}          {}", paint(DIM), paint(RESET), head.id)?;
    for technique in &head.techniques {
        writeln!(
            out,
            "{}technique{}   {} {} ({}), ATT&CK {}",
            paint(DIM),
            paint(RESET),
            technique.id,
            technique.name,
            technique.tactic,
            head.attack_version
        )?;
    }
    writeln!(out, "{}needs{}       {}", paint(DIM), paint(RESET), strategy.front.requires.join(", "))?;
    for item in &strategy.document.items {
        let item = item.head();
        writeln!(out, "{}rule{}        {}: {}", paint(DIM), paint(RESET), item.handle(), item.title)?;
    }
    writeln!(out)?;
    for line in body(&strategy.text).lines() {
        if line.starts_with('#') {
            writeln!(out, "{}{line}{}", paint(BOLD), paint(RESET))?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The document without its front matter.
fn body(text: &str) -> &str {
    text.strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(text, |(_, body)| body.trim_start())
}
