//! Kubernetes audit log lines to events.
//!
//! In: a line of JSON: an `audit.k8s.io` event as the log backend writes it, a list of them as the webhook backend
//! posts it, or what Amazon EKS, Google GKE and Azure AKS wrap around them (`envelope`). Out: an API activity event for
//! each request, with what the object of its body asks for (`object`). Left out on purpose: the stage
//! `RequestReceived`, whose request is told again with its answer, and the objects of responses.
//!
//! Source: the `audit.k8s.io/v1` API; `PodSpec` and others of the `v1` APIs.

mod envelope;
mod gke;
mod object;
mod patch;
#[cfg(test)]
mod tests;

use compact_str::CompactString;
use envelope::Unwrapped;
use event::api::ApiActivity;
use event::{BootTime, Event, Kind, Sensor, Text, WallTime};
use serde::Deserialize;
use serde_json::Value;

/// Values of one kind that are kept of a request: groups, addresses, images, host paths, grants.
pub(super) const VALUES: usize = 64;
/// Longest command of `exec` that is kept, in bytes.
const COMMAND_BYTES: usize = 4096;
/// The annotation with the authorizer's decision.
const DECISION: &str = "authorization.k8s.io/decision";

/// A request as the audit log tells it.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    stage: String,
    verb: String,
    user: User,
    #[serde(rename = "impersonatedUser")]
    impersonated: Option<User>,
    #[serde(rename = "sourceIPs")]
    source_ips: Vec<String>,
    #[serde(rename = "userAgent")]
    user_agent: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    #[serde(rename = "objectRef")]
    object: Option<Object>,
    #[serde(rename = "responseStatus")]
    status: Option<Status>,
    #[serde(rename = "requestObject")]
    request: Value,
    annotations: Value,
    #[serde(rename = "stageTimestamp")]
    stage_time: Option<String>,
    #[serde(rename = "requestReceivedTimestamp")]
    received_time: Option<String>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct User {
    username: String,
    groups: Vec<String>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Object {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    #[serde(rename = "apiGroup")]
    group: String,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Status {
    code: u32,
}

impl Line {
    /// Whether it is a request at all: other objects of JSON read as an empty one. Abridged copies leave the verb out;
    /// then its kind and who asked must say what it is.
    fn is_request(&self) -> bool {
        if self.verb.is_empty() {
            return self.kind == "Event"
                && self.version.starts_with("audit.k8s.io")
                && !self.user.username.is_empty();
        }
        let is_named =
            self.kind == "Event" && (self.version.is_empty() || self.version.starts_with("audit.k8s.io"));
        is_named || self.object.is_some() || self.version.starts_with("audit.k8s.io")
    }

    fn event(self) -> Event {
        let time = self.stage_time.as_deref().or(self.received_time.as_deref()).unwrap_or_default();
        let wall = nanoseconds(time).unwrap_or_default();
        let mut event =
            Event::new(Sensor::KubernetesAudit, BootTime(wall), Kind::Api(Box::new(self.activity())));
        event.wall = WallTime(wall);
        event
    }

    fn activity(self) -> ApiActivity {
        let mut of = self.object.unwrap_or_default();
        let request = if self.request.is_array() { patch::placed(&self.request) } else { self.request };
        if of.name.is_empty() {
            // What is being made has no name in the path that it is asked for.
            of.name = request.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("").into();
        }
        let decision = self.annotations.get(DECISION).and_then(Value::as_str).unwrap_or_default();
        let mut addresses = self.source_ips.into_iter().map(CompactString::from);
        let mut activity = ApiActivity {
            service: "kubernetes".into(),
            verb: self.verb.into(),
            command: Text::claimed(command(&self.request_uri, &request)),
            subresource: of.subresource.into(),
            namespace: of.namespace.into(),
            name: Text::claimed(of.name),
            user: Text::claimed(self.user.username),
            groups: kept(self.user.groups.iter().map(String::as_str)),
            impersonated: Text::claimed(self.impersonated.unwrap_or_default().username),
            source: addresses.next().unwrap_or_default(),
            proxies: addresses.take(VALUES).collect(),
            user_agent: Text::claimed(self.user_agent),
            status: self.status.unwrap_or_default().code,
            group: of.group.into(),
            request_uri: Text::claimed(self.request_uri),
            decision: decision.into(),
            ..ApiActivity::default()
        };
        object::read(&of.resource, &request, &mut activity);
        activity.resource = of.resource.into();
        activity
    }
}

/// Whether `text` begins with what a line of an audit log holds, whatever follows it.
pub fn is_audit_line(text: &str) -> bool {
    let Some(Ok(value)) = serde_json::Deserializer::from_str(text).into_iter().next() else { return false };
    matches!(envelope::unwrap(value), Ok(Unwrapped { lines, .. }) if lines.iter().any(Line::is_request))
}

/// The events of one line: none of a request that was only received. Their boot times are their wall times: the log has
/// no other.
///
/// # Errors
/// Says what is wrong where the line tells of no request.
pub fn events(line: &str) -> Result<Vec<Event>, String> {
    let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let Unwrapped { lines, unread } = envelope::unwrap(value)?;
    if let Some(reason) = unread {
        return Err(reason);
    }
    if let Some(line) = lines.iter().find(|line| !line.is_request()) {
        return Err(
            if line.verb.is_empty() { "`verb` is missing" } else { "no audit event of Kubernetes" }.into()
        );
    }
    Ok(lines.into_iter().filter(|line| line.stage != "RequestReceived").map(Line::event).collect())
}

/// The words of `command=` in the query of an `exec`, or of the `command` of its options in the body, which GKE logs.
fn command(uri: &str, request: &Value) -> String {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let in_query = query.split('&').filter_map(|part| part.strip_prefix("command=")).map(decoded);
    let in_body = request.get("command").and_then(Value::as_array).into_iter().flatten();
    let mut command = String::new();
    let mut in_query = in_query.peekable();
    let is_in_query = in_query.peek().is_some();
    let in_body = in_body.filter(|_| !is_in_query).filter_map(Value::as_str).map(str::to_owned);
    for word in in_query.chain(in_body) {
        if !command.is_empty() {
            command.push(' ');
        }
        command.push_str(&word);
        if command.len() > COMMAND_BYTES {
            command.truncate(command.floor_char_boundary(COMMAND_BYTES));
            break;
        }
    }
    command
}

/// The text with the percent-encoding of queries undone; what is no UTF-8 then becomes U+FFFD.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = match (first, after) {
            (b'+', _) => Some((b' ', after)),
            (b'%', [high, low, after @ ..]) => {
                hexadecimal(*high).zip(hexadecimal(*low)).map(|(high, low)| (high << 4 | low, after))
            }
            _ => None,
        };
        let (byte, after) = byte.unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The first of `values`, each once.
fn kept<'v>(values: impl Iterator<Item = &'v str>) -> Vec<CompactString> {
    let mut kept: Vec<CompactString> = Vec::new();
    for value in values {
        if kept.len() == VALUES {
            break;
        }
        if !kept.iter().any(|known| known == value) {
            kept.push(value.into());
        }
    }
    kept
}

/// RFC 3339 to nanoseconds since 1970; a blank instead of its `T` and no zone at all are read as UTC.
fn nanoseconds(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().or_else(|_| format!("{text}Z").parse()).ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}
