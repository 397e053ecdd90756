//! The catalogue of fields: what rules may name, what it means, and where OCSF puts it.
//!
//! Process, file, network and DNS fields have the names of Sigma's taxonomy where Sigma has one; the rest are dotted
//! names of our own. One table gives the enum, the names, the OCSF paths and the reference; [`value`] reads a field
//! of an event without allocating, except where a list is made.

use crate::event::Event;
use compact_str::CompactString;
use std::net::IpAddr;

mod audit;
mod change;
mod fact;
mod flow;
mod log;
mod part;
mod read;
mod request;
mod roles;
mod workload;

pub use audit::types as audit_types;
pub use part::candidates;
pub use read::{exec, value};
pub use workload::{Workload, has_workload, workload};

/// Value of a field of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The event does not have it.
    Absent,
    /// A text.
    Str(&'a str),
    /// A text made for the occasion.
    Owned(CompactString),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// An address.
    Ip(IpAddr),
    /// Several texts: a condition holds where it holds for one of them.
    List(Vec<&'a str>),
}

impl Value<'_> {
    /// Whether the event has no such field.
    #[inline]
    pub fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// As text for messages and group keys; lists are joined by commas.
    pub fn to_text(&self) -> CompactString {
        use compact_str::ToCompactString;
        match self {
            Value::Absent => CompactString::default(),
            Value::Str(text) => CompactString::new(text),
            Value::Owned(text) => text.clone(),
            Value::Int(number) => number.to_compact_string(),
            Value::Bool(flag) => flag.to_compact_string(),
            Value::Ip(ip) => ip.to_compact_string(),
            Value::List(items) => items.join(",").into(),
        }
    }
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    Text,
    /// Whole number.
    Int,
    /// Yes or no.
    Bool,
    /// Address.
    Ip,
    /// List of texts.
    List,
}

/// Why the absence of a word in a field proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Somebody who is observed says it of himself: a process of its arguments, a client of its name.
    Claimed,
    /// Only its beginning is there.
    Truncated,
}

impl Doubt {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Doubt::Claimed => "claimed",
            Doubt::Truncated => "truncated",
        }
    }
}

macro_rules! fields {
    ($($variant:ident, $name:literal, $type:ident, $ocsf:literal, $doc:literal;)+) => {
        /// A field that rules may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Field { $(#[doc = $doc] $variant,)+ }

        impl Field {
            /// All fields, in the order of the reference.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)+];
            /// Name in rules.
            pub fn name(self) -> &'static str { match self { $(Field::$variant => $name,)+ } }
            /// Path in OCSF, empty where OCSF has none.
            pub fn ocsf(self) -> &'static str { match self { $(Field::$variant => $ocsf,)+ } }
            /// What it means.
            pub fn doc(self) -> &'static str { match self { $(Field::$variant => $doc,)+ } }
            /// Its type.
            pub fn field_type(self) -> FieldType { match self { $(Field::$variant => FieldType::$type,)+ } }
            /// The field of this name.
            pub fn by_name(name: &str) -> Option<Field> { match name { $($name => Some(Field::$variant),)+ _ => None } }
        }
    };
}

impl Field {
    /// Name of its type, for the reference.
    pub fn type_name(self) -> &'static str {
        match self.field_type() {
            FieldType::Text => "text",
            FieldType::Int => "integer",
            FieldType::Bool => "boolean",
            FieldType::Ip => "address",
            FieldType::List => "list of text",
        }
    }

    /// Why its text cannot be relied on to lack something, where it cannot. Paths of files are claimed only where
    /// `file.resolved` says so, and are not meant here.
    pub fn doubt(self) -> Option<Doubt> {
        match self {
            Field::ProcessTask
            | Field::CommandLine
            | Field::ProcessArg0
            | Field::ProcessArg1
            | Field::ProcessArg2
            | Field::ProcessArg3
            | Field::ProcessArg4
            | Field::ProcessArg5
            | Field::ProcessArg6
            | Field::ProcessArg7
            | Field::ProcessArg8
            | Field::ProcessArg9
            | Field::ParentCommandLine
            | Field::ProcessRequested
            | Field::ProcessInterpreter
            | Field::ProcessEnv
            | Field::ContainerName
            | Field::FileTarget
            | Field::SyscallSource
            | Field::ApiUserAgent
            | Field::ApiData
            | Field::TlsSni
            | Field::TlsAlpn
            | Field::TlsSubject
            | Field::TlsIssuer
            | Field::HttpHost
            | Field::HttpAgent
            | Field::HttpReferrer
            | Field::HttpMediaType
            | Field::AuthUser
            | Field::ActivityUser
            | Field::ActivityTarget
            | Field::ActivityCommand
            | Field::LogHost
            | Field::LogProgram
            | Field::LogMessage
            | Field::FactIntendedDestination
            | Field::FactIntendedPort => Some(Doubt::Claimed),
            Field::FactCommandText | Field::ChangeDiff => Some(Doubt::Truncated),
            _ => None,
        }
    }

    /// Value of this field of `event`.
    #[inline]
    pub fn of(self, event: &Event) -> Value<'_> {
        value(event, self)
    }
}

