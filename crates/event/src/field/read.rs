//! Reading a field of an event.

use super::audit::{argument, hexadecimal};
use super::fact::of_facts;
use super::flow::{of_flow, of_http};
use super::log::of_log;
use super::part::{self, Part};
use super::request::of_api;
use super::roles::of_roles;
use super::workload::of_workload;
use super::{Field, Value};
use crate::event::{Event, Kind};
use crate::identity::ContainerId;
use crate::network::{ConnectionOp, Endpoints};
use crate::process::{Actor, Exec, Process, UNSET};
use crate::text::{Provenance, Text};
use compact_str::{CompactString, ToCompactString};

/// The response code of a name that does not exist. Source: RFC 1035, section 4.1.1.
const NXDOMAIN: u8 = 3;

/// Value of `field` of `event`. Cost: a match, and an allocation only for lists and ids.
pub fn value(event: &Event, field: Field) -> Value<'_> {
    match part::of(field) {
        Part::Event => of_event(event, field),
        Part::Actor => event.actor.as_ref().map_or(Value::Absent, |actor| of_actor(actor, field)),
        Part::Process => of_process(event, field),
        Part::Exec => exec(event).map_or(Value::Absent, |exec| of_exec(exec, field)),
        Part::Container => {
            event.context.container.as_deref().map_or(Value::Absent, |record| of_container(record, field))
        }
        Part::Ends => of_ends(event, field),
        Part::Facts => of_facts(event, field),
        Part::Around => around(event, field),
        Part::Kind => of_kind(event, field),
    }
}

fn around(event: &Event, field: Field) -> Value<'_> {
    match field {
        Field::ContainerId => event.container_id().map_or(Value::Absent, id),
        Field::FileHostPath => host_path(event),
        Field::WorkloadId | Field::WorkloadName => of_workload(event, field),
        Field::DestinationHostname => match (&event.context.remote_name, event.seen()) {
            (Some(name), _) => compact(name),
            (None, Kind::Flow(flow)) => compact(&flow.names.dns),
            _ => Value::Absent,
        },
        Field::AuditType => list(super::audit::types(event.class()).iter().copied()),
        _ => Value::Absent,
    }
}

pub(super) fn text(text: &Text) -> Value<'_> {
    if text.is_empty() { Value::Absent } else { Value::Str(text.as_str()) }
}

pub(super) fn compact(text: &CompactString) -> Value<'_> {
    if text.is_empty() { Value::Absent } else { Value::Str(text) }
}

pub(super) fn list<'a>(items: impl Iterator<Item = &'a str>) -> Value<'a> {
    let items: Vec<&str> = items.collect();
    if items.is_empty() { Value::Absent } else { Value::List(items) }
}

/// Of a change of a watched file whose place was found by the file itself, else by the container's mounts.
fn host_path(event: &Event) -> Value<'_> {
    match (&event.kind, &event.context.host_path) {
        (Kind::FileChange(change), _) => compact(&change.host_path),
        (_, Some(path)) => compact(path),
        _ => Value::Absent,
    }
}

fn id(id: &ContainerId) -> Value<'_> {
    Value::Owned(id.to_compact_string())
}

pub(super) fn unsigned<'a>(number: u64) -> Value<'a> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn of_event(event: &Event, field: Field) -> Value<'_> {
    match (field, &event.kind) {
        (Field::EventClass, kind) => Value::Str(kind.class().as_str()),
        (Field::EventOperation, kind) => Value::Str(kind.operation()),
        (Field::EventSensor, _) => Value::Str(event.id.sensor.as_str()),
        (Field::EventVia, Kind::File(f)) => Value::Str(f.via.as_str()),
        (Field::EventVia, Kind::Syscall(s)) => Value::Str(s.via.as_str()),
        (Field::EventVia, Kind::Uring(_)) => Value::Str(crate::file::Via::IoUring.as_str()),
        (Field::EventResult, Kind::File(f)) => Value::Int(f.result.into()),
        (Field::EventResult, Kind::Syscall(s)) => Value::Int(s.result),
        (Field::EventResult, Kind::Connection(c)) => Value::Int(c.result.into()),
        (Field::EventResult, Kind::Unix(u)) => Value::Int(u.result.into()),
        (Field::EventResult, Kind::Socket(s)) => Value::Int(s.result.into()),
        (Field::EventResult, Kind::Signal(s)) => Value::Int(s.result.into()),
        _ => Value::Absent,
    }
}

