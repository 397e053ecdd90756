//! What the engine gives up before it reads the first byte that an attacker can write.
//!
//! The user id and all capabilities are already gone: the sensor starts the engine under another user. Here it
//! gives up new privileges, the file system (Landlock) and every system call that it does not need (seccomp: no
//! sockets of its own, no open, no exec, no bpf, no ptrace). A refused call returns EPERM.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeMap;

/// System calls that reading rings and pipes, memory, threads and clocks need.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvmsg,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_clone3,
    libc::SYS_clone,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prctl,
    libc::SYS_setpriority,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Enters the sandbox for this thread and all that it starts. Returns the parts that this kernel does not have.
pub fn enter() -> Vec<String> {
    let mut missing = Vec::new();
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        missing.push(format!("no_new_privs: {error}"));
    }
    if let Err(error) = no_files() {
        missing.push(format!("Landlock: {error}"));
    }
    if let Err(error) = few_calls() {
        missing.push(format!("seccomp: {error}"));
    }
    missing
}

/// No path can be opened, made, removed or executed any more.
fn no_files() -> Result<(), String> {
    use landlock::{ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetStatus};
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(|ruleset| ruleset.create())
        .and_then(|ruleset| ruleset.restrict_self())
        .map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel does not have it".to_owned()),
        _ => Ok(()),
    }
}

fn few_calls() -> Result<(), String> {
    let rules: BTreeMap<i64, Vec<seccompiler::SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let program: BpfProgram = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)
        .and_then(TryInto::try_into)
        .map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

/// Enters the sandbox and tries to get out of it; prints one line per attempt. For the test of the sandbox.
#[expect(clippy::print_stdout, reason = "this is its output")]
pub fn probe() {
    for part in enter() {
        println!("missing: {part}");
    }
    let word = |done: bool| if done { "ALLOWED" } else { "refused" };
    println!("user id: {}", rustix::process::getuid().as_raw());
    println!("open docker.sock: {}", word(std::fs::File::open("/var/run/docker.sock").is_ok()));
    println!(
        "connect docker.sock: {}",
        word(std::os::unix::net::UnixStream::connect("/var/run/docker.sock").is_ok())
    );
    println!("make a socket: {}", word(std::net::UdpSocket::bind("127.0.0.1:0").is_ok()));
    println!("read a file: {}", word(std::fs::read("/etc/hostname").is_ok()));
    println!("run a program: {}", word(std::process::Command::new("/bin/true").status().is_ok()));
}
