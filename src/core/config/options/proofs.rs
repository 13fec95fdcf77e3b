//! Proof of possession.

use crate::core::claims::binding::Checked;
use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::{HOST_URL, MOUNTED};
use crate::core::config::options::{Kind, Range, Row, Table, Words};
use crate::core::limits::MAX_PROOF_AGE_SECONDS;
use crate::core::proof::certificate::CertificateFormat;
use crate::core::proof::rules::ProofForwarding;

const AGE: Range = Range { least: 1, most: MAX_PROOF_AGE_SECONDS, default: 60, unit: "seconds" };

/// `proofs.replay`, before what it needs is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayWord {
    /// `window`
    Window,
    /// `nonce`
    Nonce,
    /// `directory`
    Directory,
}

words! {
    /// `proofs.dpop` and `proofs.mtls`.
    CHECKED: Checked = { "off" => Checked::Off, "optional" => Checked::Optional, "required" => Checked::Required };
    /// `proofs.replay`.
    REPLAYS: ReplayWord = {
        "window" => ReplayWord::Window,
        "nonce" => ReplayWord::Nonce,
        "directory" => ReplayWord::Directory,
    };
    /// `proofs.certificateFormat`.
    FORMATS: CertificateFormat = {
        "traefik" => CertificateFormat::Traefik,
        "pem-escaped" => CertificateFormat::PemEscaped,
        "xfcc" => CertificateFormat::Xfcc,
        "rfc9440" => CertificateFormat::Rfc9440,
    };
    /// `proofs.forward`.
    FORWARDINGS: ProofForwarding = {
        "asReceived" => ProofForwarding::AsReceived,
        "bearer" => ProofForwarding::Bearer,
    };
}

rows! {
    "Proof of possession";

    /// Which proofs are checked that the sender of a token has what the token is bound to.
    PROOFS = top("proofs", Kind::Object).instead("leave the option out to check no proofs");

    /// DPoP (RFC 9449): of tokens that are bound to a key, or of every token. `Authorization: DPoP` is then read unasked.
    DPOP = top("proofs.dpop", Kind::Word(CHECKED.names, 0)).instead("write off to check none");

    /// Client certificates (RFC 8705): of tokens that are bound to one, or of every token.
    MTLS = top("proofs.mtls", Kind::Word(CHECKED.names, 0)).instead("write off to check none");

    /// Scheme and host of `htu`, as clients call them.
    ORIGIN = top("proofs.origin", Kind::Text).like(&HOST_URL).otherwise("`X-Forwarded-Proto` and `Host`, as Traefik has them");

    /// Algorithms of proofs.
    PROOF_ALGORITHMS = top("proofs.algorithms", Kind::List).otherwise("ES256, EdDSA, Ed25519, ES384, PS256, RS256");

    /// How far `iat` of a proof may be from now, in either direction, and how long a nonce lasts.
    PROOF_AGE = top("proofs.maxAgeSeconds", Kind::Whole(&AGE));

    /// What keeps a proof from being used again: its age, a nonce, or a directory that remembers it.
    REPLAY = top("proofs.replay", Kind::Word(REPLAYS.names, 0));

    /// With `replay: nonce`: 32 bytes or more, the same at every replica; a text, `env:NAME` or `file:/path`.
    NONCE_SECRET = top("proofs.nonceSecret", Kind::Secret);

    /// With `replay: directory`: below `settings.mounts`, writable.
    REPLAY_DIRECTORY = top("proofs.directory", Kind::Text).like(&MOUNTED);

    /// Header with the client certificate, which nobody but the proxy in front may set.
    CERTIFICATE_HEADER = top("proofs.certificateHeader", Kind::Text).otherwise("`X-Forwarded-Tls-Client-Cert`");

    /// How it has the certificate.
    CERTIFICATE_FORMAT = top("proofs.certificateFormat", Kind::Word(FORMATS.names, 0));

    /// What the upstream gets of a request under `DPoP`: token and proof, or a bearer token.
    PROOF_FORWARD = top("proofs.forward", Kind::Word(FORWARDINGS.names, 0));

    /// The certificate header goes on.
    FORWARD_CERTIFICATE = top("proofs.forwardCertificate", Kind::Flag(false));
}
