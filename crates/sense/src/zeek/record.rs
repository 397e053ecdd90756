//! Records of the logs, checked: times, addresses and numbers are what they say.

use std::net::IpAddr;

use compact_str::CompactString;
use event::network::{FlowNames, Transport};

use super::form::{Log, Row};

/// Longest text that is kept, in bytes.
const TEXT_BYTES: usize = 8192;
/// Answers of DNS that are kept.
const ANSWERS: usize = 64;

/// What all records have.
#[derive(Debug)]
pub(super) struct Head {
    /// Nanoseconds since 1970.
    pub(super) time_ns: u64,
    /// The connection, as a number: a hash of Zeek's uid.
    pub(super) uid: u64,
    pub(super) transport: Transport,
    pub(super) originator: (IpAddr, u16),
    pub(super) responder: (IpAddr, u16),
    /// Whether the originator is the own end, where Zeek was told what is local and just one end is.
    pub(super) initiated: Option<bool>,
}

#[derive(Debug)]
pub(super) enum Record {
    Conn(Conn),
    Dns(Dns),
    Ssl(Ssl),
    Http(Http),
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) head: Head,
    pub(super) service: CompactString,
    pub(super) duration_ns: u64,
    pub(super) state: CompactString,
    /// Payload bytes, packets and bytes of packets, of the originator and of the responder.
    pub(super) originated: [u64; 3],
    pub(super) responded: [u64; 3],
}

#[derive(Debug)]
pub(super) struct Dns {
    pub(super) head: Head,
    pub(super) id: u16,
    pub(super) query: CompactString,
    pub(super) record_type: CompactString,
    pub(super) rcode: Option<u8>,
    pub(super) reserved: u8,
    pub(super) rtt_ns: u64,
    pub(super) answers: Vec<CompactString>,
}

#[derive(Debug)]
pub(super) struct Ssl {
    pub(super) head: Head,
    pub(super) server_name: CompactString,
    pub(super) next_protocol: CompactString,
    pub(super) ja4: CompactString,
    pub(super) subject: CompactString,
    pub(super) issuer: CompactString,
}

#[derive(Debug)]
pub(super) struct Http {
    pub(super) head: Head,
    pub(super) method: CompactString,
    pub(super) host: CompactString,
    pub(super) uri: CompactString,
    pub(super) agent: CompactString,
    pub(super) referrer: CompactString,
    pub(super) status: u16,
    pub(super) media_type: CompactString,
}

impl Record {
    pub(super) fn read(log: Log, row: &Row<'_>) -> Result<Self, String> {
        let head = head(log, row)?;
        Ok(match log {
            Log::Conn => Self::Conn(conn(head, row)?),
            Log::Dns => Self::Dns(dns(head, row)?),
            Log::Ssl => Self::Ssl(Ssl {
                head,
                server_name: text(row, "server_name"),
                next_protocol: text(row, "next_protocol"),
                ja4: text(row, "ja4"),
                subject: text(row, "subject"),
                issuer: text(row, "issuer"),
            }),
            Log::Http => Self::Http(Http {
                head,
                method: text(row, "method"),
                host: text(row, "host"),
                uri: text(row, "uri"),
                agent: text(row, "user_agent"),
                referrer: text(row, "referrer"),
                status: number(row, "status_code")?,
                media_type: row.list("resp_mime_types").first().map(|text| kept(text)).unwrap_or_default(),
            }),
        })
    }

    /// About when Zeek wrote it: the order of a log.
    pub(super) fn written_ns(&self) -> u64 {
        match self {
            Self::Conn(conn) => conn.head.time_ns.saturating_add(conn.duration_ns),
            Self::Dns(dns) => dns.head.time_ns,
            Self::Ssl(ssl) => ssl.head.time_ns,
            Self::Http(http) => http.head.time_ns,
        }
    }
}

impl Ssl {
    pub(super) fn names(&self) -> FlowNames {
        FlowNames {
            sni: self.server_name.clone(),
            alpn: self.next_protocol.clone(),
            ja4: self.ja4.clone(),
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            ..FlowNames::default()
        }
    }
}

impl Http {
    pub(super) fn names(&self) -> FlowNames {
        FlowNames { host: self.host.clone(), agent: self.agent.clone(), ..FlowNames::default() }
    }
}

