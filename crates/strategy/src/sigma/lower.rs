//! A value and its modifiers become [`Matcher`]s.
//!
//! Modifiers are applied from left to right (Sigma 2.1.0, "Value Modifiers"), so an order that makes no
//! sense is an error here. The encodings come out as plain patterns; nothing is matched in this crate.

use std::net::IpAddr;

use super::encode;
use super::matcher::{Cidr, FieldRef, Matcher, Order, Regex, TimePart};
use super::modifier::Modifier;
use super::pattern::{Openness, Pattern};

use crate::diagnostic::{Code, Problem, codes};
use crate::source::Span;
use crate::yaml::{Node, Number, Resolved, Scalar};

/// Applies `modifiers` to one value: what comes out are alternatives, of which one is enough.
///
/// # Errors
/// A modifier that does not fit the value, or what stands before it.
pub fn lower(node: &Node, modifiers: &[Modifier]) -> Result<Vec<Matcher>, Problem> {
    let Some(scalar) = node.scalar() else {
        let message = format!("{} where a value was expected", node.kind());
        return Err(Problem::new(codes::RULE, node.span, message));
    };
    let mut draft = Draft::of(scalar);
    for modifier in modifiers {
        draft = draft.apply(*modifier, scalar).map_err(|misfit| misfit.at(node.span, *modifier))?;
    }
    draft.finish(scalar).map_err(|misfit| Problem::new(misfit.code, node.span, misfit.message))
}

/// A value on its way through its modifiers.
enum Draft {
    /// As written.
    Raw,
    Text(Vec<Pattern>),
    /// Encoded, to be encoded again or to become text.
    Bytes(Vec<u8>),
    Regex(Regex),
    Field(FieldRef),
    Time(TimePart, Order, Number),
    Done(Matcher),
    /// A value as YAML means it, once it is known that no modifier changes it.
    Plain(Matcher),
}

struct Misfit {
    code: Code,
    message: String,
}

impl Misfit {
    fn new(message: impl Into<String>) -> Self {
        Self { code: codes::MODIFIER, message: message.into() }
    }

    fn at(self, span: Span, modifier: Modifier) -> Problem {
        Problem::new(self.code, span, format!("`{}`: {}", modifier.name(), self.message))
    }
}

impl Draft {
    fn of(scalar: &Scalar) -> Self {
        match scalar.resolve() {
            Resolved::Null => Self::Plain(Matcher::Null),
            Resolved::Bool(value) => Self::Plain(Matcher::Bool(value)),
            Resolved::Number(number) => Self::Plain(Matcher::Number(number)),
            Resolved::Text(_) => Self::Raw,
        }
    }

    fn apply(self, modifier: Modifier, scalar: &Scalar) -> Result<Self, Misfit> {
        use Modifier as M;
        match (modifier, self) {
            (M::All | M::Neq, draft) => Ok(draft),
            (M::Exists, Self::Plain(Matcher::Bool(value))) => Ok(Self::Done(Matcher::Exists(value))),
            (M::Exists, _) => Err(Misfit::new("takes `true` or `false` and stands alone")),
            (_, Self::Plain(Matcher::Null)) => Err(Misfit::new("cannot be applied to null")),

            (M::Lt | M::Lte | M::Gt | M::Gte, draft) => draft.compare(modifier),
            (
                M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year,
                Self::Plain(Matcher::Number(number)),
            ) => Ok(Self::Time(time_part(modifier), Order::Eq, number)),

            (M::Re, Self::Raw | Self::Plain(_)) => Ok(Self::Regex(Regex {
                source: scalar.text.clone(),
                ignore_case: false,
                multi_line: false,
                dot_all: false,
            })),
            (M::ReIgnoreCase, Self::Regex(re)) => Ok(Self::Regex(Regex { ignore_case: true, ..re })),
            (M::ReMultiLine, Self::Regex(re)) => Ok(Self::Regex(Regex { multi_line: true, ..re })),
            (M::ReDotAll, Self::Regex(re)) => Ok(Self::Regex(Regex { dot_all: true, ..re })),
            (M::Cidr, Self::Raw) => cidr(&scalar.text).map(|cidr| Self::Done(Matcher::Cidr(cidr))),

            (M::FieldRef, Self::Raw) => Ok(Self::Field(FieldRef {
                name: scalar.text.clone(),
                before: Openness::Closed,
                after: Openness::Closed,
                cased: false,
            })),
            (_, Self::Field(field)) => field.modify(modifier).map(Self::Field),

            (M::Base64 | M::Base64Offset, draft) => draft.base64(modifier, scalar),
            (M::Utf16 | M::Utf16Le | M::Utf16Be | M::Wide, draft) => {
                let text = draft.only_literal(scalar)?;
                Ok(Self::Bytes(encode::utf16(&text, modifier)))
            }
            (_, draft) => draft.text(modifier, scalar),
        }
    }

