//! One indicator, and how its text is told.
//!
//! In: a text as lists have it, also in the spelling that keeps people from following it (`hxxp`, `[.]`). Out: an
//! [`Indicator`] in one form, or why it is none.
//!
//! | text | indicator |
//! |---|---|
//! | `198.51.100.7`, `2001:db8::7`, `198.51.100.7:443` | address, with a port where one is said |
//! | `198.51.100.0/24` | network |
//! | `evil.example`, `*.evil.example`, `evil.example:8080` | name, which covers what is below it; ports of names do not count |
//! | `http://evil.example/a?b`, `evil.example/a` | URL: host, path and query, without scheme, user and usual port |
//! | 64 hexadecimal digits, also behind `sha256:` | digest |
//! | `image:ghcr.io/evil/miner`, `evil/miner:latest`, `evil/miner@sha256:…` | image; without a tag it is any tag |

use compact_str::{CompactString, format_compact};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use thiserror::Error;

/// Longest name of DNS, and longest URL that is an indicator.
const NAME_BYTES: usize = 253;
const URL_BYTES: usize = 2_048;
const DIGEST_DIGITS: usize = 64;
/// Lengths of digests that are not computed: MD5, SHA-1, SHA-512.
const OTHER_DIGESTS: [usize; 3] = [32, 40, 128];
/// Registries whose references look like URLs.
const REGISTRIES: [&str; 8] = [
    "docker.io",
    "gcr.io",
    "ghcr.io",
    "index.docker.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry.k8s.io",
];

/// Kinds of indicators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An address, perhaps with a port.
    Address,
    /// A block of addresses.
    Network,
    /// A name of DNS.
    Name,
    /// A URL.
    Url,
    /// A SHA-256.
    Sha256,
    /// A reference of an image.
    Image,
}

impl Kind {
    /// Its name in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Address => "address",
            Kind::Network => "network",
            Kind::Name => "name",
            Kind::Url => "url",
            Kind::Sha256 => "sha256",
            Kind::Image => "image",
        }
    }
}

/// An indicator in the form in which it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Indicator {
    /// An address, with any port or this one.
    Address(IpAddr, Option<u16>),
    /// The first address of a network, and the bits of its prefix.
    Network(IpAddr, u8),
    /// A name in small letters, without the last dot.
    Name(CompactString),
    /// Host, path and query.
    Url(CompactString),
    /// A SHA-256.
    Sha256([u8; 32]),
    /// A reference, without the registry of Docker.
    Image(CompactString),
}

/// Why a text is no indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotUnderstood {
    /// Of no form that is known.
    #[error("no address, network, name, URL, SHA-256 or image")]
    NoForm,
    /// A digest of another kind.
    #[error("only SHA-256 digests are compared")]
    OtherDigest,
    /// A path that could be anybody's.
    #[error("a path without a host would fit any server")]
    PathAlone,
    /// A pattern of STIX that compares otherwise than by equality.
    #[error("only comparisons for equality joined by OR are read")]
    Pattern,
    /// An attribute or object of a type that is no such indicator.
    #[error("type of indicator that nothing is compared with")]
    Type,
    /// Not valid JSON, or of no known schema.
    #[error("no JSON of a STIX 2.1 bundle or a MISP event")]
    Schema,
    /// A list of what is harmless.
    #[error("a warning list names what is harmless")]
    Harmless,
    /// A line that is longer than any indicator.
    #[error("longer than 8192 bytes")]
    TooLong,
    /// Too many indicators.
    #[error("no room: 8,000,000 indicators are kept")]
    NoRoom,
}

/// The indicator that a text is.
///
/// ```
/// use detect::intel::{Indicator, indicator};
/// assert_eq!(indicator("hxxp://Evil[.]example/A"), Ok(Indicator::Url("evil.example/A".into())));
/// ```
///
/// # Errors
/// Why it is none.
pub fn indicator(text: &str) -> Result<Indicator, NotUnderstood> {
    let text = text.trim().trim_matches(['"', '\'', '`']).trim();
    if text.is_empty() || text.len() > URL_BYTES {
        return Err(NotUnderstood::NoForm);
    }
    let plain = refanged(text);
    let text = plain.as_str();
    if let Some(reference) = text.strip_prefix("image:") {
        return image_of(reference).ok_or(NotUnderstood::NoForm);
    }
    if let Some((_, rest)) = text.split_once("://") {
        return url_of(rest);
    }
    if let Some(found) = digest(text) {
        return Ok(found);
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && OTHER_DIGESTS.contains(&text.len()) {
        return Err(NotUnderstood::OtherDigest);
    }
    match text.split_once('/') {
        None => host(text),
        Some(("", _)) => Err(NotUnderstood::PathAlone),
        Some((before, bits)) => {
            if let (Ok(ip), Ok(bits)) = (before.parse::<IpAddr>(), bits.parse::<u8>()) {
                return network(ip, bits);
            }
            let is_image =
                !before.contains(['.', ':']) || REGISTRIES.contains(&before) || text.contains("@sha256:");
            if is_image { image_of(text).ok_or(NotUnderstood::NoForm) } else { url_of(text) }
        }
    }
}

/// The spelling that can be followed.
fn refanged(text: &str) -> CompactString {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if !has(&["[", "(.)", "hxxp", "HXXP", "hXXp"]) {
        return text.into();
    }
    let text = text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[://]", "://");
    let scheme = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("hxxp"));
    let text = if scheme.is_some() { format!("http{}", text.get(4..).unwrap_or_default()) } else { text };
    text.into()
}

/// A network, as an address where its prefix is whole.
fn network(ip: IpAddr, bits: u8) -> Result<Indicator, NotUnderstood> {
    let most = if ip.is_ipv4() { 32 } else { 128 };
    match bits {
        0 => Err(NotUnderstood::NoForm),
        bits if bits == most => Ok(Indicator::Address(ip, None)),
        bits if bits < most => Ok(Indicator::network(ip, bits)),
        _ => Err(NotUnderstood::NoForm),
    }
}

/// An address or a name, with or without a port.
fn host(text: &str) -> Result<Indicator, NotUnderstood> {
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(Indicator::Address(ip.to_canonical(), None));
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(Indicator::Address(socket.ip().to_canonical(), Some(socket.port())));
    }
    let name = match text.split_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) => return Err(NotUnderstood::NoForm),
        None => text,
    };
    let name = name.strip_prefix("*.").unwrap_or(name).trim_start_matches('.').trim_end_matches('.');
    if is_name(name) {
        Ok(Indicator::Name(CompactString::from(name).to_ascii_lowercase()))
    } else {
        Err(NotUnderstood::NoForm)
    }
}

