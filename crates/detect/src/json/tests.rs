//! What is read of JSON, as tables of rules and events.

use crate::plain::{JsonRules, JsonScratch, Rejected, Unreadable};
use crate::rule::Placeholders;
use strategy::sigma::{Item, read_str};

fn items(detection: &str, version: u8) -> Vec<Item> {
    let text = format!(
        "title: t\nsigma-version: {version}\nlogsource: {{category: any}}\ndetection:\n{}",
        detection.lines().map(|line| format!("  {line}\n")).collect::<String>()
    );
    let (items, problems) = read_str(&text);
    assert_eq!(problems, [], "{detection}");
    items
}

fn judged(items: &[Item], event: &str) -> bool {
    let placeholders =
        Placeholders::from([("admins".to_owned(), vec!["root".to_owned(), "ops*".to_owned()])]);
    let (rules, rejected) = JsonRules::new(items, &placeholders);
    assert_eq!(rejected, [], "{items:?}");
    !rules.judge(event.as_bytes(), &mut JsonScratch::default()).unwrap().0.is_empty()
}

/// Whether a rule with the one search `search` holds for `event`.
fn holds(search: &str, event: &str) -> bool {
    judged(&items(&format!("s:\n  {}\ncondition: s", search.replace('\n', "\n  ")), 3), event)
}

