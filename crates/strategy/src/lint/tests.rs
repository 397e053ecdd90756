use super::*;

const COMPLETE: &str = include_str!("../../tests/documents/complete.md");

/// Codes and lines of what is found in the complete document after one replacement.
fn after(from: &str, to: &str) -> Vec<(&'static str, usize)> {
    assert!(COMPLETE.contains(from), "{from} is not in the document");
    lint("a.md", &COMPLETE.replacen(from, to, 1)).iter().map(|found| (found.code.id, found.line)).collect()
}

fn line_of(text: &str) -> usize {
    COMPLETE.split(text).next().unwrap().lines().count()
        + usize::from(COMPLETE.contains(&format!("\n{text}")))
}

fn codes(from: &str, to: &str) -> Vec<&'static str> {
    after(from, to).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_complete_document_has_no_finding() {
    let found = lint("a.md", COMPLETE);
    let shown: String = found.iter().map(Diagnostic::render).collect();
    assert!(found.is_empty(), "{shown}");
}

#[test]
fn findings_point_at_lines_of_the_document() {
    let check = |from: &str, to: &str, code: &'static str| {
        assert_eq!(after(from, to), [(code, line_of(from))], "{from} -> {to}");
    };
    check("    Image|endswith", "    Imag|endswith", "WK0305");
    check("  condition: selection\n---", "  condition: selektion and selection\n---", "WK0303");
    check("needs: [process]", "needs: [proces]", "WK0606");
    check("{action: quarantine,", "{action: quarantin,", "WK0602");
    check("requires: [process, network]", "requires: [process, netwrk]", "WK0110");
    check("expires: 2027-06-30", "expires: 2027-02-30", "WK0205");
    check("technique: T1571}", "technique: T1562}", "WK0402");
    check("support: 1", "suport: 1", "WK0205");
    check("owners: [detection]", "ownres: [detection]", "WK0102");
    check("```yaml analytic", "```yaml analytics", "WK0203");
    check("```yaml analytic", "```yaml playbook", "WK0204");
    check("attack_version: 19", "attack_version: 18.1", "WK0406");
    check("{tactic: TA0011, technique: T1571}", "{tactic: impact, technique: T1571}", "WK0403");
    check("\"+1s\", \"repeat\"", "\"soon\", \"repeat\"", "WK0501");
}

#[test]
fn documents_that_lack_something_say_what() {
    assert_eq!(codes("## Goal\n", "## Goals\n"), ["WK0103"]);
    assert_eq!(codes("Telnet gives a shell on whatever listens.", ""), ["WK0104"]);
    assert_eq!(codes("Telnet gives a shell on whatever listens.", "TODO: write"), ["WK0106"]);
    assert_eq!(codes("ATT&CK T1571.\n", "- None available\n"), ["WK0106"]);
    assert_eq!(codes("## Technical Context", "## Goal"), ["WK0103", "WK0107"]);
    assert_eq!(codes("## Priority", "# Priority"), ["WK0108"]);
    assert_eq!(codes("High: nobody", "Nobody"), ["WK0112"]);
    assert_eq!(codes("expect=telnet-client name=exec", "expect=none"), ["WK0503"]);
    assert_eq!(codes("- A network engineer debugs by hand.", "- one\n- two"), ["WK0504"]);
    assert_eq!(codes("expect=odd-port-repeated", "expect=odd-port"), ["WK0503", "WK0502"]);
    assert_eq!(codes("observed: \"{Image} was started as {CommandLine}\"\n", ""), ["WK0308"]);
    assert_eq!(codes("{Image} was", "{Imagee} was"), ["WK0305"]);
    assert_eq!(codes("rules: [odd-port]", "rules: [odd-prot]"), ["WK0503", "WK0306"]);
    assert_eq!(codes("rules: [odd-port]", "rules: [odd-port-repeated]"), ["WK0503", "WK0312"]);
    assert_eq!(codes("technique: T1071}", "technique: T1583.006}"), ["WK0403", "WK0404"]);
    assert_eq!(codes("technique: T1071}", "technique: T1059.002}"), ["WK0403", "WK0405"]);
    assert_eq!(
        codes("scope: {image: \"registry.local/debug:*\", fields: {User: [\"0\", \"1000\"]}}", "scope: {}"),
        ["WK0205"]
    );
}

#[test]
fn validation_may_precede_priority() {
    let priority_at = COMPLETE.find("## Priority").unwrap();
    let validation_at = COMPLETE.find("## Validation").unwrap();
    let response_at = COMPLETE.find("## Response").unwrap();
    let swapped = [
        &COMPLETE[..priority_at],
        &COMPLETE[validation_at..response_at],
        &COMPLETE[priority_at..validation_at],
        &COMPLETE[response_at..],
    ]
    .concat();
    assert_eq!(lint("a.md", &swapped), []);
    let misplaced =
        [&COMPLETE[..priority_at], &COMPLETE[response_at..], &COMPLETE[priority_at..response_at]].concat();
    let found: Vec<_> = lint("a.md", &misplaced).iter().map(|found| found.code.id).collect();
    assert_eq!(found, ["WK0105", "WK0105"]);
}

#[test]
fn all_findings_of_a_document_come_at_once() {
    let broken = COMPLETE
        .replacen("Image|endswith", "Image|endwith", 1)
        .replacen("{gte: 2}", "{gte: two}", 1)
        .replacen("action: evidence", "action: evidense", 1)
        .replacen("ads: 1", "ads: 2", 1);
    let found: Vec<_> = lint("a.md", &broken).iter().map(|found| found.code.id).collect();
    for code in ["WK0102", "WK0301", "WK0302", "WK0602"] {
        assert!(found.contains(&code), "{code} is not in {found:?}");
    }
}

#[test]
fn any_text_is_read_without_a_panic() {
    for (at, _) in COMPLETE.char_indices() {
        let (head, tail) = COMPLETE.split_at(at);
        lint("a.md", head);
        if at % 7 == 0 {
            lint("a.md", &format!("{head}\u{1b}[{{*&!\t`{tail}"));
        }
    }
    for text in
        ["", "---\n---\n", "---\n", "## Goal", "```yaml sigma\n```", "\u{feff}---\nads: 1\n---\n", "\0"]
    {
        lint("a.md", text);
    }
}

#[test]
fn documents_with_crlf_keep_their_lines() {
    let text = COMPLETE.replacen("    Image|endswith", "    Imag|endswith", 1).replace('\n', "\r\n");
    let found = lint("a.md", &text);
    assert_eq!(
        found.iter().map(|found| (found.code.id, found.line)).collect::<Vec<_>>(),
        [("WK0305", line_of("    Image|endswith"))]
    );
}
