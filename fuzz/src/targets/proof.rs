//! Proofs of possession: DPoP by the checks of RFC 9449 4.3, and certificates that proxies hand on.

use std::rc::Rc;

use serde_json::Value;
use testbed::proofs::{public_jwk, sha256, thumbprint};
use traefik_jwt_auth::core::proof::certificate::CertificateFormat;
use traefik_jwt_auth::core::proof::dpop::{self, Demand, DpopRules, KeptKeys, Replay};
use traefik_jwt_auth::core::proof::nonce::{NonceSecret, NonceSecrets};
use traefik_jwt_auth::core::proof::replay::{ReplayMemory, Use, UsedProof};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::signature::VerifyingKey;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};
use traefik_jwt_auth::core::url::Url;

use super::json::defined;
use super::url::{assert_same_server, has_idna};
use crate::NOW;
use crate::cut::{choice, parts, text};
use crate::mark::mark;
use crate::strict::Tree;

const TOKEN: &[u8] = b"a.b.c";

/// Nothing is remembered.
struct Nothing;

impl KeptKeys for Nothing {
    fn kept(&self, _: &str) -> Option<Rc<VerifyingKey>> {
        None
    }

    fn keep(&self, _: &str, _: &Rc<VerifyingKey>) {}
}

impl ReplayMemory for Nothing {
    fn first_use(&self, _: &UsedProof<'_>) -> Use {
        Use::First
    }
}

impl NonceSecrets for Nothing {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        None
    }
}

/// Header and claims of a proof, and a target. They are signed here, unless they are a whole proof.
pub(super) fn dpop(input: &[u8]) {
    let (signs, rest) = choice(input, 2);
    let [header, claims, target] = parts(rest);
    let own = public_jwk("ed25519");
    // The key is written by the target, so that inputs are about what matters.
    let header = text(header).replace('\u{1}', &own.to_string());
    let claims = text(claims).replace('\u{1}', &sha256(TOKEN));
    let proof = if signs == 1 {
        testbed::tokens::compact("EdDSA", "ed25519", &header, &claims)
    } else {
        header.clone()
    };
    let target = text(target);
    let request = RecordedRequest::new("GET", &target).header("DPoP", proof);
    let rules = DpopRules {
        algorithms: vec![Alg::EdDsa, Alg::Ed25519],
        max_age: Seconds(60),
        replay: Replay::Window,
        origin: Some(Url::parse("https://api.example").expect("a URL").origin),
    };
    let bound_to = thumbprint(&own);
    let demand = Demand {
        rules: &rules,
        token: TOKEN,
        hash: None,
        bound_to: &bound_to,
        now: UnixTime::from_seconds(NOW),
        request: &request,
        secrets: &Nothing,
    };
    let is_proven = dpop::check(&demand, &Nothing, &Nothing).is_ok();
    mark(if is_proven { "proven" } else { "refused" });
    assert!(!is_proven || signs == 1, "a signature that nobody made");
    if signs == 1 {
        let theirs = by_definition(header.as_bytes(), claims.as_bytes(), &target);
        assert_eq!(is_proven, theirs, "{header} {claims} {target:?}");
    }
}

/// The checks but for the signature, which is good.
fn by_definition(header: &[u8], claims: &[u8], target: &str) -> bool {
    // One header of one proof; what is too long is not looked at.
    let written = [header.len(), claims.len(), 64].map(|bytes| (bytes * 4).div_ceil(3));
    if written.iter().sum::<usize>() + 2 > 8 << 10 {
        return false;
    }
    let Ok(parsed) = defined(header) else { return false };
    let typ = parsed.typ.unwrap_or_default().to_ascii_lowercase();
    let is_typed = ["dpop+jwt", "application/dpop+jwt"].contains(&typ.as_str());
    let is_signed = ["EdDSA", "Ed25519"].contains(&parsed.alg.as_str());
    let is_flat = |tree: &Tree| tree.depth() <= 32 && tree.count() <= 4_096;
    let Some(claims) = Tree::object(claims).filter(is_flat) else { return false };
    let text = |name: &str| claims.member(name).and_then(Tree::text).filter(|text| !text.is_empty());
    let (Some(_), Some(htm), Some(htu), Some(ath)) = (text("jti"), text("htm"), text("htu"), text("ath"))
    else {
        return false;
    };
    let iat = claims.member("iat").and_then(Tree::number).and_then(super::claims::millis);
    let is_now = iat.is_some_and(|iat| iat.abs_diff(NOW * 1_000) <= 60_000);
    is_typed
        && is_signed
        && is_own_key(header, &parsed.alg)
        && htm == "GET"
        && ath == sha256(TOKEN)
        && is_now
        && is_target(htu, target)
}

