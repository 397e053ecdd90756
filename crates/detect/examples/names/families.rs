//! Families of programs that draw names, written from what analysts say of them: alphabet, lengths, structure, suffixes.
//!
//! What matters to a model of n-grams is the distribution of the names, not the day's names, so where a family seeds a
//! generator with the date, a seed of our own takes its place. Sources: the public analyses of each family (Johannes
//! Bader's articles, the reports of Fraunhofer's DGArchive, Netlab, Symantec, Kaspersky); no code of theirs is used.

use super::random::Random;

/// How the label is made.
#[derive(Clone, Copy)]
pub enum Shape {
    /// So many characters of an alphabet, evenly.
    Letters(&'static str, usize, usize),
    /// Consonant and vowel by turns, either first.
    Syllables(usize, usize),
    /// Consonants and vowels by turns, now and then doubled or swapped.
    Spoken(usize, usize),
    /// Hexadecimal digits of a hash.
    Hex(usize, usize),
    /// So many words one after another, at least so many characters.
    Words(usize, usize, usize),
    /// Two words with a hyphen or without.
    Pair,
    /// A fixed stem of words whose first letters are drawn.
    Changed,
    /// Hyphens between made-up words with Latin ends.
    Latin,
}

/// A family.
pub struct Family {
    pub name: &'static str,
    pub shape: Shape,
    pub suffixes: &'static [&'static str],
}

const AZ: &str = "abcdefghijklmnopqrstuvwxyz";
const AY: &str = "abcdefghijklmnopqrstuvwxy";
const ALL: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const COMMON: &[&str] = &["com", "net", "org", "info", "biz"];
const RUSSIAN: &[&str] = &["ru", "com", "net", "org", "biz", "info", "co.uk"];
const MANY: &[&str] = &[
    "com", "net", "org", "info", "biz", "ru", "cc", "ws", "cn", "tv", "me", "su", "tw", "pw", "eu", "in",
    "name", "top", "xyz", "click", "work", "pro", "de", "nu", "to", "im", "bit", "mx", "kr", "ga", "la",
    "sh", "ug", "mn", "co", "nf", "sx", "so", "jp", "ir", "ki", "ac", "tj", "us", "mobi", "cm", "cx", "ms",
    "sc", "space", "website", "online", "site", "club", "tk", "ml", "cf", "gq", "pl", "be", "fr", "it", "nl",
    "uk", "ch", "at", "es", "host", "tech", "support",
];
const DYNAMIC: &[&str] =
    &["dyndns.org", "mooo.com", "yi.org", "dynserv.com", "ddns.net", "com", "net", "cc", "tv"];

