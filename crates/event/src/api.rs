//! Requests to the API of an orchestrator or a runtime.

use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A request to an API: Docker's, Kubernetes'. From `images` on: what the object of the request asks for, read from its
/// body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiActivity {
    /// `docker`, `kubernetes`.
    pub service: CompactString,
    /// Verb.
    pub verb: CompactString,
    /// Kind of object, as `pods`, `deployments`.
    pub resource: CompactString,
    /// Subresource, as `exec`.
    #[serde(skip_serializing_if = "is_default")]
    pub subresource: CompactString,
    /// Namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: CompactString,
    /// Name of the object.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub name: Text,
    /// Who asked.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub user: Text,
    /// Address the request came from.
    #[serde(skip_serializing_if = "is_default")]
    pub source: CompactString,
    /// User agent.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub user_agent: Text,
    /// Response status.
    #[serde(skip_serializing_if = "is_default")]
    pub status: u32,
    /// API group of the object, empty for the core group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: CompactString,
    /// Path and query of the request.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub request_uri: Text,
    /// Addresses behind the first: proxies between it and the API.
    #[serde(skip_serializing_if = "is_default")]
    pub proxies: Vec<CompactString>,
    /// What the authorizer said: `allow` or `forbid`; empty where the log does not tell.
    #[serde(skip_serializing_if = "is_default")]
    pub decision: CompactString,
    /// Groups of who asked.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<CompactString>,
    /// Who acts for the user: the name that the request impersonates.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub impersonated: Text,
    /// What `exec` is to run: the command of the request's query, its words joined by blanks.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub command: Text,
    /// Images of the object's containers.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<CompactString>,
    /// Host paths among the volumes of the object's pods.
    #[serde(skip_serializing_if = "is_default")]
    pub host_paths: Vec<CompactString>,
    /// Capabilities that the object's containers add.
    #[serde(skip_serializing_if = "is_default")]
    pub capabilities_added: Vec<CompactString>,
    /// Whether one of the object's containers is privileged; `None` where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// Namespaces of the host that the object's pods share: `pid`, `ipc`, `network`.
    #[serde(skip_serializing_if = "is_default")]
    pub host_namespaces: Vec<CompactString>,
    /// Whether one of the object's containers may run as user 0: it says so, or says that it need not be another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<bool>,
    /// Service account of the object's pods.
    #[serde(skip_serializing_if = "is_default")]
    pub service_account: CompactString,
    /// Type of a service, as `NodePort`.
    #[serde(skip_serializing_if = "is_default")]
    pub service_type: CompactString,
    /// What a role allows: `VERB RESOURCE`, each verb with each resource of the same rule.
    #[serde(skip_serializing_if = "is_default")]
    pub grants: Vec<CompactString>,
    /// Role that a binding gives.
    #[serde(skip_serializing_if = "is_default")]
    pub role: CompactString,
    /// To whom a binding gives it: `User:NAME`, `Group:NAME`, `ServiceAccount:NAMESPACE/NAME`.
    #[serde(skip_serializing_if = "is_default")]
    pub subjects: Vec<CompactString>,
    /// Keys of the data of a configuration map or secret.
    #[serde(skip_serializing_if = "is_default")]
    pub data_keys: Vec<CompactString>,
    /// Start of the data of a configuration map, values of all keys; never that of a secret.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub data: Text,
    /// Whether an ingress has TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// Who is to sign a certificate.
    #[serde(skip_serializing_if = "is_default")]
    pub signer: CompactString,
    /// Where an admission webhook sends requests: its URL, or `NAMESPACE/SERVICE`.
    #[serde(skip_serializing_if = "is_default")]
    pub webhooks: Vec<CompactString>,
}
