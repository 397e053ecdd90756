//! Writing a recording. A disk that is full ends the recording with a message and a loss event, not the watch.

use event::health::{Loss, LossAt};
use event::recording::{self, Head};
use event::{Event, Kind, Text};
use std::io::{self, BufWriter, Write};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A recording that is being written.
pub struct Recorder<W: Write> {
    out: Option<BufWriter<W>>,
    unwritten: u64,
    failure: Option<String>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with its head.
    pub fn new(out: W, head: &Head) -> Self {
        let mut recorder =
            Self { out: Some(BufWriter::with_capacity(BUFFER, out)), unwritten: 0, failure: None };
        match serde_json::to_string(head) {
            Ok(line) => recorder.line(&line),
            Err(error) => recorder.end(&error.into()),
        }
        recorder
    }

    /// Writes one event.
    pub fn event(&mut self, event: &Event) {
        if self.out.is_none() {
            self.unwritten += 1;
            return;
        }
        match recording::to_line(event) {
            Ok(line) => self.line(&line),
            Err(error) => self.end(&error.into()),
        }
    }

    /// Writes out what is gathered.
    pub fn flush(&mut self) {
        if let Some(Err(error)) = self.out.as_mut().map(Write::flush) {
            self.end(&error);
        }
    }

    /// Why the recording ended, once.
    pub fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// What was not written since the last call, as a loss.
    pub fn take_loss(&mut self) -> Option<Kind> {
        let count = std::mem::take(&mut self.unwritten);
        (count > 0).then(|| {
            Kind::Loss(Box::new(Loss {
                at: LossAt::Recording,
                count,
                detail: Text::resolved("events not recorded"),
            }))
        })
    }

    fn line(&mut self, line: &str) {
        let Some(out) = &mut self.out else { return };
        let written = out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n"));
        if let Err(error) = written {
            self.end(&error);
        }
    }

    fn end(&mut self, error: &io::Error) {
        self.unwritten += 1;
        self.failure = Some(format!("the recording ended: {error}"));
        if let Some(out) = self.out.take() {
            // What is buffered cannot be written any more; dropping it unflushed avoids a second error.
            let _ = out.into_parts();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{BootTime, Sensor};

    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_ends_the_recording_once_and_counts_what_is_missing() {
        let mut recorder = Recorder::new(Full(500_000), &Head::new("0", "h", "k"));
        let tick = Event::new(Sensor::Own, BootTime(1), Kind::Tick);
        for _ in 0..20_000 {
            recorder.event(&tick);
        }
        recorder.flush();
        assert!(recorder.take_failure().unwrap().contains("the recording ended"));
        assert!(recorder.take_failure().is_none());
        assert!(matches!(recorder.take_loss(), Some(Kind::Loss(loss)) if loss.count > 0));
    }
}
