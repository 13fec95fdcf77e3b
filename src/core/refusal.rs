//! Every reason for which a request is refused. One flat enum; what is answered follows in `answer/reject.rs`.

use crate::core::proof::fault::{MissingProof, ProofFault};
use crate::core::text;
use crate::core::unix_time::{Seconds, UnixTime};

/// Why a request is refused. Values are for the log and for `errors.details`; none holds token bytes beyond
/// the named header parameters and claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No token at any configured place.
    TokenMissing,
    /// Two different tokens, or two credentials, in one request (RFC 6750 2).
    TokenRepeated,
    /// The credentials are not `scheme SP token` (RFC 6750 2.1).
    CredentialsMalformed,
    /// A scheme stands before the token in a header that has none.
    SchemeUnexpected,
    /// The cookie of the token holds what is none.
    CookieMalformed,
    /// The target does not begin with a slash, so that the host could not be told one without the token.
    TargetMalformed,
    /// Who asks about the request of another is none of `trustedPeers`.
    PeerNotTrusted,
    /// One of the headers that say which request is asked about is not there once and readable.
    ForwardedRequestInvalid {
        /// Its name.
        header: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The request must not go on as it is, and the proxy that asks does not change it.
    ChangeNotPossible,
    /// The token is longer than `maxTokenBytes`.
    TokenTooLarge {
        /// Bytes found.
        bytes: usize,
    },
    /// Not three base64url parts, or a part that is not what RFC 7515 7.1 and RFC 7519 7.2 ask for.
    TokenMalformed {
        /// What is wrong, a fixed sentence.
        problem: &'static str,
    },
    /// Five parts: an encrypted token (RFC 7516), which this middleware does not read.
    TokenEncrypted,
    /// `crit` names an extension; none is understood (RFC 7515 4.1.11).
    CritNotSupported,
    /// `alg` is unknown, `none`, or not allowed by the configuration.
    AlgNotAllowed {
        /// The `alg` of the token.
        alg: String,
    },
    /// `iss` names no trusted issuer, or is absent where one is required.
    IssuerNotTrusted {
        /// The `iss` of the token.
        issuer: Option<String>,
    },
    /// The issuer's key sets have no key for this `kid` and `alg`.
    KeyNotFound {
        /// The `kid` of the token.
        kid: Option<String>,
    },
    /// No candidate key verifies the signature.
    SignatureInvalid {
        /// The `kid` of the token.
        kid: Option<String>,
        /// Candidate keys that were not tried, since those before them cost as much as one token may.
        untried: usize,
    },
    /// `exp` has come (RFC 7519 4.1.4).
    TokenExpired {
        /// `exp` of the token.
        exp: UnixTime,
        /// The instant of the check.
        now: UnixTime,
    },
    /// `nbf` has not come (RFC 7519 4.1.5).
    TokenNotYetValid {
        /// `nbf` of the token.
        nbf: UnixTime,
        /// The instant of the check.
        now: UnixTime,
    },
    /// A claim of `requiredClaims` is absent.
    ClaimMissing {
        /// Name of the claim.
        claim: String,
    },
    /// A registered claim has a type or value that RFC 7519 does not allow.
    ClaimInvalid {
        /// Name of the claim.
        claim: &'static str,
    },
    /// `aud` names none of the configured audiences.
    AudienceNotAccepted {
        /// Whose audiences they are.
        asked_by: AskedBy,
    },
    /// `azp`, or `client_id` where there is none, names none of the configured clients.
    ClientNotAccepted,
    /// `typ` is not the one that `tokenType` asks for (RFC 8725 3.11).
    TokenTypeNotAccepted {
        /// The `typ` of the token.
        typ: Option<String>,
    },
    /// From `iat` to `exp` the token lives longer than `maxLifetimeSeconds`.
    TokenLifetimeTooLong {
        /// Seconds from `iat` to `exp`.
        lifetime: Seconds,
    },
    /// More than `maxAgeSeconds` have passed since `iat` or `auth_time`.
    TokenTooOld {
        /// Seconds since then.
        age: Seconds,
    },
    /// The token is bound to a key or a certificate (`cnf`, RFC 7800 3.1), or has to be, and its sender shows no proof.
    ProofMissing {
        /// What is missing.
        missing: MissingProof,
    },
    /// The proof of possession that came with the token does not pass a check (RFC 9449 4.3, RFC 8705 3).
    ProofInvalid {
        /// Which.
        fault: ProofFault,
    },
    /// The proof has no nonce of ours that still counts (RFC 9449 9).
    ProofNonce {
        /// The nonce that the client is told to use.
        nonce: String,
    },
    /// The proof was used before (RFC 9449 11.1).
    ProofReplayed,
    /// It is unknown whether the proof was used before: `proofs.directory` is full or not there.
    ReplayUnavailable,
    /// The token was revoked.
    TokenRevoked,
    /// It is unknown whether the token was revoked.
    RevocationUnavailable,
    /// The token holds too few of the `scopes`.
    ScopeInsufficient,
    /// The `claims` expression does not hold.
    ClaimsRejected,
    /// How, or how long ago, the user signed in is not what the request needs (RFC 9470).
    StepUpRequired {
        /// Values of `acr` that would do, separated by spaces; empty where that of the token does.
        acr_values: String,
        /// How long ago the sign-in may be, where it is not known to be as recent.
        max_age: Option<Seconds>,
    },
    /// The request is under none of the `rules`, or could be under another one for a back end.
    RuleMissing,
    /// A header that has to repeat a part of the message (Model Context Protocol) cannot be used.
    McpHeaderInvalid {
        /// The header, as the configuration or the protocol writes it.
        header: String,
        /// What is wrong with it, the end of a sentence.
        problem: &'static str,
    },
    /// `Origin` is one whose pages may send no requests.
    OriginNotAllowed,
    /// No key of the issuer could be had and none is kept from before.
    KeysUnavailable {
        /// When asking again makes sense.
        retry_after: Seconds,
    },
}

