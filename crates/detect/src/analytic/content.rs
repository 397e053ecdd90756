//! Analytic: programs that come in, and facts about the host that go out, in payload that can be read.
//!
//! In: first payload bytes with what the flow speaks ([`super::protocol`] comes before). Out, on payload events:
//! * `executable_content`: what comes in begins as a program does, by itself or as the body of an HTTP answer;
//! * `host_facts`: what goes out tells of three or more of: system, architecture, user, host name, processor, memory,
//!   protection, process, passwords, plain or in Base64. Only where the protocol carries nothing of the kind by itself:
//!   plain sessions, unknown ones, mail, FTP's data, and what HTTP posts.
//!
//! No state. Left out on purpose: programs in archives and scripts without an interpreter line; facts in another coding
//! than ASCII; heads of HTTP requests, whose user agents tell of systems too.
//!
//! Source: gABI (ELF), PE format of Microsoft, JVM specification §4.1, execve(2); the layouts of hosts' reports are of
//! stealers and agents as published analyses print them.

use super::{Analytic, Made};
use event::network::Direction;
use event::{Event, Fact, FactName, FactValue, Kind};

/// Kinds of facts from which a text tells of the host.
const FEWEST: usize = 3;
/// Bytes of a payload that are read.
const READ_BYTES: usize = 1500;

/// The end of a head of HTTP, RFC 9112 §2.1.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Words by the kind of fact that they introduce, in lower case.
const WORDS: &[(&str, &[&str])] = &[
    (
        "system",
        &[
            "windows 7",
            "windows 8",
            "windows 10",
            "windows 11",
            "windows server",
            "osfullname",
            "linux version ",
            "\"platform\":\"linux\"",
            "\"platform\": \"linux\"",
            "gnu/linux",
            "\"os\":",
            "ubuntu ",
            "alpine linux",
            "darwin kernel",
        ],
    ),
    ("architecture", &["32-bit", "64-bit", "x86_64", "amd64", "aarch64", "\"arch", "i686"]),
    ("user", &["user name:", "username:", "\"username\":", "\"user\":", "user: ", "uid="]),
    (
        "host name",
        &["computer name:", "computername", "\"host\":", "\"hostname\":", "hostname:", "machine name"],
    ),
    ("processor", &["cpu:", "\"cpu", "intel(r)", "ryzen", "processor:", "cpu count"]),
    ("memory", &["ram:", "memtotal", "\"ram\"", "\"memory\":", "memory:"]),
    ("protection", &["-av|", "antivirus", "anti-virus", "defender", "|av|"]),
    ("process", &["\"pid\":", "\"ppid\":", "exe_name", "\"process"]),
    ("passwords", &["password:", "\"password\":", "passwd:"]),
];

/// The analytic.
#[derive(Debug, Default)]
pub(super) struct Content;

impl Analytic for Content {
    fn observe(&mut self, event: &mut Event, _: &mut Made) {
        let Kind::Payload(payload) = &event.kind else { return };
        let bytes = payload.bytes.get(..READ_BYTES).unwrap_or(&payload.bytes);
        match payload.direction {
            Direction::In => {
                let kind = program(bytes).or_else(|| program(body(bytes)?));
                if let Some(kind) = kind {
                    event.facts.add(Fact::text(FactName::ExecutableContent, kind));
                }
            }
            Direction::Out => {
                let Some(said) = said(event, bytes) else { return };
                let told = match base64(said) {
                    Some(decoded) => told(&decoded),
                    None => told(said),
                };
                if told.len() >= FEWEST {
                    event.facts.add(Fact::text(FactName::HostFacts, told.join(", ")));
                }
            }
        }
    }
}

/// The part of what goes out that the protocol leaves to whoever speaks it; `None` where it says such things by itself.
fn said<'a>(event: &Event, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let protocol = match event.facts.find(FactName::Protocol).map(|fact| &fact.value) {
        None => "",
        Some(FactValue::Text(name)) => name.as_str(),
        Some(_) => return None,
    };
    match protocol {
        "" | "plaintext_interactive" | "telnet" | "smtp" | "ftp" => Some(bytes),
        "http" => match memchr::memmem::find(bytes, b" HTTP/1.") {
            Some(_) => bytes.get(memchr::memmem::find(bytes, HEAD_END)? + HEAD_END.len()..),
            None => Some(bytes),
        },
        _ => None,
    }
}

/// The bytes that a text in Base64 stands for, RFC 4648 §4 and §5; `None` where it is none, or too short to tell.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const SHORTEST: usize = 40;
    let text = text.trim_ascii();
    if text.len() < SHORTEST {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    Some(bytes)
}

/// What sort of program begins so.
fn program(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // e_ident: class 1 or 2, byte order 1 or 2, version 1.
        [0x7f, b'E', b'L', b'F', 1 | 2, 1 | 2, 1, ..] => Some("ELF program"),
        // Minor and major version of the class file format: Java 1.1 to 26.
        [0xca, 0xfe, 0xba, 0xbe, 0, _, 0, 45..=70, ..] => Some("Java class"),
        [b'M', b'Z', ..] if is_portable(bytes) => Some("Windows program"),
        [b'#', b'!', b'/', rest @ ..] if is_interpreter(rest) => Some("script"),
        _ => None,
    }
}

/// Whether a DOS head leads to that of a portable executable.
fn is_portable(bytes: &[u8]) -> bool {
    /// Where `e_lfanew` stands in the DOS head.
    const E_LFANEW: usize = 0x3c;
    let at = bytes.get(E_LFANEW..).and_then(<[u8]>::first_chunk::<4>).map(|at| u32::from_le_bytes(*at));
    let at = at.and_then(|at| usize::try_from(at).ok());
    at.and_then(|at| bytes.get(at..)).is_some_and(|head| head.starts_with(b"PE\0\0"))
}

