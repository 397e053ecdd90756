//! Results of calls: `evt.res`, `evt.rawres`, `evt.failed`.

use super::special::{left, values};
use super::*;

/// Error numbers by name, include/uapi/asm-generic/errno*.h: those that rules name.
const ERRORS: &[(&str, i64)] = &[
    ("EPERM", 1),
    ("ENOENT", 2),
    ("EINTR", 4),
    ("EBADF", 9),
    ("EAGAIN", 11),
    ("EACCES", 13),
    ("EEXIST", 17),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("EINVAL", 22),
    ("EROFS", 30),
    ("ENETUNREACH", 101),
    ("ETIMEDOUT", 110),
    ("ECONNREFUSED", 111),
    ("EHOSTUNREACH", 113),
    ("EINPROGRESS", 115),
];

/// Classes whose events are told only when they succeeded.
fn only_succeeds(class: Class) -> bool {
    matches!(class, Class::ProcessCreation | Class::ProcessFork | Class::FdChange)
}

pub(super) fn failed(class: Class) -> Option<Plan<Field>> {
    if only_succeeds(class) {
        return Some(Plan::Always(false));
    }
    let below = Matcher::Compare(Order::Lt, Number::Integer(0));
    has_result(class).then(|| Plan::Ask(Field::EventResult, vec![below]))
}

fn has_result(class: Class) -> bool {
    matches!(
        class,
        Class::FileEvent
            | Class::Syscall
            | Class::NetworkConnection
            | Class::UnixSocket
            | Class::Socket
            | Class::Signal
    )
}

pub(super) fn result(class: Class, word: &str) -> Option<Plan<Field>> {
    if only_succeeds(class) {
        return Some(Plan::Always(word == "SUCCESS"));
    }
    if !has_result(class) {
        return None;
    }
    let matcher = match word {
        "SUCCESS" => Matcher::Compare(Order::Gte, Number::Integer(0)),
        // `evt.res` is a name, so that it never equals a number.
        word if lex::number(word).is_some() => return Some(Plan::Always(false)),
        word => {
            let (_, number) = ERRORS.iter().find(|(name, _)| *name == word)?;
            Matcher::Number(Number::Integer(-number))
        }
    };
    Some(Plan::Ask(Field::EventResult, vec![matcher]))
}

pub(super) fn raw_result(class: Class, check: &Check) -> Option<Plan<Field>> {
    let missing = || Some(Plan::Missing(left(check)));
    if !has_result(class) && !only_succeeds(class) {
        return missing();
    }
    if check.operator == Operator::Exists {
        return Some(Plan::Always(true));
    }
    if let Some((negated, words)) = values(check) {
        let numbers: Option<Vec<Number>> = words.into_iter().map(lex::number).collect();
        let Some(numbers) = numbers else { return missing() };
        let plan = if only_succeeds(class) {
            Plan::Always(numbers.contains(&Number::Integer(0)))
        } else {
            Plan::Ask(Field::EventResult, numbers.into_iter().map(Matcher::Number).collect())
        };
        return Some(if negated { Plan::negated(plan) } else { plan });
    }
    let (Right::Value(value), Some(order)) = (&check.right, order(check.operator)) else { return missing() };
    let Some(number) = lex::number(&value.text) else { return missing() };
    if only_succeeds(class) {
        let (own, wanted) = (0.0, number.as_f64());
        return Some(Plan::Always(match order {
            Order::Lt => own < wanted,
            Order::Lte => own <= wanted,
            Order::Gt => own > wanted,
            _ => own >= wanted,
        }));
    }
    Some(Plan::Ask(Field::EventResult, vec![Matcher::Compare(order, number)]))
}

fn order(operator: Operator) -> Option<Order> {
    match operator {
        Operator::Lt => Some(Order::Lt),
        Operator::Lte => Some(Order::Lte),
        Operator::Gt => Some(Order::Gt),
        Operator::Gte => Some(Order::Gte),
        _ => None,
    }
}
