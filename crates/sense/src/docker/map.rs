//! What the daemon says, as container changes. Pure functions.
//!
//! Labels, names and commands are chosen by whoever makes a container, so each string and each list has a limit,
//! and a record that was cut says so.

use bollard::models::{
    ContainerInspectResponse, ContainerSummary, EventMessage, EventMessageTypeEnum, HostConfig, ImageSummary,
    MountPoint, PortMap,
};
use compact_str::{CompactString, format_compact};
use event::container::{Container, ContainerChange, ContainerVerb, Mount};
use event::{ContainerId, Text};
use std::collections::HashMap;

/// The runtime's name in records.
pub(super) const RUNTIME: CompactString = CompactString::const_new("docker");

/// Bytes of a name, reference, key or other short string.
const SHORT: usize = 256;
/// Bytes of a path: the kernel's `PATH_MAX`.
const PATH: usize = 4_096;
/// Bytes of one argument of a command.
const ARGUMENT: usize = 1_024;
/// Bytes of an exec's command or an error.
const DETAIL: usize = 4_096;
/// Items of a list of labels, capabilities, options, devices, ports, networks or arguments.
const ITEMS: usize = 64;
/// Items of the lists that attackers could use to push the telling one out.
const LONG_ITEMS: usize = 256;

/// Cuts strings and lists, and remembers that it did.
#[derive(Default)]
struct Cut {
    truncated: bool,
}

impl Cut {
    fn text(&mut self, text: &str, max: usize) -> CompactString {
        let end = text.floor_char_boundary(max);
        self.truncated |= end < text.len();
        text.get(..end).unwrap_or_default().into()
    }

    fn short(&mut self, text: Option<&String>) -> CompactString {
        self.text(text.map_or("", String::as_str), SHORT)
    }

    fn list<T, U>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        max: usize,
        mut each: impl FnMut(&mut Self, T) -> U,
    ) -> Vec<U> {
        let mut items = items.into_iter();
        let kept = items.by_ref().take(max).map(|item| each(self, item)).collect();
        self.truncated |= items.next().is_some();
        kept
    }

    fn strings(&mut self, items: Option<&Vec<String>>, max: usize, max_len: usize) -> Vec<CompactString> {
        self.list(items.into_iter().flatten(), max, |cut, item| cut.text(item, max_len))
    }

    /// Sorted, because the daemon's order changes from answer to answer.
    fn labels<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Vec<(CompactString, CompactString)> {
        let mut labels: Vec<_> = labels.collect();
        labels.sort_unstable();
        self.list(labels, ITEMS, |cut, (key, value)| (cut.text(key, SHORT), cut.text(value, SHORT)))
    }
}

fn claimed(text: &str, max: usize) -> Text {
    let end = text.floor_char_boundary(max);
    let kept = Text::claimed(text.get(..end).unwrap_or_default());
    if end < text.len() { kept.cut_from(u32::try_from(text.len()).unwrap_or(u32::MAX)) } else { kept }
}

/// One message of the event stream; `None` where it is not about a container or an image.
pub(super) fn message(message: &EventMessage) -> Option<ContainerChange> {
    let actor = message.actor.as_ref()?;
    let none = HashMap::new();
    let attributes = actor.attributes.as_ref().unwrap_or(&none);
    let action = message.action.as_deref().unwrap_or_default();
    let id = actor.id.as_deref().unwrap_or_default();
    match message.typ? {
        EventMessageTypeEnum::CONTAINER => container_message(id, action, attributes),
        EventMessageTypeEnum::IMAGE => Some(image_message(id, action, attributes)),
        EventMessageTypeEnum::NETWORK => network_message(action, attributes),
        _ => None,
    }
}

/// Labels of the container are among the attributes. The daemon writes name and image last, so these are its own;
/// the signal and the exec id could be a label's.
fn container_message(
    id: &str,
    action: &str,
    attributes: &HashMap<String, String>,
) -> Option<ContainerChange> {
    let id: ContainerId = id.parse().ok()?;
    let (name, rest) = action.split_once(':').unwrap_or((action, ""));
    let verb = container_verb(name.trim());
    let mut cut = Cut::default();
    let mut record = Container {
        id: Some(id),
        name: cut.short(attributes.get("name")),
        image: cut.short(attributes.get("image")),
        runtime: RUNTIME,
        ..Container::default()
    };
    if verb == ContainerVerb::Create {
        let labels = attributes.iter().filter(|(key, _)| !matches!(key.as_str(), "name" | "image"));
        record.labels = cut.labels(labels);
    }
    let detail = match verb {
        ContainerVerb::Kill => attributes.get("signal").map_or("", String::as_str),
        ContainerVerb::Other | ContainerVerb::Copy => action,
        _ => rest.trim(),
    };
    let detail = claimed(detail, DETAIL);
    let exec_id = cut.short(attributes.get("execID"));
    record.truncated = cut.truncated;
    Some(ContainerChange { verb, record, detail, exec_id, error: Text::default() })
}

