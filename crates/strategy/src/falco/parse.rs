//! The filter language: text to a tree.
//!
//! In: a condition. Out: an [`Expression`], or the first thing that does not fit and where. The grammar is that in the
//! comment of libsinsp's `filter/parser.h`; transformers with several arguments and `oneof`, `anyof`, `allof` are those
//! of libs 0.25. Depth is bounded, and each byte is looked at a bounded number of times.

use super::expression::{Check, Expression, Operand, Operator, Quantifier, Right, Transformer, Value};
use super::lex::{is_blank, word_of};
use crate::source::Span;

/// Deepest nesting of parentheses and transformers.
pub(super) const DEPTH_LIMIT: usize = 64;

/// What does not fit, and at which byte of the condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) at: usize,
    pub(super) message: String,
}

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Expression, Misfit> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.or()?;
    parser.blank();
    match parser.rest() {
        "" => Ok(expression),
        rest => parser.misfit(format!("`{}` where `and`, `or` or the end was expected", word_of(rest))),
    }
}

/// A condition that is being read.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    /// The byte that is read next.
    pub(super) at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn or(&mut self) -> Result<Expression, Misfit> {
        let mut parts = vec![self.and()?];
        while self.joint("or")? {
            parts.push(self.and()?);
        }
        Ok(joined(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Misfit> {
        let mut parts = vec![self.not()?];
        while self.joint("and")? {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Expression::And))
    }

    /// Takes `word` where it stands here and a blank or parenthesis follows.
    fn joint(&mut self, word: &str) -> Result<bool, Misfit> {
        self.blank();
        let Some(after) = self.rest().strip_prefix(word) else { return Ok(false) };
        if after.is_empty() {
            self.at += word.len();
            return self.misfit(format!("nothing follows `{word}`"));
        }
        let follows = after.starts_with(|next: char| next == '(' || is_blank(next));
        if follows {
            self.at += word.len();
        }
        Ok(follows)
    }

    fn not(&mut self) -> Result<Expression, Misfit> {
        let mut is_negated = false;
        while self.joint("not")? {
            is_negated = !is_negated;
        }
        let part = self.check()?;
        Ok(if is_negated { Expression::Not(Box::new(part)) } else { part })
    }

    fn check(&mut self) -> Result<Expression, Misfit> {
        self.blank();
        let start = self.at;
        if self.take("(") {
            self.enter()?;
            let inner = self.or()?;
            self.depth -= 1;
            self.blank();
            if !self.take(")") {
                return self.misfit("a `)` is missing");
            }
            return Ok(inner);
        }
        if let Some(left) = self.operand()? {
            return self.condition(left, start).map(Expression::Check);
        }
        match self.identifier() {
            Some(word @ ("and" | "or" | "not")) => {
                self.misfit(format!("`{word}` where a field, a macro or `(` was expected"))
            }
            Some(name) => Ok(Expression::Macro(name.to_owned(), Span::new(start..self.at))),
            None => self.misfit(format!("{} where a field, a macro or `(` was expected", self.here())),
        }
    }

    fn enter(&mut self) -> Result<(), Misfit> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return self.misfit(format!("nested deeper than {DEPTH_LIMIT}"));
        }
        Ok(())
    }

    /// A field or transformer, where one stands here.
    fn operand(&mut self) -> Result<Option<Operand>, Misfit> {
        if let Some(name) = self.field_name() {
            return self.argument(name.to_owned()).map(Some);
        }
        let Some(transformer) = self.transformer() else { return Ok(None) };
        self.call(transformer).map(Some)
    }

    /// `[…]` after the name of a field.
    fn argument(&mut self, name: String) -> Result<Operand, Misfit> {
        if !self.take("[") {
            return Ok(Operand::Field { name, argument: None });
        }
        let argument = match self.quoted()? {
            Some(text) => text,
            None => {
                let is_end = |letter: char| matches!(letter, '[' | ']' | '"' | '\'') || is_blank(letter);
                self.until(is_end).to_owned()
            }
        };
        if argument.is_empty() || !self.take("]") {
            return self.misfit(format!("`{name}[` is followed by no argument and `]`"));
        }
        Ok(Operand::Field { name, argument: Some(argument) })
    }

    fn transformer(&mut self) -> Option<Transformer> {
        let rest = self.rest();
        let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
        let transformer = Transformer::by_name(name)?;
        let is_call = rest.get(name.len()..).is_some_and(|after| after.starts_with('('));
        self.at += if is_call { name.len() + 1 } else { 0 };
        is_call.then_some(transformer)
    }

    /// The arguments of a transformer, after its parenthesis.
    fn call(&mut self, transformer: Transformer) -> Result<Operand, Misfit> {
        self.enter()?;
        let arguments = self.arguments()?;
        self.depth -= 1;
        let fits = match (transformer, arguments.as_slice()) {
            (Transformer::Join, [separator, list]) => !separator.is_list() && list.may_be_list(),
            (Transformer::Getopt, [list, options]) => list.may_be_list() && !options.is_list(),
            (Transformer::Concat, all) => all.len() > 1 && !all.iter().any(Operand::is_list),
            (Transformer::Join | Transformer::Getopt, _) => false,
            (_, [Operand::Field { .. } | Operand::Call(..)]) => true,
            _ => false,
        };
        if !fits {
            return self.misfit(format!(
                "the arguments of `{}` do not fit: join(TEXT, LIST), concat(TEXT, TEXT, …), getopt(LIST, TEXT), the \
                 others one field",
                transformer.as_str()
            ));
        }
        Ok(Operand::Call(transformer, arguments))
    }

    fn arguments(&mut self) -> Result<Vec<Operand>, Misfit> {
        let mut arguments = Vec::new();
        self.blank();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            self.blank();
            let argument = if let Some(text) = self.quoted()? {
                Operand::Text(text)
            } else if self.take("(") {
                self.enter()?;
                let list = Operand::List(self.arguments()?);
                self.depth -= 1;
                list
            } else if let Some(operand) = self.operand()? {
                operand
            } else if let Some(number) = self.number() {
                Operand::Text(number.to_owned())
            } else {
                return self.misfit(format!("{} where an argument was expected", self.here()));
            };
            arguments.push(argument);
            self.blank();
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return self.misfit(format!("{} where `,` or `)` was expected", self.here()));
            }
        }
    }

    fn condition(&mut self, left: Operand, start: usize) -> Result<Check, Misfit> {
        self.blank();
        let operator = self.operator()?;
        let right = match operator {
            Operator::Exists => Right::Nothing,
            operator => self.right(operator)?,
        };
        Ok(Check { left, operator, right, span: Span::new(start..self.at) })
    }

    fn operator(&mut self) -> Result<Operator, Misfit> {
        for sign in ["==", "=", "!=", "<=", "<", ">=", ">"] {
            if self.take(sign) {
                return Operator::by_name(sign).map_or_else(|| self.misfit("no operator"), Ok);
            }
        }
        let rest = self.rest();
        let word = rest.split(|letter: char| !letter.is_ascii_lowercase()).next().unwrap_or("");
        let operator = Operator::by_name(word).filter(|operator| {
            let next = rest.get(word.len()..).and_then(|after| after.chars().next());
            operator.takes_list() || *operator == Operator::Exists || next.is_some_and(is_blank)
        });
        match operator {
            Some(operator) => {
                self.at += word.len();
                Ok(operator)
            }
            None => {
                let words: Vec<&str> = Operator::ALL.iter().map(|one| one.as_str()).collect();
                let all = words.join(" ");
                self.misfit(format!("{} where an operator was expected: one of {all}", self.here()))
            }
        }
    }

    fn right(&mut self, operator: Operator) -> Result<Right, Misfit> {
        self.blank();
        if let Some(operand) = self.other_value()? {
            return Ok(Right::Operand(operand));
        }
        if operator.takes_number() {
            return match self.number() {
                Some(text) => Ok(Right::Value(Value { text: text.to_owned(), bare: false })),
                None => self.misfit(format!(
                    "{} where a number was expected after `{}`",
                    self.here(),
                    operator.as_str()
                )),
            };
        }
        if operator.takes_list() {
            if self.take("(") {
                return self.list(Quantifier::Operator);
            }
            return match self.identifier() {
                Some(name) => {
                    let value = Value { text: name.to_owned(), bare: true };
                    Ok(Right::List(Quantifier::Operator, vec![value]))
                }
                None => self.misfit(format!("{} where `(` was expected", self.here())),
            };
        }
        if operator.takes_quantifier()
            && let Some(quantifier) = self.quantifier()
        {
            return self.list(quantifier);
        }
        match self.value()? {
            Some(value) => Ok(Right::Value(value)),
            None => self.misfit(format!("no value follows `{}`", operator.as_str())),
        }
    }

    /// `val(field)`, or a transformer.
    fn other_value(&mut self) -> Result<Option<Operand>, Misfit> {
        if let Some(transformer) = self.transformer() {
            return self.call(transformer).map(Some);
        }
        if !self.take("val(") {
            return Ok(None);
        }
        self.blank();
        let Some(name) = self.field_name() else { return self.misfit("`val(` is followed by no field") };
        let operand = self.argument(name.to_owned())?;
        self.blank();
        if !self.take(")") {
            return self.misfit("a `)` is missing after `val(`");
        }
        Ok(Some(operand))
    }

    /// `anyof (` and the like.
    fn quantifier(&mut self) -> Option<Quantifier> {
        let rest = self.rest();
        let quantifier = Quantifier::by_name(rest.get(..5)?)?;
        let after = rest.get(5..)?.trim_start_matches(is_blank);
        let after = after.strip_prefix('(')?;
        self.at = self.text.len() - after.len();
        Some(quantifier)
    }

    /// Values up to `)`.
    fn list(&mut self, quantifier: Quantifier) -> Result<Right, Misfit> {
        let mut values = Vec::new();
        self.blank();
        if self.take(")") {
            return Ok(Right::List(quantifier, values));
        }
        loop {
            self.blank();
            match self.value()? {
                Some(value) => values.push(value),
                None => return self.misfit(format!("{} where a value of a list was expected", self.here())),
            }
            self.blank();
            if self.take(")") {
                return Ok(Right::List(quantifier, values));
            }
            if !self.take(",") {
                return self.misfit(format!("{} where `,` or `)` was expected", self.here()));
            }
        }
    }

    fn value(&mut self) -> Result<Option<Value>, Misfit> {
        if let Some(text) = self.quoted()? {
            return Ok(Some(Value { text, bare: false }));
        }
        let is_end = |letter: char| matches!(letter, '(' | ')' | '"' | '\'' | '=' | ',') || is_blank(letter);
        let text = self.until(is_end);
        Ok((!text.is_empty()).then(|| Value { text: text.to_owned(), bare: true }))
    }

    pub(super) fn misfit<T>(&self, message: impl Into<String>) -> Result<T, Misfit> {
        Err(Misfit { at: self.at, message: message.into() })
    }
}

impl Operand {
    fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    fn may_be_list(&self) -> bool {
        !matches!(self, Self::Text(_))
    }
}

fn joined(mut parts: Vec<Expression>, kind: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            kind(parts)
        }
    }
}
