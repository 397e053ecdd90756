//! The pipeline: sense → enrich → detect → respond. The only wiring of the stages; live and replay both run it.

use crate::config::Config;
use crate::live::Touched;
use detect::Engine;
use enrich::Enricher;
use event::change::Look;
use event::{Alert, Event, Kind, Sensor};
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
    touched: Touched,
    looks: Vec<Look>,
    raised: u64,
    lost: u64,
}

impl Pipeline {
    /// A pipeline that judges with `engine` and prints alerts in `format`.
    pub fn new(engine: Engine, config: &Config, format: Format, host: Host) -> Self {
        Self {
            enricher: Enricher::new(config.enrich.clone()),
            engine,
            format,
            host,
            enriched: Vec::new(),
            alerts: Vec::new(),
            touched: Touched::default(),
            looks: Vec::new(),
            raised: 0,
            lost: 0,
        }
    }

    /// The same, with an eye on what touches watched files.
    pub fn touching(self, touched: Touched) -> Self {
        Self { touched, ..self }
    }

    /// The looks at watched files that follow from what was pushed since the last call.
    pub fn take_looks(&mut self) -> Vec<Look> {
        std::mem::take(&mut self.looks)
    }

    /// What the engine had to give up so far for lack of room: state of correlations and analytics.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// What each exception did so far.
    pub fn exceptions(&self) -> Vec<detect::ExceptionUse> {
        self.engine.stats().exceptions
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

    /// Losses of the engine itself become events like any other, at the tick that finds them. They are not recorded:
    /// the replay loses the same.
    fn judge(&mut self, out: &mut impl Write) -> io::Result<()> {
        for event in self.enriched.drain(..) {
            self.looks.extend(self.touched.look(&event));
            let tick = matches!(event.kind, Kind::Tick).then_some((event.boot, event.wall));
            self.engine.push(event, &mut self.alerts);
            let Some((boot, wall)) = tick else { continue };
            for loss in self.engine.take_losses() {
                self.lost += loss.count;
                let mut event = Event::new(Sensor::Own, boot, Kind::Loss(Box::new(loss)));
                event.wall = wall;
                self.engine.push(event, &mut self.alerts);
            }
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