/// The key of the proof is the one that the token is bound to, public, and for this.
fn is_own_key(header: &[u8], alg: &str) -> bool {
    let header = Tree::of(header).expect("it was read");
    let Some(jwk) = header.member("jwk") else { return false };
    let text = |name: &str| jwk.member(name).map(|value| value.text().map(str::to_owned));
    let own: Value = public_jwk("ed25519");
    // Padded, or in the other alphabet: the same key.
    let x = text("x").flatten().map(|x| {
        let bare = x.trim_end_matches('=');
        let padding = x.len() - bare.len();
        if padding > 0 && (padding > 2 || x.len() % 4 != 0) {
            String::new()
        } else {
            bare.replace('+', "-").replace('/', "_")
        }
    });
    let is_public =
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().all(|name| jwk.member(name).is_none());
    let for_this = match text("alg") {
        None => true,
        Some(named) => named.is_some_and(|named| named == alg),
    };
    // What a member is that is null is a matter of `keys`: absent or wrong, both are no permission for another use.
    let is_use = text("use").is_none_or(|used| used.is_some_and(|used| used.eq_ignore_ascii_case("sig")));
    let verifies = match jwk.member("key_ops") {
        None => true,
        Some(Tree::List(operations)) => operations.iter().any(|operation| operation.text() == Some("verify")),
        Some(_) => false,
    };
    text("kty").flatten().as_deref() == Some("OKP")
        && text("crv").flatten().as_deref() == Some("Ed25519")
        && x.as_deref() == own["x"].as_str()
        && is_public
        && for_this
        && is_use
        && verifies
}

/// Whether `htu` is the URI of the request (check 9), as the `url` crate reads and RFC 3986 6.2.2 compares them.
fn is_target(htu: &str, target: &str) -> bool {
    let Some(url) = Url::parse(htu).filter(|url| !has_idna(&url.origin.to_string())) else { return false };
    let theirs = ::url::Url::parse(htu).expect("what is a URL here is one there");
    assert_same_server(&url.origin, &theirs, htu);
    if theirs.origin().ascii_serialization() != "https://api.example" {
        return false;
    }
    let path = |target: &str| target.split(['?', '#']).next().unwrap_or_default().to_owned();
    let own = target.split('?').next().filter(|path| !path.is_empty());
    // RFC 3986 6.2.3: an empty path is that of the root.
    normal(&path(&url.target)) == normal(own.unwrap_or("/"))
}

/// RFC 3986 6.2.2: escapes in capitals, those of unreserved characters resolved, then dots removed.
fn normal(path: &str) -> Vec<u8> {
    let (mut rest, mut out) = (path.as_bytes(), Vec::new());
    while let Some((first, after)) = rest.split_first() {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let escape = match after {
            [high, low, ..] if *first == b'%' => {
                digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        rest = match escape {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(byte);
                &after[2..]
            }
            Some(_) => {
                out.extend(rest[..3].to_ascii_uppercase());
                &after[2..]
            }
            None => {
                out.push(*first);
                after
            }
        };
    }
    let mut kept: Vec<&[u8]> = Vec::new();
    let segments: Vec<&[u8]> = out.split(|byte| *byte == b'/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        match *segment {
            b"." if is_last => kept.push(b""),
            b"." => {}
            b".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
                if is_last {
                    kept.push(b"");
                }
            }
            segment => kept.push(segment),
        }
    }
    kept.join(&b'/')
}

/// The header of a proxy, in each format. A thumbprint is of bytes that stand in the value, whichever way.
pub(super) fn certificate(input: &[u8]) {
    let (number, value) = choice(input, 4);
    let (name, format) = CertificateFormat::ALL[number];
    let Some(thumbprint) = format.thumbprint(value) else {
        mark("refused");
        return;
    };
    mark(name);
    let of = |der: &[u8]| sha256(der);
    let theirs = match format {
        CertificateFormat::Traefik => {
            let first = text(value);
            let first = first.split(',').next().unwrap_or_default().trim();
            data_encoding::BASE64.decode(first.as_bytes()).ok().map(|der| of(&der))
        }
        CertificateFormat::Rfc9440 => {
            let value = text(value);
            let inside = value.trim().trim_matches(':');
            data_encoding::BASE64.decode(inside.as_bytes()).ok().map(|der| of(&der))
        }
        CertificateFormat::PemEscaped => of_escaped(value),
        CertificateFormat::Xfcc => of_element(&text(value)),
    };
    assert_eq!(Some(thumbprint), theirs, "{name} {}", value.escape_ascii());
}

/// `Cert`, else `Hash`, of one element of Envoy's header.
fn of_element(element: &str) -> Option<String> {
    let (mut pairs, mut pair, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in element.chars() {
        match c {
            ';' if !quoted => pairs.push(std::mem::take(&mut pair)),
            // A quote has a meaning where a value begins, and where it ends then.
            '"' if !quoted && pair.split_once('=').is_some_and(|(_, value)| value.is_empty()) => {
                quoted = true
            }
            '"' if quoted && !escaped => quoted = false,
            c => pair.push(c),
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    pairs.push(pair);
    let value = |name: &str| {
        let pair = pairs.iter().filter_map(|pair| pair.split_once('='));
        pair.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    match value("Cert") {
        Some(certificate) => of_escaped(certificate.as_bytes()),
        None => {
            let hash = data_encoding::HEXLOWER_PERMISSIVE.decode(value("Hash")?.as_bytes()).ok()?;
            Some(data_encoding::BASE64URL_NOPAD.encode(&hash))
        }
    }
}

/// The first block, as the `pem` crate reads it, but that blanks may stand anywhere in it (RFC 7468 2).
fn of_escaped(value: &[u8]) -> Option<String> {
    let decoded = text(&percent_encoding::percent_decode(value).collect::<Vec<u8>>());
    let (before, behind) = decoded.split_once("-----BEGIN CERTIFICATE-----")?;
    let (base64, _) = behind.split_once("-----END CERTIFICATE-----")?;
    let base64: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let block = format!("{before}-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    Some(sha256(::pem::parse(block).ok()?.contents()))
}
