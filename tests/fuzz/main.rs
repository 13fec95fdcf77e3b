//! Mutated inputs for everything that reads bytes of others: `make fuzz`. No coverage guides it, so its corpus has all
//! that is interesting. It runs for `FUZZ_SECONDS`; `FUZZ_SEED` repeats the run that a failure names.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reports on standard output; its clock is real"
)]

mod mutate;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mutate::{Mutate, corpus};
use serde_json::{Value, json};
use testbed::cases::{Bed, load};
use testbed::keys;
use testbed::random::Random;
use testbed::tokens::Token;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::claims::expression::Expression;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::fetching::DocumentState;
use traefik_jwt_auth::core::jwk::{JwkSet, Origin, pem};
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::request::header_name::is_alias;
use traefik_jwt_auth::core::request::path::{PathPattern, unambiguous};
use traefik_jwt_auth::core::request::{RecordedRequest, cookie, uri};
use traefik_jwt_auth::core::tls_material;
use traefik_jwt_auth::core::token::{base64url, jws};
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};
use traefik_jwt_auth::core::url::Url;
use traefik_jwt_auth::core::url::proxy::Proxy;
use traefik_jwt_auth::documents::cache_control;
use traefik_jwt_auth::documents::directory::{Claim, Directory, DirectoryCache, Found};
use traefik_jwt_auth::documents::document::{Document, SharedDocument};
use traefik_jwt_auth::documents::fetch::Fetched;
use traefik_jwt_auth::documents::lease::{Failure, Version, Waiting};
use traefik_jwt_auth::documents::record::{Nanos, Record};
use traefik_jwt_auth::documents::source_id::SourceId;
use traefik_jwt_auth::host::fetch::gzip;
use traefik_jwt_auth::host::fetch::http::{self, Answer, Progress, RequestParts, ResponseReader};
use traefik_jwt_auth::host::fetch::proxy;
use traefik_jwt_auth::keys::discovery;
use traefik_jwt_auth::keys::keyring::Keyring;

const NOW: u64 = 1_700_000_000;
const MAX_BODY: usize = 4_096;

/// What the targets share: made once.
struct Bench {
    /// Good tokens.
    tokens: Vec<Vec<u8>>,
    /// Modes and their policies.
    policies: Vec<(&'static str, Rc<Policy>)>,
    configurations: Vec<Vec<u8>>,
    sets: Vec<Vec<u8>>,
    pems: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
    urls: Vec<Vec<u8>>,
    /// Requests that passed with an identity: a run that never saw one has shown nothing.
    identities: Cell<u64>,
}

type Target = (&'static str, fn(&Bench, &mut Random));

const TARGETS: &[Target] = &[
    ("decide", decisions),
    ("token", tokens),
    ("keys", key_sets),
    ("pem", pems),
    ("configuration", configurations),
    ("expression", expressions),
    ("response", responses),
    ("request", requests),
    ("url", urls),
    ("proxy", proxies),
    ("gzip", gzips),
    ("record", records),
    ("directory", directories),
    ("discovery", discoveries),
    ("request parts", request_parts),
];

fn main() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seconds = variable("FUZZ_SECONDS").unwrap_or(60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = variable("FUZZ_SEED").unwrap_or(now.as_nanos() as u64) | 1;
    println!("FUZZ_SEED={seed} for {seconds} s");
    let (bench, start) = (Bench::new(), Instant::now());
    let mut master = Random(seed);
    let mut round = 0_u64;
    while start.elapsed() < Duration::from_secs(seconds) {
        let (name, target) = TARGETS[round as usize % TARGETS.len()];
        let mut random = Random(((master.below(1 << 31) as u64) << 32) | (master.below(1 << 31) as u64) | 1);
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&bench, &mut random)));
        if run.is_err() {
            eprintln!("failed: {name}, after {round} rounds; FUZZ_SEED={seed} repeats it");
            std::process::exit(1);
        }
        round += 1;
    }
    let identities = bench.identities.get();
    println!("{round} inputs for {} targets; {identities} requests passed with an identity", TARGETS.len());
    assert!(identities > 0 || round < 10_000);
}

