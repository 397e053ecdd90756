//! Start line and fields.

use super::{Head, MAX_FIELDS, MAX_HEAD_BYTES};

/// Reads the head at the start of a stream; `None` if the bytes do not begin with a start line of HTTP/1.
///
/// ```
/// let head = wire::http::head(b"GET /a HTTP/1.1\r\nHost: c2.test\r\n\r\n").ok_or("no head")?;
/// assert_eq!((head.host, head.complete), (Some(&b"c2.test"[..]), true));
/// # Ok::<(), &str>(())
/// ```
pub fn head(stream: &[u8]) -> Option<Head<'_>> {
    let stream = stream.get(..MAX_HEAD_BYTES).unwrap_or(stream);
    let mut lines = stream.split_inclusive(|byte| *byte == b'\n');
    let mut head = start_line(whole_line(lines.next()?)?)?;
    for line in lines.take(MAX_FIELDS) {
        // A line without its end may go on.
        let Some(line) = whole_line(line) else { break };
        if line.is_empty() {
            head.complete = true;
            break;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let slot = match name {
            name if name.eq_ignore_ascii_case(b"host") => &mut head.host,
            name if name.eq_ignore_ascii_case(b"user-agent") => &mut head.agent,
            name if name.eq_ignore_ascii_case(b"server") && head.status != 0 => &mut head.agent,
            name if name.eq_ignore_ascii_case(b"upgrade") => &mut head.upgrade,
            name if name.eq_ignore_ascii_case(b"referer") => &mut head.referrer,
            name if name.eq_ignore_ascii_case(b"content-type") => &mut head.media_type,
            _ => continue,
        };
        // The first of several counts, as in most servers.
        slot.get_or_insert(value);
    }
    Some(head)
}

/// The line without its end; `None` if the end is not there.
fn whole_line(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

fn start_line(line: &[u8]) -> Option<Head<'_>> {
    if let Some(rest) = line.strip_prefix(b"HTTP/1.") {
        let code = rest.get(2..5)?;
        let status = std::str::from_utf8(code).ok()?.parse().ok()?;
        return Some(Head { status, ..Head::default() });
    }
    let at = memchr::memrchr_iter(b' ', line)
        .find(|at| line.get(*at..).is_some_and(|rest| rest.starts_with(b" HTTP/1.")))?;
    let (request, _version) = line.split_at(at);
    let space = memchr::memchr(b' ', request)?;
    let (method, target) = request.split_at(space);
    let is_token = !method.is_empty() && method.iter().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| Head { method, target: target.trim_ascii(), ..Head::default() })
}
