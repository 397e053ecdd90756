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

/// Codes with their hints after one replacement.
fn hints(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(COMPLETE.contains(from), "{from} is not in the document");
    let found = lint("a.md", &COMPLETE.replacen(from, to, 1));
    found.iter().map(|found| (found.code.id, found.hint.clone().unwrap_or_default())).collect()
}

#[test]
fn headings_of_the_first_level_are_read_too() {
    let text = COMPLETE.replace("\n## ", "\n# ");
    let found: Vec<_> = lint("a.md", &text).iter().map(|found| found.code.id).collect();
    assert_eq!(found, ["WK0108"; 10]);
}

#[test]
fn signals_that_no_sensor_gives_and_signals_that_nothing_requires_are_named() {
    assert_eq!(codes("requires: [process, network]", "requires: [process, network, metric]"), ["WK0113"]);
    assert_eq!(codes("category: network_connection", "category: metric"), ["WK0113"]);
    assert_eq!(codes("requires: [process, network]", "requires: [process]"), ["WK0114"]);
    // An assumption that needs the signal is enough.
    assert_eq!(codes("requires: [process, network]", "requires: [network]"), [""; 0]);
}

#[test]
fn negation_of_what_a_process_claims_is_a_warning() {
    const SEARCH: &str = "  condition: selection\n---";
    let check = |search: &str, condition: &str, expect: &[&str]| {
        let to = format!("  other:\n    {search}\n  condition: {condition}\n---");
        assert_eq!(codes(SEARCH, &to), expect, "{search}; {condition}");
    };
    check("CommandLine|contains: safe", "selection and not other", &["WK0315"]);
    check("CommandLine|contains: safe", "selection and not 1 of oth*", &["WK0315"]);
    check("CommandLine|contains: safe", "selection and not (not other)", &[]);
    check("CommandLine|contains: safe", "selection and other", &[]);
    check("CommandLine|neq: safe", "selection and other", &["WK0315"]);
    check("CommandLine|exists: true", "selection and not other", &[]);
    check("Image: /usr/bin/telnet", "selection and not other", &[]);
    check("Image|fieldref: process.requested_path", "selection and not other", &["WK0315"]);
    check("fact.command_text|contains: ok", "selection and not other", &["WK0315"]);
}

#[test]
fn a_filter_that_lets_claims_pass_is_a_warning() {
    let filter = "title: Known tools\nname: known-tools\nlogsource: {category: process_creation}\n\
                  filter:\n  rules: [telnet-client]\n  known:\n    CommandLine|contains: ok\n  condition: not known\n---\n";
    let at = "title: Connection to an unregistered port";
    assert_eq!(codes(at, &format!("{filter}{at}")), ["WK0315"]);
}

#[test]
fn tags_of_rules_name_what_attack_and_the_front_matter_have() {
    let tags = |tags: &str| hints("level: high\n", &format!("level: high\ntags: [{tags}]\n"));
    assert_eq!(tags("attack.t1071, attack.command-and-control, attack.g0016, tlp.clear"), []);
    assert_eq!(tags("attack.t1059")[0].0, "WK0407");
    assert_eq!(tags("attack.execution")[0].0, "WK0407");
    assert_eq!(tags("attack.t9999")[0].0, "WK0401");
    let (code, hint) = &tags("attack.t1562.001")[0];
    assert_eq!(*code, "WK0402");
    assert!(hint.contains("T1685"), "{hint}");
    let (code, hint) = &tags("attack.defense_evasion")[0];
    assert_eq!(*code, "WK0401");
    assert!(hint.contains("stealth") && hint.contains("defense-impairment"), "{hint}");
}

#[test]
fn the_technique_of_an_emulation_is_checked() {
    let (code, hint) = &hints("technique: T1071\n", "technique: T1562.004\n")[0];
    assert_eq!(*code, "WK0402");
    assert!(hint.contains("T1686"), "{hint}");
}

#[test]
fn exceptions_have_names_of_their_own() {
    let window = "window: {days: [mon, tue], from: \"08:00\", until: \"18:00\"}\n";
    let twin = format!(
        "{window}---\nid: debug-image\nscope: {{container: a}}\nowner: a\nreason: b\nexpires: 2027-06-30\n"
    );
    assert_eq!(codes(window, &twin), ["WK0609"]);
}

#[test]
fn each_false_positive_without_a_silent_test_is_named_at_its_place() {
    let from = "- A network engineer debugs by hand.";
    assert_eq!(
        after(from, "- one\n- two\n- three"),
        [("WK0504", line_of(from) + 1), ("WK0504", line_of(from) + 2)]
    );
    let block = "   ```jsonl test expect=none\n   {\"kind\": {\"exec\": {\"path\": \"/a\"}}}\n   ```";
    assert_eq!(after(from, &format!("- one\n- two\n\n{block}\n- three")), [("WK0504", line_of(from) + 6)]);
}

#[test]
fn without_front_matter_the_tactics_of_the_prose_count() {
    let text = "## Categorization\nTactic: Impact. T1071\n";
    let found: Vec<_> = lint("a.md", text).iter().map(|found| found.code.id).collect();
    assert!(found.contains(&"WK0403"), "{found:?}");
    let found = lint("a.md", &text.replace("Impact", "Command and Control"));
    assert!(found.iter().all(|found| found.code.id != "WK0403"), "{found:?}");
}

#[test]
fn names_of_the_log_source_are_known_and_a_slip_in_one_is_mended() {
    const RULE: &str = "logsource: {category: process_creation, product: linux}\ndetection:\n  selection:\n    Image|endswith: /telnet";
    let audit = |search: &str| {
        let to = format!("logsource: {{product: linux, service: auditd}}\ndetection:\n  selection: {search}");
        hints(RULE, &to)
    };
    assert_eq!(audit("{type: EXECVE, a0: telnet}"), []);
    // A field of the catalogue may be asked of any record.
    let log = ("WK0114", "add `log` to `requires`, or to an assumption's `needs`".to_owned());
    assert_eq!(audit("{type: EXECVE, Image: /x}"), [log.clone(), log.clone(), log]);
    assert_eq!(audit("{type: EXECVE, nametyp: x}"), [("WK0305", "did you mean `nametype`?".to_owned())]);
    assert_eq!(audit("{type: EXECVE, Imag: x}"), [("WK0305", "did you mean `Image`?".to_owned())]);
    let found = |search: &str| audit(search).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(found("{type: PATH, name: /x}"), ["WK0114"], "files are not required");
    assert_eq!(found("[{type: EXECVE, a0: telnet}, {SYSCALL: sysinfo}]"), ["WK0317"]);
    assert_eq!(found("{type: EXECVE, a0|neq: telnet}"), ["WK0114", "WK0114", "WK0114", "WK0315"]);
    // The names are those of their log source only.
    assert_eq!(codes("    Image|endswith", "    a0|endswith"), ["WK0305"]);
    assert_eq!(codes("category: process_creation", "category: file_change"), ["WK0114"]);
    assert_eq!(codes("category: process_creation", "category: proxy"), ["WK0114"]);
    assert_eq!(codes("category: process_creation", "category: antivirus"), ["WK0314"]);
}
