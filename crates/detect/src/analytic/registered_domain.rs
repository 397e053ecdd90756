//! Registered domains: the part of a name that somebody bought, or got from a service that gives names away.
//!
//! In: a name as DNS has it, in any case, with or without its last dot. Out: [`Registered`], the name in its parts.
//!
//! | rule | example |
//! |---|---|
//! | the last label is the suffix | `example.com` of `a.b.example.com` |
//! | below a country, a label that registries use for kinds of owners belongs to the suffix | `example.co.uk` |
//! | services that give names to strangers are suffixes | `mine.duckdns.org` |
//!
//! Left out on purpose: the public suffix list, which is 780 kB as code (the crate `psl` 2.1). Where a suffix is missing,
//! the names of its owners count as one domain's.
//! Sources: the registries' own pages for kinds of owners; the services' pages.

/// Labels that registries put below countries for kinds of owners.
const KINDS: &[&str] = &[
    "ac", "ad", "art", "asn", "co", "com", "ed", "edu", "firm", "fm", "gen", "go", "gob", "gouv", "gov",
    "gub", "id", "idv", "in", "inf", "info", "ind", "k12", "ltd", "me", "mi", "mil", "name", "ne", "net",
    "nhs", "nic", "nom", "nsw", "or", "org", "plc", "police", "pro", "qld", "res", "sch", "school", "store",
    "tm", "tv", "vic", "waw", "web",
];

/// Countries whose own suffix has names of two letters beside the kinds: below these a kind is only one of [`KINDS`]
/// where it has three letters, or is `co` or `ac`.
const LOOSE: &[&str] = &["cc", "co", "de", "eu", "fr", "io", "it", "me", "nl", "ru", "su", "tv", "us", "ws"];

/// The service with the deepest suffix, and how that ends.
const DEEPEST: (&str, &str) = ("dyn.dns.he.net", "he.net");

/// Suffixes of two labels below which a service gives names to anybody.
const SERVICES: &[&str] = &[
    "afraid.org",
    "azurewebsites.net",
    "blogspot.com",
    "chickenkiller.com",
    "ddns.net",
    "ddnsking.com",
    "duckdns.org",
    "dynalias.com",
    "dyndns.biz",
    "dyndns.info",
    "dyndns.org",
    "dynserv.com",
    "dynu.net",
    "eu.org",
    "fly.dev",
    "freeddns.org",
    "github.io",
    "gitlab.io",
    "gotdns.ch",
    "herokuapp.com",
    "hopto.org",
    "loca.lt",
    "localtunnel.me",
    "mooo.com",
    "myftp.biz",
    "myftp.org",
    "myvnc.com",
    "netlify.app",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "ngrok-free.app",
    "no-ip.biz",
    "no-ip.com",
    "no-ip.info",
    "no-ip.org",
    "onrender.com",
    "pages.dev",
    "redirectme.net",
    "sci.io",
    "serveftp.com",
    "servegame.com",
    "servehttp.com",
    "strangled.net",
    "sytes.net",
    "trycloudflare.com",
    "us.to",
    "vercel.app",
    "web.app",
    "workers.dev",
    "yi.org",
    "zapto.org",
];

/// A bit for each length that a service has: most names need no look at the list.
const LENGTHS: u64 = {
    let (mut bits, mut at) = (0, 0);
    while at < SERVICES.len() {
        bits |= 1 << SERVICES[at].len();
        at += 1;
    }
    bits
};

/// Suffixes that no registry has: reverse zones, search paths and what is local.
const LOCAL: &[&str] = &[
    "arpa",
    "cluster",
    "corp",
    "domain",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "test",
];

/// Whether a suffix is of names that nobody registers: reverse zones, search paths, the local network.
pub fn is_local(suffix: &str) -> bool {
    is_in(LOCAL, suffix)
}

/// A name of 253 bytes, each as an escape of four.
const LONGEST_BYTES: usize = 4 * 253;

