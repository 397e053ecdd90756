//! Windows events as JSON (`{"Event": {"System": …, "EventData": …}}`), as tools that read EVTX write them.
//!
//! Rules name the fields of such events flat: `Image` for `Event.EventData.Image`, `EventID` for `Event.System.EventID`,
//! `Provider_Name` for the attribute `Name` of `Event.System.Provider`. A key of the event's data with spaces is also
//! known without them (`Source Name` as `SourceName`).

use super::scan::{Cursor, JsonFault, Quoted};
use super::shape::ROOT;
use super::slots::Place;
use super::walk::Walker;

/// Whether `key` opens a Windows event, whose value the cursor is at.
pub(super) fn is_event(cursor: &Cursor<'_>, key: Quoted) -> bool {
    cursor.bytes.get(cursor.at) == Some(&b'{') && cursor.raw(key) == b"Event"
}

/// Reads the event as if its data stood in the outermost map.
pub(super) fn event(walker: &mut Walker<'_, '_>, place: Place) -> Result<(), JsonFault> {
    let place = Place { depth: place.depth + 2, ..place };
    walker.entries(&mut |walker, key| {
        let is_map = walker.cursor.peek()? == b'{';
        match &*walker.cursor.text(key) {
            "EventData" if is_map => data(walker, place),
            "UserData" if is_map => walker.entries(&mut |walker, _| match walker.cursor.peek()? {
                b'{' => data(walker, place),
                _ => walker.value(None, place),
            }),
            "System" if is_map => system(walker, place),
            _ => walker.value(None, place),
        }
    })
}

fn data(walker: &mut Walker<'_, '_>, place: Place) -> Result<(), JsonFault> {
    walker.entries(&mut |walker, key| {
        let name = walker.cursor.text(key);
        let plain = walker.shape.step(ROOT, name.as_bytes());
        let branch = match plain {
            None if name.contains(' ') => walker.shape.step(ROOT, name.replace(' ', "").as_bytes()),
            plain => plain,
        };
        walker.value(branch, place)
    })
}

fn system(walker: &mut Walker<'_, '_>, place: Place) -> Result<(), JsonFault> {
    walker.entries(&mut |walker, key| {
        let name = walker.cursor.text(key);
        if walker.cursor.peek()? != b'{' {
            return walker.value(walker.shape.step(ROOT, name.as_bytes()), place);
        }
        walker.entries(&mut |walker, part| {
            let is_map = walker.cursor.peek()? == b'{';
            match &*walker.cursor.text(part) {
                "#text" => walker.value(walker.shape.step(ROOT, name.as_bytes()), place),
                "#attributes" if is_map => walker.entries(&mut |walker, attribute| {
                    let flat = format!("{name}_{}", walker.cursor.text(attribute));
                    walker.value(walker.shape.step(ROOT, flat.as_bytes()), place)
                }),
                _ => walker.value(None, place),
            }
        })
    })
}
