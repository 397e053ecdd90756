//! Access logs of web servers: the common and the combined log format, as Apache, nginx, Traefik and others write them.
//!
//! In: a line. Out: the request, as the event that the kernel sensor makes of one on the wire, and a failed login where the
//! server refused a user by name (401). The first answer to a browser that knows no password yet names no user, and is none.
//!
//! Source: the documentation of Apache's `mod_log_config` and nginx's `ngx_http_log_module`.

use super::pattern::{address, cut, kept};
use super::time::{self, Time};
use event::log::{Act, LogRecord};
use event::network::{Endpoints, Http};
use std::net::IpAddr;

/// Longest target that is kept, in bytes.
const TARGET_BYTES: usize = 4096;
/// Status of an answer that asks for credentials.
const UNAUTHORIZED: u16 = 401;

/// A request of an access log.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) time: Time,
    pub(super) http: Http,
    user: String,
    client: String,
}

/// Reads `[VHOST ]CLIENT IDENT USER [TIME] "REQUEST" STATUS SIZE ["REFERRER" "AGENT" …]`.
pub(super) fn read(line: &str) -> Option<Request> {
    let (head, rest) = line.split_once(" [")?;
    let mut words = head.split(' ').filter(|word| !word.is_empty());
    let (first, second) = (words.next()?, words.next());
    let rest_of_head: Vec<&str> = words.collect();
    if rest_of_head.len() > 3 {
        return None;
    }
    // The name of a virtual host may stand before the client.
    let (host, client) = match (ip(first), second.and_then(ip)) {
        (Some(client), _) => ("", client),
        (None, Some(client)) => (first, client),
        (None, None) => return None,
    };
    let (time, rest) = time::leading(rest)?;
    let (request, rest) = quoted(rest.strip_prefix("] ")?)?;
    let mut numbers = rest.trim_start().splitn(3, ' ');
    let status = numbers.next()?.parse::<u16>().ok().filter(|status| (100..600).contains(status))?;
    numbers.next()?;
    let (referrer, rest) = numbers.next().and_then(|rest| quoted(rest.trim_start())).unwrap_or_default();
    let (agent, _) = quoted(rest.trim_start()).unwrap_or_default();
    let absent = |text: &str| if text == "-" { String::new() } else { unescaped(text) };
    let (method, target) = split(request);
    let ends = Endpoints { remote_ip: client, ..Endpoints::default() };
    let http = Http {
        ends,
        method: method.into(),
        host: kept(host),
        target: cut(&unescaped(target), TARGET_BYTES),
        agent: kept(&absent(agent)),
        referrer: kept(&absent(referrer)),
        status,
        ..Http::default()
    };
    let user = rest_of_head.last().copied().filter(|user| *user != "-").unwrap_or_default().to_owned();
    Some(Request { time, http, user, client: client.to_string() })
}

impl Request {
    /// Fills `record` where a user was refused.
    pub(super) fn refusal(&self, record: &mut LogRecord) -> bool {
        if self.http.status != UNAUTHORIZED || self.user.is_empty() {
            return false;
        }
        record.act = Act::Failure;
        record.service = "http".into();
        record.method = "password".into();
        record.user = kept(&self.user);
        record.source = self.client.as_str().into();
        record.target = self.http.host.clone();
        true
    }
}

fn ip(word: &str) -> Option<IpAddr> {
    let word = word.strip_suffix(',').unwrap_or(word);
    word.parse().ok().or_else(|| address(word)?.parse().ok())
}

/// `"text"`, in which `\` guards a sign: the text, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut is_guarded = false;
    let end = inner.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_guarded;
        is_guarded = byte == b'\\' && !is_guarded;
        is_end
    })?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

/// Method and target of a request line; one that is none is all target.
fn split(request: &str) -> (&str, &str) {
    let Some((method, rest)) = request.split_once(' ') else { return ("", request) };
    if !method.bytes().all(|byte| byte.is_ascii_uppercase()) || method.is_empty() || method.len() > 20 {
        return ("", request);
    }
    let target = rest.rsplit_once(" HTTP/").map_or(rest, |(target, _)| target);
    (method, target)
}

/// The text with `\"`, `\\` and `\xHH` undone.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (byte, after) = match (first, after) {
            (b'\\', [b'x', high, low, behind @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => (high << 4 | low, behind),
                None => (first, after),
            },
            (b'\\', [guarded @ (b'"' | b'\\'), after @ ..]) => (*guarded, after),
            _ => (first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_in_every_form() {
        let line = r#"192.0.2.9 - - [10/Dec/2021:14:41:40 +0100] "GET /?s=1&x=\"y\" HTTP/1.1" 200 3543 "-" "curl/8""#;
        let Request { http, .. } = read(line).unwrap();
        assert_eq!((http.method.as_str(), http.target.as_str(), http.status), ("GET", "/?s=1&x=\"y\"", 200));
        assert_eq!((http.agent.as_str(), http.referrer.is_empty()), ("curl/8", true));
        assert_eq!(http.ends.remote_ip.to_string(), "192.0.2.9");
        let host = read(r#"www.test:80 192.0.2.9 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1" 500 803"#)
            .unwrap();
        assert_eq!(host.http.host.as_str(), "www.test:80");
        let garbage =
            read(r#"192.0.2.9 - - [17/Oct/2023:05:57:49 +1100] "\x16\x03\x01\x02 \x" 400 226 "-" "-""#)
                .unwrap();
        assert_eq!(
            (garbage.http.method.as_str(), garbage.http.target.as_str()),
            ("", "\u{16}\u{3}\u{1}\u{2} \\x")
        );
        assert!(read("Feb 12 14:10:21 web sshd[1]: x [y] \"z\" 200").is_none());
    }

    #[test]
    fn a_user_who_is_refused_failed_to_log_in() {
        let refusal = |line: &str| {
            let mut record = LogRecord::default();
            read(line).unwrap().refusal(&mut record).then_some(record)
        };
        let record =
            refusal(r#"192.0.2.9 - eve [10/Dec/2021:14:41:40 +0100] "GET / HTTP/1.1" 401 1"#).unwrap();
        assert_eq!((record.user.as_str(), record.source.as_str()), ("eve", "192.0.2.9"));
        assert!(refusal(r#"192.0.2.9 - - [10/Dec/2021:14:41:40 +0100] "GET / HTTP/1.1" 401 1"#).is_none());
        assert!(refusal(r#"192.0.2.9 - eve [10/Dec/2021:14:41:40 +0100] "GET / HTTP/1.1" 200 1"#).is_none());
    }
}
