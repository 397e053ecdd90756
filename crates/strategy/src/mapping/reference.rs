//! The reference of log sources and names, generated from the tables.

use super::{Code, Events, Given, Key, Meaning, Name, SOURCES, own};
use event::{Class, Field};
use std::fmt::Write;

/// The reference as Markdown: log sources, then the names of each.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Log sources and fields of Sigma rules\n\nThis page is generated from the tables in `crates/strategy`; \
         `cargo run --release -p xtask -- gen` writes it. docs/sigma.md says how a rule is read with them.\n\n\
         ## Own log sources\n\n`category` is a class of [fields.md](fields.md) or one of these; `product` is missing, or one of ",
    );
    let products: Vec<String> = own::PRODUCTS.iter().map(|product| format!("`{product}`")).collect();
    let _ = writeln!(out, "{}.\n\n| category | events |\n|---|---|", products.join(", "));
    for (category, class, operations) in own::PARTS {
        let _ = writeln!(out, "| `{category}` | `{}`: {} |", class.as_str(), words(operations));
    }
    let _ = writeln!(out, "\n| name | means |\n|---|---|");
    own::SYSMON.iter().for_each(|row| line(&mut out, row));
    out.push_str("\n## Log sources of other products\n\n| log source | events |\n|---|---|\n");
    for source in SOURCES {
        let given = match source.given {
            Given::Events(events) => events
                .iter()
                .map(|events| format!("`{}`", events.class.as_str()))
                .collect::<Vec<_>>()
                .join(", "),
            Given::Nothing(reason) => format!("none: {reason}"),
        };
        let _ = writeln!(out, "| {} | {given} |", said(&source.key));
    }
    // Log sources that are read alike are told once.
    let mut told: Vec<(Vec<(Class, String)>, &Key)> = Vec::new();
    for source in SOURCES {
        let Given::Events(events) = source.given else { continue };
        let parts: Vec<(Class, String)> = events.iter().map(|events| (events.class, body(events))).collect();
        if let Some((_, same)) = told.iter().find(|(own, _)| *own == parts) {
            let _ = writeln!(out, "\n### {}\n\nAs {}.", said(&source.key), said(same));
            continue;
        }
        for (class, part) in &parts {
            let _ = write!(out, "\n### {}: `{}`\n\n{part}", said(&source.key), class.as_str());
        }
        told.push((parts, &source.key));
    }
    out
}

/// What names mean in `events`.
fn body(events: &Events) -> String {
    let mut out = String::new();
    if !events.operations.is_empty() {
        let _ = writeln!(out, "Operations: {}.\n", words(events.operations));
    }
    out.push_str("| name | means |\n|---|---|\n");
    events.names.iter().flat_map(|names| names.iter()).for_each(|row| line(&mut out, row));
    if !events.text.is_empty() {
        let _ = writeln!(out, "| keywords | anywhere in {} |", fields(events.text));
    }
    out
}

fn said(key: &Key) -> String {
    let parts = [("product", key.product), ("category", key.category), ("service", key.service)];
    let named = parts.into_iter().filter(|(_, said)| !said.is_empty() && *said != "*");
    named.map(|(part, said)| format!("{part} `{said}`")).collect::<Vec<_>>().join(", ")
}

fn line(out: &mut String, row: &Name) {
    let meaning = match row.meaning {
        Meaning::Fields(some) => fields(some),
        Meaning::Words(some, _) => format!("always {}", words(some)),
        Meaning::Coded(field, codes, _) => {
            let each = codes.iter().map(|(word, codes)| {
                let codes: Vec<String> = codes.iter().map(|code| value(*code)).collect();
                format!("; `{word}`: {}", codes.join(", "))
            });
            format!("`{}`{}", field.name(), each.collect::<String>())
        }
        Meaning::Call => "the class and operation that stand for the system call".to_owned(),
        Meaning::Missing(reason) => format!("nothing: {reason}"),
    };
    let _ = writeln!(out, "| `{}` | {meaning} |", row.name);
}

fn value(code: Code) -> String {
    match code {
        Code::Text(text) => format!("`{text}`"),
        Code::Number(number) => format!("{number}"),
        Code::From(number) => format!("{number} or more"),
        Code::Below(number) => format!("below {number}"),
        Code::Bool(flag) => format!("`{flag}`"),
        Code::Null => "no value".to_owned(),
    }
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn fields(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(" or ")
}
