//! What the first messages of a flow say, beside its names.

/// One thing that a message says. Its value is a peer's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detail {
    /// The version of TLS that the server chose.
    TlsVersion,
    /// The application protocol that the server chose.
    TlsAlpn,
    /// Whom the server's certificate names.
    CertSubject,
    /// Who signed it.
    CertIssuer,
    /// From when it is valid.
    CertNotBefore,
    /// Until when.
    CertNotAfter,
    /// The client's banner of SSH.
    SshClient,
    /// The server's banner of SSH.
    SshServer,
    /// Fingerprint of what the client of SSH offers.
    Hassh,
    /// Fingerprint of what the server of SSH offers.
    HasshServer,
    /// The login, nick or sender.
    User,
    /// The name of a client of MQTT.
    ClientId,
    /// The commands of mail, file transfer and chat.
    Commands,
}

/// Every detail with its name and meaning, in the order of the enum.
const NAMES: [(Detail, &str, &str); 13] = [
    (Detail::TlsVersion, "tls_version", "the version of TLS that the server chose"),
    (Detail::TlsAlpn, "tls_alpn", "the application protocol that the server chose"),
    (Detail::CertSubject, "cert_subject", "whom the server's certificate names; plain up to TLS 1.2"),
    (Detail::CertIssuer, "cert_issuer", "who signed that certificate, as it says; nothing is checked"),
    (Detail::CertNotBefore, "cert_not_before", "from when it is valid, RFC 3339"),
    (Detail::CertNotAfter, "cert_not_after", "until when it is valid, RFC 3339"),
    (Detail::SshClient, "ssh_client", "the client's banner of SSH"),
    (Detail::SshServer, "ssh_server", "the server's banner of SSH"),
    (Detail::Hassh, "hassh", "fingerprint of the algorithms that the client of SSH offers"),
    (Detail::HasshServer, "hassh_server", "fingerprint of the algorithms that the server of SSH offers"),
    (Detail::User, "user", "login of FTP, POP3, IMAP and MQTT, nick of IRC, sender of SMTP"),
    (Detail::ClientId, "client_id", "the name of a client of MQTT"),
    (Detail::Commands, "commands", "the first commands of mail, file transfer and chat, each once"),
];

impl Detail {
    /// All details, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(detail, ..)| *detail)
    }

    /// The name in records.
    pub fn as_str(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, name, _)| name)
    }

    /// What it is, for people.
    pub fn meaning(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(.., meaning)| meaning)
    }
}

/// The details of a flow, each at most once, in the order in which they were learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(Vec<(Detail, Box<str>)>);

impl Details {
    /// Adds a detail that is not known yet and not empty.
    pub fn add(&mut self, detail: Detail, value: impl Into<Box<str>>) {
        let value = value.into();
        if !value.is_empty() && self.get(detail).is_none() {
            self.0.push((detail, value));
        }
    }

    /// Adds those of another that are not known yet.
    pub fn extend(&mut self, others: Self) {
        for (detail, value) in others.0 {
            self.add(detail, value);
        }
    }

    /// The value of a detail.
    pub fn get(&self, detail: Detail) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == detail).map(|(_, value)| &**value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Detail, &str)> {
        self.0.iter().map(|(detail, value)| (*detail, &**value))
    }

    /// Bytes that this holds in memory beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(Detail, Box<str>)>()
            + self.0.iter().map(|(_, value)| value.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_enum_and_the_first_value_stays() {
        for (index, (detail, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*detail as usize, index);
        }
        let mut details = Details::default();
        details.add(Detail::User, "a");
        details.add(Detail::User, "b");
        details.add(Detail::Hassh, "");
        assert_eq!(details.iter().collect::<Vec<_>>(), [(Detail::User, "a")]);
    }
}
