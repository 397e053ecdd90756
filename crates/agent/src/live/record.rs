//! Writing a recording. A disk that is full ends the recording with a message and a loss event, not the watch.

use event::health::{Loss, LossAt};
use event::recording::{self, Head};
use event::{Event, Kind, Text};
use std::io::{self, Write};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A recording that is being written.
pub struct Recorder<W: Write> {
    /// `None` once writing has failed.
    out: Option<W>,
    /// Whole lines that are not written yet.
    gathered: Vec<u8>,
    unwritten: u64,
    failure: Option<String>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with its head.
    pub fn new(out: W, head: &Head) -> Self {
        let mut recorder =
            Self { out: Some(out), gathered: Vec::with_capacity(BUFFER), unwritten: 0, failure: None };
        match serde_json::to_string(head) {
            Ok(line) => recorder.line(&line),
            Err(error) => recorder.end(&error.into()),
        }
        recorder.flush();
        // The head is no event.
        recorder.unwritten = 0;
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
            Err(error) => {
                self.unwritten += 1;
                self.end(&error.into());
            }
        }
    }

    /// Writes out what is gathered.
    pub fn flush(&mut self) {
        let Some(out) = &mut self.out else { return };
        let mut rest = self.gathered.as_slice();
        let result = loop {
            if rest.is_empty() {
                break out.flush();
            }
            match out.write(rest) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let lines = rest.iter().filter(|byte| **byte == b'\n').count();
        self.gathered.clear();
        if let Err(error) = result {
            self.unwritten += u64::try_from(lines).unwrap_or(u64::MAX);
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
        self.gathered.extend_from_slice(line.as_bytes());
        self.gathered.push(b'\n');
        if self.gathered.len() >= BUFFER {
            self.flush();
        }
    }

    fn end(&mut self, error: &io::Error) {
        self.failure = Some(format!("the recording ended: {error}; the watch goes on without it"));
        self.out = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{BootTime, Sensor};

    /// Takes this many bytes, the last ones in part.
    struct Full<'a>(usize, &'a std::cell::RefCell<Vec<u8>>);
    impl Write for Full<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.0);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= count;
            self.1.borrow_mut().extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn whole_lines(written: &[u8]) -> u64 {
        written.iter().filter(|byte| **byte == b'\n').count() as u64
    }

    #[test]
    fn a_full_disk_ends_the_recording_once_and_counts_exactly_what_is_missing() {
        for room in [0, 1, 300, 300_000, 500_000] {
            let written = std::cell::RefCell::new(Vec::new());
            let mut recorder = Recorder::new(Full(room, &written), &Head::new("0", "h", "k"));
            let tick = Event::new(Sensor::Own, BootTime(1), Kind::Tick);
            for _ in 0..20_000 {
                recorder.event(&tick);
            }
            recorder.flush();
            assert!(recorder.take_failure().unwrap().contains("the recording ended"));
            assert!(recorder.take_failure().is_none());
            let Some(Kind::Loss(loss)) = recorder.take_loss() else { panic!("no loss with room for {room}") };
            let recorded = whole_lines(&written.borrow()).saturating_sub(1);
            assert_eq!(recorded + loss.count, 20_000, "with room for {room}");
        }
    }
}
