//! Which files are watched: patterns of paths, on the host and in each container.
//!
//! A pattern is an absolute path. `*` in a component stands for any text within that component; `**` as the last component
//! stands for everything below, to any depth. So `/etc/passwd` is one file, `/home/*/.ssh/authorized_keys` one of each
//! home, `/etc/cron.d/**` all that lies in a directory. Patterns join; their order means nothing.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest pattern, in bytes: that of a path (limits.h).
const PATTERN_BYTES: usize = 4096;

/// A pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "CompactString", into = "CompactString")]
pub struct PathPattern {
    text: CompactString,
    /// Where the first wildcard stands.
    wild: Option<usize>,
}

/// Why a text is no pattern of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not begin at the root.
    #[error("`{0}` is not an absolute path")]
    Relative(String),
    /// It has components that say nothing or lead upwards.
    #[error("`{0}` has an empty, `.` or `..` component")]
    NotPlain(String),
    /// `**` stands elsewhere than at the end.
    #[error("`{0}` has `**` elsewhere than as its last component")]
    Deep(String),
    /// It is too long.
    #[error("a pattern of {0} bytes, more than {PATTERN_BYTES}")]
    Long(usize),
}

impl TryFrom<CompactString> for PathPattern {
    type Error = PatternFault;

    fn try_from(text: CompactString) -> Result<Self, PatternFault> {
        if text.len() > PATTERN_BYTES {
            return Err(PatternFault::Long(text.len()));
        }
        let Some(rest) = text.strip_prefix('/') else { return Err(PatternFault::Relative(text.into())) };
        let parts: Vec<&str> = rest.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(PatternFault::NotPlain(text.into()));
        }
        let before_last = parts.split_last().map_or(&[][..], |(_, before)| before);
        if before_last.iter().any(|part| part.contains("**")) {
            return Err(PatternFault::Deep(text.into()));
        }
        if parts.last().is_some_and(|last| last.contains("**") && *last != "**") {
            return Err(PatternFault::Deep(text.into()));
        }
        Ok(Self { wild: text.find('*'), text })
    }
}

impl From<PathPattern> for CompactString {
    fn from(pattern: PathPattern) -> Self {
        pattern.text
    }
}

impl PathPattern {
    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has no wildcard, so that it is the path of one file.
    pub fn is_path(&self) -> bool {
        self.wild.is_none()
    }

    /// The deepest directory that all its paths lie in; of a path without wildcards, the path itself.
    pub fn base(&self) -> &str {
        let Some(wild) = self.wild else { return &self.text };
        let before = self.text.get(..wild).unwrap_or_default();
        match before.rfind('/') {
            Some(0) | None => "/",
            Some(at) => before.get(..at).unwrap_or("/"),
        }
    }

    /// Whether `path`, which is absolute and plain, is one of its paths.
    pub fn matches(&self, path: &str) -> bool {
        let Some(wild) = self.wild else { return self.text == path };
        let begins = self.text.get(..wild).is_some_and(|before| path.starts_with(before));
        begins && self.follow(path) == Reach::Is
    }

    /// Whether paths below the directory `path` can be among its paths.
    pub fn reaches_below(&self, path: &str) -> bool {
        path == "/" || matches!(self.follow(path), Reach::Above | Reach::Is) && self.goes_on(path)
    }

    /// Whether there is more of the pattern than of the path, or it takes everything below.
    fn goes_on(&self, path: &str) -> bool {
        self.text.ends_with("/**") || components(&self.text).count() > components(path).count()
    }

    fn follow(&self, path: &str) -> Reach {
        let mut names = components(path);
        for part in components(&self.text) {
            let Some(name) = names.next() else { return Reach::Above };
            if part == "**" {
                return Reach::Is;
            }
            if !fits(part.as_bytes(), name.as_bytes()) {
                return Reach::Not;
            }
        }
        if names.next().is_none() { Reach::Is } else { Reach::Not }
    }
}

