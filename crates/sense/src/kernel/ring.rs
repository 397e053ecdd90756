//! Reader of BPF ring buffers and of the loss counters, by shared memory alone.
//!
//! In: the descriptor of a ring buffer map, perhaps inherited from the process that loaded the programs. Out:
//! the committed records, in order. A process that holds only these descriptors needs no bpf(2) call and no
//! capability, so the engine can read them behind its seccomp filter.
//!
//! Left out: waiting. `as_fd` becomes readable when the kernel has woken the ring; network and file records are
//! written without waking up, so a reader also looks every few milliseconds.
//!
//! Source: kernel/bpf/ringbuf.c and Documentation/bpf/ringbuf.rst of Linux 5.10 to 6.18.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{Ordering, fence},
};

use super::{
    layout::{RING_COUNT, counters},
    sys::{Access, Mapping, page_size},
};

/// Bit of a record's length: the kernel is still writing it.
const BUSY: u32 = 1 << 31;
/// Bit of a record's length: the kernel gave it up.
const DISCARDED: u32 = 1 << 30;
/// Bytes of a record's own header: length and page offset, four bytes each.
const RECORD_HEADER: u64 = 8;
/// Records after which their space is given back to the kernel. A store a record would move the cache line
/// between processors each time; too many records would hold space that producers need.
const RELEASE_EVERY: u32 = 64;

/// Consumer of one ring. There must be only one per map.
#[derive(Debug)]
pub struct RingReader {
    fd: OwnedFd,
    /// The consumer position, in a page of its own.
    consumer: Mapping,
    /// The producer position in the first page, then the data, twice in a row so that no record is split.
    producer: Mapping,
    page_bytes: usize,
    mask: u64,
    position: u64,
    corrupt: u64,
    scratch: Vec<u8>,
}

impl RingReader {
    /// Maps the ring `fd` of `size_bytes` (its `max_entries`).
    ///
    /// # Errors
    /// A size that is not a power of two of whole pages, or what mmap(2) says.
    pub fn new(fd: OwnedFd, size_bytes: u32) -> io::Result<Self> {
        let page_bytes = page_size();
        let size = usize::try_from(size_bytes).map_err(io::Error::other)?;
        if !size.is_power_of_two() || size < page_bytes {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("ring size {size_bytes} is not a power of two of at least {page_bytes} bytes"),
            ));
        }
        let consumer = Mapping::new(fd.as_fd(), 0, page_bytes, Access::ReadWrite)?;
        let producer = Mapping::new(fd.as_fd(), page_bytes, page_bytes + 2 * size, Access::Read)?;
        let position = consumer.word(0).map_or(0, |w| w.load(Ordering::Acquire));
        Ok(Self {
            fd,
            consumer,
            producer,
            page_bytes,
            mask: u64::from(size_bytes) - 1,
            position,
            corrupt: 0,
            scratch: Vec::with_capacity(page_bytes),
        })
    }

    /// Hands up to `budget` records to `take`, oldest first, and returns how many. Less than `budget` means
    /// that the ring was empty, or its next record unfinished, when last looked at.
    pub fn drain(&mut self, budget: usize, mut take: impl FnMut(&[u8])) -> usize {
        let mut taken = 0;
        loop {
            let before = self.position;
            taken += self.drain_once(budget - taken, &mut take);
            self.release();
            // The kernel wakes nobody while it believes that the consumer is behind. The barrier orders the
            // release above before a second look, so that a record committed in between is not left waiting.
            fence(Ordering::SeqCst);
            if taken >= budget || self.position == before {
                return taken;
            }
        }
    }

    /// Bytes that the kernel has reserved and this reader has not yet taken.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        self.produced().saturating_sub(self.position)
    }

    /// How often the ring held nonsense, so that everything up to the producer was skipped.
    #[must_use]
    pub fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn drain_once(&mut self, budget: usize, take: &mut impl FnMut(&[u8])) -> usize {
        let produced = self.produced();
        let mut taken = 0;
        let mut unreleased = 0;
        while self.position < produced && taken < budget {
            let offset = self.data_offset(self.position);
            let Some(word) = self.producer.word(offset) else {
                self.resynchronize(produced);
                break;
            };
            // The length is the low half of the first word on the little-endian machines that are supported.
            let [a, b, c, d, ..] = word.load(Ordering::Acquire).to_le_bytes();
            let head = u32::from_le_bytes([a, b, c, d]);
            if head & BUSY != 0 {
                break;
            }
            let len = u64::from(head & !DISCARDED);
            let next = self.position + (len + RECORD_HEADER).next_multiple_of(8);
            if len > self.mask || next > produced {
                self.resynchronize(produced);
                break;
            }
            if head & DISCARDED == 0 {
                self.scratch.clear();
                let len = usize::try_from(len).unwrap_or(0);
                self.producer.copy_to(offset + 8, len, &mut self.scratch);
                take(&self.scratch);
                taken += 1;
            }
            self.position = next;
            unreleased += 1;
            if unreleased == RELEASE_EVERY {
                unreleased = 0;
                self.release();
            }
        }
        taken
    }

    fn produced(&self) -> u64 {
        self.producer.word(0).map_or(0, |w| w.load(Ordering::Acquire))
    }

    fn data_offset(&self, position: u64) -> usize {
        self.page_bytes + usize::try_from(position & self.mask).unwrap_or(0)
    }

    fn release(&self) {
        self.consumer.store(0, self.position);
    }

    fn resynchronize(&mut self, produced: u64) {
        self.corrupt += 1;
        self.position = produced;
    }
}

