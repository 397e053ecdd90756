//! Falco's fields: which names there are.
//!
//! In: a name. Out: whether Falco knows it. Names are those of libs 0.25 (`userspace/libsinsp/sinsp_filtercheck_*.cpp`),
//! of the container plugin and of the Kubernetes audit plugin; the list of names within a class grows with each version
//! of Falco, so a name that is not in it gets a warning, while a class that is unknown is an error.

use crate::suggest;

/// Whether Falco knows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Yes.
    Yes,
    /// The class of fields, but not the name.
    Class,
    /// Not even the class.
    No,
}

/// Classes whose names are not listed, or that give names of their own.
const OPEN: &[&str] = &[
    "fs",
    "fdlist",
    "k8s",
    "k8smeta",
    "syslog",
    "krsi",
    "anomaly",
    "json",
    "jevt",
    "span",
    "evtin",
    "util",
    "mesos",
    "marathon",
    "lastevent_fd",
    "static",
];

const EVT: &str = "num time time.s time.iso8601 datetime datetime.s rawtime rawtime.s rawtime.ns reltime reltime.s \
    reltime.ns latency latency.s latency.ns latency.human latency.quantized deltatime deltatime.s deltatime.ns \
    outputtime dir type type.is syscall.type category cpu args arg rawarg info buffer buflen res rawres failed is_io \
    is_io_read is_io_write io_dir is_wait wait_latency is_syslog count count.error count.error.file count.error.net \
    count.error.memory count.error.other count.exit count.procinfo count.threadinfo around abspath abspath.src \
    abspath.dst buflen.in buflen.out buflen.file buflen.file.in buflen.file.out buflen.net buflen.net.in \
    buflen.net.out is_open_read is_open_write is_open_exec is_open_create is_async source asynctype hostname \
    pluginname plugininfo";
const PROC: &str = "exe pexe aexe exepath pexepath aexepath name pname aname args aargs cmdline pcmdline acmdline \
    cmdnargs cmdlenargs exeline env aenv cwd loginshellid tty pid ppid apid vpid pvpid sid sname sid.exe sid.exepath \
    vpgid vpgid.name vpgid.exe vpgid.exepath pgid pgid.name pgid.exe pgid.exepath duration ppid.duration pid.ts \
    ppid.ts is_exe_writable is_exe_upper_layer is_exe_lower_layer is_exe_from_memfd is_sid_leader is_vpgid_leader \
    is_pgid_leader exe_ino exe_ino.ctime exe_ino.mtime exe_ino.ctime_duration_proc_start \
    exe_ino.ctime_duration_pidns_start pidns_init_start_ts fdopencount fdlimit fdusage vmsize vmrss vmswap nchilds \
    thread.vmsize thread.vmrss nthreads stdin.type stdout.type stderr.type stdin.name stdout.name stderr.name \
    is_container_healthcheck is_container_liveness_probe is_container_readiness_probe parentname pargs disp";
const THREAD: &str = "pid tid ismain vtid nametid vnametid exectime totexectime cgroups cgroup cpu cpu.user cpu.system \
    cap_permitted cap_inheritable cap_effective vmsize vmrss vmsize.b vmrss.b";
const FD: &str = "num type typechar name directory filename ip cip sip lip rip port cport sport lport rport l4proto \
    sockfamily is_server uid containername containerdirectory proto cproto sproto lproto rproto net cnet snet lnet \
    rnet connected name_changed cip.name sip.name lip.name rip.name dev dev.major dev.minor ino nameraw types \
    is_upper_layer is_lower_layer";
const USER: &str = "uid name homedir shell loginuid loginname";
const GROUP: &str = "gid name";
const CONTAINER: &str = "id full_id name image image.id type privileged mounts mount mount.source mount.dest mount.mode \
    mount.rdwr mount.propagation image.repository image.tag image.digest healthcheck liveness_probe readiness_probe \
    start_ts duration ip cni.json host_pid host_network host_ipc label labels info ctime";
const KA: &str = "auditid stage auth.decision auth.reason auth.openshift.decision auth.openshift.username user.name \
    user.groups impuser.name verb uri uri.param target.name target.namespace target.resource target.subresource \
    target.pod.name req.binding.subjects req.binding.subject.has_name req.binding.role req.binding.subjects.user_names \
    req.binding.subjects.serviceaccount_names req.binding.subjects.serviceaccount_ns_names \
    req.binding.subjects.group_names req.configmap.name req.configmap.obj req.pod.containers.image \
    req.container.image req.pod.containers.image.repository req.container.image.repository req.pod.host_ipc \
    req.pod.host_network req.container.host_network req.pod.host_pid req.pod.containers.host_port \
    req.pod.containers.privileged req.container.privileged req.pod.initContainers.privileged \
    req.pod.initContainers.image req.pod.ephemeralContainers.privileged req.pod.ephemeralContainers.image \
    req.pod.containers.allow_privilege_escalation req.pod.containers.read_only_fs req.pod.run_as_user \
    req.pod.containers.run_as_user req.pod.containers.eff_run_as_user req.pod.run_as_group \
    req.pod.containers.run_as_group req.pod.containers.eff_run_as_group req.pod.containers.proc_mount \
    req.role.rules req.role.rules.apiGroups req.role.rules.nonResourceURLs req.role.rules.verbs \
    req.role.rules.resources req.pod.fs_group req.pod.supplemental_groups req.pod.containers.add_capabilities \
    req.service.type req.service.ports req.pod.volumes.hostpath req.volume.hostpath req.pod.volumes.flexvolume_driver \
    req.pod.volumes.volume_type resp.name response.code response.reason useragent sourceips cluster.name";

const LISTED: [(&str, &str); 8] = [
    ("evt", EVT),
    ("proc", PROC),
    ("thread", THREAD),
    ("fd", FD),
    ("user", USER),
    ("group", GROUP),
    ("container", CONTAINER),
    ("ka", KA),
];

/// Whether the field `name`, without its argument, is known to rules for `source`.
pub fn known(source: &str, name: &str) -> Known {
    let Some((class, rest)) = name.split_once('.') else { return Known::No };
    if let Some((_, names)) = LISTED.iter().find(|(listed, _)| *listed == class) {
        let is_argument = class == "evt" && (rest.starts_with("arg.") || rest.starts_with("rawarg."));
        let is_listed = is_argument || names.split_whitespace().any(|one| one == rest);
        return if is_listed { Known::Yes } else { Known::Class };
    }
    // Plugins give fields of their own to the events of their sources.
    if OPEN.contains(&class) || source != super::SYSCALL { Known::Yes } else { Known::No }
}

/// Whether `text` is a field of a known class: in an output other letters may follow a name at once.
pub(super) fn begins_with_field(source: &str, text: &str) -> bool {
    known(source, text) != Known::No
}

/// The names after `%` in an output.
pub(super) fn of_output(output: &str) -> impl Iterator<Item = &str> {
    output.split('%').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('*').unwrap_or(rest);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
        let name = rest.split(|letter| !is_part(letter)).next().unwrap_or("").trim_end_matches('.');
        let after = rest.get(name.len()..).unwrap_or("");
        // `%%`, `100%` and `%toupper(…)` name no field themselves.
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic()) && !after.starts_with('(');
        is_name.then_some(name)
    })
}

/// The known name that is nearest to `name`.
pub(super) fn nearest(name: &str) -> Option<String> {
    let all: Vec<String> = LISTED
        .iter()
        .flat_map(|(class, names)| names.split_whitespace().map(move |one| format!("{class}.{one}")))
        .collect();
    suggest::nearest(name, all.iter().map(String::as_str)).map(str::to_owned)
}
