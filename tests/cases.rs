//! The rows of `tests/cases/` through `decide`, without a Traefik: the same rows run in one by `make e2e`. Each row is
//! asked twice: a token that is known from before has to be answered as a new one.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use serde_json::{Value, json};
use testbed::asked::{asked, question};
use testbed::cases::{Bed, Case, CaseRequest, Seen, load};
use testbed::tokens::{Token, forged, padded};
use testbed::{keys, wait};
use traefik_jwt_auth::core::answer::managed::SetHeader;
use traefik_jwt_auth::core::answer::verdict::Label;
use traefik_jwt_auth::core::answer::{Decision, Reject};
use traefik_jwt_auth::core::bypass::Body;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::{Decided, decide};
use traefik_jwt_auth::core::evidence;
use traefik_jwt_auth::core::known_token::Memory as _;
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::refusal_log::Fate;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{FetchError, Fetched};
use traefik_jwt_auth::documents::outside::Outside;
use traefik_jwt_auth::keys::keyring::Keyring;

/// Where the requests of the same rows come from when they go through a Traefik.
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const URL: &str = "https://localhost:1/jwks.json";

/// The provider, without a network.
fn outside(now: UnixTime) -> Outside {
    Outside::new().at(now).with_provider(|url| {
        if url.to_string() != URL {
            return Err(FetchError::Connect);
        }
        let body = keys::public_set().to_string().into_bytes();
        Ok(Fetched::Document(Document { body, ..Document::default() }))
    })
}

/// Decides, and has `keyring` remember what was learnt.
fn decided<'p>(
    policy: &'p Policy,
    keyring: &Keyring,
    now: UnixTime,
    request: &RecordedRequest,
) -> Decided<'p> {
    let mut decided = decide(policy, &keyring.at(now), now, request);
    keyring.remember(std::mem::take(&mut decided.learned));
    decided
}

#[test]
fn every_row_natively() {
    let now = wait::unix_now();
    let cases = load(&Bed { now, jwks_url: URL.into(), ca_pem: String::new() });
    let now = UnixTime::from_seconds(u64::try_from(now).unwrap());
    all(&cases, |case| run(case, &case.request, now));
}

/// The same rows where a proxy asks about them.
#[test]
fn every_row_through_a_proxy_that_asks() {
    let now = wait::unix_now();
    let cases = load(&Bed { now, jwks_url: URL.into(), ca_pem: String::new() });
    let now = UnixTime::from_seconds(u64::try_from(now).unwrap());
    let asked: Vec<Case> = cases.iter().filter_map(|case| asked(case, &managed(&case.config))).collect();
    let loaded =
        cases.iter().filter(|case| case.expect.refused.is_empty() && case.config["answerAs"].is_null());
    // What is left out is about documents, bodies, other spellings of headers and certificates.
    assert!(asked.len() + 50 > loaded.clone().count(), "{} of {}", asked.len(), loaded.count());
    all(&asked, |case| run(case, &question(&case.request), now));
}

