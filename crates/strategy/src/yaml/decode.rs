//! A [`Node`] as a typed value through serde, with the place of what does not fit.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use super::{Key, Node, Number, Resolved, Value};
use crate::diagnostic::{Code, Problem};
use crate::source::Span;
use crate::suggest;

/// Reads `node` as a `T`.
///
/// # Errors
/// The first thing that does not fit, under `code`.
pub fn decode<T: DeserializeOwned>(node: &Node, code: Code) -> Result<T, Problem> {
    T::deserialize(node).map_err(|error| {
        let problem = Problem::new(code, error.span.unwrap_or(node.span), error.message);
        match error.hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }
    })
}

/// Why a node does not fit.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Misfit {
    message: String,
    hint: Option<String>,
    span: Option<Span>,
}

impl Misfit {
    /// The innermost place wins: it is the one that says most.
    fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl de::Error for Misfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), hint: None, span: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = suggest::hint(field, expected.iter().copied());
        Self { message: format!("unknown key `{field}`"), hint, span: None }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = suggest::hint(variant, expected.iter().copied());
        Self { message: format!("unknown value `{variant}`"), hint, span: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { message: format!("the key `{field}` is missing"), hint: None, span: None }
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let read = match &self.value {
            Value::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Value::Mapping(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None }),
            Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => visitor.visit_unit(),
                Resolved::Bool(value) => visitor.visit_bool(value),
                Resolved::Number(Number::Integer(number)) => visitor.visit_i64(number),
                Resolved::Number(Number::Float(number)) => visitor.visit_f64(number),
                Resolved::Text(text) => visitor.visit_borrowed_str(text),
            },
        };
        read.map_err(|misfit| misfit.at(self.span))
    }

    /// Text takes numbers and booleans as they are written: `version: 1.10` is "1.10".
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text).map_err(|misfit: Misfit| misfit.at(self.span)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Scalar(scalar) if scalar.resolve() == Resolved::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Some(text) = self.text() else {
            let message = format!("{} where a word was expected", self.kind());
            return Err(Misfit { message, hint: None, span: Some(self.span) });
        };
        visitor.visit_enum(text.into_deserializer()).map_err(|misfit: Misfit| misfit.at(self.span))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|node| seed.deserialize(node).map_err(|misfit| misfit.at(node.span))).transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let text: StrDeserializer<'de, Misfit> = key.text.as_str().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|misfit| misfit.at(key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self.value.take().ok_or_else(|| de::Error::custom("a value without its key"))?;
        seed.deserialize(node).map_err(|misfit| misfit.at(node.span))
    }
}
