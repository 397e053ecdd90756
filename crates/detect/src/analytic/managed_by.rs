//! Standing fact: a file is changed in the run of a package manager or of configuration management.
//!
//! In: an operation on a file, or the change of a watched one, with its process. Out: `managed_by`, the name of the first
//! program among the process and its ancestors that is one of the list.
//!
//! A program counts by the path that the kernel resolved, below the directories of installed programs. Many of them are
//! scripts: of an interpreter there, the first word that is no option counts, where it is a path below such a directory.
//! That word is the process's own claim, as are the working directories by which Ansible's modules are known: who forges
//! them is taken for a manager, so that a rule should only lower its voice by this fact.

use super::{Standing, lies_in};
use compact_str::CompactString;
use event::process::Ancestor;
use event::{Event, Fact, FactName, Kind};

/// Where programs are installed by whoever manages the system.
const INSTALLED: [&str; 5] = ["/usr", "/bin", "/sbin", "/opt", "/snap"];
/// Interpreters of managers, by the beginning of their names.
const INTERPRETERS: [&str; 6] = ["python", "ruby", "perl", "sh", "bash", "dash"];
/// In the path of what Ansible runs on a managed host.
const ANSIBLE: &str = "/ansible-tmp-";

#[derive(Debug)]
pub(super) struct ManagedBy {
    /// Names of programs and scripts.
    pub(super) programs: Vec<CompactString>,
}

impl Standing for ManagedBy {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::ManagedBy]
    }

    fn describe(&self, event: &mut Event) {
        if !matches!(event.kind, Kind::File(_) | Kind::FileChange(_)) {
            return;
        }
        let Some(process) = &event.context.process else { return };
        let lineage = std::iter::once(&process.own).chain(&process.ancestors);
        if let Some(name) = lineage.filter_map(|one| self.name(one)).next() {
            event.facts.add(Fact::text(FactName::ManagedBy, name));
        }
    }
}

impl ManagedBy {
    fn name(&self, one: &Ancestor) -> Option<CompactString> {
        let known = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let installed = INSTALLED.iter().any(|directory| lies_in(path, directory));
            (installed && self.programs.iter().any(|program| program == name))
                .then(|| CompactString::from(name))
        };
        known(one.path.as_str()).or_else(|| {
            let interpreter = one.path.base_name();
            if !INTERPRETERS.iter().any(|name| interpreter.starts_with(name)) {
                return None;
            }
            let script = one.command_line.split(' ').skip(1).find(|word| !word.starts_with('-'))?;
            if script.contains(ANSIBLE) { Some("ansible".into()) } else { known(script) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, command_line: &str) -> Option<CompactString> {
        let programs = ["dpkg", "dnf", "puppet"].map(CompactString::from).to_vec();
        ManagedBy { programs }.name(&Ancestor {
            path: path.into(),
            command_line: command_line.into(),
            ..Ancestor::default()
        })
    }

    #[test]
    fn programs_and_scripts_of_managers_are_known_where_they_are_installed() {
        for (path, line, expect) in [
            ("/usr/bin/dpkg", "dpkg --unpack x.deb", Some("dpkg")),
            ("/usr/bin/python3.11", "python3 /usr/bin/dnf install x", Some("dnf")),
            ("/usr/bin/ruby3.1", "ruby -W0 /opt/puppetlabs/bin/puppet agent", Some("puppet")),
            (
                "/usr/bin/python3.11",
                "python3 /root/.ansible/tmp/ansible-tmp-1-2/AnsiballZ_copy.py",
                Some("ansible"),
            ),
            ("/tmp/dpkg", "dpkg", None),
            ("/usr/bin/python3.11", "python3 /tmp/dnf", None),
            ("/usr/bin/vim", "vim /usr/bin/dpkg", None),
            ("/usr/bin/bash", "bash", None),
        ] {
            assert_eq!(named(path, line).as_deref(), expect, "{path} {line}");
        }
    }
}
