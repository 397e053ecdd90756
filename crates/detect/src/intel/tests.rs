//! Lists of every form, and questions to them.

use super::*;

fn of_lines(text: &str) -> (Set, Report) {
    let mut builder = Builder::new();
    assert!(builder.begin("a list"));
    (1..).zip(text.lines()).for_each(|(number, line)| builder.line(number, line));
    finished(builder)
}

fn of_json(text: &str) -> (Set, Report) {
    let mut builder = Builder::new();
    assert!(builder.begin("a list"));
    builder.json(text.as_bytes());
    finished(builder)
}

fn finished(builder: Builder) -> (Set, Report) {
    let (set, mut reports) = builder.finish();
    (set, reports.remove(0))
}

/// What is on the list, by the indicator that says so.
fn listed(found: Option<Listed<'_>>) -> String {
    found.map_or_else(|| "-".to_owned(), |found| format!("{} {}", found.kind.as_str(), found.indicator))
}

#[test]
fn texts_are_told_by_their_form() {
    let image = |text: &str| Ok(Indicator::Image(text.into()));
    let name = |text: &str| Ok(Indicator::Name(text.into()));
    let url = |text: &str| Ok(Indicator::Url(text.into()));
    let address = |text: &str, port| Ok(Indicator::Address(text.parse().unwrap(), port));
    for (text, expect) in [
        ("198.51.100.7", address("198.51.100.7", None)),
        (" \"198.51.100.7:443\" ", address("198.51.100.7", Some(443))),
        ("[2001:db8::7]:443", address("2001:db8::7", Some(443))),
        ("2001:db8::7", address("2001:db8::7", None)),
        ("198.51.100.7/32", address("198.51.100.7", None)),
        ("198.51.100.77/24", Ok(Indicator::Network([198, 51, 100, 0].into(), 24))),
        ("Evil.Example.", name("evil.example")),
        ("*.evil.example", name("evil.example")),
        ("evil[.]example:8080", name("evil.example")),
        ("hxxps://user@Evil.example:443/a/?b=C#d", url("evil.example/a?b=C")),
        ("http://evil.example/", name("evil.example")),
        ("http://198.51.100.7:8080/x.sh", url("198.51.100.7:8080/x.sh")),
        ("evil.example/a/", url("evil.example/a")),
        ("evil/miner:latest", image("evil/miner:latest")),
        ("image:docker.io/library/nginx:1", image("nginx:1")),
        ("ghcr.io/evil/miner", image("ghcr.io/evil/miner")),
        ("/gate.php", Err(NotUnderstood::PathAlone)),
        ("d41d8cd98f00b204e9800998ecf8427e", Err(NotUnderstood::OtherDigest)),
        ("0.0.0.0/0", Err(NotUnderstood::NoForm)),
        ("10.0.0.0/33", Err(NotUnderstood::NoForm)),
        ("localhost", Err(NotUnderstood::NoForm)),
        ("a b", Err(NotUnderstood::NoForm)),
        ("1.2.3", Err(NotUnderstood::NoForm)),
        ("", Err(NotUnderstood::NoForm)),
    ] {
        assert_eq!(indicator(text), expect, "{text}");
    }
    let digest = "AB".repeat(32);
    assert_eq!(indicator(&format!("sha256:{digest}")), Ok(Indicator::Sha256([0xAB; 32])));
    assert_eq!(indicator(&format!("evil/miner@sha256:{digest}")), Ok(Indicator::Sha256([0xAB; 32])));
}

#[test]
fn lines_of_lists_hosts_files_and_trails_are_read_and_the_others_are_named() {
    let (set, report) = of_lines(
        "# a comment\n\n203.0.113.9 # why\nevil.example\n0.0.0.0 miner.example pool.example\n127.0.0.1 localhost\n\
         198.51.100.7:7070\nhttp://evil.example/a#b\nno indicator at all\n/gate.php\n",
    );
    assert_eq!((report.indicators, report.not_understood), (6, 2));
    assert_eq!(report.examples, [(9, NotUnderstood::NoForm), (10, NotUnderstood::PathAlone)]);
    assert_eq!(set.len(), 6);
    assert_eq!(listed(set.name("w.pool.example")), "name pool.example");
}

