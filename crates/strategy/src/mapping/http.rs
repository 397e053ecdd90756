//! HTTP: Sigma's categories `proxy` and `webserver`, and Zeek's `http.log`.
//!
//! Sigma's names are those of W3C's extended log format: `c-` is the client, `cs-` goes from client to server, `sc-` back.
//! What SigmaHQ's rules ask of `cs-uri-query` may stand in the path too. Source: Sigma's taxonomy appendix, the reference of
//! Zeek's `http.log`.

use super::network::ZEEK_ENDS;
use super::{Events, Meaning, Name};
use event::{Class, Field};

/// Proxies.
pub(super) const PROXY: &[Events] =
    &[Events { class: Class::Http, operations: &[], names: &[W3C, CLIENT], text: TEXT }];

/// Web servers.
pub(super) const WEB_SERVER: &[Events] =
    &[Events { class: Class::Http, operations: &[], names: &[W3C, CLIENT], text: TEXT }];

/// Zeek's `http.log`.
pub(super) const ZEEK_HTTP: &[Events] =
    &[Events { class: Class::Http, operations: &[], names: &[ZEEK_ENDS, ZEEK, CLIENT], text: TEXT }];

/// Where keywords are looked for: what a line of an access log has.
const TEXT: &[Field] =
    &[Field::HttpMethod, Field::HttpTarget, Field::HttpAgent, Field::HttpReferrer, Field::HttpHost];

const NOT_KEPT: &str = "only method, target, host, user agent, referrer, status and media type are kept";

const fn field(name: &'static str, field: &'static [Field]) -> Name {
    Name { name, meaning: Meaning::Fields(field) }
}

const fn missing(name: &'static str) -> Name {
    Name { name, meaning: Meaning::Missing(NOT_KEPT) }
}

/// Names of the client's side, which rules about Zeek use too.
const CLIENT: &[Name] = &[
    field("c-uri", &[Field::HttpTarget]),
    field("c-uri-extension", &[Field::HttpExtension]),
    field("c-uri-query", &[Field::HttpQuery]),
    field("c-uri-stem", &[Field::HttpPath]),
    field("c-useragent", &[Field::HttpAgent]),
];

const W3C: &[Name] = &[
    field("c-ip", &[Field::NetworkOriginatorIp]),
    field("src_ip", &[Field::NetworkOriginatorIp]),
    field("dst_ip", &[Field::NetworkResponderIp]),
    field("dst_port", &[Field::NetworkResponderPort]),
    field("cs-method", &[Field::HttpMethod]),
    field("cs-host", &[Field::HttpHost]),
    field("r-dns", &[Field::HttpHost]),
    field("cs-uri", &[Field::HttpTarget]),
    field("cs-uri-query", &[Field::HttpQuery, Field::HttpTarget]),
    field("cs-uri-stem", &[Field::HttpPath]),
    field("cs-user-agent", &[Field::HttpAgent]),
    field("cs-referer", &[Field::HttpReferrer]),
    field("cs-referrer", &[Field::HttpReferrer]),
    field("sc-status", &[Field::HttpStatus]),
    missing("cs-cookie"),
    missing("cs-bytes"),
    missing("sc-bytes"),
    missing("cs-version"),
    missing("cs-username"),
];

const ZEEK: &[Name] = &[
    field("method", &[Field::HttpMethod]),
    field("host", &[Field::HttpHost]),
    field("uri", &[Field::HttpTarget]),
    field("user_agent", &[Field::HttpAgent]),
    field("referrer", &[Field::HttpReferrer]),
    field("status_code", &[Field::HttpStatus]),
    field("resp_mime_types", &[Field::HttpMediaType]),
    missing("orig_mime_types"),
    missing("resp_filenames"),
    missing("username"),
];
