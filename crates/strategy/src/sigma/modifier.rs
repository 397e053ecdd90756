//! The modifiers of Sigma 2.1.0 (appendix "Modifiers"): `field|contains|all`.

use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::suggest;

/// A modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// All values must match, not any.
    All,
    /// Any text may follow.
    StartsWith,
    /// Any text may precede.
    EndsWith,
    /// Any text may precede and follow.
    Contains,
    /// The field is there, whatever its value.
    Exists,
    /// Case matters.
    Cased,
    /// No value matches.
    Neq,
    /// A dash stands for all kinds of dashes.
    Windash,
    /// A regular expression.
    Re,
    /// Of a regular expression: case does not matter.
    ReIgnoreCase,
    /// Of a regular expression: `^` and `$` match at line breaks.
    ReMultiLine,
    /// Of a regular expression: `.` matches line breaks.
    ReDotAll,
    /// The value in Base64.
    Base64,
    /// The value in Base64 at each of three alignments.
    Base64Offset,
    /// The value in UTF-16 with a byte order mark.
    Utf16,
    /// The value in UTF-16, little endian.
    Utf16Le,
    /// The value in UTF-16, big endian.
    Utf16Be,
    /// The same as `utf16le`.
    Wide,
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
    /// The minute of a time.
    Minute,
    /// The hour of a time.
    Hour,
    /// The day of the month of a time.
    Day,
    /// The ISO week of a time.
    Week,
    /// The month of a time.
    Month,
    /// The year of a time.
    Year,
    /// An address block.
    Cidr,
    /// `%name%` is filled in from the configuration.
    Expand,
    /// The value is the name of another field.
    FieldRef,
}

use Modifier as M;

/// Names and modifiers; the first name of a modifier is its own, others are aliases.
const NAMES: &[(&str, Modifier)] = &[
    ("all", M::All),
    ("startswith", M::StartsWith),
    ("endswith", M::EndsWith),
    ("contains", M::Contains),
    ("exists", M::Exists),
    ("cased", M::Cased),
    ("neq", M::Neq),
    ("windash", M::Windash),
    ("re", M::Re),
    ("i", M::ReIgnoreCase),
    ("ignorecase", M::ReIgnoreCase),
    ("m", M::ReMultiLine),
    ("multiline", M::ReMultiLine),
    ("s", M::ReDotAll),
    ("dotall", M::ReDotAll),
    ("base64", M::Base64),
    ("base64offset", M::Base64Offset),
    ("utf16", M::Utf16),
    ("utf16le", M::Utf16Le),
    ("utf16be", M::Utf16Be),
    ("wide", M::Wide),
    ("lt", M::Lt),
    ("lte", M::Lte),
    ("gt", M::Gt),
    ("gte", M::Gte),
    ("minute", M::Minute),
    ("hour", M::Hour),
    ("day", M::Day),
    ("week", M::Week),
    ("month", M::Month),
    ("year", M::Year),
    ("cidr", M::Cidr),
    ("expand", M::Expand),
    ("fieldref", M::FieldRef),
];

impl Modifier {
    /// The modifier of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, modifier)| *modifier)
    }

    /// The name in a rule.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, modifier)| *modifier == self).map_or("", |(name, _)| name)
    }
}

/// Splits `field|modifier|…`.
///
/// # Errors
/// An unknown or repeated modifier.
pub fn split(key: &str, span: Span) -> Result<(&str, Vec<Modifier>), Problem> {
    let mut parts = key.split('|');
    let field = parts.next().unwrap_or("");
    let mut modifiers = Vec::new();
    for name in parts {
        let Some(modifier) = Modifier::by_name(name) else {
            let hint = suggest::nearest(name, NAMES.iter().map(|(name, _)| *name))
                .map(|name| format!("did you mean `{name}`?"));
            let message = format!("unknown modifier `{name}`");
            return Err(Problem::new(codes::MODIFIER, span, message).with_hint_if(hint));
        };
        if modifiers.contains(&modifier) {
            return Err(Problem::new(codes::MODIFIER, span, format!("the modifier `{name}` is repeated")));
        }
        modifiers.push(modifier);
    }
    Ok((field, modifiers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_field_and_its_modifiers() {
        let (field, modifiers) = split("CommandLine|contains|all", Span::default()).unwrap();
        assert_eq!((field, modifiers.as_slice()), ("CommandLine", [M::Contains, M::All].as_slice()));
        assert_eq!(split("'|all'", Span::default()).unwrap_err().code, codes::MODIFIER);
        let unknown = split("a|contians", Span::default()).unwrap_err();
        assert_eq!(unknown.hint.unwrap(), "did you mean `contains`?");
        assert!(split("a|re|re", Span::default()).is_err());
    }

    #[test]
    fn every_name_round_trips() {
        assert!(NAMES.iter().all(|(name, modifier)| Modifier::by_name(name) == Some(*modifier)));
        assert_eq!(M::ReIgnoreCase.name(), "i");
    }
}
