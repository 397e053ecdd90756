//! Tables for people: columns as wide as their widest cell, two blanks between them, the last one ragged.

use respond::escape::escaped;
use std::io::{self, Write};

/// Longest cell that is shown, in characters.
const CELL: usize = 160;

/// Writes `head` and `rows`. What a cell holds cannot act on the terminal.
///
/// # Errors
/// `out` cannot be written.
pub fn write<const N: usize>(out: &mut impl Write, head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let head = head.map(str::to_owned);
    let rows: Vec<[String; N]> = std::iter::once(&head)
        .chain(rows)
        .map(|row| row.each_ref().map(|cell| escaped(cell, CELL).to_string()))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_nothing_acts_on_the_terminal() {
        let mut out = Vec::new();
        let rows = [["a\u{1b}[2J".to_owned(), "x".to_owned()], ["b".to_owned(), String::new()]];
        write(&mut out, ["NAME", "WHAT"], &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "NAME        WHAT\na\\u{1b}[2J  x\nb\n");
    }
}
