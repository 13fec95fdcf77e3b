//! The calls: datagram sockets as in Linux, with the faults of the plan.

use std::time::Duration;

use super::{Fault, Open, Outcome, Simulated, Socket, State, Status, call, name};
use crate::host::sockets::kernel::{
    Descriptor, Errno, Family, FileType, Flag, Kernel, Receive, SocketName, Wipe,
};

/// The longest time of a call, nanoseconds.
const CALL: u64 = 20_000;
const YIELD: u64 = 400_000;
/// Shortest sleep, as the real host has it, and how much later it may end.
const SHORTEST_SLEEP: Duration = Duration::from_millis(50);
const LATE: u64 = 2_000_000;
/// Datagrams that a queue takes, and how much more than the set bytes a send buffer has room for.
const MOST_QUEUED: usize = 11;
const MESSAGE_TOO_LONG: Errno = Errno(35);
/// The name of sockets of other processes.
const FOREIGN: u64 = u64::MAX;

fn done<R>(cost: u64, mut act: impl FnMut(&mut State) -> R) -> R {
    call(cost, |state, _| Outcome::Done(act(state)))
}

fn with_socket<R>(
    descriptor: Descriptor,
    mut act: impl FnMut(&mut Socket) -> Result<R, Errno>,
) -> Result<R, Errno> {
    done(CALL, |state| {
        let at = state.find(descriptor)?;
        act(&mut state.sockets[at])
    })
}

impl State {
    fn find(&self, descriptor: Descriptor) -> Result<usize, Errno> {
        let at = usize::try_from(descriptor.0).map_err(|_| Errno::BAD_DESCRIPTOR)?;
        match self.table.get(at).copied().flatten() {
            Some(Open::Socket(at)) => Ok(at),
            Some(Open::StandardStream) => Err(Errno::NOT_SOCKET),
            None => Err(Errno::BAD_DESCRIPTOR),
        }
    }

    fn send(&mut self, descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno> {
        let at = self.find(descriptor)?;
        let limit = usize::try_from(self.sockets[at].send_buffer).unwrap() * 2;
        if bytes.len() + 32 > limit || self.suffers(Fault::TooLong, 12) {
            return Err(MESSAGE_TOO_LONG);
        }
        let (own, peer) = (self.sockets[at].name, self.sockets[at].peer);
        let to = self.sockets.iter().position(|socket| socket.name == peer).ok_or(Errno::NOT_CONNECTED)?;
        let queue = &self.sockets[to].queue;
        let queued: usize = queue.iter().map(|(_, bytes)| bytes.len() + 512).sum();
        if queue.len() >= MOST_QUEUED || (queued > 0 && queued + bytes.len() > limit) {
            return Err(Errno::AGAIN);
        }
        if self.suffers(Fault::Lost, 12) {
            return Ok(bytes.len());
        }
        let mut sent = bytes.to_vec();
        if self.suffers(Fault::Scrambled, 12) {
            let from = usize::try_from(self.random.below(sent.len().try_into().unwrap())).unwrap();
            sent[from..].fill(0);
        }
        let copies = if self.suffers(Fault::Doubled, 12) { 2 } else { 1 };
        self.sockets[to].queue.extend(vec![(own, sent); copies]);
        Ok(bytes.len())
    }

    /// A datagram that another process sent before the socket was connected, and that arrives now.
    fn deliver_foreign(&mut self, at: usize) {
        let bytes = (self.plan.foreign)(self.clock);
        let front = self.random.one_in(2);
        let queue = &mut self.sockets[at].queue;
        if front { queue.push_front((FOREIGN, bytes)) } else { queue.push_back((FOREIGN, bytes)) }
    }

    /// The next datagram: its sender and its bytes. `None` if there is none to wait for.
    fn receive(&mut self, at: usize, mode: Receive) -> Result<(u64, Vec<u8>), Errno> {
        if self.suffers(Fault::Foreign, 12) {
            self.deliver_foreign(at);
        }
        let elsewhere = !self.sockets[at].queue.is_empty() && self.suffers(Fault::Elsewhere, 12);
        let socket = &mut self.sockets[at];
        let front = match mode {
            Receive::Take => socket.queue.pop_front(),
            Receive::Peek => socket.queue.front().cloned(),
        };
        let (sender, mut bytes) = match front {
            Some(front) => front,
            None if socket.shut => (socket.peer, Vec::new()),
            None => return Err(Errno::AGAIN),
        };
        if elsewhere {
            bytes.fill(0);
        }
        Ok((sender, bytes))
    }
}

/// A receive, which waits if the socket is a blocking one.
fn receive_any(descriptor: Descriptor, mode: Receive) -> Result<(u64, Vec<u8>), Errno> {
    // A blocked call continues with its socket, even if the descriptor changes.
    let mut found = None;
    call(CALL, |state, _| {
        let at = match found.map_or_else(|| state.find(descriptor), Ok) {
            Ok(at) => *found.insert(at),
            Err(errno) => return Outcome::Done(Err(errno)),
        };
        match state.receive(at, mode) {
            Err(Errno::AGAIN) if state.sockets[at].blocking => Outcome::Blocked(Status::ReceivesFrom(at)),
            received => Outcome::Done(received),
        }
    })
}

impl Kernel for Simulated {
    fn monotonic_nanos() -> u64 {
        done(1_000, |state| state.clock)
    }