fn container_verb(name: &str) -> ContainerVerb {
    use ContainerVerb::*;
    match name {
        "create" => Create,
        "start" => Start,
        "stop" => Stop,
        "kill" => Kill,
        "die" => Die,
        "destroy" => Destroy,
        "pause" => Pause,
        "unpause" => Unpause,
        "restart" => Restart,
        "rename" => Rename,
        "update" => Update,
        "exec_create" => ExecCreate,
        "exec_start" => ExecStart,
        "exec_die" => ExecDie,
        "attach" => Attach,
        // `docker cp` out of and into a container.
        "copy" | "archive-path" | "extract-to-dir" => Copy,
        "commit" => Commit,
        "export" => Export,
        "oom" => Oom,
        "health_status" => HealthStatus,
        _ => Other,
    }
}

fn image_message(id: &str, action: &str, attributes: &HashMap<String, String>) -> ContainerChange {
    let verb = match action {
        "pull" => ContainerVerb::ImagePull,
        "build" => ContainerVerb::ImageBuild,
        "import" => ContainerVerb::ImageImport,
        "load" => ContainerVerb::ImageLoad,
        "tag" => ContainerVerb::ImageTag,
        "untag" => ContainerVerb::ImageUntag,
        "delete" => ContainerVerb::ImageDelete,
        _ => ContainerVerb::Other,
    };
    let mut cut = Cut::default();
    let mut record =
        Container { image: cut.short(attributes.get("name")), runtime: RUNTIME, ..Container::default() };
    // A pull names the image by its reference instead of its id.
    let own = cut.text(id, SHORT);
    if own.starts_with("sha256:") {
        record.image_id = own;
    } else if record.image.is_empty() || verb == ContainerVerb::ImagePull {
        record.image = own;
    }
    record.truncated = cut.truncated;
    let detail = if verb == ContainerVerb::Other { claimed(action, SHORT) } else { Text::default() };
    ContainerChange { verb, record, detail, ..ContainerChange::default() }
}

fn network_message(action: &str, attributes: &HashMap<String, String>) -> Option<ContainerChange> {
    let verb = match action {
        "connect" => ContainerVerb::NetworkConnect,
        "disconnect" => ContainerVerb::NetworkDisconnect,
        _ => return None,
    };
    let id: ContainerId = attributes.get("container")?.parse().ok()?;
    let record = Container { id: Some(id), runtime: RUNTIME, ..Container::default() };
    let detail = claimed(attributes.get("name").map_or("", String::as_str), SHORT);
    Some(ContainerChange { verb, record, detail, ..ContainerChange::default() })
}

/// An image that was there at start: one change for each of its names, one without where it has none.
pub(super) fn found_images(image: &ImageSummary) -> Vec<ContainerChange> {
    let mut cut = Cut::default();
    let image_id = cut.text(&image.id, SHORT);
    let names = image.repo_tags.iter().chain(&image.repo_digests).filter(|name| !name.contains("<none>"));
    let mut names = cut.list(names, LONG_ITEMS, |cut, name| cut.text(name, SHORT));
    if names.is_empty() {
        names.push(CompactString::default());
    }
    let change = |image| ContainerChange {
        verb: ContainerVerb::ImageFound,
        record: Container { image, image_id: image_id.clone(), runtime: RUNTIME, ..Container::default() },
        ..ContainerChange::default()
    };
    names.into_iter().map(change).collect()
}

/// A container of the list.
pub(super) fn found_container(summary: &ContainerSummary) -> Option<Container> {
    let mut cut = Cut::default();
    let mut names = summary.names.iter().flatten().map(|name| name.trim_start_matches('/'));
    // A linked container is also listed as `/other/alias`.
    let name = names.find(|name| !name.contains('/')).unwrap_or_default();
    let mut record = Container {
        id: Some(summary.id.as_deref()?.parse().ok()?),
        name: cut.text(name, SHORT),
        image: cut.short(summary.image.as_ref()),
        image_id: cut.short(summary.image_id.as_ref()),
        runtime: RUNTIME,
        labels: cut.labels(summary.labels.iter().flatten()),
        ..Container::default()
    };
    record.truncated = cut.truncated;
    Some(record)
}

/// The answer to inspect, or why there is none.
pub(super) fn inspected(
    id: ContainerId,
    result: Result<Box<ContainerInspectResponse>, String>,
) -> ContainerChange {
    let (record, error) = match result {
        Ok(answer) => (record(id, &answer), Text::default()),
        Err(error) => {
            let record = Container { id: Some(id), runtime: RUNTIME, ..Container::default() };
            (record, claimed(&error, DETAIL))
        }
    };
    ContainerChange { verb: ContainerVerb::Inspected, record, error, ..ContainerChange::default() }
}

