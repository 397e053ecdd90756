//! Patterns of lines: literal text with places in it, such as `Failed password for <user+> from <source> port <*>`.
//!
//! A place takes what stands between the texts around it. From the left each text is taken where it comes first, up to the
//! one place with a `+`; behind that, from the right, where it comes last. So whoever may choose a user's name cannot put a
//! ` from 192.0.2.1 port 1` into it to lead somebody else's address to the log: the last one is the server's own. One place
//! at most may have the `+`; the time is linear in the length of the line, for there is no going back.
//!
//! Places: `user`, `target`, `source`, `service`, `method`, `command`, `terminal`, `unit`, and `*` for what is not kept. A
//! `source` must be an address or a host's name, with or without a port; where it is none, the pattern does not fit.

use compact_str::CompactString;
use event::log::{Act, LogRecord};
use event::{Class, Text};
use serde::{Deserialize, Serialize};

/// Longest text that is kept of a place, in bytes: a user's name, a command line.
const KEPT_BYTES: usize = 1024;
/// Least text of a pattern: with less it would fit almost any line.
const TEXT_BYTES: usize = 4;
/// By what a login was tried where nothing says it.
const UNKNOWN_METHOD: &str = "unknown";
/// Longest name of a host. Source: RFC 1035, section 2.3.4.
const HOST_BYTES: usize = 255;

/// A pattern as it is written: in the configuration, as `[[logs.pattern]]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Programs whose lines it is for; none means lines that name no program, as services write into files of their own.
    #[serde(default)]
    pub programs: Vec<String>,
    /// What the line tells.
    pub act: Act,
    /// The service, as `authentication.service` has it.
    #[serde(default)]
    pub service: String,
    /// By what it was tried, as `authentication.method` has it; empty: `unknown`, unless the line says it.
    #[serde(default)]
    pub method: String,
    /// The text with its places.
    pub text: String,
}

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A place without its end.
    #[error("pattern `{0}`: `<` without `>`")]
    Open(String),
    /// A place of no known name.
    #[error(
        "pattern `{text}`: no place is called `{place}`; there are user, target, source, service, method, command, terminal, unit and *"
    )]
    Place {
        /// The pattern.
        text: String,
        /// The name.
        place: String,
    },
    /// Two places with nothing between them.
    #[error("pattern `{0}`: two places need text between them")]
    Adjacent(String),
    /// More than one place with a `+`.
    #[error("pattern `{0}`: only one place may have a `+`")]
    Greedy(String),
    /// No text to look for.
    #[error("pattern `{0}`: at least four characters of text are needed")]
    Empty(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    User,
    Target,
    Source,
    Service,
    Method,
    Command,
    Terminal,
    Unit,
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Place(Slot),
}

/// A pattern that is ready.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    parts: Vec<Part>,
    /// The part with the `+`.
    greedy: Option<usize>,
    /// The longest text of the pattern: where a line has it not, nothing fits.
    anchor: String,
    act: Act,
    service: CompactString,
    method: CompactString,
}

