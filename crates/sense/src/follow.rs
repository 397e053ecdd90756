//! Files that grow: their new lines, whatever becomes of the file.
//!
//! In: a path. Out: lines, and what was lost. A file is read on where it was left; one that was moved away is read to its end,
//! for its writer goes on until it is told, and then the new one from its start; one that became shorter is read from its
//! start and counted. A path that is a link, a pipe or a device is refused: whoever may write next to a log must not choose
//! what is read with our rights.
//!
//! Blind: a file that was emptied and has grown beyond the old place before it was looked at again.
//!
//! Memory: [`CHUNK`], and the longest line.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Read at once.
const CHUNK: usize = 64 << 10;
/// Looks at a file that was moved away without anything new, before it is left for the new one.
const FAREWELL: u32 = 2;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At what is written from now on.
    End,
    /// At the first line.
    Start,
}

/// What happened to files since the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines that were longer than is read; their start was given.
    pub cut: u64,
    /// Times that a file became shorter.
    pub shortened: u64,
    /// Times that a new file stood at the path.
    pub replaced: u64,
}

/// A file that is read as it grows.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    open: Option<Open>,
    begin: Begin,
    split: Splitter,
    counts: Counts,
}

#[derive(Debug)]
struct Open {
    file: File,
    device: u64,
    inode: u64,
    offset: u64,
    /// Looks since it was moved away.
    farewell: u32,
}

impl Follower {
    /// Follows the file at `path`, whose lines are cut at `line_bytes`.
    pub fn new(path: &Path, begin: Begin, line_bytes: usize) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
            begin,
            split: Splitter::new(line_bytes),
            counts: Counts::default(),
        }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What happened since the last call.
    pub fn take_counts(&mut self) -> Counts {
        let cut = std::mem::take(&mut self.split.cut);
        Counts { cut, ..std::mem::take(&mut self.counts) }
    }

    /// Gives the lines that are new to `take`, at most about `budget` bytes of them; whether there is more.
    ///
    /// # Errors
    /// The file cannot be read, or is none that may be. A file that is not there is no error: it is waited for.
    pub fn poll(&mut self, budget: usize, take: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        let mut left = budget;
        let mut buffer = vec![0; CHUNK];
        loop {
            if self.open.is_none() && !self.open_file()? {
                return Ok(false);
            }
            let Some(open) = &mut self.open else { return Ok(false) };
            let read = match open.file.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            open.offset += u64::try_from(read).unwrap_or(0);
            if read == 0 {
                if !self.is_replaced(take)? {
                    return Ok(false);
                }
                continue;
            }
            open.farewell = 0;
            self.split.take(buffer.get(..read).unwrap_or_default(), take);
            left = left.saturating_sub(read);
            if left == 0 {
                return Ok(true);
            }
        }
    }

    /// Opens the file; false where there is none.
    fn open_file(&mut self) -> io::Result<bool> {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // What comes to stand here was written from now on.
                self.begin = Begin::Start;
                return Ok(false);
            }
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
                return Err(io::Error::other("is a symbolic link, and links are not followed"));
            }
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        let offset = match self.begin {
            Begin::End => file.seek(SeekFrom::End(0))?,
            Begin::Start => 0,
        };
        self.begin = Begin::Start;
        self.open = Some(Open { file, device: metadata.dev(), inode: metadata.ino(), offset, farewell: 0 });
        Ok(true)
    }

    /// At the end of the file: whether to read on, since it became shorter or another stands at its path.
    fn is_replaced(&mut self, take: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        let now = std::fs::symlink_metadata(&self.path).ok();
        let Some(open) = &mut self.open else { return Ok(false) };
        let is_same = |now: &Metadata| now.dev() == open.device && now.ino() == open.inode;
        match now {
            Some(now) if is_same(&now) => {
                if open.file.metadata()?.len() >= open.offset {
                    return Ok(false);
                }
                open.offset = open.file.seek(SeekFrom::Start(0))?;
                self.counts.shortened += 1;
                self.split.forget();
                Ok(true)
            }
            _ => {
                open.farewell += 1;
                if open.farewell < FAREWELL {
                    return Ok(false);
                }
                self.open = None;
                self.split.finish(take);
                self.counts.replaced += u64::from(now.is_some());
                Ok(now.is_some())
            }
        }
    }
}

/// Bytes to lines.
#[derive(Debug)]
pub struct Splitter {
    longest: usize,
    pending: Vec<u8>,
    /// Inside a line of which the start was given.
    is_skipping: bool,
    cut: u64,
}

impl Splitter {
    /// Lines longer than `longest` bytes are cut.
    pub fn new(longest: usize) -> Self {
        Self { longest, pending: Vec::new(), is_skipping: false, cut: 0 }
    }

