//! MISP: the attributes of an event.
//!
//! In: an event with its attributes and those of its objects. Out: the indicators among the attributes that are meant for
//! detection (`to_ids`). Others tell the story of the event and are passed over.
//! Source: MISP core format (draft-dulaunoy-misp-core-format), §2.4.
//!
//! | type | is compared as |
//! |---|---|
//! | `ip-src`, `ip-dst`, and with `|port` | address, network |
//! | `domain`, `hostname`, `hostname|port`, `domain|ip` | name; and address |
//! | `url`, `link` | URL |
//! | `sha256`, `filename|sha256`, `malware-sample|sha256` | digest |

use super::json::{list, text};
use super::{Builder, NotUnderstood, indicator};
use serde_json::Value;

/// Adds the indicators of an event.
pub(super) fn read(event: &Value, number: &mut u64, into: &mut Builder) {
    let of_objects = list(event, "Object").iter().flat_map(|object| list(object, "Attribute"));
    for attribute in list(event, "Attribute").iter().chain(of_objects) {
        *number += 1;
        // Feeds that leave it out hold nothing else.
        if attribute.get("to_ids").and_then(Value::as_bool).unwrap_or(true) {
            one(*number, attribute, into);
        }
    }
}

fn one(number: u64, attribute: &Value, into: &mut Builder) {
    let value = text(attribute, "value");
    let (first, second) = value.split_once('|').unwrap_or((value, ""));
    let texts = match text(attribute, "type") {
        "ip-src" | "ip-dst" | "domain" | "hostname" | "url" | "link" | "sha256" => vec![value.to_owned()],
        "ip-src|port" | "ip-dst|port" if first.contains(':') => vec![format!("[{first}]:{second}")],
        "ip-src|port" | "ip-dst|port" => vec![format!("{first}:{second}")],
        "hostname|port" => vec![first.to_owned()],
        "domain|ip" => vec![first.to_owned(), second.to_owned()],
        "filename|sha256" | "malware-sample|sha256" => vec![second.to_owned()],
        _ => return into.refuse(number, NotUnderstood::Type),
    };
    for text in texts {
        into.take(number, &text, indicator(&text));
    }
}
