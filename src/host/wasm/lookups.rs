//! What checks of a request look up, as the host has it.

use std::rc::Rc;

use crate::core::policy::Policy;
use crate::core::proof::dpop::KeptKeys;
use crate::core::proof::nonce::{NonceSecret, NonceSecrets};
use crate::core::proof::replay::{ReplayMemory, Use, UsedProof};
use crate::core::revocation::list::RevocationList;
use crate::core::revocation::marker::{Found, Markers};
use crate::core::revocation::{ListView, Revocations};
use crate::core::signature::VerifyingKey;
use crate::core::unix_time::UnixTime;
use crate::host::directories::MountedDirectories;
use crate::keys::nonce_file::NonceFile;
use crate::keys::proof_keys::ProofKeys;
use crate::keys::replay::ReplayDirectory;
use crate::keys::revocations::{RevokedAt, RevokedTokens};

/// What one instance has of it.
pub struct HostLookups {
    keys: ProofKeys,
    proofs: ReplayDirectory<MountedDirectories>,
    /// The list of what is revoked.
    pub revoked: RevokedTokens,
    /// The secret of nonces, where that is in a file.
    pub nonces: NonceFile,
}

impl HostLookups {
    /// Nothing has been looked up yet.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let list = policy.revocation.as_ref().and_then(|rules| rules.list.as_ref());
        Self {
            keys: ProofKeys::default(),
            proofs: ReplayDirectory::new(MountedDirectories),
            revoked: RevokedTokens::new(list),
            nonces: NonceFile::new(policy),
        }
    }

    /// The same as a decision at `now` sees it.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> LookupsAt<'_> {
        LookupsAt { lookups: self, revoked: self.revoked.at(now) }
    }
}

/// [`HostLookups`] at an instant.
pub struct LookupsAt<'l> {
    lookups: &'l HostLookups,
    revoked: RevokedAt<'l>,
}

impl KeptKeys for LookupsAt<'_> {
    fn kept(&self, thumbprint: &str) -> Option<Rc<VerifyingKey>> {
        self.lookups.keys.kept(thumbprint)
    }

    fn keep(&self, thumbprint: &str, key: &Rc<VerifyingKey>) {
        self.lookups.keys.keep(thumbprint, key);
    }
}

impl ReplayMemory for LookupsAt<'_> {
    fn first_use(&self, proof: &UsedProof<'_>) -> Use {
        self.lookups.proofs.first_use(proof)
    }
}

impl NonceSecrets for LookupsAt<'_> {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        self.lookups.nonces.nonce_secret()
    }
}

impl Markers for LookupsAt<'_> {
    fn find(&self, path: &str) -> Found {
        MountedDirectories.find(path)
    }
}

impl Revocations for LookupsAt<'_> {
    fn list(&self) -> Option<Rc<RevocationList>> {
        self.revoked.list()
    }

    fn list_view(&self) -> Option<ListView> {
        self.revoked.list_view()
    }
}