fields! {
    EventClass, "event.class", Text, "class_name", "Class of the event.";
    EventOperation, "event.operation", Text, "activity_name", "What exactly happened within the class.";
    EventSensor, "event.sensor", Text, "metadata.log_provider", "Sensor that saw it.";
    EventVia, "event.via", Text, "", "How a system call came in: `syscall`, `compat` (32-bit) or `io_uring`.";
    EventResult, "event.result", Int, "status_code", "Result of the call: 0 or more, or a negative errno.";

    ProcessId, "ProcessId", Int, "process.pid", "Pid in the initial namespace.";
    ParentProcessId, "ParentProcessId", Int, "process.parent_process.pid", "Parent's pid.";
    Image, "Image", Text, "process.file.path", "Executable of the acting process, resolved by the kernel.";
    ProcessName, "process.name", Text, "process.name", "Last component of the executable's path.";
    ProcessTask, "process.task_name", Text, "process.xattributes.comm", "Name of the task, which a process can set itself: claimed.";
    CommandLine, "CommandLine", Text, "process.cmd_line", "Command line, from the process's own memory: claimed.";
    ProcessArg0, "process.arg0", Text, "", "Argument 0 of the command line, where 0 is the name that it was called by: claimed.";
    ProcessArg1, "process.arg1", Text, "", "Argument 1 of the command line, where its place is known: claimed.";
    ProcessArg2, "process.arg2", Text, "", "Argument 2 of the command line, where its place is known: claimed.";
    ProcessArg3, "process.arg3", Text, "", "Argument 3 of the command line, where its place is known: claimed.";
    ProcessArg4, "process.arg4", Text, "", "Argument 4 of the command line, where its place is known: claimed.";
    ProcessArg5, "process.arg5", Text, "", "Argument 5 of the command line, where its place is known: claimed.";
    ProcessArg6, "process.arg6", Text, "", "Argument 6 of the command line, where its place is known: claimed.";
    ProcessArg7, "process.arg7", Text, "", "Argument 7 of the command line, where its place is known: claimed.";
    ProcessArg8, "process.arg8", Text, "", "Argument 8 of the command line, where its place is known: claimed.";
    ProcessArg9, "process.arg9", Text, "", "Argument 9 of the command line, where its place is known: claimed.";
    CurrentDirectory, "CurrentDirectory", Text, "process.working_directory", "Working directory at exec.";
    User, "User", Text, "process.user.uid", "Real user id, as text.";
    UserId, "process.user_id", Int, "process.user.uid", "Real user id.";
    EffectiveUserId, "process.effective_user_id", Int, "process.euid", "Effective user id.";
    LoginUserId, "process.login_user_id", Int, "process.auid", "Login user id; null where nobody logged in.";
    Capabilities, "process.capabilities", Int, "", "Effective capabilities, one bit each.";
    ParentImage, "ParentImage", Text, "process.parent_process.file.path", "Executable of the parent.";
    ParentName, "process.parent_name", Text, "process.parent_process.name", "Last component of the parent's executable.";
    ParentCommandLine, "ParentCommandLine", Text, "process.parent_process.cmd_line", "Command line of the parent: claimed.";
    Ancestors, "process.ancestors", List, "process.ancestry", "Executables of the ancestors, parent first.";
    ProcessTty, "process.tty", Bool, "process.tty", "Whether it has a controlling terminal.";
    ProcessRole, "process.role", Text, "", "`ordinary`, `usermode_helper`, `runtime` or `login`.";
    ProcessMoved, "process.moved", Bool, "", "It left the cgroup of the container that it descends from.";
    ProcessByExec, "process.by_exec", Bool, "", "It was started by `docker exec`, or descends from such a process.";
    ProcessRequested, "process.requested_path", Text, "", "Path that was asked to be executed: claimed.";
    ProcessInterpreter, "process.interpreter", Text, "", "Interpreter of an executed script.";
    ProcessEnv, "process.env", List, "process.environment_variables", "Selected environment entries: claimed.";
    ProcessMemfd, "process.memfd", Bool, "", "The executable is an anonymous memory file.";
    ProcessDeleted, "process.deleted", Bool, "", "The executable had no name left.";
    ProcessNotInImage, "process.not_in_image", Bool, "", "The executable lies on the container's writable layer: it did not come with the image.";
    ProcessSetId, "process.setid", Bool, "", "The executable is set-user-id or set-group-id.";
    ProcessOnTmpfs, "process.on_tmpfs", Bool, "", "The executable lies on tmpfs.";
    ProcessOnMount, "process.on_mount", Bool, "", "The executable lies on a volume or a bind mount.";
    ProcessStdin, "process.stdin", Text, "", "Type of standard input: `inet`, `unix`, `pipe`, `tty`, `file`, `null`, `other`, `none`.";
    ProcessStdout, "process.stdout", Text, "", "Type of standard output.";
    ProcessStderr, "process.stderr", Text, "", "Type of standard error.";
    ProcessHash, "process.sha256", Text, "process.file.hashes.value", "SHA-256 of the executable, once known.";
    ExitCode, "process.exit_code", Int, "exit_code", "Exit code.";
    ExitSignal, "process.exit_signal", Int, "", "Signal that ended it.";

    ContainerId, "container.id", Text, "container.uid", "Full id of the container that the process descends from.";
    ContainerName, "container.name", Text, "container.name", "Name: claimed by whoever made it.";
    ContainerImage, "container.image", Text, "container.image.name", "Image reference as asked for.";
    ContainerImageName, "container.image_name", Text, "container.image.name", "Image reference without tag and digest.";
    ContainerImageTag, "container.image_tag", Text, "container.image.tag", "Tag of the image reference.";
    ContainerImageId, "container.image_id", Text, "container.image.uid", "Image id.";
    ContainerImageKnown, "container.image_known", Bool, "", "Whether the image was on the host when Watchkeeper started.";
    ContainerInspected, "container.inspected", Bool, "", "Whether the runtime's full facts are known.";
    ContainerPrivileged, "container.privileged", Bool, "", "`--privileged`.";
    ContainerCapabilities, "container.capabilities_added", List, "", "Capabilities added, as `SYS_ADMIN`.";
    ContainerHostPid, "container.host_pid", Bool, "", "Shares the host's pid namespace.";
    ContainerHostNetwork, "container.host_network", Bool, "", "Shares the host's network namespace.";
    ContainerHostIpc, "container.host_ipc", Bool, "", "Shares the host's IPC namespace.";
    ContainerHostUts, "container.host_uts", Bool, "", "Shares the host's UTS namespace.";
    ContainerNetworkOf, "container.network_of", Text, "", "Container whose network namespace it shares.";
    ContainerSecurity, "container.security_options", List, "", "Security options, as `seccomp=unconfined`.";
    ContainerMountSources, "container.mount_sources", List, "", "Host paths of its mounts.";
    ContainerMountTargets, "container.mount_targets", List, "", "Paths in the container of its mounts.";
    ContainerWritableMounts, "container.writable_mount_sources", List, "", "Host paths of its mounts that it may write to.";
    ContainerAutoRemove, "container.auto_remove", Bool, "", "Removed by the runtime as soon as it stops (`--rm`).";
    ContainerDetached, "container.detached", Bool, "", "Started without anybody attached to its output (`-d`).";
    ContainerDevices, "container.devices", List, "", "Host devices.";
    ContainerPorts, "container.ports", List, "", "Published ports, as `0.0.0.0:8080->80/tcp`.";
    ContainerUser, "container.user", Text, "", "User as configured.";
    ContainerCommand, "container.command", List, "", "Entry point and command.";
    ContainerNetworks, "container.networks", List, "", "Networks it is attached to.";
    ContainerDetail, "container.detail", Text, "", "Command of an exec, signal of a kill.";

    TargetFilename, "TargetFilename", Text, "file.path", "The file, as the process sees it.";
    FileName, "file.name", Text, "file.name", "Last component of the file's path.";
    FileTarget, "file.second_path", Text, "file_result.path", "Second path of rename, link and symlink.";
    FileHostPath, "file.host_path", Text, "", "Path on the host, where the container reaches it through a mount.";
    ChangeWhat, "change.what", List, "", "How a watched file differs from what was known of it: `created`, `deleted`, `content`, `replaced` (another file has its name), `type`, `target`, `permission`, `owner`, `link`, `xattr`, `capability`, `mount_over`, `before_scan`, `unread`.";
    ChangeHashBefore, "change.hash_before", Text, "", "BLAKE3 of its content as it was known, hexadecimal.";
    ChangeHashAfter, "change.hash_after", Text, "file.hashes.value", "BLAKE3 of its content now, hexadecimal.";
    ChangeDiff, "change.diff", Text, "file_diff", "Unified diff of its text, where it is text and short; what is longer than 4 KiB is cut.";
    ChangeCause, "change.cause", Text, "", "What the kernel sensor saw of it: `open_write`, `rename`, `mount` and more; absent where nobody was seen to act.";
    ChangeNotes, "change.notes", List, "", "What else must be said of a change: why there is no diff, that several may have written.";
    FileResolved, "file.resolved", Bool, "", "Whether the path comes from a kernel object rather than from the process.";
    FileMode, "file.mode", Int, "file.mode", "Mode with type bits, where known.";
    FileFlags, "file.flags", Int, "", "Open flags.";

    WorkloadId, "workload.id", Text, "", "Who acts, as one word to group by: the container's full id; in captures and Zeek's logs, which know no containers, the own address.";
    WorkloadName, "workload.name", Text, "", "The same for people: Kubernetes namespace and pod, Compose service or name of the container; else the own address.";

    DestinationIp, "DestinationIp", Ip, "dst_endpoint.ip", "Peer's address.";
    DestinationPort, "DestinationPort", Int, "dst_endpoint.port", "Peer's port.";
    DestinationHostname, "DestinationHostname", Text, "dst_endpoint.hostname", "Name of the peer's address, from the DNS answers that this container got.";
    SourceIp, "SourceIp", Ip, "src_endpoint.ip", "Own address.";
    SourcePort, "SourcePort", Int, "src_endpoint.port", "Own port.";
    Initiated, "Initiated", Bool, "connection_info.direction_id", "The observed side opened the connection.";
    Protocol, "Protocol", Text, "connection_info.protocol_name", "Transport: `tcp`, `udp`, `icmp`.";
    NetworkDirection, "network.direction", Text, "connection_info.direction", "Of payload and DNS: `out` or `in`.";
    NetworkBytesOut, "network.bytes_out", Int, "traffic.bytes_out", "Payload bytes sent, at close; of a flow, so far.";
    NetworkBytesIn, "network.bytes_in", Int, "traffic.bytes_in", "Payload bytes received, at close; of a flow, so far.";
    NetworkProtocol, "network.protocol", Text, "", "Application protocol of a flow, by content.";
    NetworkConfidence, "network.protocol_confidence", Int, "", "How sure it is, in percent.";
    NetworkEvidence, "network.protocol_evidence", Text, "", "Why it is that protocol.";
    NetworkChangedTo, "network.changed_to", Text, "", "Protocol that took over in the middle of a flow.";
    NetworkFacts, "network.facts", List, "", "How a flow behaved, as `protocol_on_foreign_port`; see flows.md.";
    NetworkEnd, "network.end", Text, "", "Why a flow ended: `closed`, `reset`, `idle`, `evicted`, `input`.";
    NetworkStart, "network.start_ms", Int, "start_time", "When a flow began, in milliseconds since 1970.";
    NetworkDuration, "network.duration_ms", Int, "duration", "From the first packet of a flow to the last, in milliseconds.";
    NetworkPacketsOut, "network.packets_out", Int, "traffic.packets_out", "Packets sent.";
    NetworkPacketsIn, "network.packets_in", Int, "traffic.packets_in", "Packets received.";
    NetworkIpBytesOut, "network.ip_bytes_out", Int, "", "Bytes of packets sent, headers included.";
    NetworkIpBytesIn, "network.ip_bytes_in", Int, "", "Bytes of packets received, headers included.";
    NetworkLargestOut, "network.largest_payload_out", Int, "", "Largest payload of one packet sent.";
    NetworkLargestIn, "network.largest_payload_in", Int, "", "Largest payload of one packet received.";
    NetworkInterval, "network.interval_ms", Int, "", "Mean time between packets of a flow, in milliseconds.";
    NetworkIntervalDeviation, "network.interval_deviation_ms", Int, "", "Standard deviation of it.";
    NetworkLongestSilence, "network.longest_silence_ms", Int, "", "Longest time between two packets of a flow.";
    TlsSni, "tls.sni", Text, "tls.sni", "Server name that the client asks for: claimed.";
    TlsAlpn, "tls.alpn", Text, "", "First application protocol that the client's TLS offers: claimed.";
    TlsJa4, "tls.ja4", Text, "tls.ja4_fingerprint_list.value", "Fingerprint of the client's TLS.";
    TlsSubject, "tls.subject", Text, "tls.certificate.subject", "Subject of the server's certificate: claimed.";
    TlsIssuer, "tls.issuer", Text, "tls.certificate.issuer", "Issuer of the server's certificate: claimed.";
    HttpMethod, "http.method", Text, "http_request.http_method", "Method of a request.";
    HttpHost, "http.host", Text, "http_request.url.hostname", "Host that is asked, with its port where the request says one: claimed.";
    HttpTarget, "http.target", Text, "http_request.url.url_string", "What the request names: path and query, or a whole address where a proxy is asked.";
    HttpPath, "http.path", Text, "http_request.url.path", "Path of it.";
    HttpQuery, "http.query", Text, "http_request.url.query_string", "Query of it, without the question mark.";
    HttpExtension, "http.extension", Text, "", "What stands behind the last dot of the path's last part.";
    HttpAgent, "http.user_agent", Text, "http_request.user_agent", "User agent: claimed.";
    HttpReferrer, "http.referrer", Text, "http_request.referrer", "Page that led here: claimed.";
    HttpStatus, "http.status", Int, "http_response.code", "Status of the answer, where one was seen.";
    HttpMediaType, "http.media_type", Text, "http_response.content_type", "Media type of the answer: claimed.";
    SocketFamily, "socket.family", Text, "", "Family of an unusual socket: `packet`, `raw`, `netlink`, `vsock`.";
    SocketPath, "socket.path", Text, "", "Path of a Unix socket; abstract names begin with `@`.";

    NetworkOriginatorIp, "network.originator_ip", Ip, "", "Address of the end that connected or asked.";
    NetworkOriginatorPort, "network.originator_port", Int, "", "Its port.";
    NetworkResponderIp, "network.responder_ip", Ip, "", "Address of the other end.";
    NetworkResponderPort, "network.responder_port", Int, "", "Its port.";

    DnsQuery, "query", Text, "query.hostname", "Name asked for.";
    DnsType, "record_type", Text, "query.type", "Type asked for.";
    DnsAnswer, "answer", List, "answers.rdata", "Answers.";
    DnsRcode, "dns.rcode", Int, "rcode_id", "Response code; 3 is NXDOMAIN.";
    DnsReserved, "dns.reserved", Int, "", "The three reserved bits of the header (`Z`); two of them are AD (2) and CD (1).";
    DnsRejected, "dns.rejected", Bool, "", "The server did not serve the query: a response code other than 0 and 3, and no answer.";

    SyscallName, "syscall.name", Text, "kernel.system_call", "Name of the system call.";
    SyscallArea, "syscall.area", Text, "", "`privilege`, `namespace`, `mount`, `module`, `bpf`, `ptrace`, `memory`, `io_uring`, `system`.";
    SyscallDetail, "syscall.detail", List, "", "Flags and commands by name, as `CLONE_NEWNS`.";
    SyscallPath, "syscall.path", Text, "", "Resolved path of the descriptor argument, or mount target.";
    SyscallSource, "syscall.source", Text, "", "Mount source, memfd name or module parameters: claimed.";
    SyscallArg0, "syscall.arg0", Text, "", "Argument 0 of the call, hexadecimal as the audit log has it.";
    SyscallArg1, "syscall.arg1", Text, "", "Argument 1 of the call, hexadecimal as the audit log has it.";
    SyscallArg2, "syscall.arg2", Text, "", "Argument 2 of the call, hexadecimal as the audit log has it.";
    SyscallArg3, "syscall.arg3", Text, "", "Argument 3 of the call, hexadecimal as the audit log has it.";
    AuditType, "audit.type", List, "", "Types of the audit records that the event stands for: `EXECVE`, `PATH`, `SYSCALL`.";
    TargetProcessId, "target.process_id", Int, "", "The other process.";
    TargetContainer, "target.container_id", Text, "", "The other process's container.";
    FdNumber, "fd.number", Int, "", "Descriptor that was replaced: 0, 1 or 2.";
    FdTypeName, "fd.type", Text, "", "What it leads to now.";
    SignalNumber, "signal.number", Int, "", "Number of the signal.";
    SignalTarget, "signal.target", Text, "", "Receiver: `watchkeeper`, `dockerd`, `containerd`.";
    MemoryAnonymous, "memory.anonymous", Bool, "", "No file behind the memory.";
    MemoryWasWritable, "memory.was_writable", Bool, "", "The memory is or was writable.";
    CgroupPath, "cgroup.path", Text, "", "Path of the cgroup.";

    ApiService, "api.service", Text, "api.service.name", "`docker` or `kubernetes`.";
    ApiVerb, "verb", Text, "api.operation", "Verb of the request.";
    ApiResource, "objectRef.resource", Text, "resources.type", "Kind of object.";
    ApiSubresource, "objectRef.subresource", Text, "", "Subresource.";
    ApiNamespace, "objectRef.namespace", Text, "resources.namespace", "Namespace.";
    ApiName, "objectRef.name", Text, "resources.name", "Name of the object.";
    ApiUser, "user.username", Text, "actor.user.name", "Who asked.";
    ApiSource, "sourceIPs", List, "src_endpoint.ip", "Addresses the request came from: the client's, then those of proxies.";
    ApiUserAgent, "userAgent", Text, "http_request.user_agent", "User agent.";
    ApiStatus, "responseStatus.code", Int, "api.response.code", "Response status.";
    ApiGroup, "objectRef.apiGroup", Text, "api.group.name", "API group of the object, empty for the core group.";
    ApiRequestUri, "requestURI", Text, "http_request.url.url_string", "Path and query of the request.";
    ApiImages, "api.images", List, "", "Images of the object's containers.";
    ApiHostPaths, "api.host_paths", List, "", "Host paths among the volumes of the object's pods.";
    ApiCapabilities, "api.capabilities_added", List, "", "Capabilities that the object's containers add, as `SYS_ADMIN`.";
    ApiPrivileged, "api.privileged", Bool, "", "Whether one of the object's containers is privileged; only where it has containers.";
    ApiDecision, "api.decision", Text, "authorizations.decision", "What the authorizer said: `allow` or `forbid`, where the log tells.";
    ApiGroups, "user.groups", List, "actor.user.groups.name", "Groups of who asked.";
    ApiImpersonated, "impersonatedUser.username", Text, "", "Whom the request impersonates.";
    ApiCommand, "api.command", Text, "", "What `exec` is to run.";
    ApiHostNamespaces, "api.host_namespaces", List, "", "Namespaces of the host that the object's pods share: `pid`, `ipc`, `network`.";
    ApiRoot, "api.root", Bool, "", "Whether one of the object's containers runs as user 0 or may; only where one says so.";
    ApiServiceAccount, "api.service_account", Text, "", "Service account of the object's pods.";
    ApiServiceType, "api.service_type", Text, "", "Type of a service, as `NodePort`.";
    ApiGrants, "api.grants", List, "", "What a role allows: `VERB RESOURCE`, each verb with each resource of the same rule, as `create pods/exec`.";
    ApiRole, "api.role", Text, "", "Role that a binding gives.";
    ApiSubjects, "api.subjects", List, "", "To whom a binding gives it: `User:NAME`, `Group:NAME`, `ServiceAccount:NAMESPACE/NAME`.";
    ApiDataKeys, "api.data_keys", List, "", "Keys of the data of a configuration map or secret.";
    ApiData, "api.data", Text, "", "Start of the data of a configuration map: claimed.";
    ApiTls, "api.tls", Bool, "", "Whether an ingress has TLS.";
    ApiSigner, "api.signer", Text, "", "Who is to sign a certificate that is asked for.";
    ApiWebhooks, "api.webhooks", List, "", "Where an admission webhook sends requests: its URL, or `NAMESPACE/SERVICE`.";
    AuthService, "authentication.service", Text, "service.name", "Service that was asked.";
    AuthUser, "authentication.user", Text, "user.name", "User that was claimed.";
    AuthSuccess, "authentication.success", Bool, "status_id", "Whether it succeeded.";
    AuthMethod, "authentication.method", Text, "auth_protocol", "By what it was tried: `password`, `publickey`, `unknown_user`, `denied_user`, `pam` and others. Logs tell one attempt in several lines, each with its own word here.";
    AuthSource, "authentication.source", Text, "src_endpoint.ip", "Address or name that it came from.";
    ActivityUser, "activity.user", Text, "actor.user.name", "Who did it, as the log tells: claimed.";
    ActivityTarget, "activity.target", Text, "", "As whom or to what it was done, a user, group, program, unit or port: claimed.";
    ActivityCommand, "activity.command", Text, "", "Command line, as the log tells: claimed.";
    ActivitySource, "activity.source", Text, "src_endpoint.ip", "Address or name that it came from.";
    ActivitySuccess, "activity.success", Bool, "status_id", "Whether it succeeded, where the log tells.";
    LogName, "log.name", Text, "metadata.log_name", "The log: `syslog`, `journal`, `audit`, `file`, or `container` and the start of its id.";
    LogHost, "log.host", Text, "", "Host that the line names: claimed.";
    LogProgram, "log.program", Text, "", "Program that the line names: claimed.";
    LogMessage, "log.message", Text, "message", "What the line says: claimed.";
    LogRecord, "log.record", Text, "", "Type of a record of the audit log, as `USER_AUTH`.";
    LogUnit, "log.unit", Text, "", "Unit of systemd.";
    LogExecutable, "log.executable", Text, "", "Executable that the record names.";
    LogOperation, "log.operation", Text, "", "What was done, as the audit log calls it.";
    LogTerminal, "log.terminal", Text, "", "Terminal.";

    LossAtName, "loss.at", Text, "", "Where observations were lost.";
    LossCount, "loss.count", Int, "", "How many.";
    HealthSignal, "health.signal", Text, "", "Signal whose state changed.";
    HealthState, "health.state", Text, "", "`up`, `degraded`, `down`, or `absent` where it has never been up.";
    ClockStepMs, "clock.step_ms", Int, "", "By how many milliseconds the wall clock moved.";

    FactSubject, "fact.subject", Text, "", "What a fact about an entity is about, in words.";
    FactNoHistory, "fact.no_history", Bool, "", "The workload has no history yet, so nothing can be called new or usual.";
    FactUnregisteredPort, "fact.unregistered_port", Bool, "", "No protocol that Watchkeeper knows is assigned to the destination port.";
    FactProtocol, "fact.protocol", Text, "", "Application protocol by content.";
    FactProtocolConfidence, "fact.protocol_confidence", Int, "", "How sure the protocol is, in percent.";
    FactProtocolMismatch, "fact.protocol_mismatch", Text, "", "Protocol that the port is registered for, where the content is another.";
    FactCommandText, "fact.command_text", Text, "", "Shell command, prompt or output found in a plain session.";
    FactSocketStdio, "fact.socket_stdio", Text, "", "Descriptors of the process that lead to a network socket.";
    FactPlaintextClient, "fact.plaintext_client", Text, "", "The program is a client of this interactive plain-text protocol.";
    FactIntendedDestination, "fact.intended_destination", Text, "", "Host and port named on the command line of such a client.";
    FactIntendedPort, "fact.intended_port", Int, "", "Port named on the command line of such a client.";
    FactHostPath, "fact.host_path", Text, "", "Path on the host that the path leads to.";
    FactHostSystemFile, "fact.host_system_file", Text, "", "Directory of the host's system files that the path leads to, through a mount.";
    FactRuntimeSocket, "fact.runtime_socket", Text, "", "A container runtime's socket is among the mounts, or is connected to.";
    FactUnknownImage, "fact.unknown_image", Bool, "", "The image was not on the host when Watchkeeper started.";
    FactWebService, "fact.web_service", Text, "", "A published or listening port on which web services run.";
    FactExecutableContent, "fact.executable_content", Text, "", "What comes in begins as a program does: `ELF program`, `Java class`, `Windows program` or `script`.";
    FactHostFacts, "fact.host_facts", Text, "", "What goes out tells of the host: `system, architecture, user`, and more.";
    FactBeacon, "fact.beacon", Int, "", "How sure it is that a program keeps time with one destination, in thousandths.";
    FactBeaconPeriod, "fact.beacon_period", Int, "", "Median time between check-ins with the missed ones put back, in seconds.";
    FactBeaconJitter, "fact.beacon_jitter", Int, "", "Width of the sleeps as a share of the longest, in percent.";
    FactBeaconCheckIns, "fact.beacon_check_ins", Int, "", "Check-ins that were looked at.";
    FactTunnelDomain, "fact.tunnel_domain", Text, "", "Registered domain below which distinct names were asked for.";
    FactTunnelBytes, "fact.tunnel_bytes", Int, "", "Bytes of distinct names below the domain within a minute.";
    FactTunnelBytesHour, "fact.tunnel_bytes_hour", Int, "", "The same within an hour.";
    FactTunnelBytesDay, "fact.tunnel_bytes_day", Int, "", "The same within a day.";
    FactTunnelNames, "fact.tunnel_names", Int, "", "Distinct names below the domain within a minute.";
    FactTunnelNameBytes, "fact.tunnel_name_bytes", Int, "", "Mean bytes of a distinct name within a minute.";
    FactTunnelNameBytesDay, "fact.tunnel_name_bytes_day", Int, "", "The same within a day.";
    FactTunnelEntropy, "fact.tunnel_entropy", Int, "", "Entropy of the bytes of distinct names, in hundredths of a bit a byte.";
    FactFailedDomains, "fact.failed_domains", Int, "", "Registered domains that a workload asked for and that do not exist, within five minutes.";
    FactFailedGenerated, "fact.failed_generated", Int, "", "Those of them whose names look generated.";
    FactScanHosts, "fact.scan_hosts", Int, "", "Distinct addresses that a workload tried for the first time within ten minutes.";
    FactScanPorts, "fact.scan_ports", Int, "", "Distinct ports among these first contacts.";
    FactScanFailed, "fact.scan_failed", Int, "", "Distinct addresses with ports among them of which no session came.";
    FactScanWalk, "fact.scan_walk", Int, "", "Evidence of a scan, as the logarithm of odds in hundredths: 460 is where the sequential test decides.";
    FactLoginProtocol, "fact.login_protocol", Text, "", "Protocol of a login, where attempts on one service repeat.";
    FactLoginSessions, "fact.login_sessions", Int, "", "Short sessions of it between a workload and one peer within five minutes.";
    FactLoginRefusals, "fact.login_refusals", Int, "", "Refusals of a login that the service said in plain, within five minutes.";
    FactUnresolvedAddress, "fact.unresolved_address", Bool, "", "No DNS answer gave this workload the address outside, and answers to it were seen.";
    FactUnaskedName, "fact.unasked_name", Text, "", "Name in TLS or HTTP that the workload did not ask DNS for, and its questions were seen.";
    FactEncryptedDns, "fact.encrypted_dns", Text, "", "DNS over another protocol: `tls`, `quic` or `https`, by port, offer or the resolver's name or address.";
    FactDirectResolver, "fact.direct_resolver", Text, "", "The workload's own resolver, inside, where it asks another one outside.";
    FactNewDomain, "fact.new_domain", Text, "", "Registered domain that the workload asks for the first time, after an hour of questions.";
    FactRareTopLevel, "fact.rare_top_level", Text, "", "Top-level domain of the name, where services of workloads rarely stand below it.";
    FactSpecialAddress, "fact.special_address", Text, "", "What the peer's address serves: `metadata` of a cloud instance, `kubernetes` API server.";
    FactUploadBytes, "fact.upload_bytes", Int, "", "Bytes that a workload sent to one destination within ten minutes.";
    FactUploadRatio, "fact.upload_ratio", Int, "", "How many times more that is than what came back.";
    FactUploadExcess, "fact.upload_excess", Int, "", "How many times more that is than the 99 % quantile of the earlier periods, or than a mebibyte.";
    FactUploadPeriods, "fact.upload_periods", Int, "", "Earlier periods of ten minutes that had any bytes.";
    FactUploadRun, "fact.upload_run", Int, "", "Uploads of a mebibyte and more in a row whose sizes are within a hundredth of each other.";
    FactIntelList, "fact.intel_list", Text, "", "Intel list that has what is seen.";
    FactIntelIndicator, "fact.intel_indicator", Text, "", "What of it is on the list, in the form in which it was looked up.";
    FactIntelKind, "fact.intel_kind", Text, "", "Kind of indicator: `address`, `network`, `name`, `url`, `sha256` or `image`.";
    FactManagedBy, "fact.managed_by", Text, "", "Package manager or configuration management whose run the acting process belongs to, by its ancestry.";
    FactPodPeer, "fact.pod_peer", Text, "", "Container of the same pod, or one that shares a socket, to which this one connects over loopback or a Unix socket.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name_and_names_are_unique() {
        for field in Field::ALL {
            assert_eq!(Field::by_name(field.name()), Some(*field));
        }
    }

    #[test]
    fn what_the_reference_calls_claimed_is_in_doubt() {
        for field in Field::ALL.iter().filter(|field| field.doc().contains("claimed")) {
            assert_eq!(field.doubt(), Some(Doubt::Claimed), "{}", field.name());
        }
    }
}