    fn random() -> Result<u32, Errno> {
        done(CALL, |state| Ok(u32::try_from(state.random.next() >> 32).unwrap()))
    }

    fn sleep(span: Duration) {
        let mut until = None;
        call(CALL, |state, _| match until {
            Some(until) if until <= state.clock => Outcome::Done(()),
            _ => {
                let span = u64::try_from(span.max(SHORTEST_SLEEP).as_nanos()).unwrap();
                let end = *until.get_or_insert(state.clock + span + state.random.below(LATE));
                Outcome::Blocked(Status::SleepsUntil(end))
            }
        });
    }

    fn yield_now() {
        let mut yielded = false;
        call(YIELD, |state, _| {
            if std::mem::replace(&mut yielded, true) {
                Outcome::Done(())
            } else {
                Outcome::Blocked(Status::SleepsUntil(state.clock + 1))
            }
        });
    }

    fn file_type(descriptor: Descriptor) -> Result<FileType, Errno> {
        done(CALL, |state| match state.find(descriptor) {
            Ok(_) => Ok(FileType::Datagram),
            Err(Errno::NOT_SOCKET) => Ok(FileType::CharacterDevice),
            Err(errno) => Err(errno),
        })
    }

    fn close(descriptor: Descriptor) -> Result<(), Errno> {
        done(CALL, |state| {
            if state.find(descriptor) == Err(Errno::BAD_DESCRIPTOR) {
                return Err(Errno::BAD_DESCRIPTOR);
            }
            state.table[usize::try_from(descriptor.0).unwrap()] = None;
            Ok(())
        })
    }

    fn open_datagram(_: Family) -> Result<Descriptor, Errno> {
        done(CALL, |state| {
            let at = state.table.iter().position(Option::is_none).unwrap_or(state.table.len());
            if at == state.table.len() {
                state.table.push(None);
            }
            state.table[at] = Some(Open::Socket(state.sockets.len()));
            let socket = Socket { send_buffer: 106_496, receive_buffer: 106_496, ..Socket::default() };
            state.sockets.push(socket);
            Ok(Descriptor(at.try_into().unwrap()))
        })
    }

    fn bind_anew(descriptor: Descriptor, _: Family) -> Result<(), Errno> {
        done(CALL, |state| {
            let at = state.find(descriptor)?;
            state.sockets[at].name = u64::try_from(at).unwrap() + 1;
            if state.plan.faults.contains(&Fault::Foreign) {
                state.deliver_foreign(at);
            }
            Ok(())
        })
    }

    fn local_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
        with_socket(descriptor, |socket| Ok(name(socket.name)))
    }

    fn peer_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
        with_socket(descriptor, |socket| match socket.peer {
            0 => Err(Errno::NOT_CONNECTED),
            peer => Ok(name(peer)),
        })
    }

    fn connect_to(descriptor: Descriptor, to: &SocketName) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.peer = u64::from_le_bytes(*to.address.first_chunk().unwrap());
            Ok(())
        })
    }

    fn set_blocking(descriptor: Descriptor) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.blocking = true;
            Ok(())
        })
    }

    fn shut_down(descriptor: Descriptor) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.shut = true;
            Ok(())
        })
    }

    fn send(descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno> {
        done(CALL, |state| state.send(descriptor, bytes))
    }

    fn receive(descriptor: Descriptor, mode: Receive, _: Wipe, out: &mut Vec<u8>) -> Result<usize, Errno> {
        let (_, bytes) = receive_any(descriptor, mode)?;
        out.extend_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn receive_from(
        descriptor: Descriptor,
        mode: Receive,
        _: Wipe,
        out: &mut Vec<u8>,
    ) -> Result<SocketName, Errno> {
        let (sender, bytes) = receive_any(descriptor, mode)?;
        out.extend_from_slice(&bytes);
        Ok(name(sender))
    }

    fn send_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
        with_socket(descriptor, |socket| Ok(socket.send_buffer))
    }

    fn set_send_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.send_buffer = bytes;
            Ok(())
        })
    }

    fn receive_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
        with_socket(descriptor, |socket| Ok(socket.receive_buffer))
    }

    fn set_receive_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.receive_buffer = bytes;
            Ok(())
        })
    }

    fn flag(descriptor: Descriptor, flag: Flag) -> Result<bool, Errno> {
        with_socket(descriptor, |socket| Ok(socket.flags.contains(&flag)))
    }

    fn set_flag(descriptor: Descriptor, flag: Flag, on: bool) -> Result<(), Errno> {
        with_socket(descriptor, |socket| {
            socket.flags.retain(|known| *known != flag);
            socket.flags.extend(on.then_some(flag));
            Ok(())
        })
    }
}
