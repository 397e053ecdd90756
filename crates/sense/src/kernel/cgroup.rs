//! Names of containers in the cgroup tree.
//!
//! The last path element of a container's cgroup is its 64-digit id, with a runtime's prefix under the systemd
//! driver and `.scope` behind it. The nearest ancestor of that form that the runtime made owns everything below:
//! a name made inside a container never wins. The kernel programs apply the same rule to cgroups made later.
//!
//! Left out: containerd's `ctr`, whose cgroups are named with free text.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::layout::ID_LEN;

/// A container id: 64 hexadecimal digits, packed.
pub type PackedId = [u8; ID_LEN];

const PREFIXES: [&str; 4] = ["docker-", "cri-containerd-", "crio-", "libpod-"];
/// Deeper trees are left alone; the deepest that runtimes make is about 10.
const DEPTH_LIMIT: usize = 32;
/// Directories looked at before giving up: a container may make many.
const DIRECTORY_LIMIT: usize = 200_000;

/// A cgroup that belongs to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The cgroup's id: the inode of its directory.
    pub id: u64,
    /// The container.
    pub container: PackedId,
    /// Steps below the container's own cgroup.
    pub depth: u32,
    /// Path below the hierarchy's root.
    pub path: String,
}

/// The id in a cgroup's name, if the name has the form of a container's.
#[must_use]
pub fn container_of_name(name: &str) -> Option<PackedId> {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let digits = PREFIXES.iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name).as_bytes();
    let mut id = [0; ID_LEN];
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != ID_LEN || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(id)
}

/// The container that owns a cgroup path, and the steps from its cgroup down to this one.
#[must_use]
pub fn container_of_path(path: &str) -> Option<(PackedId, u32)> {
    let names: Vec<&str> = path.split('/').filter(|n| !n.is_empty()).collect();
    let (at, id) = names.iter().enumerate().find_map(|(i, n)| Some((i, container_of_name(n)?)))?;
    Some((id, u32::try_from(names.len() - 1 - at).unwrap_or(u32::MAX)))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Every cgroup below `root` that belongs to a container, parents before children. The second value counts
/// directories that could not be read or were beyond the limits.
#[must_use]
pub fn walk(root: &Path) -> (Vec<Owned>, u64) {
    let mut walk = Walk { found: Vec::new(), skipped: 0, seen: 0 };
    walk.directory(root, "", None);
    (walk.found, walk.skipped)
}

/// Whether any cgroup below `root` has a container's name.
#[must_use]
pub fn has_containers(root: &Path) -> bool {
    !walk(root).0.is_empty()
}

struct Walk {
    found: Vec<Owned>,
    skipped: u64,
    seen: usize,
}

impl Walk {
    fn directory(&mut self, at: &Path, path: &str, owner: Option<(PackedId, u32)>) {
        let Ok(entries) = fs::read_dir(at) else {
            self.skipped += 1;
            return;
        };
        for entry in entries.flatten() {
            if !entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            self.seen += 1;
            if self.seen > DIRECTORY_LIMIT || path.matches('/').count() >= DEPTH_LIMIT {
                self.skipped += 1;
                continue;
            }
            let name = entry.file_name();
            let path = format!("{path}/{}", name.to_string_lossy());
            let owner = match owner {
                Some((container, depth)) => Some((container, depth + 1)),
                None => name.to_str().and_then(container_of_name).map(|id| (id, 0)),
            };
            if let (Some((container, depth)), Ok(metadata)) = (owner, entry.metadata()) {
                self.found.push(Owned { id: metadata.ino(), container, depth, path: path.clone() });
            }
            self.directory(&entry.path(), &path, owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn names_of_all_runtimes_are_known() {
        for name in [
            ID.to_owned(),
            format!("docker-{ID}.scope"),
            format!("cri-containerd-{ID}.scope"),
            format!("crio-{ID}"),
            format!("libpod-{ID}.scope"),
        ] {
            let id = container_of_name(&name).unwrap();
            assert_eq!((id[0], id[31]), (0x01, 0xef), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_containers() {
        for name in [
            format!("crio-conmon-{ID}.scope"),
            format!("libpod-conmon-{ID}"),
            ID[1..].to_owned(),
            format!("{ID}0"),
            ID.to_uppercase(),
            format!("pod{ID}"),
            String::new(),
        ] {
            assert_eq!(container_of_name(&name), None, "{name}");
        }
    }

    #[test]
    fn a_name_made_inside_a_container_does_not_win() {
        let inner = ID.replace('0', "f");
        let (owner, depth) = container_of_path(&format!("/docker/{ID}/x/{inner}")).unwrap();
        assert_eq!(owner[0], 0x01);
        assert_eq!(depth, 2);
    }

    #[test]
    fn the_walk_gives_descendants_their_ancestors_container() {
        let root = std::env::temp_dir().join(format!("watchkeeper-cgroup-{}", std::process::id()));
        let inner = root.join("docker").join(ID).join("child").join(ID.replace('0', "f"));
        fs::create_dir_all(&inner).unwrap();
        let (found, skipped) = walk(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(skipped, 0);
        assert_eq!(found.iter().map(|o| o.depth).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(found.iter().all(|o| o.container[0] == 0x01));
    }
}
