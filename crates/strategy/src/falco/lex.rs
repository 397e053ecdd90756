//! Words of the filter language: names, numbers, texts in quotation marks, signs.

use super::parse::{Misfit, Parser};

impl<'t> Parser<'t> {
    /// A text in quotation marks; its escapes are those of C.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Misfit> {
        let mut letters = self.rest().char_indices();
        let Some((_, mark)) = letters.next().filter(|(_, letter)| matches!(letter, '"' | '\'')) else {
            return Ok(None);
        };
        let mut text = String::new();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some((_, next)) => unescape(next, &mut text),
                    None => break,
                },
                letter if letter == mark => {
                    self.at += at + 1;
                    return Ok(Some(text));
                }
                other => text.push(other),
            }
        }
        self.misfit("a quotation mark that is not closed")
    }

    pub(super) fn number(&mut self) -> Option<&'t str> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
        let rest = self.rest();
        let text = rest.split(|letter| !is_part(letter)).next().unwrap_or("");
        number(text)?;
        self.at += text.len();
        Some(text)
    }

    /// `a.b.c`.
    pub(super) fn field_name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.');
        let name = rest.split(|letter| !is_part(letter)).next().unwrap_or("").trim_end_matches('.');
        let fits = name.contains('.')
            && name.split('.').all(|part| part.starts_with(|first: char| first.is_ascii_alphabetic()));
        if !fits {
            return None;
        }
        self.at += name.len();
        Some(name)
    }

    pub(super) fn identifier(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?;
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        self.at += name.len();
        Some(name)
    }

    pub(super) fn until(&mut self, is_end: impl Fn(char) -> bool) -> &'t str {
        let text = self.rest().split(is_end).next().unwrap_or("");
        self.at += text.len();
        text
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let is_here = self.rest().starts_with(sign);
        if is_here {
            self.at += sign.len();
        }
        is_here
    }

    /// What stands here, for messages.
    pub(super) fn here(&self) -> String {
        match word_of(self.rest()) {
            "" => "the end".to_owned(),
            word => format!("`{word}`"),
        }
    }
}

/// A whole or real number, as conditions write it; `0x` begins a hexadecimal one.
pub(super) fn number(text: &str) -> Option<crate::yaml::Number> {
    use crate::yaml::Number;
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok().map(Number::Integer);
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-')) {
        return None;
    }
    match text.parse() {
        Ok(number) => Some(Number::Integer(number)),
        Err(_) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Number::Float),
    }
}

pub(super) fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{8}')
}

fn unescape(letter: char, text: &mut String) {
    match letter {
        'b' => text.push('\u{8}'),
        'f' => text.push('\u{c}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        '\\' | '/' | '"' | '\'' | ' ' => text.push(letter),
        // Anything else is no escape: the backslash is meant, as in `\.` of an expression.
        other => text.extend(['\\', other]),
    }
}

/// The word at the start of `text`, cut where it is long.
pub(super) fn word_of(text: &str) -> &str {
    const SHOWN: usize = 32;
    let word = text.split(is_blank).next().unwrap_or("");
    let end = word.char_indices().nth(SHOWN).map_or(word.len(), |(at, _)| at);
    word.get(..end).unwrap_or(word)
}
