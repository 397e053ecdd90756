//! Names on the wire, RFC 1035 §4.1.4: labels and backward pointers, to escaped text.

use super::{Error, MAX_LABEL_BYTES, MAX_NAME_BYTES, MAX_POINTERS};
use crate::bytes::Reader;

/// RFC 1035 §4.1.4: both top bits set make a pointer.
const POINTER_BITS: u8 = 0xc0;

/// Reads the name at `start` in `message`; returns its text and where the bytes after it begin.
///
/// Every jump must land before the place where its run of labels began, so no byte is read twice
/// through a loop and the work is bounded by the name limit.
pub(super) fn read(message: &[u8], start: usize) -> Result<(String, usize), Error> {
    let cut = |offset| Error::Truncated { part: "name", offset };
    // Most names of hosts are shorter.
    let mut text = String::with_capacity(32);
    let mut reader = Reader::at(message, start);
    let mut run_start = start;
    let mut after = None;
    let mut wire_bytes = 0;
    let mut pointers = 0;
    loop {
        let offset = reader.position();
        let length = reader.u8().ok_or(cut(offset))?;
        if length & POINTER_BITS == POINTER_BITS {
            let low = reader.u8().ok_or(cut(offset))?;
            let target = usize::from(u16::from_be_bytes([length & !POINTER_BITS, low]));
            after.get_or_insert(reader.position());
            pointers += 1;
            if target >= run_start || pointers > MAX_POINTERS {
                return Err(Error::Pointer { offset, target });
            }
            run_start = target;
            reader = Reader::at(message, target);
            continue;
        }
        if usize::from(length) > MAX_LABEL_BYTES {
            return Err(Error::LabelKind { offset, kind: length });
        }
        wire_bytes += 1 + usize::from(length);
        if wire_bytes > MAX_NAME_BYTES {
            return Err(Error::NameLength { offset: start });
        }
        if length == 0 {
            break;
        }
        let label = reader.take(usize::from(length)).ok_or(cut(offset))?;
        if !text.is_empty() {
            text.push('.');
        }
        push_label(&mut text, label);
    }
    if text.is_empty() {
        text.push('.');
    }
    Ok((text, after.unwrap_or(reader.position())))
}

/// Appends a label with the escapes of RFC 1035 §5.1: `\.` and `\\` for those two characters, `\DDD`
/// in decimal for space and everything that is not printable ASCII.
fn push_label(text: &mut String, label: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'.' | b'\\');
    if let Ok(plain) = std::str::from_utf8(label)
        && label.iter().all(is_plain)
    {
        return text.push_str(plain);
    }
    for &byte in label {
        match byte {
            b'.' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push('\\');
                for digit in [byte / 100, byte / 10 % 10, byte % 10] {
                    text.push(char::from(b'0' + digit));
                }
            }
        }
    }
}
