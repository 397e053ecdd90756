//! What is known of a flow, as events have it.

use compact_str::CompactString;
use event::network::{self, FlowNames};
use wire::Verdict;

use crate::{Detail, Facts, Names};

impl From<&Names> for FlowNames {
    fn from(names: &Names) -> Self {
        let text = |name: &Option<Box<str>>| CompactString::from(name.as_deref().unwrap_or_default());
        let detail = |detail| CompactString::from(names.details.get(detail).unwrap_or_default());
        Self {
            dns: text(&names.dns),
            sni: text(&names.sni),
            alpn: text(&names.alpn),
            ja4: text(&names.ja4),
            subject: detail(Detail::CertSubject),
            issuer: detail(Detail::CertIssuer),
            host: text(&names.host),
            agent: text(&names.agent),
        }
    }
}

/// Says on the record of a flow what its payload told. A verdict without confidence is none.
pub fn describe(record: &mut network::Flow, verdict: &Verdict, names: &Names, facts: Facts) {
    if verdict.confidence > 0 {
        record.protocol = verdict.protocol.as_str().into();
        record.confidence = verdict.confidence;
        record.evidence = verdict.evidence.into();
    }
    record.names = names.into();
    record.facts = facts.iter().map(|fact| fact.as_str().into()).collect();
}