/// Whether the line names a program that runs scripts.
fn is_interpreter(rest: &[u8]) -> bool {
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words =
        [&b"sh"[..], b"bash", b"dash", b"ash", b"env", b"python", b"python3", b"perl", b"ruby", b"php"];
    let mut parts = line.split(|byte| matches!(byte, b'/' | b' ' | b'\r'));
    line.len() < 128 && parts.any(|part| words.contains(&part))
}

/// The body of an HTTP answer whose head is whole.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    if !bytes.starts_with(b"HTTP/1.") {
        return None;
    }
    let at = memchr::memmem::find(bytes, HEAD_END)?;
    bytes.get(at + HEAD_END.len()..)
}

/// The kinds of facts of which a text tells.
fn told(bytes: &[u8]) -> Vec<&'static str> {
    // Binary data has no words, and is most of what comes here.
    let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    // A field in UTF-16 among others is no reason to stop.
    if bytes.is_empty() || bytes.iter().filter(|byte| is_text(byte)).count() * 10 < bytes.len() * 9 {
        return Vec::new();
    }
    let text = bytes.to_ascii_lowercase();
    let has = |word: &&str| memchr::memmem::find(&text, word.as_bytes()).is_some();
    WORDS.iter().filter(|(_, words)| words.iter().any(&has)).map(|(kind, _)| *kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::network::Payload;
    use event::{BootTime, Sensor};

    fn check(direction: Direction, bytes: &[u8], protocol: Option<&str>) -> (Option<String>, Option<String>) {
        let payload = Payload { direction, bytes: bytes.into(), ..Payload::default() };
        let mut event = Event::new(Sensor::Kernel, BootTime(0), Kind::Payload(Box::new(payload)));
        if let Some(protocol) = protocol {
            event.facts.add(Fact::text(FactName::Protocol, protocol));
        }
        Content.observe(&mut event, &mut Made::new());
        let text = |name| match event.facts.find(name).map(|fact| &fact.value) {
            Some(FactValue::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        (text(FactName::ExecutableContent), text(FactName::HostFacts))
    }

    #[test]
    fn programs_are_told_by_their_first_bytes_alone_or_as_a_body() {
        let mut portable = vec![b'M', b'Z'];
        portable.resize(0x80, 0);
        portable[0x3c] = 0x80;
        portable.extend(b"PE\0\0");
        for (bytes, expect) in [
            (&b"\x7fELF\x02\x01\x01\0"[..], Some("ELF program")),
            (b"\xca\xfe\xba\xbe\0\0\0\x34\0f", Some("Java class")),
            (b"#!/bin/sh\nid\n", Some("script")),
            (b"#!/usr/bin/env python3\n", Some("script")),
            (b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n\x7fELF\x02\x01\x01", Some("ELF program")),
            (&portable, Some("Windows program")),
            (b"HTTP/1.0 200 OK\r\n\r\n<html>", None),
            (b"MZ is how this sentence begins", None),
            (b"#!/ is no interpreter\n", None),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", None),
            (b"\x7fELF", None),
        ] {
            assert_eq!(check(Direction::In, bytes, None).0.as_deref(), expect, "{}", bytes.escape_ascii());
            assert_eq!(check(Direction::Out, bytes, None).0, None, "what goes out comes from here");
        }
    }

    #[test]
    fn a_report_about_the_host_is_told_by_several_kinds_of_facts() {
        let report = b"id|USER-PC|admin|Microsoft Windows 7 Professional|32-bit|nan-av|1.6";
        assert_eq!(
            check(Direction::Out, report, None).1.as_deref(),
            Some("system, architecture, protection")
        );
        assert_eq!(check(Direction::In, report, None).1, None);
        let mixed =
            b"User Name: a<br>Computer Name: B<br>RAM: 1 MB<br>Host: 1\x009\x002\0, and so it goes on";
        assert_eq!(check(Direction::Out, mixed, None).1.as_deref(), Some("user, host name, memory"));
        let json = br#"{"architecture":"amd64","host":"2652f848e1b8","pid":1282,"username":"root"}"#;
        let told = check(Direction::Out, json, Some("plaintext_interactive")).1;
        assert_eq!(told.as_deref(), Some("architecture, user, host name, process"));
        let posted = b"POST /a HTTP/1.1\r\nHost: a\r\n\r\nuser: a, hostname: b, ram: 1";
        assert!(check(Direction::Out, posted, Some("http")).1.is_some());
        let coded = b"eyJob3N0IjogIjI2NTJmODQ4ZTFiOCIsICJwbGF0Zm9ybSI6ICJsaW51eCIsICJwaWQiOiAxMjU4fQ==";
        assert_eq!(
            check(Direction::Out, coded, Some("http")).1.as_deref(),
            Some("system, host name, process")
        );
        for (bytes, protocol) in [
            (&b"login: admin\nPassword: hunter2\n"[..], None),
            (b"uname -a on x86_64 please", None),
            (
                b"GET / HTTP/1.1\r\nUser-Agent: x (Windows 7; x86_64) intel(r) ram: username: \r\n\r\n",
                Some("http"),
            ),
            (b"QWxsIHRoYXQgc3RhbmRzIGhlcmUgaXMgYSBzZW50ZW5jZSB3aXRob3V0IGEgZmFjdA==", None),
            (report, Some("mysql")),
        ] {
            assert_eq!(check(Direction::Out, bytes, protocol).1, None, "{}", bytes.escape_ascii());
        }
    }
}
