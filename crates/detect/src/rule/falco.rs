//! Falco's conditions as questions.
//!
//! In: a [`Plan`] of `strategy::falco`, the schema of the events. Out: a [`Node`]. What Sigma has no question for is here
//! too: values that are made of fields ([`Value`]), and how two values of an event compare. Such questions have no
//! witness, so a rule that consists of them alone is asked about every event of its class.

use super::compile::Compiler;
use super::node::{Node, Visitor};
use super::record::{Key, Presence, Record, Scalar, Schema};
use super::test::{Test, in_order};
use crate::error::Fault;
use compact_str::{CompactString, ToCompactString};
use smallvec::SmallVec;
use strategy::falco::expression::Transformer;
use strategy::falco::{Computed, Operator, Plan};
use strategy::sigma::{Matcher, Order};
use strategy::yaml::Number;

/// Longest text that a transformer makes, in bytes: an event cannot make the engine build more.
const MADE_BYTES: usize = 64 << 10;

/// A value that is made of fields.
#[derive(Debug)]
pub(crate) enum Value<K> {
    Field(K),
    Text(CompactString),
    List(Box<[Value<K>]>),
    Call(Transformer, Box<[Value<K>]>),
    Called(K),
    Arguments(K),
    CommandLine(K, K),
    Directory(K),
    Nth(K, usize),
    Either(Box<[Value<K>]>),
}

/// A question about values that are made.
#[derive(Debug)]
pub(crate) enum Made<K> {
    /// It is there, and where there are tests, one of them holds for one of its texts.
    Ask(Value<K>, Box<[Test<K>]>),
    /// The two compare so.
    Related(Value<K>, Operator, Value<K>),
}

/// The key that the schema gives a field of a plan.
pub(crate) type KeyOf<'k, S, F> = dyn FnMut(&mut S, &F) -> Result<<S as Schema>::Key, Fault> + 'k;
type Texts = SmallVec<[CompactString; 4]>;

/// The node of `plan`. `field` gives the key of a field of the plan.
pub(crate) fn node<S: Schema, F>(
    plan: &Plan<F>,
    compiler: &mut Compiler<'_, S>,
    field: &mut KeyOf<'_, S, F>,
) -> Result<Node<S::Key>, Fault> {
    let mut all = |parts: &[Plan<F>]| -> Result<Vec<_>, Fault> {
        parts.iter().map(|part| node(part, compiler, field)).collect()
    };
    Ok(match plan {
        Plan::Always(true) => Node::all(Vec::new()),
        Plan::Always(false) => Node::any(Vec::new()),
        Plan::And(parts) => Node::all(all(parts)?),
        Plan::Or(parts) => Node::any(all(parts)?),
        Plan::One(parts) => Node::One(all(parts)?.into_boxed_slice()),
        Plan::Not(part) => Node::Not(Box::new(node(part, compiler, field)?)),
        Plan::Ask(name, matchers) => {
            let key = field(compiler.schema, name)?;
            compiler.questions(key, &mut matchers.iter())?
        }
        Plan::Every(name, matchers) => {
            let key = field(compiler.schema, name)?;
            let one = compiler.questions(key, &mut matchers.iter())?;
            let others = Test::Not(tests(matchers, compiler)?);
            Node::all(vec![one, Node::Not(Box::new(Node::Ask(key, vec![others].into())))])
        }
        Plan::Here(name) => Node::Not(Box::new(Node::Null(field(compiler.schema, name)?))),
        Plan::Bits(name, mask, values) => {
            let key = field(compiler.schema, name)?;
            Node::Ask(key, vec![Test::Bits(*mask, values.clone().into_boxed_slice())].into())
        }
        Plan::Computed(value, matchers) => {
            let value = made(value, compiler.schema, field)?;
            Node::Made(Box::new(Made::Ask(value, tests(matchers, compiler)?)))
        }
        Plan::Related(left, operator, right) => {
            let left = made(left, compiler.schema, field)?;
            Node::Made(Box::new(Made::Related(left, *operator, made(right, compiler.schema, field)?)))
        }
        Plan::Missing(what) => return Err(Fault::NoCounterpart(vec![what.clone()])),
    })
}

fn tests<S: Schema>(
    matchers: &[Matcher],
    compiler: &mut Compiler<'_, S>,
) -> Result<Box<[Test<S::Key>]>, Fault> {
    matchers.iter().map(|matcher| compiler.test(matcher)).collect()
}

fn made<S: Schema, F>(
    value: &Computed<F>,
    schema: &mut S,
    field: &mut KeyOf<'_, S, F>,
) -> Result<Value<S::Key>, Fault> {
    let mut all = |values: &[Computed<F>]| -> Result<Box<[_]>, Fault> {
        values.iter().map(|value| made(value, schema, field)).collect()
    };
    Ok(match value {
        Computed::Text(text) => Value::Text(text.into()),
        Computed::List(values) => Value::List(all(values)?),
        Computed::Either(values) => Value::Either(all(values)?),
        Computed::Call(transformer, values) => Value::Call(*transformer, all(values)?),
        Computed::Field(name) => Value::Field(field(schema, name)?),
        Computed::Called(name) => Value::Called(field(schema, name)?),
        Computed::Arguments(name) => Value::Arguments(field(schema, name)?),
        Computed::CommandLine { name, line } => {
            Value::CommandLine(field(schema, name)?, field(schema, line)?)
        }
        Computed::Directory(name) => Value::Directory(field(schema, name)?),
        Computed::Nth(name, place) => Value::Nth(field(schema, name)?, *place),
    })
}

