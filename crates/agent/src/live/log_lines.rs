//! Lines of system logs, as the engine reads them: the sensor process has opened them ([`super::logs`]), here they are looked
//! into.
//!
//! In: the pipe. Out: events. Programs that the audit log tells of are left to the kernel sensor. A line whose time is not
//! believed is of the time at which it was read.

use super::link::Lines;
use super::logs::FromLogs;
use crate::failure::Failure;
use event::health::{Loss, LossAt};
use event::{Event, Kind, Text};
use sense::kernel::{Decoder, boot_time, wait_readable};
use sense::logs::{Clock, Config, Executions, Parser};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The pipe, and what reads its lines.
pub struct Logs {
    lines: Lines<File>,
    parser: Parser,
}

impl Logs {
    /// Reads `pipe` with the patterns of `config`.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn new(pipe: File, config: &Config) -> Result<Self, Failure> {
        let parser = Parser::new(&config.pattern, Clock::live(), Executions::LeftOut).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "docs/logs.md says how a pattern under [[logs.pattern]] is written",
            )
        })?;
        Ok(Self { lines: Lines::new(pipe), parser })
    }

    /// Whether the other side has closed.
    pub fn ended(&self) -> bool {
        self.lines.ended()
    }

    /// Readable when lines wait.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.lines.inner().as_fd()
    }

    /// Appends the events of what waits to `batch`.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub fn read(&mut self, decoder: &Decoder, batch: &mut Vec<Event>) -> io::Result<()> {
        let Self { lines, parser } = self;
        let waits = lines.has_line() || wait_readable(&[lines.inner().as_fd()], Duration::ZERO)?;
        if lines.ended() && !lines.has_line() || !waits {
            return Ok(());
        }
        let lost = |count, what: &str| {
            let loss = Loss { at: LossAt::Log, count, detail: Text::resolved(what) };
            decoder.own(boot_time(), Kind::Loss(Box::new(loss)))
        };
        lines.read(|message: FromLogs| match message {
            FromLogs::Line { text, container, boot, wall } => {
                parser.clock().read_at(boot, wall);
                parser.read(&text, container, batch);
            }
            FromLogs::Lost { count, what } => batch.push(lost(count, &what)),
            FromLogs::State(health) => batch.push(decoder.own(boot_time(), Kind::Health(Box::new(health)))),
        })?;
        let unreadable = lines.take_unreadable();
        if unreadable > 0 {
            batch.push(lost(unreadable, "lines of the pipe of logs that are no messages"));
        }
        Ok(())
    }
}
