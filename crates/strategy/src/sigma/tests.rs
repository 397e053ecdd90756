use super::*;

fn rule(detection: &str) -> (Vec<Item>, Vec<Problem>) {
    let indented = detection.replace('\n', "\n  ");
    read_str(&format!("title: T\nlogsource: {{product: linux}}\ndetection:\n  {indented}\n"))
}

fn matchers(line: &str) -> Vec<Vec<Matcher>> {
    let (items, problems) = rule(&format!("s:\n  {line}\ncondition: s"));
    assert_eq!(problems, [], "{line}");
    let Some(Item::Rule(rule)) = items.into_iter().next() else { panic!("{line} is no rule") };
    let Search::And(parts) = &rule.detection.searches[0].search else { panic!("{line} is no map") };
    let Search::Field(field) = &parts[0] else { panic!("{line} is no field") };
    field.values.clone()
}

fn refused(line: &str) -> Problem {
    let (items, mut problems) = rule(&format!("s:\n  {line}\ncondition: s"));
    assert!(items.is_empty(), "{line} was accepted");
    problems.remove(0)
}

fn pattern(text: &str) -> Matcher {
    Matcher::Pattern(Pattern::parse(text))
}

#[test]
fn values_mean_what_yaml_says() {
    let values = matchers("f: [a*, 42, 4.5, true, '42']");
    let expect = [
        pattern("a*"),
        Matcher::Number(yaml::Number::Integer(42)),
        Matcher::Number(yaml::Number::Float(4.5)),
        Matcher::Bool(true),
        pattern("42"),
    ];
    assert_eq!(values.concat(), expect);
    assert_eq!(matchers("f: null"), [[Matcher::Null]]);
    assert_eq!(matchers("f: ''"), [[pattern("")]]);
}

#[test]
fn string_modifiers_open_the_pattern() {
    assert_eq!(matchers("f|contains: x"), [[pattern("*x*")]]);
    assert_eq!(matchers("f|startswith: x"), [[pattern("x*")]]);
    assert_eq!(matchers("f|endswith: 44"), [[pattern("*44")]]);
    let Matcher::Pattern(cased) = &matchers("f|contains|cased: x")[0][0] else { panic!() };
    assert!(cased.cased);
}

#[test]
fn encodings_give_alternatives() {
    let offsets = &matchers("f|base64offset|contains: 'http://'")[0];
    assert_eq!(offsets.len(), 3);
    assert_eq!(offsets[0], pattern("*aHR0cDovL*"));
    assert_eq!(matchers("f|wide|base64: a"), [[pattern("YQA=")]]);
    assert_eq!(matchers("f|base64: foo"), [[pattern("Zm9v")]]);
}

#[test]
fn numbers_addresses_times_and_fields_have_their_own_matchers() {
    assert!(matches!(matchers("f|gte: 5")[0][0], Matcher::Compare(Order::Gte, _)));
    assert!(matches!(matchers("f|hour|lt: 5")[0][0], Matcher::TimePart(TimePart::Hour, Order::Lt, _)));
    assert!(matches!(matchers("f|cidr: 10.0.0.0/8")[0][0], Matcher::Cidr(Cidr { prefix: 8, .. })));
    assert!(matches!(matchers("f|cidr: fe80::/10")[0][0], Matcher::Cidr(Cidr { prefix: 10, .. })));
    assert!(matches!(matchers("f|exists: false")[0][0], Matcher::Exists(false)));
    let Matcher::Field(field) = &matchers("f|fieldref|startswith: g")[0][0] else { panic!() };
    assert_eq!((field.name.as_str(), field.after), ("g", Openness::Any));
    let Matcher::Regex(re) = &matchers("f|re|i|s: ^a.b$")[0][0] else { panic!() };
    assert!(re.ignore_case && re.dot_all && !re.multi_line);
}

