//! SigmaHQ's rules load, and match the events that were recorded for them. Data: `$WATCHKEEPER_DATA/rules`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it found")]

use detect::plain::{EventRules, JsonRules, JsonScratch};
use detect::{Fault, Placeholders};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strategy::sigma::{Item, read_str};

/// The folder of the data, where it is there.
fn data(part: &str) -> Option<PathBuf> {
    let root = std::env::var("WATCHKEEPER_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into());
    let path = Path::new(&root).join("rules").join(part);
    if path.is_dir() {
        return Some(path);
    }
    println!("SKIPPED: no data at {}", path.display());
    None
}

/// The files below `root` with this extension, in the order of their paths.
fn files(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rules(files: &[PathBuf]) -> Vec<Item> {
    let read = |path: &PathBuf| {
        let (items, problems) = read_str(&std::fs::read_to_string(path).unwrap());
        assert_eq!(problems, [], "{}", path.display());
        items
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn every_rule_of_sigmahq_loads() {
    let Some(root) = data("sigma/rules") else { return };
    let items = rules(&files(&root, "yml"));
    assert_eq!(items.len(), 1917);
    let (json, rejected) = JsonRules::new(&items, &Placeholders::new());
    assert_eq!(rejected, []);
    assert_eq!(json.len(), items.len());
}

/// Which rules of a folder run over typed events.
#[derive(Default)]
struct Told {
    whole: usize,
    partly: usize,
    /// By fault: the files of the rules that do not run, or not in all that they are about.
    faults: BTreeMap<String, Vec<String>>,
}

/// What of SigmaHQ's rules runs over typed events, by folder, and by reason what does not.
fn told(root: &Path) -> BTreeMap<String, Told> {
    let mut by_folder: BTreeMap<String, Told> = BTreeMap::new();
    for path in files(root, "yml") {
        let part = path.strip_prefix(root).unwrap();
        let folders: Vec<&str> = part.parent().unwrap().iter().map(|name| name.to_str().unwrap()).collect();
        let told =
            by_folder.entry(folders.iter().take(2).copied().collect::<Vec<_>>().join("/")).or_default();
        for item in rules(std::slice::from_ref(&path)) {
            let (typed, rejected) = EventRules::new(&[item], &Placeholders::new());
            match (typed.is_empty(), rejected.is_empty()) {
                (false, true) => told.whole += 1,
                (false, false) => told.partly += 1,
                (true, _) => assert_eq!(rejected.len(), 1, "{}", path.display()),
            }
            for one in rejected {
                let known = matches!(
                    one.fault,
                    Fault::UnknownLogsource { .. } | Fault::Unsourced(_) | Fault::UnknownField(_)
                );
                assert!(known, "{}: {one:?}", path.display());
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                told.faults.entry(one.fault.to_string()).or_default().push(name);
            }
        }
    }
    by_folder
}

#[test]
fn rules_run_over_typed_events_or_are_listed_with_the_reason() {
    let Some(root) = data("sigma/rules") else { return };
    let by_folder = told(&root);
    for (folder, told) in &by_folder {
        let none: usize = told.faults.values().map(Vec::len).sum::<usize>() - told.partly;
        println!("{folder}: {} run, {} run in part, {none} do not run", told.whole, told.partly);
        for (fault, names) in &told.faults {
            let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
            let more = if names.len() > shown.len() { ", …" } else { "" };
            println!("    {fault}: {} ({}{more})", names.len(), shown.join(", "));
        }
    }
    let whole: usize = by_folder.values().map(|told| told.whole).sum();
    let partly: usize = by_folder.values().map(|told| told.partly).sum();
    println!("{whole} rules run over typed events, {partly} in part");
    // What has a sensor runs, but for what the lists above name.
    for (folder, at_least) in [
        ("linux/process_creation", 122),
        ("linux/file_event", 8),
        ("linux/network_connection", 5),
        ("linux/auditd", 49),
        ("linux/builtin", 22),
        ("network/dns", 7),
        ("network/zeek", 8),
        ("web/proxy_generic", 28),
        ("web/webserver_generic", 13),
        ("application/kubernetes", 16),
    ] {
        let whole = by_folder.get(folder).map_or(0, |told| told.whole);
        assert!(whole >= at_least, "{folder}: {whole} of {at_least}");
    }
    assert!(partly >= 1, "{partly}");
}

#[test]
fn every_recorded_act_matches_its_rule_at_least_as_often_as_said() {
    let Some(root) = data("sigma_regression") else { return };
    let mut cases = 0;
    for file in files(&root, "json") {
        let case = file.parent().unwrap();
        let (rules, rejected) = JsonRules::new(&rules(&[case.join("rule.yml")]), &Placeholders::new());
        assert_eq!(rejected, [], "{}", case.display());
        let info = std::fs::read_to_string(case.join("info.yml")).unwrap();
        let expect = info.lines().find_map(|line| line.trim().strip_prefix("match_count:"));
        let expect: Option<usize> = expect.map(|count| count.trim().parse().unwrap());
        let text = std::fs::read_to_string(&file).unwrap();
        let mut rest = text.trim();
        let (mut scratch, mut matches) = (JsonScratch::default(), 0);
        while !rest.is_empty() {
            let (matched, length) = rules.judge(rest.as_bytes(), &mut scratch).unwrap();
            matches += matched.len();
            rest = rest[length..].trim_start();
        }
        // Recordings hold what belongs to the act as well, and some of it matches too.
        assert!(matches >= expect.unwrap_or(1), "{}: {matches} of {expect:?}", case.display());
        cases += 1;
    }
    println!("{cases} cases match");
    assert!(cases > 80, "{cases}");
}

#[test]
fn the_index_over_all_rules_leaves_out_none_that_holds() {
    let (Some(root), Some(events)) = (data("sigma/rules"), data("sigma_regression")) else { return };
    let mut items = rules(&files(&root, "yml"));
    items.extend(rules(
        &files(&events, "yml").into_iter().filter(|path| path.ends_with("rule.yml")).collect::<Vec<_>>(),
    ));
    let (together, _) = JsonRules::new(&items, &Placeholders::new());
    let mut scratch = JsonScratch::default();
    for file in files(&events, "json") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (matched, length) = together.judge(rest.as_bytes(), &mut scratch).unwrap();
            let matched = matched.to_vec();
            assert_eq!(matched, together.judge_each(rest.as_bytes()).unwrap(), "{}", file.display());
            rest = rest[length..].trim_start();
        }
    }
}
