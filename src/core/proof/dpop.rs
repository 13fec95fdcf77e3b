//! DPoP: the sender of a token shows that it has the key which the token is bound to (RFC 9449 4 and 7).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use crate::core::jwk::PresentedKey;
use crate::core::limits::{MAX_PROOF_BYTES, MAX_PROOF_COST};
use crate::core::proof::fault::{MissingProof, ProofFault};
use crate::core::proof::nonce::{NonceSecrets, NonceSource, Worth, bucket};
use crate::core::proof::replay::{self, ReplayMemory, Use, UsedProof};
use crate::core::proof::target;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::signature::alg::{Alg, Hash};
use crate::core::signature::{self, VerifyingKey};
use crate::core::token::base64url;
use crate::core::token::jws::{self, UnverifiedToken};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::Origin;

/// The header that a proof comes in. Every back end knows it by one spelling: a name of letters has no other.
pub const HEADER: &str = "DPoP";

/// The header of an answer that has the nonce for the next proof (RFC 9449 8).
pub const NONCE_HEADER: &str = "DPoP-Nonce";

/// What a proof has to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopRules {
    /// Accepted algorithms, none of them HMAC (`proofs.algorithms`).
    pub algorithms: Vec<Alg>,
    /// How far `iat` may be from now, and how long a nonce lasts (`proofs.maxAgeSeconds`).
    pub max_age: Seconds,
    /// What a proof that was used is worth (`proofs.replay`).
    pub replay: Replay,
    /// Scheme and authority of the requests, where `Host` does not say (`proofs.origin`).
    pub origin: Option<Origin>,
}

/// `proofs.replay`: what keeps a proof that somebody has seen from being used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Nothing but its age.
    Window,
    /// A nonce, so that none can be made ahead of time.
    Nonce(NonceSource),
    /// A directory that remembers every proof.
    Directory(String),
}

/// Keys of proofs that were checked before: one client sends many proofs.
pub trait KeptKeys {
    /// The key with this thumbprint, if it is kept.
    fn kept(&self, thumbprint: &str) -> Option<Rc<VerifyingKey>>;

    /// Keeps a key that has verified a proof.
    fn keep(&self, thumbprint: &str, key: &Rc<VerifyingKey>);
}

/// What a proof has to be about.
#[derive(Clone, Copy)]
pub struct Demand<'a> {
    /// The rules.
    pub rules: &'a DpopRules,
    /// The token that comes with it.
    pub token: &'a [u8],
    /// Where its hash is kept, if it is a token that comes again.
    pub hash: Option<&'a OnceCell<Box<str>>>,
    /// The thumbprint of the key that the token is bound to, its `cnf.jkt` (RFC 9449 6.1).
    pub bound_to: &'a str,
    /// The instant of the check.
    pub now: UnixTime,
    /// The request that it came with.
    pub request: &'a dyn RequestView,
    /// The secret of nonces, where that is in a file.
    pub secrets: &'a dyn NonceSecrets,
}

/// A proof that parses, with the key that it brings along.
struct Proof<'h> {
    jws: UnverifiedToken<'h>,
    key: PresentedKey,
}

/// A check of RFC 9449 4.3.
type Check = fn(&Proof<'_>, &Demand<'_>) -> Result<(), Refusal>;

/// What has to hold beside form and key, in this order: what costs nothing is first, and whether the token is bound to the
/// key comes before the signature, so that no client makes us verify signatures with its own keys.
const CHECKS: [Check; 8] = [
    check_type,
    check_algorithm,
    check_claims,
    check_method,
    check_target,
    check_age,
    check_token,
    check_nonce,
];

/// Checks the proof of a request (RFC 9449 4.3). What it was used for is remembered last, if all else holds.
///
/// # Errors
/// `proof_missing` without one, `proof_invalid`, `proof_nonce`, `proof_replayed`, `replay_unavailable`.
pub fn check(demand: &Demand<'_>, keys: &dyn KeptKeys, memory: &dyn ReplayMemory) -> Result<(), Refusal> {
    let header = only_header(demand.request)?;
    let proof = parse(&header)?;
    CHECKS.iter().try_for_each(|check| check(&proof, demand))?;
    check_signature(&proof, keys)?;
    check_first_use(&proof, demand, memory)
}

/// Check 1: one header.
fn only_header(request: &dyn RequestView) -> Result<Vec<u8>, Refusal> {
    let mut values = request.header_values(HEADER).into_iter();
    let value = values.next().ok_or(Refusal::ProofMissing { missing: MissingProof::Proof })?;
    // Some proxies make one line of two.
    if values.next().is_some() || value.contains(&b',') {
        return Err(invalid(ProofFault::Repeated));
    }
    if value.len() > MAX_PROOF_BYTES {
        return Err(invalid(ProofFault::TooLarge { bytes: value.len() }));
    }
    Ok(value)
}

