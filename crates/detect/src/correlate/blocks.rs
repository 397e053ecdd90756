//! Events of many groups, each group's in the order of time: the oldest goes first.
//!
//! A group's events stand in blocks of one line of the processor's cache, linked from the oldest to the latest; the
//! blocks of all groups stand in one pool. An event is written into the last block of its group and touches nothing
//! else: nothing grows, nothing is copied, and what is over is used again by whichever group is next.
//! What is asked at each event stands in the group itself: the time of the first, and the last. A group that saw one
//! event needs no block.

/// Events of a block.
const ROOM: usize = 5;
const NO_BLOCK: u32 = u32::MAX;

/// The blocks of all groups.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: Vec<Block>,
    /// The first of those that no group uses, which are linked.
    free: Option<u32>,
    used: usize,
}

// A time takes as much as it needs; of a number, the lower half tells events apart that are near each other.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Block {
    times: [u64; ROOM],
    numbers: [u32; ROOM],
    next: u32,
}

/// The lower half of an event's number in the log, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) time: u64,
    pub(super) low: u32,
}

/// The events of one group.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Time and number of the one that came last.
    last: Option<(u64, u64)>,
    /// Time of the first.
    first: u64,
    /// All but the last; their blocks mean nothing where there are none.
    earlier: u32,
    head: u32,
    tail: u32,
    /// Place of the first in its block.
    start: u8,
    /// Places that are taken in the last block.
    end: u8,
}

impl Marks {
    pub(super) fn len(&self) -> usize {
        self.earlier as usize + usize::from(self.last.is_some())
    }

    /// The time of the one that came first.
    pub(super) fn first(&self) -> Option<u64> {
        self.last.is_some().then_some(self.first)
    }

    /// Time and number of the one that came last.
    pub(super) fn last(&self) -> Option<(u64, u64)> {
        self.last
    }

    /// Forgets the one that came first.
    pub(super) fn forget_first(&mut self, blocks: &mut Blocks) {
        if self.earlier == 0 {
            self.last = None;
            return;
        }
        self.earlier -= 1;
        self.start += 1;
        if self.earlier == 0 {
            blocks.release(self.head, self.tail, 1);
        } else if usize::from(self.start) == ROOM {
            let next = blocks.get(self.head).map_or(NO_BLOCK, |block| block.next);
            blocks.release(self.head, self.head, 1);
            (self.head, self.start) = (next, 0);
        }
        let next = match self.earlier {
            0 => self.last.map(|(time, _)| time),
            _ => blocks.mark(self.head, self.start).map(|mark| mark.time),
        };
        self.first = next.unwrap_or(0);
    }

    /// Puts the event `number` behind those that are not later than `time`.
    pub(super) fn insert(&mut self, blocks: &mut Blocks, time: u64, number: u64) {
        let Some(last) = self.last else {
            (self.last, self.first) = (Some((time, number)), time);
            return;
        };
        if last.0 <= time {
            self.push(blocks, Mark::new(last.0, last.1));
            self.last = Some((time, number));
            return;
        }
        self.first = self.first.min(time);
        let carried = self.carry(blocks, Mark::new(time, number));
        self.push(blocks, carried);
    }

    /// Writes behind the earlier ones.
    fn push(&mut self, blocks: &mut Blocks, mark: Mark) {
        if self.earlier == 0 {
            self.head = blocks.take();
            (self.tail, self.start, self.end) = (self.head, 0, 0);
        } else if usize::from(self.end) == ROOM {
            let next = blocks.take();
            if let Some(block) = blocks.get_mut(self.tail) {
                block.next = next;
            }
            (self.tail, self.end) = (next, 0);
        }
        blocks.write(self.tail, self.end, mark);
        self.earlier += 1;
        self.end += 1;
    }

    /// Puts `mark` where it belongs among the earlier ones, each later one in the place of the next; gives the one that
    /// has no place then.
    fn carry(&self, blocks: &mut Blocks, mut mark: Mark) -> Mark {
        if self.earlier == 0 {
            return mark;
        }
        let (mut number, mut place) = (self.head, self.start);
        let of_tail = if self.head == self.tail { self.start } else { 0 };
        if blocks.mark(self.tail, of_tail).is_some_and(|first| first.time <= mark.time) {
            (number, place) = (self.tail, of_tail);
        }
        let mut moves = false;
        while let Some(block) = blocks.get_mut(number) {
            let end = if number == self.tail { usize::from(self.end) } else { ROOM };
            let (times, numbers) = (block.times.iter_mut(), block.numbers.iter_mut());
            for (time, low) in times.zip(numbers).take(end).skip(usize::from(place)) {
                moves |= *time > mark.time;
                if moves {
                    std::mem::swap(time, &mut mark.time);
                    std::mem::swap(low, &mut mark.low);
                }
            }
            if number == self.tail {
                break;
            }
            (number, place) = (block.next, 0);
        }
        mark
    }

