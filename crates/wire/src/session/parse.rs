//! Lines, prompts and the argument rules.

use std::ops::Range;

use crate::bytes;

use super::table::{
    Arguments, COMMAND_PHRASES, COMMANDS, OUTPUT_PHRASES, OUTPUT_STARTS, PROGRAM_DIRECTORIES,
};
use super::{CommandKind, CommandText, MAX_LINES, MAX_SCANNED_BYTES};

/// Longest prompt that is looked for: user, host and a path of some depth.
const MAX_PROMPT_BYTES: usize = 160;
/// The mode string of `ls -l`: the kind and three times three permissions.
const MODE_BYTES: usize = 10;

/// Finds the first shell command, prompt or output in a payload.
///
/// Reads at most [`MAX_SCANNED_BYTES`] and [`MAX_LINES`], and costs no allocation.
///
/// ```
/// use wire::session::{CommandKind, command_text};
/// let found = command_text(b"uname -a\n").expect("a command");
/// assert_eq!((found.kind, found.pattern, found.span), (CommandKind::Command, "uname", 0..8));
/// assert_eq!(command_text(b"hello how are you\n"), None);
/// ```
pub fn command_text(payload: &[u8]) -> Option<CommandText> {
    let scanned = payload.get(..MAX_SCANNED_BYTES).unwrap_or(payload);
    if is_web_message(scanned) {
        return None;
    }
    lines(scanned).take(MAX_LINES).find_map(|line| judge_line(&line))
}

/// A web message quotes anything in its body; its own parser judges it.
fn is_web_message(payload: &[u8]) -> bool {
    let first = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"HTTP/1.") || bytes::contains(first, b" HTTP/1.")
}

/// One line and where it stands in the payload.
struct Line<'a> {
    text: &'a str,
    start: usize,
    /// No line end follows: the sender waits, as behind a prompt.
    is_open: bool,
}

impl Line<'_> {
    fn span(&self, part: &str) -> Range<usize> {
        let start = self.start + part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        start..start + part.len()
    }
}

/// The lines that are text, without their ends; a line with other bytes in it keeps its longest valid
/// beginning.
fn lines(payload: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    payload.split_inclusive(|byte| matches!(byte, b'\n' | b'\r' | 0)).map(move |bytes| {
        let line_start = start;
        start += bytes.len();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => bytes
                .get(..error.valid_up_to())
                .and_then(|valid| std::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        let is_open = text.len() == bytes.len() && !text.ends_with(['\n', '\r', '\0']);
        Line { text: text.trim_end_matches(['\n', '\r', '\0']), start: line_start, is_open }
    })
}

fn judge_line(line: &Line<'_>) -> Option<CommandText> {
    let shown = without_leading_escapes(line.text);
    let found = |kind, pattern, part: &str| Some(CommandText { kind, pattern, span: line.span(part) });
    if let Some((pattern, prompt)) = prompt(shown, line.is_open) {
        let typed = shown.get(prompt.len()..).unwrap_or_default();
        return match command(typed) {
            Some((pattern, part)) => found(CommandKind::Command, pattern, part),
            None => found(CommandKind::Prompt, pattern, prompt),
        };
    }
    if let Some(pattern) = output(shown) {
        return found(CommandKind::Output, pattern, shown.trim());
    }
    let (pattern, part) = command(shown)?;
    found(CommandKind::Command, pattern, part)
}

/// Drops up to four terminal escape sequences (ECMA-48 CSI) from the front: shells colour their prompts.
fn without_leading_escapes(text: &str) -> &str {
    let mut rest = text;
    for _ in 0..4 {
        let Some(sequence) = rest.strip_prefix("\u{1b}[") else { break };
        let Some(end) = sequence.find(|c: char| matches!(c, '@'..='~')) else { break };
        rest = sequence.get(end + 1..).unwrap_or_default();
    }
    rest
}

/// The prompt at the start of the line: the name of its shape, and its text with the final space.
fn prompt(line: &str, is_open: bool) -> Option<(&'static str, &str)> {
    let (end, mark) = line
        .char_indices()
        .take(MAX_PROMPT_BYTES)
        .find(|(at, c)| matches!(c, '#' | '$' | '>') && line.get(at + 1..).is_some_and(ends_prompt))?;
    let before = line.get(..end)?;
    let rest = line.get(end + 1..)?;
    let shown = line.get(..end + 1 + usize::from(rest.starts_with(' ')))?;
    let has_input = rest.trim_start().chars().next().is_some_and(|c| c != '\u{1b}');
    let shape = match mark {
        '>' => windows_prompt(before)?,
        _ => unix_prompt(before)?,
    };
    // A bare mark also begins comments, headings and prices: it counts at the end of a payload, or
    // before a command.
    let is_bare = shape == "bare";
    let waits = is_open && !has_input && rest.starts_with(' ');
    if is_bare && !waits && !(has_input && command(rest).is_some()) {
        return None;
    }
    Some((shape, shown))
}

/// What may follow the mark of a prompt: nothing, a space, or a terminal escape sequence.
fn ends_prompt(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\u{1b}'])
}

/// Names the shape of what stands before `#` or `$`.
fn unix_prompt(before: &str) -> Option<&'static str> {
    let is_path = |text: &str| text.starts_with(['/', '~']) && !text.contains(' ');
    let body = before.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(before);
    if before.is_empty() {
        return Some("bare");
    }
    // BusyBox: `/tmp # `.
    if let Some(path) = before.strip_suffix(' ') {
        return is_path(path).then_some("directory");
    }
    for shell in ["sh-", "bash-", "ash-", "dash-"] {
        if let Some(version) = before.strip_prefix(shell) {
            let is_version = version.starts_with(|c: char| c.is_ascii_digit())
                && version.chars().all(|c| c.is_ascii_digit() || c == '.');
            return is_version.then_some("shell version");
        }
    }
    let (user, rest) = body.split_once('@')?;
    let (host, path) = rest.split_once([':', ' ']).unwrap_or((rest, ""));
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let user = user.rsplit(' ').next().unwrap_or(user);
    (is_name(user) && is_name(host) && !path.trim().contains(' ')).then_some("user at host")
}

