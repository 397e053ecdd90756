//! From a rule's tree to a compiled condition.
//!
//! In: the detection section of a Sigma rule. Out: a [`Node`], or the first thing that cannot run. Left out on
//! purpose: the item selections of `sigma-version: 3` on arrays of maps, since the fields of typed events are never
//! that.

use super::node::Node;
use super::test::Test;
use super::text::TextMatcher;
use crate::error::Fault;
use event::{Class, Field};
use strategy::sigma::{
    Condition, Detection, FieldMatch, Filter, FilterRules, Join, Logsource, Matcher, Quantity,
    REGEX_LIMIT_BYTES, Regex, Rule, Search, Selector, Subject,
};

/// The field of this name.
pub(crate) fn field(name: &str) -> Result<Field, Fault> {
    Field::by_name(name).ok_or_else(|| Fault::UnknownField(name.to_owned()))
}

/// The condition of `rule`, narrowed by those of `filters` that fit it.
pub(crate) fn rule(rule: &Rule, filters: &[&Filter]) -> Result<(Class, Node), Fault> {
    let (class, operations) = class(&rule.logsource)?;
    let mut parts = vec![detection(&rule.detection)?];
    if !operations.is_empty() {
        let exact =
            |name: &&str| TextMatcher::new(&strategy::sigma::Pattern::literal(*name)).ok().map(Test::Text);
        parts.push(Node::Ask(Field::EventOperation, operations.iter().filter_map(exact).collect()));
    }
    for filter in filters.iter().filter(|filter| applies(filter, rule)) {
        parts.push(detection(&filter.detection)?);
    }
    Ok((class, Node::all(parts)))
}

/// Whether `filter` narrows `rule`: it names it, and its log source says nothing else than the rule's.
fn applies(filter: &Filter, rule: &Rule) -> bool {
    let named = match &filter.rules {
        FilterRules::Any => true,
        FilterRules::These(rules) => rules.iter().any(|reference| rule.head.is(&reference.name)),
    };
    let fits = |own: &Option<String>, their: &Option<String>| own.is_none() || own == their;
    named
        && fits(&filter.logsource.category, &rule.logsource.category)
        && fits(&filter.logsource.product, &rule.logsource.product)
        && fits(&filter.logsource.service, &rule.logsource.service)
}

/// The class that a log source selects, and the operations within it where it selects only some.
fn class(source: &Logsource) -> Result<(Class, &'static [&'static str]), Fault> {
    let unknown = || {
        let part =
            |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} `{value}`"));
        let parts = [
            part("product", &source.product),
            part("category", &source.category),
            part("service", &source.service),
        ];
        Fault::UnknownLogsource(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    };
    let product = source.product.as_deref();
    if !matches!(product, None | Some("linux" | "container" | "docker" | "kubernetes" | "watchkeeper")) {
        return Err(unknown());
    }
    let found = match (source.category.as_deref(), product, source.service.as_deref()) {
        (Some("file_change"), ..) => {
            (Class::FileEvent, ["open_write", "truncate", "chmod", "chown", "set_xattr"].as_slice())
        }
        (Some("file_access"), ..) => (Class::FileEvent, ["open_read"].as_slice()),
        (Some("file_delete"), ..) => (Class::FileEvent, ["unlink", "rmdir"].as_slice()),
        (Some("file_rename"), ..) => (Class::FileEvent, ["rename"].as_slice()),
        (Some("dns"), ..) | (Some("network"), _, Some("dns")) => (Class::Dns, [].as_slice()),
        (Some("network"), _, Some("connection")) => (Class::NetworkConnection, [].as_slice()),
        (Some(category), ..) => (Class::by_name(category).ok_or_else(unknown)?, [].as_slice()),
        (None, Some("kubernetes"), None | Some("audit")) => (Class::Api, [].as_slice()),
        (None, Some("container" | "docker"), None) => (Class::Container, [].as_slice()),
        _ => return Err(unknown()),
    };
    Ok(found)
}

fn detection(detection: &Detection) -> Result<Node, Fault> {
    let conditions = detection.conditions.iter().map(|one| condition(one, detection));
    Ok(Node::any(conditions.collect::<Result<_, _>>()?))
}

