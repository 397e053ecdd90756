//! What clouds and log shippers wrap around audit events.
//!
//! | shape | of |
//! |---|---|
//! | the event itself | the log backend, kubeadm, EKS |
//! | `{"kind": "EventList", "items": [EVENT…]}` | the webhook backend |
//! | `{"logEvents": [{"message": "EVENT"}…]}` | EKS in CloudWatch's subscriptions |
//! | `{"category": "kube-audit", "properties": {"log": "EVENT"}}`, `{"records": [those…]}` | AKS in Azure Monitor |
//! | `{"protoPayload": {"methodName": "io.k8s.…"}}` | GKE in Cloud Logging (`gke`) |
//! | `{"message": "EVENT"}`, `{"log": "EVENT"}` | shippers of container logs |
//!
//! Shapes may stand in each other, at most [`DEPTH`] deep. Source: the documentation of these services.

use super::{Line, gke};
use serde_json::Value;

/// How deep shapes stand in each other: a list of records, a record, its event.
const DEPTH: u32 = 4;
/// Events that are read of one line.
const EVENTS: usize = 10_000;
/// Members that hold several.
const LISTS: [&str; 3] = ["items", "records", "logEvents"];
/// Members that hold one, as text or object.
const INNER: [&str; 3] = ["/properties/log", "/message", "/log"];

/// What a line holds.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    /// Its requests.
    pub(super) lines: Vec<Line>,
    /// What could not be read of it first.
    pub(super) unread: Option<String>,
}

/// The requests of `value`.
pub(super) fn unwrap(value: Value) -> Result<Unwrapped, String> {
    let mut unwrapped = Unwrapped::default();
    add(value, DEPTH, &mut unwrapped);
    match unwrapped {
        Unwrapped { lines, unread: Some(reason) } if lines.is_empty() => Err(reason),
        unwrapped => Ok(unwrapped),
    }
}

fn add(value: Value, depth: u32, unwrapped: &mut Unwrapped) {
    if depth == 0 || unwrapped.lines.len() >= EVENTS {
        let reason = if depth == 0 { "wrapped too deep" } else { "more than 10,000 events in a line" };
        unwrapped.unread.get_or_insert_with(|| reason.to_owned());
        return;
    }
    let Value::Object(mut object) = value else {
        unwrapped.unread.get_or_insert_with(|| "not an object".to_owned());
        return;
    };
    let is_event = object.contains_key("verb");
    if let Some(payload) = object.remove("protoPayload") {
        unwrapped.lines.extend(gke::line(&payload, &Value::Object(object)));
        return;
    }
    for name in LISTS {
        if let (false, Some(Value::Array(items))) = (is_event, object.get_mut(name)) {
            std::mem::take(items).into_iter().for_each(|item| add(item, depth - 1, unwrapped));
            return;
        }
    }
    let mut value = Value::Object(object);
    let inner = INNER.iter().find(|path| !is_event && value.pointer(path).is_some());
    if let Some(inner) = inner.and_then(|path| value.pointer_mut(path)).map(Value::take) {
        let inner = match inner {
            Value::String(text) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            inner => Ok(inner),
        };
        match inner {
            Ok(inner) => add(inner, depth - 1, unwrapped),
            Err(reason) => {
                unwrapped.unread.get_or_insert(reason);
            }
        }
        return;
    }
    match serde_json::from_value(value) {
        Ok(line) => unwrapped.lines.push(line),
        Err(error) => {
            unwrapped.unread.get_or_insert_with(|| error.to_string());
        }
    }
}
