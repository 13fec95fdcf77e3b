//! An upstream that keeps the head of every request, however many come on a connection, and agrees to every change of the
//! protocol: what comes behind one it reads as requests, too.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testbed::http::read_chunk;
use testbed::port;

/// It runs until the test ends.
pub(crate) struct Recorder {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heads = Arc::clone(&all);
                std::thread::spawn(move || {
                    // Traefik closes connections as it likes.
                    let _ = serve(stream, &heads);
                });
            }
        });
        Self { url, heads }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Waits a moment until there are so many.
    pub(crate) fn wait_for(&self, count: usize) {
        for _ in 0..40 {
            let there = self.heads.lock().unwrap().iter().filter(|head| !is_of_bed(head)).count();
            if there >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// The heads since the last time, but for those of the test bed. What could not be read says `unreadable`.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut heads = std::mem::take(&mut *self.heads.lock().unwrap());
        heads.retain(|head| !is_of_bed(head));
        heads
    }
}

fn is_of_bed(head: &str) -> bool {
    head.contains("Host: reload-")
}

fn serve(stream: TcpStream, heads: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 {
                if !head.is_empty() {
                    heads.lock().unwrap().push(format!("unreadable: {head}"));
                }
                return Ok(());
            }
            if line == b"\r\n" {
                break;
            }
            head.extend(line.iter().map(|byte| char::from(*byte)));
        }
        let value = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let (upgrade, length) = (value("Upgrade"), value("Content-Length"));
        let chunked = value("Transfer-Encoding").is_some();
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        heads.lock().unwrap().push(head);
        if chunked {
            while read_chunk(&mut stream)?.is_some() {}
        } else if let Some(length) = length {
            let length = length.parse().map_err(std::io::Error::other)?;
            std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink())?;
        }
        let answer = match upgrade {
            Some(protocol) => format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"
            ),
            None => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len()),
        };
        stream.get_mut().write_all(answer.as_bytes())?;
    }
}
