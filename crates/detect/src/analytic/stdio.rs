//! Analytic: programs whose standard input, output or error is a socket.
//!
//! In: execs with the types of descriptors 0 to 2, and descriptors duplicated onto them. Out: `socket_stdio`, with the
//! descriptors. A Unix socket counts only where input and output are the same one and the program is a shell: services
//! log to Unix sockets. Left out on purpose: pipes with a relay behind them (`mkfifo` with a client), which
//! [`super::plaintext_client`] and the traffic show.

use super::{Analytic, Made};
use compact_str::CompactString;
use event::process::{Fd, FdType};
use event::{Event, Fact, FactName, Kind};

/// Programs that take commands from their input.
const SHELLS: &[&str] = &[
    "sh", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "fish", "csh", "tcsh", "busybox", "toybox",
    "pwsh",
];

/// The analytic.
#[derive(Debug, Default)]
pub(crate) struct Stdio;

impl Analytic for Stdio {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let found = match &event.kind {
            Kind::Exec(exec) => of_exec(&exec.stdio, exec.path.base_name()),
            Kind::FdChange(change) if change.fd.fd_type == FdType::Inet && change.new_fd <= 2 => {
                Some((compact_str::ToCompactString::to_compact_string(&change.new_fd), FdType::Inet))
            }
            _ => None,
        };
        if let Some((descriptors, kind)) = found {
            let mut fact = Fact::text(FactName::SocketStdio, descriptors);
            fact.terms.push(("type".into(), kind.as_str().into()));
            event.facts.add(fact);
        }
    }
}

fn of_exec(stdio: &[Fd; 3], program: &str) -> Option<(CompactString, FdType)> {
    let which = |kind: FdType| {
        let mut list = CompactString::default();
        for (fd, number) in stdio.iter().zip(["0", "1", "2"]) {
            if fd.fd_type == kind {
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(number);
            }
        }
        list
    };
    let inet = which(FdType::Inet);
    if !inet.is_empty() {
        return Some((inet, FdType::Inet));
    }
    let [input, output, _] = stdio;
    let paired =
        input.fd_type == FdType::Unix && output.fd_type == FdType::Unix && input.inode == output.inode;
    (paired && SHELLS.contains(&program)).then(|| (which(FdType::Unix), FdType::Unix))
}