/// Each family, in an order that halves split evenly by kind. Those of `any` are nobody's: what a drawn name may be.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    Family { name: "conficker", shape: Shape::Letters(AZ, 4, 11), suffixes: MANY },
    Family { name: "cryptolocker", shape: Shape::Letters(AY, 12, 15), suffixes: RUSSIAN },
    Family { name: "ramdo", shape: Shape::Letters("acegikmoqsuwy", 16, 16), suffixes: &["org"] },
    Family { name: "simda", shape: Shape::Syllables(5, 11), suffixes: &["com", "net", "org", "info", "eu", "su"] },
    Family { name: "kraken", shape: Shape::Letters(AZ, 6, 12), suffixes: DYNAMIC },
    Family { name: "necurs", shape: Shape::Letters(AY, 7, 21), suffixes: MANY },
    Family { name: "qadars", shape: Shape::Letters(ALL, 12, 12), suffixes: &["com", "org", "net", "top"] },
    Family { name: "ranbyus", shape: Shape::Letters(AY, 14, 17), suffixes: &["in", "me", "cc", "su", "tw", "net", "com", "pw", "org"] },
    Family { name: "newgoz", shape: Shape::Letters(ALL, 20, 28), suffixes: COMMON },
    Family { name: "corebot", shape: Shape::Letters("abcdefghijklmnopqrstuvwxy012345678", 12, 23), suffixes: &["ddns.net"] },
    Family { name: "pitou", shape: Shape::Spoken(8, 11), suffixes: &["com", "info", "biz", "org", "net", "mobi", "us", "name", "me"] },
    Family { name: "emotet", shape: Shape::Letters(AY, 16, 16), suffixes: &["eu"] },
    Family { name: "tempedreve", shape: Shape::Letters(AZ, 7, 11), suffixes: &["com", "net", "org", "info"] },
    Family { name: "bazarbackdoor", shape: Shape::Letters("abcdefghijkl", 12, 12), suffixes: &["bazar"] },
    Family { name: "qsnatch", shape: Shape::Letters(ALL, 3, 10), suffixes: MANY },
    Family { name: "tufik", shape: Shape::Letters(AZ, 12, 20), suffixes: COMMON },
    Family { name: "monerodownloader", shape: Shape::Hex(13, 13), suffixes: &["org", "tickets", "blackfriday", "hosting", "feedback"] },
    Family { name: "locky", shape: Shape::Letters(AY, 5, 17), suffixes: MANY },
    Family { name: "murofet", shape: Shape::Letters(AZ, 8, 16), suffixes: RUSSIAN },
    Family { name: "murofet3", shape: Shape::Letters(ALL, 32, 47), suffixes: RUSSIAN },
    Family { name: "ramnit", shape: Shape::Letters(AY, 8, 19), suffixes: &["com", "eu", "bid", "click"] },
    Family { name: "tinba", shape: Shape::Letters(AY, 12, 12), suffixes: &["com", "net", "in", "ru", "pw"] },
    Family { name: "virut", shape: Shape::Letters(AZ, 6, 6), suffixes: &["com"] },
    Family { name: "dircrypt", shape: Shape::Letters(AZ, 8, 20), suffixes: &["com"] },
    Family { name: "fobber", shape: Shape::Letters(AZ, 10, 17), suffixes: &["net", "com"] },
    Family { name: "padcrypt", shape: Shape::Letters("abcdnfolmk", 16, 24), suffixes: &["com", "co.uk", "de", "org", "net", "eu", "info", "online"] },
    Family { name: "proslikefan", shape: Shape::Letters(AZ, 6, 12), suffixes: &["eu", "biz", "se", "info", "com", "net", "org", "ru", "in", "name"] },
    Family { name: "pykspa", shape: Shape::Spoken(6, 13), suffixes: &["biz", "cc", "com", "info", "net", "org"] },
    Family { name: "shiotob", shape: Shape::Letters("abcdefghijklmnopqrstuvwxyz123456789", 10, 15), suffixes: &["net", "com"] },
    Family { name: "symmi", shape: Shape::Spoken(8, 15), suffixes: &["ddns.net"] },
    Family { name: "bedep", shape: Shape::Letters(ALL, 12, 18), suffixes: &["com"] },
    Family { name: "dyre", shape: Shape::Hex(34, 34), suffixes: &["cc", "ws", "to", "in", "hk", "cn", "tk", "so"] },
    Family { name: "gameover", shape: Shape::Letters(AZ, 11, 32), suffixes: RUSSIAN },
    Family { name: "chinad", shape: Shape::Letters(ALL, 16, 16), suffixes: &["com", "org", "net", "biz", "info", "ru", "cn"] },
    Family { name: "mydoom", shape: Shape::Letters("aehmnpqrsw", 10, 10), suffixes: &["com", "biz", "us", "net", "org", "ws", "info", "in"] },
    Family { name: "nymaim", shape: Shape::Letters(AZ, 5, 11), suffixes: &["ru", "net", "in", "com", "xyz", "info"] },
    Family { name: "vawtrak", shape: Shape::Spoken(7, 12), suffixes: &["com", "top", "net"] },
    Family { name: "zloader", shape: Shape::Letters(AY, 20, 20), suffixes: &["com"] },
    Family { name: "mirai", shape: Shape::Letters(AZ, 12, 12), suffixes: &["online", "tech", "support"] },
    Family { name: "rovnix", shape: Shape::Letters(ALL, 18, 18), suffixes: &["ru", "com", "net", "biz", "cn"] },
    Family { name: "m0yv", shape: Shape::Letters(AZ, 5, 8), suffixes: COMMON },
    Family { name: "orchard", shape: Shape::Hex(8, 8), suffixes: &["com", "net", "org", "duckdns.org"] },
    Family { name: "banjori", shape: Shape::Changed, suffixes: &["com"] },
    Family { name: "suppobox", shape: Shape::Words(2, 2, 0), suffixes: &["net", "ru"] },
    Family { name: "matsnu", shape: Shape::Words(4, 6, 24), suffixes: &["com"] },
    Family { name: "gozi", shape: Shape::Words(2, 4, 12), suffixes: &["com", "ru"] },
    Family { name: "nymaim2", shape: Shape::Pair, suffixes: MANY },
    Family { name: "ngioweb", shape: Shape::Latin, suffixes: &["net", "com", "org", "biz", "info", "name"] },
    Family { name: "any letters", shape: Shape::Letters(AZ, 5, 24), suffixes: MANY },
    Family { name: "any characters", shape: Shape::Letters(ALL, 5, 24), suffixes: MANY },
    Family { name: "any syllables", shape: Shape::Spoken(6, 14), suffixes: MANY },
    Family { name: "any hexadecimal", shape: Shape::Hex(8, 32), suffixes: MANY },
];

