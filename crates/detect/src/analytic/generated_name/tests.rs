use super::*;

const SECOND: u64 = 1_000_000_000;

#[test]
fn drawn_letters_look_generated_and_words_do_not() {
    for name in ["kqzvxjwpfhtrd.com", "xjpqkvnhzgtw.ru", "3a7f09c1b2e4d.org"] {
        assert!(probability(name).unwrap() > 0.9, "{name} {:?}", probability(name));
    }
    for name in
        ["debian.org", "registry.kubernetes.io", "stackoverflow.com", "archive.ubuntu.com", "wikipedia.org"]
    {
        assert!(probability(name).unwrap() < 0.5, "{name} {:?}", probability(name));
    }
}

#[test]
fn case_and_what_is_below_change_nothing() {
    let name = probability("kqzvxjwpfhtrd.com");
    assert_eq!(probability("KQZVXJWPFHTRD.COM."), name);
    assert_eq!(probability("a.b.c.kqzvxjwpfhtrd.com"), name);
}

#[test]
fn what_has_no_label_to_judge_has_no_score() {
    for name in ["", "localhost", "10.0.0.1", "ab.com", "xn--bcher-kva.com"] {
        assert_eq!(probability(name), None, "{name}");
    }
}

#[test]
fn any_bytes_of_any_length_have_a_finite_score_or_none() {
    for label in
        ["\u{e9}\u{e9}\u{e9}\u{e9}", "-----", "00000000", &"a".repeat(63), &"z".repeat(64), "a\u{0}b\u{7f}cd"]
    {
        let probability = probability(&format!("{label}.com"));
        assert!(probability.is_none_or(|p| (0.0..=1.0).contains(&p)), "{label}");
    }
}

#[test]
fn a_drawing_program_fails_on_many_domains_and_a_search_path_on_none() {
    let mut failures = NameFailures::new(300 * SECOND);
    let drawn = ["kqzvxjwpfhtrd.com", "xjpqkvnhzgtw.ru", "wvtrkzqpxjdm.info"];
    let last = drawn.iter().zip(1..).map(|(name, at)| failures.push(at * SECOND, name)).last();
    assert_eq!(last, Some(Some(Failures { domains: 3, generated: 3 })));
    assert_eq!(failures.push(5 * SECOND, drawn[0]), None);
    for name in ["api.default.svc.cluster.local", "db.lan", "4.3.2.1.in-addr.arpa"] {
        assert_eq!(failures.push(6 * SECOND, name), None, "{name}");
    }
    let later = failures.push(400 * SECOND, "no-such-thing.org");
    assert_eq!(later, Some(Failures { domains: 1, generated: 0 }));
}

#[test]
fn failures_are_bounded() {
    let mut failures = NameFailures::new(u64::MAX);
    let most =
        (0..10_000).filter_map(|n| failures.push(n, &format!("domain{n}.com"))).map(|f| f.domains).max();
    assert_eq!(most, Some(64));
}
