//! Threat intelligence: lists of what is known to be bad, and the question whether something is on one.
//!
//! In: the lines or the JSON of lists ([`Builder`]). Out: a [`Set`], which answers for addresses, names, URLs, digests of
//! files and images. Nothing is ever resolved or fetched: a name is a text.
//!
//! | form | read by |
//! |---|---|
//! | text, one indicator a line; hosts files; maltrail; CSV | `lines` |
//! | STIX 2.1 bundles of indicators | `stix` |
//! | MISP events | `misp` |
//!
//! An indicator is kept as a hash of 56 bits beside the number of its list: eight bytes each, in order, so that a question
//! costs a few looks at one place. Something that is not listed is taken for one that is in one of 10^10 cases with five
//! million indicators, since the hashes have no secret and need none: nobody gains by being taken for listed. The other way
//! it never errs. What `lists` cannot say is counted and named, with line and reason, as far as the first [`EXAMPLES`].
//!
//! Left out on purpose: confidence, validity and context of indicators, and lists of what is harmless.

mod indicator;
mod json;
mod lines;
mod misp;
mod stix;
#[cfg(test)]
mod tests;

pub use indicator::{Indicator, Kind, NotUnderstood, indicator};
pub use lines::LONGEST_LINE_BYTES;

use compact_str::{CompactString, ToCompactString, format_compact};
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

/// Indicators of all lists: 64 MB.
pub const MOST_INDICATORS: usize = 8_000_000;
/// Lists of one set.
pub const MOST_LISTS: usize = 255;
/// Places of a list that are named where it was not understood.
pub const EXAMPLES: usize = 5;
/// Bits of an entry that number its list.
const LIST_BITS: u32 = 8;
/// Bits of a hash by which its place is found.
const INDEX_BITS: u32 = 16;

/// What came of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Name of the list.
    pub name: String,
    /// Indicators that were taken.
    pub indicators: u64,
    /// Lines, attributes or patterns that were not understood, or found no room.
    pub not_understood: u64,
    /// The first of them: line, or number of the object from 1, and why.
    pub examples: Vec<(u64, NotUnderstood)>,
}

impl Report {
    fn refuse(&mut self, place: u64, why: NotUnderstood) {
        self.not_understood += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push((place, why));
        }
    }
}

/// Reads lists into a set.
#[derive(Debug, Default)]
pub struct Builder {
    entries: Vec<u64>,
    /// One for each list, in the order of their beginning.
    reports: Vec<Report>,
    /// How the lines of the latest list are divided.
    columns: lines::Columns,
    networks_v4: u64,
    networks_v6: u128,
}

impl Builder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a list, to which all belongs that follows. False where there are too many.
    pub fn begin(&mut self, name: &str) -> bool {
        if self.reports.len() >= MOST_LISTS {
            return false;
        }
        self.reports.push(Report { name: name.to_owned(), ..Report::default() });
        self.columns = lines::Columns::default();
        true
    }

    /// Adds an indicator of the latest list, which stands at a place.
    pub fn add(&mut self, place: u64, indicator: &Indicator) {
        let Some(number) = self.reports.len().checked_sub(1) else { return };
        let Some(report) = self.reports.last_mut() else { return };
        if self.entries.len() >= MOST_INDICATORS {
            report.refuse(place, NotUnderstood::NoRoom);
            return;
        }
        report.indicators += 1;
        if let Indicator::Network(network, bits) = indicator {
            match network {
                IpAddr::V4(_) => self.networks_v4 |= 1 << bits,
                IpAddr::V6(_) => self.networks_v6 |= 1_u128.checked_shl((*bits).into()).unwrap_or_default(),
            }
        }
        let number = u64::try_from(number).unwrap_or_default();
        self.entries.push(indicator.key() << LIST_BITS | number);
    }

    fn take(&mut self, place: u64, text: &str, read: Result<Indicator, NotUnderstood>) {
        match read {
            Ok(indicator) => self.add(place, &indicator),
            Err(why) if !text.is_empty() => self.refuse(place, why),
            Err(_) => {}
        }
    }

    fn refuse(&mut self, place: u64, why: NotUnderstood) {
        if let Some(report) = self.reports.last_mut() {
            report.refuse(place, why);
        }
    }

    /// The set, and what came of each list, in their order. What stands on several lists is the first one's.
    pub fn finish(mut self) -> (Set, Vec<Report>) {
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|entry| *entry >> LIST_BITS);
        self.entries.shrink_to_fit();
        let mut index = Vec::with_capacity((1 << INDEX_BITS) + 1);
        let mut at = 0;
        for prefix in 0..=1_u64 << INDEX_BITS {
            while self.entries.get(at).is_some_and(|entry| entry >> (u64::BITS - INDEX_BITS) < prefix) {
                at += 1;
            }
            index.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let lists = self.reports.iter().map(|report| report.name.as_str().into()).collect();
        let lengths = |bits: u128, most: u8| (0..=most).rev().filter(|n| bits >> n & 1 == 1).collect();
        let set = Set {
            lengths_v4: lengths(self.networks_v4.into(), 32),
            lengths_v6: lengths(self.networks_v6, 127),
            entries: self.entries,
            index,
            lists,
        };
        (set, self.reports)
    }
}

