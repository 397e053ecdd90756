//! What the object of a request asks for.
//!
//! Pods, and the pod templates of whatever makes pods; roles and bindings; services, ingresses; configuration maps and
//! secrets, of which only the keys are kept; signing requests; admission webhooks. Source: the reference of the
//! Kubernetes API.

use super::{VALUES, kept};
use compact_str::{CompactString, format_compact};
use event::Text;
use event::api::ApiActivity;
use serde_json::Value;

/// What is kept of a configuration map's data, in bytes.
const DATA_BYTES: usize = 4096;
/// Where a pod is described: in a pod, in a template of pods, in the template of a job's.
const PODS: [&str; 3] = ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// Members of a pod that say that it shares a namespace with its host.
const HOST_NAMESPACES: [(&str, &str); 3] =
    [("hostPID", "pid"), ("hostIPC", "ipc"), ("hostNetwork", "network")];

/// Fills `activity` with what `object`, the body of a request about `resource`, asks for.
pub(super) fn read(resource: &str, object: &Value, activity: &mut ApiActivity) {
    match resource {
        "roles" | "clusterroles" => activity.grants = grants(object),
        "rolebindings" | "clusterrolebindings" => binding(object, activity),
        "services" => activity.service_type = text(object, "/spec/type"),
        "ingresses" if object.is_object() => {
            activity.tls = Some(items(object.get("spec"), "tls").next().is_some());
        }
        "configmaps" | "secrets" => data(resource, object, activity),
        "certificatesigningrequests" => activity.signer = text(object, "/spec/signerName"),
        "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => {
            let urls: Vec<_> = items(Some(object), "webhooks").filter_map(webhook).collect();
            activity.webhooks = kept(urls.iter().map(CompactString::as_str));
        }
        _ => pods(object, activity),
    }
}

fn text(object: &Value, path: &str) -> CompactString {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default().into()
}

fn items<'v>(value: Option<&'v Value>, key: &str) -> impl Iterator<Item = &'v Value> {
    value.and_then(|value| value.get(key)).and_then(Value::as_array).into_iter().flatten()
}

fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    items(Some(value), key).filter_map(Value::as_str)
}

fn pods(object: &Value, activity: &mut ApiActivity) {
    let pods: Vec<&Value> = PODS.iter().filter_map(|path| object.pointer(path)).collect();
    let containers: Vec<&Value> =
        pods.iter().flat_map(|pod| CONTAINERS.iter().flat_map(|key| items(Some(pod), key))).collect();
    let said = |path: &'static str| containers.iter().filter_map(move |container| container.pointer(path));

    activity.images = kept(said("/image").filter_map(Value::as_str));
    let volumes = pods.iter().flat_map(|pod| items(Some(pod), "volumes"));
    activity.host_paths = kept(volumes.filter_map(|volume| volume.pointer("/hostPath/path")?.as_str()));
    activity.capabilities_added =
        kept(said("/securityContext/capabilities").flat_map(|capabilities| texts(capabilities, "add")));
    activity.privileged = (!containers.is_empty())
        .then(|| said("/securityContext/privileged").any(|privileged| privileged.as_bool() == Some(true)));
    activity.host_namespaces = kept(HOST_NAMESPACES.iter().filter_map(|(member, name)| {
        let shares = |pod: &&Value| pod.get(member).and_then(Value::as_bool) == Some(true);
        pods.iter().any(shares).then_some(*name)
    }));
    activity.service_account = pods
        .iter()
        .map(|pod| text(pod, "/serviceAccountName"))
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    activity.root = pods
        .iter()
        .flat_map(|pod| {
            let own = pod.get("securityContext");
            let own_root = own.and_then(root);
            let of_containers = CONTAINERS.iter().flat_map(move |key| items(Some(pod), key));
            of_containers.map(move |container| container.get("securityContext").and_then(root).or(own_root))
        })
        .flatten()
        .reduce(|one, other| one | other);
}

/// Whether a security context lets processes run as user 0; `None` where it does not say.
fn root(context: &Value) -> Option<bool> {
    let user = context.get("runAsUser").and_then(Value::as_u64).map(|user| user == 0);
    user.or_else(|| context.get("runAsNonRoot").and_then(Value::as_bool).map(|non_root| !non_root))
}

/// Each verb with each resource or path of the same rule; the first [`VALUES`].
fn grants(role: &Value) -> Vec<CompactString> {
    let pairs = items(Some(role), "rules").flat_map(|rule| {
        texts(rule, "verbs").flat_map(move |verb| {
            let over = texts(rule, "resources").chain(texts(rule, "nonResourceURLs"));
            over.map(move |resource| format_compact!("{verb} {resource}"))
        })
    });
    let pairs: Vec<_> = pairs.take(VALUES).collect();
    kept(pairs.iter().map(CompactString::as_str))
}

fn binding(object: &Value, activity: &mut ApiActivity) {
    activity.role = text(object, "/roleRef/name");
    let subjects: Vec<_> = items(Some(object), "subjects")
        .take(VALUES)
        .map(|subject| {
            let (kind, name) = (text(subject, "/kind"), text(subject, "/name"));
            match text(subject, "/namespace") {
                namespace if kind == "ServiceAccount" => format_compact!("{kind}:{namespace}/{name}"),
                _ => format_compact!("{kind}:{name}"),
            }
        })
        .collect();
    activity.subjects = kept(subjects.iter().map(CompactString::as_str));
}

fn data(resource: &str, object: &Value, activity: &mut ApiActivity) {
    let members =
        ["data", "stringData", "binaryData"].into_iter().filter_map(|key| object.get(key)?.as_object());
    let members: Vec<_> = members.flatten().take(VALUES).collect();
    activity.data_keys = kept(members.iter().map(|(key, _)| key.as_str()));
    if resource == "configmaps" {
        let mut data = String::new();
        for value in members.iter().filter_map(|(_, value)| value.as_str()) {
            let room = DATA_BYTES.saturating_sub(data.len());
            data.push_str(value.get(..value.floor_char_boundary(room)).unwrap_or_default());
            data.push('\n');
        }
        activity.data = Text::claimed(data);
    }
}

fn webhook(webhook: &Value) -> Option<CompactString> {
    let client = webhook.get("clientConfig")?;
    if let Some(url) = client.get("url").and_then(Value::as_str) {
        return Some(url.into());
    }
    let service = client.get("service")?;
    Some(format_compact!("{}/{}", text(service, "/namespace"), text(service, "/name")))
}
