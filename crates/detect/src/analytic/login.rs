//! Refusals of logins: what a server says in plain to somebody whom it does not let in.
//!
//! In: the payload of one packet from a server. Out: the protocol. Pure; the bytes are not copied.
//!
//! | protocol | refusal | source |
//! |---|---|---|
//! | FTP | `530`, but for the request to log in first | RFC 959 §4.2 |
//! | SMTP | `535` | RFC 4954 §6 |
//! | POP3 | `-ERR` with a word of logins, or `[AUTH]` | RFC 1939 §7, RFC 3206 §4 |
//! | IMAP | tagged `NO` with `AUTHENTICATIONFAILED`, or words of it | RFC 5530 §3 |
//! | Redis | `-WRONGPASS`, `-ERR invalid password` | redis.io, AUTH |
//! | MySQL | error packet 1045 | MySQL, ERR_Packet and ER_ACCESS_DENIED_ERROR |
//! | PostgreSQL | error with SQLSTATE 28P01 or 28000 | PostgreSQL, Message Formats and Appendix A |
//! | MongoDB | `OP_MSG` with `AuthenticationFailed` | MongoDB, Wire Protocol and error code 18 |
//! | LDAP | BindResponse with 49, invalidCredentials | RFC 4511 §4.2.2 and §4.1.9 |
//! | SMB | status 0xC000006D, STATUS_LOGON_FAILURE | MS-SMB2 §2.2.1, MS-ERREF §2.3 |
//! | MQTT | CONNACK with 4 or 5 | MQTT 3.1.1 §3.2.2.3 |
//! | Telnet | a line with `login incorrect` and the like | the programs named login |
//!
//! Left out on purpose: SSH, RDP and TLS, which refuse behind encryption; HTTP's 401, which is the ordinary first answer.

/// Longest text that is searched for words.
const TEXT_BYTES: usize = 512;
/// Words of a refused login.
const REFUSED: [&str; 6] =
    ["login incorrect", "login failed", "authentication failed", "auth", "password", "logon"];
const SMB_STATUS_LOGON_FAILURE: [u8; 4] = 0xC000_006D_u32.to_le_bytes();
const MYSQL_ACCESS_DENIED: [u8; 2] = 1045_u16.to_le_bytes();
const MONGODB_OP_MSG: [u8; 4] = 2013_u32.to_le_bytes();
const LDAP_INVALID_CREDENTIALS: u8 = 49;

/// The protocol whose server refuses a login with these bytes. Telnet has no form of its own: `is_telnet` says that the
/// session is known to be one.
///
/// ```
/// use detect::analytic::login::refusal;
/// assert_eq!(refusal(b"530 Login incorrect.\r\n", false), Some("ftp"));
/// assert_eq!(refusal(b"530 Please login with USER and PASS.\r\n", false), None);
/// ```
pub fn refusal(bytes: &[u8], is_telnet: bool) -> Option<&'static str> {
    let found = match bytes {
        [b'5', b'3', b'0', b' ' | b'-', rest @ ..] => {
            (!has(rest, &["please", "not logged in"])).then_some("ftp")
        }
        [b'5', b'3', b'5', b' ' | b'-', ..] => Some("smtp"),
        [b'-', b'E', b'R', b'R', b' ', rest @ ..] => refused_by_word(rest),
        [b'-', rest @ ..] => rest.starts_with(b"WRONGPASS").then_some("redis"),
        [b'E', a, b, c, d, fields @ ..] => postgresql(u32::from_be_bytes([*a, *b, *c, *d]), fields),
        [0x30, message @ ..] => ldap(message),
        [0x20, 2, 0 | 1, 4 | 5] => Some("mqtt"),
        [0, _, _, _, 0xFE, b'S', b'M', b'B', _, _, _, _, status @ ..] => {
            status.starts_with(&SMB_STATUS_LOGON_FAILURE).then_some("smb")
        }
        _ => mysql(bytes).or_else(|| mongodb(bytes)).or_else(|| imap(bytes)),
    };
    found.or_else(|| (is_telnet && has(bytes, REFUSED.get(..3)?)).then_some("telnet"))
}

/// POP3 and Redis begin their errors alike.
fn refused_by_word(rest: &[u8]) -> Option<&'static str> {
    if has(rest, &["invalid password"]) && !has(rest, &["user", "login"]) {
        return Some("redis");
    }
    has(rest, &REFUSED).then_some("pop3")
}

fn mysql(bytes: &[u8]) -> Option<&'static str> {
    let [a, b, c, _, 0xFF, low, high, ..] = bytes else { return None };
    let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).ok()?;
    (length + 4 == bytes.len() && [*low, *high] == MYSQL_ACCESS_DENIED).then_some("mysql")
}

fn postgresql(length: u32, fields: &[u8]) -> Option<&'static str> {
    let fields = fields.get(..usize::try_from(length).ok()?.checked_sub(4)?)?;
    let code = fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"C"));
    code.is_some_and(|code| code == b"28P01" || code == b"28000").then_some("postgresql")
}