/// A name in its parts; the parts are of the name that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered<'a> {
    /// What the owner put before it; empty where there is nothing.
    pub below: &'a str,
    /// The label that was bought.
    pub label: &'a str,
    /// What it was bought below.
    pub suffix: &'a str,
    /// Label and suffix.
    pub domain: &'a str,
}

/// The parts of a name; none for an address, a single label, or what is no name.
///
/// ```
/// use detect::analytic::registered_domain::registered;
/// let parts = registered("www.shop.example.co.uk.").unwrap();
/// assert_eq!((parts.below, parts.domain), ("www.shop", "example.co.uk"));
/// assert_eq!(registered("localhost"), None);
/// ```
pub fn registered(name: &str) -> Option<Registered<'_>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > LONGEST_BYTES {
        return None;
    }
    let last = name.as_bytes().iter().rposition(|byte| *byte == b'.')?;
    let top = name.get(last + 1..)?;
    if top.is_empty() || top.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let suffix = suffix_at(name, last, top);
    let before = name.get(..suffix.checked_sub(1)?)?;
    let label = before.as_bytes().iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
    // What is below may be anything: a tunnel puts bytes there that spell a dot.
    if before.len() == label {
        return None;
    }
    Some(Registered {
        below: name.get(..label.saturating_sub(1))?,
        label: before.get(label..)?,
        suffix: name.get(suffix..)?,
        domain: name.get(label..)?,
    })
}

/// Where the suffix begins, which is never at the first byte: of a name that is a suffix, the last label counts.
fn suffix_at(name: &str, last: usize, top: &str) -> usize {
    let start_of = |end: usize| {
        let before = name.as_bytes().get(..end).unwrap_or_default();
        before.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1)
    };
    let second = start_of(last);
    let two = name.get(second..).unwrap_or_default();
    if second > 0 && LENGTHS >> two.len().min(63) & 1 == 1 && is_in(SERVICES, two) {
        return second;
    }
    // A service of four labels ends like one of two.
    if second > 0 && is_in(&[DEEPEST.1], two) {
        let start = start_of(start_of(second - 1).max(1) - 1);
        if start > 0 && name.get(start..).is_some_and(|tail| is_in(&[DEEPEST.0], tail)) {
            return start;
        }
    }
    if second == 0 || top.len() != 2 {
        return last + 1;
    }
    let kind = name.get(second..last).unwrap_or_default();
    let loose = kind.len() < 3 && is_in(LOOSE, top) && !is_in(&["ac", "co"], kind);
    if is_in(KINDS, kind) && !loose { second } else { last + 1 }
}

/// Whether a list has a text, in any case. What has another length is passed by, which is nearly all.
fn is_in(list: &[&str], text: &str) -> bool {
    list.iter().any(|one| one.len() == text.len() && one.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_where_they_were_bought() {
        for (name, expect) in [
            ("example.com", Some(("", "example", "com"))),
            ("WWW.Example.COM", Some(("WWW", "Example", "COM"))),
            ("a.b.example.co.uk", Some(("a.b", "example", "co.uk"))),
            ("co.uk", Some(("", "co", "uk"))),
            ("x.mine.duckdns.org", Some(("x", "mine", "duckdns.org"))),
            ("duckdns.org", Some(("", "duckdns", "org"))),
            ("me.example.de", Some(("me", "example", "de"))),
            ("a.go.de", Some(("a", "go", "de"))),
            ("a.dyn.dns.he.net", Some(("", "a", "dyn.dns.he.net"))),
            ("api.default.svc.cluster.local", Some(("api.default.svc", "cluster", "local"))),
        ] {
            let parts = registered(name).map(|parts| (parts.below, parts.label, parts.suffix));
            assert_eq!(parts, expect, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_has_no_parts() {
        for name in ["", ".", "localhost", "10.0.0.1", "::1", "a..", "a..com", ".com", &"a.".repeat(600)] {
            assert_eq!(registered(name), None, "{name}");
        }
    }
}
