//! Kubernetes audit log lines to events.
//!
//! In: one `audit.k8s.io` event as a JSON line, as the log backend writes it. Out: an API activity event. What
//! later strategies need of the request object (security context, subjects of bindings) is left out here.
//! Source: the `audit.k8s.io/v1` API.

use event::health::ApiActivity;
use event::{BootTime, Event, Kind, Sensor, Text, WallTime};
use serde::Deserialize;

/// Images of one object that are kept.
const IMAGES: usize = 32;

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    verb: String,
    #[serde(default)]
    user: User,
    #[serde(default, rename = "sourceIPs")]
    source_ips: Vec<String>,
    #[serde(default, rename = "userAgent")]
    user_agent: String,
    #[serde(default, rename = "objectRef")]
    object: Option<Object>,
    #[serde(default, rename = "responseStatus")]
    status: Option<Status>,
    #[serde(default, rename = "requestObject")]
    request: serde_json::Value,
    #[serde(default, rename = "stageTimestamp")]
    stage_time: Option<String>,
    #[serde(default, rename = "requestReceivedTimestamp")]
    received_time: Option<String>,
}

#[derive(Deserialize, Default)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Object {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u32,
}

/// Whether a line looks like an audit event.
pub fn is_audit_line(line: &str) -> bool {
    serde_json::from_str::<Line>(line).is_ok_and(|line| line.kind == "Event" && !line.verb.is_empty())
}

/// The event of one line. Its boot time is its wall time: the log has no other.
///
/// # Errors
/// Says what is wrong where the line is no audit event.
pub fn event(line: &str) -> Result<Event, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let time = line.stage_time.or(line.received_time).unwrap_or_default();
    let wall = nanoseconds(&time).unwrap_or_default();
    let mut object = line.object.unwrap_or_default();
    if object.name.is_empty() {
        // What is being made has no name in the path that it is asked for.
        object.name =
            line.request.pointer("/metadata/name").and_then(|name| name.as_str()).unwrap_or("").into();
    }
    let claimed = |text: String| Text::claimed(text);
    let activity = ApiActivity {
        service: "kubernetes".into(),
        verb: line.verb.into(),
        resource: object.resource.into(),
        subresource: object.subresource.into(),
        namespace: object.namespace.into(),
        name: claimed(object.name),
        user: claimed(line.user.username),
        source: line.source_ips.into_iter().next().unwrap_or_default().into(),
        user_agent: claimed(line.user_agent),
        status: line.status.map_or(0, |status| status.code),
        images: images(&line.request),
    };
    let mut event = Event::new(Sensor::KubernetesAudit, BootTime(wall), Kind::Api(Box::new(activity)));
    event.wall = WallTime(wall);
    Ok(event)
}

/// Images of a pod, or of the pod template of a workload.
fn images(object: &serde_json::Value) -> Vec<compact_str::CompactString> {
    ["/spec/containers", "/spec/template/spec/containers", "/spec/jobTemplate/spec/template/spec/containers"]
        .iter()
        .filter_map(|path| object.pointer(path)?.as_array())
        .flatten()
        .filter_map(|container| container.get("image")?.as_str())
        .take(IMAGES)
        .map(Into::into)
        .collect()
}

/// RFC 3339 to nanoseconds since 1970.
fn nanoseconds(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_gives_verb_object_user_and_images() {
        let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","user":{"username":"mallory"},
            "sourceIPs":["10.0.0.9"],"userAgent":"kubectl/v1.30","objectRef":{"resource":"deployments","namespace":"default","name":"malicious"},
            "responseStatus":{"code":201},"stageTimestamp":"2026-11-21T10:00:00.5Z",
            "requestObject":{"spec":{"template":{"spec":{"containers":[{"image":"malicious/image"}]}}}}}"#;
        assert!(is_audit_line(line));
        let event = event(line).unwrap();
        let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
        assert_eq!((&*api.verb, &*api.resource, api.user.as_str()), ("create", "deployments", "mallory"));
        assert_eq!(api.images, ["malicious/image"]);
        assert_eq!(event.wall.as_millis() % 1000, 500);
    }

    #[test]
    fn an_event_has_the_time_of_its_stage_and_the_name_of_what_it_makes() {
        let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","stage":"ResponseComplete",
            "verb":"create","user":{"username":"mallory"},"objectRef":{"resource":"pods","namespace":"default"},
            "requestObject":{"metadata":{"name":"probe"}},
            "requestReceivedTimestamp":"2026-11-21T10:00:00.250Z","stageTimestamp":"2026-11-21T10:00:00.5Z"}"#;
        assert!(is_audit_line(line));
        let event = event(line).unwrap();
        let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
        assert_eq!((api.name.as_str(), event.wall.as_millis() % 1000), ("probe", 500));
        let received = line.replace(r#","stageTimestamp":"2026-11-21T10:00:00.5Z""#, "");
        assert_eq!(super::event(&received).unwrap().wall.as_millis() % 1000, 250);
    }

    #[test]
    fn other_json_is_refused() {
        assert!(!is_audit_line(r#"{"kind":"Pod"}"#));
        assert!(event("[1]").is_err());
    }
}