/// Who asks for something that both may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The rules about all tokens of an issuer.
    Issuer,
    /// The rule that the request is under.
    Rule,
}

/// What decided a refusal, with both values: for the log and `explain`, never for an answer. Each is one text, empty for
/// none; what the client or the issuer chose is in printable ASCII and bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What the request has.
    pub found: String,
    /// What the configuration asks for.
    pub expected: String,
    /// What is likely behind it.
    pub hint: String,
}

impl Refusal {
    /// Whether the token is one of somebody who is trusted, and only may not do here what it is used for.
    #[must_use]
    pub const fn is_of_a_good_token(&self) -> bool {
        match self {
            Self::AudienceNotAccepted { asked_by } => matches!(asked_by, AskedBy::Rule),
            Self::ScopeInsufficient
            | Self::ClaimsRejected
            | Self::StepUpRequired { .. }
            | Self::RuleMissing
            | Self::McpHeaderInvalid { .. } => true,
            Self::TokenMissing
            | Self::TokenRepeated
            | Self::CredentialsMalformed
            | Self::SchemeUnexpected
            | Self::CookieMalformed
            | Self::TargetMalformed
            | Self::PeerNotTrusted
            | Self::ForwardedRequestInvalid { .. }
            | Self::ChangeNotPossible
            | Self::TokenTooLarge { .. }
            | Self::TokenMalformed { .. }
            | Self::TokenEncrypted
            | Self::CritNotSupported
            | Self::AlgNotAllowed { .. }
            | Self::IssuerNotTrusted { .. }
            | Self::KeyNotFound { .. }
            | Self::SignatureInvalid { .. }
            | Self::TokenExpired { .. }
            | Self::TokenNotYetValid { .. }
            | Self::ClaimMissing { .. }
            | Self::ClaimInvalid { .. }
            | Self::ClientNotAccepted
            | Self::TokenTypeNotAccepted { .. }
            | Self::TokenLifetimeTooLong { .. }
            | Self::TokenTooOld { .. }
            | Self::ProofMissing { .. }
            | Self::ProofInvalid { .. }
            | Self::ProofNonce { .. }
            | Self::ProofReplayed
            | Self::ReplayUnavailable
            | Self::TokenRevoked
            | Self::RevocationUnavailable
            | Self::OriginNotAllowed
            | Self::KeysUnavailable { .. } => false,
        }
    }

