//! Signals: that a sensor gives what the strategy requires and what its rules read.

use event::event::{Class, SIGNALS, UNSENSED};

use crate::diagnostic::{Problem, codes};
use crate::document::{Document, place};
use crate::mapping::{self, Unmapped};
use crate::sigma::{Item, Rule};
use crate::source::Span;
use crate::yaml::Node;

/// The signal that is always there: the monitoring's own state.
const OWN_SIGNAL: &str = "health";

/// Checks the signals of `document`.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let Some(front) = &document.front else { return };
    let required = &front.value.requires;
    let nodes = document.front_node.as_ref().and_then(|node| node.entry("requires"));
    let nodes = nodes.and_then(Node::sequence).unwrap_or_default();
    let whole = document.front_node.as_ref().map_or(front.span, |node| place(node, "requires"));
    for (index, signal) in required.iter().enumerate() {
        if UNSENSED.contains(&signal.as_str()) {
            let span = nodes.get(index).map_or(whole, |node| node.span);
            let message = format!("no sensor of this version gives the signal `{signal}`");
            let problem = Problem::new(codes::SIGNAL_UNSENSED, span, message);
            problems.push(problem.with_hint("the strategy is blind; require what its rules can see"));
        }
    }
    let assumed: Vec<&str> = document
        .assumptions
        .iter()
        .flat_map(|assumption| assumption.value.needs.iter().map(String::as_str))
        .collect();
    // A name that is none may be a slip for the one that is missing.
    let slips = required.iter().any(|name| !SIGNALS.iter().any(|(signal, _)| signal == name));
    let known =
        |signal: &str| slips || required.iter().any(|known| known == signal) || assumed.contains(&signal);
    for item in &document.items {
        if let Item::Rule(rule) = item {
            check_rule(rule, &known, problems);
        }
    }
}

fn check_rule(rule: &Rule, known: &dyn Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    let classes: Vec<Class> = match mapping::plan(&rule.logsource, &[&rule.detection]) {
        Ok(plan) => plan.runs.iter().map(|run| run.class).collect(),
        // A name that nobody knows is told elsewhere; of several classes, only the whole rule says which are meant.
        Err(Unmapped::Field(_)) => match mapping::events(&rule.logsource).as_deref() {
            Ok([only]) => vec![only.class],
            _ => Vec::new(),
        },
        Err(_) => Vec::new(),
    };
    classes.into_iter().for_each(|class| check_class(rule, class, known, problems));
}

fn check_class(rule: &Rule, class: Class, known: &dyn Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    let at = Span::at(rule.head.span.start);
    let (name, handle, signal) = (class.as_str(), rule.head.handle(), class.signal());
    if UNSENSED.contains(&signal) {
        let message = format!(
            "the rule `{handle}` reads `{name}` events, whose signal `{signal}` no sensor of this version gives"
        );
        problems.push(Problem::new(codes::SIGNAL_UNSENSED, at, message));
    } else if !signals_of(class).iter().any(|signal| known(signal)) && signal != OWN_SIGNAL {
        let message = format!(
            "the rule `{handle}` reads `{name}` events, and nothing requires their signal `{signal}`"
        );
        let hint = format!("add `{signal}` to `requires`, or to an assumption's `needs`");
        problems.push(Problem::new(codes::SIGNAL_NOT_REQUIRED, at, message).with_hint(hint));
    }
}

/// The signals of which one gives events of the class: system calls are divided over two.
fn signals_of(class: Class) -> Vec<&'static str> {
    match class {
        Class::Syscall => vec!["privilege", "kernel"],
        class => vec![class.signal()],
    }
}