#[test]
fn modifiers_that_make_no_sense_are_refused() {
    let lines = [
        "f|lt: abc",
        "f|exists: yes",
        "f|contains|re: a",
        "f|i: a",
        "f|contains|i: a",
        "f|cidr: 10.0.0.0/33",
        "f|cidr: host",
        "f|contains: null",
        "f|contains|base64: a",
        "f|base64: a*b",
        "f|all: a",
        "f|re|contains: a",
        "f|fieldref|base64: g",
        "f|hour: soon",
        "f|bogus: a",
        "f: [a, [b]]",
        "f: {a: b}",
        "f: []",
        "'|exists': true",
    ];
    for line in lines {
        let problem = refused(line);
        assert!(!problem.message.is_empty(), "{line}");
    }
    assert_eq!(refused("f|wide: é").code, codes::MODIFIER);
}

#[test]
fn expressions_that_need_backtracking_are_refused_with_the_reason() {
    let problem = refused("f|re: '(?!x)y'");
    assert_eq!(problem.code, codes::REGEX);
    assert!(problem.message.contains("look-around"), "{}", problem.message);
    assert!(refused(r"f|re: '(a)\1'").message.contains("backreferences"));
    assert!(refused("f|re: '(a{1000}){1000}'").message.contains("larger than"));
}

#[test]
fn searches_are_maps_lists_and_keywords() {
    let (items, problems) = rule("a: {x: 1, y: 2}\nb: [{x: 1}, {y: 2}]\nk: [one, two]\ncondition: 1 of them");
    assert_eq!(problems, []);
    let Item::Rule(rule) = &items[0] else { panic!() };
    let kinds: Vec<_> = rule.detection.searches.iter().map(|named| &named.search).collect();
    assert!(matches!(kinds[0], Search::And(parts) if parts.len() == 2));
    assert!(matches!(kinds[1], Search::Or(parts) if parts.len() == 2));
    assert!(matches!(kinds[2], Search::Field(field) if field.subject == Subject::Keyword));
}

#[test]
fn an_undefined_name_in_a_condition_gets_a_suggestion() {
    let (_, problems) = rule("selection: {x: 1}\ncondition: selektion");
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `selection`?"));
    let (_, problems) = rule("selection: {x: 1}\ncondition: 1 of filter_*");
    assert_eq!(problems[0].message, "`filter_*` chooses no search");
}

#[test]
fn all_errors_of_a_rule_are_reported_at_once() {
    let (items, problems) =
        read_str("id: x\nlevel: hihg\ndetection:\n  s: {f|bogus: 1, g|lt: a}\n  condition: t\n");
    assert!(items.is_empty());
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.id).collect();
    assert_eq!(codes, ["WK0301", "WK0301", "WK0301", "WK0301", "WK0302", "WK0302", "WK0303"]);
}

#[test]
fn a_broken_document_does_not_hide_the_next() {
    let good = "title: B\nlogsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}";
    let (items, problems) = read_str(&format!("title: A\n---\n{good}\n"));
    assert_eq!((items.len(), problems.len()), (1, 2));
}

#[test]
fn arrays_are_chosen_from_version_3_on() {
    let text = |version| {
        format!(
            "title: T\nsigma-version: {version}\nlogsource: {{product: k}}\ndetection:\n  s:\n    \
             containers[any]: {{privileged: true, image|contains: x}}\n    args[0]|endswith: sh\n  condition: s\n"
        )
    };
    let (items, problems) = read_str(&text(3));
    assert_eq!(problems, []);
    let Item::Rule(rule) = &items[0] else { panic!() };
    let Search::And(parts) = &rule.detection.searches[0].search else { panic!() };
    assert!(
        matches!(&parts[0], Search::Array(array) if array.field == "containers" && array.items == Items::Any)
    );
    assert!(matches!(&parts[1], Search::Array(array) if array.items == Items::At(0)));
    let (_, problems) = read_str(&text(2));
    assert!(!problems.is_empty());
}

fn correlation(body: &str) -> (Vec<Item>, Vec<Problem>) {
    read_str(&format!("title: C\ncorrelation:\n  {}\n", body.replace('\n', "\n  ")))
}

