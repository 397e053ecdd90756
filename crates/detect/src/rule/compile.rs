//! From a rule's tree to a compiled condition.
//!
//! In: the detection section of a Sigma rule, the schema of the events, values of placeholders. Out: a [`Node`], or the
//! first thing that cannot run.

use super::node::{ItemsNode, Node};
use super::placeholder::{Placeholders, filled};
use super::record::Schema;
use super::test::{RegexTest, Test};
use super::text::TextMatcher;
use super::typed::Catalogue;
use crate::error::Fault;
use crate::json::ItemShape;
use event::{Class, Field};
use strategy::mapping;
use strategy::sigma::{
    ArrayMatch, Condition, Detection, FieldMatch, Filter, FilterRules, Join, Logsource, Matcher, Openness,
    Pattern, Quantity, Regex, Rule, Search, Selector, Subject,
};
use strategy::yaml::Number;

/// A rule over typed events.
#[derive(Debug)]
pub(crate) struct Judging {
    /// By class of events: the condition.
    pub(crate) runs: Vec<(Class, Node<Field>)>,
    /// What else the rule is about, which no event has.
    pub(crate) lacks: Option<Fault>,
}

/// The conditions of `rule` over typed events, narrowed by those of `filters` that fit it.
pub(crate) fn rule(rule: &Rule, filters: &[&Filter], placeholders: &Placeholders) -> Result<Judging, Fault> {
    let mut detections = vec![&rule.detection];
    detections.extend(filters.iter().filter(|filter| applies(filter, rule)).map(|filter| &filter.detection));
    let plan = mapping::plan(&rule.logsource, &detections)?;
    let mut runs = Vec::with_capacity(plan.runs.len());
    for run in &plan.runs {
        let mut compiler = Compiler { schema: &mut Catalogue, placeholders };
        let each = run.detections.iter().map(|detection| compiler.detection(detection));
        let mut parts = each.collect::<Result<Vec<_>, _>>()?;
        if !run.operations.is_empty() {
            let exact = |name: &&str| TextMatcher::new(&Pattern::literal(*name)).ok().map(Test::Text);
            let tests: Vec<_> = run.operations.iter().filter_map(exact).collect();
            parts.push(Node::Ask(Field::EventOperation, tests.into()));
        }
        runs.push((run.class, Node::all(parts)));
    }
    let lacks = (!plan.lacks.is_empty()).then_some(Fault::Unsourced(plan.lacks));
    Ok(Judging { runs, lacks })
}

/// Whether `filter` narrows a rule: it names it, and its log source says nothing else than the rule's.
pub(crate) fn applies(filter: &Filter, rule: &Rule) -> bool {
    let named = match &filter.rules {
        FilterRules::Any => true,
        FilterRules::These(rules) => rules.iter().any(|reference| rule.head.is(&reference.name)),
    };
    let fits = |own: &Option<String>, their: &Option<String>| own.is_none() || own == their;
    let (own, their): (&Logsource, &Logsource) = (&filter.logsource, &rule.logsource);
    named
        && fits(&own.category, &their.category)
        && fits(&own.product, &their.product)
        && fits(&own.service, &their.service)
}

/// Compiles conditions over events of one schema.
pub(crate) struct Compiler<'c, S> {
    pub(crate) schema: &'c mut S,
    pub(crate) placeholders: &'c Placeholders,
}