/// Check 2: it is one JWT; and check 7: its `jwk` is a public key and nothing more.
fn parse(header: &[u8]) -> Result<Proof<'_>, Refusal> {
    let (jws, header) = jws::parse_proof(header).map_err(|refusal| {
        let other = "it is encrypted, or has critical header parameters";
        invalid(ProofFault::Malformed(if let Refusal::TokenMalformed { problem } = refusal {
            problem
        } else {
            other
        }))
    })?;
    let jwk = header.root().member("jwk").ok_or_else(|| invalid(ProofFault::Key))?;
    let key = PresentedKey::parse(jwk).map_err(|_| invalid(ProofFault::Key))?;
    Ok(Proof { jws, key })
}

/// Check 3: the claims of RFC 9449 4.2 are there, each of its type.
fn check_claims(proof: &Proof<'_>, _: &Demand<'_>) -> Result<(), Refusal> {
    for claim in ["jti", "htm", "htu", "ath"] {
        if proof.text(claim).is_none_or(str::is_empty) {
            return Err(invalid(ProofFault::Claim(claim)));
        }
    }
    proof.issued_at().map(|_| ())
}

/// Check 4: `typ` (RFC 8725 3.11); as a media type it is compared without case (RFC 7515 4.1.9).
fn check_type(proof: &Proof<'_>, _: &Demand<'_>) -> Result<(), Refusal> {
    let is_proof =
        |typ: &str| ["dpop+jwt", "application/dpop+jwt"].iter().any(|name| typ.eq_ignore_ascii_case(name));
    let typ = proof.jws.header.typ.as_deref();
    if typ.is_some_and(is_proof) { Ok(()) } else { Err(invalid(ProofFault::Type)) }
}

/// Check 5: `alg` is one of those that the configuration has, and the one that the key is for.
fn check_algorithm(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    let known = proof.algorithm().filter(|alg| demand.rules.algorithms.contains(alg) && !alg.is_hmac());
    match known {
        Some(alg) if proof.key.admits(alg) => Ok(()),
        Some(_) | None => Err(invalid(ProofFault::Algorithm { found: proof.jws.header.alg.clone() })),
    }
}

/// Check 6: the signature.
fn check_signature(proof: &Proof<'_>, keys: &dyn KeptKeys) -> Result<(), Refusal> {
    let kept = keys.kept(&proof.key.thumbprint);
    let key = match &kept {
        Some(key) => Rc::clone(key),
        None => Rc::new(proof.key.key().map_err(|_| invalid(ProofFault::Key))?),
    };
    if key.cost(proof.jws.signing_input.len()) > MAX_PROOF_COST {
        return Err(invalid(ProofFault::Key));
    }
    let alg = proof.algorithm().ok_or_else(|| invalid(ProofFault::Signature))?;
    signature::verify(&key, alg, proof.jws.signing_input, &proof.jws.signature)
        .map_err(|_| invalid(ProofFault::Signature))?;
    if kept.is_none() {
        keys.keep(&proof.key.thumbprint, &key);
    }
    Ok(())
}

/// Check 8: `htm`, compared byte for byte (RFC 9110 9.1).
fn check_method(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    let found = proof.text("htm").unwrap_or_default();
    if found == demand.request.method() {
        return Ok(());
    }
    Err(invalid(ProofFault::Method { found: found.to_owned() }))
}

/// Check 9: `htu`.
fn check_target(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    let found = proof.text("htu").unwrap_or_default();
    let origin = target::origin(demand.rules.origin.as_ref(), demand.request);
    if origin.as_ref().is_some_and(|origin| target::is_target(found, origin, demand.request)) {
        return Ok(());
    }
    let expected = target::shown(origin.as_ref(), demand.request);
    Err(invalid(ProofFault::Target { found: found.to_owned(), expected }))
}

/// Check 10: the nonce (RFC 9449 9). Without a good one the client is told one.
fn check_nonce(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    let Replay::Nonce(source) = &demand.rules.replay else {
        return Ok(());
    };
    let secret = source.secret(demand.secrets).ok_or(Refusal::ReplayUnavailable)?;
    match secret.worth(proof.text("nonce").unwrap_or_default(), demand.now, demand.rules.max_age) {
        Worth::Current | Worth::Previous => Ok(()),
        Worth::Nothing => Err(Refusal::ProofNonce { nonce: secret.nonce(demand.now, demand.rules.max_age) }),
    }
}

/// Check 11: `iat` is near enough, on either side: clocks of clients are wrong in both directions.
fn check_age(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    let millis = proof.issued_at()?.as_millis().abs_diff(demand.now.as_millis());
    if millis <= demand.rules.max_age.0.saturating_mul(1000) {
        return Ok(());
    }
    Err(invalid(ProofFault::IssuedAt { distance: millis.div_ceil(1000) }))
}

/// Check 12: it is a proof for this token, and the token is bound to its key.
fn check_token(proof: &Proof<'_>, demand: &Demand<'_>) -> Result<(), Refusal> {
    if proof.key.thumbprint != demand.bound_to {
        return Err(invalid(ProofFault::Thumbprint));
    }
    if proof.text("ath") != Some(demand.token_hash().as_ref()) {
        return Err(invalid(ProofFault::TokenHash));
    }
    Ok(())
}

