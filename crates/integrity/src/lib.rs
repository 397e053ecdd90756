//! Watched files: what they are, how they differ from what they were, and copies of what they were.
//!
//! * [`scan`]: the state of all files of a watch list, read in parallel and in a stable order.
//! * [`baseline`]: such states kept in a file, and compared with later ones.
//! * [`Watcher`]: the states kept while Watchkeeper runs; a look at a place tells what has changed there.
//! * [`diff`]: the unified diff of two texts.
//! * [`Copies`]: known-good copies by their hash, bounded.
//!
//! Files are opened below the root of whoever has them and never through a link in the last component; pipes, sockets and
//! devices are never opened; what is read of one file is bounded, so that one which grows for ever ends.
//!
//! Left out: file systems below a watched directory other than its own, as `find -xdev` leaves them out; what overlays hide.

#![forbid(unsafe_code)]

pub mod baseline;
mod contents;
mod copies;
pub mod diff;
mod notify;

mod observe;
mod places;
mod scan;
mod watcher;
mod writers;

pub use copies::Copies;
pub use observe::{Limits, Root, observe};
pub use places::running_containers;
pub use scan::{Scanned, scan};
pub use watcher::{Found, GRACE, Watcher};

use compact_str::CompactString;

/// What can go wrong as a whole; what goes wrong with one file stands in that file's state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A root cannot be opened.
    #[error("cannot open the root {root}: {cause}")]
    Root {
        /// Its path.
        root: String,
        /// The kernel's answer.
        cause: rustix::io::Errno,
    },
    /// A baseline cannot be read or written.
    #[error("baseline: {0}")]
    Io(#[from] std::io::Error),
    /// A line of a baseline is none.
    #[error("line {line} of the baseline: {cause}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// The kernel gives no notifications.
    #[error("the kernel does not notify of changes: {0}")]
    Notify(rustix::io::Errno),
}

/// A name as text: bytes that are no UTF-8 as `\xNN`.
fn name_text(bytes: &[u8]) -> CompactString {
    let mut text = CompactString::default();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