    /// Lines that were cut.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Gives the lines that `bytes` end to `take`.
    pub fn take(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8])) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let is_whole = parts.peek().is_some();
            self.add(part, take);
            if is_whole {
                self.end(take);
            }
        }
    }

    /// The input ended: what waits is a line.
    pub fn finish(&mut self, take: &mut impl FnMut(&[u8])) {
        if !self.pending.is_empty() {
            self.end(take);
        }
        self.is_skipping = false;
    }

    fn add(&mut self, part: &[u8], take: &mut impl FnMut(&[u8])) {
        if self.is_skipping {
            return;
        }
        let room = self.longest.saturating_sub(self.pending.len());
        match part.get(..room).filter(|start| start.len() < part.len()) {
            None => self.pending.extend_from_slice(part),
            Some(start) => {
                self.pending.extend_from_slice(start);
                take(&self.pending);
                self.pending.clear();
                self.cut += 1;
                self.is_skipping = true;
            }
        }
    }

    fn end(&mut self, take: &mut impl FnMut(&[u8])) {
        if !std::mem::take(&mut self.is_skipping) {
            take(&self.pending);
        }
        self.pending.clear();
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.is_skipping = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    /// A folder of its own for each test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("watchkeeper-follow-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn log(&self) -> PathBuf {
            self.0.join("log")
        }

        fn append(&self, text: &[u8]) {
            OpenOptions::new().create(true).append(true).open(self.log()).unwrap().write_all(text).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn lines(follower: &mut Follower) -> Vec<String> {
        let mut lines = Vec::new();
        while follower
            .poll(1 << 20, &mut |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned()))
            .unwrap()
        {}
        lines
    }

    #[test]
    fn only_what_is_new_is_read_and_halves_of_lines_are_joined() {
        let folder = Folder::new("new");
        folder.append(b"old\n");
        let mut follower = Follower::new(&folder.log(), Begin::End, 100);
        assert_eq!(lines(&mut follower), [""; 0]);
        folder.append(b"one\ntw");
        assert_eq!(lines(&mut follower), ["one"]);
        folder.append(b"o\n\xff\n");
        assert_eq!(lines(&mut follower), ["two", "\u{fffd}"]);
    }

    #[test]
    fn a_file_that_is_moved_away_is_read_to_its_end_and_then_the_new_one() {
        let folder = Folder::new("moved");
        folder.append(b"one\n");
        let mut follower = Follower::new(&folder.log(), Begin::Start, 100);
        assert_eq!(lines(&mut follower), ["one"]);
        let old = folder.0.join("log.1");
        fs::rename(folder.log(), &old).unwrap();
        fs::write(folder.log(), "three\n").unwrap();
        OpenOptions::new().append(true).open(&old).unwrap().write_all(b"two\n").unwrap();
        let mut all = lines(&mut follower);
        all.extend(lines(&mut follower));
        all.extend(lines(&mut follower));
        assert_eq!(all, ["two", "three"]);
        assert_eq!(follower.take_counts(), Counts { replaced: 1, ..Counts::default() });
    }

    #[test]
    fn a_file_that_is_emptied_is_read_from_its_start_and_counted() {
        let folder = Folder::new("emptied");
        folder.append(b"one\ntwo\nhal");
        let mut follower = Follower::new(&folder.log(), Begin::Start, 100);
        assert_eq!(lines(&mut follower), ["one", "two"]);
        fs::write(folder.log(), "three\n").unwrap();
        assert_eq!(lines(&mut follower), ["three"]);
        assert_eq!(follower.take_counts().shortened, 1);
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_and_counted_and_those_behind_it_are_read() {
        let folder = Folder::new("long");
        folder.append(&vec![b'x'; 10 << 20]);
        folder.append(b"\nnext\n");
        let mut follower = Follower::new(&folder.log(), Begin::Start, 1000);
        let found = lines(&mut follower);
        assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [1000, 4]);
        assert_eq!(follower.take_counts().cut, 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_waited_for_and_read_from_its_start() {
        let folder = Folder::new("later");
        let mut follower = Follower::new(&folder.log(), Begin::End, 100);
        assert_eq!(lines(&mut follower), [""; 0]);
        folder.append(b"first\n");
        assert_eq!(lines(&mut follower), ["first"]);
    }

    #[test]
    fn links_pipes_and_devices_are_refused() {
        let folder = Folder::new("refused");
        fs::write(folder.0.join("secret"), "secret\n").unwrap();
        symlink(folder.0.join("secret"), folder.log()).unwrap();
        let refused = |path: &Path| {
            let mut follower = Follower::new(path, Begin::Start, 100);
            follower.poll(100, &mut |line: &[u8]| panic!("{line:?}")).unwrap_err().to_string()
        };
        assert!(refused(&folder.log()).contains("symbolic link"));
        assert!(refused(Path::new("/dev/null")).contains("no regular file"));
        assert!(refused(&folder.0).contains("no regular file"));
    }

    #[test]
    fn a_poll_gives_about_its_budget_and_says_that_there_is_more() {
        let folder = Folder::new("budget");
        folder.append("0123456789\n".repeat(100_000).as_bytes());
        let mut follower = Follower::new(&folder.log(), Begin::Start, 100);
        let mut count = 0;
        assert!(follower.poll(CHUNK, &mut |_: &[u8]| count += 1).unwrap());
        assert!(count < 20_000, "{count}");
        assert_eq!(count + lines(&mut follower).len(), 100_000);
    }
}
