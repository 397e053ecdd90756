//! The pipeline: sense → enrich → detect → respond. The only wiring of the stages; live and replay both run it.

use detect::Engine;
use enrich::Enricher;
use event::{Alert, Event};
use respond::{Format, Host};
use std::io::{self, Write};

/// The stages behind the sensors, with what they need to print.
pub struct Pipeline {
    enricher: Enricher,
    engine: Engine,
    format: Format,
    host: Host,
    enriched: Vec<Event>,
    alerts: Vec<Alert>,
    raised: u64,
}

impl Pipeline {
    /// A pipeline that prints alerts in `format`.
    pub fn new(enricher: Enricher, engine: Engine, format: Format, host: Host) -> Self {
        Self { enricher, engine, format, host, enriched: Vec::new(), alerts: Vec::new(), raised: 0 }
    }

    /// Takes one event through all stages.
    ///
    /// # Errors
    /// Alerts could not be written to `out`.
    pub fn push(&mut self, event: Event, out: &mut impl Write) -> io::Result<()> {
        self.enricher.push(event, &mut self.enriched);
        self.judge(out)
    }

    /// Ends all holds and windows.
    ///
    /// # Errors
    /// Alerts could not be written to `out`.
    pub fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.enricher.finish(&mut self.enriched);
        self.judge(out)?;
        self.engine.finish(&mut self.alerts);
        self.deliver(out)
    }

    /// Alerts raised so far: groups, not their updates.
    pub fn raised(&self) -> u64 {
        self.raised
    }

    /// The detection stage, for its health.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn judge(&mut self, out: &mut impl Write) -> io::Result<()> {
        for event in self.enriched.drain(..) {
            self.engine.push(event, &mut self.alerts);
        }
        if self.alerts.is_empty() { Ok(()) } else { self.deliver(out) }
    }

    fn deliver(&mut self, out: &mut impl Write) -> io::Result<()> {
        for alert in self.alerts.drain(..) {
            self.raised += u64::from(alert.activity == event::alert::Activity::Create);
            out.write_all(self.format.render(&alert, &self.host).as_bytes())?;
        }
        out.flush()
    }
}
