//! What a value of a check asks of one value of a field.
//!
//! In: operator, value and kind of the field. Out: Sigma's matchers, which ask the same; or why it cannot be asked.

use super::expression::Operator;
use super::plan::Kind;
use super::{glob, lex};
use crate::sigma::{Cidr, Matcher, Openness, Order, Pattern, Regex};

/// What a value must fit.
pub(super) fn matchers(operator: Operator, wanted: &str, kind: Kind) -> Result<Vec<Matcher>, String> {
    let text = |before, after| {
        let pattern = Pattern { cased: true, ..Pattern::literal(wanted) }.open(before, after);
        Ok(vec![Matcher::Pattern(pattern)])
    };
    let number = || lex::number(wanted).ok_or_else(|| format!("`{wanted}` is no number"));
    match operator {
        Operator::Eq => Ok(equal(wanted, kind)),
        Operator::Lt => Ok(vec![Matcher::Compare(Order::Lt, number()?)]),
        Operator::Lte => Ok(vec![Matcher::Compare(Order::Lte, number()?)]),
        Operator::Gt => Ok(vec![Matcher::Compare(Order::Gt, number()?)]),
        Operator::Gte => Ok(vec![Matcher::Compare(Order::Gte, number()?)]),
        Operator::Contains => text(Openness::Any, Openness::Any),
        Operator::StartsWith => text(Openness::Closed, Openness::Any),
        Operator::EndsWith => text(Openness::Any, Openness::Closed),
        Operator::IContains => {
            Ok(vec![Matcher::Pattern(Pattern::literal(wanted).open(Openness::Any, Openness::Any))])
        }
        Operator::Glob => Ok(vec![glob::matcher(wanted, false)?]),
        Operator::IGlob => Ok(vec![glob::matcher(wanted, true)?]),
        Operator::Regex => regex(wanted).map(|regex| vec![regex]),
        Operator::BContains => bytes(wanted, Openness::Any),
        Operator::BStartsWith => bytes(wanted, Openness::Closed),
        Operator::Exists | Operator::Neq | Operator::In | Operator::Intersects | Operator::PMatch => {
            Err(format!("`{}` with one value", operator.as_str()))
        }
    }
}

fn equal(wanted: &str, kind: Kind) -> Vec<Matcher> {
    let literal = || Matcher::Pattern(Pattern { cased: true, ..Pattern::literal(wanted) });
    match kind {
        Kind::Address => vec![cidr(wanted).map_or_else(literal, Matcher::Cidr)],
        Kind::Number => vec![lex::number(wanted).map_or_else(literal, Matcher::Number)],
        Kind::Bool => match wanted {
            "true" => vec![Matcher::Bool(true)],
            "false" => vec![Matcher::Bool(false)],
            _ => vec![literal()],
        },
        // A number that a rule writes in hexadecimal is decimal in an event.
        Kind::Unknown if wanted.starts_with("0x") => match lex::number(wanted) {
            Some(number) => vec![literal(), Matcher::Number(number)],
            None => vec![literal()],
        },
        Kind::Text | Kind::List | Kind::Unknown => vec![literal()],
    }
}

fn cidr(text: &str) -> Option<Cidr> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: std::net::IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok())?;
    (prefix <= longest).then_some(Cidr { address, prefix })
}

/// An expression that must match the whole value.
fn regex(wanted: &str) -> Result<Matcher, String> {
    // Read without what is put around it, so that a stray `)` cannot close that.
    let parsed = regex_syntax::ParserBuilder::new().multi_line(true).build().parse(wanted);
    if let Err(error) = parsed {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
        return Err(format!("regular expression `{wanted}`: {reason}"));
    }
    // In POSIX syntax RE2 lets `^` and `$` match at line breaks.
    let source = format!("\\A(?:{wanted})\\z");
    Ok(Matcher::Regex(Regex { source, ignore_case: false, multi_line: true, dot_all: false }))
}

/// Bytes in hexadecimal.
fn bytes(wanted: &str, before: Openness) -> Result<Vec<Matcher>, String> {
    let pairs = wanted.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2)?;
        u8::from_str_radix(digits, 16).ok()
    });
    let Some(bytes) = pairs.collect::<Option<Vec<u8>>>() else {
        return Err(format!("`{wanted}` is not bytes in hexadecimal"));
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let pattern = Pattern { cased: true, ..Pattern::literal(text) };
            Ok(vec![Matcher::Pattern(pattern.open(before, Openness::Any))])
        }
        Err(_) => Err(format!("the bytes `{wanted}` are no UTF-8, and events hold text")),
    }
}