    /// All, first to last.
    pub(super) fn iter<'b>(&'b self, blocks: &'b Blocks) -> impl Iterator<Item = Mark> + 'b {
        let (mut number, mut place) = (self.head, self.start);
        let earlier = (0..self.earlier).filter_map(move |_| {
            if usize::from(place) == ROOM {
                (number, place) = (blocks.get(number)?.next, 0);
            }
            place += 1;
            blocks.mark(number, place - 1)
        });
        earlier.chain(self.last.map(|(time, number)| Mark::new(time, number)))
    }

    /// Forgets all.
    pub(super) fn clear(&mut self, blocks: &mut Blocks) {
        let used = self.blocks();
        if used > 0 {
            blocks.release(self.head, self.tail, used);
        }
        *self = Self::default();
    }

    /// Reads what an event at which all before `oldest` is over reads and writes.
    pub(super) fn fetch(&self, blocks: &Blocks, oldest: u64) -> u64 {
        let of = |number| blocks.get(number).map_or(0, |block: &Block| u64::from(block.next));
        let head = if self.first < oldest { of(self.head) } else { 0 };
        head ^ of(self.tail)
    }

    /// Blocks that it stands in.
    fn blocks(&self) -> usize {
        match self.earlier {
            0 => 0,
            earlier => (usize::from(self.start) + earlier as usize).div_ceil(ROOM),
        }
    }
}

impl Mark {
    fn new(time: u64, number: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
        Self { time, low: number as u32 }
    }
}

impl Blocks {
    /// How much those hold that are used.
    pub(super) fn bytes(&self) -> usize {
        self.used * size_of::<Block>()
    }

    fn get(&self, number: u32) -> Option<&Block> {
        self.blocks.get(number as usize)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Block> {
        self.blocks.get_mut(number as usize)
    }

    fn mark(&self, number: u32, place: u8) -> Option<Mark> {
        let (block, place) = (self.get(number)?, usize::from(place));
        Some(Mark { time: *block.times.get(place)?, low: *block.numbers.get(place)? })
    }

    fn write(&mut self, number: u32, place: u8, mark: Mark) {
        let place = usize::from(place);
        if let Some(block) = self.get_mut(number)
            && let (Some(time), Some(low)) = (block.times.get_mut(place), block.numbers.get_mut(place))
        {
            (*time, *low) = (mark.time, mark.low);
        }
    }

    /// A block that no group uses.
    fn take(&mut self) -> u32 {
        self.used += 1;
        if let Some(number) = self.free {
            let next = self.get(number).map_or(NO_BLOCK, |block| block.next);
            self.free = Some(next).filter(|next| *next != NO_BLOCK);
            return number;
        }
        self.blocks.push(Block { times: [0; ROOM], numbers: [0; ROOM], next: NO_BLOCK });
        // Limits of memory are far below 2^32 blocks, which are 256 GiB.
        u32::try_from(self.blocks.len() - 1).unwrap_or(NO_BLOCK)
    }

    /// Takes back `count` linked blocks, from the first to the last. Where none is used any more, their memory is freed.
    fn release(&mut self, first: u32, last: u32, count: usize) {
        self.used = self.used.saturating_sub(count);
        if self.used == 0 {
            *self = Self::default();
            return;
        }
        let free = self.free.unwrap_or(NO_BLOCK);
        if let Some(block) = self.get_mut(last) {
            block.next = free;
            self.free = Some(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_share_a_pool_hold_what_sorted_lists_hold() {
        const GROUPS: usize = 7;
        let mut blocks = Blocks::default();
        let mut marks: [Marks; GROUPS] = Default::default();
        let mut lists: [Vec<(u64, u64)>; GROUPS] = Default::default();
        let mut random = 1_u64;
        for number in 0..60_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (low, group) = ((random >> 33) % 1000, (random >> 50) as usize % GROUPS);
            let (marks, list) = (&mut marks[group], &mut lists[group]);
            if low < 480 {
                if !list.is_empty() {
                    list.remove(0);
                    marks.forget_first(&mut blocks);
                }
            } else if low > 997 {
                marks.clear(&mut blocks);
                list.clear();
            } else {
                let late = if low > 900 { low % 40 } else { low % 3 };
                let time = 100 + number / 4 - late;
                let place = list.partition_point(|(known, _)| *known <= time);
                list.insert(place, (time, number));
                marks.insert(&mut blocks, time, number);
            }
            assert_eq!(
                (marks.len(), marks.first(), marks.last()),
                (list.len(), list.first().map(|first| first.0), list.last().copied())
            );
            assert!(marks.iter(&blocks).eq(list.iter().map(|(time, number)| Mark::new(*time, *number))));
        }
        let used: usize = marks.iter().map(Marks::blocks).sum();
        assert_eq!(blocks.used, used);
        marks.iter_mut().for_each(|marks| marks.clear(&mut blocks));
        assert_eq!((blocks.used, blocks.blocks.len()), (0, 0));
    }
}
