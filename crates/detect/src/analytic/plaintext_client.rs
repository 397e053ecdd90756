//! Analytic: clients of interactive plain-text protocols, and where they want to go.
//!
//! In: an exec with its command line. Out: the facts `plaintext_client`, `intended_destination`, `intended_port` and
//! `unregistered_port` on it: known before the name resolves and before a packet leaves. The program is told by the
//! executable's name; by `argv[0]` for multi-call programs (`busybox telnet`, a link named `telnet`), and for any other
//! program that calls itself a client. A shell's `/dev/tcp/HOST/PORT` counts. Left out on purpose: a client that was
//! renamed and does not say what it is (seen by its traffic), and options that only exotic builds have.
//!
//! Source of the options: manual pages of netkit-telnet, BusyBox 1.36, nc(1) of OpenBSD and the traditional one,
//! ncat(1), socat(1).

use super::{Analytic, Made, port};
use compact_str::{CompactString, format_compact};
use event::network::Transport;
use event::process::Exec;
use event::{Event, Fact, FactName, Kind};

/// How a client names its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `[options] host [port]`; the letters are the options that take a value.
    HostPort { with_value: &'static str, default_port: Option<u16> },
    /// The same, and `-l` listens instead.
    Netcat,
    /// Two addresses, as `TCP:host:port`.
    Socat,
}

/// `(program, protocol, how it names its destination)`.
const CLIENTS: &[(&str, &str, Style)] = &[
    ("telnet", "telnet", Style::HostPort { with_value: "SXbekln", default_port: Some(23) }),
    ("inetutils-telnet", "telnet", Style::HostPort { with_value: "SXbeklnL", default_port: Some(23) }),
    ("nc", "plaintext", Style::Netcat),
    ("ncat", "plaintext", Style::Netcat),
    ("netcat", "plaintext", Style::Netcat),
    ("nc.openbsd", "plaintext", Style::Netcat),
    ("nc.traditional", "plaintext", Style::Netcat),
    ("socat", "plaintext", Style::Socat),
    ("socat1", "plaintext", Style::Socat),
    ("ftp", "ftp", Style::HostPort { with_value: "NPqrsTu", default_port: Some(21) }),
    ("rlogin", "rlogin", Style::HostPort { with_value: "el", default_port: Some(513) }),
    ("rsh", "rsh", Style::HostPort { with_value: "l", default_port: Some(514) }),
];

/// Programs that are many programs, by the name they are called.
const MULTI_CALL: &[&str] = &["busybox", "toybox", "busybox.static", "coreutils"];

/// Shells that open `/dev/tcp/HOST/PORT` themselves.
const SHELLS: &[&str] = &["bash", "ksh", "ksh93", "zsh", "sh"];

/// Options of netcat programs that take a value, over all of them.
const NETCAT_WITH_VALUE: &str = "IiMmOPpqsTVWwXxegGco";
/// The same with two dashes, where the value is the next argument.
const NETCAT_LONG_WITH_VALUE: &[&str] = &[
    "exec",
    "sh-exec",
    "lua-exec",
    "source",
    "source-port",
    "proxy",
    "proxy-type",
    "proxy-auth",
    "wait",
    "delay",
    "idle-timeout",
    "output",
    "hex-dump",
    "max-conns",
    "allow",
    "deny",
    "interval",
    "waittime",
];
/// Longest destination that is kept: a name in DNS has at most 253 characters.
const DESTINATION_LIMIT_BYTES: usize = 300;

/// Where a command line wants to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) host: CompactString,
    pub(crate) port: Option<u16>,
    pub(crate) transport: Transport,
}

/// The analytic. Its parameter: more programs.
#[derive(Debug, Default)]
pub(crate) struct PlaintextClient {
    /// Programs beside those of the table, with arguments like telnet's.
    pub(crate) more: Vec<CompactString>,
}

impl Analytic for PlaintextClient {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let Kind::Exec(exec) = &event.kind else { return };
        let Some((protocol, told_by, intent)) = self.judge(exec) else { return };
        let mut fact = Fact::text(FactName::PlaintextClient, protocol);
        fact.terms.push(("told_by".into(), told_by.into()));
        event.facts.add(fact);
        let Some(Intent { host, port, transport }) = intent else { return };
        let destination = match port {
            Some(port) if host.contains(':') => format_compact!("[{host}]:{port}"),
            Some(port) => format_compact!("{host}:{port}"),
            None => host,
        };
        event.facts.add(Fact::text(FactName::IntendedDestination, destination));
        let Some(port) = port else { return };
        event.facts.add(Fact::number(FactName::IntendedPort, port.into()));
        if port::is_unregistered(port, transport) {
            event.facts.add(Fact::flag(FactName::UnregisteredPort));
        }
    }
}

