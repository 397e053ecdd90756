//! STIX 2.1: the patterns of indicators.
//!
//! In: the objects of a bundle. Out: the indicators of those of type `indicator` whose pattern is of STIX. A pattern is read
//! where it asks for equality of values that are compared here, joined by OR; what asks for more would be widened by leaving
//! a part out, and is counted as not understood. Revoked indicators are passed over. Other objects tell about indicators and
//! are none. Source: STIX 2.1 §9 (STIX Patterning).
//!
//! | object path | is compared as |
//! |---|---|
//! | `ipv4-addr:value`, `ipv6-addr:value` | address or network, also with ISSUBSET |
//! | `domain-name:value` | name |
//! | `url:value` | URL |
//! | `file:hashes.'SHA-256'`, and its spellings | digest |

use super::json::text;
use super::{Builder, NotUnderstood, indicator};
use serde_json::Value;

/// A word of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// Adds the indicators among `objects`.
pub(super) fn read(objects: &[Value], number: &mut u64, into: &mut Builder) {
    for object in objects {
        *number += 1;
        let is_revoked = object.get("revoked").and_then(Value::as_bool).unwrap_or_default();
        if text(object, "type") != "indicator" || is_revoked {
            continue;
        }
        let is_stix = ["", "stix"].contains(&text(object, "pattern_type"));
        match values(text(object, "pattern")).filter(|values| is_stix && !values.is_empty()) {
            None => into.refuse(*number, NotUnderstood::Pattern),
            Some(values) => {
                for (path, value) in values {
                    let read = if is_compared(&path) { indicator(&value) } else { Err(NotUnderstood::Type) };
                    into.take(*number, &value, read);
                }
            }
        }
    }
}

/// Whether values of an object path are compared with anything.
fn is_compared(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace(['\'', '-', '_'], "");
    matches!(
        path.as_str(),
        "ipv4addr:value" | "ipv6addr:value" | "domainname:value" | "url:value" | "file:hashes.sha256"
    )
}

/// The object paths of a pattern with what they are asked to equal, where it asks nothing else.
fn values(pattern: &str) -> Option<Vec<(String, String)>> {
    let mut tokens = tokens(pattern)?.into_iter().peekable();
    let mut found = Vec::new();
    loop {
        while tokens.next_if(|token| matches!(token, Token::Mark('[' | '('))).is_some() {}
        let Some(Token::Word(path)) = tokens.next() else { return None };
        match tokens.next()? {
            Token::Mark('=') => {}
            Token::Word(word) if word == "ISSUBSET" => {}
            Token::Word(word) if word == "IN" => {
                tokens.next_if_eq(&Token::Mark('('))?;
                loop {
                    let Some(Token::Text(value)) = tokens.next() else { return None };
                    found.push((path.clone(), value));
                    if tokens.next()? == Token::Mark(')') {
                        break;
                    }
                }
                if is_end(&mut tokens)? {
                    return Some(found);
                }
                continue;
            }
            _ => return None,
        }
        let Some(Token::Text(value)) = tokens.next() else { return None };
        found.push((path, value));
        if is_end(&mut tokens)? {
            return Some(found);
        }
    }
}

/// Whether a comparison was the last one; `None` where something else follows than OR.
fn is_end(tokens: &mut std::iter::Peekable<impl Iterator<Item = Token>>) -> Option<bool> {
    while tokens.next_if(|token| matches!(token, Token::Mark(']' | ')'))).is_some() {}
    match tokens.next() {
        None => Some(true),
        Some(Token::Word(word)) if word == "OR" => Some(false),
        Some(_) => None,
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => {}
            '[' | ']' | '(' | ')' | '=' | ',' => tokens.push(Token::Mark(letter)),
            '\'' => tokens.push(Token::Text(quoted(&mut letters)?)),
            _ if letter.is_ascii_alphanumeric() => tokens.push(Token::Word(word(letter, &mut letters)?)),
            _ => return None,
        }
    }
    Some(tokens)
}

/// A text until its closing quote.
fn quoted(letters: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '\'' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

/// An object path or an operator; a part of a path may stand in quotes.
fn word(first: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::from(first);
    while let Some(letter) =
        letters.next_if(|letter| letter.is_ascii_alphanumeric() || "-_:.'".contains(*letter))
    {
        if letter == '\'' {
            text.push_str(&quoted(letters)?);
        } else {
            text.push(letter);
        }
    }
    Some(text)
}
