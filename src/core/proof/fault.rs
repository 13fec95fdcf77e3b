//! What is wrong with a proof: one variant for each check of RFC 9449 4.3, and those of RFC 8705 3.

use std::fmt;

/// What a request owes for its token and does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingProof {
    /// A check of what the token is bound to: no option covers it.
    Check,
    /// A binding: a proof is demanded of every token, and this one is bound to nothing.
    Binding,
    /// The scheme `DPoP`: a bound token came as a bearer token (RFC 9449 7.2).
    Scheme,
    /// The `DPoP` header beside the token.
    Proof,
    /// A client certificate.
    Certificate,
}

/// The error of challenges about proofs (RFC 9449 7.1).
pub const INVALID_DPOP_PROOF: &str = "invalid_dpop_proof";
/// The error of challenges with a nonce (RFC 9449 9).
pub const USE_DPOP_NONCE: &str = "use_dpop_nonce";
/// The error of challenges about tokens (RFC 6750 3.1, RFC 8705 3).
const INVALID_TOKEN: &str = "invalid_token";

impl MissingProof {
    /// The `error` of the challenge.
    #[must_use]
    pub const fn error(self) -> &'static str {
        match self {
            Self::Proof => INVALID_DPOP_PROOF,
            Self::Check | Self::Binding | Self::Scheme | Self::Certificate => INVALID_TOKEN,
        }
    }
}

impl ProofFault {
    /// The `error` of the challenge.
    #[must_use]
    pub const fn error(&self) -> &'static str {
        match self {
            Self::Certificate | Self::CertificateRepeated | Self::CertificateForm => INVALID_TOKEN,
            Self::Repeated
            | Self::Malformed(_)
            | Self::TooLarge { .. }
            | Self::Claim(_)
            | Self::Type
            | Self::Algorithm { .. }
            | Self::Key
            | Self::Signature
            | Self::Method { .. }
            | Self::Target { .. }
            | Self::IssuedAt { .. }
            | Self::TokenHash
            | Self::Thumbprint => INVALID_DPOP_PROOF,
        }
    }
}

impl fmt::Display for MissingProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "the token is bound to a proof that was not checked",
            Self::Binding => "the token is not bound to a proof of possession",
            Self::Scheme => "the token is bound to a key, and was sent as a bearer token",
            Self::Proof => "no proof of possession was sent",
            Self::Certificate => "the token is bound to a client certificate, and none was sent",
        })
    }
}

/// The check that a proof does not pass. Texts of the sender are in it as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofFault {
    /// More than one `DPoP` header.
    Repeated,
    /// The `DPoP` header is not one JWT; the text says why.
    Malformed(&'static str),
    /// The `DPoP` header is longer than a proof may be.
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A claim is missing, or of another type.
    Claim(&'static str),
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is none of `proofs.algorithms`, or not one that the key is for.
    Algorithm {
        /// The `alg` of the proof.
        found: String,
    },
    /// `jwk` is absent, no public key, or a weak one.
    Key,
    /// The signature is not that of the key.
    Signature,
    /// `htm` is not the method of the request.
    Method {
        /// The `htm` of the proof.
        found: String,
    },
    /// `htu` is not the URI of the request.
    Target {
        /// The `htu` of the proof.
        found: String,
        /// The URI of the request; empty if the request does not say.
        expected: String,
    },
    /// `iat` is too far from now, in either direction.
    IssuedAt {
        /// Seconds between `iat` and now.
        distance: u64,
    },
    /// `ath` is not the hash of the token.
    TokenHash,
    /// The key is not the one that the token is bound to, or the token is bound to none.
    Thumbprint,
    /// The client certificate is not the one that the token is bound to.
    Certificate,
    /// There is more than one header of a client certificate.
    CertificateRepeated,
    /// The header of the client certificate is not in the form that the configuration names.
    CertificateForm,
}

impl fmt::Display for ProofFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => f.write_str("more than one was sent"),
            Self::Malformed(problem) => f.write_str(problem),
            Self::TooLarge { bytes } => write!(f, "it has {bytes} bytes, which is too many"),
            Self::Claim(claim) => write!(f, "{claim} is missing or has an invalid value"),
            Self::Type => f.write_str("typ is not dpop+jwt"),
            Self::Algorithm { .. } => f.write_str("its algorithm is not allowed"),
            Self::Key => f.write_str("jwk is no public key that is strong enough"),
            Self::Signature => f.write_str("its signature is not valid"),
            Self::Method { .. } => f.write_str("htm is not the method of the request"),
            Self::Target { .. } => f.write_str("htu is not the URI of the request"),
            Self::IssuedAt { .. } => f.write_str("iat is too far from now"),
            Self::TokenHash => f.write_str("ath is not the hash of the token"),
            Self::Thumbprint => f.write_str("the token is not bound to its key"),
            Self::Certificate => f.write_str("the token is not bound to the client certificate"),
            Self::CertificateRepeated => f.write_str("more than one client certificate was sent"),
            Self::CertificateForm => f.write_str("the client certificate cannot be read"),
        }
    }
}
