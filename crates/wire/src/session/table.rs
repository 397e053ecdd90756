//! The words and phrases, as data. To teach Watchkeeper a command, add a line here and a case to the
//! tests, one that matches and one of prose that does not.

/// What the words after a command must look like. A rule that prose cannot satisfy by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Nothing, or anything that [`Arguments::Flag`] takes.
    AloneOrFlag,
    /// The first word is a flag: `-` and a letter or digit.
    Flag,
    /// A word is a path: begins with `/`, `~`, `./`, `../`.
    Path,
    /// A flag or a path.
    FlagOrPath,
    /// Nothing, a flag or a path.
    AloneOrFlagOrPath,
    /// A word holds `://` or is an IPv4 address, alone or with a port or path.
    Remote,
    /// The first word is one of these.
    OneOf(&'static [&'static str]),
    /// Two words: a host (with a dot, a digit or a hyphen) and a port number, with flags anywhere.
    HostAndPort,
    /// The first word is an assignment, `NAME=value`.
    Assignment,
}

use Arguments::{
    AloneOrFlag, AloneOrFlagOrPath, Assignment, Flag, FlagOrPath, HostAndPort, OneOf, Path, Remote,
};

/// Command words, lower case, as typed. A word may have several lines.
pub(super) const COMMANDS: &[(&str, Arguments)] = &[
    // Who and where am I.
    ("id", AloneOrFlag),
    ("whoami", AloneOrFlag),
    ("uname", AloneOrFlag),
    ("hostname", AloneOrFlag),
    ("pwd", AloneOrFlag),
    ("env", AloneOrFlag),
    ("printenv", AloneOrFlag),
    ("lscpu", AloneOrFlag),
    ("lsblk", AloneOrFlag),
    ("nproc", AloneOrFlag),
    ("dmesg", AloneOrFlag),
    ("groups", Flag),
    ("uptime", AloneOrFlag),
    ("systeminfo", AloneOrFlag),
    ("ver", Flag),
    // What is here.
    ("ls", AloneOrFlagOrPath),
    ("ps", AloneOrFlag),
    ("ps", OneOf(&["aux", "auxw", "auxww", "axu", "ax", "auxf", "ef"])),
    ("cat", Path),
    ("head", FlagOrPath),
    ("tail", FlagOrPath),
    ("less", Path),
    ("more", Path),
    ("find", Path),
    ("grep", FlagOrPath),
    ("cd", Path),
    ("stat", Path),
    ("file", Path),
    ("strings", Path),
    ("du", FlagOrPath),
    ("df", AloneOrFlag),
    ("mount", FlagOrPath),
    ("lsmod", AloneOrFlag),
    ("capsh", Flag),
    ("getcap", FlagOrPath),
    (
        "which",
        OneOf(&["python", "python3", "perl", "wget", "curl", "nc", "ncat", "gcc", "docker", "bash", "sh"]),
    ),
    // The network.
    ("ifconfig", AloneOrFlag),
    ("ipconfig", AloneOrFlag),
    ("ipconfig", OneOf(&["/all"])),
    ("ip", OneOf(&["a", "addr", "r", "route", "link", "neigh", "netns"])),
    ("netstat", AloneOrFlag),
    ("ss", Flag),
    ("arp", Flag),
    ("route", Flag),
    ("iptables", Flag),
    ("nmap", Flag),
    ("ping", Flag),
    ("ping", Remote),
    ("nslookup", Remote),
    ("net", OneOf(&["user", "localgroup", "group", "view", "use"])),
    // Fetch and connect.
    ("wget", Flag),
    ("wget", Remote),
    ("curl", Flag),
    ("curl", Remote),
    ("tftp", Flag),
    ("ftpget", Remote),
    ("scp", FlagOrPath),
    ("nc", Flag),
    ("nc", HostAndPort),
    ("ncat", Flag),
    ("ncat", HostAndPort),
    ("telnet", HostAndPort),
    ("socat", Remote),
    ("socat", OneOf(&["-", "tcp", "exec"])),
    // Change things.
    ("rm", FlagOrPath),
    ("mv", Path),
    ("cp", FlagOrPath),
    ("mkdir", FlagOrPath),
    ("touch", Path),
    ("ln", Flag),
    ("tar", Flag),
    ("tar", OneOf(&["xzf", "xvzf", "xf", "czf", "cvzf"])),
    ("chmod", Path),
    ("chmod", OneOf(&["+x", "+s", "u+s", "777", "755", "700", "4755"])),
    ("chown", OneOf(&["root", "root:root", "-R"])),
    ("chattr", OneOf(&["+i", "-i", "+a", "-a"])),
    ("crontab", Flag),
    ("kill", Flag),
    ("pkill", Flag),
    ("killall", Flag),
    ("nohup", Path),
    ("useradd", Flag),
    ("adduser", Flag),
    ("usermod", Flag),
    ("insmod", Path),
    ("nsenter", Flag),
    ("unshare", Flag),
    ("chroot", Path),
    ("export", Assignment),
    ("unset", OneOf(&["HISTFILE", "HISTFILESIZE", "HISTSIZE"])),
    ("history", Flag),
    ("base64", FlagOrPath),
    ("dd", Assignment),
    // Run things.
    ("sh", FlagOrPath),
    ("bash", FlagOrPath),
    ("ash", FlagOrPath),
    ("dash", FlagOrPath),
    ("zsh", Flag),
    ("busybox", OneOf(&["sh", "ash", "wget", "nc", "telnet", "id", "ls", "cat", "ps", "tftp"])),
    ("sudo", OneOf(&["su", "-l", "-i", "-s", "-u", "bash", "sh", "cat", "id", "ls"])),
    ("su", Flag),
    ("su", OneOf(&["-", "root"])),
    ("python", Flag),
    ("python3", Flag),
    ("perl", Flag),
    ("ruby", Flag),
    ("php", Flag),
    ("exec", Path),
    ("script", Path),
    ("powershell", Flag),
    ("docker", OneOf(&["ps", "run", "exec", "images", "inspect", "cp", "-H", "info"])),
    ("kubectl", OneOf(&["get", "exec", "apply", "describe", "auth", "run", "cp"])),
    ("crictl", OneOf(&["ps", "exec", "images", "pods"])),
    ("systemctl", OneOf(&["list-units", "status", "stop", "start", "enable", "disable", "daemon-reload"])),
    ("apk", OneOf(&["add", "update"])),
    ("apt", OneOf(&["install", "update"])),
    ("apt-get", OneOf(&["install", "update", "-y"])),
    ("yum", OneOf(&["install", "-y"])),
    ("pip", OneOf(&["install"])),
];