fn of_actor(actor: &Actor, field: Field) -> Value<'_> {
    match field {
        Field::ProcessId => Value::Int(actor.pid.into()),
        Field::ParentProcessId => Value::Int(actor.ppid.into()),
        Field::ProcessTask => compact(&actor.comm),
        Field::User => Value::Owned(actor.uid.to_compact_string()),
        Field::UserId => Value::Int(actor.uid.into()),
        Field::EffectiveUserId => Value::Int(actor.euid.into()),
        Field::LoginUserId if actor.login_uid != UNSET => Value::Int(actor.login_uid.into()),
        // 41 capabilities exist; the cast keeps all 64 bits.
        Field::Capabilities => Value::Int(actor.caps.cast_signed()),
        Field::ProcessTty => Value::Bool(actor.tty != 0),
        Field::ProcessRole => Value::Str(match actor.role {
            crate::process::Role::Ordinary => "ordinary",
            crate::process::Role::UsermodeHelper => "usermode_helper",
            crate::process::Role::Runtime => "runtime",
            crate::process::Role::Login => "login",
        }),
        Field::ProcessMoved => Value::Bool(actor.moved),
        _ => Value::Absent,
    }
}

/// The exec that the acting process is running: the event's own, or the last one known.
#[inline]
pub fn exec(event: &Event) -> Option<&Exec> {
    match &event.kind {
        Kind::Exec(exec) => Some(exec),
        _ => event.context.process.as_ref()?.exec.as_deref(),
    }
}

fn of_process(event: &Event, field: Field) -> Value<'_> {
    let Some(process) = event.context.process.as_deref() else {
        return of_bare_exec(event, field);
    };
    let Process { own, ancestors, sha256, by_exec, .. } = process;
    match field {
        Field::Image => text(&own.path),
        Field::ProcessName if !own.path.is_empty() => Value::Str(own.path.base_name()),
        Field::CommandLine => compact(&own.command_line),
        Field::ParentImage => ancestors.first().map_or(Value::Absent, |parent| text(&parent.path)),
        Field::ParentName => match ancestors.first() {
            Some(parent) if !parent.path.is_empty() => Value::Str(parent.path.base_name()),
            _ => Value::Absent,
        },
        Field::ParentCommandLine => {
            ancestors.first().map_or(Value::Absent, |parent| compact(&parent.command_line))
        }
        Field::Ancestors => list(ancestors.iter().map(|ancestor| ancestor.path.as_str())),
        Field::ProcessByExec => Value::Bool(*by_exec),
        Field::ProcessHash => sha256.as_ref().map_or(Value::Absent, compact),
        _ => Value::Absent,
    }
}

/// The same from an exec that was not enriched.
fn of_bare_exec(event: &Event, field: Field) -> Value<'_> {
    let Kind::Exec(exec) = &event.kind else { return Value::Absent };
    match field {
        Field::Image => text(&exec.path),
        Field::ProcessName if !exec.path.is_empty() => Value::Str(exec.path.base_name()),
        Field::CommandLine => Value::Owned(exec.argv.command_line()),
        _ => Value::Absent,
    }
}

fn of_exec(exec: &Exec, field: Field) -> Value<'_> {
    let [stdin, stdout, stderr] = &exec.stdio;
    match field {
        Field::CurrentDirectory => text(&exec.cwd),
        Field::ProcessArg0 => argument(exec, 0),
        Field::ProcessArg1 => argument(exec, 1),
        Field::ProcessArg2 => argument(exec, 2),
        Field::ProcessArg3 => argument(exec, 3),
        Field::ProcessArg4 => argument(exec, 4),
        Field::ProcessArg5 => argument(exec, 5),
        Field::ProcessArg6 => argument(exec, 6),
        Field::ProcessArg7 => argument(exec, 7),
        Field::ProcessArg8 => argument(exec, 8),
        Field::ProcessArg9 => argument(exec, 9),
        Field::ProcessRequested => text(&exec.requested),
        Field::ProcessInterpreter => text(&exec.interpreter),
        Field::ProcessEnv => list(exec.env.iter().map(Text::as_str)),
        Field::ProcessMemfd => Value::Bool(exec.memfd),
        Field::ProcessDeleted => Value::Bool(exec.deleted),
        Field::ProcessNotInImage => Value::Bool(exec.not_in_image),
        Field::ProcessSetId => Value::Bool(exec.setid),
        Field::ProcessOnTmpfs => Value::Bool(exec.on_tmpfs),
        Field::ProcessOnMount => Value::Bool(exec.on_mount),
        Field::ProcessStdin => Value::Str(stdin.fd_type.as_str()),
        Field::ProcessStdout => Value::Str(stdout.fd_type.as_str()),
        Field::ProcessStderr => Value::Str(stderr.fd_type.as_str()),
        _ => Value::Absent,
    }
}

