//! Processes of the same machine: what one of another user, without capabilities, can do to the keys of a router. It
//! may send to the mailbox between the two calls that bind and connect it, and watches for that moment.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::jwk::lookup::{KeySource, RemoteKeys};
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};
use traefik_jwt_auth::documents::directory::file_name;
use traefik_jwt_auth::documents::document::{Document, SharedDocument};
use traefik_jwt_auth::documents::lease::{Version, Waiting};
use traefik_jwt_auth::documents::record::{Nanos, Record};
use traefik_jwt_auth::documents::source_id::SourceId;
use traefik_jwt_auth::keys::key_set;

use crate::proxy::token;
use crate::started::{is_root, started_by};

const ISSUER: &str = "https://idp.example/";
const ROUTERS: usize = 25;
/// Names what the attacker sends, in hexadecimal digits, with a blank between two records.
const RECORDS: &str = "JWT_TEST_RECORDS";
/// What the attacker sends to: `unix` or `udp`.
const FAMILY: &str = "JWT_TEST_FAMILY";
/// Nobody's, on every Linux.
const OTHER_USER: &str = "65534";

/// A record that was there before the mailbox was connected is nobody's: no forged token is accepted, no good one is
/// refused, and no router waits for what never comes.
pub(crate) fn forged_records() {
    attacked(true, 3);
}

/// The same where the mailbox is a UDP socket.
pub(crate) fn forged_records_udp() {
    attacked(false, 3);
}

/// The same for longer.
pub(crate) fn forged_records_soak() {
    attacked(true, 20);
    attacked(false, 20);
}

fn attacked(unix_datagrams: bool, reloads: usize) {
    let idp = JwksServer::http(keys::public_set().to_string());
    let configuration = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": ISSUER, "clientConfig": {"allowHttp": true},
    });
    let upstream = Upstream::start();
    let setup = Setup { plugins: vec![FETCH], unix_datagrams, ..Setup::default() };
    let (setup, slowed) = slowed(setup);
    let traefik = Traefik::start(&setup);
    let family = if unix_datagrams { "unix" } else { "udp" };
    let attacker = Attacker::start(family, &records(&configuration));
    let forged = json!({"iss": ISSUER, "sub": "mallory", "exp": unix_now() + 600});
    let forged = Token::new("EdDSA", forged).signed_by("ed25519-other").mint();
    let (mut accepted, mut refused, mut openings) = (0, 0, 0);
    for reload in 0..reloads {
        let mut routes = Routes::to(&upstream.url());
        for router in 0..ROUTERS {
            let mut own = configuration.clone();
            own["clockSkewSeconds"] = json!(reload);
            routes.protect(&format!("router-{router}"), FETCH, &own);
        }
        traefik.configure(&routes);
        openings += ROUTERS;
        for router in 0..ROUTERS {
            let status = |token: &str| {
                traefik.send(&Request::get(&format!("router-{router}"), "/").bearer(token)).status
            };
            accepted += usize::from(status(&forged) != 401);
            refused += usize::from(status(&token()) != 200);
        }
    }
    let sent = attacker.sent();
    println!("{family}: {sent} records sent in {openings} openings");
    println!("{family}: {accepted} forged tokens passed, {refused} good ones did not");
    // Three records in each.
    assert!(!slowed || sent >= openings, "the attacker came too late");
    assert_eq!((accepted, refused), (0, 0));
    if !unix_datagrams {
        // Else each instance would have worked alone.
        let own = udp_sockets().into_iter().filter(|(local, remote)| local == remote).count();
        assert!(own >= ROUTERS, "{own} sockets are connected to themselves");
    }
}

