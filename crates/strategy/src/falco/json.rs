//! Conditions over JSON events in Falco's own form.
//!
//! In: a condition. Out: its [`Plan`] over names. Falco puts the fields of an event under `output_fields`, by their own
//! names with dots and arguments; a field may also stand at the top, or along a path (`{"proc": {"name": …}}`).

use super::expression::{Check, Expression};
use super::plan::{self, Computed, Fields, Kind, Meaning, Plan};

/// The map that holds the fields in Falco's output.
const OUTPUT_FIELDS: &str = "output_fields";

/// The plan of a condition over JSON events.
///
/// # Errors
/// The first check that cannot run, with the reason.
pub fn plan(condition: &Expression) -> Result<Plan<String>, String> {
    plan::plan(condition, &Names)
}

struct Names;

impl Fields for Names {
    type Field = String;

    fn field(&self, name: &str, argument: Option<&str>) -> Meaning<String> {
        let name = match argument {
            None => name.to_owned(),
            Some(argument) => format!("{name}[{argument}]"),
        };
        let kind = if is_address(&name) { Kind::Address } else { Kind::Unknown };
        let places = [format!("{OUTPUT_FIELDS}.{name}"), name];
        Meaning::Any(places.map(|name| (Plan::Always(true), Computed::Field(name))).into(), kind)
    }

    fn special(&self, _check: &Check) -> Option<Plan<String>> {
        None
    }
}

/// Fields that hold an address or ask for a block of them.
fn is_address(name: &str) -> bool {
    const NAMES: [&str; 10] = ["ip", "cip", "sip", "lip", "rip", "net", "cnet", "snet", "lnet", "rnet"];
    name.strip_prefix("fd.").is_some_and(|name| NAMES.contains(&name))
}