fn of_container(record: &crate::container::Container, field: Field) -> Value<'_> {
    match field {
        Field::ContainerName => compact(&record.name),
        Field::ContainerImage => compact(&record.image),
        Field::ContainerImageName if !record.image.is_empty() => Value::Str(record.image_name()),
        Field::ContainerImageTag if !record.image.is_empty() => Value::Str(record.image_tag()),
        Field::ContainerImageId => compact(&record.image_id),
        Field::ContainerImageKnown => record.image_known.map_or(Value::Absent, Value::Bool),
        Field::ContainerInspected => Value::Bool(record.inspected),
        _ if !record.inspected => Value::Absent,
        Field::ContainerPrivileged => Value::Bool(record.privileged),
        Field::ContainerCapabilities => strings(&record.capabilities_added),
        Field::ContainerHostPid => Value::Bool(record.host_pid),
        Field::ContainerHostNetwork => Value::Bool(record.host_network),
        Field::ContainerHostIpc => Value::Bool(record.host_ipc),
        Field::ContainerHostUts => Value::Bool(record.host_uts),
        Field::ContainerNetworkOf => compact(&record.network_of),
        Field::ContainerSecurity => strings(&record.security_options),
        Field::ContainerMountSources => list(record.mounts.iter().map(|mount| mount.source.as_str())),
        Field::ContainerMountTargets => list(record.mounts.iter().map(|mount| mount.destination.as_str())),
        Field::ContainerWritableMounts => {
            let writable = record.mounts.iter().filter(|mount| mount.writable);
            list(writable.map(|mount| mount.source.as_str()))
        }
        Field::ContainerAutoRemove => Value::Bool(record.auto_remove),
        Field::ContainerDetached => Value::Bool(record.detached),
        Field::ContainerDevices => strings(&record.devices),
        Field::ContainerPorts => strings(&record.ports),
        Field::ContainerUser => compact(&record.user),
        Field::ContainerCommand => strings(&record.command),
        Field::ContainerNetworks => strings(&record.networks),
        _ => Value::Absent,
    }
}

pub(super) fn strings(items: &[CompactString]) -> Value<'_> {
    list(items.iter().map(CompactString::as_str))
}

pub(super) fn ends(event: &Event) -> Option<&Endpoints> {
    match event.seen() {
        Kind::Connection(connection) => Some(&connection.ends),
        Kind::Payload(payload) => Some(&payload.ends),
        Kind::Dns(dns) => Some(&dns.ends),
        Kind::Flow(flow) => Some(&flow.ends),
        Kind::Http(http) => Some(&http.ends),
        _ => None,
    }
}

pub(super) fn of_ends(event: &Event, field: Field) -> Value<'_> {
    let Some(ends) = ends(event) else { return Value::Absent };
    match field {
        Field::DestinationIp if !ends.remote_ip.is_unspecified() => Value::Ip(ends.remote_ip),
        Field::DestinationPort if ends.remote_port != 0 => Value::Int(ends.remote_port.into()),
        Field::SourceIp if !ends.local_ip.is_unspecified() => Value::Ip(ends.local_ip),
        Field::SourcePort if ends.local_port != 0 => Value::Int(ends.local_port.into()),
        Field::Protocol => Value::Str(ends.transport.as_str()),
        Field::NetworkOriginatorIp
        | Field::NetworkOriginatorPort
        | Field::NetworkResponderIp
        | Field::NetworkResponderPort => of_roles(event, field),
        Field::Initiated => match event.seen() {
            Kind::Connection(c) => {
                Value::Bool(matches!(c.op, ConnectionOp::Connect | ConnectionOp::Connected))
            }
            Kind::Flow(flow) => Value::Bool(flow.initiated),
            Kind::Http(http) => Value::Bool(http.initiated),
            _ => Value::Absent,
        },
        _ => Value::Absent,
    }
}