/// RFC 9449 11.1: a proof is used once, where a directory remembers that.
fn check_first_use(proof: &Proof<'_>, demand: &Demand<'_>, memory: &dyn ReplayMemory) -> Result<(), Refusal> {
    let Replay::Directory(directory) = &demand.rules.replay else {
        return Ok(());
    };
    let text = |claim| proof.text(claim).unwrap_or_default();
    let name = replay::name(&proof.key.thumbprint, text("htu"), text("jti"));
    // By its own time, so that copies look into one place whenever they come.
    let span = bucket(proof.issued_at()?, demand.rules.max_age);
    let (now, current_span) = (demand.now, bucket(demand.now, demand.rules.max_age));
    match memory.first_use(&UsedProof { directory, span, current_span, now, name: &name }) {
        Use::First => Ok(()),
        Use::Again => Err(Refusal::ProofReplayed),
        Use::Unknown => Err(Refusal::ReplayUnavailable),
    }
}

impl Demand<'_> {
    /// RFC 9449 4.1, `ath`.
    fn token_hash(&self) -> Cow<'_, str> {
        let hash = || base64url::encode(&Hash::Sha256.digest(&[self.token])).into_boxed_str();
        match self.hash {
            Some(kept) => Cow::Borrowed(kept.get_or_init(hash)),
            None => Cow::Owned(hash().into_string()),
        }
    }
}

impl DpopRules {
    /// The nonce for the next proof (RFC 9449 8.2): every answer to a request under `DPoP` has it, so that a client never has
    /// to be refused for one.
    #[must_use]
    pub fn next_nonce(&self, now: UnixTime, secrets: &dyn NonceSecrets) -> Option<String> {
        match &self.replay {
            Replay::Nonce(source) => Some(source.secret(secrets)?.nonce(now, self.max_age)),
            Replay::Window | Replay::Directory(_) => None,
        }
    }
}

impl Proof<'_> {
    fn text(&self, claim: &str) -> Option<&str> {
        self.jws.claimed.claim(claim)?.as_str()
    }

    fn issued_at(&self) -> Result<UnixTime, Refusal> {
        let iat = self.jws.claimed.numeric_date("iat").ok().flatten();
        iat.ok_or_else(|| invalid(ProofFault::Claim("iat")))
    }

    fn algorithm(&self) -> Option<Alg> {
        Alg::from_name(&self.jws.header.alg)
    }
}

const fn invalid(fault: ProofFault) -> Refusal {
    Refusal::ProofInvalid { fault }
}

#[cfg(test)]
mod tests {
    use super::{Demand, DpopRules, KeptKeys, Replay, check};
    use crate::core::json::{Document, JsonLimits};
    use crate::core::jwk::PresentedKey;
    use crate::core::limits::MAX_PROOF_BYTES;
    use crate::core::proof::fault::{MissingProof, ProofFault};
    use crate::core::proof::nonce::{NonceSecret, NonceSecrets, NonceSource};
    use crate::core::proof::replay::{ReplayMemory, Use, UsedProof};
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;
    use crate::core::signature::VerifyingKey;
    use crate::core::signature::alg::Alg;
    use crate::core::token::base64url::encode;
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::core::url::Url;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use sha2::{Digest, Sha256};
    use std::cell::{OnceCell, RefCell};
    use std::collections::BTreeSet;
    use std::rc::Rc;
    use testbed::keys;
    use testbed::tokens::compact;

    const NOW: UnixTime = UnixTime::from_seconds(10_000);
    const TOKEN: &str = "a.b.c";

    /// Keys and proofs that one instance has seen.
    #[derive(Default)]
    struct Seen {
        keys: RefCell<Vec<(String, Rc<VerifyingKey>)>>,
        proofs: RefCell<BTreeSet<String>>,
        is_full: bool,
        secret: Option<Rc<NonceSecret>>,
    }

