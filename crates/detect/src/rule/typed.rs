//! Typed events as records: the fields of the catalogue.
//!
//! The catalogue does not tell an empty text from a missing one, so `''` asks for either; no field is ever null.

use super::node::Node;
use super::record::{Alone, Key, Presence, Record, Scalar, Schema};
use super::test::Test;
use crate::error::Fault;
use crate::json::JsonItem;
use compact_str::CompactString;
use event::field::FieldType;
use event::file::FileOp;
use event::{Class, Event, Field, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The catalogue as a schema.
pub(crate) struct Catalogue;

/// The field of this name.
pub(crate) fn field(name: &str) -> Result<Field, Fault> {
    Field::by_name(name).ok_or_else(|| Fault::UnknownField(name.to_owned()))
}

impl Key for Field {
    fn has_few_values(self) -> bool {
        use Field::{
            EffectiveUserId, EventOperation, EventSensor, EventVia, LoginUserId, NetworkDirection,
            ProcessRole, Protocol, User, UserId,
        };
        matches!(
            self,
            EventOperation
                | EventSensor
                | EventVia
                | Protocol
                | NetworkDirection
                | ProcessRole
                | User
                | UserId
                | EffectiveUserId
                | LoginUserId
        )
    }

    fn is_of_class(self) -> bool {
        matches!(self, Field::AuditType | Field::EventClass)
    }

    fn number(self) -> usize {
        self as usize
    }

    fn is_rare(self) -> bool {
        use Field::{
            FactCommandText, FactExecutableContent, FactHostFacts, FactHostPath, FactHostSystemFile,
            FactIntendedDestination, FactPlaintextClient, FactProtocolMismatch, FactRuntimeSocket,
            FactSocketStdio, FactWebService, FileHostPath,
        };
        matches!(
            self,
            FactCommandText
                | FactExecutableContent
                | FactHostFacts
                | FactHostPath
                | FactHostSystemFile
                | FactIntendedDestination
                | FactPlaintextClient
                | FactProtocolMismatch
                | FactRuntimeSocket
                | FactSocketStdio
                | FactWebService
                | FileHostPath
        )
    }

    fn may_be_text(self) -> bool {
        // A user is a text that is made of his number.
        self.field_type() == FieldType::Text
            && !matches!(self, Field::User | Field::ContainerId | Field::TargetContainer)
    }

    fn cost(self) -> u32 {
        // Lists and ids are made for the occasion.
        match self.field_type() {
            FieldType::List => 20,
            _ if matches!(self, Field::ContainerId | Field::WorkloadId | Field::TargetContainer) => 20,
            _ => 0,
        }
    }
}

impl Schema for Catalogue {
    type Key = Field;
    const EMPTY_IS_MISSING: bool = true;

    fn field(&mut self, name: &str) -> Result<Field, Fault> {
        field(name)
    }

    fn array(&mut self, name: &str) -> Result<Field, Fault> {
        Err(Fault::Unsupported(format!("the array selection on `{name}`")))
    }

    fn item(&mut self) -> Result<Field, Fault> {
        Err(Fault::Unsupported("a test of array items".to_owned()))
    }
}

impl Record<Field> for Event {
    fn presence(&self, field: Field) -> Presence {
        // Asked by most rules: without making a text of the id.
        let is_absent = match field {
            Field::ContainerId => self.container_id().is_none(),
            Field::WorkloadId => !event::field::has_workload(self),
            field => field.of(self).is_absent(),
        };
        if is_absent { Presence::Missing } else { Presence::Here }
    }

    fn any(&self, field: Field, mut ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        match field.of(self) {
            Value::Absent => false,
            Value::Str(text) => ask(Scalar::Text(text)),
            Value::Owned(text) => ask(Scalar::Text(&text)),
            Value::Int(number) => ask(Scalar::Integer(number)),
            Value::Bool(flag) => ask(Scalar::Bool(flag)),
            Value::Ip(ip) => ask(Scalar::Ip(ip)),
            Value::List(items) => items.into_iter().any(|item| ask(Scalar::Text(item))),
        }
    }

    fn any_value(&self, mut ask: impl FnMut(Scalar<'_>) -> bool) -> bool {
        event::field::candidates(self).any(|field| self.any(field, &mut ask))
    }

    fn for_each_item(&self, _field: Field, _see: &mut dyn FnMut(JsonItem<'_>)) {}

    // Small, and asked of each field: as a call, it costs half as much again.
    #[inline(always)]
    fn alone(&self, field: Field) -> Alone<'_> {
        if let Some(text) = of_process(self, field) {
            return if text.is_empty() { Alone::Nothing } else { Alone::Text(text) };
        }
        match field.of(self) {
            Value::Absent => Alone::Nothing,
            Value::Str(text) => Alone::Text(text),
            _ => Alone::Other,
        }
    }
}

/// The fields that most rules read, which the catalogue would give as well, a little later.
#[inline]
fn of_process(event: &Event, field: Field) -> Option<&str> {
    let process = event.context.process.as_deref()?;
    match field {
        Field::Image => Some(process.own.path.as_str()),
        Field::CommandLine => Some(&process.own.command_line),
        Field::ParentImage => process.ancestors.first().map(|parent| parent.path.as_str()),
        Field::CurrentDirectory => event::field::exec(event).map(|exec| exec.cwd.as_str()),
        Field::ParentCommandLine => process.ancestors.first().map(|parent| parent.command_line.as_str()),
        _ => None,
    }
}

/// The condition for events of `class`, which says the value of some fields: what asks for these alone is answered. `None`
/// where it can hold for no such event.
pub(super) fn settled(node: Node<Field>, class: Class) -> Option<Node<Field>> {
    Some(folded(node, class)).filter(|node| !is_never(node))
}

fn folded(node: Node<Field>, class: Class) -> Node<Field> {
    let each = |parts: Box<[Node<Field>]>| parts.into_iter().map(|part| folded(part, class));
    match node {
        Node::And(parts) => {
            let mut left: Vec<_> = each(parts).filter(|part| !is_always(part)).collect();
            match left.iter().position(is_never) {
                Some(never) => left.swap_remove(never),
                None => only_or(left, Node::And),
            }
        }
        Node::Or(parts) => {
            let mut left: Vec<_> = each(parts).filter(|part| !is_never(part)).collect();
            match left.iter().position(is_always) {
                Some(always) => left.swap_remove(always),
                None => only_or(left, Node::Or),
            }
        }
        Node::Not(part) => match folded(*part, class) {
            part if is_always(&part) => Node::Or(Box::default()),
            part if is_never(&part) => Node::And(Box::default()),
            part => Node::Not(Box::new(part)),
        },
        Node::Ask(field, tests) => match answer(field, &tests, class) {
            Some(true) => Node::And(Box::default()),
            Some(false) => Node::Or(Box::default()),
            None => Node::Ask(field, tests),
        },
        other => other,
    }
}

/// Whether one of `tests` holds for events of `class`; `None` where the class does not say.
fn answer(field: Field, tests: &[Test<Field>], class: Class) -> Option<bool> {
    let own = [class.as_str()];
    let values: &[&str] = match field {
        Field::AuditType => event::field::audit_types(class),
        Field::EventClass => &own,
        _ => return None,
    };
    let mut each = tests.iter().map(|test| match test {
        Test::Text(matcher) => Some(values.iter().any(|value| matcher.matches(value))),
        _ => None,
    });
    each.try_fold(false, |any, holds| holds.map(|holds| any | holds))
}

fn is_always(node: &Node<Field>) -> bool {
    matches!(node, Node::And(parts) if parts.is_empty())
}

fn is_never(node: &Node<Field>) -> bool {
    matches!(node, Node::Or(parts) if parts.is_empty())
}

fn only_or(mut parts: Vec<Node<Field>>, kind: fn(Box<[Node<Field>]>) -> Node<Field>) -> Node<Field> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            kind(parts.into_boxed_slice())
        }
    }
}

