//! Conditions: `selection and not 1 of filter_*`.
//!
//! Grammar (Sigma 2.1.0, "Condition"), weakest first: `or`, `and`, `not`, `N of pattern`, parentheses.
//! Operators are read in any case. The aggregation of Sigma 1 (`| count() > 5`) is refused: correlations
//! took its place.

use crate::diagnostic::{Problem, codes};
use crate::source::Span;
use crate::yaml::Node;

/// Deepest nesting of parentheses and `not`.
const DEPTH_LIMIT: usize = 64;

/// A condition over named parts of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Any of these.
    Or(Vec<Condition>),
    /// All of these.
    And(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The part of this name.
    Name(String, Span),
    /// Some of the parts that the selector chooses.
    Of(Quantity, Selector, Span),
}

/// How many parts must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// One or more.
    Any,
    /// All.
    All,
}

/// Which parts are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All parts whose name does not begin with `_`.
    Them,
    /// The parts whose name matches, with `*` anywhere.
    Pattern(String),
}

impl Selector {
    /// Whether the part `name` is meant.
    pub fn selects(&self, name: &str) -> bool {
        match self {
            Self::Them => !name.starts_with('_'),
            Self::Pattern(pattern) => glob(pattern, name),
        }
    }
}

impl Condition {
    /// Calls `visit` for each name and selector.
    pub fn for_each_part(&self, visit: &mut dyn FnMut(Part<'_>)) {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().for_each(|part| part.for_each_part(visit)),
            Self::Not(part) => part.for_each_part(visit),
            Self::Name(name, span) => visit(Part::Name(name, *span)),
            Self::Of(_, selector, span) => visit(Part::Selector(selector, *span)),
        }
    }

    /// Whether `not` stands anywhere in it.
    pub fn has_not(&self) -> bool {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().any(Self::has_not),
            Self::Not(_) => true,
            Self::Name(..) | Self::Of(..) => false,
        }
    }
}

/// What a condition refers to.
pub enum Part<'a> {
    /// One part by name.
    Name(&'a str, Span),
    /// Parts by selector.
    Selector(&'a Selector, Span),
}

/// Reads the condition that `node` holds.
///
/// # Errors
/// The first place where the text is no condition.
pub fn parse(node: &Node) -> Result<Condition, Problem> {
    let Some(text) = node.text() else {
        let message = format!("{} where a condition was expected", node.kind());
        return Err(Problem::new(codes::CONDITION, node.span, message));
    };
    let tokens = tokens(text, node)?;
    let mut parser = Parser { tokens: &tokens, end: Span::at(node.span.end), depth: 0 };
    let condition = parser.or()?;
    match parser.tokens.first() {
        None => Ok(condition),
        Some(token) => Err(unexpected(token)),
    }
}

struct Token<'a> {
    text: &'a str,
    span: Span,
}

impl Token<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }
}

