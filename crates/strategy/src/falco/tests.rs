//! Files to rules: joining, writing out, and what is refused with its place.

use super::expression::Value;
use super::*;
use crate::source::Source;

fn load_one(text: &str) -> RuleSet {
    load(&[Input { name: "a.yaml", text }])
}

/// What is wrong, each with its line.
fn errors(text: &str) -> Vec<String> {
    let source = Source::new("a.yaml", text);
    let told = |finding: &Finding| {
        format!("{}: {}", source.position(finding.problem.span.start).line, finding.problem.message)
    };
    load_one(text).errors.iter().map(told).collect()
}

/// A condition as a reader would write it, without macros, lists and needless parentheses.
fn shown(tree: &Expression) -> String {
    let joined = |parts: &[Expression], word: &str| {
        format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(word))
    };
    match tree {
        Expression::And(parts) => joined(parts, " and "),
        Expression::Or(parts) => joined(parts, " or "),
        Expression::Not(part) => format!("not {}", shown(part)),
        Expression::Macro(name, _) => name.clone(),
        Expression::Check(check) => {
            let texts = |values: &[Value]| {
                values.iter().map(|value| value.text.as_str()).collect::<Vec<_>>().join(",")
            };
            let right = match &check.right {
                Right::Nothing => String::new(),
                Right::Value(value) => format!(" {}", value.text),
                Right::List(Quantifier::Operator, values) => format!(" [{}]", texts(values)),
                Right::List(quantifier, values) => format!(" {quantifier:?} [{}]", texts(values)),
                Right::Operand(operand) => format!(" {operand:?}"),
            };
            let left = match &check.left {
                Operand::Field { name, argument: None } => name.clone(),
                Operand::Field { name, argument: Some(argument) } => format!("{name}[{argument}]"),
                other => format!("{other:?}"),
            };
            format!("{left} {}{right}", check.operator.as_str())
        }
    }
}

const HEAD: &str = "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ";

#[track_caller]
fn check(condition: &str, expect: &str) {
    let set = load_one(&format!("{HEAD}{condition}\n"));
    assert_eq!(set.errors, [], "{condition}");
    assert_eq!(shown(&set.rules[0].condition), expect, "{condition}");
}

#[track_caller]
fn refused(condition: &str, message: &str) {
    let told = errors(&format!("{HEAD}{condition}\n"));
    assert!(told.len() == 1 && told[0].contains(message), "{condition}: {told:?}");
}

#[test]
fn conditions_are_read_as_the_grammar_says() {
    check("evt.type=open and not proc.name = cat", "(evt.type = open and not proc.name = cat)");
    check("evt.type=open or evt.type=x and evt.num>0", "(evt.type = open or (evt.type = x and evt.num > 0))");
    check("not(fd.name exists) and(fd.num<=2)", "(not fd.name exists and fd.num <= 2)");
    check("not not fd.name exists", "fd.name exists");
    check("proc.aname[2] in (a, 'b c', \"d\\\"e\")", "proc.aname[2] in [a,b c,d\"e]");
    check("proc.name in ()", "proc.name in []");
    check("fd.name pmatch (/etc, /var/log)", "fd.name pmatch [/etc,/var/log]");
    check("proc.name startswith oneof (kube-, etcd-)", "proc.name startswith OneOf [kube-,etcd-]");
    check("proc.name = oneof", "proc.name = oneof");
    check("evt.dir=< and evt.rawres != -1", "(evt.dir = < and evt.rawres != -1)");
    check("evt.res>=0x10", "evt.res >= 0x10");
    check("proc.name regex '^a\\.b$'", "proc.name regex ^a\\.b$");
    for (condition, message) in [
        ("", "`condition` is empty"),
        ("evt.type", "where an operator was expected"),
        ("evt.type=open foo", "`foo` where `and`, `or` or the end was expected"),
        ("and evt.type=open", "`and` where a field"),
        ("evt.type=open and", "nothing follows `and`"),
        ("(evt.type=open", "a `)` is missing"),
        ("evt.num > many", "where a number was expected"),
        ("proc.name = 'cat", "quotation mark"),
        ("proc.aname[2 = a", "no argument and `]`"),
        ("tolower('a') = a", "do not fit"),
        ("join('-') = a", "do not fit"),
        ("proc.name contains in (a)", "where `and`, `or`"),
    ] {
        refused(&format!("{condition:?}"), message);
    }
    refused(&format!("\"{}evt.num=1{}\"", "(".repeat(5000), ")".repeat(5000)), "nested deeper");
}