impl Compiled {
    pub(super) fn new(pattern: &Pattern) -> Result<Self, PatternError> {
        let text = || pattern.text.clone();
        let (mut parts, mut greedy, mut rest) = (Vec::new(), None, pattern.text.as_str());
        while !rest.is_empty() {
            let (literal, after) =
                rest.split_once('<').map_or((rest, None), |(text, after)| (text, Some(after)));
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let Some(after) = after else { break };
            let (name, after) = after.split_once('>').ok_or_else(|| PatternError::Open(text()))?;
            let plain = name.strip_suffix('+');
            let slot = slot(plain.unwrap_or(name))
                .ok_or_else(|| PatternError::Place { text: text(), place: name.to_owned() })?;
            if matches!(parts.last(), Some(Part::Place(_))) {
                return Err(PatternError::Adjacent(text()));
            }
            if plain.is_some() && greedy.replace(parts.len()).is_some() {
                return Err(PatternError::Greedy(text()));
            }
            parts.push(Part::Place(slot));
            rest = after;
        }
        let literals: Vec<&String> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Literal(literal) => Some(literal),
                Part::Place(_) => None,
            })
            .collect();
        if literals.iter().map(|literal| literal.len()).sum::<usize>() < TEXT_BYTES {
            return Err(PatternError::Empty(text()));
        }
        let anchor =
            literals.iter().max_by_key(|literal| literal.len()).map_or("", |literal| literal.as_str());
        let anchor = anchor.to_owned();
        let method = match pattern.method.as_str() {
            // Logins are counted by method.
            "" if pattern.act.class() == Class::Authentication => UNKNOWN_METHOD,
            named => named,
        };
        let (service, method) = (pattern.service.as_str().into(), method.into());
        Ok(Self { parts, greedy, anchor, act: pattern.act, service, method })
    }

    /// Fills `record` where `line` fits.
    pub(super) fn fits(&self, line: &str, record: &mut LogRecord) -> bool {
        if !line.contains(self.anchor.as_str()) {
            return false;
        }
        let mut found = Vec::new();
        if self.places(line, &mut found).is_none() {
            return false;
        }
        let Some(sources) = found
            .iter()
            .filter(|(slot, _)| *slot == Slot::Source)
            .map(|(_, value)| address(value))
            .collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        record.source = sources.into_iter().next().unwrap_or_default();
        record.act = self.act;
        record.service = self.service.clone();
        record.method = self.method.clone();
        for (slot, value) in found {
            fill(record, slot, value);
        }
        true
    }

    /// What stands in the places of `line`.
    fn places<'l>(&self, line: &'l str, found: &mut Vec<(Slot, &'l str)>) -> Option<()> {
        let split = self.greedy.unwrap_or(self.parts.len());
        let (left, right) = self.parts.split_at_checked(split)?;
        let rest = forward(left, line, found, self.greedy.is_none())?;
        let Some((Part::Place(slot), right)) = right.split_first() else { return Some(()) };
        let value = backward(right, rest, found)?;
        found.push((*slot, value));
        Some(())
    }
}

/// Takes `parts` from the left of `line`; what is left. `is_all`: nothing may be.
fn forward<'l>(
    parts: &[Part],
    mut line: &'l str,
    found: &mut Vec<(Slot, &'l str)>,
    is_all: bool,
) -> Option<&'l str> {
    let mut open: Option<Slot> = None;
    for (number, part) in parts.iter().enumerate() {
        match (part, open.take()) {
            (Part::Place(slot), _) => open = Some(*slot),
            (Part::Literal(literal), None) => line = line.strip_prefix(literal.as_str())?,
            (Part::Literal(literal), Some(slot)) => {
                let is_last = is_all && number + 1 == parts.len();
                let at = if is_last {
                    line.strip_suffix(literal.as_str())?.len()
                } else {
                    line.find(literal.as_str())?
                };
                found.push((slot, line.get(..at)?));
                line = line.get(at + literal.len()..)?;
            }
        }
    }
    match open {
        Some(slot) => {
            found.push((slot, line));
            Some("")
        }
        None if is_all && !line.is_empty() => None,
        None => Some(line),
    }
}

