//! What rules, correlations and filters have in common: title, id, level and the rest of the metadata.

use event::alert::Severity as Level;

use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Key, Node, Resolved, Value};

/// All levels, weakest first.
const LEVELS: [Level; 5] = [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];

/// Metadata of a rule, correlation or filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// Place of the whole document.
    pub span: Span,
    /// The title.
    pub title: String,
    /// A UUID.
    pub id: Option<String>,
    /// The name by which correlations and tests refer to it.
    pub name: Option<String>,
    /// How mature it is.
    pub status: Option<String>,
    /// What it finds.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// The licence of the rule.
    pub license: Option<String>,
    /// When it was written.
    pub date: Option<String>,
    /// When it was last changed.
    pub modified: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// `namespace.name`.
    pub tags: Vec<String>,
    /// Fields that help whoever reads the alert.
    pub fields: Vec<String>,
    /// What else raises it.
    pub falsepositives: Vec<String>,
    /// Severity.
    pub level: Option<Level>,
    /// Other rules: `(id, how it is related)`.
    pub related: Vec<(String, String)>,
    /// The version of Sigma that it is written in; 2 when it does not say.
    pub sigma_version: i64,
    /// All other keys, which the specification leaves to everybody.
    pub custom: Vec<(Key, Node)>,
}

impl Head {
    /// Whether `reference` means this one: its name, its id, or its title.
    pub fn is(&self, reference: &str) -> bool {
        self.name.as_deref() == Some(reference) || self.id.as_deref() == Some(reference)
    }

    /// The word by which people and tests call it: its name, else its id, else its title.
    pub fn handle(&self) -> &str {
        self.name.as_deref().or(self.id.as_deref()).unwrap_or(&self.title)
    }
}

const STATUSES: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];

/// Reads the metadata of `node`; keys in `body` belong to the kind of document and are left alone.
pub fn read(node: &Node, body: &[&str], problems: &mut Vec<Problem>) -> Head {
    let mut head = Head { span: node.span, sigma_version: 2, ..Head::default() };
    let mut reader = Reader { problems };
    for (key, value) in node.mapping().unwrap_or_default() {
        match key.text.as_str() {
            "title" => head.title = reader.text(key, value).unwrap_or_default(),
            "id" => head.id = reader.uuid(key, value),
            "name" => head.name = reader.text(key, value),
            "status" => head.status = reader.one_of(key, value, &STATUSES),
            "description" => head.description = reader.text(key, value),
            "author" => head.author = reader.text(key, value),
            "license" => head.license = reader.text(key, value),
            "date" => head.date = reader.text(key, value),
            "modified" => head.modified = reader.text(key, value),
            "references" => head.references = reader.texts(key, value),
            "tags" => head.tags = reader.texts(key, value),
            "fields" => head.fields = reader.texts(key, value),
            "falsepositives" => head.falsepositives = reader.texts(key, value),
            "level" => {
                let word = reader.one_of(key, value, &LEVELS.map(Level::as_str));
                head.level = word.and_then(|word| Level::by_name(&word));
            }
            "related" => head.related = reader.related(value),
            "sigma-version" => head.sigma_version = reader.version(value),
            name if body.contains(&name) => {}
            _ => head.custom.push((key.clone(), value.clone())),
        }
    }
    if head.title.is_empty() {
        problems.push(Problem::new(codes::RULE, Span::at(node.span.start), "the `title` is missing"));
    }
    head
}

struct Reader<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_> {
    fn text(&mut self, key: &Key, value: &Node) -> Option<String> {
        let text = value.text().map(str::to_owned);
        if text.is_none() && value.scalar().is_none() {
            self.report(value, format!("`{}` is {} where text was expected", key.text, value.kind()));
        }
        text
    }

    fn texts(&mut self, key: &Key, value: &Node) -> Vec<String> {
        match &value.value {
            Value::Sequence(items) => items.iter().filter_map(|item| self.text(key, item)).collect(),
            _ => self.text(key, value).into_iter().collect(),
        }
    }

    fn one_of(&mut self, key: &Key, value: &Node, words: &[&str]) -> Option<String> {
        let text = self.text(key, value)?;
        if !words.contains(&text.as_str()) {
            let hint = suggest::hint(&text, words.iter().copied());
            let message = format!("unknown `{}`: `{text}`", key.text);
            self.problems.push(Problem::new(codes::RULE, value.span, message).with_hint_if(hint));
        }
        Some(text)
    }

    fn uuid(&mut self, key: &Key, value: &Node) -> Option<String> {
        let text = self.text(key, value)?;
        if !is_uuid(&text) {
            self.report(value, format!("`{text}` is not a UUID"));
        }
        Some(text)
    }

    fn related(&mut self, value: &Node) -> Vec<(String, String)> {
        let items = value.sequence().unwrap_or_default();
        let text = |item: &Node, key| item.entry(key).and_then(Node::text).map(str::to_owned);
        let read: Vec<_> =
            items.iter().filter_map(|item| Some((text(item, "id")?, text(item, "type")?))).collect();
        if read.len() != items.len() || value.sequence().is_none() {
            self.report(value, "`related` is a list of maps with `id` and `type`".to_owned());
        }
        read
    }

    fn version(&mut self, value: &Node) -> i64 {
        match value.scalar().map(|scalar| scalar.resolve()) {
            Some(Resolved::Number(number)) if (1.0..=3.0).contains(&number.as_f64()) => {
                [3, 2, 1].into_iter().find(|whole| number.as_f64() >= f64::from(*whole)).map_or(2, i64::from)
            }
            _ => {
                self.report(value, "`sigma-version` is not 1, 2 or 3".to_owned());
                2
            }
        }
    }

    fn report(&mut self, value: &Node, message: String) {
        self.problems.push(Problem::new(codes::RULE, value.span, message));
    }
}

/// Whether `text` is a UUID in its usual form, of any version.
pub fn is_uuid(text: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let mut groups = text.split('-');
    let fits = |length: usize| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    GROUPS.into_iter().all(fits) && text.len() == 36
}