impl Bench {
    fn new() -> Self {
        let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": NOW + 600});
        let tokens = ["EdDSA", "ES256", "RS256", "PS256", "HS256", "ES384"]
            .map(|alg| Token::new(alg, claims.clone()).mint().into_bytes());
        let mut configuration = json!({
            "jwks": keys::public_set(), "keys": {"secret": keys::SECRET}, "issuer": "https://idp.example/",
            "algorithms": ["EdDSA", "ES256", "RS256", "PS256", "HS256", "ES384"],
            "tokenSources": [
                {"header": "Authorization", "scheme": "Bearer"}, {"cookie": "session"}, {"query": "token"},
                {"webSocketProtocol": "bearer"}, {"webSocketPrefix": "bearer."}, {"header": "X-Token", "scheme": "Bearer?"},
            ],
            "forwardHeaders": {"X-User-Sub": "sub"}, "forwardAuthorization": false,
        });
        let compiled = |configuration: &Value| {
            let capabilities = Capabilities { fetch: true, env: &|_| None };
            match compile(configuration.to_string().as_bytes(), &capabilities) {
                Ok(policy) => Rc::new(policy),
                Err(errors) => panic!("{errors:?}"),
            }
        };
        let policies = ["required", "optional", "permissive", "dryRun"].map(|mode| {
            configuration["mode"] = json!(mode);
            (mode, compiled(&configuration))
        });
        let bed = Bed { now: NOW as i64, jwks_url: "https://idp.example/jwks".into(), ca_pem: String::new() };
        let configurations = load(&bed).iter().map(|case| case.config.to_string().into_bytes()).collect();
        let sets = [
            keys::public_set().to_string(),
            keys::jwk_set(&["secp256k1", "ml-dsa-44", "secret"]).to_string(),
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","use":"enc","key_ops":["verify"],"x5c":["MA=="]}]}"#.into(),
            format!("\u{feff}{}", keys::jwk("p256")),
            r#"{"a":"-----BEGIN CERTIFICATE-----\nMIIB","error":{"message":"x"},"issuer":"i","jwks_uri":"u"}"#.into(),
            "<?xml version=\"1.0\"?><html>-----BEGIN CERTIFICATE-----".into(),
        ];
        let names = ["rsa", "p256", "p384", "p521", "ed25519"];
        let pems = names.iter().flat_map(|key| [keys::public_pem(key), keys::private_pem(key)]);
        let responses = corpus(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nCache-Control: max-age=60\r\nAge: 5\r\nETag: \"x\"\r\n\r\n{\"keys\":[]}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n{\"key\r\n6\r\ns\":[]}\r\n0\r\nX: y\r\n\r\n",
            "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n{\"keys\":[]}",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
            "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Length: 4\r\n\r\nbusy",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 23\r\n\r\n\x1f",
        ]);
        let urls = corpus(&[
            "https://idp.example/.well-known/jwks.json?a=b#c",
            "http://user:pass%20word@127.0.0.1:8080/",
            "https://[2001:db8::1]:8443/a/../b/./c%2Fd",
            "//other.example/x",
            "../up?x=1",
            "?query",
            "http://[::ffff:169.254.169.254]/",
            "idp.example:3128",
        ]);
        Self {
            tokens: tokens.to_vec(),
            policies: policies.to_vec(),
            configurations,
            sets: sets.map(String::into_bytes).to_vec(),
            pems: pems.map(|text| text.as_bytes().to_vec()).collect(),
            responses,
            urls,
            identities: Cell::new(0),
        }
    }
}