/// The word of `verdictHeader` about every row, whatever its client says: the code of its refusal, or that there is none.
#[test]
fn every_row_has_its_verdict() {
    const NAME: &str = "X-Row-Verdict";
    let now = wait::unix_now();
    let cases = load(&Bed { now, jwks_url: URL.into(), ca_pem: String::new() });
    let now = UnixTime::from_seconds(u64::try_from(now).unwrap());
    // Where nothing is refused, rows do not say the code, nor do all others.
    let says_code = |case: &Case| {
        let passes_all = matches!(case.config["mode"].as_str(), Some("permissive" | "dryRun"));
        let has_code = case.expect.code.is_some() || case.expect.served || case.expect.status == 200;
        case.expect.refused.is_empty() && has_code && !passes_all
    };
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(says_code)
        .map(|mut case| {
            case.config["verdictHeader"] = json!({"request": NAME, "response": NAME});
            case.request
                .headers
                .extend([NAME, "x_row_verdict"].map(|name| (name.to_owned(), "root".to_owned())));
            case
        })
        .collect();
    all(&cases, |case| {
        let says = |verdict: &str| {
            let mut case = case.clone();
            let header = (NAME.to_owned(), Some(verdict.to_owned()));
            for place in [&mut case.expect.headers, &mut case.expect.upstream, &mut case.expect.answered] {
                place.retain(|(_, value)| value.is_none());
                place.push(header.clone());
            }
            run(&case, &case.request, now)
        };
        match &case.expect.code {
            Some(code) => says(code),
            None if case.expect.served => says("anonymous"),
            None => says("allow").or_else(|_| says("anonymous")),
        }
    });
    let codes: BTreeSet<&str> = cases.iter().filter_map(|case| case.expect.code.as_deref()).collect();
    let (requests, _) = include_str!("../docs/errors.md").split_once("## Configurations").unwrap();
    let documented = requests.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let others: Vec<&str> = documented.filter(|code| !codes.contains(code)).collect();
    // No client can send the first, a middleware is never asked the second, and the others need a directory.
    assert_eq!(others, ["target_malformed", "change_not_possible", "proof_replayed", "token_revoked"]);
}

/// The names of the managed headers.
fn managed(config: &Value) -> Vec<String> {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = compile(config.to_string().as_bytes(), &capabilities).ok();
    let rows = policy.iter().flat_map(|policy| policy.forward.managed.rows());
    rows.map(|row| row.name().to_owned()).collect()
}

fn all(cases: &[Case], run: impl Fn(&Case) -> Result<(), String>) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| run(case).err().map(|difference| format!("{}: {difference}", case.name)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Runs a row by sending `request`.
fn run(case: &Case, request: &CaseRequest, now: UnixTime) -> Result<(), String> {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = match compile(case.config.to_string().as_bytes(), &capabilities) {
        Ok(policy) => Rc::new(policy),
        Err(errors) => {
            let said = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            let refused =
                !case.expect.refused.is_empty() && case.expect.refused.iter().all(|word| said.contains(word));
            return if refused { Ok(()) } else { Err(said) };
        }
    };
    if !case.expect.refused.is_empty() {
        return Err("the configuration is not refused".into());
    }
    let request = request.headers.iter().fold(
        RecordedRequest::new(&request.method, &request.path).from_address(LOCALHOST),
        |request, (name, value)| request.header(name, value.as_bytes()),
    );
    let (keyring, outside) = (Keyring::new(Rc::clone(&policy)), outside(now));
    let mut first = decided(&policy, &keyring, now, &request);
    if let Decision::NeedKeys(need) = &first.decision {
        keyring.refresh(need, now, &outside.io());
        first = decided(&policy, &keyring, now, &request);
    }
    let check = |Decided { decision, found, .. }: Decided<'_>| {
        let logged = match &decision {
            Decision::Reject(reject) => Some((&reject.refusal, Fate::Refused(reject.status))),
            Decision::Accept(accept) => accept.refused.as_ref().map(|refusal| (refusal, Fate::Passed)),
            Decision::Forward(forward) => forward.refused.as_ref().map(|refusal| (refusal, Fate::Passed)),
            Decision::Serve(_) | Decision::NeedKeys(_) => None,
        };
        let line = logged
            .map(|why| evidence::line(&policy, &keyring.at(now), now, why, 0, found.as_ref(), &request));
        let line = line.unwrap_or_default();
        compare(case, decision)?;
        if case.expect.is_logged_in(&line) { Ok(()) } else { Err(format!("the log has {line}")) }
    };
    check(first)?;
    check(decided(&policy, &keyring, now, &request))
        .map_err(|difference| format!("{difference} (asked again)"))
}

