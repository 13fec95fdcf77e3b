//! A machine that has too little of everything: of processors, memory, threads, descriptors, room on the disk. What cannot
//! be done is not done, which for a request is that the keys are unavailable; nothing is ever let through, nothing traps,
//! and all is well when there is enough again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::harness;
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::proxy::token;
use crate::started::{is_root, started_by};
use crate::{load, sharing};

/// No user of any system.
const USER: &str = "61234";

fn works(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// One processor, and a limit of memory that Traefik is beyond from the start: Go's collector runs all the time, so
/// instances are born and die all the time.
pub(crate) fn small_machine() {
    if !works("taskset", &["-c", "0", "true"]) {
        return harness::skip("cruel_small_machine", "no taskset");
    }
    let line = "export GOMAXPROCS=1 GOMEMLIMIT=48MiB; exec taskset -c 0";
    load::parallel_in(&started_by(Setup::default(), line));
}

/// 300 threads, as containers have them (`pids`), and a thousand requests that wait for a provider that hangs.
pub(crate) fn few_threads() {
    // The limit is one of a user, who still has to be able to read the files of this one.
    let line = format!(
        "exec prlimit --nproc=300 setpriv --reuid {USER} --inh-caps +dac_override --ambient-caps +dac_override --"
    );
    if !is_root() || !works("sh", &["-c", &format!("{line} true")]) {
        return harness::skip("cruel_few_threads", "another user takes root, prlimit and setpriv");
    }
    let setup = Setup { plugins: vec![FETCH], ..Setup::default() };
    sharing::crowd_in(&started_by(setup, &line));
}

/// Sets the soft limit of descriptors.
fn limit_descriptors(traefik: &Traefik, count: usize) {
    let (process, limit) = (format!("--pid={}", traefik.id()), format!("--nofile={count}:"));
    assert!(works("prlimit", &[&process, &limit]), "prlimit {process} {limit}");
}

/// Any number of descriptors more than Traefik has open, down to the one of the client: a fetch fails at its first, second
/// or third descriptor, and so does the file.
pub(crate) fn few_descriptors() {
    const MOST: usize = 10;
    if !works("prlimit", &["--version"]) {
        return harness::skip("cruel_few_descriptors", "no prlimit");
    }
    let (plain, secure) = [JwksServer::http, JwksServer::https]
        .map(|start: fn(String) -> JwksServer| start(keys::public_set().to_string()))
        .into();
    let directory = temporary_directory("few");
    let path = directory.to_str().unwrap();
    fs::write(directory.join("set.json"), keys::public_set().to_string()).unwrap();
    let upstream = Upstream::start();
    let setup = Setup { plugins: vec![FETCH], mounts: vec![format!("{path}:{path}")], ..Setup::default() };
    let traefik = Traefik::start(&setup);
    let client = |idp: &JwksServer| json!({"allowHttp": true, "timeoutSeconds": 3, "maxRetries": 0, "tls": {"ca": idp.ca_pem()}});
    let cache = json!({"cooldownSeconds": 1});
    let in_directory = json!({"cooldownSeconds": 1, "directory": path});
    let mut hosts = Vec::new();
    let mut routes = Routes::to(&upstream.url());
    routes.open("open");
    for spare in (1..=MOST).rev() {
        for (kind, configuration) in [
            ("plain", json!({"jwksUrl": plain.url("/"), "clientConfig": client(&plain), "jwksCache": cache})),
            ("tls", json!({"jwksUrl": secure.url("/"), "clientConfig": client(&secure), "jwksCache": cache})),
            (
                "directory",
                json!({
                    "jwksUrl": plain.url(&format!("/{spare}")), "clientConfig": client(&plain),
                    "jwksCache": in_directory,
                }),
            ),
            ("file", json!({"jwksFile": directory.join("set.json")})),
        ] {
            let host = format!("{kind}-{spare}");
            routes.protect(&host, FETCH, &configuration);
            hosts.push((spare, host));
        }
    }
    traefik.configure(&routes);
    // From now on Traefik has a connection to the upstream that it uses again.
    assert_eq!(traefik.send(&Request::get("open", "/")).status, 200);
    let hard = traefik_limit(&traefik);
    let (good, forged) = tokens();
    let mut counts = BTreeMap::<_, usize>::new();
    for (spare, host) in &hosts {
        limit_descriptors(&traefik, limit_with(&traefik, *spare));
        for (token, right) in [(&forged, 401), (&good, 200)] {
            let answer = traefik.send(&Request::get(host, "/").bearer(token));
            let unavailable = answer.status == 503 && answer.text() == r#"{"error": "Keys unavailable"}"#;
            assert!(answer.status == right || unavailable, "{host}: {} {}", answer.status, answer.text());
            *counts.entry((*spare, answer.status)).or_default() += 1;
        }
        limit_descriptors(&traefik, hard);
    }
    println!("few descriptors, answers by (spare, status): {counts:?}");
    let count =
        |status| counts.iter().filter(|(key, _)| key.1 == status).map(|(_, count)| count).sum::<usize>();
    assert!(count(503) > 0 && count(200) > 0, "it shows nothing: {counts:?}");
    for (_, host) in &hosts {
        // One instance may have its keys while another one's attempt, which failed, is not over yet.
        for (token, right) in [(&good, 200), (&forged, 401)] {
            wait(&format!("{host} has its keys"), 15, || {
                let status = traefik.send(&Request::get(host, "/").bearer(token)).status;
                assert!([right, 503].contains(&status), "{host}: {status} instead of {right}");
                (status == right).then_some(())
            });
        }
    }
    let configuration = json!({"jwksUrl": plain.url("/"), "clientConfig": client(&plain)});
    reloaded_with_few(&traefik, &upstream, hard, &configuration);
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
    let left = leftovers(&directory);
    assert!(left.is_empty(), "{left:?}");
    fs::remove_dir_all(directory).unwrap();
}

/// A reload in which some routers get no descriptor for what their instances share, or none at all, which is Traefik's
/// affair: those are not there. The others have their keys.
fn reloaded_with_few(traefik: &Traefik, upstream: &Upstream, hard: usize, configuration: &Value) {
    let mut routes = Routes::to(&upstream.url());
    let hosts: Vec<String> = (0..8).map(|number| format!("late-{number}")).collect();
    for host in &hosts {
        routes.protect(host, FETCH, configuration);
    }
    limit_descriptors(traefik, limit_with(traefik, 6));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            limit_descriptors(traefik, hard);
        });
        traefik.configure(&routes);
    });
    let (good, forged) = tokens();
    let statuses: Vec<(u16, u16)> = hosts
        .iter()
        .map(|host| {
            let [good, forged] =
                [&good, &forged].map(|token| traefik.send(&Request::get(host, "/").bearer(token)).status);
            (good, forged)
        })
        .collect();
    println!("few descriptors at a reload: {statuses:?}");
    assert!(statuses.iter().all(|statuses| [(200, 401), (404, 404)].contains(statuses)), "{statuses:?}");
    assert!(statuses.contains(&(200, 401)), "{statuses:?}");
}

