//! What the processes that start as root may still do.
//!
//! The sensor process keeps what loading programs, reading other processes and starting its children takes, and nothing
//! that reaches further (no CAP_SYS_ADMIN, no CAP_SYS_MODULE, no CAP_NET_RAW). What it gives up is also out of reach of
//! whatever it executes. The actor opens a socket that belongs to its own user and keeps nothing. The engine has another
//! user id and never had any.
//!
//! Source: capabilities(7).

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities,
};
use std::io;

/// Of the sensor process.
pub const SENSOR: CapabilitySet = CapabilitySet::from_bits_retain(
    // Programs, maps, and reading of kernel memory by them.
    CapabilitySet::BPF.bits()
        | CapabilitySet::PERFMON.bits()
        // Programs at control groups.
        | CapabilitySet::NET_ADMIN.bits()
        // Memory of maps before Linux 5.11.
        | CapabilitySet::SYS_RESOURCE.bits()
        // Executables and namespaces of other processes.
        | CapabilitySet::SYS_PTRACE.bits()
        | CapabilitySet::DAC_READ_SEARCH.bits()
        // The recording, where its folder belongs to another user.
        | CapabilitySet::DAC_OVERRIDE.bits()
        // The engine's user and group, priority and end.
        | CapabilitySet::SETUID.bits()
        | CapabilitySet::SETGID.bits()
        | CapabilitySet::SYS_NICE.bits()
        | CapabilitySet::KILL.bits()
        // The actor's giving up of what it would inherit.
        | CapabilitySet::SETPCAP.bits(),
);

/// Of the actor.
pub const ACTOR: CapabilitySet = CapabilitySet::empty();

/// Gives up all but `kept`, of which the process may lack some. To be called before threads are made: each has its own.
///
/// # Errors
/// The kernel's refusal.
pub fn keep(kept: CapabilitySet) -> io::Result<()> {
    for number in 0..u64::BITS {
        let Some(one) = CapabilitySet::from_bits(1 << number) else { continue };
        // A kernel that does not know a number refuses to look it up.
        if !kept.contains(one) && capability_is_in_bounding_set(one).unwrap_or(false) {
            remove_capability_from_bounding_set(one)?;
        }
    }
    // What it never had cannot be kept: what then does not work says so itself.
    let kept = kept & capabilities(None)?.permitted;
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )?;
    Ok(())
}
