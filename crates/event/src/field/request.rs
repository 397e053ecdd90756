//! Requests to an API as fields.

use super::read::{compact, list, strings, text};
use super::{Field, Value};
use crate::api::ApiActivity;

pub(super) fn of_api(api: &ApiActivity, field: Field) -> Value<'_> {
    match field {
        Field::ApiService => compact(&api.service),
        Field::ApiVerb => compact(&api.verb),
        Field::ApiResource => compact(&api.resource),
        Field::ApiSubresource => compact(&api.subresource),
        Field::ApiNamespace => compact(&api.namespace),
        Field::ApiName => text(&api.name),
        Field::ApiUser => text(&api.user),
        Field::ApiSource if api.proxies.is_empty() => compact(&api.source),
        Field::ApiSource => list(std::iter::once(&api.source).chain(&api.proxies).map(|address| &**address)),
        Field::ApiUserAgent => text(&api.user_agent),
        Field::ApiStatus if api.status != 0 => Value::Int(api.status.into()),
        Field::ApiGroup => compact(&api.group),
        Field::ApiRequestUri => text(&api.request_uri),
        Field::ApiImages => strings(&api.images),
        Field::ApiHostPaths => strings(&api.host_paths),
        Field::ApiCapabilities => strings(&api.capabilities_added),
        Field::ApiPrivileged => api.privileged.map_or(Value::Absent, Value::Bool),
        Field::ApiDecision => compact(&api.decision),
        Field::ApiGroups => strings(&api.groups),
        Field::ApiImpersonated => text(&api.impersonated),
        Field::ApiCommand => text(&api.command),
        Field::ApiHostNamespaces => strings(&api.host_namespaces),
        Field::ApiRoot => api.root.map_or(Value::Absent, Value::Bool),
        Field::ApiServiceAccount => compact(&api.service_account),
        Field::ApiServiceType => compact(&api.service_type),
        Field::ApiGrants => strings(&api.grants),
        Field::ApiRole => compact(&api.role),
        Field::ApiSubjects => strings(&api.subjects),
        Field::ApiDataKeys => strings(&api.data_keys),
        Field::ApiData => text(&api.data),
        Field::ApiTls => api.tls.map_or(Value::Absent, Value::Bool),
        Field::ApiSigner => compact(&api.signer),
        Field::ApiWebhooks => strings(&api.webhooks),
        _ => Value::Absent,
    }
}
