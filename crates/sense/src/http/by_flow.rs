//! What is known of flows, one thing of each, in the order in which it came: when there are too many the oldest gives way.

use std::collections::{HashMap, VecDeque};

/// Places in the order for one thing that is there, before those of things that are gone are taken out.
const ORDER_FACTOR: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct ByFlow<V> {
    open: HashMap<u64, Numbered<V>>,
    /// Flows, and which of their things; those that are gone are passed over.
    order: VecDeque<(u64, u64)>,
    next: u64,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Numbered<V> {
    number: u64,
    value: V,
}

impl<V> ByFlow<V> {
    /// None yet, and never more than `limit`.
    pub(super) fn new(limit: usize) -> Self {
        Self { open: HashMap::new(), order: VecDeque::new(), next: 0, limit }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn contains(&self, flow: u64) -> bool {
        self.open.contains_key(&flow)
    }

    pub(super) fn find_mut(&mut self, flow: u64) -> Option<&mut V> {
        self.open.get_mut(&flow).map(|own| &mut own.value)
    }

    pub(super) fn remove(&mut self, flow: u64) -> Option<V> {
        self.open.remove(&flow).map(|own| own.value)
    }

    /// Puts the thing of a flow behind all others; gives back what gave way: the flow's own, or the oldest of too many.
    pub(super) fn insert(&mut self, flow: u64, value: V) -> Option<V> {
        let number = self.next;
        self.next += 1;
        self.order.push_back((flow, number));
        let before = self.open.insert(flow, Numbered { number, value }).map(|own| own.value);
        if self.order.len() > ORDER_FACTOR * self.limit {
            let open = &self.open;
            self.order.retain(|(flow, number)| open.get(flow).is_some_and(|own| own.number == *number));
        }
        if self.open.len() > self.limit { self.pop_oldest() } else { before }
    }

    fn pop_oldest(&mut self) -> Option<V> {
        while let Some((flow, number)) = self.order.pop_front() {
            if self.open.get(&flow).is_some_and(|own| own.number == number) {
                return self.remove(flow);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_flow_is_kept_and_the_oldest_of_too_many_goes() {
        let mut values = ByFlow::new(2);
        assert_eq!([values.insert(1, 'a'), values.insert(2, 'b')], [None, None]);
        assert_eq!(values.insert(1, 'c'), Some('a'), "its own");
        assert_eq!(values.insert(3, 'd'), Some('b'), "the first flow's is younger now");
        assert_eq!([values.remove(1), values.remove(2)], [Some('c'), None]);
        assert!(values.contains(3) && !values.is_empty());
        assert_eq!(values.find_mut(3), Some(&mut 'd'));
    }

    #[test]
    fn the_order_is_bounded_however_often_a_flow_has_another() {
        let mut values = ByFlow::new(2);
        let given_back = (0..1_000).filter_map(|number| values.insert(7, number)).count();
        assert_eq!(given_back, 999);
        assert!(values.order.len() <= ORDER_FACTOR * 2, "{}", values.order.len());
        assert_eq!(values.remove(7), Some(999));
    }
}
