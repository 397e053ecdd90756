//! Capture files to packets: pcap and pcapng, plain or gzip-compressed.
//!
//! In: a file, or any bytes. Out: a [`Packet`] at a time, with its time, its link type and what was captured; and with
//! [`layer3`] the IP packet inside its frame. Both byte orders, microseconds and nanoseconds, several interfaces and
//! sections.
//!
//! A file that is cut or broken gives the packets before the place, then an [`Error`] that names it. Memory does not
//! grow with the file.
//!
//! Left out on purpose: joining fragments and looking into tunnels (`flow` does), names and comments in pcapng, and
//! the checksum of gzip, whose lengths are checked.
//!
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, the LINKTYPE registry of tcpdump.org, RFC 1952.

mod gzip;
mod link;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;
mod window;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use link::{Layer3, layer3};
use window::Window;

/// The longest frame that is read: tcpdump's limit, which no link reaches but loopback with offloading.
pub const MAX_FRAME_BYTES: usize = 262_144;

/// One captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Nanoseconds since 1970; 0 where the file gives no time.
    pub time_ns: u64,
    /// LINKTYPE of the interface.
    pub link: u32,
    /// What was captured.
    pub frame: &'a [u8],
    /// How long it was on the link.
    pub len_bytes: usize,
}

/// Why a file gives no more packets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("capture cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The first bytes are of no capture.
    #[error("first bytes {magic:08x} are neither pcap nor pcapng")]
    Magic {
        /// The four bytes, as a big-endian number.
        magic: u32,
    },
    /// The file ends inside something.
    #[error("capture ends inside a {part} at byte {offset}")]
    Truncated {
        /// Of what.
        part: &'static str,
        /// Where that begins, in the uncompressed file.
        offset: u64,
    },
    /// A value that cannot be.
    #[error("{part} at byte {offset} has {field} {value}")]
    Broken {
        /// Of what.
        part: &'static str,
        /// Where that begins, in the uncompressed file.
        offset: u64,
        /// Which value.
        field: &'static str,
        /// What it is.
        value: u64,
    },
}

/// The bytes of a file, inflated where they are gzip, whose start can be looked at before they are read.
pub struct Unpacked {
    window: Window<Box<dyn Read + Send>>,
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Unpacked").finish_non_exhaustive()
    }
}

impl Unpacked {
    /// Looks for the mark of gzip.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn new(source: impl Read + Send + 'static) -> io::Result<Self> {
        let mut window = Window::<Box<dyn Read + Send>>::new(Box::new(source));
        if window.peek(2)?.is_some_and(|start| start == gzip::MAGIC) {
            window = Window::new(Box::new(gzip::Gunzip::new(window)));
        }
        Ok(Self { window })
    }

    /// The first bytes, up to `count` of them, without taking them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn start(&mut self, count: usize) -> io::Result<&[u8]> {
        self.window.peek_up_to(count)
    }

    /// The first bytes up to the end of the first line, and what was read with them; at most about `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn first_line(&mut self, limit: usize) -> io::Result<&[u8]> {
        let mut count = self.window.available()?;
        loop {
            let there = self.window.peek_up_to(count)?;
            if there.len() < count || count >= limit || there.contains(&b'\n') {
                break;
            }
            count += 1;
            // One byte more makes the window read as much as there is.
            self.window.peek_up_to(count)?;
            count = count.max(self.window.available()?);
        }
        self.window.peek_up_to(count)
    }

    /// Whether the bytes begin as a capture does.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn is_capture(&mut self) -> io::Result<bool> {
        let start = self.start(4)?.first_chunk::<4>().copied();
        Ok(start.is_some_and(|magic| magic == pcapng::SECTION_HEADER.to_be_bytes() || pcap::is_magic(magic)))
    }
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.window.available()? == 0 {
            return Ok(0);
        }
        let taken = self.window.take(out.len());
        let Some(slot) = out.get_mut(..taken.len()) else { return Ok(0) };
        slot.copy_from_slice(taken);
        Ok(taken.len())
    }
}

/// Reads a capture from its start to its end.
pub struct Capture {
    window: Window<Box<dyn Read + Send>>,
    form: Form,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Capture").field("form", &self.form).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Form {
    Pcap(pcap::Header),
    Pcapng(pcapng::Section),
    /// After the end or an error.
    Ended,
}

impl Capture {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no capture.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::new(File::open(path)?)
    }

    /// Reads from bytes.
    ///
    /// # Errors
    /// When they cannot be read, or are no capture.
    pub fn new(source: impl Read + Send + 'static) -> Result<Self, Error> {
        Self::of(Unpacked::new(source)?)
    }

    /// Reads from bytes that were looked into.
    ///
    /// # Errors
    /// When they cannot be read, or are no capture.
    pub fn of(source: Unpacked) -> Result<Self, Error> {
        let mut window = source.window;
        let Some(magic) = window.peek(4)?.and_then(<[u8]>::first_chunk::<4>).copied() else {
            return Err(Error::Truncated { part: "file header", offset: 0 });
        };
        let form = if magic == pcapng::SECTION_HEADER.to_be_bytes() {
            Form::Pcapng(pcapng::Section::default())
        } else {
            Form::Pcap(pcap::Header::read(&mut window, magic)?)
        };
        Ok(Self { window, form })
    }

    /// The next packet; `None` at the end of the file.
    ///
    /// # Errors
    /// When the file is cut or broken here. Nothing is read behind that place.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, Error> {
        let located = match &mut self.form {
            Form::Pcap(header) => header.locate(&mut self.window),
            Form::Pcapng(section) => section.locate(&mut self.window),
            Form::Ended => Ok(None),
        };
        match located {
            Ok(Some(located)) => {
                // `locate` made sure that the bytes are there.
                let frame = self.window.take(located.record_bytes);
                let frame = frame.get(located.skip..).unwrap_or_default();
                Ok(Some(Packet {
                    time_ns: located.time_ns,
                    link: located.link,
                    frame: frame.get(..located.captured_bytes).unwrap_or(frame),
                    len_bytes: located.len_bytes,
                }))
            }
            other => {
                self.form = Form::Ended;
                other.map(|_| None)
            }
        }
    }
}

/// A packet whose bytes are in the window.
#[derive(Debug)]
struct Located {
    time_ns: u64,
    link: u32,
    len_bytes: usize,
    captured_bytes: usize,
    /// The frame's place in the record.
    skip: usize,
    record_bytes: usize,
}

/// The byte order of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        self.word(bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default())
    }

    fn word(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// A length from a file, which no address space is too small for.
fn length(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