    fn compare(self, modifier: Modifier) -> Result<Self, Misfit> {
        let order = match modifier {
            Modifier::Lt => Order::Lt,
            Modifier::Lte => Order::Lte,
            Modifier::Gt => Order::Gt,
            _ => Order::Gte,
        };
        match self {
            Self::Plain(Matcher::Number(number)) => Ok(Self::Done(Matcher::Compare(order, number))),
            Self::Time(part, Order::Eq, number) => Ok(Self::Time(part, order, number)),
            _ => Err(Misfit::new("takes a number")),
        }
    }

    /// The modifiers of plain strings.
    fn text(self, modifier: Modifier, scalar: &Scalar) -> Result<Self, Misfit> {
        use Modifier as M;
        if !matches!(modifier, M::StartsWith | M::EndsWith | M::Contains | M::Cased | M::Windash | M::Expand)
        {
            return Err(Misfit::new("does not fit this value or what stands before it"));
        }
        let change = |pattern: Pattern| match modifier {
            M::StartsWith => pattern.open(Openness::Closed, Openness::Any),
            M::EndsWith => pattern.open(Openness::Any, Openness::Closed),
            M::Contains => pattern.open(Openness::Any, Openness::Any),
            M::Windash => pattern.windash(),
            M::Expand => pattern.expand(),
            _ => Pattern { cased: true, ..pattern },
        };
        Ok(Self::Text(self.patterns(scalar)?.into_iter().map(change).collect()))
    }

    fn patterns(self, scalar: &Scalar) -> Result<Vec<Pattern>, Misfit> {
        match self {
            Self::Raw | Self::Plain(_) => Ok(vec![Pattern::parse(&scalar.text)]),
            Self::Text(patterns) => Ok(patterns),
            Self::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(vec![Pattern::literal(text)]),
                Err(_) => Err(Misfit::new("encoded text that is not UTF-8 must be followed by `base64`")),
            },
            _ => Err(Misfit::new("does not fit what stands before it")),
        }
    }

    /// The text to be encoded: one pattern without wildcards.
    fn only_literal(self, scalar: &Scalar) -> Result<String, Misfit> {
        let patterns = self.patterns(scalar)?;
        match patterns.as_slice() {
            [pattern] => pattern.as_literal().map(str::to_owned),
            _ => None,
        }
        .ok_or_else(|| Misfit::new("text with wildcards cannot be encoded"))
    }

    fn base64(self, modifier: Modifier, scalar: &Scalar) -> Result<Self, Misfit> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            draft => draft.only_literal(scalar)?.into_bytes(),
        };
        let encoded = match modifier {
            Modifier::Base64 => vec![encode::base64(&bytes)],
            _ => encode::base64_offsets(&bytes).into(),
        };
        if encoded.iter().any(String::is_empty) {
            return Err(Misfit::new("the value is too short to be found at every alignment"));
        }
        Ok(Self::Text(encoded.into_iter().map(Pattern::literal).collect()))
    }

    fn finish(self, scalar: &Scalar) -> Result<Vec<Matcher>, Misfit> {
        match self {
            Self::Regex(re) => re
                .check()
                .map_err(|message| Misfit { code: codes::REGEX, message })
                .map(|()| vec![Matcher::Regex(re)]),
            Self::Field(field) => Ok(vec![Matcher::Field(field)]),
            Self::Time(part, order, number) => Ok(vec![Matcher::TimePart(part, order, number)]),
            Self::Done(matcher) | Self::Plain(matcher) => Ok(vec![matcher]),
            text => Ok(text.patterns(scalar)?.into_iter().map(Matcher::Pattern).collect()),
        }
    }
}

impl FieldRef {
    fn modify(self, modifier: Modifier) -> Result<Self, Misfit> {
        let any = Openness::Any;
        match modifier {
            Modifier::StartsWith => Ok(Self { after: any, ..self }),
            Modifier::EndsWith => Ok(Self { before: any, ..self }),
            Modifier::Contains => Ok(Self { before: any, after: any, ..self }),
            Modifier::Cased => Ok(Self { cased: true, ..self }),
            _ => Err(Misfit::new("does not fit after `fieldref`")),
        }
    }
}

fn time_part(modifier: Modifier) -> TimePart {
    match modifier {
        Modifier::Minute => TimePart::Minute,
        Modifier::Hour => TimePart::Hour,
        Modifier::Day => TimePart::Day,
        Modifier::Week => TimePart::Week,
        Modifier::Month => TimePart::Month,
        _ => TimePart::Year,
    }
}

fn cidr(text: &str) -> Result<Cidr, Misfit> {
    let misfit = || Misfit::new(format!("`{text}` is not an address block such as 10.0.0.0/8"));
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| misfit())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| misfit())?;
    if prefix > longest { Err(misfit()) } else { Ok(Cidr { address, prefix }) }
}