fn compare(case: &Case, decision: Decision) -> Result<(), String> {
    match decision {
        Decision::Forward(forward) => {
            let gone = |name: &str| {
                let set = forward.headers().map(|(name, _)| name);
                forward.removed().chain(set).any(|other| other.eq_ignore_ascii_case(name))
            };
            let kept = case.request.headers.iter().filter(|(name, _)| !gone(name)).cloned();
            let set = forward
                .headers()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()));
            let uri = forward.uri.as_ref().map(|uri| String::from_utf8_lossy(uri).into_owned());
            let uri = uri.unwrap_or_else(|| case.request.path.clone());
            let upstream = Seen { uri, headers: kept.chain(set).collect() };
            let response: Vec<_> = forward.response().cloned().collect();
            case.expect.compare(200, &response, "", Some(&upstream))
        }
        Decision::Reject(reject) => {
            let code = reject.refusal.code();
            if case.expect.code.as_deref().is_some_and(|expected| expected != code) {
                return Err(format!("code {code}, expected {:?}", case.expect.code));
            }
            let body = String::from_utf8_lossy(&reject.body);
            compare_label(case, &reject.label)?;
            let headers: Vec<_> = reject.label.response.into_iter().chain(reject.headers).collect();
            case.expect
                .compare(reject.status, &headers, &body, None)
                .map_err(|difference| format!("{difference} ({code})"))
        }
        Decision::Accept(accept) => {
            compare_label(case, &accept.label)?;
            let set: Vec<_> = accept
                .headers()
                .map(|header| {
                    (header.name().to_owned(), String::from_utf8_lossy(header.value()).into_owned())
                })
                .collect();
            // A proxy removes what it takes from the answer first; Traefik is told to remove other spellings.
            let gone = |name: &str| accept.label.remove.iter().any(|other| other.eq_ignore_ascii_case(name));
            let kept = case.request.headers.iter().filter(|(name, _)| !gone(name)).cloned();
            let upstream = Seen { uri: case.request.path.clone(), headers: kept.chain(set).collect() };
            case.expect.compare(200, &[], "", Some(&upstream))
        }
        Decision::Serve(served) => {
            compare_label(case, &served.label)?;
            let headers = served.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
            let headers: Vec<_> = served.label.response.into_iter().chain(headers).collect();
            case.expect.compare(served.status, &headers, &String::from_utf8_lossy(&served.body), None)
        }
        Decision::NeedKeys(_) => panic!("{decision:?}"),
    }
}

/// What Traefik's metrics and access log find in a request that is answered here: what a client sent under managed names
/// is gone.
fn compare_label(case: &Case, label: &Label) -> Result<(), String> {
    let sent = case.request.headers.iter();
    let kept =
        sent.filter(|(name, _)| !label.remove.iter().any(|gone| gone.eq_ignore_ascii_case(name))).cloned();
    let set = label
        .request
        .iter()
        .map(|header| (header.name().to_owned(), String::from_utf8_lossy(header.value()).into_owned()));
    case.expect.compare_request(&kept.chain(set).collect::<Vec<_>>())
}