fn of_kind(event: &Event, field: Field) -> Value<'_> {
    if let (Kind::Fact(turn), Field::FactSubject) = (&event.kind, field) {
        return compact(&turn.subject);
    }
    match event.seen() {
        Kind::Exit(exit) => match field {
            Field::ExitCode => exit.code.map_or(Value::Absent, |code| Value::Int(code.into())),
            Field::ExitSignal => exit.signal.map_or(Value::Absent, |signal| Value::Int(signal.into())),
            _ => Value::Absent,
        },
        Kind::Container(change) if field == Field::ContainerDetail => text(&change.detail),
        Kind::File(file) => match field {
            Field::TargetFilename => text(&file.path),
            Field::FileName if !file.path.is_empty() => Value::Str(file.path.base_name()),
            Field::FileTarget => text(&file.target),
            Field::FileResolved => Value::Bool(file.path.provenance() == Provenance::Resolved),
            Field::FileMode if file.mode != 0 => Value::Int(file.mode.into()),
            Field::FileFlags => Value::Int(file.flags.into()),
            _ => Value::Absent,
        },
        Kind::FileChange(change) => super::change::of_change(change, field),
        Kind::Connection(connection) if connection.op == ConnectionOp::Close => match field {
            Field::NetworkBytesOut => unsigned(connection.bytes_out),
            Field::NetworkBytesIn => unsigned(connection.bytes_in),
            _ => Value::Absent,
        },
        Kind::Flow(flow) => of_flow(flow, field),
        Kind::Http(http) => of_http(http, field),
        Kind::Payload(payload) if field == Field::NetworkDirection => Value::Str(payload.direction.as_str()),
        Kind::Socket(socket) if field == Field::SocketFamily => compact(&socket.family),
        Kind::Unix(unix) if field == Field::SocketPath => text(&unix.path),
        Kind::Dns(dns) => match field {
            Field::DnsQuery => compact(&dns.query),
            Field::DnsType => compact(&dns.record_type),
            Field::DnsAnswer => strings(&dns.answers),
            Field::DnsReserved => Value::Int(dns.reserved.into()),
            Field::DnsRejected if dns.response => {
                Value::Bool(!matches!(dns.rcode, 0 | NXDOMAIN) && dns.answers.is_empty())
            }
            Field::DnsRcode if dns.response => Value::Int(dns.rcode.into()),
            Field::NetworkDirection => Value::Str(dns.direction.as_str()),
            _ => Value::Absent,
        },
        Kind::Syscall(call) => match field {
            Field::SyscallName => compact(&call.name),
            Field::SyscallArea => Value::Str(call.area.as_str()),
            Field::SyscallDetail => strings(&call.detail),
            Field::SyscallPath => text(&call.path),
            Field::SyscallSource => text(&call.source),
            Field::SyscallArg0 => hexadecimal(call.args.first()),
            Field::SyscallArg1 => hexadecimal(call.args.get(1)),
            Field::SyscallArg2 => hexadecimal(call.args.get(2)),
            Field::SyscallArg3 => hexadecimal(call.args.get(3)),
            Field::TargetProcessId => call.target.map_or(Value::Absent, |key| Value::Int(key.pid.into())),
            Field::TargetContainer => call.target_container.as_ref().map_or(Value::Absent, id),
            _ => Value::Absent,
        },
        Kind::Uring(uring) if field == Field::SyscallName => compact(&uring.operation),
        Kind::FdChange(change) => match field {
            Field::FdNumber => Value::Int(change.new_fd.into()),
            Field::FdTypeName => Value::Str(change.fd.fd_type.as_str()),
            _ => Value::Absent,
        },
        Kind::Signal(signal) => match field {
            Field::SignalNumber => Value::Int(signal.signal.into()),
            Field::SignalTarget => Value::Str(signal.guarded.as_str()),
            Field::TargetProcessId => Value::Int(signal.target.pid.into()),
            _ => Value::Absent,
        },
        Kind::Memory(memory) => match field {
            Field::MemoryAnonymous => Value::Bool(memory.anonymous),
            Field::MemoryWasWritable => Value::Bool(memory.was_writable),
            _ => Value::Absent,
        },
        Kind::Cgroup(cgroup) if field == Field::CgroupPath => text(&cgroup.path),
        Kind::Api(api) => of_api(api, field),
        Kind::Log(record) => of_log(record, field),
        Kind::Loss(loss) => match field {
            Field::LossAtName => Value::Str(loss.at.as_str()),
            Field::LossCount => unsigned(loss.count),
            _ => Value::Absent,
        },
        Kind::Health(health) => match field {
            Field::HealthSignal => compact(&health.signal),
            Field::HealthState => Value::Str(health.state.as_str()),
            _ => Value::Absent,
        },
        Kind::ClockStep(step) if field == Field::ClockStepMs => Value::Int(step.by_ns / 1_000_000),
        _ => Value::Absent,
    }
}