impl<K: Key> Made<K> {
    /// Whether it holds for `record`.
    pub(super) fn holds<R: Record<K>>(&self, record: &R) -> bool {
        match self {
            Self::Ask(value, tests) => value.texts(record).is_some_and(|texts| {
                tests.is_empty()
                    || texts
                        .iter()
                        .any(|text| tests.iter().any(|test| test.holds(Scalar::Text(text), record)))
            }),
            Self::Related(left, operator, right) => match (left.texts(record), right.texts(record)) {
                (Some(left), Some(right)) => compare(&left, *operator, &right),
                _ => false,
            },
        }
    }

    /// Calls `visit` for each field that is read.
    pub(super) fn visit(&self, visit: &mut Visitor<'_, K>) {
        match self {
            Self::Ask(value, _) => value.visit(visit),
            Self::Related(left, _, right) => {
                left.visit(visit);
                right.visit(visit);
            }
        }
    }
}

impl<K: Key> Value<K> {
    fn visit(&self, visit: &mut Visitor<'_, K>) {
        match self {
            Self::Text(_) => {}
            Self::List(values) | Self::Either(values) | Self::Call(_, values) => {
                values.iter().for_each(|value| value.visit(visit));
            }
            Self::Field(key)
            | Self::Called(key)
            | Self::Arguments(key)
            | Self::Directory(key)
            | Self::Nth(key, _) => {
                visit(Some(*key), &[]);
            }
            Self::CommandLine(name, line) => {
                visit(Some(*name), &[]);
                visit(Some(*line), &[]);
            }
        }
    }

    /// Its texts; `None` where a field that it needs is not there.
    fn texts<R: Record<K>>(&self, record: &R) -> Option<Texts> {
        match self {
            Self::Text(text) => Some(Texts::from_iter([text.clone()])),
            Self::Field(key) => of_field(*key, record),
            Self::Either(values) => values.iter().find_map(|value| value.texts(record)),
            Self::List(values) => {
                let each: Option<Vec<Texts>> = values.iter().map(|value| value.texts(record)).collect();
                Some(each?.into_iter().flatten().collect())
            }
            Self::Called(key) => {
                let line = of_field(*key, record)?.into_iter().next()?;
                Some(Texts::from_iter([line.split(' ').next().unwrap_or("").into()]))
            }
            Self::Arguments(key) => {
                let line = of_field(*key, record)?.into_iter().next()?;
                Some(Texts::from_iter([arguments(&line).into()]))
            }
            Self::CommandLine(name, line) => {
                let line = of_field(*line, record)?.into_iter().next()?;
                let Some(name) = of_field(*name, record).and_then(|texts| texts.into_iter().next()) else {
                    return Some(Texts::from_iter([line]));
                };
                Some(Texts::from_iter([match arguments(&line) {
                    "" => name,
                    rest => limited([&*name, " ", rest])?,
                }]))
            }
            Self::Directory(key) => {
                let path = of_field(*key, record)?.into_iter().next()?;
                let end = path.rfind('/')?;
                Some(Texts::from_iter([path.get(..end.max(1))?.into()]))
            }
            Self::Nth(key, place) => {
                Some(Texts::from_iter([of_field(*key, record)?.into_iter().nth(*place)?]))
            }
            Self::Call(transformer, values) => call(*transformer, values, record),
        }
    }
}

fn of_field<K: Key, R: Record<K>>(key: K, record: &R) -> Option<Texts> {
    if record.presence(key) != Presence::Here {
        return None;
    }
    let mut texts = Texts::new();
    record.any(key, |value| {
        value.is_text(|text| {
            texts.push(text.into());
            false
        })
    });
    Some(texts)
}

fn arguments(line: &str) -> &str {
    line.split_once(' ').map_or("", |(_, rest)| rest)
}

/// The parts as one text, unless it is too long.
fn limited<'p>(parts: impl IntoIterator<Item = &'p str>) -> Option<CompactString> {
    let mut text = CompactString::default();
    for part in parts {
        if text.len() + part.len() > MADE_BYTES {
            return None;
        }
        text.push_str(part);
    }
    Some(text)
}