/// Takes `parts` from the right of `line`; what is left before them.
fn backward<'l>(parts: &[Part], mut line: &'l str, found: &mut Vec<(Slot, &'l str)>) -> Option<&'l str> {
    let mut open: Option<Slot> = None;
    for part in parts.iter().rev() {
        match (part, open.take()) {
            (Part::Place(slot), _) => open = Some(*slot),
            (Part::Literal(literal), None) => line = line.strip_suffix(literal.as_str())?,
            (Part::Literal(literal), Some(slot)) => {
                let at = line.rfind(literal.as_str())?;
                found.push((slot, line.get(at + literal.len()..)?));
                line = line.get(..at)?;
            }
        }
    }
    Some(line)
}

fn slot(name: &str) -> Option<Slot> {
    Some(match name {
        "user" => Slot::User,
        "target" => Slot::Target,
        "source" => Slot::Source,
        "service" => Slot::Service,
        "method" => Slot::Method,
        "command" => Slot::Command,
        "terminal" => Slot::Terminal,
        "unit" => Slot::Unit,
        "*" => Slot::Skipped,
        _ => return None,
    })
}

fn fill(record: &mut LogRecord, slot: Slot, value: &str) {
    let value = value.trim();
    match slot {
        Slot::User => record.user = kept(value),
        Slot::Target => record.target = kept(value),
        Slot::Command => record.command = kept(value),
        Slot::Service => record.service = short(value),
        Slot::Method => record.method = short(value),
        Slot::Terminal => record.terminal = short(value),
        Slot::Unit => record.unit = short(value),
        Slot::Source | Slot::Skipped => {}
    }
}

/// The start of `value`, as a claim that says how long it was.
pub(super) fn kept(value: &str) -> Text {
    cut(value, KEPT_BYTES)
}

/// The first `most` bytes of `value`.
pub(super) fn cut(value: &str, most: usize) -> Text {
    if value.len() <= most {
        return Text::claimed(value);
    }
    let start = value.get(..value.floor_char_boundary(most)).unwrap_or_default();
    Text::claimed(start).cut_from(u32::try_from(value.len()).unwrap_or(u32::MAX))
}

/// The start of `value`, where what is cut says nothing.
pub(super) fn short(value: &str) -> CompactString {
    value.get(..value.floor_char_boundary(HOST_BYTES)).unwrap_or_default().into()
}

/// An address or a host's name, without its port.
pub(super) fn address(text: &str) -> Option<CompactString> {
    let text = text.trim();
    let text = text.split_once(',').map_or(text, |(first, _)| first).trim_end();
    let text = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').map_or(inner, |(address, _)| address),
        None => match text.split_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => text,
        },
    };
    let text = text.strip_prefix("::ffff:").unwrap_or(text);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_%".contains(&byte);
    (!text.is_empty() && text.len() <= HOST_BYTES && text.bytes().all(is_name)).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Compiled {
        Compiled::new(&Pattern { text: text.into(), act: Act::Failure, ..Pattern::default() }).unwrap()
    }

    fn fitted(pattern: &str, line: &str) -> Option<LogRecord> {
        let mut record = LogRecord::default();
        compiled(pattern).fits(line, &mut record).then_some(record)
    }

    const FAILED: &str = "Failed <method> for <user+> from <source> port <*>";

    #[test]
    fn a_name_that_holds_an_address_does_not_lead_elsewhere() {
        let line = "Failed password for x from 192.0.2.1 port 22 ssh2 from 203.0.113.9 port 4000 ssh2";
        let record = fitted(FAILED, line).unwrap();
        assert_eq!((record.source.as_str(), record.method.as_str()), ("203.0.113.9", "password"));
        assert_eq!(record.user.as_str(), "x from 192.0.2.1 port 22 ssh2");
    }

    #[test]
    fn what_is_no_address_does_not_fit() {
        assert!(fitted(FAILED, "Failed password for x from here and there port 1 ssh2").is_none());
        assert!(fitted(FAILED, "Failed password for x from  port 1 ssh2").is_none());
        for (text, expect) in [
            ("[1234::5678]:0", Some("1234::5678")),
            ("10.0.0.1:22", Some("10.0.0.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1, 10.0.0.2", Some("10.0.0.1")),
            ("host.example", Some("host.example")),
            ("a b", None),
            ("", None),
            ("\u{1b}[31m", None),
        ] {
            assert_eq!(address(text).as_deref(), expect, "{text}");
        }
    }

    #[test]
    fn texts_are_taken_from_the_left_and_the_end_is_the_end() {
        let sudo = "<user> : TTY=<terminal> ; PWD=<*> ; USER=<target> ; COMMAND=<command>";
        let record =
            fitted(sudo, "eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c ; COMMAND=x").unwrap();
        assert_eq!((record.target.as_str(), record.command.as_str()), ("root", "/bin/sh -c ; COMMAND=x"));
        assert!(fitted("closed by <source>.", "closed by 10.0.0.1").is_none());
        assert_eq!(fitted("closed by <source> now", "closed by 10.0.0.1 now").unwrap().source, "10.0.0.1");
        assert!(fitted("exactly", "exactly so").is_none());
    }

    #[test]
    fn a_pattern_that_is_wrong_says_why() {
        let refused = |text: &str| {
            Compiled::new(&Pattern { text: text.into(), ..Pattern::default() }).unwrap_err().to_string()
        };
        assert!(refused("user <user").contains("without"));
        assert!(refused("user <name>").contains("`name`"));
        assert!(refused("user <user><source>").contains("between"));
        assert!(refused("user <user+> from <source+>").contains("only one"));
        assert!(refused("<user>: <source>").contains("four"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let line = format!("Failed password for {} from 10.0.0.1 port 1", "é".repeat(5000));
        let record = fitted(FAILED, &line).unwrap();
        assert!(record.user.as_str().len() <= KEPT_BYTES);
        assert_eq!(record.user.full_len(), Some(10_000));
    }
}
