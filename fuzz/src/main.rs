//! Fuzz targets: what comes from outside must not crash, hang or fill the memory.
//!
//! One program: TARGET names the target. With SEEDS it first writes into that folder what the target's fuzzing starts from.
//! `tests/fuzz.sh` builds and runs it; libFuzzer's own arguments follow. A target is a function of bytes in `targets`, which
//! panics where an answer is wrong.

#![no_main]

#[path = "../../crates/detect/examples/support/execs.rs"]
#[allow(dead_code, reason = "the benchmark uses the rest")]
mod execs;
#[path = "../../crates/agent/src/live/lines.rs"]
#[allow(dead_code, reason = "the agent uses the rest")]
mod lines;
#[path = "../../crates/agent/src/matching/events.rs"]
#[allow(dead_code, reason = "the agent uses the rest")]
mod matching;
#[path = "../../crates/agent/src/live/request.rs"]
#[allow(dead_code, reason = "the agent makes them, here they are read")]
mod request;
mod seeds;
#[path = "../../crates/detect/tests/suite/mod.rs"]
#[allow(dead_code, reason = "only the rules of the cases are used")]
mod suite;
mod targets;

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::OnceLock;

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(
    init: choose(),
    |bytes: &[u8]| {
        if let Some(run) = CHOSEN.get() {
            run(bytes);
        }
    }
);

fn choose() {
    let name = std::env::var("TARGET").unwrap_or_default();
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, run)) = found else {
        let known: Vec<&str> = targets::ALL.iter().map(|(known, _)| *known).collect();
        panic!("TARGET is `{name}`, expected one of {}", known.join(" "));
    };
    CHOSEN.get_or_init(|| *run);
    if let Ok(folder) = std::env::var("SEEDS") {
        seeds::write(&name, Path::new(&folder));
    }
}