/// Directories whose programs are run by full path at the start of a command.
pub(super) const PROGRAM_DIRECTORIES: &[&str] =
    &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/dev/shm/"];

/// Shell syntax that gives a command away anywhere in a line.
pub(super) const COMMAND_PHRASES: &[&str] = &[
    "/dev/tcp/",
    "/dev/udp/",
    "/bin/sh -i",
    "/bin/bash -i",
    "bash -i >&",
    "| sh",
    "|sh",
    "| bash",
    "|bash",
    "| /bin/sh",
    "|/bin/sh",
    "2>&1",
    "2>/dev/null",
    ">/dev/null",
    "> /dev/null",
    "base64 -d",
    "pty.spawn(",
    "os.system(",
    "mkfifo /",
    "/etc/shadow",
    "/proc/self/",
    "/var/run/docker.sock",
    "/var/run/secrets/kubernetes.io",
    "cmd.exe /c",
    "powershell -",
];

/// What shells and system tools print at the start of a line.
pub(super) const OUTPUT_STARTS: &[&str] = &[
    "uid=",
    "root:x:0:0:",
    "root:!:",
    "root:$6$",
    "root:$y$",
    "sh: ",
    "bash: ",
    "ash: ",
    "/bin/sh: ",
    "/bin/bash: ",
    "-sh: ",
    "-bash: ",
    "cat: /",
    "ls: /",
    "ls: cannot access",
    "PID   USER     TIME  COMMAND",
    "UID          PID    PPID",
    "USER         PID %CPU",
    "Microsoft Windows [Version",
    "Windows PowerShell",
    "Active Internet connections",
    "BusyBox v",
];

/// What shells and system tools print anywhere in a line.
pub(super) const OUTPUT_PHRASES: &[&str] = &[
    ": command not found",
    "can't access tty; job control turned off",
    "no job control in this shell",
    "cannot set terminal process group",
    ": No such file or directory",
    ": not found",
    ": Permission denied",
    " GNU/Linux",
];