#[test]
fn correlations_of_every_type_are_read() {
    let bodies = [
        "type: event_count\nrules: a\ngroup-by: [u]\ntimespan: 5m\ncondition: {gte: 3, lt: 9}",
        "type: value_count\nrules: [a]\ntimespan: 5m\ncondition: {gte: 3, field: x}",
        "type: temporal\nrules: [a, b]\ntimespan: 1h\naliases: {ip: {a: src, b: dst}}\ngroup-by: [ip]",
        "type: temporal_ordered\nrules: [a, b]\ntimespan: 1d\ngenerate: true",
        "type: temporal\nrules: [a, b]\ntimespan: 1d\ncondition: a and not b",
        "type: temporal\nrules: [a, b, c]\ntimespan: 1d\ncondition: {gte: 2}",
        "type: value_sum\nrules: [a]\ntimespan: 5m\ncondition: {gt: 3.5, field: [x]}",
        "type: value_avg\nrules: [a]\ntimespan: 5m\ncondition: {gt: 3, field: x}",
        "type: value_percentile\nrules: [a]\ntimespan: 5m\ncondition: {gt: 3, field: x, percentile: 95}",
        "type: value_median\nrules: [a]\ntimespan: 5m\ncondition: {gt: 3, field: x}",
    ];
    for body in bodies {
        let (items, problems) = correlation(body);
        assert_eq!(problems, [], "{body}");
        assert!(matches!(&items[0], Item::Correlation(_)));
    }
}

#[test]
fn broken_correlations_are_refused() {
    let bodies = [
        "rules: a\ntimespan: 5m\ncondition: {gte: 3}",
        "type: evnt_count\nrules: a\ntimespan: 5m\ncondition: {gte: 3}",
        "type: event_count\nrules: []\ntimespan: 5m\ncondition: {gte: 3}",
        "type: event_count\nrules: a\ntimespan: 5\ncondition: {gte: 3}",
        "type: event_count\nrules: a\ntimespan: 5m",
        "type: event_count\nrules: a\ntimespan: 5m\ncondition: {gte: x}",
        "type: event_count\nrules: a\ntimespan: 5m\ncondition: {field: x}",
        "type: event_count\nrules: a\ntimespan: 5m\ncondition: {gte: 1, field: x}",
        "type: value_count\nrules: a\ntimespan: 5m\ncondition: {gte: 1}",
        "type: temporal\nrules: [a, b]\ntimespan: 5m\ncondition: a and c",
        "type: temporal\nrules: [a, b]\ntimespan: 5m\ncondition: {gte: 1, field: x}",
        "type: value_sum\nrules: a\ntimespan: 5m\ncondition: {gte: 1, field: [x, y]}",
        "type: value_sum\nrules: a\ntimespan: 5m\ncondition: {gte: 1, field: x, percentile: 5}",
        "type: temporal\nrules: [a, b]\ntimespan: 5m\naliases: {ip: {a: x, c: y}}\ngroup-by: ip",
        "type: event_count\nrules: a\ntimespan: 5m\ncondition: {gte: 3}\ngroup_by: x",
    ];
    for body in bodies {
        let (items, problems) = correlation(body);
        assert!(items.is_empty() && !problems.is_empty(), "{body}");
    }
}

#[test]
fn filters_name_rules_or_any() {
    let text = |rules: &str| {
        format!(
            "title: F\nlogsource: {{product: linux}}\nfilter:\n  rules: {rules}\n  s: {{u: x}}\n  condition: not s\n"
        )
    };
    let (items, problems) = read_str(&text("any"));
    assert_eq!(problems, []);
    assert!(matches!(&items[0], Item::Filter(filter) if filter.rules == FilterRules::Any));
    let (items, _) = read_str(&text("[a, b]"));
    assert!(
        matches!(&items[0], Item::Filter(Filter { rules: FilterRules::These(rules), .. }) if rules.len() == 2)
    );
}

#[test]
fn messages_become_templates_and_other_keys_are_kept() {
    let text = "title: T\nobserved: '{Image} ran'\nexpected: nothing\nregression: x\n\
                logsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}";
    let (items, problems) = read_str(text);
    assert_eq!(problems, []);
    let Item::Rule(rule) = &items[0] else { panic!() };
    assert_eq!(rule.observed.as_ref().unwrap().fields().collect::<Vec<_>>(), ["Image"]);
    assert_eq!(rule.head.custom[0].0.text, "regression");
}
