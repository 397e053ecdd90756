//! Log sources that are our own: the classes of events by their names, and Sigma's categories that are a class.

use super::{Code, Events, Meaning, Name, Others, kubernetes, network};
use crate::sigma::Logsource;
use event::{Class, Field};

/// Products whose events are ours.
pub(super) const PRODUCTS: [&str; 5] = ["linux", "container", "docker", "kubernetes", "watchkeeper"];

/// Sigma's categories that are some operations of a class.
pub(super) const PARTS: &[(&str, Class, &[&str])] = &[
    ("file_change", Class::FileEvent, &["open_write", "truncate", "chmod", "chown", "set_xattr"]),
    ("file_access", Class::FileEvent, &["open_read"]),
    ("file_delete", Class::FileEvent, &["unlink", "rmdir"]),
    ("file_rename", Class::FileEvent, &["rename"]),
];

/// Names of Sysmon beside those that the catalogue has as they stand.
pub(super) const SYSMON: &[Name] = &[
    Name {
        name: "User",
        meaning: Meaning::Coded(Field::User, &[("root", &[Code::Text("0")])], Others::Numbers),
    },
    // Sysmon for Linux logs the user id here.
    Name { name: "LogonId", meaning: Meaning::Fields(&[Field::UserId]) },
    Name { name: "sha256", meaning: Meaning::Fields(&[Field::ProcessHash]) },
];

/// The events of a log source that is ours.
pub(super) fn events(logsource: &Logsource) -> Option<Events> {
    let product = logsource.product.as_deref();
    if product.is_some_and(|product| !PRODUCTS.contains(&product)) {
        return None;
    }
    let (class, operations) = match (logsource.category.as_deref(), product, logsource.service.as_deref()) {
        (Some("dns"), ..) | (Some("network"), _, Some("dns")) => (Class::Dns, [].as_slice()),
        (Some("network"), _, Some("connection")) => (Class::NetworkConnection, [].as_slice()),
        (Some(category), ..) => match PARTS.iter().find(|(name, ..)| *name == category) {
            Some((_, class, operations)) => (*class, *operations),
            None => (Class::by_name(category)?, [].as_slice()),
        },
        (None, Some("kubernetes"), None | Some("audit")) => (Class::Api, [].as_slice()),
        (None, Some("container" | "docker"), None) => (Class::Container, [].as_slice()),
        _ => return None,
    };
    Some(Events { class, operations, names: names(class), text: &[] })
}

/// What names mean in events of `class`.
fn names(class: Class) -> &'static [&'static [Name]] {
    match class {
        Class::Dns => &[SYSMON, network::ANSWERS],
        Class::Api => &[kubernetes::NAMES],
        _ => &[SYSMON],
    }
}
