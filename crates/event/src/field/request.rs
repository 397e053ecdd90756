//! Requests to an API as fields.

use super::read::{compact, strings, text};
use super::{Field, Value};
use crate::health::ApiActivity;

pub(super) fn of_api(api: &ApiActivity, field: Field) -> Value<'_> {
    match field {
        Field::ApiService => compact(&api.service),
        Field::ApiVerb => compact(&api.verb),
        Field::ApiResource => compact(&api.resource),
        Field::ApiSubresource => compact(&api.subresource),
        Field::ApiNamespace => compact(&api.namespace),
        Field::ApiName => text(&api.name),
        Field::ApiUser => text(&api.user),
        Field::ApiSource => compact(&api.source),
        Field::ApiUserAgent => text(&api.user_agent),
        Field::ApiStatus if api.status != 0 => Value::Int(api.status.into()),
        Field::ApiGroup => compact(&api.group),
        Field::ApiRequestUri => text(&api.request_uri),
        Field::ApiImages => strings(&api.images),
        Field::ApiHostPaths => strings(&api.host_paths),
        Field::ApiCapabilities => strings(&api.capabilities_added),
        Field::ApiPrivileged => api.privileged.map_or(Value::Absent, Value::Bool),
        _ => Value::Absent,
    }
}
