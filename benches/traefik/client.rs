//! Load: a few connections that stay open, each with its own requests in turn.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use testbed::http::Request;
use testbed::traefik::Traefik;
use testbed::usual::HEADERS;

/// Connections at once. More would need more instances of the guest, and the machine may have two cores.
const CONNECTIONS: usize = 2;

/// A request as a client with eleven headers sends it; with `bearer` unless that is empty.
pub(crate) fn request(host: &str, target: &str, bearer: &str) -> Request {
    let request = HEADERS
        .into_iter()
        .fold(Request::get(host, target), |request, (name, value)| request.header(name, value));
    if bearer.is_empty() { request } else { request.bearer(bearer) }
}

/// Sends `count` requests, taking them from `requests` in turn from `first` on. Every answer must have `status`.
/// Returns the CPU time of Traefik for one, in microseconds.
pub(crate) fn cpu_per_request(
    traefik: &Traefik,
    requests: &[Vec<u8>],
    first: usize,
    count: usize,
    status: &str,
) -> f64 {
    cpu_of(&|| traefik.cpu_nanoseconds(), traefik.address(), requests, first, count, status)
}

/// The same with the CPU time of whatever `clock` counts.
pub(crate) fn cpu_of(
    clock: &dyn Fn() -> u64,
    address: SocketAddr,
    requests: &[Vec<u8>],
    first: usize,
    count: usize,
    status: &str,
) -> f64 {
    let before = clock();
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut stream = open(address);
                for number in (connection..count).step_by(CONNECTIONS) {
                    let request = &requests[(first + number) % requests.len()];
                    stream.get_mut().write_all(request).unwrap();
                    let found = answer(&mut stream);
                    assert_eq!(found, status, "{}", String::from_utf8_lossy(request));
                }
            });
        }
    });
    (clock() - before) as f64 / 1e3 / count as f64
}

/// A connection that waits two minutes for an answer.
pub(crate) fn open(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
    BufReader::new(stream)
}

/// Reads an answer with `Content-Length` whole and returns its status.
pub(crate) fn answer(stream: &mut BufReader<TcpStream>) -> String {
    let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let text = line.trim_end();
        if status.is_empty() {
            text.split(' ').nth(1).unwrap_or("no answer").clone_into(&mut status);
        } else if text.is_empty() {
            break;
        } else if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink()).unwrap();
    status
}
