//! A strategy document around a Sigma rule.

use super::{Draft, Imported, OPEN, fenced, line, mapped, quoted, uuid};
use crate::sigma::Rule;
use event::Class;
use event::alert::Severity;

/// The document around `rule`, which stands as `text` in its file and reads events of `classes`.
pub fn document(rule: &Rule, text: &str, classes: &[Class]) -> Imported {
    let head = &rule.head;
    let severity = head.level.unwrap_or(Severity::Medium);
    let mut yaml = text.trim().trim_start_matches("---").trim().to_owned();
    for (key, is_there) in [("observed", rule.observed.is_some()), ("expected", rule.expected.is_some())] {
        if !is_there {
            yaml.push_str(&format!("\n{key}: {}", quoted(&format!("{OPEN}: {key}"))));
        }
    }
    let level = match head.level {
        Some(level) => format!("the Sigma rule's level is {}", level.as_str()),
        None => "the Sigma rule has no level".to_owned(),
    };
    let description = head.description.clone().unwrap_or_else(|| format!("{OPEN}: say what it finds."));
    let mut signals: Vec<&str> = classes.iter().map(|class| class.signal()).collect();
    signals.sort_unstable();
    signals.dedup();
    let draft = Draft {
        title: &head.title,
        id: uuid("sigma", head.id.as_deref().unwrap_or(&head.title)),
        severity,
        attack: mapped(&head.tags),
        signals,
        goal: &description,
        strategy: format!(
            "Imported from the Sigma rule \"{}\". {OPEN}: say which events are collected, and how they are judged.\n\n{}",
            line(&head.title),
            fenced("yaml sigma", &yaml)
        ),
        priority: format!(
            "The severity is `{}`: {level}.\n\n{OPEN}: say why, for this environment.",
            severity.as_str()
        ),
        false_positives: &head.falsepositives,
        references: &head.references,
    };
    Imported { slug: draft.slug(), text: draft.text(), untranslated: Vec::new() }
}
