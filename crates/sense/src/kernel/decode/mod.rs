//! Kernel records to events.
//!
//! In: one record of a ring, as `bpf/layout.h` describes it, and the offset between the two clocks. Out: events,
//! or why there are none. No I/O, no clock; requests of HTTP wait here for their answers, everything else stands alone.
//! The records were written by our own programs, but strings, packets and lengths inside come from whoever is watched,
//! so every length is checked and nothing panics.

mod file;
mod kernel;
mod network;
pub(super) mod process;
mod record;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use event::network::{ConnectionOp, Http, Payload, Transport};
use event::{
    Actor, BootTime, ContainerId, Event, Kind, Owner, Sensor, WallTime, health::ClockStep,
    identity::UnknownOwner, process::Role,
};

use self::{network::Socket, record::Record};
use super::layout::{self, header};
use crate::http::{Piece, Requests};

/// A wall clock that moves less than this against the boot clock is being slewed, not set.
const STEP: Duration = Duration::from_millis(50);

/// Why a record gave no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than its kind has.
    #[error("record of {len} bytes where {needed} are needed")]
    Short {
        /// Bytes that must be there.
        needed: usize,
        /// Bytes that are.
        len: usize,
    },
    /// A variable part reaches beyond the record.
    #[error("part of {len} bytes where {left} are left")]
    Part {
        /// The part's stated length.
        len: usize,
        /// What is left of the record.
        left: usize,
    },
    /// A kind that this version does not know.
    #[error("unknown record kind {0}")]
    Kind(u16),
    /// A value that its field cannot have.
    #[error("{field} is {value}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A captured packet that is neither TCP nor UDP, or malformed.
    #[error("packet: {0}")]
    Packet(#[from] wire::packet::Error),
}

/// Decodes records; holds the offset between boot and wall clock.
#[derive(Debug, Clone)]
pub struct Decoder {
    wall_minus_boot: Duration,
    without_payload: u64,
    requests: Requests,
}

impl Decoder {
    /// A decoder for which it is `wall` (since 1970) when the boot clock says `boot`.
    #[must_use]
    pub fn new(boot: Duration, wall: Duration) -> Self {
        let wall_minus_boot = wall.saturating_sub(boot);
        Self { wall_minus_boot, without_payload: 0, requests: Requests::default() }
    }

    /// Compares the clocks again. Where the wall clock was set, later events have the new time, and the step is
    /// returned.
    pub fn tick(&mut self, boot: Duration, wall: Duration) -> Option<Event> {
        let now = wall.saturating_sub(boot);
        let before = std::mem::replace(&mut self.wall_minus_boot, now);
        if now.abs_diff(before) < STEP {
            return None;
        }
        let by_ns =
            i128::try_from(now.as_nanos()).unwrap_or(0) - i128::try_from(before.as_nanos()).unwrap_or(0);
        let by_ns = i64::try_from(by_ns).unwrap_or(if by_ns < 0 { i64::MIN } else { i64::MAX });
        Some(self.own(boot, Kind::ClockStep(ClockStep { by_ns })))
    }

    /// An event of Watchkeeper itself at `boot`.
    #[must_use]
    pub fn own(&self, boot: Duration, kind: Kind) -> Event {
        let boot = BootTime(u64::try_from(boot.as_nanos()).unwrap_or(u64::MAX));
        Event { wall: self.wall(boot), ..Event::new(Sensor::Own, boot, kind) }
    }

    /// Packets that were captured and carried no payload: they make no event.
    #[must_use]
    pub fn without_payload(&self) -> u64 {
        self.without_payload
    }

    /// Wall-clock time of a boot time.
    #[must_use]
    pub fn wall(&self, boot: BootTime) -> WallTime {
        WallTime(boot.0.saturating_add(u64::try_from(self.wall_minus_boot.as_nanos()).unwrap_or(0)))
    }