/// Whatever a request is made of: what passes with an identity carries a good token, and no header of the client's that
/// an upstream could take for one of ours.
fn decisions(bench: &Bench, random: &mut Random) {
    let parts: Vec<Vec<u8>> =
        bench.tokens.iter().flat_map(|token| token.split(|byte| *byte == b'.').map(<[u8]>::to_vec)).collect();
    let mut token = match random.below(3) {
        0 => random.of(&bench.tokens).clone(),
        1 => random.mutated(&bench.tokens),
        _ => [random.of(&parts).clone(), random.of(&parts).clone(), random.of(&parts).clone()].join(&b'.'),
    };
    if random.below(4) == 0 {
        let header = format!(r#"{{"alg":"{}","kid":"secret"}}"#, random.of(&["none", "HS256", "RS256", ""]));
        let rest = token.splitn(2, |byte| *byte == b'.').nth(1).unwrap_or_default().to_vec();
        token = [base64url::encode(header.as_bytes()).into_bytes(), rest].join(&b'.');
    }
    let names = corpus(&["X-User-Sub", "x_user_sub", "Cookie", "Connection", "Authorization", "X.User-Sub"]);
    let text = String::from_utf8_lossy(&token).into_owned();
    let values = [
        token.clone(),
        [b"Bearer ", token.as_slice()].concat(),
        format!("a=b; session={text}; c").into_bytes(),
        format!("session={}; session={text}", String::from_utf8_lossy(random.of::<Vec<u8>>(&bench.tokens)))
            .into_bytes(),
        format!("bearer, {text}").into_bytes(),
        b"close, X-User-Sub".to_vec(),
    ];
    let target = random.text(&[format!("/a?token={text}&b=%00").into_bytes(), b"/a/%2e%2e/b?c".to_vec()]);
    let method = *random.of(&["GET", "HEAD", "OPTIONS", "x"]);
    let mut request = RecordedRequest::new(method, &target);
    let mut sent = Vec::new();
    for _ in 0..random.below(5) {
        let name = if random.below(2) == 0 {
            (*random.of(&["Authorization", "Cookie", "Sec-WebSocket-Protocol", "X-User-Sub", "X-Token"]))
                .to_owned()
        } else {
            // The host separates names with NULs, so none has one: Go refuses it.
            random.text(&names).replace('\0', " ")
        };
        let value = if random.below(2) == 0 { random.of(&values).clone() } else { random.mutated(&values) };
        sent.push((name.clone(), value.clone()));
        request = request.header(&name, value);
    }
    let (mode, policy) = random.of(&bench.policies);
    let keyring = Keyring::new(Rc::clone(policy));
    let now = UnixTime::from_seconds(NOW);
    let decided = decide(policy, &keyring.at(now), now, &request);
    keyring.remember(decided.learned);
    // Asked again, with what was remembered.
    assert_eq!(decide(policy, &keyring.at(now), now, &request).decision, decided.decision);
    let Decision::Forward(forward) = decided.decision else { return };
    let known = bench.tokens.iter().any(|good| {
        let holds = |text: &[u8]| text.windows(good.len()).any(|window| window == good);
        holds(&percent_decoded(&target)) || sent.iter().any(|(_, value)| holds(value))
    });
    let has_identity = forward.headers().any(|(name, _)| name == "X-User-Sub");
    bench.identities.set(bench.identities.get() + u64::from(has_identity));
    assert!(known || !has_identity, "an identity without a good token: {request:?} {forward:?}");
    assert!(known || *mode != "required", "nothing good, but it passes: {request:?} {forward:?}");
    for (name, _) in &sent {
        let removed = forward.removed().any(|gone| gone.eq_ignore_ascii_case(name));
        let replaced = forward.headers().any(|(set, _)| set.eq_ignore_ascii_case(name));
        assert!(!is_alias(name, "X-User-Sub") || removed || replaced, "{name} passes: {forward:?}");
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let (mut rest, mut out) = (text.as_bytes(), Vec::new());
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        (out, rest) = match hex {
            Some(byte) if *first == b'%' => ([out, vec![byte]].concat(), &after[2..]),
            Some(_) | None => ([out, vec![*first]].concat(), after),
        };
    }
    out
}

fn tokens(bench: &Bench, random: &mut Random) {
    let token = random.mutated(&bench.tokens);
    if let Ok(parsed) = jws::parse(&token) {
        let _ = parsed.claimed.issuer();
    }
    for part in token.split(|byte| *byte == b'.') {
        if let Some(bytes) = base64url::decode(part) {
            assert_eq!(base64url::encode(&bytes).as_bytes(), part, "one text for one value");
        }
    }
}

fn key_sets(bench: &Bench, random: &mut Random) {
    for origin in [Origin::Configured, Origin::Fetched, Origin::Bundle] {
        match JwkSet::parse(random.mutated(&bench.sets), origin) {
            Ok(set) => assert!(set.kids().all(|kid| set.has_kid(kid))),
            Err(error) => assert!(error.to_string().chars().all(|c| matches!(c, ' '..='~'))),
        }
    }
}

fn pems(bench: &Bench, random: &mut Random) {
    let text = random.text(&bench.pems);
    let _ = (pem::parse(&text), tls_material::certificates(&text), tls_material::private_key(&text));
}

fn configurations(bench: &Bench, random: &mut Random) {
    let capabilities = Capabilities { fetch: random.below(2) == 0, env: &|_| Some("value".into()) };
    if let Err(errors) = compile(random.mutated(&bench.configurations), &capabilities) {
        assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty()));
    }
}

