//! One TCP connection: resolve, connect, check the peer, and always close.
//!
//! The host may connect a socket to the address that another instance asked for, or give two instances the same
//! descriptor. So every socket carries our mark (a send buffer size), the peer is read back, and a socket that has lost
//! its mark is neither used nor closed: it belongs to another instance.

use std::net::{IpAddr, SocketAddr};

use super::deadline::{Deadline, Pauses};
use super::imports;
use super::kernel::{Descriptor, Errno, Receive, Wipe};
use super::{lock, mark};
use crate::core::url::address::may_be_led_to;
use crate::core::url::{Host, Origin};
use crate::documents::fetch::FetchError;
use crate::host::limits::MAX_CONFUSED;
use crate::host::wasi;

/// The result of one receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Bytes,
    NothingYet,
    End,
}

/// Whether received bytes must be verified here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// TLS detects foreign bytes.
    Elsewhere,
    /// Nothing else does: read them twice.
    Here,
}

/// Why an exchange failed, and whether another instance may be the reason: then it is worth a retry.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: FetchError,
    pub(crate) mixed_up: bool,
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        let mixed_up = matches!(error, FetchError::Host(_));
        Self { error, mixed_up }
    }
}

/// A connected socket, closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    descriptor: Descriptor,
    mark: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Set(u32),
    /// The system does not keep marks.
    Impossible,
    /// The socket has lost its mark.
    Lost,
}

enum Failure {
    /// This address does not answer.
    Refused,
    /// The host mixed this instance up with another one.
    Confused,
    Final(FetchError),
}

/// What names the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// The configuration: every address is allowed.
    Configuration,
    /// An answer: a redirect or a `jwks_uri`.
    Answer,
}

/// The addresses of the host of `origin`. If an answer names it, forbidden addresses are left out.
pub(crate) fn resolve(
    origin: &Origin,
    named_by: NamedBy,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, FetchError> {
    let addresses = match &origin.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolve_name(name)?,
    };
    deadline.check()?;
    let found = !addresses.is_empty();
    let usable: Vec<SocketAddr> = addresses
        .into_iter()
        .filter(|address| named_by == NamedBy::Configuration || may_be_led_to(*address))
        .map(|address| SocketAddr::new(address, origin.port))
        .collect();
    match (usable.is_empty(), found) {
        (true, true) => Err(FetchError::Forbidden),
        (true, false) => Err(FetchError::Resolve),
        (false, _) => Ok(usable),
    }
}

fn resolve_name(name: &str) -> Result<Vec<IpAddr>, FetchError> {
    for _ in 0..MAX_CONFUSED {
        match imports::resolve(name) {
            Ok(addresses) => return Ok(addresses),
            Err(Errno::NONSENSE) => {}
            Err(_) => return Err(FetchError::Resolve),
        }
    }
    Err(FetchError::Host("results of other look-ups"))
}

impl Connection {
    /// Connects to the first address that answers. Each may take an equal share of the time left, so that a dead first
    /// one leaves time for the second.
    pub(crate) fn open(addresses: &[SocketAddr], deadline: Deadline) -> Result<Self, FetchError> {
        let mut confused: u32 = 0;
        for (index, address) in addresses.iter().enumerate() {
            let share = deadline.share(addresses.len().saturating_sub(index));
            loop {
                match Self::attempt(*address, share) {
                    Ok(connection) => return Ok(connection),
                    Err(Failure::Refused) => break,
                    Err(Failure::Confused) => {
                        confused = confused.saturating_add(1);
                        if confused >= MAX_CONFUSED {
                            return Err(FetchError::Host("connected to another address than asked for"));
                        }
                    }
                    Err(Failure::Final(error)) => return Err(error),
                }
            }
        }
        deadline.check()?;
        Err(FetchError::Connect)
    }

    fn attempt(address: SocketAddr, deadline: Deadline) -> Result<Self, Failure> {
        // One instance at a time: two that open at once may lose a descriptor for good.
        let mut connection = lock::exclusive(|| Self::begin(address))?;
        let descriptor = connection.descriptor;
        let pauses = Pauses::new();
        loop {
            if !connection.is_ours() {
                return Err(Failure::Confused);
            }
            match imports::peer_address(descriptor) {
                Ok(peer) if peer == address => return Ok(connection),
                Ok(_) => return Err(Failure::Confused),
                Err(Errno::NOT_CONNECTED) => {}
                Err(_) => return Err(Failure::Confused),
            }
            if imports::pending_error(descriptor).is_err() {
                return Err(Failure::Refused);
            }
            // The caller decides whether the time is up for all addresses or for this one only.
            pauses.pause(deadline).map_err(|_| Failure::Refused)?;
        }
    }

    fn begin(address: SocketAddr) -> Result<Self, Failure> {
        let descriptor = match imports::open_stream(address.ip()) {
            Ok(descriptor) => descriptor,
            Err(Errno::TOO_MANY_OPEN) => return Err(Failure::Final(FetchError::Host("no descriptors left"))),
            // The machine lacks this address family, or the descriptor was taken away meanwhile.
            Err(_) => return Err(Failure::Refused),
        };
        let mut connection = Self { descriptor, mark: Mark::Lost };
        connection.mark = set_mark(descriptor).map_err(|_| Failure::Confused)?;
        match imports::connect(descriptor, address) {
            Ok(()) | Err(Errno::IN_PROGRESS) => Ok(connection),
            Err(errno) if errno.is_mix_up() => Err(Failure::Confused),
            Err(_) => Err(Failure::Refused),
        }
    }

