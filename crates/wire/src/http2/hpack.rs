//! Field blocks, RFC 7541: fields by their place in two tables, or in full.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::{Error, MAX_FIELDS, MAX_TABLE_BYTES, huffman};
use crate::bytes::Reader;

/// RFC 7541 §4.1: what an entry costs beside its text.
const ENTRY_BYTES: usize = 32;
/// RFC 9113 §6.5.2: the size of the table until something else is said.
const INITIAL_TABLE_BYTES: usize = 4096;

/// RFC 7541 appendix A.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

/// Name and value.
type Entry = (Box<[u8]>, Box<[u8]>);
/// The same as a block has them in full.
type Literal<'b> = (Cow<'b, [u8]>, Cow<'b, [u8]>);

/// The table of one direction of a connection.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    /// Newest first.
    entries: VecDeque<Entry>,
    size_bytes: usize,
    limit_bytes: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size_bytes: 0, limit_bytes: INITIAL_TABLE_BYTES }
    }
}

impl Decoder {
    /// Reads one whole block and gives its fields. After an error the table is not the peer's any more: blocks that
    /// follow cannot be read.
    pub(super) fn block(&mut self, block: &[u8], found: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Error> {
        let mut reader = Reader::new(block);
        let mut fields = 0;
        while let Some(first) = reader.u8() {
            fields += 1;
            if fields > MAX_FIELDS {
                return Err(Error::Fields);
            }
            // RFC 7541 §6: the first bits tell which of four forms follows.
            match first {
                0x80.. => {
                    let (name, value) = self.field(integer(first, 7, &mut reader)?)?;
                    found(name, value);
                }
                0x40..=0x7f => {
                    let (name, value) = self.literal(first, 6, &mut reader)?;
                    found(&name, &value);
                    let (name, value) = (name.into(), value.into());
                    self.insert((name, value));
                }
                0x20..=0x3f => self.resize(integer(first, 5, &mut reader)?)?,
                _ => {
                    let (name, value) = self.literal(first, 4, &mut reader)?;
                    found(&name, &value);
                }
            }
        }
        Ok(())
    }

    /// Bytes as the RFC counts them.
    #[cfg(test)]
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    fn literal<'b>(
        &self,
        first: u8,
        prefix_bits: u32,
        reader: &mut Reader<'b>,
    ) -> Result<Literal<'b>, Error> {
        let name = match integer(first, prefix_bits, reader)? {
            0 => string(reader)?,
            index => Cow::Owned(self.field(index)?.0.to_vec()),
        };
        Ok((name, string(reader)?))
    }

    /// RFC 7541 §2.3.3: the fixed table first, then the own one, from 1 on.
    fn field(&self, index: u32) -> Result<(&[u8], &[u8]), Error> {
        let at =
            usize::try_from(index).ok().and_then(|index| index.checked_sub(1)).ok_or(Error::Index(index))?;
        if let Some((name, value)) = STATIC.get(at) {
            return Ok((name.as_bytes(), value.as_bytes()));
        }
        let (name, value) = self.entries.get(at - STATIC.len()).ok_or(Error::Index(index))?;
        Ok((name, value))
    }

    fn insert(&mut self, entry: Entry) {
        let bytes = cost(&entry);
        self.shrink(self.limit_bytes.saturating_sub(bytes));
        // RFC 7541 §4.4: what does not fit at all empties the table.
        if bytes <= self.limit_bytes {
            self.size_bytes += bytes;
            self.entries.push_front(entry);
        }
    }

    fn resize(&mut self, bytes: u32) -> Result<(), Error> {
        let limit = usize::try_from(bytes).unwrap_or(usize::MAX);
        if limit > MAX_TABLE_BYTES {
            return Err(Error::Table(bytes));
        }
        self.limit_bytes = limit;
        self.shrink(limit);
        Ok(())
    }

    /// Lets the oldest entries go until at most `bytes` are left.
    fn shrink(&mut self, bytes: usize) {
        while self.size_bytes > bytes {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size_bytes = self.size_bytes.saturating_sub(cost(&oldest));
        }
    }
}

fn cost((name, value): &Entry) -> usize {
    name.len() + value.len() + ENTRY_BYTES
}

/// RFC 7541 §5.1. Five bytes hold every number that anything here could be.
pub(super) fn integer(first: u8, prefix_bits: u32, reader: &mut Reader<'_>) -> Result<u32, Error> {
    let most = (1_u32 << prefix_bits) - 1;
    let mut value = u32::from(first) & most;
    if value < most {
        return Ok(value);
    }
    for shift in [0, 7, 14, 21] {
        let byte = reader.u8().ok_or(Error::Cut)?;
        value += u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Error::Integer)
}

/// RFC 7541 §5.2.
fn string<'b>(reader: &mut Reader<'b>) -> Result<Cow<'b, [u8]>, Error> {
    let first = reader.u8().ok_or(Error::Cut)?;
    let len_bytes = integer(first, 7, reader)?;
    let len_bytes = usize::try_from(len_bytes).unwrap_or(usize::MAX);
    let bytes = reader.take(len_bytes).ok_or(Error::Cut)?;
    if first & 0x80 == 0 { Ok(Cow::Borrowed(bytes)) } else { huffman::decode(bytes).map(Cow::Owned) }
}
