//! What the engine asks sensors for.

use crate::event::Class;
use crate::watched::WatchList;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What rules can want: everything else can be left out where it would be sensed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wants {
    /// Classes that rules judge or the engine itself needs.
    pub classes: BTreeSet<Class>,
    /// Of some of these classes, the only operations (`event.operation`) that can matter; a class that is not here
    /// matters as a whole.
    pub operations: BTreeMap<Class, BTreeSet<CompactString>>,
    /// Last components of paths that rules about reads name: what to watch for reads, in any case of ASCII letters.
    pub file_names: BTreeSet<CompactString>,
    /// Files whose changes are to be compared with what was known of them.
    pub watched: WatchList,
}

impl Wants {
    /// Whether an event of this class and operation can matter to anybody.
    #[must_use]
    pub fn wants(&self, class: Class, operation: &str) -> bool {
        self.classes.contains(&class)
            && self.operations.get(&class).is_none_or(|operations| operations.contains(operation))
    }

    /// Wants every event there is, and to watch the same names.
    #[must_use]
    pub fn widened(self) -> Self {
        Self { classes: Class::ALL.iter().copied().collect(), operations: BTreeMap::new(), ..self }
    }

    /// Whether any event of this class can.
    #[must_use]
    pub fn wants_class(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widened_wants_keep_the_names_to_watch() {
        let narrow = Wants {
            operations: BTreeMap::from([(Class::FileEvent, BTreeSet::from(["unlink".into()]))]),
            file_names: BTreeSet::from(["environ".into()]),
            ..Wants::default()
        };
        assert!(!narrow.wants(Class::FileEvent, "open_read"));
        let wide = narrow.widened();
        assert!(wide.wants(Class::FileEvent, "open_read") && wide.wants_class(Class::Memory));
        assert!(wide.file_names.contains("environ"));
    }
}