#[test]
fn transformers_take_what_falco_lets_them_take() {
    for condition in [
        "toupper(tolower(proc.name)) = CAT",
        "join(\"-\", (fd.name, \"a\", 1)) = x",
        "concat(fd.name, \"a\") = val(proc.name)",
        "getopt(proc.args, \"nt:\") intersects (n)",
        "b64(evt.arg.data) contains basename(proc.exepath)",
        "len(fd.name) > 3",
    ] {
        let text = format!("{HEAD}>\n    {condition}\n");
        assert_eq!(load_one(&text).errors, [], "{condition}");
    }
}

#[test]
fn macros_and_lists_are_written_out_wherever_they_stand() {
    let text = format!(
        "- list: a\n  items: [x, b]\n- list: b\n  items: [y, 'two words']\n- macro: m\n  condition: proc.name in (a, z)\n{HEAD}m and proc.pname in (\"a\")\n"
    );
    let set = load_one(&text);
    assert_eq!(set.errors, []);
    let expect = "(proc.name in [x,y,two words,z] and proc.pname in [a])";
    assert_eq!(shown(&set.rules[0].condition), expect);
}

#[test]
fn a_macro_sees_what_was_written_before_it_and_circles_end() {
    let late = "- macro: a\n  condition: b\n- macro: b\n  condition: evt.num=1\n";
    assert_eq!(errors(late), ["2: macro `a`: condition: macro `b` is written only later"]);
    let circle =
        "- macro: a\n  condition: evt.num=1\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n";
    assert!(
        errors(circle).iter().any(|error| error.contains("leads back to itself")),
        "{:?}",
        errors(circle)
    );
    let list = format!("- list: a\n  items: [b]\n- list: b\n  items: [a]\n{HEAD}proc.name in (a)\n");
    assert!(errors(&list)[0].contains("leads back to itself"));
}

#[test]
fn macros_that_double_themselves_end_at_a_limit() {
    let mut text = String::from("- macro: m0\n  condition: evt.num=1\n");
    for n in 1..60 {
        text.push_str(&format!("- macro: m{n}\n  condition: m{0} or m{0}\n", n - 1));
    }
    assert!(errors(&text)[0].contains("checks and values"), "{:?}", errors(&text));
}

#[test]
fn items_append_and_override_in_their_order() {
    let base = "- list: l\n  items: [a]\n- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: proc.name in (l)\n  tags: [t]\n";
    let more = "- list: l\n  items: [b]\n  append: true\n- rule: r\n  condition: and fd.num=1\n  priority: ERROR\n  tags: [u]\n  override: {condition: append, priority: replace, tags: append}\n- rule: r\n  enabled: false\n";
    let set = load(&[Input { name: "base", text: base }, Input { name: "more", text: more }]);
    assert_eq!(set.errors, []);
    let rule = &set.rules[0];
    assert_eq!(shown(&rule.condition), "(proc.name in [a,b] and fd.num = 1)");
    assert_eq!((rule.priority, rule.enabled), (Priority::Error, false));
    assert_eq!(rule.tags, ["t", "u"]);
}

#[test]
fn exceptions_become_conditions() {
    let text = format!(
        "{HEAD}evt.type=open\n  exceptions:\n  - name: one\n    fields: proc.name\n    comps: startswith anyof\n    values: [a, 'b c']\n  - name: two\n    fields: [proc.name, fd.name]\n    comps: [=, in]\n    values:\n    - [cat, [/a, '/b (c)']]\n    - [dog, '\"/d e\"']\n  - name: empty\n    fields: [proc.name]\n"
    );
    let set = load_one(&text);
    assert_eq!(set.errors, []);
    assert_eq!(
        shown(&set.rules[0].condition),
        "(evt.type = open and not proc.name startswith AnyOf [a,b c] and not ((proc.name = cat and fd.name in [/a,/b (c)]) or (proc.name = dog and fd.name in [/d e])))"
    );
}

