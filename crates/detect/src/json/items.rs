//! Items of a list, as events of their own.

use super::shape::{Shape, Slot};
use super::slots::{JsonRecord, Slots};
use super::walk::walk;
use crate::error::Fault;
use crate::rule::{Compiler, Node, Placeholders};
use strategy::sigma::Detection;

/// The JSON of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonItem<'a>(pub(super) &'a str);

/// A condition over the fields of an item, or over the item itself.
#[derive(Debug)]
pub(crate) struct ItemShape {
    shape: Shape,
    node: Node<Slot>,
}

impl ItemShape {
    /// Compiles `detection`, whose fields are those of an item.
    pub(crate) fn new(detection: &Detection, placeholders: &Placeholders) -> Result<Self, Fault> {
        let mut shape = Shape::default();
        let node = Compiler { schema: &mut shape, placeholders }.detection(detection)?;
        Ok(Self { shape, node })
    }

    /// Whether the condition holds for `item`.
    pub(crate) fn holds(&self, item: JsonItem<'_>) -> bool {
        let mut slots = Slots::default();
        // A number ends where something else begins.
        let text = format!("{} ", item.0);
        // Items are parts of an event that was read: nothing is wrong in them.
        walk(text.as_bytes(), &self.shape, &mut slots, true).is_ok()
            && self.node.holds(&JsonRecord { text: &text, slots: &slots })
    }
}
