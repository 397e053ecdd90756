//! A layer for the ATT&CK Navigator, format 4.5 (`layers/spec/v4.5` of mitre-attack/attack-navigator).
//!
//! In: the matrix. Out: a JSON file: each covered cell with a score of 1 (covered), 2 (tested) or 3 (emulated), and the
//! strategies by name.

use super::coverage::{Cell, Matrix, PLATFORMS};
use crate::failure::Failure;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use strategy::attack;

/// Oldest Navigator that reads the format is 4.9.0; the format's document names this one.
const NAVIGATOR: &str = "5.2.0";
/// Colours of the scores 1 to 3.
const COLOURS: [&str; 3] = ["#cfe8f3", "#73bfe2", "#1696d2"];

/// Writes the layer to `path`.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, matrix: &Matrix) -> Result<(), Failure> {
    let text = format!("{:#}\n", layer(matrix));
    std::fs::write(path, text).map_err(|error| {
        Failure::usage(
            format!("cannot write the layer {}: {error}", path.display()),
            "give --navigator a path in a writable directory",
        )
    })
}

/// The layer.
pub fn layer(matrix: &Matrix) -> Value {
    let legend: Vec<Value> = ["covered", "tested", "emulated"]
        .iter()
        .zip(COLOURS)
        .map(|(label, color)| json!({"label": label, "color": color}))
        .collect();
    let covered = matrix.cells.iter().filter(|cell| cell.score() > 0);
    json!({
        "name": "Watchkeeper",
        "versions": {"attack": attack::version(), "navigator": NAVIGATOR, "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "What the strategies cover (1), test (2) and emulate live (3).",
        "filters": {"platforms": PLATFORMS.map(|(platform, _)| platform)},
        "sorting": 0,
        "layout": {"layout": "side", "showID": true, "showName": true, "expandedSubtechniques": "annotated"},
        "hideDisabled": false,
        "techniques": covered.map(technique).collect::<Vec<_>>(),
        "gradient": {"colors": COLOURS, "minValue": 1, "maxValue": 3},
        "legendItems": legend,
    })
}

fn technique(cell: &Cell) -> Value {
    let list = |slugs: &BTreeSet<String>| slugs.iter().cloned().collect::<Vec<_>>().join(", ");
    let metadata: Vec<Value> =
        [("covered by", &cell.covered), ("tested by", &cell.tested), ("emulated by", &cell.emulated)]
            .iter()
            .filter(|(_, slugs)| !slugs.is_empty())
            .map(|(name, slugs)| json!({"name": name, "value": list(slugs)}))
            .collect();
    json!({
        "techniqueID": cell.technique.id,
        "tactic": cell.tactic.short,
        "score": cell.score(),
        "enabled": true,
        "comment": list(&cell.covered),
        "metadata": metadata,
    })
}
