//! JSON events with any field names: one walk that keeps what rules read.
//!
//! In: the names that rules read, once; bytes that begin with a JSON object, often. Out: the values of those names, as
//! places in the bytes: nothing else of the event is kept or copied. A name is the path of a value through the maps of
//! the event, joined by dots, however keys with dots of their own divide it; where several values have the name, the
//! one that stands least deep counts, and of two that stand equally deep the last. A path through a list leads to each
//! of its items. Windows events as JSON are read flat: what stands under `Event.EventData`, `Event.UserData.*` and
//! `Event.System` counts as a value of the event (`windows`).
//!
//! Left out on purpose: a tree of the event, and the finer points of JSON's grammar in parts that no rule reads
//! (numbers such as `01` and unknown escapes pass). Source: RFC 8259.

mod customs;
mod items;
mod scan;
mod shape;
mod slots;
mod walk;
mod windows;

pub(crate) use items::{ItemShape, JsonItem};
pub use scan::JsonFault;
pub(crate) use shape::{Shape, Slot};
pub(crate) use slots::{JsonRecord, Slots};
pub(crate) use walk::walk;

#[cfg(test)]
mod tests;
