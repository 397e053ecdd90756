//! What the index finds is what asking every rule finds: over rules and events that are put together at random, from
//! one seed, with what is kept from event to event kept over all of them.

use detect::Placeholders;
use detect::plain::{JsonRules, JsonScratch};
use std::fmt::Write;
use strategy::sigma::{Item, read_str};

const FIELDS: [&str; 5] = ["Image", "CommandLine", "User", "a.b", "EventID"];
const WORDS: [&str; 26] = [
    "/bin/sh",
    "/usr/bin/Curl",
    "curl",
    "sh",
    " -e ",
    "-e",
    "-W",
    " ",
    "=",
    "^^",
    "x",
    "ab",
    "abc",
    "ABCD",
    "abcde",
    "É",
    "ñandú",
    "K",
    "42",
    "7",
    "4.0",
    "true",
    "root",
    "/tmp/",
    "C:\\Windows\\cmd.exe",
    "http://localhost:80/",
];
const EVENTS: usize = 4_000;

#[test]
fn the_index_finds_what_asking_each_rule_finds() {
    let mut random = Random(7);
    let items: Vec<Item> = (0..300).flat_map(|number| rule(number, &mut random)).collect();
    let (rules, rejected) = JsonRules::new(&items, &Placeholders::new());
    assert_eq!(rejected, []);
    let mut scratch = JsonScratch::default();
    let mut matches = 0;
    for number in 0..EVENTS {
        let event = event(&mut random);
        let (found, _) = rules.judge(event.as_bytes(), &mut scratch).expect("an event");
        matches += found.len();
        assert_eq!(found, rules.judge_each(event.as_bytes()).expect("an event"), "event {number}: {event}");
    }
    // Otherwise nothing was compared.
    assert!(matches > EVENTS, "{matches}");
}

fn rule(number: usize, random: &mut Random) -> Vec<Item> {
    let mut text = format!("title: rule {number}\nlogsource: {{category: any}}\ndetection:\n");
    for search in ["p", "q", "r"] {
        let _ = writeln!(text, "  {search}:");
        if random.below(12) == 0 {
            let _ = writeln!(text, "    - '{}'", random.pick(&WORDS));
            continue;
        }
        let first = random.below(FIELDS.len());
        for at in 0..=random.below(2) {
            let field = FIELDS[(first + at) % FIELDS.len()];
            let modifier = random.pick(&[
                "",
                "|contains",
                "|startswith",
                "|endswith",
                "|contains|cased",
                "|re|i",
                "|contains|all",
            ]);
            let values: Vec<String> = (0..=random.below(3))
                .map(|_| match (random.pick(&WORDS), modifier) {
                    (word, "|re|i") => format!("'{}+'", word.replace('\\', "\\\\").replace('^', "\\^")),
                    (word @ ("42" | "7" | "4.0" | "true"), "") => word.to_owned(),
                    (word, _) => format!("'{word}'"),
                })
                .collect();
            let _ = writeln!(text, "    {field}{modifier}: [{}]", values.join(", "));
        }
    }
    let conditions = [
        "p",
        "p or q",
        "p and q",
        "p and not q",
        "(p and q) or r",
        "p and (q or (r and not q))",
        "not p",
        "1 of them",
        "(p or q) and (r or q)",
        "all of them",
    ];
    let _ = writeln!(text, "  condition: {}", random.pick(&conditions));
    let (items, problems) = read_str(&text);
    assert_eq!(problems, [], "{text}");
    items
}

fn event(random: &mut Random) -> String {
    let mut fields = Vec::new();
    for field in FIELDS {
        let value = match random.below(12) {
            0 => continue,
            1 => "null".to_owned(),
            2 => random.pick(&["42", "7", "4", "4.0", "true", "-1e3"]).to_owned(),
            3 => format!("[{}, {}]", text(random), text(random)),
            _ => text(random),
        };
        fields.push(match field {
            "a.b" if random.below(2) == 0 => format!("\"a\": {{\"c\": 1, \"b\": {value}}}"),
            _ => format!("\"{field}\":{value}"),
        });
    }
    if random.below(4) == 0 {
        fields.reverse();
    }
    format!("{{{}}}", fields.join(if random.below(2) == 0 { "," } else { " , " }))
}

fn text(random: &mut Random) -> String {
    let words: String = (0..random.below(5)).map(|_| random.pick(&WORDS)).collect();
    let words = if random.below(3) == 0 { words.to_uppercase() } else { words };
    format!("\"{}\"", words.replace('\\', "\\\\"))
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }
}
