//! Nonces that a proof has to carry (RFC 9449 8 and 9). A nonce is made of nothing but the time and a secret, so anyone who
//! has the secret recognises it: other instances, routers, replicas, and the same after a restart.

use std::fmt;
use std::rc::Rc;

use ::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::core::limits::MIN_NONCE_SECRET_BYTES;
use crate::core::token::base64url;
use crate::core::unix_time::{Seconds, UnixTime};

/// What nonces are made with.
#[derive(Clone, PartialEq, Eq)]
pub struct NonceSecret(Vec<u8>);

/// Where it is (`proofs.nonceSecret`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NonceSource {
    /// In the configuration, or in a variable.
    Configured(Rc<NonceSecret>),
    /// In this file below the mounts: read again when it changes.
    File(String),
}

/// The secret in a file, as an instance has it.
pub trait NonceSecrets {
    /// The last good one; `None` if none was ever had, or the file is gone for too long.
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>>;
}

impl NonceSource {
    /// The secret, if it can be had.
    pub fn secret(&self, secrets: &dyn NonceSecrets) -> Option<Rc<NonceSecret>> {
        match self {
            Self::Configured(secret) => Some(Rc::clone(secret)),
            Self::File(_) => secrets.nonce_secret(),
        }
    }
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is the nonce of this moment.
    Current,
    /// It is the one before that, which still counts: the client needs a new one.
    Previous,
    /// It does not count.
    Nothing,
}

impl NonceSecret {
    /// A secret of [`MIN_NONCE_SECRET_BYTES`] or more, without what is blank around it: editors and `echo` leave a line end
    /// behind. `None` for a shorter one.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        let secret = secret.trim_ascii();
        (secret.len() >= MIN_NONCE_SECRET_BYTES).then(|| Self(secret.to_vec()))
    }

    /// The nonce of `now`, where one lasts `lasts`.
    #[must_use]
    pub fn nonce(&self, now: UnixTime, lasts: Seconds) -> String {
        self.nonce_of(bucket(now, lasts))
    }

    /// What `nonce` is worth at `now`, where one lasts `lasts`.
    #[must_use]
    pub fn worth(&self, nonce: &str, now: UnixTime, lasts: Seconds) -> Worth {
        let current = bucket(now, lasts);
        if is_same(nonce, &self.nonce_of(current)) {
            Worth::Current
        } else if current.checked_sub(1).is_some_and(|last| is_same(nonce, &self.nonce_of(last))) {
            Worth::Previous
        } else {
            Worth::Nothing
        }
    }

    /// Its one text: base64url has no other for the same bytes.
    #[inline(never)]
    fn nonce_of(&self, bucket: u64) -> String {
        let mut bytes = bucket.to_be_bytes().to_vec();
        // Any secret is a key for HMAC, so there is always one.
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            // A text of its own in front, so that a secret that is used elsewhere, too, gives nothing away.
            let mac = mac.chain_update(b"DPoP-Nonce ").chain_update(&bytes).finalize();
            bytes.extend_from_slice(&mac.into_bytes());
        }
        base64url::encode(&bytes)
    }
}

impl fmt::Debug for NonceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NonceSecret({} bytes)", self.0.len())
    }
}

/// Whether two texts are the same, in a time that depends on nothing but their lengths.
fn is_same(a: &str, b: &str) -> bool {
    let different = a.bytes().zip(b.bytes()).fold(0, |different, (a, b)| different | (a ^ b));
    a.len() == b.len() && std::hint::black_box(different) == 0
}

/// The number of the span of `lasts` seconds that `now` is in.
#[must_use]
pub fn bucket(now: UnixTime, lasts: Seconds) -> u64 {
    now.as_seconds().checked_div(lasts.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{NonceSecret, Worth};
    use crate::core::unix_time::{Seconds, UnixTime};

    const MINUTE: Seconds = Seconds(60);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn secret(byte: u8) -> NonceSecret {
        NonceSecret::new(&[byte; 32]).unwrap()
    }

    #[test]
    fn this_and_the_last_bucket_count() {
        let nonce = secret(1).nonce(at(600), MINUTE);
        assert_eq!(nonce, secret(1).nonce(at(659), MINUTE));
        assert_ne!(nonce, secret(1).nonce(at(660), MINUTE));
        for (now, expected) in [
            (540, Worth::Nothing),
            (599, Worth::Nothing),
            (600, Worth::Current),
            (659, Worth::Current),
            (660, Worth::Previous),
            (719, Worth::Previous),
            (720, Worth::Nothing),
            (6000, Worth::Nothing),
        ] {
            assert_eq!(secret(1).worth(&nonce, at(now), MINUTE), expected, "{now}");
        }
    }

    #[test]
    fn nobody_else_makes_one() {
        let nonce = secret(1).nonce(at(600), MINUTE);
        let worth = |nonce: &str| secret(1).worth(nonce, at(600), MINUTE);
        assert_eq!(worth(&nonce), Worth::Current);
        assert_eq!(secret(2).worth(&nonce, at(600), MINUTE), Worth::Nothing);
        for at in 0..nonce.len() {
            let mut forged = nonce.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(worth(std::str::from_utf8(&forged).unwrap()), Worth::Nothing, "{at}");
            assert_eq!(worth(nonce.get(..at).unwrap()), Worth::Nothing, "{at}");
        }
        // Differences in two places do not make up for each other.
        let mut twice = nonce.clone().into_bytes();
        let last = twice.len() - 1;
        for at in [0, last] {
            twice[at] ^= 1;
        }
        assert_eq!(worth(std::str::from_utf8(&twice).unwrap()), Worth::Nothing);
        for other in [format!("{nonce}A"), format!("{nonce}="), String::new(), "AAAAAAAAAAo".into()] {
            assert_eq!(worth(&other), Worth::Nothing, "{other}");
        }
    }

    #[test]
    fn a_secret_has_32_bytes() {
        assert_eq!(NonceSecret::new(&[7; 31]), None);
        assert_eq!(NonceSecret::new(&[[b' '; 16], [b'\n'; 16]].concat()), None);
        assert_eq!(NonceSecret::new(&[&[b'x'; 32][..], b"\r\n"].concat()), NonceSecret::new(&[b'x'; 32]));
        assert_eq!(format!("{:?}", secret(7)), "NonceSecret(32 bytes)");
    }
}
