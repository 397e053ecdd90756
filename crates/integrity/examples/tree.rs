//! Makes the tree of files that scans are measured on: `tree DIR FILES`.
//!
//! A thousand files a directory; lengths from 256 bytes to 64 KiB, each octave as often as any other, as in a file system
//! of programs; contents that no two files share. The same arguments give the same tree.

use std::io::Result;
use std::path::Path;

/// Files in a directory.
const EACH: u64 = 1000;
/// Shortest and longest file, as powers of two.
const OCTAVES: (u64, u64) = (8, 16);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, files] = arguments.as_slice() else {
        return Err(std::io::Error::other("usage: tree DIR FILES"));
    };
    let files: u64 = files.parse().map_err(std::io::Error::other)?;
    let mut state = 1_u64;
    // Marsaglia's xorshift, "Xorshift RNGs" (2003).
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut content = Vec::new();
    for number in 0..files {
        let folder = Path::new(directory).join(format!("{:04}", number / EACH));
        if number % EACH == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let octave = OCTAVES.0 + draw() % (OCTAVES.1 - OCTAVES.0);
        let length = usize::try_from((1 << octave) + draw() % (1 << octave)).unwrap_or(0);
        content.clear();
        while content.len() < length {
            content.extend_from_slice(&draw().to_le_bytes());
        }
        content.truncate(length);
        std::fs::write(folder.join(format!("{number:06}")), &content)?;
    }
    Ok(())
}