#[test]
fn csv_is_read_by_the_names_of_its_columns_or_by_the_first_indicator_of_a_row() {
    let (set, report) = of_lines(
        "source,Domain,seen\nabuse.example,evil.example,2026-01-01\n\"a, \"\"b\"\"\",worse.example,\nabuse.example,,\n",
    );
    assert_eq!((report.indicators, report.not_understood), (2, 1));
    assert_eq!(
        [set.name("abuse.example"), set.name("worse.example")].map(listed),
        ["-", "name worse.example"]
    );
    let (set, report) = of_lines("id;first_seen;c2\n1;2026-01-01 00:00:00;203.0.113.9\n2;never;nothing\n");
    assert_eq!((report.indicators, report.not_understood), (1, 1));
    assert_eq!(listed(set.address([203, 0, 113, 9].into(), 1)), "address 203.0.113.9");
}

#[test]
fn questions_find_what_covers_them_and_nothing_else() {
    let digest = "cd".repeat(32);
    let (set, _) = of_lines(&format!(
        "evil.example\n203.0.113.0/24\n203.0.113.128/25\n2001:db8::/32\n198.51.100.7:443\nevil.example/a?b\nevil.example/c\n\
         {digest}\nevil/miner\nbad/tool:2\n",
    ));
    let address = |text: &str, port| listed(set.address(text.parse().unwrap(), port));
    assert_eq!(address("203.0.113.5", 1), "network 203.0.113.0/24");
    assert_eq!(address("203.0.113.200", 1), "network 203.0.113.128/25");
    assert_eq!(address("::ffff:203.0.113.5", 1), "network 203.0.113.0/24");
    assert_eq!(address("2001:db8:1::1", 1), "network 2001:db8::/32");
    assert_eq!(address("198.51.100.7", 443), "address 198.51.100.7:443");
    assert_eq!([address("198.51.100.7", 80), address("2001:db9::1", 1)], ["-", "-"]);
    assert_eq!(listed(set.name("A.B.Evil.Example.")), "name evil.example");
    assert_eq!([listed(set.name("notevil.example")), listed(set.name("example"))], ["-", "-"]);
    assert_eq!(listed(set.url("evil.example:80", "/a?b")), "url evil.example/a?b");
    assert_eq!(listed(set.url("evil.example", "/c/?d=e")), "url evil.example/c");
    assert_eq!(listed(set.url("evil.example", "http://evil.example/c")), "url evil.example/c");
    assert_eq!(listed(set.url("evil.example", "/a")), "-");
    assert_eq!(listed(set.digest(&format!("sha256:{digest}"))), format!("sha256 {digest}"));
    assert_eq!(listed(set.image("docker.io/evil/miner:7")), "image evil/miner");
    assert_eq!(listed(set.image("bad/tool:2")), "image bad/tool:2");
    assert_eq!([listed(set.image("bad/tool")), listed(set.image("evil/miner2"))], ["-", "-"]);
    assert_eq!(listed(set.image(&format!("any/name@sha256:{digest}"))), format!("sha256 {digest}"));
}

#[test]
fn patterns_of_stix_are_read_where_they_ask_for_equality() {
    let digest = "ef".repeat(32);
    let bundle = serde_json::json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "name": "somebody"},
        {"type": "indicator", "pattern_type": "stix", "pattern": "[ipv4-addr:value = '203.0.113.9']"},
        {"type": "indicator", "pattern": "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']"},
        {"type": "indicator", "pattern": "[ipv4-addr:value ISSUBSET '198.51.100.0/24'] OR [url:value = 'http://c.example/d']"},
        {"type": "indicator", "pattern": format!("[file:hashes.'SHA-256' = '{digest}']")},
        {"type": "indicator", "pattern": "[domain-name:value IN ('e.example', 'f.example')]"},
        {"type": "indicator", "pattern": "[domain-name:value = 'g.example' AND file:name = 'x']"},
        {"type": "indicator", "pattern": "[domain-name:value LIKE 'h%']"},
        {"type": "indicator", "pattern": "[mutex:name = 'm.example']"},
        {"type": "indicator", "pattern": "rule yara", "pattern_type": "yara"},
        {"type": "indicator", "pattern": "[domain-name:value = 'old.example']", "revoked": true},
    ]});
    let (set, report) = of_json(&bundle.to_string());
    assert_eq!((report.indicators, report.not_understood), (8, 4));
    let places: Vec<u64> = report.examples.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [7, 8, 9, 10]);
    for name in ["a.example", "b.example", "e.example", "f.example"] {
        assert!(set.name(name).is_some(), "{name}");
    }
    for name in ["g.example", "m.example", "old.example"] {
        assert!(set.name(name).is_none(), "{name}");
    }
    assert_eq!(listed(set.address([198, 51, 100, 3].into(), 1)), "network 198.51.100.0/24");
    assert_eq!(listed(set.digest(&digest)), format!("sha256 {digest}"));
}