fn expressions(_: &Bench, random: &mut Random) {
    let sources = corpus(&[
        "Equals(`iss`, `https://idp.example/`) && (!Prefix(`sub`, `a`) || OneOf(`a.b\\.c`, `x`, `y`))",
        "Matches(`sub`, `^[a-z]+(x|y){2,5}$`) || Greater(`exp`, `1e3`) && Exists(`roles`)",
        "SplitContains(`scope`, ` `, `{method}`) && Contains(`path`, `{path.1}`)",
    ]);
    if let Ok(expression) = Expression::parse(random.text(&sources)) {
        assert!(Expression::parse(expression.source()).is_ok());
    }
}

fn read(bytes: &[u8], pieces: &mut dyn FnMut() -> usize, conditional: bool) -> Option<Answer> {
    let (mut reader, mut rest) = (ResponseReader::new(MAX_BODY, conditional), bytes);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(pieces().clamp(1, rest.len()));
        match reader.push(piece) {
            Ok(Progress::Complete) => return reader.into_answer().ok(),
            Ok(Progress::More) => rest = after,
            Err(_) => return None,
        }
    }
    reader.end_of_stream().ok()?;
    reader.into_answer().ok()
}

/// An answer is the same in whatever pieces it comes, and never longer than asked for.
fn responses(bench: &Bench, random: &mut Random) {
    let (bytes, conditional) = (random.mutated(&bench.responses), random.below(2) == 0);
    let whole = read(&bytes, &mut || usize::MAX, conditional);
    assert_eq!(read(&bytes, &mut || 1 + random.below(9), conditional), whole);
    assert_eq!(read(&bytes, &mut || 1, conditional), whole);
    if let Some(Answer::Final(Fetched::Document(Document { body, .. }))) = whole {
        assert!(body.len() <= MAX_BODY);
    }
}

/// Nothing of the configuration becomes a line of its own.
fn requests(bench: &Bench, random: &mut Random) {
    let Some(url) = Url::parse(&random.text(&bench.urls)) else { return };
    let proxy = Proxy::parse(&random.text(&bench.urls));
    let headers = corpus(&["X-Key", "value", "Host", "a: b", "Bearer abc"]);
    let header = (random.text(&headers), random.text(&headers));
    let etag = random.text(&corpus(&["\"abc\"", "W/\"x\""]));
    let accept = random.text(&headers);
    let parts = RequestParts {
        accept: &accept,
        headers: &[header],
        etag: Some(&etag),
        proxy: proxy.as_ref(),
        padding: random.below(100),
    };
    if let Ok(request) = http::request(&url, &parts) {
        let text = String::from_utf8_lossy(&request).into_owned();
        let head = text.strip_suffix("\r\n\r\n").unwrap();
        assert!(
            head.split("\r\n").all(|line| !line.is_empty() && !line.contains(['\r', '\n', '\0'])),
            "{text:?}"
        );
    }
}

fn urls(bench: &Bench, random: &mut Random) {
    let (text, location) = (random.text(&bench.urls), random.text(&bench.urls));
    let Some(url) = Url::parse(&text) else { return };
    assert_eq!(Url::parse(&url.to_string()), Some(url.clone()), "{text:?}");
    if let Some(next) = url.follow(&location) {
        let secure = |url: &Url| url.to_string().starts_with("https://");
        assert!(!secure(&url) || secure(&next), "from {text:?} to {location:?}");
    }
}