impl PlaintextClient {
    fn judge(&self, exec: &Exec) -> Option<(&'static str, &'static str, Option<Intent>)> {
        let args: Vec<&str> = exec.argv.args.iter().map(CompactString::as_str).collect();
        let path = exec.path.base_name();
        if let Some(intent) = dev_tcp(path, &args) {
            return Some(("plaintext", "shell's network redirection", Some(intent)));
        }
        let first = args.first().map_or("", |arg| base_name(arg).trim_start_matches('-'));
        // A multi-call program that is called by its own name takes the applet as its first argument.
        let (called, rest) = if MULTI_CALL.contains(&first) {
            (args.get(1).copied().unwrap_or(""), args.get(2..))
        } else {
            (first, args.get(1..))
        };
        let rest = rest.unwrap_or_default();
        if let Some((protocol, style)) = self.client(path) {
            return Some((protocol, "executable", style.intent(rest)));
        }
        let told_by = if MULTI_CALL.contains(&path) { "applet" } else { "argv[0]" };
        if let Some((protocol, style)) = self.client(called) {
            return Some((protocol, told_by, style.intent(rest)));
        }
        let (protocol, style) = self.client(exec.requested.base_name())?;
        Some((protocol, "requested path", style.intent(rest)))
    }

    fn client(&self, name: &str) -> Option<(&'static str, Style)> {
        let known = CLIENTS.iter().find(|(known, ..)| *known == name);
        known.map(|(_, protocol, style)| (*protocol, *style)).or_else(|| {
            let style = Style::HostPort { with_value: "", default_port: None };
            self.more.iter().any(|more| more == name).then_some(("plaintext", style))
        })
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Style {
    /// Reads the arguments after the program's name.
    fn intent(self, args: &[&str]) -> Option<Intent> {
        match self {
            Style::HostPort { with_value, default_port } => {
                let Arguments { positional, .. } = Arguments::read(args, with_value, &[]);
                let port = positional.get(1).map_or(default_port, |port| port.parse().ok());
                intent(positional.first()?, port, Transport::Tcp)
            }
            Style::Netcat => {
                let arguments = Arguments::read(args, NETCAT_WITH_VALUE, NETCAT_LONG_WITH_VALUE);
                if arguments.has('l', "listen") {
                    return None;
                }
                let transport = if arguments.has('u', "udp") { Transport::Udp } else { Transport::Tcp };
                // `20-25` scans a range; it wants to go to the first.
                let port = arguments.positional.get(1).and_then(|port| port.split('-').next()?.parse().ok());
                intent(arguments.positional.first()?, port, transport)
            }
            Style::Socat => args.iter().find_map(|arg| socat_address(arg)),
        }
    }
}

fn intent(host: &str, port: Option<u16>, transport: Transport) -> Option<Intent> {
    // A user before the host, as rsh takes it, is no part of the destination.
    let host = host.rsplit('@').next().unwrap_or(host);
    let is_host = !host.is_empty() && host.len() <= DESTINATION_LIMIT_BYTES;
    is_host.then(|| Intent { host: host.into(), port, transport })
}

/// A command line cut into options and the rest.
#[derive(Debug, Default)]
struct Arguments<'a> {
    options: Vec<&'a str>,
    positional: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    fn read(args: &[&'a str], with_value: &str, long_with_value: &[&str]) -> Self {
        let mut read = Self::default();
        let mut args = args.iter().copied();
        while let Some(arg) = args.next() {
            if arg == "--" {
                read.positional.extend(args);
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                read.options.push(arg);
                if long_with_value.contains(&long) {
                    args.next();
                }
            } else if arg.len() > 1 && arg.starts_with('-') {
                read.options.push(arg);
                // In `-nvw3` the value follows its letter; in `-nvw 3` it is the next argument.
                let letters = arg.trim_start_matches('-');
                let value_at = letters.find(|letter| with_value.contains(letter));
                if value_at.is_some_and(|at| at + 1 == letters.len()) {
                    args.next();
                }
            } else {
                read.positional.push(arg);
            }
        }
        read
    }

    fn has(&self, letter: char, long: &str) -> bool {
        self.options.iter().any(|option| match option.strip_prefix("--") {
            Some(name) => name == long,
            None => {
                option.split(|c| NETCAT_WITH_VALUE.contains(c)).next().is_some_and(|o| o.contains(letter))
            }
        })
    }
}

/// `TCP:host:port,options` of socat; TLS addresses are not plain text.
fn socat_address(address: &str) -> Option<Intent> {
    let (kind, rest) = address.split_once(':')?;
    let transport = match kind.to_ascii_lowercase().as_str() {
        "tcp" | "tcp4" | "tcp6" | "tcp-connect" | "tcp4-connect" | "tcp6-connect" => Transport::Tcp,
        "udp" | "udp4" | "udp6" | "udp-connect" | "udp4-connect" | "udp6-connect" | "udp-datagram"
        | "udp-sendto" | "udp4-sendto" => Transport::Udp,
        _ => return None,
    };
    let target = rest.split(',').next()?;
    let (host, port) = target.rsplit_once(':')?;
    intent(host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok(), transport)
}

/// `/dev/tcp/HOST/PORT` on the command line of a shell.
fn dev_tcp(program: &str, args: &[&str]) -> Option<Intent> {
    if !SHELLS.contains(&program) {
        return None;
    }
    args.iter().find_map(|arg| {
        let (transport, at) = [(Transport::Tcp, "/dev/tcp/"), (Transport::Udp, "/dev/udp/")]
            .into_iter()
            .find_map(|(transport, prefix)| Some((transport, arg.find(prefix)? + prefix.len())))?;
        let (host, rest) = arg.get(at..)?.split_once('/')?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let is_word = host.chars().all(|letter| letter.is_alphanumeric() || ".-_:$[]".contains(letter));
        if !is_word {
            return None;
        }
        intent(host, rest.get(..end)?.parse().ok(), transport)
    })
}
