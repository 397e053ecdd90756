//! Items of a rule file: what is written, before items are joined.
//!
//! In: YAML documents, each a list of maps. Out: calls to [`Collected`], and findings. Keys that Falco does not know are
//! refused as Falco 0.44 does; items it does not know get a warning.

use super::collect::{Collected, Exception, List, Macro, Update, Written};
use super::{ENGINE_VERSION, Priority};
use crate::diagnostic::{Problem, codes};
use crate::suggest;
use crate::yaml::{Node, Resolved, Value};

const RULE: [&str; 14] = [
    "rule",
    "desc",
    "condition",
    "output",
    "priority",
    "source",
    "enabled",
    "tags",
    "exceptions",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "append",
    "override",
    "capture",
];
const CAPTURE_DURATION: &str = "capture_duration";
const MACRO: [&str; 4] = ["macro", "condition", "append", "override"];
const LIST: [&str; 4] = ["list", "items", "append", "override"];
const EXCEPTION: [&str; 4] = ["name", "fields", "comps", "values"];
/// Most exceptions, and most tags, of one item.
const PARTS_LIMIT: usize = 1_000;
/// What of a rule may be appended to and replaced.
const APPENDABLE: [&str; 5] = ["condition", "output", "desc", "tags", "exceptions"];
const REPLACEABLE: [&str; 11] = [
    "condition",
    "output",
    "desc",
    "priority",
    "tags",
    "exceptions",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    CAPTURE_DURATION,
];

/// Reads the items of one file into `out`.
pub(super) fn read(file: usize, documents: &[Node], out: &mut Collected) {
    for document in documents {
        let mut reader = Reader { file, out, item: String::new(), has_failed: false };
        match &document.value {
            Value::Scalar(scalar) if scalar.resolve() == Resolved::Null => {}
            Value::Sequence(items) => items.iter().for_each(|item| reader.item(item)),
            _ => {
                reader.error(document.span, format!("{} where a list of items was expected", document.kind()))
            }
        }
    }
}

/// Reads the items of one file.
pub(super) struct Reader<'c> {
    pub(super) file: usize,
    pub(super) out: &'c mut Collected,
    /// The item that is read, for messages.
    pub(super) item: String,
    /// Whether something was wrong with it.
    pub(super) has_failed: bool,
}

/// What to do with the keys of an item.
#[derive(Debug, Default)]
struct Overrides<'n> {
    append: Vec<&'n str>,
    replace: Vec<&'n str>,
}