    /// Appends what has arrived to `out`.
    pub(crate) fn receive(
        &mut self,
        out: &mut Vec<u8>,
        integrity: Integrity,
    ) -> Result<Received, FetchError> {
        match integrity {
            Integrity::Elsewhere => self.take(Wipe::Head, out),
            Integrity::Here => {
                match imports::receive(self.descriptor, Receive::Peek, Wipe::All, &mut Vec::new()) {
                    Err(Errno::AGAIN) => Ok(Received::NothingYet),
                    Ok(_) | Err(_) => lock::exclusive(|| self.take_twice(out)),
                }
            }
        }
    }

    fn take(&mut self, wipe: Wipe, out: &mut Vec<u8>) -> Result<Received, FetchError> {
        let received = match imports::receive(self.descriptor, Receive::Take, wipe, out) {
            Ok(0) => Received::End,
            Ok(_) => Received::Bytes,
            Err(Errno::AGAIN) => Received::NothingYet,
            Err(errno) => return Err(lost(errno)),
        };
        if self.is_ours() {
            Ok(received)
        } else {
            Err(FetchError::Host("the socket belongs to another instance"))
        }
    }

    fn take_twice(&mut self, out: &mut Vec<u8>) -> Result<Received, FetchError> {
        let mut peeked = Vec::new();
        match imports::receive(self.descriptor, Receive::Peek, Wipe::All, &mut peeked) {
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(Received::NothingYet),
            Err(errno) => return Err(lost(errno)),
        }
        let start = out.len();
        let received = self.take(Wipe::All, out)?;
        // What arrived between the two reads was read only once; at least it has no holes.
        let taken = out.get(start..).unwrap_or_default();
        if taken.strip_prefix(peeked.as_slice()).is_none_or(|rest| rest.contains(&0)) {
            return Err(FetchError::Host("received bytes of another instance"));
        }
        Ok(received)
    }

    /// Sends all of `bytes`. One instance sends at a time, so if the host takes a foreign vector, it holds no request.
    pub(crate) fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), FetchError> {
        let mut pauses = Pauses::new();
        while !bytes.is_empty() {
            if !self.is_ours() {
                return Err(FetchError::Host("the socket belongs to another instance"));
            }
            match lock::exclusive(|| imports::send(self.descriptor, bytes)) {
                Ok(0) | Err(Errno::AGAIN) => pauses.pause(deadline)?,
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    pauses = Pauses::new();
                }
                Err(errno) => return Err(lost(errno)),
            }
        }
        Ok(())
    }

    /// Sends all of `bytes` in one call. An empty send buffer has room for it, so any other count is the length of what
    /// another instance sends.
    pub(crate) fn send_at_once(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        if !self.is_ours() {
            return Err(FetchError::Host("the socket belongs to another instance"));
        }
        match lock::exclusive(|| imports::send(self.descriptor, bytes)) {
            Ok(count) if count == bytes.len() => Ok(()),
            Ok(_) | Err(Errno::AGAIN | Errno::NONSENSE) => {
                Err(FetchError::Host("sent bytes of another instance"))
            }
            Err(errno) => Err(lost(errno)),
        }
    }

    fn is_ours(&mut self) -> bool {
        let ours = match self.mark {
            Mark::Set(mark) => imports::send_buffer(self.descriptor) == Ok(mark),
            Mark::Impossible => true,
            Mark::Lost => false,
        };
        if !ours {
            self.mark = Mark::Lost;
        }
        ours
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock::exclusive(|| {
            if self.is_ours() {
                // A failure means that it is closed already.
                let _ = wasi::close(self.descriptor);
            }
        });
    }
}

impl Errno {
    /// Errors that a fresh socket cannot return: family not supported, already connecting, no such descriptor, already
    /// connected, not a socket.
    fn is_mix_up(self) -> bool {
        [
            Self::NO_FAMILY,
            Self::ALREADY,
            Self::BAD_DESCRIPTOR,
            Self::IS_CONNECTED,
            Self::NOT_SOCKET,
            Self::NONSENSE,
        ]
        .contains(&self)
    }
}

fn set_mark(descriptor: Descriptor) -> Result<Mark, Errno> {
    let mark = mark::random()?;
    imports::set_send_buffer(descriptor, mark)?;
    let first = imports::send_buffer(descriptor)?;
    if first == mark {
        return Ok(Mark::Set(mark));
    }
    // Either another instance has marked the same socket, or the system rounds. It rounds the same way twice.
    imports::set_send_buffer(descriptor, mark)?;
    let second = imports::send_buffer(descriptor)?;
    match second {
        again if again == mark => Ok(Mark::Set(mark)),
        again if again == first => Ok(Mark::Impossible),
        _ => Err(Errno::NONSENSE),
    }
}

fn lost(errno: Errno) -> FetchError {
    if errno.is_mix_up() {
        FetchError::Host("the socket belongs to another instance")
    } else {
        FetchError::Http("the connection broke")
    }
}
