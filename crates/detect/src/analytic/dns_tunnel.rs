//! DNS tunnels: how much one client says to one registered domain through the names that it asks for.
//!
//! In: the queries and answers of one workload for one registered domain, with their times. Out: [`Traffic`]: the bytes
//! of distinct names below the domain over a minute, an hour and a day, and what kind of traffic it is. Whatever a
//! tunnel's encoding, what it sends must be in names that were not asked before, so these bytes are what it can carry.
//!
//! | figure | formula |
//! |---|---|
//! | unique bytes | sum of the lengths of distinct names below the domain, exact up to 32 names in half a window, then estimated (`distinct`) |
//! | entropy | of the bytes of distinct names, in bits a byte, over about the last 4,096 |
//! | shares | NXDOMAIN among answers, types that carry much among queries, over about the last 1,024 |
//!
//! What [`subject`] leaves out: reverse zones, names below suffixes that are not registered (search paths such as
//! `svc.cluster.local`), and single labels. Names of other domains below a search path of the owner's own
//! (`www.example.com.corp.example.net`) that do not exist count apart, in [`Traffic::expanded_bytes`]: a tunnel whose
//! names end like that and are answered with NXDOMAIN alone is seen there.
//!
//! One domain costs at most 5 kB, a domain of which three names were asked about 1 kB.
//! Source: Paxson and others 2013 (unique information per domain), Ozery and others 2024 (heavy hitters of it).

use super::distinct::{Distinct, Item};
use super::registered_domain::{Registered, is_local, registered};
use compact_str::CompactString;

/// A minute, an hour and a day.
const WINDOWS_NS: [u64; 3] = [60_000_000_000, 3_600_000_000_000, 86_400_000_000_000];
/// Bytes of names after which the histogram is halved.
const LETTERS: u32 = 4_096;
/// Queries after which the counts are halved.
const QUERIES: u32 = 1_024;
/// Types whose answers carry much: NULL, TXT, KEY, and those that nobody has assigned (RFC 6895 §3.1).
const CARRIERS: [u16; 3] = [10, 16, 25];
const UNASSIGNED: u16 = 65_280;
/// The code of an answer that the name does not exist: RFC 1035 §4.1.1.
pub(super) const NXDOMAIN: u8 = 3;

/// What counts towards a tunnel in a name: none for what cannot be one.
pub fn subject(name: &str) -> Option<Registered<'_>> {
    registered(name).filter(|parts| !is_local(parts.suffix) && !parts.below.is_empty())
}

/// The traffic of one workload with one registered domain.
#[derive(Clone, Debug)]
pub struct DnsTunnel {
    windows: [Distinct; 3],
    expanded: Distinct,
    queries: u32,
    carriers: u32,
    answers: u32,
    missing: u32,
    answer_bytes: u64,
    letters: [u16; 64],
}

/// A query.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// What is asked for below the registered domain, as [`subject`] gives it.
    pub below: &'a str,
    /// The type by its number.
    pub rtype: u16,
}

impl<'a> Query<'a> {
    /// A query for `below` of the type with this name; of those that carry little the numbers are not told apart.
    pub fn new(below: &'a str, record_type: &str) -> Self {
        // RFC 1035 §3.2.2, RFC 3597 §5.
        let rtype = match record_type {
            "NULL" => 10,
            "TXT" => 16,
            "KEY" => 25,
            _ => record_type.strip_prefix("TYPE").and_then(|number| number.parse().ok()).unwrap_or(1),
        };
        Self { below, rtype }
    }
}

/// What was said of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Bytes of distinct names over a minute, an hour and a day.
    pub unique_bytes: [f64; 3],
    /// Distinct names over the same.
    pub unique_names: [f64; 3],
    /// Bytes of distinct names of other domains that were looked for below this one in vain, over a day.
    pub expanded_bytes: f64,
    /// The share of queries with a type that carries much: TXT, NULL, KEY, private ones.
    pub carrier_share: f64,
    /// The share of answers that say that the name does not exist.
    pub missing_share: f64,
    /// Mean bytes of data in an answer.
    pub answer_bytes: f64,
    /// Bits in a byte of distinct names: text about 4, base32 5, 0 for one letter over and over.
    pub entropy: f64,
}

