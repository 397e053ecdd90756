//! Values of rules as values of the catalogue.

use super::fold::{Folded, call};
use super::{Code, Lack, Others};
use crate::falco::event_type::Operations;
use crate::sigma::{FieldMatch, Join, Matcher, Openness, Order, Pattern, Search, Subject};
use crate::yaml::Number;
use event::{Class, Field};

/// One value of a question.
pub(super) struct Asked<'a> {
    pub(super) asked: &'a FieldMatch,
    pub(super) matcher: &'a Matcher,
    pub(super) lacks: &'a mut Vec<Lack>,
}

impl Asked<'_> {
    /// Of a field that has the same words in every event of the class.
    pub(super) fn of_words(&mut self, words: &[&str], field: Option<Field>) -> Folded<Search> {
        match (word(self.matcher), self.matcher, field) {
            (_, Matcher::Null, _) => Folded::Never,
            (_, Matcher::Exists(wanted), _) => Folded::of(*wanted),
            (Some(said), ..) => {
                let has = words.iter().any(|own| own.eq_ignore_ascii_case(&said));
                if !has {
                    self.lack(Some(said), "no event stands for it");
                }
                Folded::of(has)
            }
            (None, matcher, Some(field)) => self.ask(field, vec![matcher.clone()]),
            (None, _, None) => self.pattern(),
        }
    }

    /// Of a field that calls its values otherwise.
    pub(super) fn of_codes(
        &mut self,
        field: Field,
        codes: &[(&str, &[Code])],
        others: Others,
    ) -> Folded<Search> {
        let said = word(self.matcher);
        let code = |said: &String| codes.iter().find(|(own, _)| own.eq_ignore_ascii_case(said));
        if let Some((_, values)) = said.as_ref().and_then(code) {
            return self.ask(field, values.iter().copied().map(matcher_of).collect());
        }
        let is_number = said.as_ref().is_none_or(|said| said.parse::<i64>().is_ok());
        match (self.matcher, said, others) {
            (Matcher::Null | Matcher::Exists(_), ..) => self.ask(field, vec![self.matcher.clone()]),
            (_, Some(said), Others::Written) => {
                self.ask(field, vec![Matcher::Pattern(Pattern::literal(said))])
            }
            (_, None, Others::Written) => self.ask(field, vec![self.matcher.clone()]),
            (_, _, Others::Numbers) if is_number => self.ask(field, vec![self.matcher.clone()]),
            (_, Some(_), Others::Absent) => Folded::Never,
            (_, Some(said), _) => {
                self.lack(Some(said), "no value of an event is known by this word");
                Folded::Unknown
            }
            (_, None, _) => self.pattern(),
        }
    }

    /// Of the name of the system call.
    pub(super) fn of_call(&mut self, class: Class) -> Folded<Search> {
        let Some(said) = word(self.matcher) else {
            return match self.matcher {
                Matcher::Null => Folded::Never,
                Matcher::Exists(wanted) => Folded::of(*wanted),
                _ => self.pattern(),
            };
        };
        match call(&said, class) {
            Some(Operations::All) => Folded::Always,
            Some(Operations::These(operations)) => {
                let is_one = |operation: &&str| Matcher::Pattern(Pattern::literal(*operation));
                self.ask(Field::EventOperation, operations.iter().map(is_one).collect())
            }
            None => {
                self.lack(Some(said), "no sensor sees this system call");
                Folded::Never
            }
        }
    }

    fn pattern(&mut self) -> Folded<Search> {
        self.lack(None, "is asked by words only, without wildcards and modifiers");
        Folded::Unknown
    }

    fn lack(&mut self, value: Option<String>, reason: &'static str) {
        if let Subject::Field(name) = &self.asked.subject {
            self.lacks.push(Lack { name: name.clone(), value, reason });
        }
    }

    fn ask(&self, field: Field, matchers: Vec<Matcher>) -> Folded<Search> {
        Folded::Ask(Search::Field(FieldMatch {
            subject: Subject::Field(field.name().to_owned()),
            values: vec![matchers],
            join: Join::Any,
            negated: false,
            ..self.asked.clone()
        }))
    }
}

/// The value, where it is no more than a word or a number.
fn word(matcher: &Matcher) -> Option<String> {
    match matcher {
        Matcher::Pattern(pattern) => pattern.as_literal().map(str::to_owned),
        Matcher::Number(Number::Integer(number)) => Some(number.to_string()),
        Matcher::Number(Number::Float(number)) => Some(number.to_string()),
        Matcher::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn matcher_of(code: Code) -> Matcher {
    match code {
        Code::Text(text) => Matcher::Pattern(Pattern::literal(text)),
        Code::Number(number) => Matcher::Number(Number::Integer(number)),
        Code::From(number) => Matcher::Compare(Order::Gte, Number::Integer(number)),
        Code::Below(number) => Matcher::Compare(Order::Lt, Number::Integer(number)),
        Code::Bool(flag) => Matcher::Bool(flag),
        Code::Null => Matcher::Null,
    }
}

/// A keyword as a value that may stand anywhere in a text.
pub(super) fn anywhere(matcher: &Matcher) -> Matcher {
    let open = |pattern: Pattern| Matcher::Pattern(pattern.open(Openness::Any, Openness::Any));
    match (matcher, word(matcher)) {
        (Matcher::Pattern(pattern), _) => open(pattern.clone()),
        (_, Some(word)) => open(Pattern::literal(word)),
        (other, None) => other.clone(),
    }
}
