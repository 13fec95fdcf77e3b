//! A proxy that makes tunnels (RFC 9110 9.3.6) to one place, whatever name it is asked for.

use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::http::read_lines;
use crate::port;

/// A proxy on a free port of 127.0.0.1, until the process ends.
pub struct ConnectProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts one whose tunnels all lead to `target`.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start(target: SocketAddr) -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), seen) = (stream, Arc::clone(&seen)) else { continue };
                std::thread::spawn(move || {
                    // Either side may go away.
                    let _ = tunnel(stream, target, &seen);
                });
            }
        });
        Self { address, heads }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of the requests that it got.
    ///
    /// # Panics
    /// When a tunnel panicked.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn tunnel(stream: TcpStream, target: SocketAddr, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let (first, headers) = read_lines(&mut client)?;
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    seen.lock().unwrap().push(format!("{first}\r\n{lines}"));
    let mut server = TcpStream::connect(target)?;
    client.get_mut().write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut to_client, mut from_server) = (client.get_ref().try_clone()?, server.try_clone()?);
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Write)?;
    let _ = back.join();
    Ok(())
}