#[test]
fn everything_wrong_is_told_at_once_with_its_line() {
    let text = "- rule: a\n  condition: >\n    evt.type=open and\n    proc.name ~ cat\n  desc: d\n  output: o\n  priority: LOUD\n- rule: b\n  desc: d\n  output: \"%nofield x\"\n  priority: INFO\n  condition: >\n    evt.type=open and\n    (proc.name = cat\n- rule: c\n  desc: d\n  output: o\n  conditon: x\n  priority: INFO\n- 7\n- rule: d\n  append: true\n  condition: and x\n";
    assert_eq!(
        errors(text),
        [
            "7: rule `a`: unknown priority `LOUD`",
            "18: rule `c`: unknown key `conditon`",
            "15: rule `c`: `condition` is missing",
            "20: a number where an item, a map, was expected",
            "21: rule `d` changes a rule that was not written before",
            "14: rule `b`: condition: a `)` is missing",
        ]
    );
}

#[test]
fn fields_that_falco_does_not_know_are_refused_or_skipped() {
    let text = format!("{HEAD}not.exist = 1\n");
    assert!(errors(&text)[0].contains("`not.exist` is no field"));
    let skipped = format!("{HEAD}not.exist = 1\n  skip-if-unknown-filter: true\n");
    let set = load_one(&skipped);
    assert_eq!((set.errors.len(), set.rules.len(), set.warnings.len()), (0, 0, 1));
    // A name that is not in the list may be newer than it.
    let newer = load_one(&format!("{HEAD}proc.nmae = 1\n"));
    assert_eq!((newer.errors.len(), newer.rules.len()), (0, 1));
    assert_eq!(newer.warnings[0].problem.hint.as_deref(), Some("did you mean `proc.name`?"));
}

#[test]
fn texts_are_told_apart_by_their_first_item() {
    assert!(is_falco("# c\n\n- required_engine_version: 2\n"));
    assert!(is_falco("---\n- macro: m\n  condition: x\n"));
    assert!(is_falco("- desc: d\n  rule: r\n"));
    assert!(!is_falco("title: Sigma\nlogsource: {}\n"));
    assert!(!is_falco("- foo\n"));
}

#[test]
fn any_bytes_are_read_without_harm() {
    for bytes in [&b""[..], b"\xff\xfe", b"- rule: \x00", b"- macro: a\n  condition: '\\", b"- [", b"&a *a"] {
        load_bytes(bytes);
    }
}

#[test]
fn the_longest_files_are_read_in_bounded_time_whatever_they_hold() {
    let head = "- {desc: d, output: o, priority: INFO, rule: ";
    let many = |make: &dyn Fn(usize) -> String, count: usize| (0..count).map(make).collect::<String>();
    let texts = [
        many(&|n| format!("{head}r{n}, condition: m{n}}}\n"), 14_000),
        many(&|n| format!("- {{macro: n{n}, condition: a.b=1}}\n"), 15_000)
            + &many(&|n| format!("{head}r{n}, condition: x{n}}}\n"), 6_000),
        many(&|n| format!("{head}r{n}, condition: proc.x{n}=1 and c{n}.d=1}}\n"), 10_000),
        format!("{head}r, condition: \"{}evt.num=1\"}}\n", "not ".repeat(250_000)),
        format!("{head}r, condition: \"{}\"}}\n", "tolower(".repeat(120_000)),
        format!("{head}r, condition: \"proc.name in ({}a)\"}}\n", "a, ".repeat(300_000)),
        format!("{head}r, condition: \"{}a\"}}\n", "x".repeat(1_000_000)),
        format!(
            "{head}r, condition: a.b=1, exceptions: [{}]}}\n",
            many(&|n| format!("{{name: e{n}, fields: a.b}},"), 35_000)
        ),
        format!("{head}r, condition: a.b=1, tags: [{}]}}\n", many(&|n| format!("t{n},"), 100_000)),
        format!("{head}r, condition: a.b=1, {}}}\n", many(&|n| format!("k{n}: 1,"), 80_000)),
        format!("{head}r, condition: \"evt.type in ({}a)\"}}\n", many(&|n| format!("e{n},"), 40_000)),
        "- [".repeat(300_000),
        "- a\n".repeat(250_000),
    ];
    for text in &texts {
        assert!(text.len() <= 1 << 20, "{}", text.len());
        let set = load_one(text);
        for rule in set.rules.iter().take(100) {
            let _ = typed::plans(rule);
            let _ = json::plan(&rule.condition);
        }
    }
}