impl Reader<'_> {
    fn item(&mut self, node: &Node) {
        self.item = String::new();
        self.has_failed = false;
        let Some(entries) = node.mapping() else {
            if node.scalar().is_none_or(|scalar| scalar.resolve() != Resolved::Null) {
                self.error(node.span, format!("{} where an item, a map, was expected", node.kind()));
            }
            return;
        };
        let kind = ["required_engine_version", "required_plugin_versions", "list", "macro", "rule"]
            .into_iter()
            .find(|key| node.entry(key).is_some());
        match kind {
            Some("required_engine_version") => self.engine_version(node),
            Some("required_plugin_versions") => self.plugin_versions(node),
            Some("list") => self.list(node),
            Some("macro") => self.macro_item(node),
            Some("rule") => self.rule(node),
            _ => {
                let key = entries.first().map_or("", |(key, _)| key.text.as_str());
                let problem = Problem::new(
                    codes::RULE,
                    node.span,
                    format!("an item that begins with `{key}` is left out"),
                )
                .with_hint("items are rule, macro, list, required_engine_version, required_plugin_versions");
                self.out.warn(self.file, problem);
            }
        }
    }

    fn engine_version(&mut self, node: &Node) {
        let Some(text) = self.text(node, "required_engine_version") else { return };
        let span = node.entry("required_engine_version").map_or(node.span, |node| node.span);
        let number = |part: &str| part.parse::<u32>().ok();
        let parts: Vec<Option<u32>> = text.split('.').map(number).collect();
        let version = match parts.as_slice() {
            [Some(minor)] => (0, *minor, 0),
            [Some(major), Some(minor), Some(patch)] => (*major, *minor, *patch),
            _ => {
                return self
                    .error(span, format!("`required_engine_version` is no number or x.y.z: `{text}`"));
            }
        };
        // A number that is a version of its own from 1 on would be another language.
        let fits = version.0 == ENGINE_VERSION.0 && version <= ENGINE_VERSION;
        if !fits {
            let (major, minor, patch) = ENGINE_VERSION;
            let message =
                format!("the rules require engine version {text}, and {major}.{minor}.{patch} is known here");
            self.error(span, message);
        }
    }

    fn plugin_versions(&mut self, node: &Node) {
        let Some(list) = node.entry("required_plugin_versions") else { return };
        let Some(plugins) = list.sequence() else {
            return self.error(list.span, "`required_plugin_versions` is no list");
        };
        for plugin in plugins {
            let others = plugin.entry("alternatives").and_then(Node::sequence).unwrap_or_default();
            for one in std::iter::once(plugin).chain(others) {
                for key in ["name", "version"] {
                    if one.entry(key).and_then(Node::text).is_none() {
                        self.error(one.span, format!("the `{key}` of a plugin is missing"));
                    }
                }
            }
        }
    }

    fn list(&mut self, node: &Node) {
        let Some(name) = self.name(node, "list", &LIST) else { return };
        let Some(items) = node.entry("items") else {
            return self.error(node.span, "`items` is missing");
        };
        let items = self.texts(items, "items");
        let overrides = self.overrides(node, &["items"], &["items"]);
        let append = self.appends(node, &overrides);
        if !self.has_failed {
            let list = List { name, items, index: 0, visibility: 0, file: self.file, span: node.span };
            self.out.list(list, append);
        }
    }

    fn macro_item(&mut self, node: &Node) {
        let Some(name) = self.name(node, "macro", &MACRO) else { return };
        let is_identifier = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_identifier {
            let message = format!("{}: no condition can name it: letters, digits and `_` can", self.item);
            self.out.warn(self.file, Problem::new(codes::RULE, node.span, message));
        }
        let condition = self.condition(node);
        let overrides = self.overrides(node, &["condition"], &["condition"]);
        let append = self.appends(node, &overrides);
        if let Some(condition) = condition.filter(|_| !self.has_failed) {
            let one = Macro { name, condition, index: 0, visibility: 0, file: self.file, span: node.span };
            self.out.macro_item(one, append);
        }
    }

    fn rule(&mut self, node: &Node) {
        let Some(name) = self.rule_name(node) else { return };
        let overrides = self.overrides(node, &APPENDABLE, &REPLACEABLE);
        let has_overrides = !overrides.append.is_empty() || !overrides.replace.is_empty();
        let flag = self.flag(node, "append").unwrap_or(false);
        if flag && has_overrides {
            return self.error(node.span, "`append` and `override` at once: say which keys in `override`");
        }
        if has_overrides {
            return self.overriding(node, name, &overrides);
        }
        if flag {
            let update = self.update(node, &["condition", "exceptions"], true);
            if !self.has_failed {
                self.out.append(self.file, node.span, &name, update);
            }
            return;
        }
        let is_whole =
            ["condition", "output", "desc", "priority"].iter().any(|key| node.entry(key).is_some());
        if is_whole {
            return self.whole_rule(node, name);
        }
        match self.flag(node, "enabled") {
            Some(enabled) => {
                let update = Update { enabled: Some(enabled), ..Update::default() };
                self.out.replace(self.file, node.span, &name, update);
            }
            None if !self.has_failed => {
                self.error(node.span, "`condition`, `output`, `desc` and `priority` are missing")
            }
            None => {}
        }
    }

    fn rule_name(&mut self, node: &Node) -> Option<String> {
        let mut known = RULE.to_vec();
        known.push(CAPTURE_DURATION);
        self.name(node, "rule", &known)
    }

    fn whole_rule(&mut self, node: &Node, name: String) {
        let update = self.update(node, &REPLACEABLE, false);
        for (key, is_there) in [
            ("condition", update.condition.is_some()),
            ("output", update.output.is_some()),
            ("desc", update.desc.is_some()),
            ("priority", update.priority.is_some()),
        ] {
            if !is_there && node.entry(key).is_none() {
                self.error(node.span, format!("`{key}` is missing"));
            }
        }
        let source = node.entry("source").and_then(|_| self.text(node, "source"));
        let Update { condition: Some(condition), output: Some(output), desc: Some(desc), .. } = update else {
            return;
        };
        let Some(priority) = update.priority else { return };
        if self.has_failed {
            return;
        }
        let written = Written {
            name,
            condition,
            output,
            desc,
            priority,
            source: source.unwrap_or_else(|| super::SYSCALL.to_owned()),
            tags: update.tags.unwrap_or_default(),
            enabled: update.enabled.unwrap_or(true),
            skips_unknown: update.skips_unknown.unwrap_or(false),
            exceptions: update.exceptions.unwrap_or_default(),
            file: self.file,
            span: node.entry("rule").map_or(node.span, |name| name.span),
        };
        self.out.rule(written);
    }

    fn overriding(&mut self, node: &Node, name: String, overrides: &Overrides<'_>) {
        for key in overrides.append.iter().chain(&overrides.replace) {
            if node.entry(key).is_none() {
                self.error(node.span, format!("`override` names `{key}`, which the item does not have"));
            }
        }
        for (key, _) in node.mapping().unwrap_or_default() {
            let word = key.text.as_str();
            let is_named = overrides.append.contains(&word) || overrides.replace.contains(&word);
            if REPLACEABLE.contains(&word) && !is_named {
                self.error(key.span, format!("`override` does not say what to do with `{word}`"));
            }
        }
        let append = self.update(node, &overrides.append, true);
        let replace = self.update(node, &overrides.replace, true);
        if self.has_failed {
            return;
        }
        if !overrides.append.is_empty() {
            self.out.append(self.file, node.span, &name, append);
        }
        if !overrides.replace.is_empty() {
            self.out.replace(self.file, node.span, &name, replace);
        }
    }

    /// The values of `keys` of a rule.
    fn update(&mut self, node: &Node, keys: &[&str], is_partial: bool) -> Update {
        let mut update = Update::default();
        for key in keys.iter().filter(|key| node.entry(key).is_some()) {
            match *key {
                "condition" => update.condition = self.condition(node),
                "output" => update.output = self.text(node, key).map(|text| text.trim().to_owned()),
                "desc" => update.desc = self.text(node, key),
                "tags" => update.tags = node.entry(key).map(|node| self.tags(node)),
                "enabled" => update.enabled = self.flag(node, key),
                "skip-if-unknown-filter" => update.skips_unknown = self.flag(node, key),
                "exceptions" => {
                    update.exceptions = node.entry(key).map(|node| self.exceptions(node, is_partial))
                }
                "priority" => update.priority = self.priority(node),
                CAPTURE_DURATION => {}
                other => {
                    self.flag(node, other);
                }
            }
        }
        update
    }

    fn tags(&mut self, node: &Node) -> Vec<String> {
        let mut tags = self.texts(node, "tags");
        if tags.len() > PARTS_LIMIT {
            self.error(node.span, format!("more than {PARTS_LIMIT} tags"));
            tags.truncate(PARTS_LIMIT);
        }
        tags
    }

    fn priority(&mut self, node: &Node) -> Option<Priority> {
        let word = self.text(node, "priority")?;
        let priority = Priority::by_name(&word);
        if priority.is_none() {
            let span = node.entry("priority").map_or(node.span, |node| node.span);
            let hint = suggest::hint(&word, Priority::ALL.map(Priority::as_str));
            self.problem(
                Problem::new(codes::RULE, span, format!("unknown priority `{word}`")).with_hint_if(hint),
            );
        }
        priority
    }

    fn exceptions(&mut self, node: &Node, is_partial: bool) -> Vec<Exception> {
        if node.scalar().is_some_and(|scalar| scalar.resolve() == Resolved::Null) {
            return Vec::new();
        }
        let Some(nodes) = node.sequence() else {
            self.error(node.span, "`exceptions` is no list");
            return Vec::new();
        };
        let mut exceptions: Vec<Exception> = Vec::new();
        if nodes.len() > PARTS_LIMIT {
            self.error(node.span, format!("more than {PARTS_LIMIT} exceptions"));
        }
        for node in nodes.iter().take(PARTS_LIMIT) {
            if let Some(exception) = self.exception(node, is_partial) {
                if exceptions.iter().any(|other| other.name == exception.name) {
                    self.error(node.span, format!("two exceptions are called `{}`", exception.name));
                }
                exceptions.push(exception);
            }
        }
        exceptions
    }

    fn exception(&mut self, node: &Node, is_partial: bool) -> Option<Exception> {
        if node.mapping().is_none() {
            self.error(node.span, format!("{} where an exception, a map, was expected", node.kind()));
            return None;
        }
        self.known_keys(node, &EXCEPTION);
        let Some(name) = node.entry("name").and_then(Node::text) else {
            self.error(node.span, "an exception without a `name`");
            return None;
        };
        let fields = node.entry("fields").and_then(|node| self.entry(node));
        if fields.is_none() && !is_partial {
            self.error(node.span, format!("exception `{name}`: `fields` is missing"));
            return None;
        }
        let comps = node.entry("comps").and_then(|node| self.entry(node));
        let values = match node.entry("values") {
            None => Vec::new(),
            Some(values) => match values.sequence() {
                Some(values) => values.iter().filter_map(|value| self.entry(value)).collect(),
                None => {
                    self.error(values.span, format!("exception `{name}`: `values` is no list"));
                    Vec::new()
                }
            },
        };
        Some(Exception { name: name.to_owned(), fields, comps, values, file: self.file, span: node.span })
    }

    fn overrides<'n>(&mut self, node: &'n Node, appendable: &[&str], replaceable: &[&str]) -> Overrides<'n> {
        let mut overrides = Overrides::default();
        let Some(map) = node.entry("override") else { return overrides };
        let Some(entries) = map.mapping() else {
            self.error(map.span, "`override` is no map");
            return overrides;
        };
        for (key, value) in entries {
            let word = key.text.as_str();
            match value.text() {
                Some("append") if appendable.contains(&word) => overrides.append.push(word),
                Some("replace") if replaceable.contains(&word) => overrides.replace.push(word),
                Some(what @ ("append" | "replace")) => {
                    self.error(key.span, format!("`override`: `{word}` does not take `{what}`"));
                }
                _ => {
                    self.error(value.span, format!("`override`: `{word}` is neither `append` nor `replace`"))
                }
            }
        }
        overrides
    }

    /// Whether a macro or list is appended to an earlier one.
    fn appends(&mut self, node: &Node, overrides: &Overrides<'_>) -> bool {
        let flag = self.flag(node, "append").unwrap_or(false);
        if flag && !(overrides.append.is_empty() && overrides.replace.is_empty()) {
            self.error(node.span, "`append` and `override` at once");
        }
        flag || !overrides.append.is_empty()
    }
}