/// What sensors are told of the rules: which fields, operations and file names can matter.
pub(crate) trait Sensed {
    /// The fields that the rules of each class read.
    fn fields(&self) -> BTreeMap<Class, BTreeSet<Field>>;
    /// The operations that the rules of a class can hold for; `None` where one of them asks for no operation.
    fn operations(&self, class: Class) -> Option<BTreeSet<CompactString>>;
    /// Last components of the paths that rules about reads name: what a sensor of reads can watch by name.
    fn file_names(&self) -> BTreeSet<CompactString>;
}

impl Sensed for [(Class, Node<Field>)] {
    fn fields(&self) -> BTreeMap<Class, BTreeSet<Field>> {
        let mut fields: BTreeMap<Class, BTreeSet<Field>> = BTreeMap::new();
        for (class, node) in self {
            let of_class = fields.entry(*class).or_default();
            node.visit(&mut |field, _| match field {
                Some(field) => of_class.extend([field]),
                None => of_class.extend(Field::ALL),
            });
        }
        fields
    }

    fn operations(&self, class: Class) -> Option<BTreeSet<CompactString>> {
        let mut operations = BTreeSet::new();
        for (_, node) in self.iter().filter(|(own, _)| *own == class) {
            operations.extend(operations_of(node)?);
        }
        Some(operations)
    }

    fn file_names(&self) -> BTreeSet<CompactString> {
        const PATHS: [Field; 4] =
            [Field::TargetFilename, Field::FileName, Field::FileHostPath, Field::FactHostPath];
        let mut names = BTreeSet::new();
        let reads = |node: &Node<Field>| {
            operations_of(node)
                .is_none_or(|names| names.iter().any(|name| *name == FileOp::OpenRead.as_str()))
        };
        let rules = self.iter().filter(|(class, node)| *class == Class::FileEvent && reads(node));
        for (_, node) in rules {
            node.visit(&mut |field, tests| {
                let texts = tests.iter().filter_map(|test| match test {
                    Test::Text(matcher) if field.is_some_and(|field| PATHS.contains(&field)) => {
                        matcher.suffix()
                    }
                    _ => None,
                });
                let bases = texts.filter_map(|text| text.rsplit('/').next());
                names.extend(bases.filter(|base| !base.is_empty()).map(CompactString::from));
            });
        }
        names
    }
}

/// The operations of which the event must be one; `None` where the condition does not say.
fn operations_of(node: &Node<Field>) -> Option<Vec<CompactString>> {
    match node {
        Node::And(parts) => parts.iter().find_map(operations_of),
        Node::Ask(Field::EventOperation, tests) => tests
            .iter()
            .map(|test| match test {
                Test::Text(matcher) => {
                    matcher.exact().filter(|text| !text.is_empty()).map(CompactString::from)
                }
                _ => None,
            })
            .collect(),
        _ => None,
    }
}
