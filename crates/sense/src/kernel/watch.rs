//! Objects whose opening for reading is recorded: by base name, and by device and inode.
//!
//! A name finds the file under whatever directory it is mounted, as `/hostetc/shadow`; an inode finds the host's own
//! file under whatever name. A file that was replaced since has another inode: [`KernelSensor::watch`] may be
//! called again.

use std::{fs, os::unix::fs::MetadataExt};

use super::{
    Error,
    layout::{watched_inode, watched_name},
    loader::KernelSensor,
};

/// Longest name that can be watched.
pub(super) const NAME_BYTES: usize = watched_name::BYTES - 1;

/// Default names: accounts, keys and tokens that only their own services read.
pub(super) const NAMES: [&str; 12] = [
    "shadow",
    "gshadow",
    "sudoers",
    "authorized_keys",
    "id_rsa",
    "id_ecdsa",
    "id_ed25519",
    "kubeconfig",
    "admin.conf",
    ".dockercfg",
    "kcore",
    "core_pattern",
];

/// Default files of the host.
pub(super) const FILES: [&str; 4] =
    ["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/root/.docker/config.json"];

impl KernelSensor {
    /// Tells the kernel programs the watched names and files of the configuration. Returns how many could not be
    /// watched: longer than 31 bytes, or no room. A file that does not exist is not an error.
    ///
    /// # Errors
    /// The object lacks a table.
    pub fn watch(&mut self) -> Result<u64, Error> {
        const WATCHED: u32 = 1;
        let config = self.config.clone();
        let mut refused = 0;
        let mut names = self.table::<[u8; watched_name::BYTES], u32>("watched_names")?;
        for name in &config.watched_names {
            let entered = name_key(name).is_some_and(|key| names.insert(key, WATCHED, 0).is_ok());
            refused += u64::from(!entered);
        }
        let mut inodes = self.table::<[u8; watched_inode::BYTES], u32>("watched_inodes")?;
        for file in &config.watched_files {
            let Ok(metadata) = fs::metadata(file) else { continue };
            let key = inode_key(kernel_device(metadata.dev()), metadata.ino());
            refused += u64::from(inodes.insert(key, WATCHED, 0).is_err());
        }
        Ok(refused)
    }
}

/// The name in small letters, as the programs look it up, with zeroes behind it; at least one, as in the kernel's string.
fn name_key(name: &str) -> Option<[u8; watched_name::BYTES]> {
    let mut key = [0; watched_name::BYTES];
    let fits = !name.is_empty() && name.len() < key.len();
    key.get_mut(..name.len()).filter(|_| fits)?.copy_from_slice(name.to_ascii_lowercase().as_bytes());
    Some(key)
}

fn inode_key(device: u32, inode: u64) -> [u8; watched_inode::BYTES] {
    let mut key = [0; watched_inode::BYTES];
    let (first, rest) = key.split_at_mut(watched_inode::DEV);
    first.copy_from_slice(&inode.to_ne_bytes());
    if let Some(dev) = rest.first_chunk_mut() {
        *dev = device.to_ne_bytes();
    }
    key
}

/// From the device number of stat(2) to the kernel's own: major << 20 | minor.
fn kernel_device(device: u64) -> u32 {
    libc::major(device) << 20 | libc::minor(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_kernel_cannot_hold_are_refused() {
        assert_eq!(name_key("shadow").map(|k| k[..7].to_vec()), Some(b"shadow\0".to_vec()));
        assert_eq!(name_key("SHadow"), name_key("shadow"));
        assert_eq!(name_key(""), None);
        assert!(name_key(&"x".repeat(31)).is_some());
        assert_eq!(name_key(&"x".repeat(32)), None);
    }

    #[test]
    fn an_inode_key_has_the_kernels_layout() {
        let key = inode_key(kernel_device(libc::makedev(254, 3)), 7);
        assert_eq!(key[watched_inode::INODE], 7);
        assert_eq!(key[watched_inode::DEV..watched_inode::DEV + 4], (254_u32 << 20 | 3).to_ne_bytes());
    }
}
