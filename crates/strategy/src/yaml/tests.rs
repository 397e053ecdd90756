use super::*;
use crate::diagnostic::codes;

fn one(text: &str) -> Node {
    parse(&Fragment::whole(text)).unwrap().remove(0)
}

#[derive(serde::Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Sample {
    version: String,
    count: u32,
    #[serde(default)]
    list: Vec<String>,
}

#[test]
fn scalars_follow_the_core_schema() {
    let check = |text: &str, expect: Resolved<'_>| {
        assert_eq!(Scalar { text: text.into(), plain: true }.resolve(), expect, "{text}");
    };
    check("~", Resolved::Null);
    check("True", Resolved::Bool(true));
    check("yes", Resolved::Text("yes"));
    check("42", Resolved::Number(Number::Integer(42)));
    check("-0x1", Resolved::Text("-0x1"));
    check("0x1F", Resolved::Number(Number::Integer(31)));
    check("1.5e3", Resolved::Number(Number::Float(1500.0)));
    check("1.2.3", Resolved::Text("1.2.3"));
    check("2024-01-01", Resolved::Text("2024-01-01"));
    check("nan", Resolved::Text("nan"));
    check("infinity", Resolved::Text("infinity"));
    check(".", Resolved::Text("."));
    assert_eq!(Scalar { text: "42".into(), plain: false }.resolve(), Resolved::Text("42"));
}

#[test]
fn a_number_read_as_text_keeps_its_spelling() {
    let sample: Sample = decode(&one("version: 1.10\ncount: 2\nlist: [a, 0x1F]"), codes::BLOCK).unwrap();
    assert_eq!(sample, Sample { version: "1.10".into(), count: 2, list: vec!["a".into(), "0x1F".into()] });
}

#[test]
fn a_misfit_points_at_the_key_or_value() {
    let at = |text: &str| {
        let problem = decode::<Sample>(&one(text), codes::BLOCK).unwrap_err();
        (text[problem.span.start..problem.span.end].trim_end().to_owned(), problem.message)
    };
    assert_eq!(at("version: 1\ncuont: 2"), ("cuont".into(), "unknown key `cuont`".into()));
    let (place, _) = at("version: 1\ncount: -2");
    assert_eq!(place, "-2");
    assert!(at("version: 1").1.contains("`count` is missing"));
}

#[test]
fn duplicate_keys_are_all_reported() {
    let problems = parse(&Fragment::whole("a: 1\na: 2\nb: {c: 1, c: 2}\n")).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].span.start, 5);
}

#[test]
fn what_hides_meaning_or_grows_without_bound_is_refused() {
    for text in ["a: &x 1\nb: *x", "a: !!str 1", "? [a]\n: b", "a: [", "%YAML 1.1\n---\na: 1"] {
        assert!(parse(&Fragment::whole(text)).is_err(), "{text}");
    }
    assert!(parse(&Fragment::whole(&"[".repeat(100_000))).is_err());
    assert!(parse(&Fragment::whole(&"a: ".repeat(1 + TEXT_LIMIT_BYTES / 3))).is_err());
}

#[test]
fn documents_are_separate_and_empty_text_has_none() {
    assert_eq!(parse(&Fragment::whole("a: 1\n---\nb: 2\n")).unwrap().len(), 2);
    assert!(parse(&Fragment::whole("")).unwrap().is_empty());
}