impl Default for DnsTunnel {
    fn default() -> Self {
        let [minute, hour, day] = WINDOWS_NS.map(Distinct::new);
        Self {
            windows: [minute, hour, day],
            expanded: Distinct::new(WINDOWS_NS[2]),
            queries: 0,
            carriers: 0,
            answers: 0,
            missing: 0,
            answer_bytes: 0,
            letters: [0; 64],
        }
    }
}

impl DnsTunnel {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a query.
    pub fn query(&mut self, at_ns: u64, query: Query<'_>) {
        if self.queries >= QUERIES {
            (self.queries, self.carriers) = (self.queries / 2, self.carriers / 2);
        }
        self.queries += 1;
        self.carriers += u32::from(CARRIERS.contains(&query.rtype) || query.rtype >= UNASSIGNED);
        let name = Item::of_text(query.below, wire_bytes(query.below));
        let mut is_new = false;
        for window in &mut self.windows {
            is_new = window.add(at_ns, name);
        }
        if is_new {
            self.count_letters(query.below);
        }
    }

    /// Adds an answer to a query for `below`: whether the name does not exist, and the bytes of its data.
    pub fn answer(&mut self, at_ns: u64, below: &str, outcome: Outcome) {
        if self.answers >= QUERIES {
            (self.answers, self.missing, self.answer_bytes) =
                (self.answers / 2, self.missing / 2, self.answer_bytes / 2);
        }
        self.answers += 1;
        match outcome {
            Outcome::Missing => {
                self.missing += 1;
                if is_foreign(below) {
                    let name = Item::of_text(below, wire_bytes(below));
                    self.expanded.add(at_ns, name);
                    self.windows.iter_mut().for_each(|window| window.forget(name));
                }
            }
            Outcome::Data(bytes) => self.answer_bytes += u64::from(bytes),
        }
    }

    /// The largest of the [`Traffic::unique_bytes`], without the rest: what is asked after every query.
    pub fn most_unique_bytes(&self, at_ns: u64) -> f64 {
        self.windows.iter().map(|window| window.estimate(at_ns)[1]).fold(0.0, f64::max)
    }

    /// What was said until `at_ns`.
    pub fn traffic(&self, at_ns: u64) -> Traffic {
        let of = self.windows.each_ref().map(|window| window.estimate(at_ns));
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        Traffic {
            unique_bytes: of.map(|[_, bytes]| bytes),
            unique_names: of.map(|[names, _]| names),
            expanded_bytes: self.expanded.estimate(at_ns)[1],
            carrier_share: share(self.carriers, self.queries),
            missing_share: share(self.missing, self.answers),
            answer_bytes: self.answer_bytes as f64 / f64::from(self.answers.max(1)),
            entropy: self.entropy(),
        }
    }

    /// Bytes that this state holds.
    pub fn size_bytes(&self) -> usize {
        let windows = self.windows.iter().chain([&self.expanded]);
        size_of::<Self>() + windows.map(Distinct::heap_bytes).sum::<usize>()
    }

    fn count_letters(&mut self, below: &str) {
        for byte in below.bytes().filter(|byte| *byte != b'.') {
            if let Some(count) = self.letters.get_mut(letter(byte)) {
                *count = count.saturating_add(1);
            }
        }
        if self.letters.iter().map(|count| u32::from(*count)).sum::<u32>() > LETTERS {
            self.letters.iter_mut().for_each(|count| *count /= 2);
        }
    }

    fn entropy(&self) -> f64 {
        let total = self.letters.iter().map(|count| f64::from(*count)).sum::<f64>().max(1.0);
        let shares = self.letters.iter().map(|count| f64::from(*count) / total).filter(|share| *share > 0.0);
        shares.map(|share| -share * share.log2()).sum()
    }
}

/// How a query ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// NXDOMAIN.
    Missing,
    /// Anything else, with the bytes of its records' data.
    Data(u32),
}

impl Outcome {
    /// Of an answer with this code and these records' data as text, about as long as on the wire.
    pub fn of(rcode: u8, answers: &[CompactString]) -> Self {
        if rcode == NXDOMAIN {
            return Self::Missing;
        }
        let bytes: usize = answers.iter().map(CompactString::len).sum();
        Self::Data(u32::try_from(bytes).unwrap_or(u32::MAX))
    }
}

