//! Changes of watched files: what was there before, what is there now, and whose file it is.
//!
//! The acting process and its container are the event's own; a change that nobody was seen to make has neither.

use crate::identity::ContainerId;
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// How a file differs from what was known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Created,
    /// It is not there any more.
    Deleted,
    /// Its content.
    Content,
    /// Another file has its name: it was renamed over, or removed and made again.
    Replaced,
    /// File, directory, link, …: it was of another sort.
    Type,
    /// Where a symbolic link leads.
    Target,
    /// Mode bits.
    Permission,
    /// User or group.
    Owner,
    /// Number of its names: a hard link was made or removed.
    Link,
    /// An extended attribute, or an access list.
    Xattr,
    /// Its file capabilities.
    Capability,
    /// Something was mounted over it, or over a directory above it.
    MountOver,
    /// It was changed before its first state was read, so nothing can be compared.
    BeforeScan,
    /// What is there now could not be read.
    Unread,
}

impl Change {
    /// Name in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Created => "created",
            Change::Deleted => "deleted",
            Change::Content => "content",
            Change::Replaced => "replaced",
            Change::Type => "type",
            Change::Target => "target",
            Change::Permission => "permission",
            Change::Owner => "owner",
            Change::Link => "link",
            Change::Xattr => "xattr",
            Change::Capability => "capability",
            Change::MountOver => "mount_over",
            Change::BeforeScan => "before_scan",
            Change::Unread => "unread",
        }
    }
}

/// What is known of a file at one time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileState {
    /// Sort and permission bits, as stat(2) has them.
    pub mode: u32,
    /// User.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: u32,
    /// Group.
    #[serde(skip_serializing_if = "is_default")]
    pub gid: u32,
    /// Bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub size: u64,
    /// Last change of content, nanoseconds since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub mtime_ns: i64,
    /// Last change of anything, nanoseconds since 1970.
    #[serde(skip_serializing_if = "is_default")]
    pub ctime_ns: i64,
    /// Device number of stat(2).
    #[serde(skip_serializing_if = "is_default")]
    pub dev: u64,
    /// Inode number.
    #[serde(skip_serializing_if = "is_default")]
    pub inode: u64,
    /// Number of names.
    #[serde(skip_serializing_if = "is_default")]
    pub links: u32,
    /// BLAKE3 of the content of a regular file, hexadecimal; empty where it was not read.
    #[serde(skip_serializing_if = "is_default")]
    pub blake3: CompactString,
    /// BLAKE3 over names and values of extended attributes in their order, hexadecimal; empty where there are none.
    #[serde(skip_serializing_if = "is_default")]
    pub xattrs: CompactString,
    /// The attribute `security.capability`, hexadecimal; empty where there is none.
    #[serde(skip_serializing_if = "is_default")]
    pub capability: CompactString,
    /// Where a symbolic link leads.
    #[serde(skip_serializing_if = "is_default")]
    pub target: CompactString,
    /// Why something of it is missing; empty where nothing is.
    #[serde(skip_serializing_if = "is_default")]
    pub unread: CompactString,
}

impl FileState {
    /// How `after` differs from this, in the order of [`Change`]. Times alone are no difference.
    pub fn differences(&self, after: &FileState) -> Vec<Change> {
        const SORT: u32 = 0o170_000;
        let other_sort = (self.mode ^ after.mode) & SORT != 0;
        let known = !self.blake3.is_empty() && !after.blake3.is_empty();
        let content = if known { self.blake3 != after.blake3 } else { self.looks_changed(after) };
        let changes = [
            (!other_sort && content, Change::Content),
            (self.inode != after.inode, Change::Replaced),
            (other_sort, Change::Type),
            (!other_sort && self.target != after.target, Change::Target),
            ((self.mode ^ after.mode) & !SORT != 0, Change::Permission),
            ((self.uid, self.gid) != (after.uid, after.gid), Change::Owner),
            (self.links != after.links, Change::Link),
            (self.xattrs != after.xattrs, Change::Xattr),
            (self.capability != after.capability, Change::Capability),
        ];
        changes.into_iter().filter_map(|(differs, change)| differs.then_some(change)).collect()
    }