/// Records as a plugin of the attacker's own makes them for the same URL, with keys of his: one that wins for good, one
/// as it is made in the first moment of a Traefik, and one that has everybody wait.
fn records(configuration: &Value) -> Vec<Vec<u8>> {
    let source = source(configuration);
    let mut key = keys::jwk("ed25519-other");
    key["kid"] = json!("ed25519");
    let with_keys = |generation: u64| {
        let document = Document {
            body: json!({"keys": [key]}).to_string().into_bytes(),
            cache_control: "max-age=86400".into(),
            ..Document::default()
        };
        let document =
            SharedDocument { document, fetched_at: UnixTime::from_seconds(unix_now().unsigned_abs()) };
        let mut record = Record::default();
        record.finish(source, 1, Nanos(generation), Ok(document));
        record.encode()
    };
    vec![with_keys(u64::MAX - 1), with_keys(1), leased(source)]
}

/// Files of `jwksCache.directory` are never to be written by others, whatever the umask, and a claim that somebody made
/// for good holds nobody up.
pub(crate) fn files() {
    let idp = JwksServer::http(keys::public_set().to_string());
    let upstream = Upstream::start();
    for (umask, file_mode) in [("000", 0o644), ("077", 0o600)] {
        let shelf = temporary_directory("shelf");
        let path = shelf.to_str().unwrap();
        let configuration = json!({
            "jwksUrl": idp.url("/jwks.json"), "issuer": ISSUER, "clientConfig": {"allowHttp": true},
            "jwksCache": {"directory": path},
        });
        let name = file_name(key_set::document(&remote(&configuration)).public_id().unwrap());
        let claim = shelf.join(format!("{name}.claim"));
        fs::create_dir(&claim).unwrap();
        let future = SystemTime::UNIX_EPOCH + Duration::from_secs(unix_now().unsigned_abs() + 1_000_000);
        File::open(&claim).unwrap().set_modified(future).unwrap();
        let setup =
            Setup { plugins: vec![FETCH], mounts: vec![format!("{path}:{path}")], ..Setup::default() };
        let traefik = Traefik::start(&started_by(setup, &format!("umask {umask}; exec")));
        let mut routes = Routes::to(&upstream.url());
        routes.protect("files", FETCH, &configuration);
        traefik.configure(&routes);
        let before = idp.requests();
        let request = Request::get("files", "/").bearer(&token());
        assert_eq!(traefik.send(&request).status, 200);
        assert_eq!(idp.requests() - before, 1);
        assert!(!claim.exists(), "it was taken over and given back");
        assert_eq!(fs::metadata(shelf.join(&name)).unwrap().mode() & 0o7777, file_mode, "umask {umask}");
        fs::remove_dir_all(shelf).unwrap();
    }
}

/// The same Traefik, where every `connect` takes 20 ms. Without that the attacker comes in time once in five openings on
/// a quiet machine, and never on a busy one.
fn slowed(setup: Setup) -> (Setup, bool) {
    let options = "-f --seccomp-bpf -qq -o /dev/null -e trace=connect -e inject=connect:delay_enter=20000";
    let mut works = Command::new("strace");
    works.args(options.split(' ')).args(["--", "true"]).stderr(Stdio::null());
    if !works.status().is_ok_and(|status| status.success()) {
        println!("NOTHING SLOWS TRAEFIK DOWN, since strace does not run: the attacker has to be lucky");
        return (setup, false);
    }
    // Killed with strace, since that is what the harness kills.
    (started_by(setup, &format!("exec strace {options} -- setpriv --pdeathsig KILL")), true)
}

fn source(configuration: &Value) -> SourceId {
    key_set::document(&remote(configuration)).id()
}

fn remote(configuration: &Value) -> RemoteKeys {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let mut policy = compile(configuration.to_string().into_bytes(), &capabilities).unwrap();
    let Some(KeySource::Url(remote)) = policy.issuers[0].keys.pop() else {
        panic!("one URL");
    };
    *remote
}

fn leased(source: SourceId) -> Vec<u8> {
    let mut record = Record::default();
    let far = Nanos(u64::MAX / 2);
    for _ in 0..100 {
        record.turn(source, Version(0), Waiting::ForDocument, 1, far, Seconds(60));
    }
    record.encode()
}

/// This program, run by another user.
struct Attacker {
    child: Child,
    directory: PathBuf,
}

