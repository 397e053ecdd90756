//! Lines of syslog: RFC 3164, RFC 5424, and what files of them look like.
//!
//! In: a line. Out: its time, host, program and message. A line counts as one of syslog where it begins with a time and has a
//! program behind the host (`sshd[195]:`); others are lines that services write into files of their own.
//! Structured data of RFC 5424 is skipped. Source: RFC 3164 section 4.1, RFC 5424 section 6.

use super::time::{self, Time};

/// Longest name of a program that is believed to be one. Source: RFC 5424, section 6.2.5 (APP-NAME).
const PROGRAM_BYTES: usize = 48;
/// Words of levels, which services write where syslog has the program.
const LEVELS: [&str; 14] = [
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "ERR", "FATAL", "PANIC", "LOG", "HINT",
    "DETAIL", "CRITICAL",
];

/// A line of syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'l> {
    pub(super) time: Option<Time>,
    pub(super) host: &'l str,
    pub(super) program: &'l str,
    pub(super) message: &'l str,
}

/// The parts of `line`, where it is one of syslog.
pub(super) fn read(line: &str) -> Option<Line<'_>> {
    let (has_priority, rest) = match priority(line) {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    if has_priority && let Some(rest) = rest.strip_prefix("1 ") {
        return structured(rest);
    }
    let (time, rest) = time::leading(rest)?;
    let rest = rest.strip_prefix(' ')?.trim_start_matches(' ');
    let (host, rest) = rest.split_once(' ')?;
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_".contains(&byte)) {
        return None;
    }
    let (tag, message) = rest.split_once(':')?;
    let program = program(tag)?;
    // Solaris writes the number of the message first.
    let message = message.strip_prefix(' ').unwrap_or(message);
    let message = match message.strip_prefix("[ID ") {
        Some(rest) => rest.split_once("] ").map_or(message, |(_, message)| message),
        None => message,
    };
    Some(Line { time: Some(time), host, program, message })
}

/// `<34>`: what follows it.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    number.parse::<u16>().ok().filter(|number| *number < 192)?;
    Some(rest)
}

/// `2003-10-11T22:14:15.003Z host app 123 ID47 [data x="y"] message`.
fn structured(rest: &str) -> Option<Line<'_>> {
    let (stamp, rest) = rest.split_once(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (_process, rest) = rest.split_once(' ')?;
    let (_message_id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let message = skip_data(rest)?;
    let absent = |text| if text == "-" { "" } else { text };
    Some(Line {
        time: time::leading(stamp).map(|(time, _)| time),
        host: absent(host),
        program: absent(program),
        message: message.strip_prefix('\u{feff}').unwrap_or(message),
    })
}

/// What follows the structured data: `-`, or elements in brackets, in whose values `\` guards a sign.
fn skip_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    let (mut rest, mut is_quoted, mut is_guarded) = (text, false, false);
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.bytes().position(|byte| {
            let is_end = byte == b']' && !is_quoted;
            if is_guarded {
                is_guarded = false;
            } else if byte == b'\\' && is_quoted {
                is_guarded = true;
            } else if byte == b'"' {
                is_quoted = !is_quoted;
            }
            is_end
        })?;
        rest = element.get(end + 1..)?;
    }
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// `sshd[195]`, `su(pam_unix)[14592]`, `CRON[1]`, `postfix/smtpd[2]`.
fn program(tag: &str) -> Option<&str> {
    let name = match tag.split_once('[') {
        Some((name, number)) => {
            let number = number.strip_suffix(']')?;
            number.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)?
        }
        None => tag,
    };
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    let name = if name.starts_with('/') { name.rsplit('/').next().unwrap_or(name) } else { name };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"./-_@".contains(&byte);
    let is_program = !name.is_empty()
        && name.len() <= PROGRAM_BYTES
        && name.bytes().all(is_name)
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !LEVELS.contains(&name);
    is_program.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<(&str, &str, &str)> {
        read(line).map(|line| (line.host, line.program, line.message))
    }

    #[test]
    fn host_program_and_message_are_found_in_every_form() {
        for line in [
            "Feb 12 14:10:21 web sshd[16378]: Invalid user x",
            "<38>Feb 12 14:10:21 web sshd[16378]: Invalid user x",
            "2023-10-05T11:47:20.799042+02:00 web sshd: Invalid user x",
            "2020-03-24 06:07:15.245255-0700  web sshd[195]: Invalid user x",
            "<34>1 2003-10-11T22:14:15.003Z web sshd 195 ID47 [a@1 b=\"c]\\\"d\"][e] Invalid user x",
            "<34>1 2003-10-11T22:14:15.003Z web sshd - - - \u{feff}Invalid user x",
            "Aug 18 07:30:25 web sshd[20247]: [ID 800047 auth.notice] Invalid user x",
        ] {
            assert_eq!(parts(line), Some(("web", "sshd", "Invalid user x")), "{line}");
        }
        assert_eq!(parts("Nov 11 22:46:29 h su(pam_unix)[14592]: x").unwrap().1, "su");
    }

    #[test]
    fn what_services_write_themselves_is_not_taken_for_syslog() {
        for line in [
            "2020-04-16T05:13:40.861934Z 344 [Note] Access denied for user 'root'@'10.0.0.1' (using password: YES)",
            "2022/03/01 12:57:58 ...ers/web/auth/auth.go:200:SignInPost() [I] Failed",
            "2023-01-01 12:00:00.000 UTC [1234] FATAL:  password authentication failed for user \"x\"",
            "2023-01-01 12:00:00 UTC FATAL:  password authentication failed for user \"x\"",
            "[Thu Sep 30 13:27:06.009964 2021] [:error] [pid 2560] x",
            "{\"log\":\"x\"}",
            "",
            "<34>1 2003-10-11T22:14:15.003Z web sshd 195 ID47 [a@1 b=\"c",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