/// The facts of a container.
pub(super) fn record(id: ContainerId, answer: &ContainerInspectResponse) -> Container {
    let mut cut = Cut::default();
    let no_host = HostConfig::default();
    let host = answer.host_config.as_ref().unwrap_or(&no_host);
    let mut record = Container {
        id: Some(id),
        name: cut.text(answer.name.as_deref().unwrap_or_default().trim_start_matches('/'), SHORT),
        image_id: cut.short(answer.image.as_ref()),
        runtime: RUNTIME,
        inspected: true,
        mounts: cut.list(answer.mounts.iter().flatten(), LONG_ITEMS, mount),
        command: command(answer, &mut cut),
        ..Container::default()
    };
    configured(&mut record, answer, &mut cut);
    confined(&mut record, host, &mut cut);
    let networks = answer.network_settings.as_ref();
    let ports = networks.and_then(|networks| networks.ports.as_ref()).filter(|ports| !ports.is_empty());
    record.ports = published(ports.or(host.port_bindings.as_ref()), &mut cut);
    let mut names: Vec<_> = networks
        .and_then(|networks| networks.networks.as_ref())
        .into_iter()
        .flat_map(HashMap::keys)
        .collect();
    names.sort_unstable();
    record.networks = cut.list(names, ITEMS, |cut, name| cut.text(name, SHORT));
    let upper = answer.graph_driver.as_ref().and_then(|driver| driver.data.get("UpperDir"));
    record.upper_dir = cut.text(upper.map_or("", String::as_str), PATH);
    let pid = answer.state.as_ref().and_then(|state| state.pid).unwrap_or(0);
    record.pid = u32::try_from(pid).unwrap_or(0);
    record.truncated = cut.truncated;
    record
}

/// What the container's maker asked for.
fn configured(record: &mut Container, answer: &ContainerInspectResponse, cut: &mut Cut) {
    let Some(config) = &answer.config else { return };
    record.image = cut.short(config.image.as_ref());
    record.user = cut.short(config.user.as_ref());
    record.detached = !config.attach_stdout.unwrap_or(false) && !config.attach_stderr.unwrap_or(false);
    record.labels = cut.labels(config.labels.iter().flatten());
    record.env_names = cut.list(config.env.iter().flatten(), LONG_ITEMS, |cut, entry| {
        cut.text(entry.split('=').next().unwrap_or_default(), SHORT)
    });
}

/// How far the container is kept apart from the host.
fn confined(record: &mut Container, host: &HostConfig, cut: &mut Cut) {
    let is_host = |mode: &Option<String>| mode.as_deref() == Some("host");
    record.privileged = host.privileged.unwrap_or(false);
    record.auto_remove = host.auto_remove.unwrap_or(false);
    record.capabilities_added = cut.list(host.cap_add.iter().flatten(), ITEMS, |cut, name| {
        let name = name.to_ascii_uppercase();
        cut.text(name.strip_prefix("CAP_").unwrap_or(&name), SHORT)
    });
    record.host_pid = is_host(&host.pid_mode);
    record.host_network = is_host(&host.network_mode);
    record.host_ipc = is_host(&host.ipc_mode);
    record.host_uts = is_host(&host.uts_mode);
    let shared = host.network_mode.as_deref().and_then(|mode| mode.strip_prefix("container:"));
    record.network_of = cut.text(shared.unwrap_or_default(), SHORT);
    record.security_options = cut.strings(host.security_opt.as_ref(), ITEMS, SHORT);
    record.devices = cut.list(host.devices.iter().flatten(), ITEMS, |cut, device| {
        cut.text(device.path_on_host.as_deref().unwrap_or_default(), PATH)
    });
    let policy = host.restart_policy.as_ref().and_then(|policy| policy.name);
    record.restart_policy = policy.map(|policy| format_compact!("{policy}")).unwrap_or_default();
}

fn mount(cut: &mut Cut, mount: &MountPoint) -> Mount {
    Mount {
        kind: cut.short(mount.typ.as_ref()),
        source: cut.text(mount.source.as_deref().unwrap_or_default(), PATH),
        destination: cut.text(mount.destination.as_deref().unwrap_or_default(), PATH),
        writable: mount.rw.unwrap_or(false),
    }
}

fn command(answer: &ContainerInspectResponse, cut: &mut Cut) -> Vec<CompactString> {
    let parts = answer.path.iter().chain(answer.args.iter().flatten());
    cut.list(parts, ITEMS, |cut, part| cut.text(part, ARGUMENT))
}

/// Published ports as `address:port->port/protocol`, sorted.
fn published(ports: Option<&PortMap>, cut: &mut Cut) -> Vec<CompactString> {
    let mut all: Vec<String> = Vec::new();
    for (inner, bindings) in ports.into_iter().flatten() {
        for binding in bindings.iter().flatten() {
            let address = binding.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            let port = binding.host_port.as_deref().unwrap_or_default();
            all.push(format!("{address}:{port}->{inner}"));
        }
    }
    all.sort_unstable();
    cut.list(all, ITEMS, |cut, port| cut.text(&port, SHORT))
}
