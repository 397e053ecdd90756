//! Plain scalars: null, booleans, numbers, else text (YAML 1.2.2, §10.3.2).

/// A scalar as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text after escapes.
    pub text: String,
    /// Written without quotation marks or block indicator.
    pub plain: bool,
}

/// What a scalar means.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Anything else.
    Text(&'a str),
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number; never NaN.
    Float(f64),
}

impl Number {
    /// The number as a float; whole numbers above 2⁵³ lose their last digits.
    #[expect(clippy::cast_precision_loss, reason = "the loss is what the method documents")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl Scalar {
    /// The meaning by the core schema; quoted and block scalars are text.
    pub fn resolve(&self) -> Resolved<'_> {
        if !self.plain {
            return Resolved::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            text => number(text).map_or(Resolved::Text(text), Resolved::Number),
        }
    }
}

/// Reads a number of the core schema.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(Number::Integer);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().map(Number::Integer);
    }
    match digits {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Some(Number::Float(sign * f64::INFINITY));
        }
        _ if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => return None,
        _ if !digits.contains(|letter: char| letter.is_ascii_digit()) => return None,
        _ if digits.contains(|letter: char| !matches!(letter, '0'..='9' | '.' | 'e' | 'E' | '+' | '-')) => {
            return None;
        }
        _ => {}
    }
    match text.parse::<i64>() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => text.parse::<f64>().ok().map(Number::Float),
    }
}