fn proxies(bench: &Bench, random: &mut Random) {
    let replies = corpus(&["HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 407 No\r\nA: b\r\n\r\n"]);
    let _ = proxy::read_reply(&mut ResponseReader::of_tunnel(), &random.mutated(&replies));
    let Some(url) = Url::parse(&random.text(&bench.urls)) else { return };
    let exempt = corpus(&["localhost,.example.com:8080, 10.0.0.0/8,*", "::1/128", "idp.example"]);
    let _ = proxy::is_exempt(&url.origin, &random.text(&exempt));
    if let Some(proxy) = Proxy::parse(&random.text(&bench.urls)) {
        let connect = proxy::connect(&proxy, &url.origin, random.below(64));
        let head = connect.strip_suffix(b"\r\n\r\n").unwrap();
        assert!(!head.windows(4).any(|window| window == b"\r\n\r\n"));
    }
}

fn gzips(_: &Bench, random: &mut Random) {
    let content = vec![b'a'; 1_000];
    let members = [gzip_member(0, b"", &content), gzip_member(0x18, b"name\0comment\0", &content)];
    assert_eq!(gzip::decode(&members[random.below(2)], 1_000).as_ref(), Ok(&content));
    let bytes = random.mutated(&members);
    let max = random.below(2_000);
    if let Ok(content) = gzip::decode(&bytes, max) {
        assert!(content.len() <= max);
    }
}

/// RFC 1952.
fn gzip_member(flags: u8, texts: &[u8], content: &[u8]) -> Vec<u8> {
    let sum = !content.iter().fold(u32::MAX, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (if sum & 1 == 1 { 0xedb8_8320 } else { 0 }))
    });
    let length = content.len() as u32;
    let head = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    let deflated = miniz_oxide::deflate::compress_to_vec(content, 6);
    [&head, texts, &deflated, &sum.to_le_bytes(), &length.to_le_bytes()].concat()
}

fn document(random: &mut Random) -> SharedDocument {
    let document = Document {
        body: vec![random.below(256) as u8; random.below(3_000)],
        cache_control: "max-age=60".into(),
        age: Seconds(random.below(100) as u64),
        etag: (random.below(2) == 0).then(|| "\"x\"".to_owned()),
    };
    SharedDocument { document, fetched_at: UnixTime::from_seconds(NOW - random.below(1_000) as u64) }
}

fn failure() -> Failure {
    Failure { at: UnixTime::from_seconds(NOW), reason: "status 500".into() }
}

/// Every record is read as it was written; one that was changed is none, or has a meaning that it keeps.
fn records(_: &Bench, random: &mut Random) {
    let mut record = Record::default();
    for now in 1..=random.below(8) as u64 + 1 {
        let (source, owner) = (SourceId([random.below(4) as u8; 16]), random.below(3) as u32);
        let waiting = if random.below(2) == 0 { Waiting::ForDocument } else { Waiting::NotAtAll };
        record.turn(source, Version(random.below(9) as u64), waiting, owner, Nanos(now), Seconds(1));
        if random.below(2) == 0 {
            let attempt = if random.below(3) > 0 { Ok(document(random)) } else { Err(failure()) };
            record.finish(source, owner, Nanos(now), attempt);
        }
        let mut other = Record::default();
        other.finish(source, owner, Nanos(now + 100), Ok(document(random)));
        if random.below(4) == 0 {
            record.merge(other);
        }
    }
    let bytes = record.encode();
    assert_eq!(Record::decode(&bytes, Nanos(u64::MAX)), Some(record));
    let changed = random.mutated(std::slice::from_ref(&bytes));
    if let Some(read) = Record::decode(&changed, Nanos(u64::MAX)) {
        assert_eq!(changed, bytes, "a changed record was taken for whole");
        assert_eq!(read.encode(), bytes);
    }
}

