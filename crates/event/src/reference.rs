//! The field reference, generated from the catalogue.

use crate::event::{Class, SIGNALS};
use crate::field::Field;
use std::fmt::Write;

/// The reference as Markdown: signals, classes, fields.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Fields\n\nThis page is generated from the catalogue in `crates/event`; `cargo run --release -p xtask -- gen` writes it.\n\n\
         ## Signals\n\nWhat a strategy's `requires` may name.\n\n| signal | gives |\n|---|---|\n",
    );
    for (name, doc) in SIGNALS {
        let _ = writeln!(out, "| `{name}` | {doc} |");
    }
    out.push_str(
        "\n## Classes\n\nWhat a rule's `logsource.category` may name.\n\n| category | holds | signal | OCSF class |\n|---|---|---|---|\n",
    );
    for class in Class::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {} | `{}` | {} |",
            class.as_str(),
            class.doc().trim(),
            class.signal(),
            class.ocsf()
        );
    }
    out.push_str("\n## Fields\n\nWhat a rule may test. A field that an event does not have is null.\n\n| field | type | OCSF path | meaning |\n|---|---|---|---|\n");
    for field in Field::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            field.name(),
            field.type_name(),
            if field.ocsf().is_empty() { "–".to_owned() } else { format!("`{}`", field.ocsf()) },
            field.doc().trim()
        );
    }
    out
}