/// A place for each letter without case, each digit and the two signs of names; the rest share what is left.
fn letter(byte: u8) -> usize {
    usize::from(match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => letter - b'a',
        digit @ b'0'..=b'9' => 26 + (digit - b'0'),
        b'-' => 36,
        b'_' => 37,
        other => 38 + other % 26,
    })
}

/// Whether what is below a domain is itself the name of another, which a resolver appended its search path to.
fn is_foreign(below: &str) -> bool {
    const COMMON: [&str; 12] =
        ["com", "net", "org", "io", "dev", "edu", "gov", "info", "biz", "local", "cloud", "app"];
    let suffix = below.rsplit('.').next().unwrap_or_default();
    below.contains('.') && COMMON.iter().any(|common| common.eq_ignore_ascii_case(suffix))
}

/// Bytes of the labels without their dots, an escape `\ddd` being one.
fn wire_bytes(text: &str) -> usize {
    let escapes =
        text.as_bytes().windows(2).filter(|pair| matches!(pair, [b'\\', digit] if digit.is_ascii_digit()));
    text.len().saturating_sub(3 * escapes.count() + text.matches('.').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn asked(count: u64, bytes: usize, every_ns: u64) -> DnsTunnel {
        let mut tunnel = DnsTunnel::new();
        for number in 0..count {
            let below = format!("{number:0bytes$x}");
            tunnel.query(number * every_ns, Query { below: &below, rtype: 16 });
        }
        tunnel
    }

    #[test]
    fn few_names_count_exactly_and_once() {
        let mut tunnel = asked(20, 30, SECOND);
        for number in 0..20 {
            tunnel.query(20 * SECOND, Query { below: &format!("{number:030X}"), rtype: 1 });
        }
        let traffic = tunnel.traffic(20 * SECOND);
        assert_eq!(traffic.unique_names, [20.0; 3]);
        assert_eq!(traffic.unique_bytes, [600.0; 3]);
        assert_eq!(traffic.carrier_share, 0.5);
    }

    #[test]
    fn many_names_are_estimated() {
        let traffic = asked(10_000, 40, SECOND / 1_000).traffic(10 * SECOND);
        for window in 0..3 {
            assert!((300_000.0..520_000.0).contains(&traffic.unique_bytes[window]), "{traffic:?}");
        }
    }

    #[test]
    fn windows_forget() {
        let tunnel = asked(20, 30, SECOND);
        assert_eq!(tunnel.traffic(90 * SECOND).unique_bytes, [0.0, 600.0, 600.0]);
        assert_eq!(tunnel.traffic(7_300 * SECOND).unique_bytes, [0.0, 0.0, 600.0]);
        assert_eq!(tunnel.traffic(u64::MAX).unique_bytes, [0.0; 3]);
    }

    #[test]
    fn search_paths_and_reverse_zones_do_not_count() {
        for name in [
            "api.default.svc.cluster.local",
            "4.3.2.1.in-addr.arpa",
            "example.com",
            "printer.lan",
            "localhost",
        ] {
            assert_eq!(subject(name), None, "{name}");
        }
        assert_eq!(subject("abc.t.example.com").map(|parts| parts.below), Some("abc.t"));
        let mut tunnel = DnsTunnel::new();
        for number in 0..10 {
            let below = format!("www.site{number}.com");
            tunnel.query(0, Query { below: &below, rtype: 1 });
            tunnel.answer(0, &below, Outcome::Missing);
        }
        let traffic = tunnel.traffic(0);
        assert_eq!((traffic.unique_bytes, traffic.expanded_bytes), ([0.0; 3], 110.0));
    }

    #[test]
    fn state_is_bounded() {
        let tunnel = asked(100_000, 60, SECOND);
        assert!(tunnel.size_bytes() < 5_000, "{}", tunnel.size_bytes());
    }

    #[test]
    fn types_and_codes_are_known_by_name_and_number() {
        let number = |name| Query::new("x", name).rtype;
        assert_eq!(["NULL", "TXT", "KEY", "TYPE65399", "AAAA"].map(number), [10, 16, 25, 65_399, 1]);
        let answers = ["198.51.100.9".into(), "x.example.com".into()];
        assert_eq!(Outcome::of(0, &answers), Outcome::Data(25));
        assert_eq!(Outcome::of(NXDOMAIN, &answers), Outcome::Missing);
    }

    #[test]
    fn escapes_are_one_byte() {
        assert_eq!(wire_bytes("a\\200b.c"), 4);
    }
}