/// The limit with which `spare` more can be opened: it is one of their numbers, not of how many there are.
fn limit_with(traefik: &Traefik, spare: usize) -> usize {
    let names = fs::read_dir(format!("/proc/{}/fd", traefik.id())).unwrap();
    let open: BTreeSet<usize> =
        names.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let last = (0..).filter(|number| !open.contains(number)).nth(spare.saturating_sub(1)).unwrap();
    last + 1
}

fn traefik_limit(traefik: &Traefik) -> usize {
    let limits = fs::read_to_string(format!("/proc/{}/limits", traefik.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn tokens() -> (String, String) {
    let claims = json!({"iss": "https://idp.example/", "sub": "mallory", "exp": unix_now() + 600});
    let mut forged = Token::new("EdDSA", claims).signed_by("ed25519-other");
    forged.kid = Some(Some("ed25519".into()));
    (token(), forged.mint())
}

/// What a writer that failed has left behind: neither a document nor what a test has put there.
fn leftovers(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "tmp" || extension == "claim"))
        .collect()
}

/// A directory of key sets on a file system of 64 KiB that is full, has room for a part of a document, for no further name,
/// or may only be read: sets come from the provider, and what is in the directory is whole.
pub(crate) fn full_disk() {
    let directory = temporary_directory("full");
    let path = directory.to_str().unwrap();
    let line = format!(
        "exec unshare -rm sh -c 'mount -t tmpfs -o size=64k,nr_inodes=40 none {path} && exec \"$0\" \"$@\"'"
    );
    if !works("sh", &["-c", &format!("{line} true")]) {
        return harness::skip("cruel_full_disk", "no file system of one's own (unshare -rm, mount)");
    }
    // A document takes five pages.
    let mut set = keys::public_set();
    set["padding"] = json!("x".repeat(17_000));
    let mut idp = JwksServer::http(set.to_string());
    let upstream = Upstream::start();
    let setup = Setup { plugins: vec![FETCH], mounts: vec![format!("{path}:{path}")], ..Setup::default() };
    let traefik = Traefik::start(&started_by(setup, &line));
    let inside = PathBuf::from(format!("/proc/{}/root{path}", traefik.id()));
    let disk = Disk { inside: &inside, traefik: &traefik, path };
    let (good, forged) = tokens();
    let names = ["first", "pages-0", "pages-1", "pages-3", "names", "read-only"];
    let base = idp.url("");
    let configure = |reload: usize| {
        let mut routes = Routes::to(&upstream.url());
        for name in names {
            routes.protect(name, FETCH, &configuration(&base, name, path, reload));
        }
        traefik.configure(&routes);
    };
    let status = |host: &str, token: &str| traefik.send(&Request::get(host, "/").bearer(token)).status;
    let served = |host: &str| {
        assert_eq!((status(host, &good), status(host, &forged)), (200, 401), "{host}");
        let left = leftovers(&inside);
        assert!(left.is_empty(), "{host}: {left:?}");
    };
    configure(0);
    served("first");
    assert_eq!(disk.documents(), 1, "the others have no room for theirs");
    for pages in [0, 1, 3] {
        disk.fill_but(pages);
        served(&format!("pages-{pages}"));
        assert_eq!(disk.documents(), 1, "{pages} pages");
    }
    disk.clear();
    disk.use_up_names();
    served("names");
    assert_eq!(disk.documents(), 1);
    disk.clear();
    disk.remount("ro");
    served("read-only");
    assert_eq!(disk.documents(), 1);
    // What is there serves a reload without a provider, and what is not does not.
    let fetches = idp.requests();
    idp.set(Behaviour::Status(500));
    configure(1);
    served("first");
    for host in &names[1..] {
        assert_eq!((status(host, &good), status(host, &forged)), (503, 503), "{host}");
    }
    idp.set(Behaviour::Up);
    disk.remount("rw");
    wait("there is room again, and it is used", 15, || {
        let _ = names[1..3].iter().map(|host| status(host, &good)).max();
        (disk.documents() == 3).then_some(())
    });
    assert!(idp.requests() > fetches);
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
    drop(traefik);
    fs::remove_dir_all(directory).unwrap();
}

fn configuration(base: &str, name: &str, path: &str, reload: usize) -> Value {
    json!({
        "jwksUrl": format!("{base}/{name}"), "issuer": "https://idp.example/",
        "clientConfig": {"allowHttp": true, "timeoutSeconds": 3, "maxRetries": 0},
        "jwksCache": {"directory": path, "cooldownSeconds": 1}, "clockSkewSeconds": reload,
    })
}

/// The file system that Traefik alone has mounted.
struct Disk<'d> {
    inside: &'d Path,
    traefik: &'d Traefik,
    path: &'d str,
}

impl Disk<'_> {
    fn documents(&self) -> usize {
        let names = fs::read_dir(self.inside).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().ends_with(".document")).count()
    }

    fn clear(&self) {
        for entry in fs::read_dir(self.inside).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_name().to_str().unwrap().starts_with("filler") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }

    /// Until there is room for so many pages.
    fn fill_but(&self, pages: u64) {
        self.clear();
        let path = self.inside.join("filler");
        let mut file = File::create(&path).unwrap();
        let mut size = 0;
        while file.write_all(&[0; 4096]).is_ok() {
            size += 4096;
        }
        assert!(size > pages * 4096);
        file.set_len(size - pages * 4096).unwrap();
    }

    fn use_up_names(&self) {
        let made = (0..1_000)
            .take_while(|number| File::create(self.inside.join(format!("filler-{number}"))).is_ok());
        let made = made.count();
        assert!((1..1_000).contains(&made), "{made} names");
    }

    fn remount(&self, how: &str) {
        let (process, options) = (self.traefik.id().to_string(), format!("remount,{how}"));
        let arguments =
            ["-t", &process, "-U", "-m", "--preserve-credentials", "mount", "-o", &options, self.path];
        assert!(works("nsenter", &arguments), "nsenter {arguments:?}");
    }
}
