use super::*;
use event::change::Change as C;
use std::fs;
use std::path::PathBuf;

struct Stage {
    folder: PathBuf,
    watcher: Watcher,
}

impl Stage {
    fn new(name: &str, patterns: &[&str], prepare: impl Fn(&PathBuf)) -> Self {
        let folder = std::env::temp_dir().join(format!("watchkeeper-watcher-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("etc/cron.d")).unwrap();
        fs::write(folder.join("etc/passwd"), "root:x:0:0\n").unwrap();
        prepare(&folder);
        let host = patterns.iter().map(|text| CompactString::from(*text).try_into().unwrap()).collect();
        let list = WatchList { host, ..WatchList::default() };
        let root = Root::open(folder.to_str().unwrap()).unwrap();
        let mut watcher = Watcher::new(list, Limits::default(), root, Copies::in_memory(1 << 20)).unwrap();
        watcher.begin_host(BootTime(100));
        Self { folder, watcher }
    }

    fn look(&mut self, boot: u64, owner: u8, path: &str) -> Vec<Found> {
        let actor = Actor { pid: std::process::id(), ..Actor::default() };
        let place = Place { container: None, path: path.into(), seen_at: format!("/host{path}").into() };
        let look = Look {
            boot: BootTime(boot),
            owner: Owner::Container(ContainerId([owner; 32])),
            actor: Some(actor),
            operation: "open_write".into(),
            places: vec![place],
        };
        self.watcher.look(&look, BootTime(boot + 1))
    }

    /// What comes after the grace.
    fn later(&mut self, at: u64) -> Vec<Found> {
        let mut found = self.watcher.attend(BootTime(at), false);
        found.extend(self.watcher.attend(BootTime(at).plus(GRACE), false));
        found
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn said(found: &[Found]) -> Vec<(&str, Vec<C>)> {
    found.iter().map(|found| (found.change.host_path.as_str(), found.change.what.clone())).collect()
}

#[test]
fn a_look_finds_the_change_with_who_made_it_and_the_diff() {
    let mut stage = Stage::new("look", &["/etc/passwd"], |_| ());
    fs::write(stage.folder.join("etc/passwd"), "root:x:0:0\nevil:x:0:0\n").unwrap();
    let found = stage.look(200, 7, "/etc/passwd");
    assert_eq!(said(&found), [("/etc/passwd", vec![C::Content])]);
    let found = &found[0];
    assert_eq!(found.owner, Owner::Container(ContainerId([7; 32])));
    assert_eq!(found.change.path.as_str(), "/host/etc/passwd");
    assert_eq!(found.change.diff.as_str(), "@@ -1,1 +1,2 @@\n root:x:0:0\n+evil:x:0:0\n");
    assert!(found.change.notes[0].starts_with("known-good copy "), "{:?}", found.change.notes);
    assert!(stage.look(300, 7, "/etc/passwd").is_empty(), "told once");
    assert!(stage.later(400).is_empty(), "also where it was notified");
}

#[test]
fn a_change_before_the_first_scan_is_told_though_nothing_differs() {
    let mut stage = Stage::new("before", &["/etc/passwd"], |_| ());
    let found = stage.look(90, 7, "/etc/passwd");
    assert_eq!(said(&found), [("/etc/passwd", vec![C::BeforeScan])]);
    assert!(stage.look(95, 7, "/etc/passwd").len() <= 1);
    assert!(stage.look(200, 7, "/etc/passwd").is_empty());
}

#[test]
fn what_nobody_was_seen_to_do_is_told_after_the_grace() {
    let mut stage =
        Stage::new("notice", &["/etc/passwd", "/etc/cron.d/**", "/root/.ssh/authorized_keys"], |_| ());
    fs::write(stage.folder.join("etc/passwd.new"), "other\n").unwrap();
    fs::rename(stage.folder.join("etc/passwd.new"), stage.folder.join("etc/passwd")).unwrap();
    fs::create_dir_all(stage.folder.join("etc/cron.d/deep")).unwrap();
    fs::write(stage.folder.join("etc/cron.d/deep/job"), "* * * * *\n").unwrap();
    assert!(stage.watcher.attend(BootTime(200), false).is_empty(), "the grace has not passed");
    let found = stage.later(200);
    assert_eq!(
        said(&found),
        [
            ("/etc/cron.d/deep", vec![C::Created]),
            ("/etc/cron.d/deep/job", vec![C::Created]),
            ("/etc/passwd", vec![C::Content, C::Replaced]),
        ]
    );
    assert!(found.iter().all(|found| found.actor.is_none() && matches!(found.owner, Owner::Unknown(_))));
    assert_eq!(found[1].change.diff.as_str(), "@@ -0,0 +1,1 @@\n+* * * * *\n");

    fs::create_dir_all(stage.folder.join("root/.ssh")).unwrap();
    assert!(stage.later(1_000_000_000).is_empty());
    fs::write(stage.folder.join("root/.ssh/authorized_keys"), "ssh-ed25519 AAAA\n").unwrap();
    fs::remove_file(stage.folder.join("etc/passwd")).unwrap();
    let found = stage.later(2_000_000_000);
    let expected = [("/etc/passwd", vec![C::Deleted]), ("/root/.ssh/authorized_keys", vec![C::Created])];
    assert_eq!(said(&found), expected);
}

#[test]
fn a_write_long_after_the_opening_belongs_to_who_opened() {
    let mut stage = Stage::new("held", &["/etc/passwd"], |_| ());
    let file = fs::OpenOptions::new().append(true).open(stage.folder.join("etc/passwd")).unwrap();
    assert!(stage.look(200, 7, "/etc/passwd").is_empty(), "nothing was written yet");
    std::io::Write::write_all(&mut &file, b"late\n").unwrap();
    let found = stage.later(1_000);
    assert_eq!(said(&found), [("/etc/passwd", vec![C::Content])]);
    assert_eq!(found[0].owner, Owner::Container(ContainerId([7; 32])));
    assert_eq!(found[0].change.path.as_str(), "/host/etc/passwd");
}

#[test]
fn of_two_containers_that_may_have_written_none_is_named() {
    let mut stage = Stage::new("two", &["/etc/passwd"], |_| ());
    stage.look(200, 7, "/etc/passwd");
    let other = Actor { pid: std::process::id() + 1, ..Actor::default() };
    let place = Place { container: None, path: "/etc/passwd".into(), seen_at: CompactString::default() };
    let look = Look {
        boot: BootTime(300),
        owner: Owner::Container(ContainerId([8; 32])),
        actor: Some(other),
        operation: "open_write".into(),
        places: vec![place],
    };
    stage.watcher.look(&look, BootTime(301));
    fs::write(stage.folder.join("etc/passwd"), "x\n").unwrap();
    let found = stage.later(1_000);
    assert!(matches!(found[0].owner, Owner::Unknown(_)));
    assert!(found[0].change.notes.iter().any(|note| note.contains("several containers")));
}

#[test]
fn a_write_under_another_name_of_the_file_is_seen() {
    let mut stage = Stage::new("hardlink", &["/etc/passwd"], |folder| {
        fs::hard_link(folder.join("etc/passwd"), folder.join("other")).unwrap();
    });
    fs::write(stage.folder.join("other"), "changed\n").unwrap();
    assert_eq!(said(&stage.later(200)), [("/etc/passwd", vec![C::Content])]);
}

#[test]
fn a_file_that_becomes_a_link_a_pipe_or_a_directory_is_told_and_not_opened() {
    let mut stage = Stage::new("sorts", &["/etc/passwd"], |_| ());
    let path = stage.folder.join("etc/passwd");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let found = stage.later(200);
    assert!(found[0].change.what.contains(&C::Type), "{found:?}");
    assert_eq!(found[0].change.after.as_ref().unwrap().target, "/dev/zero");
    fs::remove_file(&path).unwrap();
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(stage.later(1_000_000_000)[0].change.what.contains(&C::Type));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(stage.later(2_000_000_000)[0].change.what.contains(&C::Type));
}

#[test]
fn secrets_stay_out_of_diffs() {
    use std::os::unix::fs::PermissionsExt;
    let mut stage = Stage::new("secret", &["/etc/shadow", "/etc/sudoers"], |folder| {
        for name in ["etc/shadow", "etc/sudoers"] {
            fs::write(folder.join(name), "a\n").unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
    });
    fs::write(stage.folder.join("etc/shadow"), "root:$y$secret\n").unwrap();
    fs::write(stage.folder.join("etc/sudoers"), "x ALL=(ALL) ALL\n").unwrap();
    let found = stage.later(200);
    assert!(
        found[0].change.diff.is_empty()
            && found[0].change.notes.iter().any(|note| note.contains("not everybody"))
    );
    assert!(found[1].change.diff.as_str().contains("+x ALL"), "{:?}", found[1]);
}

#[test]
fn a_place_that_is_not_watched_is_not_looked_at() {
    let mut stage = Stage::new("unwatched", &["/etc/passwd"], |folder| {
        fs::write(folder.join("etc/secret"), "x").unwrap();
    });
    assert!(stage.look(1, 7, "/etc/secret").is_empty());
    assert_eq!(stage.watcher.files(), 1);
}

#[test]
fn a_container_that_ended_leaves_nothing_and_its_change_is_told_as_unread() {
    let mut stage = Stage::new("ended", &["/etc/passwd"], |_| ());
    stage.watcher.list.container = stage.watcher.list.host.clone();
    let id = ContainerId([9; 32]);
    stage.watcher.begin_container(id, u32::MAX, BootTime(1));
    let place = Place { container: Some(id), path: "/etc/passwd".into(), seen_at: CompactString::default() };
    let look = Look {
        boot: BootTime(5),
        owner: Owner::Container(id),
        actor: None,
        operation: "create".into(),
        places: vec![place],
    };
    let found = stage.watcher.look(&look, BootTime(6));
    assert_eq!((found[0].change.what.clone(), found[0].owner), (vec![C::Unread], Owner::Container(id)));
    stage.watcher.end_container(id);
    assert_eq!(stage.watcher.files(), 1, "the host's");
}