    /// Appends the events of one record to `out`: one; for a packet also the DNS message that it holds and the
    /// requests of HTTP that it answers or lets go, but none without payload; before the end of a connection the
    /// requests that got no answer. Sequence numbers are for the caller to give.
    ///
    /// # Errors
    /// The record is malformed or of an unknown kind; `out` is unchanged.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let record = Record::new(bytes)?;
        let r = &record;
        let kind = match r.u16(header::KIND)? {
            layout::EXEC => Kind::Exec(Arc::new(process::executed(r)?)),
            layout::FORK => Kind::Fork(process::forked(r)?),
            layout::EXIT => Kind::Exit(process::ended(r)?),
            layout::CGROUP => Kind::Cgroup(Box::new(kernel::cgroup_changed(r)?)),
            layout::FILE => Kind::File(Box::new(file::operation(r)?)),
            layout::SYSCALL => Kind::Syscall(Box::new(kernel::system_call(r)?)),
            layout::SOCKET => match network::socket_operation(r)? {
                Socket::Connection(c) => Kind::Connection(Box::new(c)),
                Socket::Made(m) => Kind::Socket(Box::new(m)),
            },
            layout::TCP => return self.tcp_state(r, out),
            layout::UNIX => Kind::Unix(Box::new(network::unix_connection(r)?)),
            layout::PACKET => return self.packet(r, out),
            layout::HEARTBEATS => match network::flow_going_on(r)? {
                Some(flow) => Kind::Flow(Box::new(flow)),
                None => return Ok(()),
            },
            layout::FD => Kind::FdChange(process::descriptor_changed(r)?),
            layout::SIGNAL => Kind::Signal(process::signalled(r)?),
            layout::MEMORY => Kind::Memory(Box::new(process::memory_changed(r)?)),
            layout::URING => Kind::Uring(kernel::uring_operation(r)?),
            unknown => return Err(DecodeError::Kind(unknown)),
        };
        out.push(self.event(r, kind)?);
        Ok(())
    }

    fn packet(&mut self, r: &Record<'_>, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let Some((payload, dns)) = network::captured(r)? else {
            self.without_payload += 1;
            return Ok(());
        };
        let (cookie, requests) = (payload.cookie, self.requests(&payload).into_iter());
        let payload = self.event(r, Kind::Payload(Box::new(payload)))?;
        let dns = dns.map(|dns| payload.followed_by(Kind::Dns(Box::new(dns))));
        let http = requests.map(|http| request(&payload, cookie, http)).collect::<Vec<_>>();
        out.push(payload);
        out.extend(dns);
        out.extend(http);
        Ok(())
    }

    /// A state of a connection, behind the requests that its end leaves without an answer.
    fn tcp_state(&mut self, r: &Record<'_>, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let connection = network::tcp_state(r)?;
        let (cookie, is_over) = (connection.cookie, connection.op == ConnectionOp::Close);
        let event = self.event(r, Kind::Connection(Box::new(connection)))?;
        if is_over {
            self.requests.ended(cookie, &mut |http| out.push(request(&event, cookie, http)));
        }
        out.push(event);
        Ok(())
    }

    /// The requests that a payload answers or lets go.
    fn requests(&mut self, payload: &Payload) -> Vec<Http> {
        let mut told = Vec::new();
        if payload.ends.transport == Transport::Tcp && payload.cookie != 0 {
            let piece = Piece {
                flow: payload.cookie,
                ends: payload.ends,
                direction: payload.direction,
                to_server: None,
                // Only the first bytes of a stream are captured: places do not wrap.
                sequence: u32::try_from(payload.offset).unwrap_or(u32::MAX),
                bytes: &payload.bytes,
            };
            self.requests.take(&piece, &mut |http| told.push(http));
        }
        told
    }

    fn event(&self, r: &Record<'_>, kind: Kind) -> Result<Event, DecodeError> {
        let boot = BootTime(r.u64(header::BOOT_NS)?);
        let mut event = Event::new(Sensor::Kernel, boot, kind);
        event.wall = self.wall(boot);
        let container = ContainerId::from_packed(r.array(header::CONTAINER)?);
        let ownerless = r.has(layout::F_NO_OWNER);
        event.owner = match container {
            Some(id) => Owner::Container(id),
            None if ownerless => Owner::Unknown(UnknownOwner::SocketWithoutOwner),
            None => Owner::Host,
        };
        event.actor = if ownerless { None } else { Some(actor(r)?) };
        Ok(event)
    }
}

/// The event of a request, beside one of the flow with this cookie. A request that had waited longest of too many is of
/// another flow: whose that is, is not known any more.
fn request(beside: &Event, cookie: u64, http: Http) -> Event {
    let is_of_it = http.cookie == cookie;
    let mut event = beside.followed_by(Kind::Http(Box::new(http)));
    if !is_of_it {
        event.owner = Owner::Unknown(UnknownOwner::NotSaid);
        event.actor = None;
    }
    event
}

fn actor(r: &Record<'_>) -> Result<Actor, DecodeError> {
    let comm: [u8; layout::COMM_LEN] = r.array(header::COMM)?;
    let comm = record::until_nul(&comm);
    Ok(Actor {
        pid: r.u32(header::PID)?,
        tid: r.u32(header::TID)?,
        ppid: r.u32(header::PPID)?,
        vpid: r.u32(header::VPID)?,
        start: BootTime(r.u64(header::START_NS)?),
        parent_start: BootTime(r.u64(header::PARENT_START_NS)?),
        uid: r.u32(header::UID)?,
        gid: r.u32(header::GID)?,
        euid: r.u32(header::EUID)?,
        login_uid: r.u32(header::LOGIN_UID)?,
        session: r.u32(header::SESSION)?,
        caps: r.u64(header::CAPS)?,
        cgroup: r.u64(header::CGROUP)?,
        pid_ns: r.u32(header::PID_NS)?,
        mnt_ns: r.u32(header::MNT_NS)?,
        net_ns: r.u32(header::NET_NS)?,
        user_ns: r.u32(header::USER_NS)?,
        tty: r.u32(header::TTY)?,
        comm: match std::str::from_utf8(comm) {
            Ok(valid) => valid.into(),
            Err(_) => String::from_utf8_lossy(comm).into(),
        },
        role: if r.has(layout::F_HELPER) {
            Role::UsermodeHelper
        } else if r.has(layout::F_RUNTIME) {
            Role::Runtime
        } else if r.has(layout::F_LOGIN) {
            Role::Login
        } else {
            Role::Ordinary
        },
        moved: r.has(layout::F_MOVED),
    })
}