/// One file, which another writes while nobody looks.
#[derive(Default)]
struct OneFile(RefCell<Vec<u8>>);

impl Directory for OneFile {
    fn load(&self, _: &str, _: &str, max_bytes: usize) -> Option<Vec<u8>> {
        Some(self.0.borrow().clone()).filter(|file| !file.is_empty() && file.len() <= max_bytes)
    }

    fn store(&self, _: &str, _: &str, content: &[u8]) {
        *self.0.borrow_mut() = content.to_vec();
    }

    fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
        Claim::Ours
    }

    fn release(&self, _: &str, _: &str) {}

    fn pause(&self) {}
}

/// A file is taken as it was stored, or not at all.
fn directories(_: &Bench, random: &mut Random) {
    let (files, stored) = (OneFile::default(), document(random));
    let now = || UnixTime::from_seconds(NOW);
    let found = |source: u8, fetched: Option<&SharedDocument>| {
        let source = SourceId([source; 16]);
        let (lease, max_body_bytes) = (Seconds(1), 3_000);
        let cache = DirectoryCache { files: &files, directory: "/d", source, lease, max_body_bytes };
        match cache.begin(None, &|_| Some(((), DocumentState::Fresh)), &now) {
            Found::Document(document, ()) => Some(document),
            Found::Fetch(claim) => {
                cache.finish(claim, fetched);
                None
            }
        }
    };
    assert_eq!(found(1, Some(&stored)), None);
    assert_eq!(found(1, None).as_ref(), Some(&stored), "from the file");
    assert_eq!(found(2, None), None, "of another source");
    let whole = files.0.borrow().clone();
    let changed = random.mutated(std::slice::from_ref(&whole));
    *files.0.borrow_mut() = changed.clone();
    assert_eq!(found(1, None), (changed == whole).then_some(stored));
}

fn discoveries(_: &Bench, random: &mut Random) {
    let documents = corpus(&[
        r#"{"issuer":"https://idp.example/","jwks_uri":"https://idp.example/jwks"}"#,
        "{\"a\":[{}]}",
    ]);
    let issuers = corpus(&["https://idp.example/tenant/", "https://idp.example"]);
    if let Some(issuer) = Url::parse(&random.text(&issuers)) {
        for url in discovery::metadata_urls(&issuer) {
            assert_eq!(url.origin, issuer.origin);
            let document = random.mutated(&documents);
            if let Ok(set) = discovery::jwks_uri(document, &["https://idp.example/".into()], &url) {
                assert!(url.may_lead_to(&set));
            }
        }
    }
    let headers = corpus(&["max-age=600, no-store", "public, s-maxage=\"5\", max-age=99999999999999999999"]);
    if let Some(lifetime) =
        cache_control::lifetime(&random.text(&headers), Seconds(random.below(5_000) as u64))
    {
        assert!((60..=86_400).contains(&lifetime.0), "{lifetime:?}");
    }
}

/// What is taken out of a request is gone.
fn request_parts(_: &Bench, random: &mut Random) {
    let cookies =
        corpus(&["a=b; session=x.y.z; session=2", "session=\"q\";;=;session", "  session = 1, SESSION[]=2"]);
    let lines = vec![random.mutated(&cookies), random.mutated(&cookies)];
    if let Some(left) = cookie::without(&lines, "session") {
        assert_eq!(cookie::values(&left, "session").count(), 0, "{:?}", String::from_utf8_lossy(&left));
    }
    let targets = corpus(&[
        "/a/b?token=1&x=2&token",
        "/?%74oken=x&;token=2",
        "/?+TOKEN%00=1&[token[]=2",
        "/a%2F..%2fb/./../c;d?",
        "*",
    ]);
    let target = random.text(&targets);
    let target = target.as_bytes();
    let left = uri::without_query_parameter(target, "token");
    assert_eq!(uri::query_values(&left, "token").count(), 0, "{target:?} {left:?}");
    let path = unambiguous(target);
    if let Some(pattern) = PathPattern::parse(&random.text(&corpus(&["/public/*", "/health", "/a/*/b"]))) {
        let _ = path.is_some_and(|path| pattern.matches(&path));
    }
}
