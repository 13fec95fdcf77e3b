//! A datagram socket connected to itself: nobody else can send to it, and nothing lies in it that another sent.
//!
//! Between the call that gives it a name and the one that connects it, any process of the same network namespace may
//! send to it, and what has come stays in the queue. Once it is connected the kernel refuses all others, also those
//! who sent before and wait for room in the queue: Linux decides it under the lock that the connection is made under.
//! So it is emptied then, before anything is read or sent. A UDP datagram may still be on its way through the kernel at
//! that moment and come later, but each says who sent it, and no two sockets have one address.

use super::Host;
use super::kernel::{Descriptor, Errno, Family, FileType, Kernel as _, Receive, SocketName, Wipe};
use crate::host::limits::MAX_FOREIGN_DATAGRAMS;

/// Opens one. Exclusive, as everything that opens.
pub(super) fn open(family: Family) -> Result<Descriptor, Errno> {
    let descriptor = Host::open_datagram(family)?;
    let connected = Host::bind_anew(descriptor, family)
        .and_then(|()| Host::local_name(descriptor))
        .and_then(|name| Host::connect_to(descriptor, &name));
    if connected.is_ok() && name(descriptor).is_some() && empty(descriptor) {
        Ok(descriptor)
    } else {
        // Nobody knows of it yet.
        Host::close(descriptor)?;
        Err(Errno::NONSENSE)
    }
}

/// The name of a datagram socket that is connected to itself.
pub(super) fn name(descriptor: Descriptor) -> Option<SocketName> {
    if Host::file_type(descriptor) != Ok(FileType::Datagram) {
        return None;
    }
    let name = Host::local_name(descriptor).ok()?;
    (Host::peer_name(descriptor).as_ref() == Ok(&name)).then_some(name)
}

/// Throws away what has come; false where it does not end.
fn empty(descriptor: Descriptor) -> bool {
    let mut foreign = Vec::new();
    (0..MAX_FOREIGN_DATAGRAMS).any(|_| {
        foreign.clear();
        Host::receive(descriptor, Receive::Take, Wipe::Head, &mut foreign) == Err(Errno::AGAIN)
    })
}
