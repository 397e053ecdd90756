//! The first messages of a flow to names, details and facts.
//!
//! In: the verdict and the first bytes of both directions. Out: what the messages of that protocol say, and whether more
//! bytes would say more.

use wire::tls::{Carrier, ClientHello, ServerFlight};
use wire::{Direction, Protocol, commands, http, http2, mqtt, ssh, tls};

use crate::{Detail, Details, Fact, Facts, Names};

/// Characters kept of a name that a peer chose.
const MAX_NAME_BYTES: usize = 255;
/// Names that Tor's clients and relays make up (`crypto_random_hostname` in its source): `www.`, this many characters of
/// base 32, and one of two ends.
const TOR_LABEL_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=25;

/// What messages say.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) names: Names,
    pub(crate) facts: Facts,
    /// The client's bytes from where another protocol begins: behind STARTTLS.
    pub(crate) behind: Vec<u8>,
}

/// True if more bytes would say no more. Asked after each payload, so it costs little where nothing is missing.
pub(crate) fn are_in(protocol: Protocol, client: &[u8], server: &[u8]) -> bool {
    match protocol {
        Protocol::Tls => tls::is_hello_over(client) && (server.is_empty() || tls::is_flight_over(server)),
        Protocol::Http | Protocol::Websocket => http::head(client).is_none_or(|head| head.complete),
        Protocol::Http2 => first_request(client).is_none_or(|found| found.is_some()),
        Protocol::Ssh => [(client, Direction::ToServer), (server, Direction::ToClient)]
            .into_iter()
            .all(|(side, direction)| ssh::opening(side, direction).is_some_and(|side| side.hassh.is_some())),
        // A session goes on; the caller's limit of payloads ends it, or the hello behind STARTTLS.
        Protocol::Smtp | Protocol::Ftp | Protocol::Pop3 | Protocol::Imap => {
            commands::commands(protocol, client)
                .and_then(|found| found.behind_tls)
                .is_some_and(|hello| !hello.is_empty() && tls::is_hello_over(hello))
        }
        _ => true,
    }
}

/// What the messages say. The sides are those of the protocol: its client's and its server's bytes.
pub(crate) fn read(protocol: Protocol, client: &[u8], server: &[u8]) -> Told {
    match protocol {
        Protocol::Tls => tls_said(client, server),
        Protocol::Http | Protocol::Websocket => {
            let Some(head) = http::head(client) else { return Told::default() };
            let (host, agent) = (head.host.map(printable), head.agent.map(printable));
            Names { host, agent, ..Names::default() }.into()
        }
        Protocol::Http2 => {
            let Some(request) = first_request(client).flatten() else { return Told::default() };
            let name = |text: &[u8]| (!text.is_empty()).then(|| printable(text));
            Names { host: name(&request.authority), agent: name(&request.agent), ..Names::default() }.into()
        }
        Protocol::Ssh => ssh_said(client, server),
        Protocol::Mqtt => {
            let mut details = Details::default();
            if let Some(connect) = mqtt::connect(client) {
                details.add(Detail::ClientId, connect.client_id);
                details.add(Detail::User, connect.user.unwrap_or_default());
            }
            Names { details, ..Names::default() }.into()
        }
        _ => commands_said(protocol, client),
    }
}

/// The first request of a client of HTTP/2; inner none where it is not whole yet, outer where none can come.
fn first_request(client: &[u8]) -> Option<Option<http2::Message>> {
    let mut side = http2::Side::new(Direction::ToServer);
    let mut first = None;
    side.take(client, &mut |message| {
        if !message.method.is_empty() {
            first.get_or_insert(message);
        }
    });
    (first.is_some() || side.error().is_none()).then_some(first)
}

impl From<Names> for Told {
    fn from(names: Names) -> Self {
        Self { names, ..Self::default() }
    }
}

fn tls_said(client: &[u8], server: &[u8]) -> Told {
    let mut said = Told::from(tls_names(client));
    let flight = tls::server_flight(server).unwrap_or_default();
    if looks_like_tor(&said.names, &flight) {
        said.facts.insert(Fact::TorLikeNames);
    }
    let details = &mut said.names.details;
    if flight.version != 0 {
        details.add(Detail::TlsVersion, tls::version_name(flight.version));
    }
    details.add(Detail::TlsAlpn, flight.alpn.as_deref().map(printable).unwrap_or_default());
    if let Some(certificate) = flight.certificate {
        if certificate.self_issued {
            said.facts.insert(Fact::SelfIssuedCertificate);
        }
        details.add(Detail::CertSubject, certificate.subject);
        details.add(Detail::CertIssuer, certificate.issuer);
        details.add(Detail::CertNotBefore, certificate.not_before);
        details.add(Detail::CertNotAfter, certificate.not_after);
    }
    said
}

/// What a ClientHello at the begin of `bytes` names.
pub(crate) fn tls_names(bytes: &[u8]) -> Names {
    tls::client_hello(bytes).map(|hello| hello_names(hello, Carrier::Tcp)).unwrap_or_default()
}

/// What a ClientHello names.
pub(crate) fn hello_names(hello: ClientHello, carrier: Carrier) -> Names {
    Names {
        ja4: hello.ja4(carrier).map(Into::into),
        sni: hello.server_name.map(Into::into),
        alpn: hello.alpn.first().map(|name| printable(name)),
        ..Names::default()
    }
}

/// Up to TLS 1.2 the relay's certificate shows: issuer and subject have made-up names of two kinds. With 1.3 only the
/// client's name is left, which must then have a digit, as ordinary names of that shape have not, and no application
/// protocol beside it, as browsers have.
fn looks_like_tor(names: &Names, flight: &ServerFlight) -> bool {
    if let Some(certificate) = &flight.certificate {
        return is_made_up(&certificate.issuer, "CN=www.", ".com")
            && is_made_up(&certificate.subject, "CN=www.", ".net");
    }
    let Some(name) = &names.sni else { return false };
    names.alpn.is_none() && is_made_up(name, "www.", ".com") && name.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_made_up(name: &str, front: &str, end: &str) -> bool {
    let Some(label) = name.strip_prefix(front).and_then(|rest| rest.strip_suffix(end)) else { return false };
    TOR_LABEL_CHARACTERS.contains(&label.len())
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

fn ssh_said(client: &[u8], server: &[u8]) -> Told {
    let mut details = Details::default();
    for (side, direction, banner, hassh) in [
        (client, Direction::ToServer, Detail::SshClient, Detail::Hassh),
        (server, Direction::ToClient, Detail::SshServer, Detail::HasshServer),
    ] {
        if let Some(opening) = ssh::opening(side, direction) {
            details.add(banner, opening.banner);
            details.add(hassh, opening.hassh.unwrap_or_default());
        }
    }
    Names { details, ..Names::default() }.into()
}

fn commands_said(protocol: Protocol, client: &[u8]) -> Told {
    let Some(found) = commands::commands(protocol, client) else { return Told::default() };
    let mut details = Details::default();
    details.add(Detail::Commands, found.verbs.join(" "));
    details.add(Detail::User, found.user.unwrap_or_default());
    Told {
        names: Names { details, ..Names::default() },
        facts: Facts::default(),
        behind: found.behind_tls.unwrap_or_default().to_vec(),
    }
}

pub(crate) fn printable(name: &[u8]) -> Box<str> {
    let name = name.get(..MAX_NAME_BYTES).unwrap_or(name);
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'\'' | b'"');
    match std::str::from_utf8(name) {
        // Nearly every name: nothing to escape.
        Ok(text) if name.iter().all(is_plain) => text.into(),
        _ => name.escape_ascii().to_string().into(),
    }
}
