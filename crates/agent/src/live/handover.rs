//! The kernel's rings on their way from the sensor to the engine: descriptors over a socket (SCM_RIGHTS), because the
//! engine has started long before there are any.

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Descriptors that cross: three rings and the counters.
const DESCRIPTORS: usize = 4;
/// Longest form of [`Sizes`], in bytes.
const SIZES_BYTES: usize = 64;

/// Sizes of the rings in bytes: critical, file, network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes(pub [u32; 3]);

/// Sends the rings, in the order of [`Sizes`], and the counters.
///
/// # Errors
/// The other side has closed, or the kernel refuses.
pub fn give(to: &UnixStream, sizes: Sizes, fds: [BorrowedFd<'_>; DESCRIPTORS]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    let text = serde_json::to_vec(&sizes)?;
    sendmsg(to, &[IoSlice::new(&text)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for the rings; `None` where the other side has closed without any.
///
/// # Errors
/// What came is something else, or the kernel refuses.
pub fn take(from: &UnixStream) -> io::Result<Option<(Sizes, [OwnedFd; DESCRIPTORS])>> {
    let mut text = [0; SIZES_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(&mut text)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            received => break received?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    let rights = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds: Vec<OwnedFd> = rights.flatten().collect();
    let fds = fds.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let sizes = serde_json::from_slice(text.get(..received.bytes).unwrap_or_default())?;
    Ok(Some((sizes, fds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    #[test]
    fn what_is_given_can_be_used_by_the_taker() {
        let (near, far) = UnixStream::pair().unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        give(&near, Sizes([4096, 8192, u32::MAX]), [writer.as_fd(); DESCRIPTORS]).unwrap();
        drop((near, writer));
        let (sizes, [fd, ..]) = take(&far).unwrap().unwrap();
        assert_eq!(sizes, Sizes([4096, 8192, u32::MAX]));
        std::fs::File::from(fd).write_all(b"through").unwrap();
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(said, "through");
        assert!(take(&far).unwrap().is_none(), "closed");
    }

    #[test]
    fn bytes_without_descriptors_are_refused() {
        let (mut near, far) = UnixStream::pair().unwrap();
        near.write_all(b"[1,2,3]").unwrap();
        assert_eq!(take(&far).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