/// What a proxy asks about is what counts, whatever the question looks like; and it is told nothing that the client said.
#[test]
fn what_a_proxy_is_told() {
    const ASKED: [(&str, &str); 4] = [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "acme.example"),
        ("X-Forwarded-Uri", "/orders"),
    ];
    let now = UnixTime::from_seconds(u64::try_from(wait::unix_now()).unwrap());
    let alice = Token::new("EdDSA", json!({"sub": "alice", "tenant": "acme", "exp": now.as_seconds() + 60}));
    let bearer = format!("Bearer {}", alice.mint());
    let token = ("Authorization", bearer.as_str());
    let stale = format!("jwt=x; jwt={}", alice.mint());
    let elsewhere: IpAddr = [192, 0, 2, 1].into();
    let all = json!({
        "bypassPaths": ["/health"], "bypassMethods": ["HEAD"], "bypassPreflight": true, "mode": "required",
        "status": {"path": "/status", "sourceRange": ["127.0.0.1"]}, "resourceMetadata": {"resource": "https://acme.example", "authorizationServers": ["https://idp.example"]},
        "claims": "Equals(`tenant`, `{host.0}`)", "verdictHeader": {"request": "X-Verdict", "response": "X-Seen"},
        "errors": {"redirectUrl": "https://login.example/?next={url}"}, "tokenSources": [{"header": "Authorization", "scheme": "Bearer"}, {"cookie": "jwt"}],
    });
    let with = |changes: Value| {
        let mut config = all.clone();
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    };
    let metadata = "/.well-known/oauth-protected-resource";
    let accepted = "200 X-User-Sub: alice, X-Verdict: allow";
    let anonymous = "200 X-Verdict: anonymous";
    for (config, from, target, headers, expected) in [
        (with(json!({})), LOCALHOST, "/", &[token][..], accepted),
        (with(json!({})), LOCALHOST, "/health", &[], "401 token_missing"),
        (with(json!({})), LOCALHOST, "/status", &[], "401 token_missing"),
        (with(json!({})), LOCALHOST, metadata, &[], "401 token_missing"),
        (with(json!({})), LOCALHOST, "/", &[("X-Forwarded-Uri", "/health")], anonymous),
        (with(json!({})), LOCALHOST, "/", &[("X-Forwarded-Uri", "/health/../orders")], "401 token_missing"),
        (with(json!({})), LOCALHOST, "/", &[("X-Forwarded-Uri", "/status")], "401 token_missing"),
        (with(json!({})), LOCALHOST, "/", &[("X-Forwarded-Uri", metadata)], "401 token_missing"),
        (with(json!({})), LOCALHOST, "/", &[("X-Forwarded-Method", "HEAD")], anonymous),
        (
            with(json!({})),
            LOCALHOST,
            "/",
            &[
                ("X-Forwarded-Method", "OPTIONS"),
                ("Origin", "https://a.example"),
                ("Access-Control-Request-Method", "PUT"),
            ],
            anonymous,
        ),
        (
            with(json!({})),
            LOCALHOST,
            "/",
            &[token, ("X-Forwarded-Host", "other.example")],
            "403 claims_rejected",
        ),
        (
            with(json!({})),
            LOCALHOST,
            "/",
            &[token, ("X-User-Sub", "root"), ("x_user_sub", "root"), ("X-Verdict", "root")],
            accepted,
        ),
        (
            with(json!({"mode": "optional"})),
            LOCALHOST,
            "/",
            &[("X-User-Sub", "root"), ("X-Verdict", "allow")],
            anonymous,
        ),
        (with(json!({"mode": "permissive"})), LOCALHOST, "/", &[], "200 X-Verdict: token_missing"),
        (
            with(json!({"mode": "dryRun"})),
            LOCALHOST,
            "/",
            &[("Authorization", "Bearer x")],
            "200 X-Verdict: token_malformed",
        ),
        (
            with(json!({})),
            LOCALHOST,
            "/",
            &[("Sec-Fetch-Mode", "navigate"), ("X-Forwarded-Uri", "/a?b=c")],
            "302 https://login.example/?next=https%3A%2F%2Facme.example%2Fa%3Fb%3Dc",
        ),
        (with(json!({})), LOCALHOST, "/", &[("Cookie", &stale)], "400 change_not_possible"),
        (
            with(json!({})),
            LOCALHOST,
            "/",
            &[("X-Forwarded-Method", "POST"), ("Content-Type", "application/grpc")],
            "401 token_missing",
        ),
        // Nothing opens the door to those who may not ask, nor to questions that are not clear.
        (with(json!({})), elsewhere, "/", &[token], "403 peer_not_trusted"),
        (with(json!({"mode": "optional"})), elsewhere, "/", &[], "403 peer_not_trusted"),
        (with(json!({"mode": "permissive"})), elsewhere, "/", &[], "403 peer_not_trusted"),
        (
            with(json!({"mode": "permissive", "bypassPaths": ["/orders"]})),
            elsewhere,
            "/orders",
            &[],
            "403 peer_not_trusted",
        ),
        (with(json!({})), elsewhere, metadata, &[], "403 peer_not_trusted"),
        (
            with(json!({"mode": "permissive"})),
            LOCALHOST,
            "/",
            &[("X-Forwarded-Uri", "orders")],
            "400 forwarded_request_invalid",
        ),
        (
            with(json!({"mode": "optional"})),
            LOCALHOST,
            metadata,
            &[("X-Forwarded-Uri", "/a"), ("X-Forwarded-Uri", "/health")],
            "400 forwarded_request_invalid",
        ),
    ] {
        let mut config = config;
        (config["answerAs"], config["jwks"]) = (json!("forwardAuth"), keys::public_set());
        let capabilities = Capabilities { fetch: true, env: &|_| None };
        let policy = Rc::new(compile(config.to_string(), &capabilities).expect("a configuration"));
        let keyring = Keyring::new(Rc::clone(&policy));
        let is_said = |name: &str| headers.iter().any(|(said, _)| *said == name);
        let asked = ASKED.iter().filter(|(name, _)| !is_said(name)).chain(headers);
        let request = asked.fold(
            RecordedRequest::new("GET", target).header("Host", "auth.internal").from_address(from),
            |request, (name, value)| request.header(name, *value),
        );
        let found = match decided(&policy, &keyring, now, &request).decision {
            Decision::Accept(accept) => {
                let text = |header: &SetHeader| {
                    format!("{}: {}", header.name(), String::from_utf8_lossy(header.value()))
                };
                format!("200 {}", accept.headers().map(text).collect::<Vec<_>>().join(", "))
            }
            Decision::Reject(Reject { status: 302, headers, .. }) => {
                format!("302 {}", headers.iter().find(|(name, _)| name == "Location").unwrap().1)
            }
            Decision::Reject(reject) => format!("{} {}", reject.status, reject.refusal.code()),
            other @ (Decision::Forward(_) | Decision::Serve(_) | Decision::NeedKeys(_)) => {
                format!("{other:?}")
            }
        };
        assert_eq!(found, expected, "{from} {target} {headers:?} {config}");
    }
}