fn mongodb(bytes: &[u8]) -> Option<&'static str> {
    let is_message = bytes.get(12..16)? == MONGODB_OP_MSG;
    (is_message && has(bytes, &["authenticationfailed"])).then_some("mongodb")
}

/// BindResponse of a message with short lengths, which those of refusals are but for long texts.
fn ldap(message: &[u8]) -> Option<&'static str> {
    let (_, message) = length(message)?;
    let [0x02, id_bytes, message @ ..] = message else { return None };
    let [0x61, message @ ..] = message.get(usize::from(*id_bytes)..)? else { return None };
    let (_, message) = length(message)?;
    message.starts_with(&[0x0A, 1, LDAP_INVALID_CREDENTIALS]).then_some("ldap")
}

/// A length of BER, X.690 §8.1.3, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7F, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, long, rest @ ..] => Some((usize::from(*long), rest)),
        [0x82, high, low, rest @ ..] => Some((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        [0x84, _, _, high, low, rest @ ..] => Some((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => None,
    }
}

fn imap(bytes: &[u8]) -> Option<&'static str> {
    let line = bytes.get(..bytes.len().min(TEXT_BYTES))?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let is_tag = (1..=16).contains(&space) && line.get(..space)?.iter().all(u8::is_ascii_alphanumeric);
    let answer = line.get(space + 1..)?.strip_prefix(b"NO ")?;
    (is_tag && has(answer, &["authenticationfailed", "authentication failed", "login failed"]))
        .then_some("imap")
}

/// Whether the begin of a text has one of some words, in any case.
fn has(text: &[u8], words: &[&str]) -> bool {
    let text = text.get(..text.len().min(TEXT_BYTES)).unwrap_or_default().to_ascii_lowercase();
    words.iter().any(|word| memchr::memmem::find(&text, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql_error(code: u16) -> Vec<u8> {
        let body = [&[0xFF][..], &code.to_le_bytes(), b"#28000Access denied"].concat();
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&length[..3], &[2], &body].concat()
    }

    fn postgresql_error(code: &str) -> Vec<u8> {
        let fields = format!("SFATAL\0VFATAL\0C{code}\0Mpassword authentication failed\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        [b"E", &length[..], fields.as_bytes()].concat()
    }

    #[test]
    fn refusals_are_told_from_other_answers() {
        let smb = [&b"\0\0\0\x48\xfeSMB\x40\0\0\0"[..], &SMB_STATUS_LOGON_FAILURE, &[1, 0]].concat();
        let mongodb = [&[0; 12][..], &MONGODB_OP_MSG, b"\0codeName\0AuthenticationFailed"].concat();
        let ldap = [0x30, 12, 0x02, 1, 1, 0x61, 7, 0x0A, 1, 49, 4, 0, 4, 0];
        let long_ldap =
            [0x30, 0x84, 0, 0, 0, 16, 0x02, 1, 1, 0x61, 0x84, 0, 0, 0, 7, 0x0A, 1, 49, 4, 0, 4, 0];
        for (bytes, expect) in [
            (&b"530 Login incorrect.\r\n"[..], Some("ftp")),
            (b"530 Please login with USER and PASS.\r\n", None),
            (b"230 Login successful.\r\n", None),
            (b"535 5.7.8 Error: authentication failed\r\n", Some("smtp")),
            (b"-ERR [AUTH] Authentication failed.\r\n", Some("pop3")),
            (b"-ERR no such message\r\n", None),
            (b"a1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", Some("imap")),
            (b"a1 NO mailbox does not exist\r\n", None),
            (b"a1 OK done\r\n", None),
            (b"-WRONGPASS invalid username-password pair\r\n", Some("redis")),
            (b"-ERR invalid password\r\n", Some("redis")),
            (b"-NOAUTH Authentication required.\r\n", None),
            (&mysql_error(1045), Some("mysql")),
            (&mysql_error(1046), None),
            (&postgresql_error("28P01"), Some("postgresql")),
            (&postgresql_error("42601"), None),
            (&smb, Some("smb")),
            (&mongodb, Some("mongodb")),
            (&ldap, Some("ldap")),
            (&long_ldap, Some("ldap")),
            (&[0x30, 12, 0x02, 1, 1, 0x61, 7, 0x0A, 1, 0, 4, 0, 4, 0], None),
            (&[0x20, 2, 0, 5], Some("mqtt")),
            (&[0x20, 2, 0, 0], None),
            (b"Login incorrect\r\nlogin: ", None),
        ] {
            assert_eq!(refusal(bytes, false), expect, "{bytes:?}");
        }
        assert_eq!(refusal(b"\r\nLogin incorrect\r\nlogin: ", true), Some("telnet"));
        assert_eq!(refusal(b"Last login: Mon", true), None);
    }

    #[test]
    fn what_is_cut_is_no_refusal_and_no_panic() {
        for whole in
            [mysql_error(1045), postgresql_error("28P01"), vec![0x30, 12, 2, 1, 1, 0x61, 7, 0x0A, 1, 49]]
        {
            for end in 0..whole.len() {
                assert_eq!(refusal(&whole[..end], false), None, "{:?}", &whole[..end]);
            }
        }
    }
}