#[test]
fn attributes_of_misp_events_are_read_where_they_are_meant_for_detection() {
    let digest = "12".repeat(32);
    let attribute =
        |kind: &str, value: &str| serde_json::json!({"type": kind, "value": value, "to_ids": true});
    let event = serde_json::json!({"Event": {
        "info": "a case",
        "Attribute": [
            attribute("ip-dst|port", "203.0.113.9|4444"), attribute("domain|ip", "a.example|203.0.113.10"),
            attribute("md5", "d41d8cd98f00b204e9800998ecf8427e"),
            {"type": "comment", "value": "b.example", "to_ids": false},
        ],
        "Object": [{"name": "file", "Attribute": [attribute("filename|sha256", &format!("x|{digest}"))]}],
    }});
    for text in [event.to_string(), format!("[{event}]"), format!("{{\"response\":[{event}]}}")] {
        let (set, report) = of_json(&text);
        assert_eq!((report.indicators, report.not_understood), (4, 1), "{text}");
        assert_eq!(report.examples, [(4, NotUnderstood::Type)].map(|(_, why)| (3, why)));
        assert_eq!(listed(set.address([203, 0, 113, 9].into(), 4444)), "address 203.0.113.9:4444");
        assert_eq!(listed(set.digest(&digest)), format!("sha256 {digest}"));
        assert!(set.name("b.example").is_none());
    }
}

#[test]
fn json_of_no_known_schema_is_refused_and_so_is_a_list_of_what_is_harmless() {
    for (text, why) in [
        ("{", NotUnderstood::Schema),
        ("{\"a\":1}", NotUnderstood::Schema),
        ("{\"list\":[\"a.example\"],\"matching_attributes\":[\"hostname\"]}", NotUnderstood::Harmless),
    ] {
        let (set, report) = of_json(text);
        assert!(set.is_empty() && set.name("a.example").is_none());
        assert_eq!(report.examples, [(1, why)], "{text}");
    }
}

#[test]
fn what_stands_on_two_lists_is_the_first_ones_and_an_empty_set_has_nothing() {
    let mut builder = Builder::new();
    for name in ["first", "second"] {
        builder.begin(name);
        builder.line(1, "evil.example");
    }
    let (set, reports) = builder.finish();
    assert_eq!((set.len(), reports.len()), (1, 2));
    assert_eq!(set.name("evil.example").unwrap().list, "first");
    let (empty, _) = Builder::new().finish();
    assert!(empty.name("evil.example").is_none() && empty.address([1, 2, 3, 4].into(), 5).is_none());
    assert!(Set::default().name("evil.example").is_none());
}

#[test]
fn a_hundred_thousand_names_take_eight_bytes_each_and_are_all_found() {
    let mut builder = Builder::new();
    builder.begin("many");
    (1..=100_000).for_each(|number| builder.line(number, &format!("n{number}.example")));
    let (set, report) = builder.finish();
    assert_eq!((set.len(), report[0].indicators), (100_000, 100_000));
    assert!((1..=100_000).all(|number| set.name(&format!("n{number}.example")).is_some()));
    assert!((1..=100_000).all(|number| set.name(&format!("m{number}.example")).is_none()));
    assert!(set.heap_bytes() <= 100_000 * 8 + (1 << 16) * 4 + 4096, "{}", set.heap_bytes());
}