    impl NonceSecrets for Seen {
        fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
            self.secret.clone()
        }
    }

    impl KeptKeys for Seen {
        fn kept(&self, thumbprint: &str) -> Option<Rc<VerifyingKey>> {
            self.keys.borrow().iter().find(|(known, _)| known == thumbprint).map(|(_, key)| Rc::clone(key))
        }

        fn keep(&self, thumbprint: &str, key: &Rc<VerifyingKey>) {
            self.keys.borrow_mut().push((thumbprint.to_owned(), Rc::clone(key)));
        }
    }

    impl ReplayMemory for Seen {
        fn first_use(&self, proof: &UsedProof<'_>) -> Use {
            let UsedProof { directory, span, current_span, name, .. } = proof;
            assert!(span.abs_diff(*current_span) <= 1);
            match self.proofs.borrow_mut().insert(format!("{directory}/{span}/{name}")) {
                _ if self.is_full => Use::Unknown,
                true => Use::First,
                false => Use::Again,
            }
        }
    }

    fn rules(replay: Replay) -> DpopRules {
        use Alg::{Ed25519, EdDsa, Es256, Es384, Ps256, Rs256};
        let algorithms = vec![Es256, EdDsa, Ed25519, Es384, Ps256, Rs256];
        DpopRules { algorithms, max_age: Seconds(60), replay, origin: None }
    }

    fn request() -> RecordedRequest {
        RecordedRequest::new("GET", "/orders?x=1")
            .header("Host", "api.example")
            .header("X-Forwarded-Proto", "https")
    }

    fn public(key: &str) -> Value {
        let mut jwk = keys::jwk(key);
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    fn thumbprint(jwk: &Value) -> String {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        PresentedKey::parse(Document::parse(jwk.to_string().into(), limits).unwrap().root())
            .unwrap()
            .thumbprint
    }

    /// A proof that holds, before a test changes it.
    #[derive(Clone)]
    struct Draft {
        alg: &'static str,
        key: &'static str,
        header: Value,
        payload: Value,
    }

    fn draft(alg: &'static str) -> Draft {
        let key = keys::key_of(alg);
        Draft {
            alg,
            key,
            header: json!({"typ": "dpop+jwt", "alg": alg, "jwk": public(key)}),
            payload: json!({
                "jti": "1", "htm": "GET", "htu": "https://api.example/orders", "iat": NOW.as_seconds(),
                "ath": encode(&Sha256::digest(TOKEN)),
            }),
        }
    }

    impl Draft {
        fn signed(&self) -> String {
            compact(self.alg, self.key, &self.header.to_string(), &self.payload.to_string())
        }

        fn header(mut self, name: &str, value: Value) -> Self {
            self.header[name] = value;
            self
        }

        fn claim(mut self, name: &str, value: Value) -> Self {
            self.payload[name] = value;
            self
        }

        fn without(mut self, name: &str) -> Self {
            self.header.as_object_mut().unwrap().remove(name);
            self.payload.as_object_mut().unwrap().remove(name);
            self
        }
    }

    /// The outcome for a token that is bound to `bound_to`.
    fn outcome(
        rules: &DpopRules,
        bound_to: &str,
        now: UnixTime,
        seen: &Seen,
        request: &RecordedRequest,
    ) -> Result<(), Refusal> {
        let token = TOKEN.as_bytes();
        check(&Demand { rules, token, hash: None, bound_to, now, request, secrets: seen }, seen, seen)
    }

    fn check_one(proof: &str, bound_to: &str) -> Result<(), Refusal> {
        let request = request().header("DPoP", proof);
        outcome(&rules(Replay::Window), bound_to, NOW, &Seen::default(), &request)
    }

    fn invalid(fault: ProofFault) -> Result<(), Refusal> {
        Err(Refusal::ProofInvalid { fault })
    }

    const PROVEN: Result<(), Refusal> = Ok(());

    #[test]
    fn rfc_9449_7_1() {
        let proof = concat!(
            "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOX",
            "pDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNy",
            "diI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5le",
            "GFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhX",
            "WG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jf",
            "xSYoMxhAJpLjA",
        );
        let (token, jkt) =
            ("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let request = RecordedRequest::new("GET", "/protectedresource").header("DPoP", proof);
        let origin = Some(Url::parse("https://resource.example.org").unwrap().origin);
        let rules = DpopRules { origin, ..rules(Replay::Window) };
        let at = |seconds, bound_to, token: &str| {
            let (now, seen) = (UnixTime::from_seconds(seconds), Seen::default());
            let (rules, token, request) = (&rules, token.as_bytes(), &request);
            let hash = None;
            check(&Demand { rules, token, hash, bound_to, now, request, secrets: &seen }, &seen, &seen)
        };
        assert_eq!(at(1_562_262_618, jkt, token), PROVEN);
        assert_eq!(at(1_562_262_618, jkt, "another"), invalid(ProofFault::TokenHash));
        assert_eq!(at(1_562_262_618, "another", token), invalid(ProofFault::Thumbprint));
        assert_eq!(at(1_562_262_679, jkt, token), invalid(ProofFault::IssuedAt { distance: 61 }));
    }

    #[test]
    fn rfc_9449_4_1_is_a_proof_for_a_request_without_a_token() {
        let proof = concat!(
            "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOX",
            "pDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNy",
            "diI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4Y",
            "W1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiO",
            "SsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
        );
        let (jws, header) = crate::core::token::jws::parse_proof(proof.as_bytes()).unwrap();
        let key = PresentedKey::parse(header.root().member("jwk").unwrap()).unwrap();
        assert_eq!(key.thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let key = key.key().unwrap();
        assert_eq!(
            crate::core::signature::verify(&key, Alg::Es256, jws.signing_input, &jws.signature),
            Ok(())
        );
        assert_eq!(
            check_one(proof, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
            invalid(ProofFault::Claim("ath"))
        );
    }

    #[test]
    fn every_algorithm() {
        for alg in ["ES256", "EdDSA", "Ed25519", "ES384", "PS256", "RS256"] {
            let draft = draft(alg);
            assert_eq!(check_one(&draft.signed(), &thumbprint(&draft.header["jwk"])), PROVEN, "{alg}");
        }
        for alg in ["ES512", "PS384", "ES256K", "RS512", "ML-DSA-44"] {
            let draft = draft(alg);
            let fault = ProofFault::Algorithm { found: alg.into() };
            assert_eq!(
                check_one(&draft.signed(), &thumbprint(&draft.header["jwk"])),
                invalid(fault),
                "{alg}"
            );
        }
    }

    /// Proofs in which nothing but one thing is wrong, with the check that finds it.
    fn alone() -> Vec<(String, ProofFault)> {
        let good = || draft("ES256");
        let other = public("ed25519");
        let with = |member: &str, value: Value| {
            let mut jwk = public("p256");
            jwk[member] = value;
            good().header("jwk", jwk)
        };
        let claim = |name: &'static str| ProofFault::Claim(name);
        let alg = |found: &str| ProofFault::Algorithm { found: found.into() };
        let target = |found: &str| ProofFault::Target {
            found: found.into(),
            expected: "https://api.example/orders".into(),
        };
        let signed = good().signed();
        let mut tampered = signed.clone();
        let at = signed.rfind('.').unwrap() + 10;
        tampered.replace_range(at..=at, if signed.get(at..=at) == Some("A") { "B" } else { "A" });
        let hmac = |alg: &'static str| {
            let jwk = json!({"kty": "oct", "k": encode(keys::SECRET.as_bytes())});
            Draft { alg, key: "secret", ..good().header("alg", json!(alg)).header("jwk", jwk) }
        };
        let rsa_1024 = json!({"kty": "RSA", "n": format!("w{}Q", "x".repeat(169)), "e": "AQAB"});
        vec![
            // 2
            (String::new(), ProofFault::Malformed("not three parts")),
            ("a.b".into(), ProofFault::Malformed("not three parts")),
            (format!("{signed}, {signed}"), ProofFault::Repeated),
            (format!("{signed}="), ProofFault::Malformed("the signature is not base64url")),
            (format!(" {signed}"), ProofFault::Malformed("the header is not base64url")),
            (
                good().header("crit", json!(["x"])).signed(),
                ProofFault::Malformed("it is encrypted, or has critical header parameters"),
            ),
            ("x".repeat(8193), ProofFault::TooLarge { bytes: 8193 }),
            // 3
            (good().without("jti").signed(), claim("jti")),
            (good().claim("jti", json!(7)).signed(), claim("jti")),
            (good().claim("jti", json!("")).signed(), claim("jti")),
            (good().without("htm").signed(), claim("htm")),
            (good().without("htu").signed(), claim("htu")),
            (good().without("iat").signed(), claim("iat")),
            (good().claim("iat", json!(NOW.as_seconds().to_string())).signed(), claim("iat")),
            (good().claim("iat", json!(-1)).signed(), claim("iat")),
            (good().without("ath").signed(), claim("ath")),
            // 4
            (good().without("typ").signed(), ProofFault::Type),
            (good().header("typ", json!("JWT")).signed(), ProofFault::Type),
            (good().header("typ", json!("dpop")).signed(), ProofFault::Type),
            // 5
            (good().header("alg", json!("none")).signed(), alg("none")),
            (good().header("alg", json!("es256")).signed(), alg("es256")),
            (draft("ES512").signed(), alg("ES512")),
            (with("alg", json!("ES384")).signed(), alg("ES256")),
            // 6
            (tampered, ProofFault::Signature),
            (format!("{}.", signed.rsplit_once('.').unwrap().0), ProofFault::Signature),
            (Draft { alg: "EdDSA", key: "ed25519", ..good() }.signed(), ProofFault::Signature),
            (good().header("alg", json!("ES384")).signed(), ProofFault::Signature),
            // 7
            (good().without("jwk").signed(), ProofFault::Key),
            (good().header("jwk", json!("x")).signed(), ProofFault::Key),
            (with("d", json!("AA")).signed(), ProofFault::Key),
            (with("use", json!("enc")).signed(), ProofFault::Key),
            (hmac("HS256").signed(), ProofFault::Key),
            (good().header("jwk", rsa_1024).header("alg", json!("RS256")).signed(), ProofFault::Key),
            (with("y", json!("AAAA")).signed(), ProofFault::Key),
            // 8
            (good().claim("htm", json!("POST")).signed(), ProofFault::Method { found: "POST".into() }),
            (good().claim("htm", json!("get")).signed(), ProofFault::Method { found: "get".into() }),
            // 9
            (good().claim("htu", json!("https://api.example/")).signed(), target("https://api.example/")),
            (
                good().claim("htu", json!("http://api.example/orders")).signed(),
                target("http://api.example/orders"),
            ),
            // 11
            (
                good().claim("iat", json!(NOW.as_seconds() - 61)).signed(),
                ProofFault::IssuedAt { distance: 61 },
            ),
            (
                good().claim("iat", json!(NOW.as_seconds() + 61)).signed(),
                ProofFault::IssuedAt { distance: 61 },
            ),
            (good().claim("iat", json!(9939.999)).signed(), ProofFault::IssuedAt { distance: 61 }),
            // 12
            (good().claim("ath", json!("AAAA")).signed(), ProofFault::TokenHash),
            (good().claim("ath", json!(encode(&Sha256::digest("a.b.d")))).signed(), ProofFault::TokenHash),
            (good().header("jwk", other).header("alg", json!("EdDSA")).signed(), ProofFault::Thumbprint),
        ]
    }

    #[test]
    fn every_check_of_rfc_9449_4_3_refuses_alone() {
        for (proof, fault) in alone() {
            // Bound to the key that it brings, unless that is what is wrong.
            let jwk = |proof: &str| {
                let (_, header) = crate::core::token::jws::parse_proof(proof.as_bytes()).ok()?;
                PresentedKey::parse(header.root().member("jwk")?).ok()
            };
            let own = thumbprint(&public("p256"));
            let bound_to = match (&fault, jwk(&proof)) {
                (ProofFault::Thumbprint, _) | (_, None) => own,
                (_, Some(key)) => key.thumbprint,
            };
            assert_eq!(check_one(&proof, &bound_to), invalid(fault.clone()), "{fault:?}: {proof}");
        }
        let own = thumbprint(&public("p256"));
        assert_eq!(check_one(&draft("ES256").signed(), &own), PROVEN);
        // 1
        let (rules, seen, proof) = (rules(Replay::Window), Seen::default(), draft("ES256").signed());
        assert_eq!(
            outcome(&rules, &own, NOW, &seen, &request()),
            Err(Refusal::ProofMissing { missing: MissingProof::Proof })
        );
        let twice = request().header("DPoP", proof.as_str()).header("dpop", proof.as_str());
        assert_eq!(outcome(&rules, &own, NOW, &seen, &twice), invalid(ProofFault::Repeated));
    }

    #[test]
    fn what_is_not_wrong() {
        let own = thumbprint(&public("p256"));
        let mut padded = public("p256");
        padded["x"] = json!(format!("{}=", padded["x"].as_str().unwrap()));
        for good in [
            draft("ES256").header("typ", json!("Application/DPoP+JWT")),
            draft("ES256").header("kid", json!("k")).claim("more", json!([1])),
            draft("ES256").header("jwk", padded),
            draft("ES256").claim("iat", json!(NOW.as_seconds() - 60)),
            draft("ES256").claim("iat", json!(NOW.as_seconds() + 60)),
            draft("ES256").claim("iat", json!(9940.001)),
            draft("ES256").claim("nonce", json!("whatever")),
            draft("ES256").claim("htu", json!("HTTPS://API.example:443/./%6Frders?y#z")),
            draft("ES256").claim("jti", json!("x".repeat(4096))),
        ] {
            assert_eq!(check_one(&good.signed(), &own), PROVEN, "{} {}", good.header, good.payload);
        }
    }

    #[test]
    fn a_nonce_is_demanded_rfc_9449_9() {
        let secret = || NonceSecret::new(&[7; 32]).unwrap();
        let configured = rules(Replay::Nonce(NonceSource::Configured(Rc::new(secret()))));
        let in_a_file = rules(Replay::Nonce(NonceSource::File("/secret".into())));
        let (own, minute) = (thumbprint(&public("p256")), Seconds(60));
        let nonce_at = |seconds| secret().nonce(UnixTime::from_seconds(seconds), minute);
        let ask = |rules: &DpopRules, seen: &Seen, nonce: Option<Value>, at: u64| {
            let draft = draft("ES256").claim("iat", json!(at));
            let draft = nonce.map_or(draft.clone(), |nonce| draft.claim("nonce", nonce));
            let request = request().header("DPoP", draft.signed());
            outcome(rules, &own, UnixTime::from_seconds(at), seen, &request)
        };
        let (nothing, read) = (Seen::default(), Seen { secret: Some(Rc::new(secret())), ..Seen::default() });
        for (nonce, at, expected) in [
            (None, 600, Err(Refusal::ProofNonce { nonce: nonce_at(600) })),
            (Some(json!("x")), 600, Err(Refusal::ProofNonce { nonce: nonce_at(600) })),
            (Some(json!(7)), 600, Err(Refusal::ProofNonce { nonce: nonce_at(600) })),
            (Some(json!(nonce_at(600))), 659, PROVEN),
            (Some(json!(nonce_at(600))), 660, PROVEN),
            (Some(json!(nonce_at(600))), 719, PROVEN),
            (Some(json!(nonce_at(600))), 720, Err(Refusal::ProofNonce { nonce: nonce_at(720) })),
            (Some(json!(nonce_at(720))), 719, Err(Refusal::ProofNonce { nonce: nonce_at(719) })),
        ] {
            assert_eq!(ask(&configured, &nothing, nonce.clone(), at), expected, "{nonce:?} at {at}");
            assert_eq!(ask(&in_a_file, &read, nonce.clone(), at), expected, "{nonce:?} at {at}");
            // Without the secret no nonce can be told from another.
            assert_eq!(ask(&in_a_file, &nothing, nonce, at), Err(Refusal::ReplayUnavailable));
        }
    }

    #[test]
    fn the_next_nonce_is_of_the_secret_rfc_9449_8_2() {
        let secret = || NonceSecret::new(&[7; 32]).unwrap();
        let expected = secret().nonce(NOW, Seconds(60));
        let source = NonceSource::Configured(Rc::new(secret()));
        let read = Seen { secret: Some(Rc::new(secret())), ..Seen::default() };
        for (replay, seen, expected) in [
            (Replay::Nonce(source), &Seen::default(), Some(expected.clone())),
            (Replay::Nonce(NonceSource::File("/secret".into())), &read, Some(expected)),
            (Replay::Nonce(NonceSource::File("/secret".into())), &Seen::default(), None),
            (Replay::Window, &read, None),
            (Replay::Directory("/replay".into()), &read, None),
        ] {
            assert_eq!(rules(replay).next_nonce(NOW, seen), expected);
        }
    }

    #[test]
    fn a_proof_has_so_many_bytes_at_most() {
        for (bytes, refused) in [(MAX_PROOF_BYTES, false), (MAX_PROOF_BYTES + 1, true)] {
            let too_large = invalid(ProofFault::TooLarge { bytes });
            assert_eq!(check_one(&"a".repeat(bytes), "") == too_large, refused, "{bytes}");
        }
    }

    /// 970 units for a modulus of 5824 bits, and 5 for each KiB that is signed.
    #[test]
    fn a_key_that_costs_more_than_a_proof_may_is_not_used() {
        for (modulus_bytes, more, expected) in [
            (728, 0, ProofFault::Signature),
            (728, 3_200, ProofFault::Signature),
            (728, 4_000, ProofFault::Key),
            (736, 0, ProofFault::Key),
            (1024, 0, ProofFault::Key),
        ] {
            let n = [&[0x80], &vec![0; modulus_bytes - 2][..], &[1]].concat();
            let jwk = json!({"kty": "RSA", "n": encode(&n), "e": "AQAB"});
            let own = thumbprint(&jwk);
            let draft = draft("RS256").header("jwk", jwk).claim("x", json!("x".repeat(more)));
            assert_eq!(check_one(&draft.signed(), &own), invalid(expected), "{modulus_bytes} {more}");
        }
    }

    #[test]
    fn a_directory_takes_each_proof_once_and_only_good_ones() {
        let (rules, own) = (rules(Replay::Directory("/replay".into())), thumbprint(&public("p256")));
        let seen = Seen::default();
        let ask = |draft: &Draft, now: u64| {
            let request = request().header("DPoP", draft.signed());
            outcome(&rules, &own, UnixTime::from_seconds(now), &seen, &request)
        };
        let good = draft("ES256");
        for bad in [
            Draft { alg: "EdDSA", key: "ed25519", ..good.clone() },
            good.clone().claim("htm", json!("POST")),
            good.clone().claim("ath", json!("x")),
        ] {
            assert!(ask(&bad, 10_000).is_err());
        }
        assert!(seen.proofs.borrow().is_empty());
        assert_eq!(ask(&good, 10_000), PROVEN);
        for now in [10_000, 10_030, 10_060, 9_940] {
            assert_eq!(ask(&good, now), Err(Refusal::ProofReplayed), "{now}");
        }
        // A copy with another signature is the same proof.
        assert_eq!(ask(&good.clone().claim("more", json!(1)), 10_000), Err(Refusal::ProofReplayed));
        assert_eq!(ask(&good.claim("jti", json!("2")), 10_000), PROVEN);
        let full = Seen { is_full: true, ..Seen::default() };
        let request = request().header("DPoP", draft("ES256").signed());
        assert_eq!(outcome(&rules, &own, NOW, &full, &request), Err(Refusal::ReplayUnavailable));
    }

    #[test]
    fn the_hash_of_a_token_is_kept() {
        let (rules, own, seen) = (rules(Replay::Window), thumbprint(&public("p256")), Seen::default());
        let request = request().header("DPoP", draft("ES256").signed());
        let kept = OnceCell::new();
        let token = TOKEN.as_bytes();
        let demand = Demand {
            rules: &rules,
            token,
            hash: Some(&kept),
            bound_to: &own,
            now: NOW,
            request: &request,
            secrets: &seen,
        };
        assert_eq!([(); 2].map(|()| check(&demand, &seen, &seen)), [PROVEN; 2]);
        assert_eq!(kept.get().map(AsRef::as_ref), Some(encode(&Sha256::digest(TOKEN)).as_str()));
        let other = OnceCell::from(Box::from("another"));
        let demand = Demand { hash: Some(&other), ..demand };
        assert_eq!(check(&demand, &seen, &seen), invalid(ProofFault::TokenHash));
    }

    #[test]
    fn keys_are_kept_once_they_have_verified_a_proof() {
        let (rules, own, seen) = (rules(Replay::Window), thumbprint(&public("p256")), Seen::default());
        let ask = |draft: Draft| {
            outcome(&rules, &own, NOW, &seen, &request().header("DPoP", draft.signed())).is_ok()
        };
        assert!(!ask(Draft { alg: "EdDSA", key: "ed25519", ..draft("ES256") }));
        assert!(seen.keys.borrow().is_empty());
        assert!((1..4).all(|n| ask(draft("ES256").claim("jti", json!(n.to_string())))));
        assert_eq!(seen.keys.borrow().len(), 1);
    }

    /// The checks once more, as slowly and plainly as the specification has them, over the JSON of the test itself.
    fn reference(
        proof: &Draft,
        method: &str,
        path: &str,
        now: u64,
        token: &str,
        bound_to: &Value,
        sound: bool,
    ) -> bool {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (header, payload) = (&proof.header, &proof.payload);
        let iat = payload["iat"].as_f64();
        sound
            && header["typ"] == "dpop+jwt"
            && ["ES256", "EdDSA"].contains(&header["alg"].as_str().unwrap_or_default())
            && header["jwk"].get("d").is_none()
            && ["kty", "crv", "x", "y"].iter().all(|member| header["jwk"].get(member) == bound_to.get(member))
            && text(&payload["jti"]).is_some_and(|jti| !jti.is_empty())
            && payload["htm"] == method
            && payload["htu"] == format!("https://api.example{path}")
            && iat.is_some_and(|iat| (iat - now as f64).abs() <= 60.0)
            && payload["ath"] == encode(&Sha256::digest(token))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn random_proofs_as_a_slow_reference_has_them(
            alg in prop::sample::select(vec!["ES256", "EdDSA"]),
            changes in prop::collection::vec((0_usize..12, any::<bool>()), 0..3),
            method in prop::sample::select(vec!["GET", "POST"]),
            path in prop::sample::select(vec!["/orders", "/", "/orders/1"]),
            skew in prop::sample::select(vec![-61_i64, -60, 0, 60, 61]),
            bound_to in prop::sample::select(vec!["p256", "p256", "ed25519"]),
        ) {
            let mut proof = draft(alg)
                .claim("htm", json!(method))
                .claim("htu", json!(format!("https://api.example{path}")))
                .claim("iat", json!(NOW.as_seconds().checked_add_signed(skew).unwrap()));
            let (mut sound, mut token) = (true, TOKEN);
            for (what, more) in changes {
                proof = match what {
                    0 => proof.header("typ", json!(if more { "JWT" } else { "dpop+jwt" })),
                    1 => proof.claim("jti", if more { json!(1) } else { json!("") }),
                    2 => proof.claim("htm", json!(if more { "GET" } else { "POST" })),
                    3 => proof.claim("htu", json!(if more { "https://api.example/orders" } else { "https://b/" })),
                    4 => proof.claim("iat", if more { json!(NOW.as_seconds()) } else { json!("10000") }),
                    5 => proof.claim("ath", json!("")),
                    6 => proof.without(if more { "ath" } else { "jti" }),
                    7 => proof.without(if more { "typ" } else { "iat" }),
                    8 => { let mut jwk = proof.header["jwk"].clone(); jwk["d"] = json!("AA"); proof.header("jwk", jwk) }
                    9 => { token = if more { "other" } else { TOKEN }; proof }
                    10 => proof.header("alg", json!(if more { "none" } else { alg })),
                    _ => { sound = false; proof }
                };
            }
            let mut signed = compact(alg, proof.key, &proof.header.to_string(), &proof.payload.to_string());
            if !sound {
                let at = signed.rfind('.').unwrap() + 5;
                let other = if signed.get(at..=at) == Some("A") { "B" } else { "A" };
                signed.replace_range(at..=at, other);
            }
            let request = RecordedRequest::new(method, path)
                .header("Host", "api.example").header("X-Forwarded-Proto", "https").header("DPoP", signed);
            let (rules, seen, jkt) = (rules(Replay::Window), Seen::default(), thumbprint(&public(bound_to)));
            let demand = Demand {
                rules: &rules, token: token.as_bytes(), hash: None, bound_to: &jkt, now: NOW, request: &request,
                secrets: &seen,
            };
            let found = check(&demand, &seen, &seen);
            let expected =
                reference(&proof, method, path, NOW.as_seconds(), token, &public(bound_to), sound);
            prop_assert_eq!(found.is_ok(), expected, "{:?} {} {}", found, proof.header, proof.payload);
        }

        #[test]
        fn no_header_panics(proof in prop::collection::vec(any::<u8>(), 0..200)) {
            let request = request().header("DPoP", proof);
            let _ = outcome(&rules(Replay::Window), "x", NOW, &Seen::default(), &request);
        }
    }
}
