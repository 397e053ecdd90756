//! System logs, as the sensor process reads them for the engine: files that grow, the journal, the output of containers.
//!
//! In: the configuration. Out: lines on a pipe, as they stand; the engine, which has no rights, looks into them. What was cut
//! or lost is told beside them. A pipe that is full makes the reading wait: the logs keep what is not read yet.

use super::actor::now;
use super::link::send;
use event::health::{Health, SensorState};
use event::{BootTime, ContainerId, Text, WallTime};
use sense::follow::{Begin, Counts, Follower, Splitter};
use sense::logs::{Config, LINE_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, PipeWriter, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Time between looks at the files.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes that are read of one file before the next one has its turn.
const TURN_BYTES: usize = 1 << 20;
/// Looks between looks for new containers.
const CONTAINER_LOOKS: u32 = 4;
/// Containers whose output is followed.
const CONTAINERS: usize = 4096;
/// The journal's client, and what says that there is a journal.
const JOURNALCTL: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
const JOURNAL: &str = "/run/systemd/journal/socket";

/// To the engine.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromLogs {
    /// A line.
    Line {
        /// As it stands; what is no UTF-8 became U+FFFD.
        text: String,
        /// Who wrote it.
        container: Option<ContainerId>,
        /// When it was read.
        boot: BootTime,
        /// The same, on the wall clock.
        wall: WallTime,
    },
    /// Lines that were lost or cut.
    Lost {
        /// How many, as far as that is known.
        count: u64,
        /// What.
        what: String,
    },
    /// Whether logs are read.
    State(Health),
}

/// The pipe, which two threads write to.
#[derive(Clone)]
struct Out(Arc<Mutex<PipeWriter>>);

impl Out {
    /// False where nobody listens any more.
    fn tell(&self, message: &FromLogs) -> bool {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        send(&mut *pipe, message).is_ok()
    }

    fn line(&self, line: &[u8], container: Option<ContainerId>) -> bool {
        let (boot, wall) = now();
        let text = String::from_utf8_lossy(line).into_owned();
        self.tell(&FromLogs::Line { text, container, boot, wall })
    }

    fn state(&self, state: SensorState, reason: String) -> bool {
        self.tell(&FromLogs::State(Health { signal: "log".into(), state, reason: Text::resolved(reason) }))
    }
}

/// Starts reading what `config` says, into `pipe`.
pub fn start(config: &Config, pipe: PipeWriter) {
    let out = Out(Arc::new(Mutex::new(pipe)));
    let journal = config.journal.then(journal).flatten();
    let syslog = if journal.is_some() { &[][..] } else { &config.syslog };
    let files: Vec<PathBuf> = syslog.iter().chain(&config.files).cloned().collect();
    let is_any = journal.is_some() || files.iter().any(|path| path.exists()) || config.containers.exists();
    let (state, reason) = match is_any {
        true => (SensorState::Up, String::new()),
        false => (SensorState::Absent, "no journal, and none of the files of [logs] is there".to_owned()),
    };
    out.state(state, reason);
    if let Some(child) = journal {
        let out = out.clone();
        thread::spawn(move || read_journal(child, &out));
    }
    let containers = Some(config.containers.clone()).filter(|folder| !folder.as_os_str().is_empty());
    let followers = files.iter().map(|path| Followed::new(path, None)).collect();
    thread::spawn(move || Watch { out, followers, containers, known: BTreeMap::new() }.run());
}