/// What is on lists.
#[derive(Debug, Default)]
pub struct Set {
    /// Hashes above the numbers of their lists, in order.
    entries: Vec<u64>,
    /// By the first bits of a hash: where the entries begin.
    index: Vec<u32>,
    lists: Vec<CompactString>,
    /// Lengths of the prefixes of networks that there are, the longest first.
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

/// Something that is on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Name of the list.
    pub list: &'a str,
    /// Kind of the indicator.
    pub kind: Kind,
    /// The indicator as it was looked up.
    pub indicator: CompactString,
}

impl Set {
    /// How many indicators there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u64>() + self.index.capacity() * size_of::<u32>()
    }

    /// The address by itself or with a port, or a network that it is in.
    pub fn address(&self, ip: IpAddr, port: u16) -> Option<Listed<'_>> {
        let ip = ip.to_canonical();
        let lengths = if ip.is_ipv4() { &self.lengths_v4 } else { &self.lengths_v6 };
        self.ask(Kind::Address, &Indicator::Address(ip, None))
            .or_else(|| self.ask(Kind::Address, &Indicator::Address(ip, Some(port))))
            .or_else(|| {
                lengths.iter().find_map(|bits| self.ask(Kind::Network, &Indicator::network(ip, *bits)))
            })
    }

    /// The name, or one above it: a domain covers what is below.
    pub fn name(&self, name: &str) -> Option<Listed<'_>> {
        let name = CompactString::from(name.trim_end_matches('.')).to_ascii_lowercase();
        let mut rest = name.as_str();
        // The last label alone is no indicator.
        while rest.contains('.') {
            let key = indicator::key(Kind::Name, rest);
            if let Some(list) = self.find(key) {
                return Some(Listed { list, kind: Kind::Name, indicator: rest.into() });
            }
            rest = rest.split_once('.').map_or("", |(_, above)| above);
        }
        None
    }

    /// The URL of a request, with its query or without.
    pub fn url(&self, host: &str, target: &str) -> Option<Listed<'_>> {
        let url = indicator::url(host, target);
        let path = url.split_once('?').map(|(path, _)| CompactString::from(path));
        let ask = |url: CompactString| self.ask(Kind::Url, &Indicator::Url(url));
        path.and_then(ask).or_else(|| ask(url))
    }

    /// A SHA-256 in hexadecimal digits, of a file or an image, with or without `sha256:`.
    pub fn digest(&self, digits: &str) -> Option<Listed<'_>> {
        self.ask(Kind::Sha256, &indicator::digest(digits)?)
    }

    /// A reference of an image: with its tag, without it, and by its digest.
    pub fn image(&self, reference: &str) -> Option<Listed<'_>> {
        let (name, tagged) = indicator::image(reference)?;
        let ask = |text: CompactString| self.ask(Kind::Image, &Indicator::Image(text));
        let digest = reference.split_once('@').and_then(|(_, digest)| self.digest(digest));
        digest.or_else(|| ask(tagged)).or_else(|| ask(name))
    }

    fn ask(&self, kind: Kind, indicator: &Indicator) -> Option<Listed<'_>> {
        let list = self.find(indicator.key())?;
        Some(Listed { list, kind, indicator: indicator.to_compact_string() })
    }

    fn find(&self, key: u64) -> Option<&str> {
        let prefix = usize::try_from(key >> (u64::BITS - LIST_BITS - INDEX_BITS)).ok()?;
        let [from, to] =
            [self.index.get(prefix)?, self.index.get(prefix + 1)?].map(|at| usize::try_from(*at));
        let part = self.entries.get(from.ok()?..to.ok()?)?;
        let place = part.partition_point(|entry| entry >> LIST_BITS < key);
        let entry = part.get(place).filter(|entry| *entry >> LIST_BITS == key)?;
        let number = entry & ((1 << LIST_BITS) - 1);
        self.lists.get(usize::try_from(number).ok()?).map(CompactString::as_str)
    }
}

/// 56 bits of a hash that is the same on every run.
fn hash56(thing: &impl Hash) -> u64 {
    foldhash::quality::FixedState::with_seed(1).hash_one(thing) >> LIST_BITS
}

/// The lists as people read of them: `list, line 3: why`.
impl std::fmt::Display for Report {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {} indicators", self.name, self.indicators)?;
        if self.not_understood > 0 {
            write!(to, ", {} not understood", self.not_understood)?;
        }
        for (place, why) in &self.examples {
            to.write_str(&format_compact!("; {place}: {why}"))?;
        }
        Ok(())
    }
}