/// Labels of letters, digits, `-` and `_`, at least two, the last of which is no number.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_of_name =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte >= 0x80;
        (1..=63).contains(&label.len()) && label.bytes().all(is_of_name)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= NAME_BYTES && name.contains('.') && !is_number && name.split('.').all(is_label)
}

/// A URL without its scheme; without a path it is its host.
fn url_of(text: &str) -> Result<Indicator, NotUnderstood> {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (authority, target) = text.split_at_checked(end).ok_or(NotUnderstood::NoForm)?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let named = host(authority)?;
    let target = target.split('#').next().unwrap_or_default();
    Ok(if target.trim_start_matches('/').is_empty() { named } else { Indicator::Url(url(authority, target)) })
}

/// Host, path and query in the form in which they are looked up. The target may be a whole URL, as proxies are asked.
pub(super) fn url(host: &str, target: &str) -> CompactString {
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => target,
    };
    let host = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host);
    let host = CompactString::from(host.trim_end_matches('.')).to_ascii_lowercase();
    let slash = if target.starts_with('/') { "" } else { "/" };
    let (path, query) =
        target.split_at_checked(target.find('?').unwrap_or(target.len())).unwrap_or((target, ""));
    format_compact!("{host}{slash}{}{query}", path.trim_end_matches('/'))
}

/// A SHA-256.
pub(super) fn digest(text: &str) -> Option<Indicator> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if digits.len() != DIGEST_DIGITS {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
    }
    Some(Indicator::Sha256(bytes))
}

fn image_of(reference: &str) -> Option<Indicator> {
    if let Some((_, found)) = reference.split_once('@') {
        return digest(found);
    }
    let (name, tagged) = image(reference)?;
    let has_tag = reference.rsplit('/').next().is_some_and(|last| last.contains(':'));
    Some(Indicator::Image(if has_tag { tagged } else { name }))
}

/// A reference without Docker's own registry, alone and with its tag.
pub(super) fn image(reference: &str) -> Option<(CompactString, CompactString)> {
    let text = reference.split('@').next()?;
    let text = text.strip_prefix("index.").unwrap_or(text);
    let text = text.strip_prefix("docker.io/").unwrap_or(text);
    let text = text.strip_prefix("library/").unwrap_or(text);
    let is_of_reference = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
    if text.is_empty() || text.len() > NAME_BYTES || !text.bytes().all(is_of_reference) {
        return None;
    }
    let (name, tag) = match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (text, "latest"),
    };
    Some((name.into(), format_compact!("{name}:{tag}")))
}

/// What stands for a text of a kind.
pub(super) fn key(kind: Kind, text: &str) -> u64 {
    super::hash56(&(kind, text))
}

impl Indicator {
    /// The network of this many bits around an address.
    pub(super) fn network(ip: IpAddr, bits: u8) -> Self {
        let network = match ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or_default();
                IpAddr::V4((u32::from(ip) & mask).into())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or_default();
                IpAddr::V6((u128::from(ip) & mask).into())
            }
        };
        Indicator::Network(network, bits)
    }

    /// 56 bits that stand for it.
    pub(super) fn key(&self) -> u64 {
        match self {
            Indicator::Address(ip, port) => super::hash56(&(Kind::Address, ip, port)),
            Indicator::Network(ip, bits) => super::hash56(&(Kind::Network, ip, bits)),
            Indicator::Name(name) => key(Kind::Name, name),
            Indicator::Url(url) => key(Kind::Url, url),
            Indicator::Sha256(bytes) => super::hash56(&(Kind::Sha256, bytes)),
            Indicator::Image(reference) => key(Kind::Image, reference),
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Indicator::Address(ip, None) => ip.fmt(to),
            Indicator::Address(ip, Some(port)) => SocketAddr::new(*ip, *port).fmt(to),
            Indicator::Network(ip, bits) => write!(to, "{ip}/{bits}"),
            Indicator::Name(text) | Indicator::Url(text) | Indicator::Image(text) => to.write_str(text),
            Indicator::Sha256(bytes) => bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}")),
        }
    }
}
