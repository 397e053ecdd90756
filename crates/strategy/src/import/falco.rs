//! A strategy document of a Falco rule.

use super::translate::{self, Translation};
use super::{Draft, Imported, OPEN, fenced, line, mapped, quoted, uuid};
use crate::falco::{Rule, expression, typed};
use event::{Class, Field};

/// The document of `rule`, of which `typed` can run; `condition` is its text as it was written.
pub fn document(rule: &Rule, typed: &typed::Typed) -> Imported {
    let mut rules = Vec::new();
    let mut untranslated = Vec::new();
    for (class, plan) in &typed.runs {
        match translate::detection(plan) {
            Ok(translation) => rules.push(sigma(rule, *class, typed.runs.len(), &translation)),
            Err(reasons) => untranslated.extend(reasons),
        }
    }
    untranslated.sort();
    untranslated.dedup();
    // A rule without one of its conditions would be another rule.
    if !untranslated.is_empty() {
        rules.clear();
    }
    let mut signals: Vec<&str> = typed.runs.iter().map(|(class, _)| class.signal()).collect();
    signals.sort_unstable();
    signals.dedup();
    let draft = Draft {
        title: &rule.name,
        id: uuid("falco", &rule.name),
        severity: rule.priority.level(),
        attack: mapped(&rule.tags),
        signals,
        goal: &rule.desc,
        strategy: strategy(rule, &rules, &untranslated),
        priority: format!(
            "The severity is `{}`: the Falco rule's priority is {}.\n\n{OPEN}: say why, for this environment.",
            rule.priority.level().as_str(),
            rule.priority.as_str()
        ),
        false_positives: &[],
        references: &[],
    };
    Imported { slug: draft.slug(), text: draft.text(), untranslated }
}

fn strategy(rule: &Rule, rules: &[String], untranslated: &[String]) -> String {
    let mut text = format!(
        "Imported from the Falco rule \"{}\". {OPEN}: say which events are collected, and how they are judged.\n\n",
        line(&rule.name)
    );
    if rules.is_empty() {
        text.push_str(
            "Sigma cannot say the rule's condition exactly, so the rule is still to be written:\n\n",
        );
        for reason in untranslated {
            text.push_str(&format!("* {}\n", line(reason)));
        }
        text.push_str("\nThe condition, with its macros and lists written out:\n\n");
        text.push_str(&fenced("text", &expression::text(&rule.condition)));
    } else {
        text.push_str(&fenced("yaml sigma", &rules.join("---\n")));
    }
    text
}

fn sigma(rule: &Rule, class: Class, classes: usize, translation: &Translation) -> String {
    let suffix = if classes > 1 { format!(" ({})", class.as_str()) } else { String::new() };
    let title = format!("{}{suffix}", rule.name);
    let tags: String = mapped(&rule.tags)
        .iter()
        .map(|(_, technique)| format!("  - attack.{}\n", technique.to_ascii_lowercase()))
        .collect();
    let tags = if tags.is_empty() { String::new() } else { format!("tags:\n{tags}") };
    format!(
        "title: {}\nid: {}\nname: {}\nstatus: experimental\ndescription: {}\nlevel: {}\n{tags}observed: {}\nexpected: {}\nlogsource:\n  category: {}\ndetection:\n{}  condition: {}\n",
        quoted(&title),
        uuid("falco-rule", &title),
        name(&title),
        quoted(&line(&rule.desc)),
        rule.priority.level().as_str(),
        quoted(&observed(rule, class)),
        quoted(&format!("{OPEN}: what would have been normal")),
        class.as_str(),
        translation.searches,
        translation.condition,
    )
}

/// The word by which tests call the rule.
fn name(title: &str) -> String {
    let letters = title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    letters.collect::<String>().split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

/// The rule's output as a sentence over the catalogue; a field without a counterpart stays as `<field>`.
fn observed(rule: &Rule, class: Class) -> String {
    let mut text = String::new();
    let output = line(&rule.output).replace('{', "{{").replace('}', "}}");
    let mut parts = output.split('%');
    text.push_str(parts.next().unwrap_or(""));
    for part in parts {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
        let end = part.find(|letter| !is_name(letter)).unwrap_or(part.len());
        let name = part.get(..end).unwrap_or("").trim_end_matches('.');
        let rest = part.get(name.len()..).unwrap_or("");
        let (argument, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((argument, rest)) => (Some(argument), rest),
            None => (None, rest),
        };
        match typed::field(class, name, argument).map(Field::name) {
            Some(field) => text.push_str(&format!("{{{field}}}")),
            None => text.push_str(&format!("<{name}>")),
        }
        text.push_str(rest);
    }
    text
}
