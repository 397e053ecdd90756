//! The audit log of the Kubernetes API. Source: the `audit.k8s.io/v1` API.

use super::{Code, Events, Meaning, Name, Others};
use event::{Class, Field};

/// The events that stand for the log.
pub(super) const EVENTS: &[Events] =
    &[Events { class: Class::Api, operations: &[], names: &[NAMES], text: &[] }];

/// Names beside those of the catalogue, which has `verb`, `objectRef.*`, `user.username` and others as they stand.
pub(super) const NAMES: &[Name] = &[
    Name { name: "apiGroup", meaning: Meaning::Fields(&[Field::ApiGroup]) },
    Name { name: "hostPath", meaning: Meaning::Fields(&[Field::ApiHostPaths]) },
    Name { name: "capabilities", meaning: Meaning::Fields(&[Field::ApiCapabilities]) },
    Name { name: "privileged", meaning: Meaning::Fields(&[Field::ApiPrivileged]) },
    Name {
        name: "responseStatus.code",
        meaning: Meaning::Coded(Field::ApiStatus, &[("ALLOW", ALLOWED)], Others::Numbers),
    },
    Name { name: "annotations", meaning: Meaning::Missing("annotations of requests are not kept") },
];

/// Every status but 401 and 403: the request was neither unknown nor forbidden.
const ALLOWED: &[Code] = &[Code::Below(401), Code::Number(402), Code::From(404)];