/// Splits into words and parentheses. Their places are exact where the scalar stands on one line.
fn tokens<'a>(text: &'a str, node: &Node) -> Result<Vec<Token<'a>>, Problem> {
    let quote = node.scalar().map_or(0, |scalar| usize::from(!scalar.plain));
    let on_one_line = node.span.end - node.span.start == text.len() + 2 * quote;
    let place = |start: usize, end: usize| {
        let base = node.span.start + quote;
        if on_one_line { Span { start: base + start, end: base + end } } else { node.span }
    };
    let mut found = Vec::new();
    let mut word: Option<usize> = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        let ends_word = letter.is_whitespace() || matches!(letter, '(' | ')' | '|');
        if ends_word && let Some(start) = word.take() {
            found.push(Token { text: text.get(start..at).unwrap_or(""), span: place(start, at) });
        }
        match letter {
            '(' | ')' => {
                found.push(Token { text: text.get(at..at + 1).unwrap_or(""), span: place(at, at + 1) });
            }
            '|' => {
                return Err(Problem::new(
                    codes::CONDITION,
                    place(at, text.len()),
                    "an aggregation of Sigma 1",
                )
                .with_hint("write a correlation rule: type, rules, group-by, timespan, condition"));
            }
            _ if !ends_word && word.is_none() => word = Some(at),
            _ => {}
        }
    }
    Ok(found)
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    end: Span,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn next_if(&mut self, keyword: &str) -> bool {
        let is_it = self.tokens.first().is_some_and(|token| token.is(keyword));
        if is_it {
            self.next();
        }
        is_it
    }

    fn or(&mut self) -> Result<Condition, Problem> {
        self.list("or", Self::and, Condition::Or)
    }

    fn and(&mut self) -> Result<Condition, Problem> {
        self.list("and", Self::not, Condition::And)
    }

    fn list(
        &mut self,
        keyword: &str,
        item: fn(&mut Self) -> Result<Condition, Problem>,
        joined: fn(Vec<Condition>) -> Condition,
    ) -> Result<Condition, Problem> {
        let first = item(self)?;
        if !self.tokens.first().is_some_and(|token| token.is(keyword)) {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.next_if(keyword) {
            items.push(item(self)?);
        }
        Ok(joined(items))
    }

    fn not(&mut self) -> Result<Condition, Problem> {
        if self.depth >= DEPTH_LIMIT {
            let span = self.tokens.first().map_or(self.end, |token| token.span);
            return Err(Problem::new(codes::CONDITION, span, format!("nesting deeper than {DEPTH_LIMIT}")));
        }
        self.depth += 1;
        let condition = if self.next_if("not") {
            Condition::Not(Box::new(self.not()?))
        } else if self.next_if("(") {
            let inner = self.or()?;
            if !self.next_if(")") {
                return Err(self.tokens.first().map_or_else(|| self.ended("`)`"), unexpected));
            }
            inner
        } else {
            self.part()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn part(&mut self) -> Result<Condition, Problem> {
        let Some(token) = self.next() else { return Err(self.ended("a name")) };
        if !self.tokens.first().is_some_and(|next| next.is("of")) {
            let is_name = !["and", "or", "of", ")"].iter().any(|keyword| token.is(keyword));
            return match is_name {
                true => Ok(Condition::Name(token.text.to_owned(), token.span)),
                false => Err(unexpected(token)),
            };
        }
        let quantity = match token.text.to_ascii_lowercase().as_str() {
            "1" | "any" => Quantity::Any,
            "all" => Quantity::All,
            other => {
                let message = format!("`{other} of` where `1 of`, `any of` or `all of` was expected");
                return Err(Problem::new(codes::CONDITION, token.span, message));
            }
        };
        self.next();
        let Some(pattern) = self.next() else { return Err(self.ended("a pattern or `them`")) };
        let selector = match pattern.text {
            "(" | ")" => return Err(unexpected(pattern)),
            text if text.eq_ignore_ascii_case("them") => Selector::Them,
            text => Selector::Pattern(text.to_owned()),
        };
        let span = Span { start: token.span.start, end: pattern.span.end };
        Ok(Condition::Of(quantity, selector, span))
    }

    fn ended(&self, expected: &str) -> Problem {
        Problem::new(codes::CONDITION, self.end, format!("the condition ends where {expected} was expected"))
    }
}

fn unexpected(token: &Token<'_>) -> Problem {
    Problem::new(codes::CONDITION, token.span, format!("unexpected `{}`", token.text))
}

/// Whether `name` matches `pattern` with `*` anywhere; linear in the length of both for one star.
fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Fragment;
    use crate::yaml;

    fn read(text: &str) -> Result<String, Problem> {
        let node = yaml::parse(&Fragment::whole(&format!("condition: {text}"))).unwrap().remove(0);
        parse(node.entry("condition").unwrap()).map(|condition| shown(&condition))
    }

    fn shown(condition: &Condition) -> String {
        let list = |parts: &[Condition], by: &str| {
            format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(by))
        };
        match condition {
            Condition::Or(parts) => list(parts, " | "),
            Condition::And(parts) => list(parts, " & "),
            Condition::Not(part) => format!("!{}", shown(part)),
            Condition::Name(name, _) => name.clone(),
            Condition::Of(quantity, Selector::Them, _) => format!("{quantity:?}:them"),
            Condition::Of(quantity, Selector::Pattern(pattern), _) => format!("{quantity:?}:{pattern}"),
        }
    }

    #[test]
    fn precedence_is_or_and_not_of() {
        let check = |text: &str, expect: &str| assert_eq!(read(text).unwrap(), expect, "{text}");
        check("a or b and not c", "(a | (b & !c))");
        check("(a or b) and c", "((a | b) & c)");
        check("a AND NOT 1 OF filter_*", "(a & !Any:filter_*)");
        check("all of them", "All:them");
        check("not not a", "!!a");
        check("'selection'", "selection");
        check("(a)or(b)", "(a | b)");
        check("all_of_it", "all_of_it");
    }

    #[test]
    fn what_is_no_condition_is_refused_at_its_place() {
        for text in ["a and", "and a", "(a", "a)", "a b", "2 of them", "1 of", "not", "''", "1 of (a)"] {
            assert!(read(text).is_err(), "{text}");
        }
        let problem = read("a and ) b").unwrap_err();
        assert_eq!(problem.span, Span { start: 17, end: 18 });
        assert!(read("selection | count() > 5").unwrap_err().hint.unwrap().contains("correlation"));
        assert!(read(&"(".repeat(5000)).is_err());
        assert!(read(&"not ".repeat(5000)).is_err());
    }

    #[test]
    fn selectors_take_stars_anywhere() {
        let selects = |pattern: &str, name| Selector::Pattern(pattern.into()).selects(name);
        assert!(selects("sel*", "selection") && selects("*_mid_*", "a_mid_b") && selects("a*c", "abc"));
        assert!(!selects("sel", "selection") && !selects("a*bc*c", "abc") && selects("*", ""));
        assert!(!selects("ab*ba", "aba"));
        assert!(Selector::Them.selects("a") && !Selector::Them.selects("_a"));
    }
}