/// Where a path stands to a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It is one of its paths.
    Is,
    /// It is a directory on the way to them.
    Above,
    /// Neither.
    Not,
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// Whether a component fits one of a pattern. Cost: the product of their lengths at most.
fn fits(mut part: &[u8], mut name: &[u8]) -> bool {
    // Where the last star stands, and what it has taken so far.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (part.split_first(), name.split_first()) {
            (Some((b'*', rest)), _) => {
                star = Some((rest, name));
                part = rest;
            }
            (Some((wanted, rest)), Some((is, others))) if wanted == is => (part, name) = (rest, others),
            (None, None) => return true,
            _ => match star {
                Some((behind, taken)) if !taken.is_empty() => {
                    let fewer = taken.get(1..).unwrap_or_default();
                    star = Some((behind, fewer));
                    (part, name) = (behind, fewer);
                }
                _ => return false,
            },
        }
    }
}

/// Patterns of the files that are watched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchList {
    /// On the host.
    pub host: BTreeSet<PathPattern>,
    /// In each container.
    pub container: BTreeSet<PathPattern>,
}

impl WatchList {
    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.host.is_empty() && self.container.is_empty()
    }

    /// Whether a path of the host is watched.
    pub fn watches_host(&self, path: &str) -> bool {
        any(&self.host, path)
    }

    /// Whether a path in a container is.
    pub fn watches_container(&self, path: &str) -> bool {
        any(&self.container, path)
    }
}

/// One by one: there are few, and most differ in length or at the beginning.
fn any(patterns: &BTreeSet<PathPattern>, path: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        CompactString::from(text).try_into().unwrap()
    }

    #[test]
    fn a_pattern_takes_what_it_says_and_no_more() {
        for (text, paths, others) in [
            ("/etc/passwd", &["/etc/passwd"][..], &["/etc/passwd-", "/etc", "/etc/passwd/x"][..]),
            (
                "/home/*/.ssh/id_*",
                &["/home/a/.ssh/id_rsa", "/home/b/.ssh/id_"],
                &["/home/a/b/.ssh/id_rsa", "/home/.ssh/id_x"],
            ),
            ("/etc/cron.d/**", &["/etc/cron.d/x", "/etc/cron.d/a/b"], &["/etc/cron.d", "/etc/cron.dx"]),
            ("/a/*b*c", &["/a/bc", "/a/xbbycc"], &["/a/b", "/a/cb"]),
            ("/**", &["/x", "/x/y"], &[]),
        ] {
            let pattern = pattern(text);
            assert!(paths.iter().all(|path| pattern.matches(path)), "{text}");
            assert!(!others.iter().any(|path| pattern.matches(path)), "{text}");
        }
    }

    #[test]
    fn a_walk_enters_only_directories_that_lead_somewhere() {
        let keys = pattern("/home/*/.ssh/authorized_keys");
        assert_eq!(keys.base(), "/home");
        for (path, enters) in [
            ("/", true),
            ("/home", true),
            ("/home/a", true),
            ("/home/a/.ssh", true),
            ("/home/a/x", false),
            ("/etc", false),
        ] {
            assert_eq!(keys.reaches_below(path), enters, "{path}");
        }
        let all = pattern("/etc/pam.d/**");
        assert_eq!(all.base(), "/etc/pam.d");
        assert!(
            all.reaches_below("/etc/pam.d")
                && all.reaches_below("/etc/pam.d/x")
                && !all.reaches_below("/etc/x")
        );
        assert!(!pattern("/etc/passwd").reaches_below("/etc/passwd"));
        assert_eq!(pattern("/*").base(), "/");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "etc/x", "/etc//x", "/etc/../x", "/etc/**/x", "/etc/a**", "/", "/etc/"] {
            assert!(PathPattern::try_from(CompactString::from(text)).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<PathPattern>("\"/a/./b\"").is_err());
    }

    #[test]
    fn many_stars_end_soon() {
        let part = format!("{}b", "*a".repeat(100));
        assert!(!fits(part.as_bytes(), "a".repeat(255).as_bytes()));
        assert!(fits(part.as_bytes(), format!("{}b", "a".repeat(255)).as_bytes()));
    }
}