fn head(log: Log, row: &Row<'_>) -> Result<Head, String> {
    let time = row.text("ts").ok_or("`ts` is missing")?;
    let time_ns = timestamp(&time).ok_or_else(|| format!("`ts` is `{}`", shown(&time)))?;
    let transport = match (row.text("proto").as_deref(), log) {
        (Some("tcp"), _) | (None, Log::Ssl | Log::Http) => Transport::Tcp,
        (Some("udp"), _) | (None, Log::Dns) => Transport::Udp,
        (Some("icmp"), _) => Transport::Icmp,
        _ => Transport::Other,
    };
    // The ports of ICMP are its type and code.
    let port = |name| if transport == Transport::Icmp { Ok(0) } else { number(row, name) };
    Ok(Head {
        time_ns,
        uid: uid(row.text("uid").as_deref().unwrap_or_default()),
        transport,
        originator: (address(row, "id.orig_h")?, port("id.orig_p")?),
        responder: (address(row, "id.resp_h")?, port("id.resp_p")?),
        initiated: match (row.text("local_orig").as_deref(), row.text("local_resp").as_deref()) {
            (Some("T"), Some("F")) => Some(true),
            (Some("F"), Some("T")) => Some(false),
            _ => None,
        },
    })
}

fn conn(head: Head, row: &Row<'_>) -> Result<Conn, String> {
    let duration = row.text("duration");
    let duration_ns = match &duration {
        None => 0,
        Some(text) => seconds(text).ok_or_else(|| format!("`duration` is `{}`", shown(text)))?,
    };
    Ok(Conn {
        head,
        service: text(row, "service"),
        duration_ns,
        state: text(row, "conn_state"),
        originated: [number(row, "orig_bytes")?, number(row, "orig_pkts")?, number(row, "orig_ip_bytes")?],
        responded: [number(row, "resp_bytes")?, number(row, "resp_pkts")?, number(row, "resp_ip_bytes")?],
    })
}

fn dns(head: Head, row: &Row<'_>) -> Result<Dns, String> {
    Ok(Dns {
        head,
        id: number(row, "trans_id")?,
        query: text(row, "query"),
        record_type: text(row, "qtype_name"),
        rcode: match row.text("rcode") {
            None => None,
            Some(_) => Some(number(row, "rcode")?),
        },
        reserved: number(row, "Z")?,
        rtt_ns: row.text("rtt").and_then(|text| seconds(&text)).unwrap_or_default(),
        answers: row.list("answers").iter().take(ANSWERS).map(|text| kept(text)).collect(),
    })
}

fn text(row: &Row<'_>, name: &str) -> CompactString {
    row.text(name).map(|text| kept(&text)).unwrap_or_default()
}

fn kept(text: &str) -> CompactString {
    let end = text.floor_char_boundary(TEXT_BYTES);
    CompactString::new(text.get(..end).unwrap_or_default())
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

/// A number; 0 where it is not set.
fn number<T: std::str::FromStr + Default>(row: &Row<'_>, name: &str) -> Result<T, String> {
    let Some(text) = row.text(name) else { return Ok(T::default()) };
    text.parse().map_err(|_| format!("`{name}` is `{}`", shown(&text)))
}

fn address(row: &Row<'_>, name: &str) -> Result<IpAddr, String> {
    let text = row.text(name).ok_or_else(|| format!("`{name}` is missing"))?;
    let ip: IpAddr = text.parse().map_err(|_| format!("`{name}` is `{}`", shown(&text)))?;
    Ok(ip.to_canonical())
}

/// Seconds since 1970 with a fraction, or a date as ISO 8601 has it.
fn timestamp(text: &str) -> Option<u64> {
    if let Some(ns) = seconds(text) {
        return Some(ns);
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

/// `12.5` in nanoseconds, without a detour over floating point.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().ok()?;
    let digits = fraction.get(..fraction.len().min(9))?;
    let fraction: u64 = match digits {
        "" => 0,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let places = u32::try_from(9 - digits.len()).ok()?;
            digits.parse::<u64>().ok()?.checked_mul(10_u64.pow(places))?
        }
        _ => return None,
    };
    whole.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// FNV-1a of 64 bits, source: draft-eastlake-fnv: the same for the same connection in all logs.
fn uid(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // 0 says that there is none.
    if text.is_empty() { 0 } else { hash.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly() {
        for (text, ns) in [
            ("1713488395.433985", Some(1_713_488_395_433_985_000)),
            ("0.000000001", Some(1)),
            ("3", Some(3_000_000_000)),
            ("2023-01-05T18:51:06.5Z", Some(1_672_944_666_500_000_000)),
            ("-1.0", None),
            ("1e9", None),
            ("99999999999999", None),
            ("", None),
        ] {
            assert_eq!(timestamp(text), ns, "{text}");
        }
    }
}
