//! Lists of JSON: which of the schemas they are.
//!
//! In: the bytes of a whole file. Out: what it says, to the builder's latest list. STIX bundles have `objects`; MISP's events
//! have `Event`, alone, in a list, or below `response`. MISP's warning lists name what is harmless and are refused. The whole
//! is held as a tree while it is read, which takes about ten times the bytes: whoever reads files limits them.

use super::{Builder, NotUnderstood, misp, stix};
use serde_json::Value;

/// Lists in lists, as MISP's answers have them: more are no schema.
const MOST_NESTED: usize = 4;

impl Builder {
    /// Adds what the JSON of the latest list says. Objects and attributes are counted from 1.
    pub fn json(&mut self, bytes: &[u8]) {
        let mut number = 0;
        match serde_json::from_str(&String::from_utf8_lossy(bytes)) {
            Ok(document) => self.document(&document, &mut number, MOST_NESTED),
            Err(_) => self.refuse(1, NotUnderstood::Schema),
        }
    }

    fn document(&mut self, document: &Value, number: &mut u64, nested: usize) {
        let many = document.as_array().or_else(|| document.get("response")?.as_array());
        match (many, nested.checked_sub(1)) {
            (Some(many), Some(nested)) => many.iter().for_each(|one| self.document(one, number, nested)),
            (Some(_), None) => self.refuse(1, NotUnderstood::Schema),
            (None, _) => self.schema(document, number),
        }
    }

    fn schema(&mut self, document: &Value, number: &mut u64) {
        if let Some(event) = document.get("Event") {
            misp::read(event, number, self);
        } else if let Some(objects) = document.get("objects").and_then(Value::as_array) {
            stix::read(objects, number, self);
        } else if document.get("matching_attributes").is_some() {
            self.refuse(1, NotUnderstood::Harmless);
        } else {
            self.refuse(1, NotUnderstood::Schema);
        }
    }
}

/// The text under a key; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The list under a key; empty where there is none.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
