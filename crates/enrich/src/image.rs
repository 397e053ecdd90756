//! Making [`Process`] values: what a process runs and whom it comes from.

use compact_str::CompactString;
use event::process::{Ancestor, Exec, Snapshot};
use event::{Actor, ContainerId, Process, ProcessKey, Text};
use std::sync::Arc;

/// Ancestors kept of one process.
pub(crate) const MAX_ANCESTORS: usize = 16;

/// Bytes kept of an ancestor's command line, half of them from its head and half from its tail. The process's own
/// [`Exec`] keeps all that the sensor saw.
const MAX_COMMAND_LINE: usize = 2048;

/// The image after an exec.
pub(crate) fn executed(
    key: ProcessKey,
    container: Option<ContainerId>,
    exec: &Arc<Exec>,
    ancestors: Vec<Arc<Ancestor>>,
) -> Process {
    let own =
        Ancestor { key, path: exec.path.clone(), command_line: cut(exec.argv.command_line()), container };
    Process { own: Arc::new(own), ancestors, exec: Some(Arc::clone(exec)), ..Process::default() }
}

/// A child that has not executed anything yet: it runs what its creator runs.
pub(crate) fn forked(key: ProcessKey, creator: &Process) -> Process {
    let own = Ancestor { key, ..(*creator.own).clone() };
    let ancestors = chain(creator, creator.own.container.as_ref());
    Process { own: Arc::new(own), ancestors, ..creator.clone() }
}

/// A process that ran before Watchkeeper.
pub(crate) fn found(
    key: ProcessKey,
    container: Option<ContainerId>,
    snapshot: &Snapshot,
    parent: Option<&Process>,
) -> Process {
    let own = Ancestor {
        key,
        path: snapshot.path.clone(),
        command_line: cut(snapshot.argv.command_line()),
        container,
    };
    let ancestors = parent.map(|parent| chain(parent, container.as_ref())).unwrap_or_default();
    Process { own: Arc::new(own), ancestors, ..Process::default() }
}

/// A process of which neither exec nor fork was seen: its task name in brackets stands for its command line, as ps
/// prints it.
pub(crate) fn unknown(actor: &Actor, container: Option<ContainerId>, parent: Option<&Process>) -> Process {
    let mut command_line = CompactString::const_new("[");
    command_line.push_str(&actor.comm);
    command_line.push(']');
    let own =
        Ancestor { key: actor.key(), path: Text::default(), command_line: cut(command_line), container };
    let ancestors = parent.map(|parent| chain(parent, container.as_ref())).unwrap_or_default();
    let by_exec = parent.is_some_and(|parent| parent.by_exec && parent.own.container == container);
    Process { own: Arc::new(own), ancestors, by_exec, ..Process::default() }
}

/// The ancestors of a child of `parent` in `container`: parent first, and no further than the first one outside of
/// the container, which is the runtime that brought it in.
pub(crate) fn chain(parent: &Process, container: Option<&ContainerId>) -> Vec<Arc<Ancestor>> {
    let all = std::iter::once(&parent.own).chain(&parent.ancestors);
    trimmed(all, container, 1 + parent.ancestors.len())
}

/// The ancestors of the same process after another exec in `container`.
pub(crate) fn same_chain(before: &Process, container: Option<&ContainerId>) -> Vec<Arc<Ancestor>> {
    trimmed(before.ancestors.iter(), container, before.ancestors.len())
}

fn trimmed<'a>(
    all: impl Iterator<Item = &'a Arc<Ancestor>>,
    container: Option<&ContainerId>,
    len: usize,
) -> Vec<Arc<Ancestor>> {
    let mut kept = Vec::with_capacity(len.min(MAX_ANCESTORS));
    for ancestor in all.take(MAX_ANCESTORS) {
        kept.push(Arc::clone(ancestor));
        if container.is_some() && ancestor.container.as_ref() != container {
            break;
        }
    }
    kept
}

/// The image under another key: the start of a process found in `/proc` becomes exact with its first event.
pub(crate) fn rekeyed(process: &Process, key: ProcessKey) -> Process {
    let own = Ancestor { key, ..(*process.own).clone() };
    Process { own: Arc::new(own), ..process.clone() }
}

fn cut(line: CompactString) -> CompactString {
    if line.len() <= MAX_COMMAND_LINE {
        return line;
    }
    let head_end = line.floor_char_boundary(MAX_COMMAND_LINE / 2);
    let tail_start = line.ceil_char_boundary(line.len() - MAX_COMMAND_LINE / 2);
    let (head, tail) = (line.get(..head_end).unwrap_or_default(), line.get(tail_start..).unwrap_or_default());
    compact_str::format_compact!("{head} … {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_line_keeps_head_and_tail() {
        let long = format!("head {} tail", "ä".repeat(5_000));
        let short = cut(long.as_str().into());
        assert!(short.len() <= MAX_COMMAND_LINE + 8, "{}", short.len());
        assert!(short.starts_with("head ") && short.ends_with(" tail"));
    }
}
