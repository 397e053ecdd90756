//! One instance per host.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

const PATH: &str = "/run/watchkeeper.lock";

/// Holds the lock while it lives.
pub struct Lock {
    _file: File,
}

/// Takes the lock.
///
/// # Errors
/// Another instance holds it; the message names its pid. Or the file cannot be made.
pub fn take() -> Result<Lock, Failure> {
    take_at(Path::new(PATH))
}

fn take_at(path: &Path) -> Result<Lock, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::host(format!("cannot lock {}: {error}", path.display()), "run as root, with a writable /run")
    };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The pid is a courtesy; without it the message still says what is wrong.
            let _ = file.read_to_string(&mut holder);
            return Err(Failure::host(
                format!("another instance of Watchkeeper runs on this host (pid {})", holder.trim()),
                "one instance sees the whole host: use that one, or end it first",
            ));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(cannot(error)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(cannot)?;
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_second_instance_is_refused_with_the_pid_of_the_first() {
        let path = std::env::temp_dir().join(format!("watchkeeper-lock-{}", std::process::id()));
        let first = super::take_at(&path).unwrap();
        let refused = super::take_at(&path).err().unwrap();
        assert!(refused.message.contains(&std::process::id().to_string()), "{refused}");
        drop(first);
        assert!(super::take_at(&path).is_ok());
        std::fs::remove_file(&path).unwrap();
    }
}
