//! A datagram socket connected to itself: no other socket can send to it, and it contains nothing that another sent.
//!
//! Between the call that gives it a name and the one that connects it, any process of the same network namespace may
//! send to it, and such datagrams stay in the queue. Once it is connected, the kernel rejects all others, also those that
//! wait for room in the queue: Linux decides this under the lock that also makes the connection. So the queue is emptied
//! then, before anything is read or sent. A UDP datagram may still be on its way through the kernel at that moment and
//! arrive later, but each has its sender's address, and no two sockets have the same address.

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
        // No other instance knows it yet.
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

/// Discards what has arrived; false if it does not end.
fn empty(descriptor: Descriptor) -> bool {
    let mut foreign = Vec::new();
    (0..MAX_FOREIGN_DATAGRAMS).any(|_| {
        foreign.clear();
        Host::receive(descriptor, Receive::Take, Wipe::Head, &mut foreign) == Err(Errno::AGAIN)
    })
}

#[cfg(test)]
mod tests {
    use super::{name, open};
    use crate::host::sockets::Host;
    use crate::host::sockets::kernel::{Errno, Family, Kernel as _, Receive, Wipe};
    use crate::host::sockets::simulated::among_others;

    #[test]
    fn what_others_sent_before_it_was_connected_is_gone() {
        among_others(|| {
            let descriptor = open(Family::Unix).unwrap();
            assert!(name(descriptor).is_some());
            let received = Host::receive(descriptor, Receive::Take, Wipe::Head, &mut Vec::new());
            assert_eq!(received, Err(Errno::AGAIN));
        });
    }
}
