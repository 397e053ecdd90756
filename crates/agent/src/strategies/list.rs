//! `strategy list`: one line per strategy.

use super::{loaded, unwritable};
use crate::content::Document;
use crate::failure::{Exit, Failure};
use std::io::{self, Write};
use strategy::Strategy;
use strategy::sigma::Item;

/// Prints the table.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(documents: &[Document]) -> Result<Exit, Failure> {
    let strategies = loaded(documents);
    let rows: Vec<[String; 7]> = strategies.iter().map(row).collect();
    let head = ["SLUG", "SEVERITY", "TECHNIQUES", "SIGNALS", "RULES", "TESTS", "TITLE"].map(str::to_owned);
    let mut widths = head.each_ref().map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = io::stdout().lock();
    for row in std::iter::once(&head).chain(&rows) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end()).map_err(unwritable)?;
    }
    Ok(if strategies.len() == documents.len() { Exit::Fine } else { Exit::Findings })
}

fn row(strategy: &Strategy) -> [String; 7] {
    let front = &strategy.front;
    let head = strategy.head();
    let techniques: Vec<&str> = head.techniques.iter().map(|technique| technique.id.as_str()).collect();
    let rules = strategy.document.items.iter().filter(|item| !matches!(item, Item::Filter(_))).count();
    [
        front.slug.clone(),
        severity(strategy),
        techniques.join(","),
        front.requires.join(","),
        rules.to_string(),
        strategy.document.tests.len().to_string(),
        front.title.clone(),
    ]
}

/// The severity of the front matter, in its own words.
fn severity(strategy: &Strategy) -> String {
    format!("{:?}", strategy.front.severity).to_lowercase()
}
