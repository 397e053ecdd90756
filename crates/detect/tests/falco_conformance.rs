//! Falco's own loader tests come out as in Falco, and its rule sets load. Data: `$WATCHKEEPER_DATA/rules`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it found")]

mod over_json;

use detect::plain::{EventRules, Rejected};
use detect::{Fault, Placeholders};
use over_json::{json_rules, judged};
use std::path::{Path, PathBuf};
use strategy::falco::{Input, Priority, Rule, RuleSet, load};
use strategy::yaml::{self, Node};

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

fn load_files(paths: &[PathBuf]) -> RuleSet {
    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    load(&texts.iter().map(|(name, text)| Input { name, text }).collect::<Vec<_>>())
}

/// The process `cat /dev/null` of Falco's recording `cat_write.scap`, as far as the expectations of its tests tell it:
/// an exec, then opened files, `/dev/null` among them.
fn cat_writes() -> Vec<serde_json::Value> {
    let event = |evt_type: &str, file: Option<&str>| {
        let mut fields = serde_json::json!({
            "evt.type": evt_type, "proc.name": "cat", "proc.cmdline": "cat /dev/null", "proc.pname": "bash",
        });
        if let Some(file) = file {
            fields["fd.name"] = file.into();
        }
        serde_json::json!({ "output_fields": fields })
    };
    let libraries = ["/etc/ld.so.cache", "/lib/libc.so.6", "/usr/lib/locale/locale-archive"].repeat(2);
    let mut events = vec![event("execve", None), event("access", None), event("madvise", None)];
    events.extend(libraries.iter().map(|file| event("open", Some(file))));
    events.push(event("open", Some("/dev/null")));
    events.extend(["fstat", "read", "fadvise", "close", "write"].map(|call| event(call, Some("/dev/null"))));
    events.push(event("open", Some("/proc/self/maps")));
    events
}

fn text_of<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.entry(key).and_then(Node::text)
}

fn texts<'n>(node: &'n Node, key: &str) -> Vec<&'n str> {
    let items = node.entry(key).and_then(Node::sequence).unwrap_or_default();
    items.iter().filter_map(Node::text).collect()
}

/// A case of `_falco_tests*.yaml`.
struct Case<'n> {
    name: &'n str,
    node: &'n Node,
}

/// What a case came to.
enum Verdict {
    Right,
    Wrong(String),
    /// It tests no rules: options of the command, outputs, drivers.
    NotRules,
}

impl Case<'_> {
    fn judge(&self, root: &Path) -> Verdict {
        let files = |key| -> Vec<PathBuf> {
            texts(self.node, key).iter().map(|path| root.join(path.trim_start_matches("rules/"))).collect()
        };
        let refused = files("validate_rules_file");
        if !refused.is_empty() {
            return self.refusal(&refused);
        }
        let is_of_rules = self.node.entry("detect").is_some()
            && self.node.entry("conf_file").is_none()
            && self.node.entry("stderr_contains").is_none();
        if is_of_rules { self.detection(&files("rules_file")) } else { Verdict::NotRules }
    }

    /// The files must be refused, for the item that Falco names.
    fn refusal(&self, files: &[PathBuf]) -> Verdict {
        let set = load_files(files);
        let messages: Vec<&str> = set.errors.iter().map(|error| error.problem.message.as_str()).collect();
        let expected = self.node.entry("validate_errors").and_then(Node::sequence).unwrap_or_default();
        for one in expected {
            let name = text_of(one, "item_name").unwrap_or("");
            if !messages.iter().any(|message| message.contains(name)) {
                return Verdict::Wrong(format!("no error names `{name}`: {messages:?}"));
            }
        }
        if messages.is_empty() { Verdict::Wrong("accepted".to_owned()) } else { Verdict::Right }
    }

    /// The rules must load, and hold for the events of the recording as Falco's did.
    fn detection(&self, files: &[PathBuf]) -> Verdict {
        let set = load_files(files);
        if let Some(error) = set.errors.first() {
            return Verdict::Wrong(format!("refused: {}", error.problem.message));
        }
        let priority = text_of(self.node, "priority").and_then(Priority::by_name);
        let (run, without) = (texts(self.node, "run_tags"), texts(self.node, "disable_tags"));
        let tagged = |rule: &Rule, tags: &[&str]| rule.tags.iter().any(|tag| tags.contains(&tag.as_str()));
        let asked = |rule: &Rule| {
            priority.is_none_or(|least| rule.priority <= least)
                && (run.is_empty() || tagged(rule, &run))
                && !tagged(rule, &without)
        };
        let rules: Vec<Rule> = set.rules.into_iter().filter(asked).collect();
        let events = match text_of(self.node, "trace_file").unwrap_or("") {
            path if path.ends_with("open-multiple-files.scap") => opens(),
            path if path.ends_with("connect_localhost.scap") => vec![serde_json::json!({"output_fields":
                {"evt.type": "connect", "fd.net": "127.0.0.1", "proc.name": "curl"}})],
            _ => cat_writes(),
        };
        let matched = judged(&rules, &events);
        let detects = matched.iter().any(|found| !found.is_empty());
        if text_of(self.node, "detect") != Some(if detects { "true" } else { "false" }) {
            return Verdict::Wrong(format!("detects: {detects}"));
        }
        // With several rules per event Falco tells the first only, unless all events are asked for.
        let is_first_only = self.node.entry("all_events").is_none();
        let counts = self.node.entry("detect_counts").and_then(Node::sequence).unwrap_or_default();
        for (key, count) in counts.iter().filter_map(Node::mapping).flatten() {
            let holds = |found: &&Vec<usize>| {
                let names = found.iter().map(|at| rules[*at].name.as_str());
                if is_first_only {
                    names.take(1).any(|name| name == key.text)
                } else {
                    names.into_iter().any(|name| name == key.text)
                }
            };
            let found = matched.iter().filter(holds).count();
            let wanted: usize = count.text().unwrap().parse().unwrap();
            // How often a system call occurs in the recording is its own; whether it does is the rules'.
            let is_exact = wanted <= 1;
            if (found == 0) != (wanted == 0) || is_exact && found != wanted {
                return Verdict::Wrong(format!("`{}` {found} times, Falco {wanted}", key.text));
            }
        }
        Verdict::Right
    }
}

