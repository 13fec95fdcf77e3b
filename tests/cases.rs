//! The rows of `tests/cases/` through `decide`, without a Traefik: the same rows run in one by `make e2e`. Each row is
//! asked twice: a token that is known from before has to be answered as a new one.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use serde_json::json;
use testbed::cases::{Bed, Case, Seen, load};
use testbed::tokens::{Token, forged, padded};
use testbed::{keys, wait};
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::answer::verdict::Label;
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
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| run(case, now).err().map(|difference| format!("{}: {difference}", case.name)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn run(case: &Case, now: UnixTime) -> Result<(), String> {
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
    let request = case.request.headers.iter().fold(
        RecordedRequest::new(&case.request.method, &case.request.path).from_address(LOCALHOST),
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
        let found = match decided(&policy, &keyring, now, &request).decision {
            Decision::Reject(reject) => reject.refusal.code(),
            Decision::Forward(_) => "passed",
            Decision::Serve(_) | Decision::NeedKeys(_) => "something else",
        };
        assert_eq!(found, expected, "{mode} {strip} {target}");
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
