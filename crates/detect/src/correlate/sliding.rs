//! What came within a window, in the order of time: the oldest goes first.
//!
//! What is asked at each event stands in the thing itself: the time of the first, and the last. What is between is only
//! written to, so that nothing waits for memory that is far; a group that saw one event needs none.

/// Things with their times.
#[derive(Debug)]
pub(super) struct Sliding<T> {
    last: Option<(u64, T)>,
    /// Time of the first.
    first: u64,
    /// All but the last.
    earlier: Vec<(u64, T)>,
    /// How many at the front of these are gone; their room is used again when there is no other.
    gone: usize,
}

impl<T> Default for Sliding<T> {
    fn default() -> Self {
        Self { last: None, first: 0, earlier: Vec::new(), gone: 0 }
    }
}

impl<T: Copy> Sliding<T> {
    pub(super) fn len(&self) -> usize {
        self.earlier.len() - self.gone + usize::from(self.last.is_some())
    }

    /// The time of the one that came first.
    pub(super) fn first(&self) -> Option<u64> {
        self.last.is_some().then_some(self.first)
    }

    /// The one that came last.
    pub(super) fn last(&self) -> Option<(u64, T)> {
        self.last
    }

    /// Takes the one that came first.
    pub(super) fn take_first(&mut self) -> Option<T> {
        let Some((_, first)) = self.earlier.get(self.gone).copied() else {
            return self.last.take().map(|(_, last)| last);
        };
        self.gone += 1;
        if self.gone == self.earlier.len() {
            self.earlier.clear();
            self.gone = 0;
        }
        let next = self.earlier.get(self.gone).copied().or(self.last);
        self.first = next.map_or(0, |(time, _)| time);
        Some(first)
    }

    /// Puts `item` behind those that are not later.
    pub(super) fn insert(&mut self, time: u64, item: T) {
        let Some(last) = self.last else {
            (self.last, self.first) = (Some((time, item)), time);
            return;
        };
        // A quarter is free: moving the rest costs no more than the steps that freed it.
        if self.earlier.len() == self.earlier.capacity()
            && self.gone > 0
            && self.gone * 4 >= self.earlier.len()
        {
            self.earlier.drain(..self.gone);
            self.gone = 0;
        }
        if last.0 <= time {
            self.earlier.push(last);
            self.last = Some((time, item));
            return;
        }
        let before = |(known, _): &(u64, T)| *known <= time;
        let place = self.gone + self.earlier.get(self.gone..).map_or(0, |all| all.partition_point(before));
        self.earlier.insert(place, (time, item));
        self.first = self.first.min(time);
    }

    pub(super) fn clear(&mut self) {
        self.last = None;
        self.earlier.clear();
        self.gone = 0;
    }

    /// Reads what is written next, so that it is near then.
    pub(super) fn fetch(&self) -> u64 {
        self.earlier.last().map_or(0, |(time, _)| *time)
    }

    /// How much is held beside the thing itself.
    pub(super) fn bytes(&self) -> usize {
        self.earlier.capacity() * size_of::<(u64, T)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_sorted_list_holds() {
        let (mut sliding, mut list) = (Sliding::default(), Vec::<(u64, u64)>::new());
        let mut random = 1_u64;
        for number in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let low = (random >> 33) % 1000;
            if low < 480 {
                let expect = (!list.is_empty()).then(|| list.remove(0).1);
                assert_eq!(sliding.take_first(), expect);
            } else if low == 999 {
                sliding.clear();
                list.clear();
            } else {
                let time = number / 4 + low % 3;
                let place = list.partition_point(|(known, _)| *known <= time);
                list.insert(place, (time, number));
                sliding.insert(time, number);
            }
            assert_eq!(
                (sliding.len(), sliding.first(), sliding.last()),
                (list.len(), list.first().map(|first| first.0), list.last().copied())
            );
        }
        assert!(sliding.bytes() < 200 * (list.len() + 100));
    }
}