/// No client can send such a target; a middleware in front can make one (`replacePath: foo`), and the host would end the
/// request with a panic if it were told one without the token.
#[test]
fn a_target_that_cannot_be_changed_is_refused_in_every_mode() {
    let now = UnixTime::from_seconds(u64::try_from(wait::unix_now()).unwrap());
    for (mode, strip, target, expected) in [
        ("required", true, "foo?access_token=a.b.c", "token_malformed"),
        ("permissive", true, "foo?access_token=a.b.c", "target_malformed"),
        ("dryRun", true, "foo?x=1&access_token=a.b.c", "target_malformed"),
        ("permissive", true, "/foo?access_token=a.b.c", "passed"),
        ("permissive", false, "foo?access_token=a.b.c", "passed"),
        ("permissive", true, "foo?x=1", "passed"),
    ] {
        let config = json!({
            "jwks": keys::public_set(), "mode": mode, "forwardAuthorization": !strip,
            "tokenSources": [{"query": "access_token"}],
        });
        let policy = Rc::new(
            compile(config.to_string(), &Capabilities { fetch: true, env: &|_| None })
                .expect("a configuration"),
        );
        let keyring = Keyring::new(Rc::clone(&policy));
        let request = RecordedRequest::new("GET", target);
        let Decided { decision, found, .. } = decided(&policy, &keyring, now, &request);
        let code = match decision {
            Decision::Reject(reject) => {
                let refusal = &reject.refusal;
                let of = evidence::of(&policy, &keyring.at(now), now, refusal, found.as_ref(), &request);
                let begins = of.expected == "a target that begins with a slash";
                assert_eq!(begins, expected == "target_malformed", "{of:?}");
                reject.refusal.code()
            }
            Decision::Forward(_) => "passed",
            Decision::Accept(_) | Decision::Serve(_) | Decision::NeedKeys(_) => "something else",
        };
        assert_eq!(code, expected, "{mode} {strip} {target}");
    }
}

