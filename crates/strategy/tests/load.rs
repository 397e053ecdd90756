//! Loading: the good ones run, the broken ones are all named; the seeds are read as they stand.

use std::path::{Path, PathBuf};

use strategy::{Severity, lint, load};

const COMPLETE: &str = include_str!("documents/complete.md");

fn named(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

#[test]
fn a_complete_document_becomes_a_strategy() {
    let (strategies, found) = load(&[named("a.md", COMPLETE)]);
    assert!(found.is_empty(), "{found:?}");
    let strategy = &strategies[0];
    let document = &strategy.document;
    assert_eq!((document.items.len(), document.tests.len(), document.emulations.len()), (3, 4, 1));
    let head = strategy.head();
    assert_eq!(head.techniques[1].tactic_id, "TA0011");
    assert_eq!(head.techniques[0].name, "Application Layer Protocol");
    assert_eq!(head.first_response, "evidence: processes and sockets vanish with the container");
}

#[test]
fn broken_documents_are_all_named_and_the_good_ones_run() {
    let broken = COMPLETE.replacen("Image|endswith", "Imag|endswith", 1);
    let other = COMPLETE
        .replace("5b6d6d2e-6c0e-4d0c-9a55-0a6f5f6c7d11", "7b6d6d2e-6c0e-4d0c-9a55-0a6f5f6c7d11")
        .replace("0f5dcb2e-3c55-4f65-a3a0-3f4a1d2b9c01", "1f5dcb2e-3c55-4f65-a3a0-3f4a1d2b9c01")
        .replace("slug: plain-text-session", "slug: other");
    let incomplete = other.replacen("## Goal", "## Aim", 1);
    let documents = [
        named("good.md", COMPLETE),
        named("twin.md", COMPLETE),
        named("broken.md", &broken),
        named("part.md", &incomplete),
    ];
    let (strategies, found) = load(&documents);
    let paths: Vec<&str> = strategies.iter().map(|strategy| strategy.path.as_str()).collect();
    assert_eq!(paths, ["good.md", "part.md"]);
    for path in ["twin.md", "broken.md", "part.md"] {
        assert!(found.iter().any(|found| found.path == path), "{path}");
    }
    assert!(!found.iter().any(|found| found.path == "good.md"));
}

#[test]
fn the_seeds_are_read_as_they_stand_and_their_gaps_are_named() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("WATCHKEEPER_DATA").map_or_else(beside, PathBuf::from);
    let folder = data.join("../seeds");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED: no seeds in {}", folder.display());
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut preparation = 0;
    let mut without_validation = 0;
    let mut without_resources = 0;
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        let found = lint::lint(&path.display().to_string(), &text);
        for finding in &found {
            println!("{}", finding.render());
        }
        let has = |code: &str, word: &str| {
            usize::from(found.iter().any(|found| found.code.id == code && found.message.contains(word)))
        };
        assert_eq!(found.iter().filter(|found| found.code.id.starts_with("WK02")).count(), 0);
        assert_eq!(has("WK0101", ""), 1);
        assert!(found.iter().any(|found| found.severity == Severity::Error));
        preparation += found.iter().filter(|found| found.code.id == "WK0404").count();
        without_validation += has("WK0103", "Validation") + has("WK0106", "Validation");
        without_resources += has("WK0106", "Additional Resources");
    }
    assert_eq!((paths.len(), preparation, without_validation, without_resources), (3, 2, 2, 3));
}

#[test]
fn what_runs_is_the_same_without_tests_and_emulations() {
    let documents = [named("complete.md", COMPLETE)];
    let (whole, diagnostics) = strategy::load(&documents);
    let mut expected = whole[0].clone();
    assert!(!expected.document.tests.is_empty() && !expected.document.emulations.is_empty());
    expected.document.tests.clear();
    expected.document.emulations.clear();
    assert_eq!(strategy::load_to_run(&documents), (vec![expected], diagnostics));
}