fn call<K: Key, R: Record<K>>(transformer: Transformer, values: &[Value<K>], record: &R) -> Option<Texts> {
    let each = |make: fn(&str) -> Option<CompactString>| -> Option<Texts> {
        values.first()?.texts(record)?.iter().map(|text| make(text)).collect()
    };
    match transformer {
        Transformer::ToLower => each(|text| Some(text.chars().map(|c| c.to_ascii_lowercase()).collect())),
        Transformer::ToUpper => each(|text| Some(text.chars().map(|c| c.to_ascii_uppercase()).collect())),
        Transformer::Basename => each(|text| Some(text.rsplit('/').next().unwrap_or("").into())),
        Transformer::B64 => each(decoded),
        Transformer::Len => {
            let value = values.first()?;
            let texts = value.texts(record)?;
            let length = match (texts.as_slice(), value) {
                ([text], Value::Field(_) | Value::Call(..) | Value::Either(_)) => text.len(),
                (texts, _) => texts.len(),
            };
            Some(Texts::from_iter([length.to_compact_string()]))
        }
        Transformer::Concat => {
            let texts: Option<Vec<Texts>> = values.iter().map(|value| value.texts(record)).collect();
            limited(texts?.iter().filter_map(|texts| texts.first()).map(CompactString::as_str))
                .map(|text| Texts::from_iter([text]))
        }
        Transformer::Join => {
            let separator = values.first()?.texts(record)?.into_iter().next()?;
            let texts = values.get(1)?.texts(record)?;
            let mut parts: Vec<&str> = Vec::with_capacity(texts.len() * 2);
            for text in &texts {
                if !parts.is_empty() {
                    parts.push(&separator);
                }
                parts.push(text);
            }
            limited(parts).map(|text| Texts::from_iter([text]))
        }
        Transformer::Getopt => {
            let words = values.first()?.texts(record)?;
            let options = values.get(1)?.texts(record)?.into_iter().next()?;
            Some(getopt(&words, &options))
        }
    }
}

/// The options among `words`, each without its dash and followed by its argument where it has one.
fn getopt(words: &Texts, options: &str) -> Texts {
    let mut found = Texts::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let Some(mut letters) = word.strip_prefix('-') else { continue };
        while let Some(letter) = letters.chars().next() {
            letters = letters.get(letter.len_utf8()..).unwrap_or("");
            let Some((_, after)) = options.split_once(letter).filter(|_| letter != ':') else { continue };
            found.push(letter.to_compact_string());
            if after.starts_with(':') {
                if letters.is_empty() {
                    found.extend(words.next().cloned());
                } else {
                    found.push(letters.into());
                }
                break;
            }
        }
    }
    found
}

/// What Base64 (RFC 4648, §4) encodes, where that is text.
fn decoded(text: &str) -> Option<CompactString> {
    let digits = text.trim_end_matches('=').bytes();
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 & 0xffff | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend((held >> bits).to_le_bytes().first());
        }
    }
    String::from_utf8(bytes).ok().map(CompactString::from)
}

fn compare(left: &Texts, operator: Operator, right: &Texts) -> bool {
    let any =
        |fits: &dyn Fn(&str, &str) -> bool| left.iter().any(|own| right.iter().any(|their| fits(own, their)));
    let ordered = |order| any(&|own, their| ordering(own, their).is_some_and(|found| in_order(found, order)));
    match operator {
        Operator::Exists => true,
        Operator::Eq => any(&|own, their| own == their),
        Operator::Neq => !any(&|own, their| own == their),
        Operator::Lt => ordered(Order::Lt),
        Operator::Lte => ordered(Order::Lte),
        Operator::Gt => ordered(Order::Gt),
        Operator::Gte => ordered(Order::Gte),
        Operator::Contains => any(&|own, their| own.contains(their)),
        Operator::IContains => {
            any(&|own, their| own.to_ascii_lowercase().contains(&their.to_ascii_lowercase()))
        }
        Operator::StartsWith => any(&|own, their| own.starts_with(their)),
        Operator::EndsWith => any(&|own, their| own.ends_with(their)),
        Operator::Intersects => any(&|own, their| own == their),
        Operator::In => left.iter().all(|own| right.contains(own)),
        // Refused when the plan was made.
        Operator::BContains
        | Operator::BStartsWith
        | Operator::Glob
        | Operator::IGlob
        | Operator::Regex
        | Operator::PMatch => false,
    }
}

fn ordering(own: &str, their: &str) -> Option<std::cmp::Ordering> {
    match (Scalar::Text(own).number()?, Scalar::Text(their).number()?) {
        (Number::Integer(own), Number::Integer(their)) => Some(own.cmp(&their)),
        (own, their) => own.as_f64().partial_cmp(&their.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_with_their_arguments() {
        let found = |words: &[&str], options| {
            let words: Texts = words.iter().map(|word| CompactString::from(*word)).collect();
            getopt(&words, options).join(" ")
        };
        assert_eq!(found(&["-n", ""], "n"), "n");
        assert_eq!(found(&["-nt", "hello"], "nt:"), "n t hello");
        assert_eq!(found(&["-thello"], "t:"), "t hello");
        assert_eq!(found(&["-n", "--", "-t"], "nt:"), "n");
        assert_eq!(found(&["-x", "arg", "-n"], "n"), "n");
        assert_eq!(found(&["-lpe", "/bin/sh"], "lpe:"), "l p e /bin/sh");
        assert_eq!(found(&["-n"], ""), "");
    }

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(decoded("YWFhLWJiYg==").as_deref(), Some("aaa-bbb"));
        assert_eq!(decoded("YWFhYmJi").as_deref(), Some("aaabbb"));
        assert_eq!(decoded("no base64!"), None);
    }
}