/// Some back ends read a request's body as another request, or by another method that it names.
#[test]
fn what_a_preflight_or_a_method_lets_pass_has_no_body() {
    let now = UnixTime::from_seconds(u64::try_from(wait::unix_now()).unwrap());
    let config = json!({
        "jwks": keys::public_set(), "bypassPreflight": true, "bypassMethods": ["HEAD"],
        "bypassPaths": ["/open"], "mode": "permissive",
    });
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = Rc::new(compile(config.to_string(), &capabilities).expect("a configuration"));
    let keyring = Keyring::new(Rc::clone(&policy));
    let preflight = RecordedRequest::new("OPTIONS", "/a")
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "PUT");
    for (request, expected) in [
        (preflight, Body::Drop),
        (RecordedRequest::new("HEAD", "/a"), Body::Drop),
        (RecordedRequest::new("POST", "/open"), Body::Keep),
        (RecordedRequest::new("POST", "/a"), Body::Keep),
    ] {
        let Decision::Forward(forward) = decided(&policy, &keyring, now, &request).decision else {
            panic!("{expected:?} is not forwarded");
        };
        assert_eq!(forward.body, expected);
    }
}

/// Forged copies of a cookie cost together what one forged token may, and what was not tried is not remembered as bad.
#[test]
fn copies_of_a_cookie_share_what_a_token_may_cost() {
    let now = UnixTime::from_seconds(u64::try_from(wait::unix_now()).unwrap());
    let set = keys::strangers("rsa-4096", 8);
    let config =
        json!({"jwks": set.to_string(), "algorithms": ["RS256"], "tokenSources": [{"cookie": "jwt"}]});
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = Rc::new(compile(config.to_string(), &capabilities).expect("a configuration"));
    let keyring = Keyring::new(Rc::clone(&policy));
    let tokens: Vec<String> =
        forged("RS256", None, (0..3).map(|n| json!({"n": n, "exp": now.as_seconds() + 60})))
            .iter()
            .zip(1_u8..)
            .map(|(token, n)| format!("{}.{}", token.rsplit_once('.').unwrap().0, keys::encode(&[n; 512])))
            .collect();
    let cookies: Vec<String> = tokens.iter().map(|token| format!("jwt={token}")).collect();
    let request = RecordedRequest::new("GET", "/").header("Cookie", cookies.join("; "));
    for looked_at in 1..=3 {
        let Decision::Reject(reject) = decided(&policy, &keyring, now, &request).decision else { panic!() };
        assert_eq!(reject.refusal.code(), "signature_invalid");
        let known = tokens.iter().filter(|token| keyring.at(now).recall(token.as_bytes()).is_some());
        assert_eq!(known.count(), looked_at);
    }
}

/// What was accepted where padding is taken is not known where it is not.
#[test]
fn padding_is_for_its_place_also_in_a_known_token() {
    let now = UnixTime::from_seconds(u64::try_from(wait::unix_now()).unwrap());
    let config = json!({
        "jwks": keys::public_set(), "tokenSources": [{"header": "X-Padded", "padding": true}, {"header": "X-Plain"}],
    });
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = Rc::new(compile(config.to_string(), &capabilities).expect("a configuration"));
    let keyring = Keyring::new(Rc::clone(&policy));
    let token = Token::new("ES256", json!({"sub": "alice", "exp": now.as_seconds() + 60})).mint();
    let token = padded("ES256", "p256", &token);
    assert!(token.contains('='));
    for (header, expected) in [("X-Plain", false), ("X-Padded", true), ("X-Plain", false), ("X-Padded", true)]
    {
        let request = RecordedRequest::new("GET", "/").header(header, token.as_str());
        let decision = decided(&policy, &keyring, now, &request).decision;
        assert_eq!(matches!(decision, Decision::Forward(_)), expected, "{header}: {decision:?}");
    }
}