impl<S: Schema> Compiler<'_, S> {
    /// The condition of `rule`, narrowed by those of `filters` that fit it.
    pub(crate) fn rule(&mut self, rule: &Rule, filters: &[&Filter]) -> Result<Node<S::Key>, Fault> {
        let mut parts = vec![self.detection(&rule.detection)?];
        for filter in filters.iter().filter(|filter| applies(filter, rule)) {
            parts.push(self.detection(&filter.detection)?);
        }
        Ok(Node::all(parts))
    }

    /// The conditions of `detection`: any of them.
    pub(crate) fn detection(&mut self, detection: &Detection) -> Result<Node<S::Key>, Fault> {
        let conditions = detection.conditions.iter().map(|one| self.condition(one, detection));
        Ok(Node::any(conditions.collect::<Result<_, _>>()?))
    }

    fn condition(&mut self, tree: &Condition, detection: &Detection) -> Result<Node<S::Key>, Fault> {
        match tree {
            Condition::Or(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, detection));
                Ok(Node::any(parts.collect::<Result<_, _>>()?))
            }
            Condition::And(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, detection));
                Ok(Node::all(parts.collect::<Result<_, _>>()?))
            }
            Condition::Not(part) => Ok(Node::Not(Box::new(self.condition(part, detection)?))),
            Condition::Name(name, _) => {
                let named = detection.searches.iter().find(|named| named.name == *name);
                self.search(&named.ok_or_else(|| Fault::UndefinedSearch(name.clone()))?.search)
            }
            Condition::Of(quantity, selector, _) => {
                let chosen = detection.searches.iter().filter(|named| selector.selects(&named.name));
                let parts: Vec<_> =
                    chosen.map(|named| self.search(&named.search)).collect::<Result<_, _>>()?;
                if parts.is_empty() {
                    let name = match selector {
                        Selector::Them => "them",
                        Selector::Pattern(pattern) => pattern,
                    };
                    return Err(Fault::UndefinedSearch(name.to_owned()));
                }
                Ok(match quantity {
                    Quantity::Any => Node::any(parts),
                    Quantity::All => Node::all(parts),
                })
            }
        }
    }

    fn search(&mut self, tree: &Search) -> Result<Node<S::Key>, Fault> {
        match tree {
            Search::And(parts) => {
                Ok(Node::all(parts.iter().map(|part| self.search(part)).collect::<Result<_, _>>()?))
            }
            Search::Or(parts) => {
                Ok(Node::any(parts.iter().map(|part| self.search(part)).collect::<Result<_, _>>()?))
            }
            Search::Field(asked) => self.field_match(asked),
            Search::Array(asked) => self.array_match(asked),
        }
    }

    fn array_match(&mut self, asked: &ArrayMatch) -> Result<Node<S::Key>, Fault> {
        let key = self.schema.array(&asked.field)?;
        let shape = ItemShape::new(&asked.detection, self.placeholders)?;
        Ok(Node::Items(Box::new(ItemsNode { key, which: asked.items, shape })))
    }

    fn field_match(&mut self, asked: &FieldMatch) -> Result<Node<S::Key>, Fault> {
        let key = match &asked.subject {
            Subject::Field(name) => Some(self.schema.field(name)?),
            Subject::Item => Some(self.schema.item()?),
            Subject::Keyword => None,
        };
        let mut one_of = |matchers: &mut dyn Iterator<Item = &Matcher>| match key {
            Some(key) => self.questions(key, matchers),
            None => self.keywords(matchers),
        };
        let node = match asked.join {
            Join::Any => one_of(&mut asked.values.iter().flatten())?,
            Join::All => {
                let each = asked.values.iter().map(|value| one_of(&mut value.iter()));
                Node::all(each.collect::<Result<_, _>>()?)
            }
        };
        Ok(if asked.negated { Node::Not(Box::new(node)) } else { node })
    }

    /// One of `matchers` holds for the field.
    pub(super) fn questions(
        &mut self,
        key: S::Key,
        matchers: &mut dyn Iterator<Item = &Matcher>,
    ) -> Result<Node<S::Key>, Fault> {
        let (mut parts, mut tests) = (Vec::new(), Vec::new());
        for matcher in matchers {
            match matcher {
                Matcher::Null => parts.push(Node::Null(key)),
                Matcher::Exists(wanted) => parts.push(Node::Exists(key, *wanted)),
                Matcher::Pattern(pattern) => {
                    for pattern in filled(pattern, self.placeholders)? {
                        if S::EMPTY_IS_MISSING && pattern.as_literal() == Some("") {
                            parts.push(Node::Null(key));
                        }
                        tests.push(Test::Text(text(&pattern)?));
                    }
                }
                other => tests.push(self.test(other)?),
            }
        }
        if !tests.is_empty() {
            tests.sort_by_key(Test::cost);
            parts.push(Node::Ask(key, tests.into()));
        }
        Ok(Node::any(parts))
    }

    pub(super) fn test(&mut self, matcher: &Matcher) -> Result<Test<S::Key>, Fault> {
        Ok(match matcher {
            Matcher::Bool(wanted) => Test::Bool(*wanted),
            Matcher::Number(wanted) => Test::Number(*wanted),
            Matcher::Pattern(pattern) => Test::Text(text(pattern)?),
            Matcher::Regex(regex) => Test::Regex(compile_regex(regex)?),
            Matcher::Cidr(cidr) => Test::Cidr(*cidr),
            Matcher::Compare(order, number) => Test::Compare(*order, *number),
            Matcher::Field(other) => {
                let (before, after) = (other.before, other.after);
                Test::Field { other: self.schema.field(&other.name)?, before, after, cased: other.cased }
            }
            Matcher::TimePart(part, order, number) => Test::Time(*part, *order, *number),
            Matcher::Null | Matcher::Exists(_) => {
                return Err(Fault::Unsupported("null among the keywords".to_owned()));
            }
        })
    }

    /// One of `matchers` holds somewhere: a keyword that is text stands anywhere in a value.
    fn keywords(&mut self, matchers: &mut dyn Iterator<Item = &Matcher>) -> Result<Node<S::Key>, Fault> {
        let mut tests = Vec::new();
        for matcher in matchers {
            let pattern = match matcher {
                Matcher::Pattern(pattern) => pattern.clone(),
                Matcher::Number(Number::Integer(number)) => Pattern::literal(number.to_string()),
                Matcher::Number(Number::Float(number)) => Pattern::literal(number.to_string()),
                Matcher::Bool(flag) => Pattern::literal(flag.to_string()),
                other => {
                    tests.push(self.test(other)?);
                    continue;
                }
            };
            for pattern in filled(&pattern, self.placeholders)? {
                tests.push(Test::Text(text(&pattern.open(Openness::Any, Openness::Any))?));
            }
        }
        tests.sort_by_key(Test::cost);
        Ok(Node::Keywords(tests.into_boxed_slice()))
    }
}

fn text(pattern: &Pattern) -> Result<TextMatcher, Fault> {
    TextMatcher::new(pattern).map_err(|name| Fault::UnfilledPlaceholder(name.0))
}

fn compile_regex(regex: &Regex) -> Result<RegexTest, Fault> {
    let refused = || Fault::Regex(regex.source.clone());
    let tree = regex.tree().map_err(|_| refused())?;
    RegexTest::new(regex.clone(), &tree).ok_or_else(refused)
}
