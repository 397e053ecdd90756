//! Kubernetes audit log lines to events.
//!
//! In: one `audit.k8s.io` event as a JSON line, as the log backend writes it. Out: an API activity event, with what its
//! request object says of pods: images, host paths, capabilities, privilege. Left out on purpose: subjects of bindings,
//! and patches that are lists of operations. Source: the `audit.k8s.io/v1` API, `PodSpec` of the `v1` API.

use compact_str::CompactString;
use event::health::ApiActivity;
use event::{BootTime, Event, Kind, Sensor, Text, WallTime};
use serde::Deserialize;
use serde_json::Value;

/// Values of one kind that are kept of an object: images, host paths, capabilities.
const VALUES: usize = 64;

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
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    #[serde(default, rename = "objectRef")]
    object: Option<Object>,
    #[serde(default, rename = "responseStatus")]
    status: Option<Status>,
    #[serde(default, rename = "requestObject")]
    request: Value,
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
    #[serde(rename = "apiGroup")]
    group: String,
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
        group: object.group.into(),
        request_uri: Text::claimed(line.request_uri),
        images: kept(containers(&line.request).filter_map(|container| container.get("image")?.as_str())),
        host_paths: kept(host_paths(&line.request)),
        capabilities_added: kept(capabilities(&line.request)),
        privileged: privileged(&line.request),
    };
    let mut event = Event::new(Sensor::KubernetesAudit, BootTime(wall), Kind::Api(Box::new(activity)));
    event.wall = WallTime(wall);
    Ok(event)
}

/// The pod that the object is, or the pod template that it has.
fn pods(object: &Value) -> impl Iterator<Item = &Value> {
    ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"]
        .into_iter()
        .filter_map(|path| object.pointer(path))
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    pods(object).flat_map(|pod| {
        ["containers", "initContainers", "ephemeralContainers"].into_iter().flat_map(|key| items(pod, key))
    })
}

fn host_paths(object: &Value) -> impl Iterator<Item = &str> {
    let volumes = pods(object).flat_map(|pod| items(pod, "volumes"));
    volumes.filter_map(|volume| volume.pointer("/hostPath/path")?.as_str())
}

fn capabilities(object: &Value) -> impl Iterator<Item = &str> {
    let added = containers(object).filter_map(|container| container.pointer("/securityContext/capabilities"));
    added.flat_map(|capabilities| items(capabilities, "add")).filter_map(Value::as_str)
}

/// Whether a container is privileged; `None` where there is none.
fn privileged(object: &Value) -> Option<bool> {
    let says = |container: &Value| {
        container.pointer("/securityContext/privileged").and_then(Value::as_bool).unwrap_or(false)
    };
    containers(object).map(says).reduce(|one, other| one | other)
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
    fn what_pods_may_do_is_read_from_every_container_and_volume() {
        let line = r#"{"kind":"Event","verb":"create","requestURI":"/apis/apps/v1/namespaces/default/daemonsets?x=1",
            "objectRef":{"resource":"daemonsets","apiGroup":"apps","namespace":"default","name":"agent"},
            "requestObject":{"spec":{"template":{"spec":{
                "volumes":[{"name":"c","configMap":{}},{"name":"root","hostPath":{"path":"/"}}],
                "initContainers":[{"image":"setup","securityContext":{"privileged":true}}],
                "containers":[{"image":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN","NET_RAW"]}}},
                              {"image":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN"],"drop":["ALL"]}}}]}}}}}"#;
        let event = event(line).unwrap();
        let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
        assert_eq!(api.images, ["a", "setup"]);
        assert_eq!(api.host_paths, ["/"]);
        assert_eq!(api.capabilities_added, ["SYS_ADMIN", "NET_RAW"]);
        assert_eq!((api.privileged, &*api.group), (Some(true), "apps"));
        assert_eq!(api.request_uri.as_str(), "/apis/apps/v1/namespaces/default/daemonsets?x=1");
    }

    #[test]
    fn an_object_of_any_shape_and_size_is_bounded() {
        let paths: Vec<String> =
            (0..1000).map(|number| format!(r#"{{"hostPath":{{"path":"/{number}"}}}}"#)).collect();
        let request = format!(r#"{{"spec":{{"volumes":[{}],"containers":{{"image":1}}}}}}"#, paths.join(","));
        let line = format!(r#"{{"kind":"Event","verb":"create","requestObject":{request}}}"#);
        let event = event(&line).unwrap();
        let Kind::Api(api) = &event.kind else { panic!("{event:?}") };
        assert_eq!((api.host_paths.len(), api.privileged), (VALUES, None));
        assert!(super::event(r#"{"kind":"Event","verb":"get","requestObject":[[],7]}"#).is_ok());
    }

    #[test]
    fn other_json_is_refused() {
        assert!(!is_audit_line(r#"{"kind":"Pod"}"#));
        assert!(event("[1]").is_err());
    }
}