fn condition(tree: &Condition, detection: &Detection) -> Result<Node, Fault> {
    let each =
        |parts: &[Condition]| parts.iter().map(|part| condition(part, detection)).collect::<Result<_, _>>();
    match tree {
        Condition::Or(parts) => Ok(Node::any(each(parts)?)),
        Condition::And(parts) => Ok(Node::all(each(parts)?)),
        Condition::Not(part) => Ok(Node::Not(Box::new(condition(part, detection)?))),
        Condition::Name(name, _) => {
            let named = detection.searches.iter().find(|named| named.name == *name);
            search(&named.ok_or_else(|| Fault::UndefinedSearch(name.clone()))?.search)
        }
        Condition::Of(quantity, selector, _) => {
            let chosen = detection.searches.iter().filter(|named| selector.selects(&named.name));
            let parts: Vec<Node> = chosen.map(|named| search(&named.search)).collect::<Result<_, _>>()?;
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

fn search(tree: &Search) -> Result<Node, Fault> {
    let each = |parts: &[Search]| parts.iter().map(search).collect::<Result<_, _>>();
    match tree {
        Search::And(parts) => Ok(Node::all(each(parts)?)),
        Search::Or(parts) => Ok(Node::any(each(parts)?)),
        Search::Field(found) => field_match(found),
        Search::Array(array) => Err(Fault::Unsupported(format!("the array selection on `{}`", array.field))),
    }
}

fn field_match(asked: &FieldMatch) -> Result<Node, Fault> {
    let node = match &asked.subject {
        Subject::Field(name) => {
            let field = field(name)?;
            let tests = |values: &mut dyn Iterator<Item = &Matcher>| {
                values.map(test).collect::<Result<Vec<_>, _>>().map(|mut tests| {
                    if let (Field::ContainerId, [Test::Exists(wanted)]) = (field, tests.as_slice()) {
                        return Node::InContainer(*wanted);
                    }
                    tests.sort_by_key(Test::cost);
                    Node::Ask(field, tests.into_boxed_slice())
                })
            };
            match asked.join {
                Join::Any => tests(&mut asked.values.iter().flatten())?,
                Join::All => {
                    let each = asked.values.iter().map(|value| tests(&mut value.iter()));
                    Node::all(each.collect::<Result<_, _>>()?)
                }
            }
        }
        Subject::Keyword => {
            let texts = |values: &mut dyn Iterator<Item = &Matcher>| {
                values.map(keyword).collect::<Result<_, _>>().map(Node::Keywords)
            };
            match asked.join {
                Join::Any => texts(&mut asked.values.iter().flatten())?,
                Join::All => {
                    let each = asked.values.iter().map(|value| texts(&mut value.iter()));
                    Node::all(each.collect::<Result<_, _>>()?)
                }
            }
        }
        Subject::Item => return Err(Fault::Unsupported("a test of array items".to_owned())),
    };
    Ok(if asked.negated { Node::Not(Box::new(node)) } else { node })
}

fn test(matcher: &Matcher) -> Result<Test, Fault> {
    Ok(match matcher {
        Matcher::Null => Test::Null,
        Matcher::Exists(wanted) => Test::Exists(*wanted),
        Matcher::Bool(wanted) => Test::Bool(*wanted),
        Matcher::Number(wanted) => Test::Number(*wanted),
        Matcher::Pattern(pattern) => {
            Test::Text(TextMatcher::new(pattern).map_err(|name| Fault::UnfilledPlaceholder(name.0))?)
        }
        Matcher::Regex(regex) => Test::Regex(compile_regex(regex)?),
        Matcher::Cidr(cidr) => Test::Cidr(*cidr),
        Matcher::Compare(order, number) => Test::Compare(*order, *number),
        Matcher::Field(other) => {
            let (before, after) = (other.before, other.after);
            Test::Field { other: field(&other.name)?, before, after, cased: other.cased }
        }
        Matcher::TimePart(part, order, number) => Test::Time(*part, *order, *number),
    })
}

/// A keyword is a text that stands anywhere in a value.
fn keyword(matcher: &Matcher) -> Result<TextMatcher, Fault> {
    use strategy::sigma::{Openness, Pattern};
    let pattern = match matcher {
        Matcher::Pattern(pattern) => pattern.clone(),
        Matcher::Number(strategy::yaml::Number::Integer(number)) => Pattern::literal(number.to_string()),
        _ => return Err(Fault::Unsupported("a keyword that is no text".to_owned())),
    };
    TextMatcher::new(&pattern.open(Openness::Any, Openness::Any))
        .map_err(|name| Fault::UnfilledPlaceholder(name.0))
}

fn compile_regex(regex: &Regex) -> Result<regex::Regex, Fault> {
    regex::RegexBuilder::new(&regex.source)
        .case_insensitive(regex.ignore_case)
        .multi_line(regex.multi_line)
        .dot_matches_new_line(regex.dot_all)
        .size_limit(REGEX_LIMIT_BYTES)
        .build()
        .map_err(|_| Fault::Regex(regex.source.clone()))
}
