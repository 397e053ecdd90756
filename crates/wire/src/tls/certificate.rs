//! Who a certificate names and for how long: RFC 5280 §4.1, in DER (X.690).
//!
//! In: one certificate. Out: subject, issuer, validity. Left out on purpose: keys, extensions, signatures and every check of
//! them: a certificate is what its sender claims.

/// Bytes of a certificate that are read.
pub const MAX_CERTIFICATE_BYTES: usize = 16_384;
/// Attributes that are kept of a name, and bytes of each.
const MAX_ATTRIBUTES: usize = 16;
const MAX_VALUE_BYTES: usize = 64;

/// Tags of X.690 and RFC 5280.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// What a certificate says about itself. All text is hostile and escaped to printable ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, such as `CN=a.test,O=A`, in the order of the certificate.
    pub subject: String,
    /// Who signed it, in the same form.
    pub issuer: String,
    /// From when it is valid, RFC 3339.
    pub not_before: String,
    /// Until when.
    pub not_after: String,
    /// True if subject and issuer are the same bytes, as where a certificate signs itself. The signature is not checked.
    pub self_issued: bool,
}

/// Reads a certificate; `None` if it is cut or malformed.
pub fn certificate(der: &[u8]) -> Option<Certificate> {
    let der = der.get(..MAX_CERTIFICATE_BYTES).unwrap_or(der);
    let (signed, _) = element(der, SEQUENCE)?;
    let (fields, _) = element(signed, SEQUENCE)?;
    // Absent in version 1.
    let fields = element(fields, VERSION).map_or(fields, |(_, after)| after);
    let (_serial, fields) = element(fields, INTEGER)?;
    let (_algorithm, fields) = element(fields, SEQUENCE)?;
    let (issuer, fields) = element(fields, SEQUENCE)?;
    let (validity, fields) = element(fields, SEQUENCE)?;
    let (subject, _) = element(fields, SEQUENCE)?;
    let (not_before, after) = time(validity)?;
    let (not_after, _) = time(after)?;
    Some(Certificate {
        subject: name(subject),
        issuer: name(issuer),
        not_before,
        not_after,
        self_issued: subject == issuer,
    })
}

/// The content of the element at the start, which must have this tag, and what follows it. DER has definite lengths; more
/// than four bytes of length cannot be meant.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = match rest {
        [short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, a, rest @ ..] => (usize::from(*a), rest),
        [0x82, a, b, rest @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Its attributes by their short names, RFC 4514 §3.
fn name(mut rest: &[u8]) -> String {
    let mut text = String::new();
    for _ in 0..MAX_ATTRIBUTES {
        let Some((set, after)) = element(rest, SET) else { break };
        rest = after;
        let Some((kind, value)) = attribute(set) else { continue };
        let Some(kind) = short_name(kind) else { continue };
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(kind);
        text.push('=');
        push_value(&mut text, value.get(..MAX_VALUE_BYTES).unwrap_or(value));
    }
    text
}

/// Escapes what is not printable, and by RFC 4514 §2.4 what would end the value.
fn push_value(text: &mut String, value: &[u8]) {
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'-' | b'*' | b'@' | b':');
    match std::str::from_utf8(value) {
        Ok(plain) if value.iter().all(is_plain) => text.push_str(plain),
        _ => {
            for byte in value {
                if matches!(byte, b',' | b'=' | b'+') {
                    text.push('\\');
                }
                text.extend(byte.escape_ascii().map(char::from));
            }
        }
    }
}

/// Kind and value of the first attribute in a set; others are next to unused.
fn attribute(set: &[u8]) -> Option<(&[u8], &[u8])> {
    let (pair, _) = element(set, SEQUENCE)?;
    let (kind, value) = element(pair, OBJECT_IDENTIFIER)?;
    let (value, _) = element(value, *value.first()?)?;
    Some((kind, value))
}

/// X.520's attribute types, and the address of PKCS #9.
fn short_name(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "E",
        _ => return None,
    })
}

/// RFC 5280 §4.1.2.5: both forms in Zulu with seconds; a year of two digits is of 1950 to 2049.
fn time(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (text, after, century) = match element(bytes, UTC_TIME) {
        Some((text, after)) => {
            let late = text.first().is_some_and(|digit| *digit >= b'5');
            (text, after, if late { "19" } else { "20" })
        }
        None => {
            let (text, after) = element(bytes, GENERALIZED_TIME)?;
            (text, after, "")
        }
    };
    let digits = text.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = [century.as_bytes(), digits].concat();
    let part = |from: usize, to: usize| std::str::from_utf8(digits.get(from..to)?).ok();
    let whole = digits.len() == "YYYYMMDDHHMMSS".len();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    whole.then(|| (format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"), after))
}
