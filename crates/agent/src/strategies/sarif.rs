//! Findings as SARIF 2.1.0 (OASIS standard, 27 March 2020), as code hosts and editors read it.
//!
//! In: findings and the paths that were examined. Out: one log with one run: all checks as rules with their help, each
//! finding as a result with its place. Columns count characters, lines and columns from 1.

use serde_json::{Value, json};
use strategy::diagnostic::codes;
use strategy::{Diagnostic, Severity};

/// Where the standard keeps its schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log.
pub fn log<'p>(diagnostics: &[Diagnostic], paths: impl Iterator<Item = &'p str>) -> Value {
    let artifacts: Vec<Value> = paths.map(|path| json!({"location": {"uri": uri(path)}})).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "watchkeeper",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes::ALL.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "artifacts": artifacts,
            "results": diagnostics.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &codes::Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": {"text": code.summary},
        "help": {"text": code.help},
        "defaultConfiguration": {"level": level(code.severity)},
    })
}

fn result(one: &Diagnostic) -> Value {
    let text = match &one.hint {
        Some(hint) => format!("{} (hint: {hint})", one.message),
        None => one.message.clone(),
    };
    json!({
        "ruleId": one.code.id,
        "ruleIndex": codes::ALL.iter().position(|code| code.id == one.code.id),
        "level": level(one.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&one.path)},
            "region": {
                "startLine": one.line,
                "startColumn": one.column,
                "endLine": one.line,
                "endColumn": one.column + one.width,
                "snippet": {"text": one.source_line},
            },
        }}],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a URI reference (RFC 3986): relative ones stay relative.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    let path = path.strip_prefix("./").unwrap_or(path);
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_point_at_their_rule_and_place() {
        let found = strategy::lint::lint("a b.md", "---\nads: 1\n---\n");
        let log = log(&found, ["a b.md"].into_iter());
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(run["results"].as_array().unwrap().len(), found.len());
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            let rule = &run["tool"]["driver"]["rules"][index];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%20b.md");
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            assert!(place["region"]["endColumn"].as_u64() > place["region"]["startColumn"].as_u64());
        }
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("/a/ü.md"), "file:///a/%C3%BC.md");
        assert_eq!(uri("./x:y.md"), "x%3Ay.md");
    }
}