/// The journal's client, where there is a journal.
fn journal() -> Option<Child> {
    let program =
        JOURNALCTL.into_iter().find(|path| Path::new(path).exists() && Path::new(JOURNAL).exists())?;
    Command::new(program)
        .args(["--output=json", "--follow", "--lines=0", "--all", "--no-pager"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn read_journal(mut child: Child, out: &Out) {
    let Some(mut stdout) = child.stdout.take() else { return };
    let (mut split, mut buffer, mut told) = (Splitter::new(LINE_BYTES), vec![0; 64 << 10], 0);
    let mut listens = true;
    while listens && let Ok(read @ 1..) = stdout.read(&mut buffer) {
        split
            .take(buffer.get(..read).unwrap_or_default(), &mut |line: &[u8]| listens &= out.line(line, None));
        if split.cut() > told {
            listens &= out.tell(&FromLogs::Lost {
                count: split.cut() - told,
                what: "long lines of the journal were cut".into(),
            });
            told = split.cut();
        }
    }
    // It has ended or is to end: nobody reads what it says any more.
    let _ = child.kill();
    let _ = child.wait();
    out.state(SensorState::Degraded, "journalctl ended".to_owned());
}

struct Followed {
    file: Follower,
    container: Option<ContainerId>,
    /// Why it cannot be read; told once.
    refused: String,
}

impl Followed {
    fn new(path: &Path, container: Option<ContainerId>) -> Self {
        Self { file: Follower::new(path, Begin::End, LINE_BYTES), container, refused: String::new() }
    }
}

struct Watch {
    out: Out,
    followers: Vec<Followed>,
    /// Docker's folder of containers.
    containers: Option<PathBuf>,
    /// Those that are followed.
    known: BTreeMap<ContainerId, ()>,
}

impl Watch {
    fn run(mut self) {
        let mut looks = 0_u32;
        loop {
            if looks.is_multiple_of(CONTAINER_LOOKS) {
                self.look_for_containers();
            }
            looks = looks.wrapping_add(1);
            let mut is_more = false;
            for followed in &mut self.followers {
                match turn(followed, &self.out) {
                    Some(more) => is_more |= more,
                    None => return,
                }
            }
            if !is_more {
                thread::sleep(LOOK);
            }
        }
    }

    /// Follows the output of containers that are new, and lets go of those whose folder is gone.
    fn look_for_containers(&mut self) {
        let Some(folder) = &self.containers else { return };
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut there = BTreeMap::new();
        for entry in entries.flatten().take(CONTAINERS) {
            if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<ContainerId>().ok()) {
                there.insert(id, ());
                if self.known.insert(id, ()).is_none() {
                    let path = entry.path().join(format!("{id}-json.log"));
                    self.followers.push(Followed::new(&path, Some(id)));
                }
            }
        }
        self.known.retain(|id, ()| there.contains_key(id));
        let known = &self.known;
        self.followers.retain(|followed| followed.container.is_none_or(|id| known.contains_key(&id)));
    }
}

/// Reads on in one file: whether there is more, `None` where nobody listens any more.
fn turn(followed: &mut Followed, out: &Out) -> Option<bool> {
    let container = followed.container;
    let mut listens = true;
    let more = followed.file.poll(TURN_BYTES, &mut |line: &[u8]| {
        listens = listens && out.line(line, container);
    });
    let name = followed.file.path().display().to_string();
    let Counts { cut, shortened, .. } = followed.file.take_counts();
    for (count, what) in
        [(cut, "lines were too long and cut"), (shortened, "was emptied, and what was not read yet is lost")]
    {
        if count > 0 {
            listens &= out.tell(&FromLogs::Lost { count, what: format!("{name}: {what}") });
        }
    }
    let more = match more {
        Ok(more) => {
            if !std::mem::take(&mut followed.refused).is_empty() {
                listens &= out.state(SensorState::Up, format!("{name} is read again"));
            }
            more
        }
        Err(error) => {
            listens &= refused(followed, &name, &error, out);
            false
        }
    };
    listens.then_some(more)
}

/// Says once why a file cannot be read.
fn refused(followed: &mut Followed, name: &str, error: &io::Error, out: &Out) -> bool {
    let why = error.to_string();
    if followed.refused == why {
        return true;
    }
    followed.refused.clone_from(&why);
    out.state(SensorState::Degraded, format!("{name}: {why}"))
}
