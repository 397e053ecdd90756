//! What correlations read of an event, whatever the event is made of.

use crate::judge::Moment;
use event::{Event, Field, Kind, Value};
use std::fmt::{Debug, Write};
use std::sync::Arc;
use strategy::yaml::Number;

/// Longest value that is grouped by or counted; longer ones are cut, and so may fall together.
const VALUE_LIMIT_BYTES: usize = 512;

/// An event that correlations can join. A clone is cheap and means the same event.
pub trait Joinable: Clone + Debug {
    /// Name of a field.
    type Field: Copy + Debug + PartialEq;
    /// About how many bytes are held in memory by keeping one.
    const HELD_BYTES: usize;

    /// Reads what stands far apart in memory and that dropping it reads; what it gives has no meaning.
    fn fetch(&self) -> u64;
    /// When it happened, and its place among those of the same time.
    fn moment(&self) -> Moment;
    /// Appends the value of `field`, at most so many bytes as are told apart; `false` where there is none.
    fn push_text(&self, field: Self::Field, text: &mut String) -> bool;
    /// The value of `field` as a number, where it is one.
    fn number(&self, field: Self::Field) -> Option<Number>;
}

impl Joinable for Arc<Event> {
    type Field = Field;
    // An event, and about as much again for its texts.
    const HELD_BYTES: usize = 2 * size_of::<Event>();

    fn fetch(&self) -> u64 {
        let held = u64::from(self.context.process.is_some()) ^ u64::from(self.context.remote_name.is_some());
        let told = match &self.kind {
            Kind::Exec(exec) => u64::from(exec.path.is_empty()),
            Kind::File(file) => u64::from(file.path.is_empty()),
            Kind::Connection(connection) => connection.cookie,
            _ => 0,
        };
        self.boot.0 ^ held ^ u64::from(self.facts.is_empty()) ^ told
    }

    fn moment(&self) -> Moment {
        (self.boot, self.id)
    }

    fn push_text(&self, field: Field, text: &mut String) -> bool {
        if field == Field::ContainerId {
            // The most frequent of all, and the longest: written without a text of its own.
            return self.container_id().is_some_and(|id| {
                push_hexadecimal(&id.0, text);
                true
            });
        }
        let before = text.len();
        let written = match field.of(self) {
            Value::Absent => Ok(()),
            Value::Str(value) => {
                push_cut(value, text);
                Ok(())
            }
            Value::Owned(value) => {
                push_cut(&value, text);
                Ok(())
            }
            Value::Int(number) => write!(text, "{number}"),
            Value::Bool(flag) => write!(text, "{flag}"),
            Value::Ip(std::net::IpAddr::V4(ip)) => {
                push_decimal(ip.octets(), text);
                Ok(())
            }
            Value::Ip(ip) => write!(text, "{ip}"),
            Value::List(items) => {
                push_cut(&items.join(","), text);
                Ok(())
            }
        };
        written.is_ok() && text.len() > before
    }

    fn number(&self, field: Field) -> Option<Number> {
        match field.of(self) {
            Value::Int(number) => Some(Number::Integer(number)),
            Value::Str(text) => number(text),
            Value::Owned(text) => number(&text),
            _ => None,
        }
    }
}

/// Appends `value`, cut to what is told apart.
pub(crate) fn push_cut(value: &str, text: &mut String) {
    text.push_str(crate::cut::cut(value, VALUE_LIMIT_BYTES));
}

/// Reads a text that is a number; `inf` and `nan` are words.
pub(crate) fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    match text.parse() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => text.parse::<f64>().ok().filter(|real| real.is_finite()).map(Number::Float),
    }
}

/// Each octet as a point and three digits.
static PADDED: [[u8; 4]; 256] = {
    let mut all = [[b'.'; 4]; 256];
    let mut octet: u8 = 0;
    loop {
        all[octet as usize] = [b'.', b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
        if octet == u8::MAX {
            break all;
        }
        octet += 1;
    }
};

/// Each octet without zeros before it.
static OCTETS: [&str; 256] = {
    let mut all = [""; 256];
    let mut octet: u8 = 0;
    loop {
        let zeros = (octet < 100) as usize + (octet < 10) as usize;
        let (_, digits) = PADDED[octet as usize].split_at(1 + zeros);
        all[octet as usize] = match std::str::from_utf8(digits) {
            Ok(digits) => digits,
            Err(_) => break all,
        };
        if octet == u8::MAX {
            break all;
        }
        octet += 1;
    }
};

/// Appends an IPv4 address; the general formatting takes several times as long.
fn push_decimal(octets: [u8; 4], text: &mut String) {
    text.reserve("255.255.255.255".len());
    for (place, octet) in octets.into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        text.push_str(OCTETS.get(usize::from(octet)).copied().unwrap_or_default());
    }
}

fn push_hexadecimal(bytes: &[u8], text: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.reserve(2 * bytes.len());
    for byte in bytes {
        let digits = [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)));
        text.extend(digits.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_everyone_writes_it() {
        for octets in
            [[0, 0, 0, 0], [1, 20, 3, 255], [10, 0, 100, 9], [255, 255, 255, 255], [99, 101, 200, 7]]
        {
            let mut text = String::from("x");
            push_decimal(octets, &mut text);
            assert_eq!(text, format!("x{}", std::net::Ipv4Addr::from(octets)));
        }
    }
}