impl Attacker {
    fn start(family: &str, records: &[Vec<u8>]) -> Self {
        let hex = |record: &Vec<u8>| record.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let records: Vec<String> = records.iter().map(hex).collect();
        let directory = temporary_directory("attacker");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--no-new-privs"]);
        if is_root() {
            command.args(["--reuid", OTHER_USER, "--regid", OTHER_USER, "--clear-groups"]);
            command.args(["--bounding-set", "-all", "--inh-caps", "-all"]);
        } else {
            println!("not root: the attacker is of the same user, which is all the same to the kernel");
        }
        // The program is its standard input, since the way to its file may be closed to others.
        command.args(["--", "/proc/self/fd/0"]).env(RECORDS, records.join(" ")).env(FAMILY, family);
        command.stdin(File::open(std::env::current_exe().unwrap()).unwrap());
        command.stdout(File::create(directory.join("sent")).unwrap());
        Self { child: command.spawn().unwrap(), directory }
    }

    /// Ends it and says how many records the kernel took.
    fn sent(mut self) -> usize {
        assert!(matches!(self.child.try_wait(), Ok(None)), "the attacker has ended");
        fs::read_to_string(self.directory.join("sent")).unwrap().lines().count()
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The attacker, where this process is one.
pub(crate) fn attacker() -> Option<ExitCode> {
    let records = std::env::var(RECORDS).ok()?;
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    let records: Vec<Vec<u8>> =
        records.split(' ').map(|record| record.as_bytes().chunks(2).map(byte).collect()).collect();
    match std::env::var(FAMILY).as_deref() {
        Ok("unix") => send_unix(&records),
        _ => send_udp(&records),
    }
}

fn send_unix(records: &[Vec<u8>]) -> ! {
    let socket = UnixDatagram::unbound().unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut tries = Tries::default();
    loop {
        for name in tries.of(unconnected_names()) {
            let address = SocketAddr::from_abstract_name(name).unwrap();
            for record in records {
                if socket.send_to_addr(record, &address).is_ok() {
                    println!("sent");
                }
            }
        }
    }
}

fn send_udp(records: &[Vec<u8>]) -> ! {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let mut tries = Tries::default();
    loop {
        for port in tries.of(unconnected_ports()) {
            let port = u16::from_str_radix(&port, 16).unwrap();
            for record in records {
                if socket.send_to(record, (Ipv4Addr::LOCALHOST, port)).is_ok() {
                    println!("sent");
                }
            }
        }
    }
}

/// A socket that stays as it is belongs to others, and is left alone.
#[derive(Default)]
struct Tries(BTreeMap<String, u32>);

impl Tries {
    fn of(&mut self, names: Vec<String>) -> Vec<String> {
        let before = std::mem::take(&mut self.0);
        self.0 = names.into_iter().map(|name| (name.clone(), before.get(&name).unwrap_or(&0) + 1)).collect();
        self.0.iter().filter(|(_, tries)| **tries <= 20).map(|(name, _)| name.clone()).collect()
    }
}

/// Names that Linux gave to datagram sockets which are connected to none.
fn unconnected_names() -> Vec<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| match row.as_slice() {
        [_, _, _, _, "0002", "01", _, name] if name.len() == 6 => name.strip_prefix('@').map(str::to_owned),
        _ => None,
    })
    .collect()
}

/// Ports of 127.0.0.1 of sockets that are connected to none, in hexadecimal digits.
fn unconnected_ports() -> Vec<String> {
    let unconnected = udp_sockets().into_iter().filter(|(_, remote)| remote == "00000000:0000");
    unconnected.filter_map(|(local, _)| local.strip_prefix("0100007F:").map(str::to_owned)).collect()
}

/// Local and remote addresses of UDP sockets, as the kernel writes them.
fn udp_sockets() -> Vec<(String, String)> {
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| match row.as_slice() {
        [_, local, remote, ..] => Some(((*local).to_owned(), (*remote).to_owned())),
        _ => None,
    })
    .collect()
}
