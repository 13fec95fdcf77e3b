//! A wire to a server that breaks after some bytes of what the server says, whatever they are: of a handshake, a head or a
//! body.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::port;

/// The server's side of it, on a free port of 127.0.0.1, until the process ends.
pub struct CutWire {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    /// Bytes after which a connection ends, and how many connections do.
    cut: Mutex<(usize, usize)>,
    /// Bytes that came through the last one.
    passed: AtomicUsize,
    connections: AtomicUsize,
}

impl CutWire {
    /// A whole wire to `server`.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server,
            cut: Mutex::new((0, 0)),
            passed: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || accept(&listener, &shared));
        Self { address, state }
    }

    /// Where it begins.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// So many connections from now on end after so many bytes of the server's; those after them are whole.
    ///
    /// # Panics
    /// When a connection panicked.
    pub fn cut(&self, bytes: usize, connections: usize) {
        *self.state.cut.lock().unwrap() = (bytes, connections);
    }

    /// How many bytes of the server's came through the last connection.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.state.passed.load(Ordering::SeqCst)
    }

    /// Connections since the start.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for client in listener.incoming() {
        let (Ok(client), state) = (client, Arc::clone(state)) else { continue };
        state.connections.fetch_add(1, Ordering::SeqCst);
        state.passed.store(0, Ordering::SeqCst);
        let left = {
            let mut cut = state.cut.lock().unwrap();
            let is_cut = cut.1 > 0;
            cut.1 = cut.1.saturating_sub(1);
            if is_cut { cut.0 } else { usize::MAX }
        };
        std::thread::spawn(move || {
            // Either side may go away.
            let _ = carry(&client, &state, left);
        });
    }
}

fn carry(mut client: &TcpStream, state: &State, mut left: usize) -> std::io::Result<()> {
    let mut server = TcpStream::connect(state.server)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = left.min(buffer.len());
        let count = match server.read(&mut buffer[..room]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        if count == 0 {
            break;
        }
        left -= count;
        client.write_all(&buffer[..count])?;
        state.passed.fetch_add(count, Ordering::SeqCst);
    }
    client.shutdown(Shutdown::Both)?;
    server.shutdown(Shutdown::Both)
}