#[test]
fn names_lead_to_values_flat_first_then_by_path() {
    for (search, event, expect) in [
        ("a.b: x", r#"{"a.b": "x"}"#, true),
        ("a.b: x", r#"{"a": {"b": "x"}}"#, true),
        ("a.b: x", r#"{"a": {"b": "y"}, "a.b": "x"}"#, true),
        ("a.b: y", r#"{"a": {"b": "y"}, "a.b": "x"}"#, false),
        ("a.b: y", r#"{"a.b": "x", "a": {"b": "y"}}"#, false),
        ("a.b.c: x", r#"{"a.b": {"c": "x"}}"#, true),
        ("a.b.c: x", r#"{"a": {"b.c": "x"}}"#, true),
        ("a: x", r#"{"a": "y", "a": "x"}"#, true),
        ("b: x", r#"{"a": {"b": "x"}}"#, false),
        ("a: x", r#" { "A": "x" } "#, false),
        ("a.b: x", r#"{"a": [{"b": "y"}, {"b": "x"}]}"#, true),
        ("a.b: z", r#"{"a": [{"b": "y"}, {"b": "x"}]}"#, false),
        ("a.b.c: z", r#"{"a": [{"b": [{"c": "y"}]}, {"b": [{"c": "x"}, {"c": "z"}]}]}"#, true),
        ("a: x", r#"{"a": ["y", ["x"]]}"#, true),
        ("a: 7", r#"{"a": ["y", 7]}"#, true),
        ("a|all: [x, y]", r#"{"a": ["y", "x"]}"#, true),
        ("a: true", r#"{"a": [false, true]}"#, true),
        (r"a: 'C:\x'", r#"{"a": "C:\\x"}"#, true),
        ("a: 'é\u{1f600}\"'", r#"{"\u0061": "\u00e9\ud83d\ude00\""}"#, true),
        ("a: x", r#"{"b": [[{}, {"c": []}], {}], "a": "x"}"#, true),
    ] {
        assert_eq!(holds(search, event), expect, "{search} of {event}");
    }
}

#[test]
fn values_meet_as_documented() {
    for (search, event, expect) in [
        ("a: null", r#"{"a": null}"#, true),
        ("a: null", r"{}", true),
        ("a: null", r#"{"a": ""}"#, false),
        ("a: null", r#"{"a": []}"#, false),
        ("a: null", r#"{"a": [1, null]}"#, true),
        ("a: ''", r#"{"a": ""}"#, true),
        ("a: ''", r#"{"a": null}"#, false),
        ("a: ''", r"{}", false),
        ("a|exists: true", r#"{"a": null}"#, true),
        ("a|exists: true", r#"{"a": []}"#, true),
        ("a|exists: true", r"{}", false),
        ("a|exists: false", r"{}", true),
        ("a: '*'", r#"{"a": {"b": 1}}"#, true),
        ("a: '*'", r#"{"a": ""}"#, true),
        ("a: '*'", r#"{"a": null}"#, false),
        ("a: x", r#"{"a": {"x": "x"}}"#, false),
        ("a: 42", r#"{"a": 42}"#, true),
        ("a: 42", r#"{"a": "42"}"#, true),
        ("a: '42'", r#"{"a": 42}"#, true),
        ("a: 42", r#"{"a": 42.0}"#, true),
        ("a: '42'", r#"{"a": 42.0}"#, false),
        ("a: 4.5", r#"{"a": 4.50}"#, true),
        ("a|contains: 4", r#"{"a": 142}"#, true),
        ("a|gte: 10", r#"{"a": "9"}"#, false),
        ("a|gte: 10", r#"{"a": "11"}"#, true),
        ("a|gt: 1.5", r#"{"a": 1.75}"#, true),
        ("a|lt: 5", r#"{"a": "x"}"#, false),
        ("a: true", r#"{"a": "True"}"#, true),
        ("a: 'true'", r#"{"a": true}"#, true),
        ("a|neq: x", r"{}", true),
        ("a|neq: [x, y]", r#"{"a": "y"}"#, false),
        ("a|contains|neq: x", r#"{"a": "y"}"#, true),
        ("a|cidr: 10.0.0.0/8", r#"{"a": "10.2.3.4"}"#, true),
        ("a|cidr: 'fe80::/10'", r#"{"a": "fe80::1"}"#, true),
        ("a|fieldref: b.c", r#"{"a": "X", "b": {"c": "x"}}"#, true),
        ("a|fieldref|neq: b", r#"{"a": "X", "b": "x"}"#, false),
        ("a|fieldref|startswith: b", r#"{"a": "xyz", "b": "xy"}"#, true),
        ("a|hour: 20", r#"{"a": "2025-10-22T20:33:27.276702Z"}"#, true),
        ("a|hour|gte: 21", r#"{"a": 1761165207274}"#, false),
        ("a: 'x*z'", "{\"a\": \"x\\n\\ny\\nz\"}", true),
        ("a|re: '^x.y$'", r#"{"a": "x\ny"}"#, false),
        ("a|re|s: '^x.y$'", r#"{"a": "x\ny"}"#, true),
        ("a|re|m: '^y$'", r#"{"a": "x\ny"}"#, true),
        ("a|re|i: 'X'", r#"{"a": "axb"}"#, true),
        ("a: äÖ*", r#"{"a": "ÄÖ x"}"#, true),
        ("a|windash|contains: ' -enc '", r#"{"a": "p \u2013enc x"}"#, true),
        ("a|base64offset|contains: 'http://'", r#"{"a": "eGh0dHA6Ly9ldmls"}"#, true),
        ("a|wide|base64offset|contains: ping", r#"{"a": "cABpAG4AZwA="}"#, true),
        ("a|expand: '%admins%'", r#"{"a": "OPS-7"}"#, true),
        ("a|expand|contains: '/%admins%/'", r#"{"a": "/home/root/"}"#, true),
        ("a|expand: '%admins%'", r#"{"a": "joe"}"#, false),
    ] {
        assert_eq!(holds(search, event), expect, "{search} of {event}");
    }
}

#[test]
fn keywords_stand_in_any_value_however_deep() {
    let event = r#"{"m": "segfault at 0", "n": {"o": [{"p": "Error 4"}, 4711]}, "key": true}"#;
    for (search, expect) in [
        ("- segfault\n- none", true),
        ("- SEGFAULT AT", true),
        ("- error*4", true),
        ("- 4711", true),
        ("- 471", true),
        ("- key", false),
        ("'|all': [segfault, error]", true),
        ("'|all': [segfault, warning]", false),
        ("'|re': 'seg.ault'", true),
    ] {
        assert_eq!(holds(search, event), expect, "{search}");
    }
}

#[test]
fn items_of_an_array_are_asked_one_by_one() {
    let event = r#"{"spec": {"containers": [
        {"image": "good", "privileged": true, "args": ["-x", "-y"]},
        {"image": "bad", "privileged": false, "args": []}]}, "tags": ["a", "b", 3], "one": "a", "none": []}"#;
    for (search, expect) in [
        ("spec.containers[any]: {image: bad, privileged: true}", false),
        ("spec.containers[any]: {image: good, privileged: true}", true),
        ("spec.containers[all]: {image: '*o*'}", false),
        ("spec.containers[all]: {image: '*d'}", true),
        ("spec.containers[none]: {image: evil}", true),
        ("spec.containers[1]: {image: bad}", true),
        ("spec.containers[0]: {image: bad}", false),
        ("spec.containers[9]: {image: bad}", false),
        (
            "spec.containers[any]:\n  a: {image: bad}\n  b: {privileged: false}\n  condition: a and not b",
            false,
        ),
        ("spec.containers[any]:\n  a: {image: bad}\n  b: {privileged: true}\n  condition: a and not b", true),
        ("spec.containers[any]: {'args[any]': -y}", true),
        ("spec.containers[all]: {'args[any]': -y}", false),
        ("spec.containers[all]: {'args[all_or_empty]|startswith: '-'}", true),
        ("tags[any]: b", true),
        ("tags[2]: 3", true),
        ("tags[all]|startswith: a", false),
        ("one[all]: a", true),
        ("none[all]: a", false),
        ("none[all_or_empty]: a", true),
        ("missing[all_or_empty]: a", true),
        ("missing[any]: a", false),
        ("missing[none]: a", true),
    ] {
        let search =
            search.replace("'args[all_or_empty]|startswith: '-'}", "'args[all_or_empty]|startswith': '-'}");
        assert_eq!(holds(&search, event), expect, "{search}");
    }
}

#[test]
fn windows_events_are_flat() {
    let event = r##"{"Event": {"#attributes": {"xmlns": "x"}, "System": {"Provider": {"#attributes": {"Name": "Sysmon"}},
        "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1}, "Channel": "C"},
        "EventData": {"Image": "C:\\a.exe", "Source Name": "s"}, "UserData": {"Any": {"Param": 5}}}}"##;
    for search in [
        r"Image|endswith: '\a.exe'",
        "Provider_Name: Sysmon",
        "EventID: 1",
        "Channel: C",
        "SourceName: s",
        "Source Name: s",
        "Param: 5",
        "Event.EventData.Image|endswith: a.exe",
        "- a.exe",
    ] {
        assert!(holds(search, event), "{search}");
    }
    assert!(!holds("xmlns: x", event));
}

#[test]
fn what_cannot_be_read_says_why_and_what_is_cut_off_can_go_on() {
    let (rules, _) =
        JsonRules::new(&items("s: {a.b: x}\nk: [y]\ncondition: s or k", 2), &Placeholders::new());
    let read =
        |text: &str| rules.judge(text.as_bytes(), &mut JsonScratch::default()).map(|(_, length)| length);
    let whole = r#"{"a": {"b": ["x", 1.5e3, true, null, {}]}, "c": "\u00e9\\"}"#;
    assert_eq!(read(&format!("{whole} {{")), Ok(whole.len()));
    for (length, _) in whole.char_indices() {
        assert_eq!(read(&whole[..length]), Err(Unreadable::Incomplete), "{}", &whole[..length]);
    }
    for text in
        ["{a: 1}", "{\"a\" 1}", "{\"a\": }", "{\"a\": 1 2}", "{\"a\": nul}", "{\"a\": [1 2]}", "{,}", "}"]
    {
        assert!(matches!(read(text), Err(Unreadable::Malformed { .. })), "{text}");
    }
    assert_eq!(read(&"{\"a\":".repeat(1000)), Err(Unreadable::TooDeep));
    assert_eq!(read(&"[".repeat(1_000_000)), Err(Unreadable::TooDeep));
    let lossy = b"{\"a\": {\"b\": \"x\"}, \"c\": \"\xff\"}";
    assert_eq!(rules.judge(lossy, &mut JsonScratch::default()).unwrap().0, [0]);
}

#[test]
fn scratch_does_not_remember_the_last_event() {
    let (rules, _) = JsonRules::new(&items("s: {a.b: x}\ncondition: s", 2), &Placeholders::new());
    let mut scratch = JsonScratch::default();
    for (event, expect) in [(r#"{"a":[{"b":"y"},{"b":"x"}]}"#, 1), (r#"{"a":{"b":"y"}}"#, 0), ("{}", 0)] {
        assert_eq!(rules.judge(event.as_bytes(), &mut scratch).unwrap().0.len(), expect, "{event}");
    }
}

#[test]
fn a_placeholder_without_a_value_rejects_its_rule_alone() {
    let mut both = items("s: {a|expand: '%nobody%'}\ncondition: s", 2);
    both.extend(items("s: {a: x}\ncondition: s", 2));
    let (rules, rejected) = JsonRules::new(&both, &Placeholders::new());
    assert!(
        matches!(rejected.as_slice(), [Rejected { item: 0, fault }] if fault.to_string().contains("%nobody%"))
    );
    assert_eq!(rules.judge(br#"{"a": "x"}"#, &mut JsonScratch::default()).unwrap().0, [1]);
}
