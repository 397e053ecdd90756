//! Requests as Google's Cloud Logging tells them: an `AuditLog` instead of an audit event.
//!
//! Verb, group, resource and subresource are those of the method (`io.k8s.core.v1.pods.exec.create`), namespace and name
//! those of the resource (`core/v1/namespaces/default/pods/web/exec`), the status is a code of gRPC. Source: Google's
//! reference of `AuditLog` and `LogEntry`, gRPC's status codes.

use super::{DECISION, Line, Object, Status, User};
use serde_json::{Value, json};

/// gRPC's codes as statuses of HTTP, as Google's API design guide maps them; 0 is a success.
const STATUSES: [(u64, u32); 9] =
    [(0, 200), (3, 400), (5, 404), (6, 409), (7, 403), (8, 429), (12, 501), (14, 503), (16, 401)];

/// The request of `payload`, with the time of its `entry`.
pub(super) fn line(payload: &Value, entry: &Value) -> Option<Line> {
    let text = |path: &str| payload.pointer(path).and_then(Value::as_str).unwrap_or_default();
    // Where another service asked on somebody's behalf, only the permission names the request.
    let permission = text("/authorizationInfo/0/permission");
    let method = Some(text("/methodName")).filter(|method| method.starts_with(PREFIX)).unwrap_or(permission);
    let (verb, of) = asked(method)?;
    let path = Some(text("/resourceName")).filter(|path| !path.is_empty());
    let (namespace, name) =
        place(path.unwrap_or_else(|| text("/authorizationInfo/0/resource")), &of.resource);
    let granted = payload.pointer("/authorizationInfo/0/granted").and_then(Value::as_bool);
    let time = ["timestamp", "receiveTimestamp"].into_iter().find_map(|name| entry.get(name)?.as_str());
    let address = ["callerIp", "callerIP"]
        .into_iter()
        .find_map(|name| payload.pointer("/requestMetadata")?.get(name)?.as_str());
    Some(Line {
        kind: "Event".into(),
        verb,
        user: User { username: text("/authenticationInfo/principalEmail").into(), groups: Vec::new() },
        source_ips: address.map(str::to_owned).into_iter().collect(),
        user_agent: text("/requestMetadata/callerSuppliedUserAgent").into(),
        request_uri: text("/requestURI").into(),
        object: Some(Object { namespace: namespace.into(), name: name.into(), ..of }),
        status: Some(Status { code: status(payload, granted) }),
        request: payload.get("request").cloned().unwrap_or_default(),
        annotations: match granted {
            Some(true) => json!({ DECISION: "allow" }),
            Some(false) => json!({ DECISION: "forbid" }),
            None => Value::Null,
        },
        stage_time: time.map(str::to_owned),
        ..Line::default()
    })
}

const PREFIX: &str = "io.k8s.";

/// Verb and object of a method; `None` for one of another service.
fn asked(method: &str) -> Option<(String, Object)> {
    let parts: Vec<&str> = method.strip_prefix(PREFIX)?.split('.').collect();
    let version = parts.iter().position(|part| is_version(part));
    let (group, asked) = parts.split_at(version.map_or(0, |at| at + 1));
    let (verb, of) = asked.split_last()?;
    let group = group.split_last().map_or(String::new(), |(_, group)| group.join("."));
    let (resource, subresource) =
        of.split_first().map_or(("", &[][..]), |(resource, rest)| (*resource, rest));
    let object = Object {
        resource: resource.to_owned(),
        subresource: subresource.join("/"),
        group: if group == "core" { String::new() } else { group },
        ..Object::default()
    };
    Some(((*verb).to_owned(), object))
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// Namespace and name of `GROUP/VERSION[/namespaces/NAMESPACE]/RESOURCE[/NAME[/SUBRESOURCE]]`.
fn place<'p>(path: &'p str, resource: &str) -> (&'p str, &'p str) {
    let mut parts = path.split('/').skip_while(|part| !is_version(part)).skip(1);
    let first = parts.next().unwrap_or_default();
    if first != "namespaces" || resource == "namespaces" {
        return ("", parts.next().unwrap_or_default());
    }
    let namespace = parts.next().unwrap_or_default();
    (namespace, parts.nth(1).unwrap_or_default())
}

fn status(payload: &Value, granted: Option<bool>) -> u32 {
    let code = payload.pointer("/status/code").and_then(Value::as_u64).unwrap_or(0);
    if code >= 100 {
        return u32::try_from(code).unwrap_or(u32::MAX);
    }
    if code == 0 && granted == Some(false) {
        return 403;
    }
    // The answer may be Kubernetes' own `Status`, where the entry's is empty.
    let answer = payload.get("response");
    if code == 0 && answer.and_then(|answer| answer.get("status")).and_then(Value::as_str) == Some("Failure")
    {
        let code = answer.and_then(|answer| answer.get("code")).and_then(Value::as_u64);
        return code.and_then(|code| u32::try_from(code).ok()).unwrap_or(500);
    }
    STATUSES.iter().find(|(grpc, _)| *grpc == code).map_or(500, |(_, status)| *status)
}
