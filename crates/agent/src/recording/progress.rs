//! How far a file is read, on standard error where that is a terminal.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps in which the bar moves.
const STEPS: u64 = 200;
/// Letters of a whole bar.
const WIDTH: u64 = 40;
/// Smaller files are read before anybody could look.
const SMALLEST_BYTES: u64 = 4 << 20;
const MEBIBYTE: u64 = 1 << 20;

/// A bar that is drawn, or none.
#[derive(Debug)]
pub struct Bar {
    /// Bytes of the file, 0 where nothing is drawn.
    total: u64,
    read: Arc<AtomicU64>,
    /// The step that is shown, from 1.
    step: Cell<u64>,
    is_shown: Cell<bool>,
}

impl Bar {
    /// A bar for a file of `total` bytes, or one that is never drawn.
    pub fn new(total: Option<u64>) -> Self {
        let wanted = total.filter(|total| *total >= SMALLEST_BYTES && io::stderr().is_terminal());
        Self {
            total: wanted.unwrap_or(0),
            read: Arc::default(),
            step: Cell::new(0),
            is_shown: Cell::new(false),
        }
    }

    /// Draws it where the file was read further.
    pub fn draw(&self) {
        if self.total == 0 {
            return;
        }
        let read = self.read.load(Ordering::Relaxed).min(self.total);
        let step = 1 + read.saturating_mul(STEPS) / self.total;
        if step == self.step.replace(step) && self.is_shown.get() {
            return;
        }
        self.is_shown.set(true);
        // Standard error may be closed; the work goes on.
        let _ = write!(io::stderr(), "\r{}", text(read, self.total));
    }

    /// Takes it away before something else is printed.
    pub fn clear(&self) {
        if self.is_shown.replace(false) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn text(read: u64, total: u64) -> String {
    let full = read.saturating_mul(WIDTH) / total.max(1);
    let mut text = String::from("[");
    for place in 0..WIDTH {
        text.push(if place < full { '#' } else { ' ' });
    }
    let percent = read.saturating_mul(100) / total.max(1);
    let _ = write!(text, "] {percent:>3} % of {} MiB", total / MEBIBYTE);
    text
}

/// Counts what is read of a file.
#[derive(Debug)]
pub struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// Counts for `bar`.
    pub fn new(inner: R, bar: &Bar) -> Self {
        Self { inner, read: bar.read.clone() }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// An output that takes the bar away before it prints.
#[derive(Debug)]
pub struct Beside<'a, W> {
    /// The output.
    pub out: W,
    /// The bar.
    pub bar: &'a Bar,
}

impl<W: Write> Write for Beside<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.clear();
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_file_is_read() {
        assert_eq!(text(0, 8 << 20), format!("[{}]   0 % of 8 MiB", " ".repeat(40)));
        let half = format!("[{}{}]  50 % of 8 MiB", "#".repeat(20), " ".repeat(20));
        assert_eq!(text(4 << 20, 8 << 20), half);
        assert!(text(8 << 20, 8 << 20).starts_with(&format!("[{}] 100 %", "#".repeat(40))));
    }
}
