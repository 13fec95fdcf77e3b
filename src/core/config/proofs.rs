//! `proofs`: which proofs of possession are checked.

use std::rc::Rc;

use crate::core::answer::resource_metadata::ProofMetadata;
use crate::core::answer::{Beside, DpopChallenge};
use crate::core::claims::binding::Checked;
use crate::core::config::capabilities::Capabilities;
use crate::core::config::client::mounted;
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::proofs::*;
use crate::core::config::outside::{Outside, outside};
use crate::core::config::values::Values;
use crate::core::limits::MIN_NONCE_SECRET_BYTES;
use crate::core::proof::dpop::{DpopRules, Replay};
use crate::core::proof::mtls::{CertificateForwarding, MtlsRules};
use crate::core::proof::nonce::{NonceSecret, NonceSource};
use crate::core::proof::rules::ProofRules;
use crate::core::request::header_name::is_field_name;
use crate::core::signature::alg::Alg;
use crate::core::text::quoted;
use crate::core::token::source::{TokenPlace, TokenSources};
use crate::core::url::Url;

/// The proofs that are checked; `None` for none.
#[inline(never)]
pub(super) fn proofs(
    root: &Values,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<ProofRules> {
    let (dpop, mtls) = (root.word(&DPOP, &CHECKED), root.word(&MTLS, &CHECKED));
    let of_dpop: [&Row; 7] =
        [&ORIGIN, &PROOF_ALGORITHMS, &PROOF_AGE, &REPLAY, &NONCE_SECRET, &REPLAY_DIRECTORY, &PROOF_FORWARD];
    let of_mtls: [&Row; 3] = [&CERTIFICATE_HEADER, &CERTIFICATE_FORMAT, &FORWARD_CERTIFICATE];
    for (checked, switch, rows) in [(dpop, &DPOP, of_dpop.as_slice()), (mtls, &MTLS, &of_mtls)] {
        // A rule for proofs that are not checked.
        for row in
            rows.iter().filter(|row| checked == Checked::Off && root.has(row) && !root.is_refused(switch))
        {
            errors.conflict(row.path, format!("belongs to {}, which is off", switch.path));
        }
    }
    let dpop = (dpop != Checked::Off).then(|| dpop_rules(root, capabilities, errors));
    let mtls = (mtls != Checked::Off).then(|| mtls_rules(root, errors));
    let forwarding = root.word(&PROOF_FORWARD, &FORWARDINGS);
    (dpop.is_some() || mtls.is_some()).then_some(ProofRules { dpop, mtls, forwarding })
}

/// Adds the place that DPoP has (RFC 9449 7.1), unless it is listed.
pub(super) fn add_place(root: &Values, sources: &mut TokenSources) {
    let place = TokenPlace::Header { name: "Authorization".into(), form: "DPoP".into() };
    if is_on(root, &DPOP) && !sources.places.iter().any(|other| other.is_alias(&place)) {
        sources.places.push(place);
    }
}

/// Whether DPoP is checked, or would be if its option had not been refused.
pub(super) fn has_dpop(root: &Values) -> bool {
    is_on(root, &DPOP) || root.is_refused(&DPOP)
}

fn is_on(root: &Values, row: &Row) -> bool {
    root.word(row, &CHECKED) != Checked::Off
}

/// What challenges say.
pub(super) fn challenge(rules: &ProofRules, root: &Values, sources: &TokenSources) -> Option<DpopChallenge> {
    let dpop = rules.dpop.as_ref()?;
    let names: Vec<&str> = dpop.algorithms.iter().map(|alg| alg.name()).collect();
    let alone = root.word(&DPOP, &CHECKED) == Checked::Required
        || sources.challenge_scheme().eq_ignore_ascii_case("DPoP");
    Some(DpopChallenge {
        algorithms: names.join(" "),
        beside: if alone { Beside::Nothing } else { Beside::Bearer },
        has_nonce: matches!(dpop.replay, Replay::Nonce(_)),
    })
}

/// What the metadata of the resource say.
pub(super) fn metadata(rules: &ProofRules, root: &Values) -> ProofMetadata {
    let algorithms = rules.dpop.iter().flat_map(|dpop| dpop.algorithms.iter().map(|alg| alg.name()));
    ProofMetadata {
        dpop_algorithms: algorithms.collect(),
        is_dpop_required: root.word(&DPOP, &CHECKED) == Checked::Required,
        has_mtls: rules.mtls.is_some(),
    }
}

fn dpop_rules(root: &Values, capabilities: &Capabilities<'_>, errors: &mut Errors) -> DpopRules {
    DpopRules {
        algorithms: algorithms(root, errors),
        max_age: root.seconds(&PROOF_AGE),
        replay: replay(root, capabilities, errors),
        origin: root.text(&ORIGIN).and_then(Url::parse).map(|url| url.origin),
    }
}

fn algorithms(root: &Values, errors: &mut Errors) -> Vec<Alg> {
    use Alg::{Ed25519, EdDsa, Es256, Es384, Ps256, Rs256};
    let Some(names) = root.list(&PROOF_ALGORITHMS) else {
        return vec![Es256, EdDsa, Ed25519, Es384, Ps256, Rs256];
    };
    let mut algorithms = Vec::new();
    for name in names {
        match Alg::from_name(name).filter(|alg| !alg.is_hmac()) {
            Some(alg) => algorithms.push(alg),
            None => {
                let known: Vec<&str> =
                    Alg::ALL.iter().filter(|alg| !alg.is_hmac()).map(|alg| alg.name()).collect();
                let expected = format!("algorithms out of {}", known.join(", "));
                errors.value(PROOF_ALGORITHMS.path, quoted(name), expected);
            }
        }
    }
    algorithms
}

fn replay(root: &Values, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Replay {
    let word = root.word(&REPLAY, &REPLAYS);
    for (row, of) in [(&NONCE_SECRET, ReplayWord::Nonce), (&REPLAY_DIRECTORY, ReplayWord::Directory)] {
        let wanted = if of == ReplayWord::Nonce { "nonce" } else { "directory" };
        match (root.has(row), word == of) {
            (true, false) => errors.conflict(row.path, format!("belongs to replay: {wanted}")),
            (false, true) => errors.conflict(row.path, format!("is needed for replay: {wanted}")),
            (true, true) | (false, false) => {}
        }
    }
    match word {
        ReplayWord::Window => Replay::Window,
        ReplayWord::Nonce => nonce_secret(root, capabilities, errors).map_or(Replay::Window, Replay::Nonce),
        ReplayWord::Directory => mounted(root, &REPLAY_DIRECTORY).map_or(Replay::Window, Replay::Directory),
    }
}

fn nonce_secret(root: &Values, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Option<NonceSource> {
    let text = root.text(&NONCE_SECRET)?;
    match outside(NONCE_SECRET.path, text, capabilities, errors)? {
        Outside::Inline(text) => {
            let secret = NonceSecret::new(text.as_bytes());
            if secret.is_none() {
                let expected =
                    format!("at least {MIN_NONCE_SECRET_BYTES} bytes; make one with openssl rand -base64 32");
                let found = format!("a string of {} bytes", text.trim_ascii().len());
                errors.value(NONCE_SECRET.path, found, expected);
            }
            secret.map(|secret| NonceSource::Configured(Rc::new(secret)))
        }
        Outside::File(path) => Some(NonceSource::File(path)),
    }
}

fn mtls_rules(root: &Values, errors: &mut Errors) -> MtlsRules {
    let header = root.text(&CERTIFICATE_HEADER).unwrap_or("X-Forwarded-Tls-Client-Cert");
    let keep = root.flag(&FORWARD_CERTIFICATE);
    // A header that is removed is checked with the other managed headers.
    if keep && !is_field_name(header) {
        errors.value(CERTIFICATE_HEADER.path, quoted(header), "the name of a header");
    }
    MtlsRules {
        header: header.to_owned(),
        format: root.word(&CERTIFICATE_FORMAT, &FORMATS),
        forwarding: if keep { CertificateForwarding::Keep } else { CertificateForwarding::Remove },
    }
}
