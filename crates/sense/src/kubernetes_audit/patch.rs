//! A patch that is a list of operations (RFC 6902), as the part of the object that it writes.
//!
//! What an operation adds or replaces stands at its path; what it does to items of a list becomes a list of them,
//! whatever their number. Others are left out.

use serde_json::{Map, Value};

/// Operations that are read.
const OPERATIONS: usize = 64;
/// How deep a path may lead.
const DEPTH: usize = 16;

/// The object that the operations of `patch` write.
pub(super) fn placed(patch: &Value) -> Value {
    let mut object = Value::Object(Map::new());
    for operation in patch.as_array().into_iter().flatten().take(OPERATIONS) {
        let of = |name| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let path: Vec<&str> = of("path").split('/').skip(1).collect();
        if matches!(of("op"), "add" | "replace") && path.len() <= DEPTH {
            put(&mut object, &path, operation.get("value").cloned().unwrap_or_default());
        }
    }
    object
}

fn put(at: &mut Value, path: &[&str], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        *at = value;
        return;
    };
    if *name == "-" || name.parse::<u32>().is_ok() {
        if !at.is_array() {
            *at = Value::Array(Vec::new());
        }
        let Value::Array(items) = at else { return };
        let mut item = Value::Null;
        put(&mut item, rest, value);
        items.push(item);
        return;
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let Value::Object(members) = at else { return };
    // RFC 6901: `~1` is a slash in a name, `~0` a tilde.
    let name = name.replace("~1", "/").replace("~0", "~");
    put(members.entry(name).or_insert(Value::Null), rest, value);
}
