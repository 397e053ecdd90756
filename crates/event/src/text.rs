//! Strings that came from outside, with where they came from and what was cut.

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Who vouches for a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Provenance {
    /// Read from a kernel object: the process could not choose it after the fact.
    #[default]
    Resolved,
    /// Read from the memory of a process, which can say anything and change it later.
    Claimed,
}

/// A string from outside: UTF-8, where bytes that are not UTF-8 became U+FFFD and [`Text::is_lossy`] says so.
///
/// In JSON it is a plain string where it is resolved, whole and valid; otherwise an object
/// `{"text": …, "claimed": true, "full_len": 4096, "lossy": true}` with only the members that apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Text {
    value: CompactString,
    full_len: u32,
    provenance: Provenance,
    lossy: bool,
}

impl Text {
    /// A whole string that the kernel vouches for.
    pub fn resolved(value: impl Into<CompactString>) -> Self {
        Self { value: value.into(), ..Self::default() }
    }

    /// A whole string that a process claims.
    pub fn claimed(value: impl Into<CompactString>) -> Self {
        Self { value: value.into(), provenance: Provenance::Claimed, ..Self::default() }
    }

    /// From raw bytes. What is not UTF-8 becomes U+FFFD and marks the text as lossy.
    pub fn from_bytes(bytes: &[u8], provenance: Provenance) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(valid) => Self { value: valid.into(), full_len: 0, provenance, lossy: false },
            Err(_) => {
                Self { value: CompactString::from_utf8_lossy(bytes), full_len: 0, provenance, lossy: true }
            }
        }
    }

    /// The same text, marked as cut from `full_len` bytes.
    #[must_use]
    pub fn cut_from(mut self, full_len: u32) -> Self {
        self.full_len = full_len;
        self
    }

    /// The string.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// Whether there is nothing in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Who vouches for it.
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// Length in bytes before cutting, where it was cut.
    pub fn full_len(&self) -> Option<u32> {
        (self.full_len != 0).then_some(self.full_len)
    }

    /// Whether bytes that are not UTF-8 were replaced.
    pub fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// The last component of a path.
    pub fn base_name(&self) -> &str {
        self.value.rsplit('/').next().unwrap_or(&self.value)
    }
}

/// The path without empty, `.` and `..` components, as far as text alone can tell: a path that a process claims may
/// climb out of where it seems to be.
pub fn plain_path(path: &str) -> Cow<'_, str> {
    if !path.contains("/.") && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Cow::Owned(format!("/{}", parts.join("/")))
}

impl From<&str> for Text {
    fn from(value: &str) -> Self {
        Self::resolved(value)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.value)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detailed {
    text: CompactString,
    #[serde(default, skip_serializing_if = "is_default")]
    claimed: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    full_len: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    lossy: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Plain(CompactString),
    Detailed(Detailed),
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claimed = self.provenance == Provenance::Claimed;
        if !claimed && self.full_len == 0 && !self.lossy {
            return serializer.serialize_str(&self.value);
        }
        Detailed { text: self.value.clone(), claimed, full_len: self.full_len, lossy: self.lossy }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Plain(value) => Text::resolved(value),
            Form::Detailed(d) => Text {
                value: d.text,
                full_len: d.full_len,
                provenance: if d.claimed { Provenance::Claimed } else { Provenance::Resolved },
                lossy: d.lossy,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_form_keeps_provenance_and_truncation() {
        for text in [
            Text::resolved("/bin/sh"),
            Text::claimed("sh"),
            Text::from_bytes(b"a\xffb", Provenance::Claimed).cut_from(9000),
        ] {
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text, "{json}");
        }
        assert_eq!(serde_json::to_string(&Text::resolved("/bin/sh")).unwrap(), "\"/bin/sh\"");
    }
}
