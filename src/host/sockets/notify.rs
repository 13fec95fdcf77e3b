//! Wakes the requests that wait for another's fetch at the moment it ends: they block on a socket that never gets
//! anything, until it is shut down. It is connected to itself, so that nobody can send to it, and that every system
//! lets it be shut down.
//!
//! Nobody wakes them where its owner is gone. So the first of them sleeps instead, and takes the fetch over when the
//! lease has ended; whoever takes it over rings for the others.

use super::Host;
use super::kernel::{Descriptor, Errno, Family, Kernel as _, Receive, Wipe};
use super::mark;
use super::private_socket;
use crate::documents::lease::Notify;

/// Descriptors that may be a bell's when it has to be searched for: the host opens the lowest free number.
const SEARCHED: u32 = 64;

/// A bell for those who will wait. Exclusive, as everything that opens. Where there is none, they sleep.
pub(super) fn hang() -> Option<Notify> {
    let mark = mark::random().ok()?;
    let descriptor = private_socket::open(Family::Unix).ok()?;
    let ready = Host::set_send_buffer(descriptor, mark).and_then(|()| Host::set_blocking(descriptor));
    let bell = Notify { number: descriptor.number(), mark };
    match ready {
        Ok(()) if find(bell).is_some() => Some(bell),
        Ok(()) | Err(_) => {
            // Nobody knows of it yet.
            let _ = Host::close(descriptor);
            None
        }
    }
}

/// Blocks until the bell rings; false where it has been taken down.
pub(super) fn listen(bell: Notify) -> bool {
    find(bell).is_some_and(|descriptor| {
        // A look only: where the number is another's by now, nothing is taken from it, and it does not block.
        let rung = Host::receive(descriptor, Receive::Peek, Wipe::Head, &mut Vec::new());
        rung == Ok(0)
    })
}

/// Wakes all who listen.
pub(super) fn ring(bell: Notify) {
    if let Some(descriptor) = find(bell) {
        // Where this fails, so does everything else.
        let _ = Host::shut_down(descriptor);
    }
}

/// Closes a bell. Exclusive.
pub(super) fn take_down(bell: Notify) {
    if let Some(descriptor) = find(bell) {
        // A failure means that it is closed already.
        let _ = Host::close(descriptor);
    }
}

/// Wakes all who listen to any bell of this runtime. They go on by sleeping. Exclusive, and not for the socket `lock`.
pub(super) fn wake_all(lock: Descriptor) {
    let bells = (0..SEARCHED).filter_map(Descriptor::from_number).filter(|descriptor| *descriptor != lock);
    for descriptor in bells {
        if private_socket::name(descriptor).is_some() {
            let _ = Host::shut_down(descriptor);
        }
    }
}

fn find(bell: Notify) -> Option<Descriptor> {
    let descriptor = Descriptor::from_number(bell.number)?;
    let is_it: Result<bool, Errno> = Host::send_buffer(descriptor).map(|mark| mark == bell.mark);
    (is_it == Ok(true)).then_some(descriptor)
}