    /// The stable machine-readable code (`docs/errors.md`). Never renamed or reused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::TokenRepeated => "token_repeated",
            Self::CredentialsMalformed => "credentials_malformed",
            Self::SchemeUnexpected => "scheme_unexpected",
            Self::CookieMalformed => "cookie_malformed",
            Self::TargetMalformed => "target_malformed",
            Self::PeerNotTrusted => "peer_not_trusted",
            Self::ForwardedRequestInvalid { .. } => "forwarded_request_invalid",
            Self::ChangeNotPossible => "change_not_possible",
            Self::TokenTooLarge { .. } => "token_too_large",
            Self::TokenMalformed { .. } => "token_malformed",
            Self::TokenEncrypted => "token_encrypted",
            Self::CritNotSupported => "crit_not_supported",
            Self::AlgNotAllowed { .. } => "alg_not_allowed",
            Self::IssuerNotTrusted { .. } => "issuer_not_trusted",
            Self::KeyNotFound { .. } => "key_not_found",
            Self::SignatureInvalid { .. } => "signature_invalid",
            Self::TokenExpired { .. } => "token_expired",
            Self::TokenNotYetValid { .. } => "token_not_yet_valid",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimInvalid { .. } => "claim_invalid",
            Self::AudienceNotAccepted { .. } => "audience_not_accepted",
            Self::ClientNotAccepted => "client_not_accepted",
            Self::TokenTypeNotAccepted { .. } => "token_type_not_accepted",
            Self::TokenLifetimeTooLong { .. } => "token_lifetime_too_long",
            Self::TokenTooOld { .. } => "token_too_old",
            Self::ProofMissing { .. } => "proof_missing",
            Self::ProofInvalid { .. } => "proof_invalid",
            Self::ProofNonce { .. } => "proof_nonce",
            Self::ProofReplayed => "proof_replayed",
            Self::ReplayUnavailable => "replay_unavailable",
            Self::TokenRevoked => "token_revoked",
            Self::RevocationUnavailable => "revocation_unavailable",
            Self::ScopeInsufficient => "scope_insufficient",
            Self::ClaimsRejected => "claims_rejected",
            Self::StepUpRequired { .. } => "step_up_required",
            Self::RuleMissing => "rule_missing",
            Self::McpHeaderInvalid { .. } => "mcp_header_invalid",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::KeysUnavailable { .. } => "keys_unavailable",
        }
    }

    /// One sentence for `error_description` and the log: in the character set of RFC 6750 3, and without any
    /// value that the token chose. Claim names come from the configuration.
    pub fn description(&self) -> String {
        match self {
            Self::TokenMissing => "no token was sent".into(),
            Self::TokenRepeated => "more than one token was sent".into(),
            Self::CredentialsMalformed => "the credentials are malformed".into(),
            Self::SchemeUnexpected => "a scheme stands before the token, and none is expected".into(),
            Self::CookieMalformed => "the cookie of the token holds something else".into(),
            Self::TargetMalformed => "the target of the request does not begin with a slash".into(),
            Self::PeerNotTrusted => "questions about other requests are not answered to this address".into(),
            Self::ForwardedRequestInvalid { header, problem } => {
                format!("the request that is asked about is not clear: {header} {problem}")
            }
            Self::ChangeNotPossible => {
                "the cookie of the token has copies, and the request cannot be changed".into()
            }
            Self::TokenTooLarge { bytes } => format!("the token has {bytes} bytes, which is too many"),
            Self::TokenMalformed { problem } => format!("the token is malformed: {problem}"),
            Self::TokenEncrypted => "the token is encrypted (JWE), which is not supported".into(),
            Self::CritNotSupported => {
                "the token has critical header parameters that are not supported".into()
            }
            Self::AlgNotAllowed { .. } => "the algorithm of the token is not allowed".into(),
            Self::IssuerNotTrusted { .. } => "the issuer of the token is not trusted".into(),
            Self::KeyNotFound { .. } => "no key fits the token".into(),
            Self::SignatureInvalid { .. } => "the signature of the token is not valid".into(),
            Self::TokenExpired { .. } => "the token has expired".into(),
            Self::TokenNotYetValid { .. } => "the token is not valid yet".into(),
            Self::ClaimMissing { claim } => format!("the claim {} is missing", named(claim)),
            Self::ClaimInvalid { claim } => format!("the claim {} has an invalid value", named(claim)),
            Self::AudienceNotAccepted { .. } => "the token is meant for another audience".into(),
            Self::ClientNotAccepted => "the token was issued to another client".into(),
            Self::TokenTypeNotAccepted { .. } => "the type of the token is not accepted".into(),
            Self::TokenLifetimeTooLong { .. } => "the token is valid for too long a time".into(),
            Self::TokenTooOld { .. } => "the token, or the sign-in behind it, is too old".into(),
            Self::ProofMissing { missing } => missing.to_string(),
            Self::ProofInvalid { fault } => format!("the proof of possession is not valid: {fault}"),
            Self::ProofNonce { .. } => "the proof of possession needs the nonce of this server".into(),
            Self::ProofReplayed => "the proof of possession was used before".into(),
            Self::ReplayUnavailable => "it is unknown whether the proof was used before".into(),
            Self::TokenRevoked => "the token was revoked".into(),
            Self::RevocationUnavailable => "it is unknown whether the token was revoked".into(),
            Self::ScopeInsufficient => "the token does not have the scopes for this request".into(),
            Self::ClaimsRejected => "the claims of the token do not allow this request".into(),
            Self::StepUpRequired { max_age: None, .. } => "the user has to sign in by another method".into(),
            Self::StepUpRequired { .. } => "the user has to sign in again".into(),
            Self::RuleMissing => "no rule allows this request".into(),
            Self::McpHeaderInvalid { header, problem } => {
                format!("the header {} {problem}", text::unescaped(header))
            }
            Self::OriginNotAllowed => "pages of this origin may send no requests".into(),
            Self::KeysUnavailable { .. } => "the keys to verify the token are not available".into(),
        }
    }
}

/// The name of a claim, in quotes if a blank or nothing at all would not be seen without them.
fn named(claim: &str) -> String {
    let shown = text::unescaped(claim);
    if shown.is_empty() || shown.contains(' ') { format!("'{shown}'") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn a_blank_in_the_name_of_a_claim_is_seen() {
        for (claim, expected) in [
            ("exp", "the claim exp is missing"),
            ("exp ", "the claim 'exp ' is missing"),
            ("", "the claim '' is missing"),
            ("a\"", "the claim a? is missing"),
        ] {
            assert_eq!(Refusal::ClaimMissing { claim: claim.into() }.description(), expected);
        }
    }
}
