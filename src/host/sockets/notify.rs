//! Wakes the requests that wait for another instance's fetch at the moment it ends: they block on a socket that never
//! receives anything, until it is shut down. It is connected to itself, so that no other process can send to it, and so
//! that every system allows the shutdown.
//!
//! If the owner of a lease ends, it wakes nobody. So the first waiter polls instead, and takes the fetch over when the
//! lease has expired; the instance that takes it over wakes the others.

use super::Host;
use super::kernel::{Descriptor, Family, Kernel as _, Receive, Wipe};
use super::mark;
use super::private_socket;
use crate::documents::lease::Notify;

/// Descriptors that may be those of notifications: the host opens the lowest free number.
const SEARCHED: u32 = 64;

/// Opens a notification for later waiters. Exclusive, as everything that opens. Without one, they poll.
pub(super) fn open() -> Option<Notify> {
    let mark = mark::random().ok()?;
    let descriptor = private_socket::open(Family::Unix).ok()?;
    let ready = Host::set_send_buffer(descriptor, mark).and_then(|()| Host::set_blocking(descriptor));
    let notify = Notify { number: descriptor.number(), mark };
    match ready {
        Ok(()) if find(notify).is_some() => Some(notify),
        Ok(()) | Err(_) => {
            // No other instance knows it yet.
            let _ = Host::close(descriptor);
            None
        }
    }
}

/// Blocks until the owner wakes all; false if it has closed the notification.
pub(super) fn wait(notify: Notify) -> bool {
    find(notify).is_some_and(|descriptor| {
        // A PEEK: if the number is another socket's by now, nothing is taken from it, and it does not block.
        let woken = Host::receive(descriptor, Receive::Peek, Wipe::Head, &mut Vec::new());
        woken == Ok(0)
    })
}

/// Wakes all who wait, and closes the notification. Exclusive.
pub(super) fn wake(notify: Notify) {
    if let Some(descriptor) = find(notify) {
        // If this fails, so does everything else.
        let _ = Host::shut_down(descriptor);
        let _ = Host::close(descriptor);
    }
}

/// Wakes all who wait for any notification of this runtime. They go on by polling. Exclusive, and not for the socket
/// `lock`.
pub(super) fn wake_all(lock: Descriptor) {
    let others = (0..SEARCHED).filter_map(Descriptor::from_number).filter(|descriptor| *descriptor != lock);
    for descriptor in others {
        if private_socket::name(descriptor).is_some() {
            // As in `wake`; its owner closes it.
            let _ = Host::shut_down(descriptor);
        }
    }
}

/// The socket of a notification, which may be closed by now, and its number that of any other socket of the runtime: of a
/// client, too, with the same mark by chance. None of those is connected to itself.
fn find(notify: Notify) -> Option<Descriptor> {
    let descriptor = Descriptor::from_number(notify.number)?;
    let is_it =
        Host::send_buffer(descriptor) == Ok(notify.mark) && private_socket::name(descriptor).is_some();
    is_it.then_some(descriptor)
}

#[cfg(test)]
mod tests {
    use super::{find, open, wait, wake};
    use crate::host::sockets::Host;
    use crate::host::sockets::kernel::{Family, Kernel as _};
    use crate::host::sockets::simulated::alone;

    #[test]
    fn only_the_owner_wakes() {
        alone(|| {
            let notify = open().unwrap();
            Host::send(find(notify).unwrap(), b"x").unwrap();
            assert!(!wait(notify), "by a datagram");
            let other = open().unwrap();
            assert!(other != notify);
            wake(notify);
            assert!(!wait(notify), "closed");
            Host::shut_down(find(other).unwrap()).unwrap();
            assert!(wait(other), "shut down");
            wake(other);
            assert_eq!(find(other), None, "shut down and closed");
        });
    }

    #[test]
    fn another_socket_with_its_number_and_mark_is_left_alone() {
        alone(|| {
            let notify = open().unwrap();
            Host::close(find(notify).unwrap()).unwrap();
            let other = Host::open_datagram(Family::Unix).unwrap();
            assert_eq!(other.number(), notify.number);
            Host::bind_anew(other, Family::Unix).unwrap();
            Host::set_send_buffer(other, notify.mark).unwrap();
            wake(notify);
            assert_eq!(Host::send_buffer(other), Ok(notify.mark), "it is open");
            assert!(!wait(notify));
        });
    }
}