impl Family {
    /// Whether it stands for a program, rather than for what a program may draw.
    pub fn is_known(&self) -> bool {
        !self.name.starts_with("any ")
    }

    /// Whether its names are made of words.
    pub fn is_words(&self) -> bool {
        matches!(self.shape, Shape::Words(..) | Shape::Pair | Shape::Changed | Shape::Latin)
    }

    /// One name: label and suffix.
    pub fn draw(&self, words: &[String], random: &mut Random) -> (String, &'static str) {
        (self.shape.draw(words, random), random.pick(self.suffixes))
    }
}

impl Shape {
    fn draw(self, words: &[String], random: &mut Random) -> String {
        let letter = |from: &str, random: &mut Random| char::from(from.as_bytes()[random.below(from.len())]);
        match self {
            Self::Letters(from, least, most) => {
                (0..random.within(least, most)).map(|_| letter(from, random)).collect()
            }
            Self::Hex(least, most) => {
                (0..random.within(least, most)).map(|_| letter("0123456789abcdef", random)).collect()
            }
            Self::Syllables(least, most) => {
                let turn = random.below(2);
                let of = |at: usize| if at % 2 == turn { "bcdfghjklmnpqrstvwxz" } else { "aeiouy" };
                (0..random.within(least, most)).map(|at| letter(of(at), random)).collect()
            }
            Self::Spoken(least, most) => {
                let (length, mut vowel) = (random.within(least, most), random.chance(0.4));
                let mut text = String::new();
                while text.len() < length {
                    text.push(letter(if vowel { "aeiouy" } else { "bcdfghjklmnpqrstvwxz" }, random));
                    vowel ^= random.chance(0.8);
                }
                text
            }
            Self::Words(least, most, shortest) => {
                let (count, mut text) = (random.within(least, most), String::new());
                for number in 0..most * 2 {
                    if number >= count && text.len() >= shortest {
                        break;
                    }
                    text.push_str(&words[random.below(words.len())]);
                }
                text.truncate(60);
                text
            }
            Self::Pair => {
                let [a, b] = [0, 1].map(|_| words[random.below(words.len())].clone());
                format!("{a}{}{b}", if random.chance(0.5) { "-" } else { "" })
            }
            Self::Changed => {
                let stem =
                    ["estnessbiophysicalohax", "rasildeafeninguvuc", "byplaywobblingly", "sagabardinedazyx"];
                let head: String = (0..4).map(|_| letter(AZ, random)).collect();
                format!("{head}{}", random.pick(&stem))
            }
            Self::Latin => latin(random),
        }
    }
}

fn latin(random: &mut Random) -> String {
    let heads = [
        "anti", "inter", "over", "post", "pre", "pro", "re", "un", "under", "mis", "dis", "sub", "non",
        "multi", "micro",
    ];
    let ends = ["ity", "ous", "able", "ation", "ful", "ive", "ment", "ness", "ing", "ian", "ize", "ism"];
    let one = |random: &mut Random| {
        let middle = Shape::Syllables(4, 7).draw(&[], random);
        format!("{}{middle}{}", random.pick(&heads), random.pick(&ends))
    };
    (0..random.within(1, 3)).map(|_| one(random)).collect::<Vec<String>>().join("-")
}
