//! Facts of analytics as fields.

use super::read::compact;
use super::{Field, Value};
use crate::event::Event;
use crate::fact::{FactName, FactValue};
use compact_str::ToCompactString;

pub(super) fn of_facts(event: &Event, field: Field) -> Value<'_> {
    use FactName as F;
    let name = match field {
        Field::FactNoHistory => F::NoHistory,
        Field::FactUnregisteredPort => F::UnregisteredPort,
        Field::FactProtocol => F::Protocol,
        Field::FactProtocolConfidence => F::ProtocolConfidence,
        Field::FactProtocolMismatch => F::ProtocolMismatch,
        Field::FactCommandText => F::CommandText,
        Field::FactSocketStdio => F::SocketStdio,
        Field::FactPlaintextClient => F::PlaintextClient,
        Field::FactIntendedDestination => F::IntendedDestination,
        Field::FactIntendedPort => F::IntendedPort,
        Field::FactHostPath => F::HostPath,
        Field::FactHostSystemFile => F::HostSystemFile,
        Field::FactRuntimeSocket => F::RuntimeSocket,
        Field::FactUnknownImage => F::UnknownImage,
        Field::FactWebService => F::WebService,
        Field::FactExecutableContent => F::ExecutableContent,
        Field::FactHostFacts => F::HostFacts,
        Field::FactBeacon => F::Beacon,
        Field::FactBeaconPeriod => F::BeaconPeriod,
        Field::FactBeaconJitter => F::BeaconJitter,
        Field::FactBeaconCheckIns => F::BeaconCheckIns,
        Field::FactTunnelDomain => F::TunnelDomain,
        Field::FactTunnelBytes => F::TunnelBytes,
        Field::FactTunnelBytesHour => F::TunnelBytesHour,
        Field::FactTunnelBytesDay => F::TunnelBytesDay,
        Field::FactTunnelNames => F::TunnelNames,
        Field::FactTunnelNameBytes => F::TunnelNameBytes,
        Field::FactTunnelNameBytesDay => F::TunnelNameBytesDay,
        Field::FactTunnelEntropy => F::TunnelEntropy,
        Field::FactFailedDomains => F::FailedDomains,
        Field::FactFailedGenerated => F::FailedGenerated,
        Field::FactScanHosts => F::ScanHosts,
        Field::FactScanPorts => F::ScanPorts,
        Field::FactScanFailed => F::ScanFailed,
        Field::FactScanWalk => F::ScanWalk,
        Field::FactLoginProtocol => F::LoginProtocol,
        Field::FactLoginSessions => F::LoginSessions,
        Field::FactLoginRefusals => F::LoginRefusals,
        Field::FactUnresolvedAddress => F::UnresolvedAddress,
        Field::FactUnaskedName => F::UnaskedName,
        Field::FactEncryptedDns => F::EncryptedDns,
        Field::FactDirectResolver => F::DirectResolver,
        Field::FactNewDomain => F::NewDomain,
        Field::FactRareTopLevel => F::RareTopLevel,
        Field::FactSpecialAddress => F::SpecialAddress,
        Field::FactUploadBytes => F::UploadBytes,
        Field::FactUploadRatio => F::UploadRatio,
        Field::FactUploadExcess => F::UploadExcess,
        Field::FactUploadPeriods => F::UploadPeriods,
        Field::FactUploadRun => F::UploadRun,
        Field::FactIntelList => F::IntelList,
        Field::FactIntelIndicator => F::IntelIndicator,
        Field::FactIntelKind => F::IntelKind,
        Field::FactManagedBy => F::ManagedBy,
        Field::FactPodPeer => F::PodPeer,
        _ => return Value::Absent,
    };
    match event.facts.find(name).map(|fact| &fact.value) {
        None => Value::Absent,
        Some(FactValue::Flag(flag)) => Value::Bool(*flag),
        Some(FactValue::Number(number)) => Value::Int(*number),
        Some(FactValue::Real(real)) => Value::Owned(real.to_compact_string()),
        Some(FactValue::Text(value)) => compact(value),
    }
}