/// Thirteen files, each opened once.
fn opens() -> Vec<serde_json::Value> {
    let open = |n| {
        serde_json::json!({"output_fields": {
            "evt.type": "open", "evt.is_open_read": true, "fd.typechar": "f", "fd.name": format!("/tmp/file-{n}"),
        }})
    };
    (1..=13).map(open).collect()
}

#[test]
fn falcos_own_loader_tests_come_out_as_in_falco() {
    let Some(root) = data("falco_conformance") else { return };
    let (mut right, mut wrong, mut other) = (0, Vec::new(), Vec::new());
    for file in ["_falco_tests.yaml", "_falco_tests_exceptions.yaml"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let documents = yaml::parse(&strategy::source::Fragment::whole(&text)).unwrap();
        for (name, node) in documents[0].entry("trace_files").unwrap().mapping().unwrap() {
            let case = Case { name: &name.text, node };
            match case.judge(&root) {
                Verdict::Right => right += 1,
                Verdict::Wrong(reason) => wrong.push(format!("{}: {reason}", case.name)),
                Verdict::NotRules => other.push(case.name.to_owned()),
            }
        }
    }
    println!(
        "{right} of {} cases right; {} test no rules: {}",
        right + wrong.len(),
        other.len(),
        other.join(" ")
    );
    wrong.iter().for_each(|one| println!("wrong: {one}"));
    assert!(right * 100 >= 95 * (right + wrong.len()), "{wrong:#?}");
}

#[test]
fn files_that_falco_refuses_are_refused_and_the_others_load() {
    let Some(root) = data("falco_conformance") else { return };
    // Which files only append to a file that is not theirs, or are wrong only together with it.
    let needs_another = ["append_single_rule.yaml", "allow_user_some-user.yaml"];
    let is_refused = |name: &str| {
        name.starts_with("invalid_") && !["invalid_base_rule.yaml"].contains(&name)
            || ["engine_version_mismatch.yaml", "rule_exception_new_no_field_append.yaml"].contains(&name)
            || name.starts_with("item_")
    };
    let (mut files, mut wrong) = (0, Vec::new());
    for folder in ["", "exceptions", "k8s_audit", "k8s_audit/engine_v4", "plugins"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.unwrap().path()).filter(|p| p.is_file()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with('_') || name.ends_with(".md") || needs_another.contains(&name.as_str()) {
                continue;
            }
            let mut set_files = vec![path.clone()];
            if name == "double_rule.yaml" {
                set_files.insert(0, root.join("single_rule.yaml"));
            }
            let set = load_files(&set_files);
            files += 1;
            if is_refused(&name) == set.errors.is_empty() {
                let first = set.errors.first().map(|error| error.problem.message.clone());
                wrong.push(format!("{name}: {}", first.unwrap_or_else(|| "accepted".to_owned())));
            }
        }
    }
    println!("{} of {files} files right", files - wrong.len());
    wrong.iter().for_each(|one| println!("wrong: {one}"));
    assert!(wrong.len() * 20 <= files, "{wrong:#?}");
}

#[test]
fn falcos_rule_sets_load_and_say_what_runs() {
    let Some(root) = data("falco") else { return };
    for name in [
        "falco_rules.yaml",
        "falco-incubating_rules.yaml",
        "falco-sandbox_rules.yaml",
        "k8s_audit_rules.yaml",
    ] {
        let set = load_files(&[root.join(name)]);
        let messages: Vec<_> = set.errors.iter().map(|error| error.problem.message.clone()).collect();
        assert_eq!(messages, Vec::<String>::new(), "{name}");
        let enabled: Vec<Rule> =
            set.rules.iter().map(|rule| Rule { enabled: true, ..rule.clone() }).collect();
        let (json, refused) = json_rules(&enabled);
        for Rejected { item, fault } in &refused {
            // Bytes that are no text, which events cannot hold.
            assert!(fault.to_string().contains("no UTF-8"), "{}: {fault}", enabled[*item].name);
            println!("  over JSON: {}: {fault}", enabled[*item].name);
        }
        let (typed, rejected) = EventRules::with_falco(&[], &enabled, &Placeholders::new());
        let lacking: std::collections::BTreeSet<usize> = rejected.iter().map(|one| one.item).collect();
        let whole = enabled.len() - lacking.len();
        println!(
            "{name}: {} rules, {} over JSON, {whole} whole over typed events ({} class programs); warnings {}",
            enabled.len(),
            json.len(),
            typed.len(),
            set.warnings.len()
        );
        for warning in &set.warnings {
            println!("  warning: {}", warning.problem.message);
        }
        for Rejected { item, fault } in &rejected {
            assert!(matches!(fault, Fault::NoCounterpart(_) | Fault::Falco(_)), "{fault:?}");
            println!("  {}: {fault}", enabled[*item].name);
        }
    }
}
