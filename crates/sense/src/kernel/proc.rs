//! Processes that already run when the sensor starts, from /proc.
//!
//! In: /proc. Out: one `Process` for each thread group that could be read. Everything here may be chosen by the
//! process itself (command line, names) or change while it is read; a process that ends in between is left out.
//!
//! Source: proc(5).

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{cgroup, sys::ticks_per_second};

/// As much of a command line as the kernel programs copy: head and tail together.
const CMDLINE_LIMIT: u64 = 2560;
const UNSET: u32 = u32::MAX;

/// A running thread group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// In the initial pid namespace.
    pub pid: u32,
    /// Of its parent.
    pub ppid: u32,
    /// In its own pid namespace.
    pub vpid: u32,
    /// Boot time at which it started, rounded down to a clock tick (10 ms).
    pub start_ns: u64,
    /// Real user and group, effective user.
    pub uid: u32,
    /// See `uid`.
    pub gid: u32,
    /// See `uid`.
    pub euid: u32,
    /// Login uid and audit session; `u32::MAX`: none.
    pub login_uid: u32,
    /// See `login_uid`.
    pub session: u32,
    /// Controlling terminal; 0: none.
    pub tty: u32,
    /// Effective capabilities.
    pub caps: u64,
    /// Short name.
    pub comm: Vec<u8>,
    /// Executed file, as its link reads; `None` for kernel threads.
    pub exe: Option<PathBuf>,
    /// Inode of the executed file.
    pub exe_inode: u64,
    /// Working directory.
    pub cwd: Option<PathBuf>,
    /// NUL-separated arguments, cut at 2560 bytes.
    pub cmdline: Vec<u8>,
    /// Path of its cgroup in the tracked hierarchy.
    pub cgroup: String,
    /// Namespace inodes.
    pub pid_ns: u32,
    /// See `pid_ns`.
    pub mnt_ns: u32,
    /// See `pid_ns`.
    pub net_ns: u32,
    /// See `pid_ns`.
    pub user_ns: u32,
}

impl Process {
    /// The container that its cgroup belongs to.
    #[must_use]
    pub fn container(&self) -> Option<(cgroup::PackedId, u32)> {
        cgroup::container_of_path(&self.cgroup)
    }

    /// Last element of the executed file's path.
    #[must_use]
    pub fn exe_name(&self) -> Option<&str> {
        self.exe.as_deref()?.file_name()?.to_str()
    }

    /// Reads process `pid` below `proc`; `v1_pids` says which hierarchy is tracked.
    ///
    /// # Errors
    /// The process ended, or its files may not be read.
    pub fn read(proc: &Path, pid: u32, v1_pids: bool) -> io::Result<Self> {
        let dir = proc.join(pid.to_string());
        let number =
            |name: &str| -> Option<u32> { fs::read_to_string(dir.join(name)).ok()?.trim().parse().ok() };
        let namespace = |kind: &str| -> u32 {
            fs::metadata(dir.join("ns").join(kind)).map_or(0, |m| u32::try_from(m.ino()).unwrap_or(0))
        };
        let mut process = Self { pid, ..Self::default() };
        process.take_stat(&read_bytes(&dir.join("stat"), 4096)?)?;
        process.take_status(&String::from_utf8_lossy(&read_bytes(&dir.join("status"), 16384)?));
        process.take_cgroup(&String::from_utf8_lossy(&read_bytes(&dir.join("cgroup"), 65536)?), v1_pids);
        process.cmdline = read_bytes(&dir.join("cmdline"), CMDLINE_LIMIT).unwrap_or_default();
        process.exe = fs::read_link(dir.join("exe")).ok();
        process.exe_inode = fs::metadata(dir.join("exe")).map_or(0, |m| m.ino());
        process.cwd = fs::read_link(dir.join("cwd")).ok();
        process.login_uid = number("loginuid").unwrap_or(UNSET);
        process.session = number("sessionid").unwrap_or(UNSET);
        process.pid_ns = namespace("pid");
        process.mnt_ns = namespace("mnt");
        process.net_ns = namespace("net");
        process.user_ns = namespace("user");
        Ok(process)
    }

