//! A provider that dies after each byte of what it says: of the handshake, the head, the body. Whatever came is no key: the
//! answer is that there are none, or they are there by another attempt, and the next request brings them.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::cut::CutWire;
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

/// Issuers of a router, each of which is asked for once.
const ISSUERS: usize = 150;
/// What TLS says differs in length from time to time: signatures.
const VARIES: usize = 8;

/// A form of an answer.
struct Form {
    name: &'static str,
    behaviour: Behaviour,
    has_tls: bool,
    /// How many bytes of its end may be missing.
    ends: usize,
    /// Whether a part of it is known to be one, so that it is asked for again.
    says_its_end: bool,
}

const FORMS: [Form; 5] = [
    Form { name: "length", behaviour: Behaviour::Up, has_tls: false, ends: 0, says_its_end: true },
    // The empty line after the last chunk may be missing, and its own end.
    Form { name: "chunks", behaviour: Behaviour::Chunked, has_tls: false, ends: 4, says_its_end: true },
    // Whatever came is all of it: the set itself must be whole.
    Form { name: "close", behaviour: Behaviour::UntilClose, has_tls: false, ends: 0, says_its_end: false },
    // The goodbye of TLS comes after the document.
    Form { name: "TLS, length", behaviour: Behaviour::Up, has_tls: true, ends: 64, says_its_end: true },
    // It is what ends the document.
    Form {
        name: "TLS, close",
        behaviour: Behaviour::UntilClose,
        has_tls: true,
        ends: VARIES,
        says_its_end: true,
    },
];

/// Some bytes of every form.
pub(crate) fn some_bytes() {
    FORMS.iter().zip([2, 5, 5, 83, 97]).for_each(|(form, step)| sweep(form, step));
}

/// Every byte of every form, for `make cruel`.
pub(crate) fn every_byte() {
    FORMS.iter().for_each(|form| sweep(form, 1));
}

/// Cuts at every `step`th byte.
fn sweep(form: &Form, step: usize) {
    let start = if form.has_tls { JwksServer::https } else { JwksServer::http };
    let mut server = start(keys::jwk_set(&["ed25519"]).to_string());
    server.set(form.behaviour.clone());
    let wire = CutWire::to(server.address());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let bed = Bed { form, server: &server, wire: &wire, upstream: &upstream, traefik: &traefik };
    let whole = bed.whole();
    let ends = [whole.saturating_sub(form.ends + 1), whole - 1, whole, whole + VARIES];
    let cuts: Vec<usize> = (0..whole).step_by(step).chain(ends).collect();
    let mut least = usize::MAX;
    for (number, cuts) in cuts.chunks(ISSUERS).enumerate() {
        least = least.min(bed.router(number, cuts, whole));
    }
    println!("dying, {}: {} cuts of {whole} bytes, there were keys from {least} on", form.name, cuts.len());
    let traps = traefik.log_with(0, &["wasm error"]);
    assert!(traps.is_empty(), "{}: {traps:?}", form.name);
}

struct Bed<'b> {
    form: &'b Form,
    server: &'b JwksServer,
    wire: &'b CutWire,
    upstream: &'b Upstream,
    traefik: &'b Traefik,
}

fn issuer(number: usize) -> String {
    format!("https://issuer-{number}.example/")
}

impl Bed<'_> {
    fn configuration(&self, issuers: usize, retries: usize) -> Value {
        let scheme = if self.server.ca_pem().is_empty() { "http" } else { "https" };
        let base = format!("{scheme}://localhost:{}/jwks.json", self.wire.address().port());
        let trusted: Vec<Value> = (0..issuers)
            .map(|number| json!({"issuer": issuer(number), "jwksUrl": format!("{base}?{number}")}))
            .collect();
        json!({
            "trustedIssuers": trusted,
            "clientConfig": {
                "tls": {"ca": self.server.ca_pem()}, "allowHttp": true, "timeoutSeconds": 5, "maxRetries": retries,
            },
            "jwksCache": {"cooldownSeconds": 1},
        })
    }

    fn configure(&self, name: &str, issuers: usize) {
        let mut routes = Routes::to(&self.upstream.url());
        routes.protect(name, FETCH, &self.configuration(issuers, 0));
        routes.protect(&format!("{name}-again"), FETCH, &self.configuration(issuers, 1));
        self.traefik.configure(&routes);
    }

    /// The status for a token of this issuer, and of one that nobody signed.
    fn statuses(&self, host: &str, number: usize) -> (u16, u16) {
        let claims = json!({"iss": issuer(number), "sub": "alice", "exp": unix_now() + 600});
        let token = Token::new("EdDSA", claims.clone());
        let mut forged = Token::new("EdDSA", claims).signed_by("ed25519-other");
        forged.kid = Some(Some("ed25519".into()));
        let [good, forged] = [token, forged].map(|token| {
            let before = self.upstream.requests();
            let answer = self.traefik.send(&Request::get(host, "/").bearer(&token.mint()));
            let reached = self.upstream.requests() - before;
            assert_eq!(reached, usize::from(answer.status == 200), "{}: {host}", self.form.name);
            if answer.status == 503 {
                assert_eq!(answer.text(), r#"{"error": "Keys unavailable"}"#, "{}: {host}", self.form.name);
            }
            answer.status
        });
        (good, forged)
    }

    /// Bytes of a whole answer, and of the handshake before it.
    fn whole(&self) -> usize {
        self.configure("whole", 1);
        assert_eq!(self.statuses("whole", 0), (200, 401), "{}", self.form.name);
        self.wire.passed()
    }

    /// One router, each of whose issuers is asked for by a connection that ends after as many bytes as `cuts` says. The
    /// fewest with which there were keys.
    fn router(&self, number: usize, cuts: &[usize], whole: usize) -> usize {
        let (form, name) = (self.form.name, format!("router-{number}"));
        self.configure(&name, cuts.len());
        let mut least = usize::MAX;
        for (number, cut) in cuts.iter().enumerate() {
            // What looks like a fault of the host is tried again without a word.
            self.wire.cut(*cut, usize::MAX);
            match self.statuses(&name, number) {
                (200, 401) => {
                    assert!(cut + self.form.ends >= whole, "{form}: cut after {cut} of {whole} bytes");
                    least = least.min(*cut);
                }
                // A forged one asks no sooner.
                statuses => {
                    assert_eq!(statuses, (503, 503), "{form}: cut after {cut} bytes");
                    let varies = if self.form.has_tls { VARIES } else { 0 };
                    assert!(*cut < whole + varies, "{form}: whole, and there are no keys");
                }
            }
            // Another attempt of the same request brings them, whatever became of the first.
            if self.form.says_its_end && number.is_multiple_of(8) {
                let (before, connections) = (self.server.requests(), self.wire.connections());
                self.wire.cut(*cut, 1);
                assert_eq!(self.statuses(&format!("{name}-again"), number), (200, 401), "{form}: {cut}");
                let tried = (self.server.requests() - before, self.wire.connections() - connections);
                assert!(tried.0 >= 1 && tried.1 <= 2, "{form}: {tried:?} with a cut after {cut} bytes");
            }
        }
        self.wire.cut(0, 0);
        // The back-off of the first failure is a second and a quarter at most.
        std::thread::sleep(Duration::from_millis(1_300));
        for (number, cut) in cuts.iter().enumerate() {
            wait(&format!("{form}: the keys are there, cut after {cut} bytes before"), 15, || {
                (self.statuses(&name, number) == (200, 401)).then_some(())
            });
        }
        least
    }
}