    /// Of files whose content was not read, size and time of change are all there is. Directories change with every
    /// name in them, and each of those is looked at for itself.
    fn looks_changed(&self, after: &FileState) -> bool {
        self.is_file() && (self.size, self.mtime_ns) != (after.size, after.mtime_ns)
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// A watched file changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, remote = "Self")]
pub struct FileChange {
    /// Where the acting process found it; where nobody was seen to act, its path on the host or in its container.
    pub path: Text,
    /// Its path on the host, where it is a file of the host.
    #[serde(skip_serializing_if = "is_default")]
    pub host_path: CompactString,
    /// Whose file it is, where it belongs to a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// How it differs.
    pub what: Vec<Change>,
    /// What the kernel sensor saw that led here: `create`, `rename`, …; empty where it saw nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: CompactString,
    /// What was known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<FileState>>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Box<FileState>>,
    /// Unified diff of its text; empty where there is none to show.
    #[serde(skip_serializing_if = "is_default")]
    pub diff: Text,
    /// What else must be said: why there is no diff, that several may have written, where the known-good copy is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CompactString>,
}

// Events are read and written through many forms, and changes of files are rare: by way of a value their code is there once.
impl Serialize for FileChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = FileChange::serialize(self, serde_json::value::Serializer).map_err(ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FileChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FileChange::deserialize(serde_json::Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A look at watched files that the engine wants, because of what the kernel sensor reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// When it happened.
    pub boot: crate::identity::BootTime,
    /// Whose act it was.
    pub owner: crate::identity::Owner,
    /// Who did it.
    pub actor: Option<crate::process::Actor>,
    /// What was done: a name of [`crate::file::FileOp`], or `mount`.
    pub operation: CompactString,
    /// Which watched files it may have changed.
    pub places: Vec<Place>,
}

/// A path on the host or in a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In which container; none: on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// Plain and absolute.
    pub path: CompactString,
    /// Where the acting process found it, where that is another path.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen_at: CompactString,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FileState {
        FileState {
            mode: 0o100_644,
            size: 4,
            inode: 7,
            links: 1,
            blake3: "aa".into(),
            ..FileState::default()
        }
    }

    #[test]
    fn a_change_comes_back_from_json_and_an_unknown_key_is_refused() {
        let change = FileChange {
            path: "/etc/passwd".into(),
            what: vec![Change::Content],
            before: Some(Box::new(file())),
            diff: Text::resolved("+x").cut_from(9),
            ..FileChange::default()
        };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<FileChange>(&text).unwrap(), change);
        assert!(serde_json::from_str::<FileChange>(&text.replace("what", "whot")).is_err());
    }

    #[test]
    fn each_difference_has_its_name() {
        let before = file();
        let check = |change: &dyn Fn(&mut FileState), expect: &[Change]| {
            let mut after = file();
            change(&mut after);
            assert_eq!(before.differences(&after), expect);
        };
        check(&|after| after.mtime_ns = 9, &[]);
        check(&|after| after.blake3 = "bb".into(), &[Change::Content]);
        check(&|after| after.inode = 8, &[Change::Replaced]);
        check(&|after| after.mode = 0o104_644, &[Change::Permission]);
        check(&|after| after.uid = 1, &[Change::Owner]);
        check(&|after| after.links = 2, &[Change::Link]);
        check(&|after| after.capability = "01".into(), &[Change::Capability]);
        check(&|after| (after.mode, after.target) = (0o120_644, "/x".into()), &[Change::Type]);
    }

    #[test]
    fn content_that_was_not_read_is_judged_by_size_and_time() {
        let unread = FileState { blake3: CompactString::default(), ..file() };
        let touched = FileState { mtime_ns: 5, ..unread.clone() };
        assert_eq!(unread.differences(&touched), [Change::Content]);
        assert_eq!(unread.differences(&unread), []);
        let directory = FileState { mode: 0o040_755, ..unread };
        assert_eq!(directory.differences(&FileState { mtime_ns: 5, ..directory.clone() }), []);
    }
}