    /// Field 2, the short name, may itself hold spaces and parentheses: the last `)` ends it.
    fn take_stat(&mut self, stat: &[u8]) -> io::Result<()> {
        let malformed = || io::Error::other(format!("malformed stat of process {}", self.pid));
        let open = stat.iter().position(|b| *b == b'(').ok_or_else(malformed)?;
        let close = stat.iter().rposition(|b| *b == b')').ok_or_else(malformed)?;
        let comm = stat.get(open + 1..close).ok_or_else(malformed)?.to_vec();
        let rest = String::from_utf8_lossy(stat.get(close + 1..).unwrap_or_default()).into_owned();
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // `fields` begins with field 3.
        let field = |number: usize| -> Option<u64> { fields.get(number - 3)?.parse().ok() };
        self.ppid = field(4).and_then(|v| u32::try_from(v).ok()).ok_or_else(malformed)?;
        self.tty = field(7).and_then(|v| u32::try_from(v).ok()).unwrap_or(0);
        let ticks = field(22).ok_or_else(malformed)?;
        self.start_ns = ticks.saturating_mul(1_000_000_000 / ticks_per_second());
        self.comm = comm;
        Ok(())
    }

    fn take_status(&mut self, status: &str) {
        for line in status.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let mut numbers = value.split_ascii_whitespace().map(|n| n.parse::<u32>().unwrap_or(UNSET));
            match key {
                "Uid" => {
                    self.uid = numbers.next().unwrap_or(UNSET);
                    self.euid = numbers.next().unwrap_or(UNSET);
                }
                "Gid" => self.gid = numbers.next().unwrap_or(UNSET),
                "NSpid" => self.vpid = numbers.next_back().unwrap_or(0),
                "CapEff" => self.caps = u64::from_str_radix(value.trim(), 16).unwrap_or(0),
                _ => {}
            }
        }
    }

    fn take_cgroup(&mut self, cgroup: &str, v1_pids: bool) {
        for line in cgroup.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let tracked =
                if v1_pids { controllers.split(',').any(|c| c == "pids") } else { controllers.is_empty() };
            if tracked {
                path.clone_into(&mut self.cgroup);
            }
        }
    }
}

/// All thread groups below `proc`. The second value counts those that could not be read though they still ran.
///
/// # Errors
/// `proc` itself cannot be listed.
pub fn all(proc: &Path, v1_pids: bool) -> io::Result<(Vec<Process>, u64)> {
    let mut found = Vec::new();
    let mut unreadable = 0;
    for entry in fs::read_dir(proc)?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        match Process::read(proc, pid, v1_pids) {
            Ok(process) => found.push(process),
            Err(_) if !entry.path().exists() => {}
            Err(_) => unreadable += 1,
        }
    }
    Ok((found, unreadable))
}

fn read_bytes(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let mut p = Process { pid: 7, ..Process::default() };
        let stat = b"7 (a) R 1 (b) S 42 7 7 34816 7 0 0 0 0 0 0 0 0 0 20 0 1 0 1234 0 0";
        p.take_stat(stat).unwrap();
        assert_eq!((p.ppid, p.tty, p.start_ns), (42, 34816, 12_340_000_000));
        assert_eq!(p.comm, b"a) R 1 (b");
    }

    #[test]
    fn a_truncated_stat_is_an_error() {
        for stat in [&b""[..], b"7 (", b"7 )(", b"7 (x) S 1 2"] {
            assert!(Process::default().take_stat(stat).is_err());
        }
    }

    #[test]
    fn the_tracked_hierarchy_gives_the_cgroup() {
        let text = "5:pids:/docker/a\n4:cpu,cpuacct:/x\n0::/docker/b:c\n";
        let mut p = Process::default();
        p.take_cgroup(text, true);
        assert_eq!(p.cgroup, "/docker/a");
        p.take_cgroup(text, false);
        assert_eq!(p.cgroup, "/docker/b:c");
    }

    #[test]
    fn our_own_process_is_read() {
        let p = Process::read(Path::new("/proc"), std::process::id(), false).unwrap();
        assert_eq!(p.exe, std::env::current_exe().ok());
        assert!(p.start_ns > 0 && p.mnt_ns > 0 && !p.cmdline.is_empty());
    }
}