impl AsFd for RingReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What the kernel programs counted, summed over the processors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records written, by ring.
    pub emitted: [u64; RING_COUNT],
    /// Records for which a ring had no room, by ring.
    pub lost: [u64; RING_COUNT],
    /// Records of host tasks that the kernel filter dropped.
    pub dropped_host: u64,
    /// Records of runtimes' start-up inside new containers, dropped until the container's first exec.
    pub dropped_startup: u64,
    /// Repetitions beyond a process's budget that were withheld.
    pub limited: u64,
    /// Entries for which a kernel table had no room.
    pub table_full: u64,
}

/// The counters map, read without a system call.
#[derive(Debug)]
pub struct Counters {
    mapping: Mapping,
    slots: usize,
}

impl Counters {
    /// Maps the counters `fd` of `slots` processors.
    ///
    /// # Errors
    /// What mmap(2) says.
    pub fn map(fd: BorrowedFd<'_>, slots: usize) -> io::Result<Self> {
        let len = (slots * counters::BYTES).next_multiple_of(page_size());
        Ok(Self { mapping: Mapping::new(fd, 0, len, Access::Read)?, slots })
    }

    /// The counts now. They never fall.
    #[must_use]
    pub fn read(&self) -> Counts {
        let mut sum = Counts::default();
        for slot in 0..self.slots {
            let base = slot * counters::BYTES;
            for ring in 0..RING_COUNT {
                if let Some(n) = sum.emitted.get_mut(ring) {
                    *n += self.word(base + counters::EMITTED + ring * 8);
                }
                if let Some(n) = sum.lost.get_mut(ring) {
                    *n += self.word(base + counters::LOST + ring * 8);
                }
            }
            sum.dropped_host += self.word(base + counters::DROPPED_HOST);
            sum.dropped_startup += self.word(base + counters::DROPPED_STARTUP);
            sum.limited += self.word(base + counters::LIMITED);
            sum.table_full += self.word(base + counters::TABLE_FULL);
        }
        sum
    }

    fn word(&self, offset: usize) -> u64 {
        self.mapping.word(offset).map_or(0, |w| w.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::FileExt};

    use super::*;

    const SIZE: u32 = 4096;

    /// A file laid out as a ring: consumer page, producer page, data.
    fn ring(name: &str, produced: u64, records: &[(u32, &[u8])]) -> RingReader {
        let page = page_size() as u64;
        let path = std::env::temp_dir().join(format!("watchkeeper-ring-{name}-{}", std::process::id()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file.set_len(2 * page + 2 * u64::from(SIZE)).unwrap();
        file.write_all_at(&produced.to_ne_bytes(), page).unwrap();
        let mut at = 2 * page;
        for (head, bytes) in records {
            file.write_all_at(&head.to_ne_bytes(), at).unwrap();
            file.write_all_at(bytes, at + RECORD_HEADER).unwrap();
            at += (RECORD_HEADER + bytes.len() as u64).next_multiple_of(8);
        }
        RingReader::new(file.into(), SIZE).unwrap()
    }

    fn drained(reader: &mut RingReader, budget: usize) -> Vec<Vec<u8>> {
        let mut taken = Vec::new();
        reader.drain(budget, |record| taken.push(record.to_vec()));
        taken
    }

    #[test]
    fn records_come_in_order_and_discarded_ones_do_not() {
        let mut reader = ring("order", 48, &[(3, b"one"), (3 | DISCARDED, b"two"), (5, b"three")]);
        assert_eq!(drained(&mut reader, 10), [b"one".to_vec(), b"three".to_vec()]);
        assert_eq!((reader.pending_bytes(), reader.corrupt()), (0, 0));
        assert_eq!(reader.consumer.word(0).unwrap().load(Ordering::Acquire), 48);
    }

    #[test]
    fn an_unfinished_record_holds_back_what_follows() {
        let mut reader = ring("busy", 32, &[(3, b"one"), (3 | BUSY, b"two")]);
        assert_eq!(drained(&mut reader, 10), [b"one".to_vec()]);
        assert_eq!(reader.pending_bytes(), 16);
    }

    #[test]
    fn the_budget_ends_a_drain() {
        let mut reader = ring("budget", 32, &[(3, b"one"), (3, b"two")]);
        assert_eq!(drained(&mut reader, 1), [b"one".to_vec()]);
        assert_eq!(drained(&mut reader, 1), [b"two".to_vec()]);
    }

    #[test]
    fn nonsense_is_counted_and_skipped_to_the_producer() {
        for length in [SIZE, SIZE - 1, 4000, !(BUSY | DISCARDED)] {
            let mut reader = ring("nonsense", 32, &[(3, b"one"), (length, b"")]);
            assert_eq!(drained(&mut reader, 10), [b"one".to_vec()]);
            assert_eq!((reader.corrupt(), reader.pending_bytes()), (1, 0), "length {length}");
        }
    }

    #[test]
    fn a_size_that_is_no_power_of_two_is_refused() {
        let file = File::open("/dev/null").unwrap();
        assert!(RingReader::new(file.into(), 5000).is_err());
    }
}
