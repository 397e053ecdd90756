//! What of an event a field is read from, so that the fields of what an event does not have need not be read.

use super::Field;
use crate::event::{Event, Kind};
use std::sync::LazyLock;

/// What a field is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The event itself.
    Event,
    /// The process that acted, as the kernel names it.
    Actor,
    /// The process as the process table knows it.
    Process,
    /// What the process runs.
    Exec,
    /// The container's record.
    Container,
    /// The ends of a connection.
    Ends,
    /// What analytics added.
    Facts,
    /// Several of these, or what enrichment found around the event.
    Around,
    /// What the event is about.
    Kind,
}

const PARTS: usize = Part::Kind as usize + 1;

/// The fields of each part, by its number.
static FIELDS: LazyLock<[Vec<Field>; PARTS]> = LazyLock::new(|| {
    let mut fields = [const { Vec::new() }; PARTS];
    for field in Field::ALL {
        if let Some(own) = fields.get_mut(of(*field) as usize) {
            own.push(*field);
        }
    }
    fields
});

/// The part that `field` is read from.
pub(super) fn of(field: Field) -> Part {
    use Field::*;
    match field {
        EventClass | EventOperation | EventSensor | EventVia | EventResult => Part::Event,
        ProcessId | ParentProcessId | ProcessTask | User | UserId | EffectiveUserId | LoginUserId
        | Capabilities | ProcessTty | ProcessRole | ProcessMoved => Part::Actor,
        Image | ProcessName | CommandLine | ParentImage | ParentName | ParentCommandLine | Ancestors
        | ProcessByExec | ProcessHash => Part::Process,
        CurrentDirectory | ProcessArg0 | ProcessArg1 | ProcessArg2 | ProcessArg3 | ProcessArg4
        | ProcessArg5 | ProcessArg6 | ProcessArg7 | ProcessArg8 | ProcessArg9 | ProcessRequested
        | ProcessInterpreter | ProcessEnv | ProcessMemfd | ProcessDeleted | ProcessNotInImage
        | ProcessSetId | ProcessOnTmpfs | ProcessOnMount | ProcessStdin | ProcessStdout | ProcessStderr => {
            Part::Exec
        }
        ContainerName
        | ContainerImage
        | ContainerImageName
        | ContainerImageTag
        | ContainerImageId
        | ContainerImageKnown
        | ContainerInspected
        | ContainerPrivileged
        | ContainerCapabilities
        | ContainerHostPid
        | ContainerHostNetwork
        | ContainerHostIpc
        | ContainerHostUts
        | ContainerNetworkOf
        | ContainerSecurity
        | ContainerMountSources
        | ContainerMountTargets
        | ContainerWritableMounts
        | ContainerAutoRemove
        | ContainerDetached
        | ContainerDevices
        | ContainerPorts
        | ContainerUser
        | ContainerCommand
        | ContainerNetworks => Part::Container,
        DestinationIp
        | DestinationPort
        | SourceIp
        | SourcePort
        | Initiated
        | Protocol
        | NetworkOriginatorIp
        | NetworkOriginatorPort
        | NetworkResponderIp
        | NetworkResponderPort => Part::Ends,
        FactNoHistory
        | FactUnregisteredPort
        | FactProtocol
        | FactProtocolConfidence
        | FactProtocolMismatch
        | FactCommandText
        | FactSocketStdio
        | FactPlaintextClient
        | FactIntendedDestination
        | FactIntendedPort
        | FactHostPath
        | FactHostSystemFile
        | FactRuntimeSocket
        | FactUnknownImage
        | FactWebService
        | FactExecutableContent
        | FactHostFacts
        | FactBeacon
        | FactBeaconPeriod
        | FactBeaconJitter
        | FactBeaconCheckIns
        | FactTunnelDomain
        | FactTunnelBytes
        | FactTunnelBytesHour
        | FactTunnelBytesDay
        | FactTunnelNames
        | FactTunnelNameBytes
        | FactTunnelNameBytesDay
        | FactTunnelEntropy
        | FactFailedDomains
        | FactFailedGenerated
        | FactScanHosts
        | FactScanPorts
        | FactScanFailed
        | FactScanWalk
        | FactLoginProtocol
        | FactLoginSessions
        | FactLoginRefusals
        | FactUnresolvedAddress
        | FactUnaskedName
        | FactEncryptedDns
        | FactDirectResolver
        | FactNewDomain
        | FactRareTopLevel
        | FactSpecialAddress
        | FactUploadBytes
        | FactUploadRatio
        | FactUploadExcess
        | FactUploadPeriods
        | FactUploadRun
        | FactIntelList
        | FactIntelIndicator
        | FactIntelKind
        | FactManagedBy
        | FactPodPeer => Part::Facts,
        ContainerId | FileHostPath | WorkloadId | WorkloadName | DestinationHostname | AuditType => {
            Part::Around
        }
        _ => Part::Kind,
    }
}

/// The fields that `event` may have: all others are absent.
pub fn candidates(event: &Event) -> impl Iterator<Item = Field> {
    let is_exec = matches!(event.kind, Kind::Exec(_));
    let may_have = move |part: Part| match part {
        Part::Event | Part::Process | Part::Exec | Part::Around => true,
        Part::Actor => event.actor.is_some(),
        Part::Container => event.context.container.is_some(),
        Part::Facts => !event.facts.is_empty(),
        // What is executed is read from what the process runs.
        Part::Ends | Part::Kind => !is_exec,
    };
    let parts = FIELDS.iter().filter(move |fields| fields.first().is_some_and(|field| may_have(of(*field))));
    parts.flatten().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Actor, Exec, Exit};
    use crate::{BootTime, FactName, Sensor, Text};
    use std::sync::Arc;

    #[test]
    fn no_field_has_a_value_that_is_not_among_the_candidates() {
        let exec = Exec { path: Text::resolved("/bin/sh"), cwd: Text::resolved("/"), ..Exec::default() };
        let kinds = [Kind::Exec(Arc::new(exec)), Kind::Exit(Exit { code: Some(1), ..Exit::default() })];
        for kind in kinds {
            let bare = Event::new(Sensor::Kernel, BootTime(1), kind);
            let mut full = bare.clone();
            full.actor = Some(Actor { pid: 7, ..Actor::default() });
            full.facts.add(crate::Fact::flag(FactName::NoHistory));
            for event in [bare, full] {
                let candidates: Vec<Field> = candidates(&event).collect();
                let has_value = |field: &&Field| !field.of(&event).is_absent();
                let values: Vec<&Field> = Field::ALL.iter().filter(has_value).collect();
                assert!(values.iter().all(|field| candidates.contains(field)), "{values:?}");
                assert!(candidates.len() < Field::ALL.len());
            }
        }
    }
}
