//! Every record is read, or is none of an audit log and counted apart by the log that it is of.

use crate::{data, files, read};
use sense::kubernetes_audit;
use std::collections::BTreeMap;

/// Which log a record of panther-analysis is of, where that is no audit log of Kubernetes.
pub fn other_log(event: &serde_json::Value) -> Option<&'static str> {
    let has = |name: &str| event.get(name).is_some();
    let method = event.pointer("/protoPayload/methodName").and_then(|method| method.as_str());
    let permission =
        event.pointer("/protoPayload/authorizationInfo/0/permission").and_then(|name| name.as_str());
    let of_kubernetes = [method, permission].into_iter().flatten().any(|name| name.starts_with("io.k8s."));
    match event {
        _ if has("protoPayload") => (!of_kubernetes).then_some("Google's audit log of another service"),
        _ if has("operationName") && event.pointer("/properties/log").is_none() => {
            Some("Azure's activity log")
        }
        _ if has("columns") && has("action") => Some("osquery"),
        _ if has("operation") && !has("verb") => Some("an entry of Google's log without its payload"),
        _ => None,
    }
}

#[test]
fn every_record_is_read() {
    let Some(root) = data("k8s_audit") else { return };
    let (mut read_records, mut unread) = (0, Vec::new());
    let mut apart: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut take = |name: String, line: &str| match kubernetes_audit::events(line) {
        Ok(_) => read_records += 1,
        Err(error) => unread.push(format!("{name}: {error}")),
    };
    for path in files(&root.join("audit2rbac"), "log") {
        read(&path)
            .lines()
            .enumerate()
            .for_each(|(at, line)| take(format!("{}:{}", path.display(), at + 1), line));
    }
    for path in ["falco", "falco_psp"].iter().flat_map(|folder| files(&root.join(folder), "json")) {
        let text = read(&path);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Falco's own proof that a record which is none harms nothing.
        if name == "fal_01_003.json" {
            apart.entry("no event at all: `kind` is a number".into()).or_default().push(name);
            continue;
        }
        text.lines().filter(|line| !line.is_empty()).for_each(|line| take(name.clone(), line));
    }
    for line in read(&root.join("panther/cases.jsonl")).lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = case["id"].as_str().unwrap().to_owned();
        match other_log(&case["event"]) {
            Some(log) => apart.entry(log.into()).or_default().push(name),
            None => take(name, &case["event"].to_string()),
        }
    }
    println!("{read_records} records read, {} not", unread.len());
    apart.iter().for_each(|(log, names)| println!("apart, {log}: {}: {}", names.len(), names.join(", ")));
    assert_eq!(unread, Vec::<String>::new());
    assert!(read_records > 0);
}
