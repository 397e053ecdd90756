//! Shell patterns (`glob`, `iglob`, `pmatch`) as Sigma patterns or regular expressions.
//!
//! Source: POSIX.1-2017, XCU 2.13, as `fnmatch` reads it without `FNM_PATHNAME`: `*` and `?` match `/` too. Left out on
//! purpose: the extended patterns `@(…)`, `!(…)` and the like, which are refused.

use crate::sigma::{Matcher, Pattern, Regex, Segment};

/// The pattern of a shell pattern.
pub(super) fn matcher(glob: &str, ignore_case: bool) -> Result<Matcher, String> {
    for opening in ["?(", "*(", "+(", "@(", "!("] {
        if glob.contains(opening) {
            return Err(format!("the extended pattern `{opening}…)` in `{glob}`"));
        }
    }
    if glob.contains('[') {
        return Ok(Matcher::Regex(Regex {
            source: format!("\\A(?:{})\\z", expression(glob, ".")),
            ignore_case,
            multi_line: false,
            dot_all: true,
        }));
    }
    let mut pattern = Pattern { segments: Vec::new(), cased: !ignore_case };
    let mut letters = glob.chars();
    while let Some(letter) = letters.next() {
        pattern.push(match letter {
            '*' => Segment::Any,
            '?' => Segment::One,
            '\\' => Segment::Literal(letters.next().unwrap_or('\\').into()),
            other => Segment::Literal(other.into()),
        });
    }
    Ok(Matcher::Pattern(pattern))
}

/// What `pmatch` asks: the path, or a path below it.
pub(super) fn below(path: &str) -> Vec<Matcher> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| part.contains(['*', '?', '['])) {
        let parts: Vec<String> = parts.iter().map(|part| expression(part, "[^/]")).collect();
        let source = format!("\\A/*{}(?:/.*)?\\z", parts.join("/+"));
        let regex = Regex { source, ignore_case: false, multi_line: false, dot_all: true };
        return vec![Matcher::Regex(regex)];
    }
    let path = format!("/{}", parts.join("/"));
    let exact = Pattern { cased: true, ..Pattern::literal(path.clone()) };
    let inside = if parts.is_empty() { path } else { format!("{path}/") };
    let mut inside = Pattern { cased: true, ..Pattern::literal(inside) };
    inside.push(Segment::Any);
    vec![Matcher::Pattern(exact), Matcher::Pattern(inside)]
}

/// The regular expression of a shell pattern whose wildcards match `any`.
fn expression(glob: &str, any: &str) -> String {
    let mut out = String::new();
    let mut rest = glob;
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        match letter {
            '*' => out.extend([any, "*"]),
            '?' => out.push_str(any),
            '\\' => {
                let next = rest.chars().nth(1).unwrap_or('\\');
                taken = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
                push_literal(next, &mut out);
            }
            '[' => match bracket(rest) {
                Some((class, length)) => {
                    out.push_str(&class);
                    taken = length;
                }
                None => out.push_str("\\["),
            },
            other => push_literal(other, &mut out),
        }
        rest = rest.get(taken..).unwrap_or("");
    }
    out
}

/// A bracket expression at the start of `text` as a class, and its length; `None` where it is not closed.
fn bracket(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('[')?;
    let (negated, inner) = match inner.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, inner),
    };
    // A `]` that stands first is a member.
    let close = inner.char_indices().skip(1).find(|(_, letter)| *letter == ']')?.0;
    let members = inner.get(..close)?;
    let mut class = String::from(if negated { "[^" } else { "[" });
    for letter in members.chars() {
        if matches!(letter, '[' | ']' | '\\' | '^' | '&' | '~') {
            class.push('\\');
        }
        class.push(letter);
    }
    class.push(']');
    Some((class, text.len() - inner.len() + close + 1))
}

fn push_literal(letter: char, out: &mut String) {
    let mut bytes = [0; 4];
    out.push_str(&regex_syntax::escape(letter.encode_utf8(&mut bytes)));
}
