//! Containers: what the runtime says of them, and what happens to them.

use crate::identity::ContainerId;
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Facts about a container from its runtime. Text comes from the API and is claimed by whoever made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Container {
    /// Full id; `None` only in the default value.
    pub id: Option<ContainerId>,
    /// Name without the leading slash.
    pub name: CompactString,
    /// Image reference as it was asked for: `alpine`, `alpine:latest`.
    pub image: CompactString,
    /// Image id (`sha256:…`).
    #[serde(skip_serializing_if = "is_default")]
    pub image_id: CompactString,
    /// Whether the image was on the host when Watchkeeper started; `None`: not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_known: Option<bool>,
    /// Runtime: `docker`, `containerd`.
    #[serde(skip_serializing_if = "is_default")]
    pub runtime: CompactString,
    /// Everything below comes from inspect; until then only name and image are known.
    #[serde(skip_serializing_if = "is_default")]
    pub inspected: bool,
    /// `--privileged`.
    #[serde(skip_serializing_if = "is_default")]
    pub privileged: bool,
    /// Added capabilities, as `SYS_ADMIN`.
    #[serde(skip_serializing_if = "is_default")]
    pub capabilities_added: Vec<CompactString>,
    /// Shares the host's pid namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub host_pid: bool,
    /// Shares the host's network namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub host_network: bool,
    /// Shares the host's IPC namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub host_ipc: bool,
    /// Shares the host's UTS namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub host_uts: bool,
    /// Shares the network namespace of this container.
    #[serde(skip_serializing_if = "is_default")]
    pub network_of: CompactString,
    /// Security options, as `seccomp=unconfined`.
    #[serde(skip_serializing_if = "is_default")]
    pub security_options: Vec<CompactString>,
    /// Mounts.
    #[serde(skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    /// Host devices.
    #[serde(skip_serializing_if = "is_default")]
    pub devices: Vec<CompactString>,
    /// Published ports, as `0.0.0.0:8080->80/tcp`.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<CompactString>,
    /// Names of environment variables; values are not kept.
    #[serde(skip_serializing_if = "is_default")]
    pub env_names: Vec<CompactString>,
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Vec<(CompactString, CompactString)>,
    /// User as configured.
    #[serde(skip_serializing_if = "is_default")]
    pub user: CompactString,
    /// Entry point and command.
    #[serde(skip_serializing_if = "is_default")]
    pub command: Vec<CompactString>,
    /// Restart policy.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_policy: CompactString,
    /// Networks it is attached to.
    #[serde(skip_serializing_if = "is_default")]
    pub networks: Vec<CompactString>,
    /// Removed by the runtime as soon as it stops (`--rm`).
    #[serde(skip_serializing_if = "is_default")]
    pub auto_remove: bool,
    /// Started without anybody attached to its output (`-d`).
    #[serde(skip_serializing_if = "is_default")]
    pub detached: bool,
    /// Upper directory of its overlay on the host.
    #[serde(skip_serializing_if = "is_default")]
    pub upper_dir: CompactString,
    /// First process's pid, 0 where it does not run.
    #[serde(skip_serializing_if = "is_default")]
    pub pid: u32,
    /// More was there than the limits of the sensor allow to keep.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
}

impl Container {
    /// The tag of the image reference, `latest` where none is given.
    pub fn image_tag(&self) -> &str {
        let after_slash = self.image.rsplit('/').next().unwrap_or(&self.image);
        match after_slash.split_once(':') {
            Some((_, tag)) => tag,
            None => "latest",
        }
    }

    /// The image reference without its tag or digest.
    pub fn image_name(&self) -> &str {
        let without_digest = self.image.split('@').next().unwrap_or(&self.image);
        match without_digest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => without_digest,
        }
    }
}

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`.
    pub kind: CompactString,
    /// On the host.
    pub source: CompactString,
    /// In the container.
    pub destination: CompactString,
    /// Writable.
    pub writable: bool,
}

/// What happened to a container or an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of the Docker events")]
pub enum ContainerVerb {
    /// Was there when Watchkeeper started, or after a gap in the event stream.
    #[default]
    Found,
    /// Facts about it arrived.
    Inspected,
    /// It is not there any more, found so after a gap in the event stream.
    Gone,
    Create,
    Start,
    Stop,
    Kill,
    Die,
    Destroy,
    Pause,
    Unpause,
    Restart,
    Rename,
    Update,
    ExecCreate,
    ExecStart,
    ExecDie,
    Attach,
    Copy,
    Commit,
    Export,
    Oom,
    HealthStatus,
    NetworkConnect,
    NetworkDisconnect,
    ImagePull,
    ImageBuild,
    ImageImport,
    ImageLoad,
    ImageTag,
    ImageUntag,
    ImageDelete,
    /// The image was there when Watchkeeper started.
    ImageFound,
    /// A verb that is not in this list; see `detail`.
    Other,
}

impl ContainerVerb {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        use ContainerVerb::*;
        match self {
            Found => "found",
            Inspected => "inspected",
            Gone => "gone",
            Create => "create",
            Start => "start",
            Stop => "stop",
            Kill => "kill",
            Die => "die",
            Destroy => "destroy",
            Pause => "pause",
            Unpause => "unpause",
            Restart => "restart",
            Rename => "rename",
            Update => "update",
            ExecCreate => "exec_create",
            ExecStart => "exec_start",
            ExecDie => "exec_die",
            Attach => "attach",
            Copy => "copy",
            Commit => "commit",
            Export => "export",
            Oom => "oom",
            HealthStatus => "health_status",
            NetworkConnect => "network_connect",
            NetworkDisconnect => "network_disconnect",
            ImagePull => "image_pull",
            ImageBuild => "image_build",
            ImageImport => "image_import",
            ImageLoad => "image_load",
            ImageTag => "image_tag",
            ImageUntag => "image_untag",
            ImageDelete => "image_delete",
            ImageFound => "image_found",
            Other => "other",
        }
    }
}

/// Something happened to a container or an image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerChange {
    /// What.
    pub verb: ContainerVerb,
    /// The container, or the image, as far as it is known now.
    pub record: Container,
    /// Command of an exec, signal of a kill, the verb where it is `other`.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub detail: Text,
    /// Exec id.
    #[serde(skip_serializing_if = "is_default")]
    pub exec_id: CompactString,
    /// Why inspect failed, where it did.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub error: Text,
}
