//! `replay`: the same pipeline over recordings, in event time.
//!
//! A recording holds what crossed from sense to enrich in arrival order, so the alerts are those of the live run. Captures
//! and logs of other sensors become the same events.

use crate::cli;
use crate::config::Config;
use crate::content;
use crate::exceptions;
use crate::failure::{Exit, Failure, say};
use crate::intel;
use crate::live;
use crate::pipeline::Pipeline;
use crate::recording::{Beside, Recording, Recordings};
use crate::strategies::{self, Checked};
use std::io::{self, BufWriter, Write};

/// Runs `replay`.
///
/// # Errors
/// A file that cannot be read or is of no known kind; a configuration or strategies that are wrong.
pub fn run(args: &cli::Replay) -> Result<Exit, Failure> {
    let config = Config::load(args.judging.config.as_deref())?;
    let documents = content::load(args.judging.strategies.as_deref())?;
    let Checked { strategies, engine } = strategies::check(&documents, &config)?;
    let lists = intel::load(&config)?;
    let mut ready = Some(engine);
    let mut out = BufWriter::new(io::stdout());
    let mut raised = 0;
    let mut recordings = Recordings::new(&args.files, args.kind).with_patterns(&config.logs.pattern);
    while let Some(mut recording) = recordings.next()? {
        let format = live::form(args.judging.format).into();
        let mut engine = match ready.take() {
            Some(engine) => engine,
            // What of them cannot run has been said.
            None => strategies::compile(&strategies, &config)?.0,
        };
        engine.take_lists(lists.clone());
        let mut pipeline = Pipeline::new(engine, &config, format, recording.host());
        raised += play(&mut recording, &mut pipeline, &mut out)?;
        exceptions::uses(&strategies, &pipeline.exceptions()).iter().for_each(|sentence| say(sentence));
    }
    Ok(if raised > 0 { Exit::Findings } else { Exit::Fine })
}

/// Plays everything; returns the alerts raised.
fn play(recording: &mut Recording, pipeline: &mut Pipeline, out: &mut impl Write) -> Result<u64, Failure> {
    let broken = |error: io::Error| Failure::output(&error);
    let bar = recording.bar();
    let out = &mut Beside { out, bar: &bar };
    while let Some(event) = recording.next_event()? {
        pipeline.push(event, out).map_err(broken)?;
    }
    pipeline.finish(out).map_err(broken)?;
    Ok(pipeline.raised())
}