/// Names the shape of what stands before `>`.
fn windows_prompt(before: &str) -> Option<&'static str> {
    let path = before.strip_prefix("PS ").unwrap_or(before);
    let mut characters = path.chars();
    let drive = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    (drive && characters.next() == Some(':') && characters.next() == Some('\\')).then_some("drive")
}

fn output(line: &str) -> Option<&'static str> {
    let text = line.trim_start();
    if let Some(start) = OUTPUT_STARTS.iter().find(|start| text.starts_with(**start)) {
        // Prose can begin with "uid=" in a form; only `id` goes on with a group.
        return (*start != "uid=" || text.contains(" gid=")).then_some(*start);
    }
    if text.starts_with("Linux ") && (text.contains(" SMP ") || text.contains(" GNU/Linux")) {
        return Some("Linux");
    }
    if is_listing(text) {
        return Some("directory listing");
    }
    // These phrases end an error line of the form `program: thing: reason`.
    OUTPUT_PHRASES.iter().find(|phrase| contains(text, phrase) && is_error_line(text)).copied()
}

/// `ls -l`: the mode string, then a number of links.
fn is_listing(text: &str) -> bool {
    let Some((mode, rest)) = text.split_at_checked(MODE_BYTES) else { return false };
    let mut letters = mode.chars();
    letters.next().is_some_and(|c| matches!(c, '-' | 'd' | 'l' | 'c' | 'b' | 'p' | 's'))
        && letters.all(|c| matches!(c, 'r' | 'w' | 'x' | '-' | 's' | 't' | 'S' | 'T'))
        && rest.starts_with([' ', '.', '+'])
        && rest.contains(|c: char| c.is_ascii_digit())
}

/// The text before the first colon is one word, as in `wget: bad address`, or the phrase tells of a shell.
fn is_error_line(text: &str) -> bool {
    let program = text.split(':').next().unwrap_or_default();
    !program.is_empty() && !program.contains(' ') && !program.starts_with(|c: char| c.is_ascii_digit())
        || contains(text, "GNU/Linux")
        || contains(text, "job control")
        || contains(text, "terminal process group")
}

/// The command in a line: the table entry, and the whole command as typed.
fn command(line: &str) -> Option<(&'static str, &str)> {
    let typed = line.trim();
    if let Some(phrase) = COMMAND_PHRASES.iter().find(|phrase| contains(typed, phrase)) {
        return Some((phrase, typed));
    }
    typed.split([';', '|', '&']).find_map(simple_command).map(|pattern| (pattern, typed))
}

/// Holds one part of a command line against the table.
fn simple_command(part: &str) -> Option<&'static str> {
    let mut words = part.split_ascii_whitespace();
    let word = words.next()?;
    if let Some(directory) = PROGRAM_DIRECTORIES.iter().find(|directory| word.starts_with(**directory)) {
        return Some(directory);
    }
    COMMANDS
        .iter()
        .filter(|(name, _)| *name == word)
        .find(|(_, rule)| rule.fit(words.clone()))
        .map(|(name, _)| *name)
}

impl Arguments {
    fn fit<'a>(self, mut words: impl Iterator<Item = &'a str> + Clone) -> bool {
        let first = words.clone().next();
        let starts_with_flag = first.is_some_and(is_flag);
        match self {
            Self::AloneOrFlag => first.is_none() || starts_with_flag,
            Self::Flag => starts_with_flag,
            Self::Path => words.any(is_path),
            Self::FlagOrPath => starts_with_flag || words.any(is_path),
            Self::AloneOrFlagOrPath => first.is_none() || starts_with_flag || words.any(is_path),
            Self::Remote => words.any(is_remote),
            Self::OneOf(list) => first.is_some_and(|word| list.contains(&word)),
            Self::HostAndPort => {
                let mut plain = words.filter(|word| !is_flag(word));
                plain.next().is_some_and(is_host)
                    && plain.next().is_some_and(|port| port.parse::<u16>().is_ok())
            }
            Self::Assignment => first.is_some_and(is_assignment),
        }
    }
}

fn is_flag(word: &str) -> bool {
    let letters = word.trim_start_matches('-');
    letters.len() < word.len() && letters.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_path(word: &str) -> bool {
    word.len() > 1 && ["/", "~/", "./", "../"].iter().any(|start| word.starts_with(start))
        || matches!(word, "/" | "~" | "..")
}

fn is_remote(word: &str) -> bool {
    let host = word.split(['/', ':']).next().unwrap_or_default();
    word.contains("://") || host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_host(word: &str) -> bool {
    word.contains(|c: char| c == '.' || c == '-' || c.is_ascii_digit()) || word == "localhost"
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn contains(text: &str, phrase: &str) -> bool {
    bytes::contains(text.as_bytes(), phrase.as_bytes())
}
