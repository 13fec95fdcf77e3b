//! Nonces of proofs, and the file with their secret: HMAC as RFC 2104 2 defines it.

use traefik_jwt_auth::core::proof::nonce::{NonceSecret, Worth};
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};

use crate::NOW;
use crate::cut::{choice, parts};
use crate::mark::mark;

/// How long a nonce lasts, in seconds. What a configuration can say at least, and at most, is between these.
const LASTS: [u64; 4] = [1, 60, 3_600, u64::MAX];

/// A nonce of the spans around this one with some bytes changed, or any text; then a file with a secret. Nothing but the nonce
/// of this span and of the last one counts.
pub(super) fn nonce(input: &[u8]) {
    let (span, rest) = choice(input, 5);
    let (lasts, rest) = choice(rest, LASTS.len());
    let [change, file] = parts(rest);
    let lasts = LASTS[lasts];
    let written = file.trim_ascii();
    let Some(secret) = NonceSecret::new(file) else {
        mark("no secret");
        assert!(written.len() < 32);
        return;
    };
    assert!(written.len() >= 32);
    let this = NOW / lasts;
    // The one of this span is the third.
    let nonce = match (this + span as u64).checked_sub(2) {
        Some(number) => by_definition(written, number),
        None => String::new(),
    };
    let mut bytes = nonce.into_bytes();
    for byte in change.chunks_exact(2) {
        let at = usize::from(byte[0]) % (bytes.len() + 1);
        match bytes.get_mut(at) {
            Some(changed) => *changed ^= byte[1],
            None => bytes.push(byte[1]),
        }
    }
    let Ok(nonce) = String::from_utf8(bytes) else { return };
    let theirs = if nonce == by_definition(written, this) {
        mark("current");
        Worth::Current
    } else if this.checked_sub(1).is_some_and(|last| nonce == by_definition(written, last)) {
        mark("previous");
        Worth::Previous
    } else {
        mark("nothing");
        Worth::Nothing
    };
    let now = UnixTime::from_seconds(NOW);
    assert_eq!(secret.worth(&nonce, now, Seconds(lasts)), theirs, "{nonce:?}");
    assert_eq!(secret.nonce(now, Seconds(lasts)), by_definition(written, this));
    assert_eq!(NonceSecret::new(written), Some(secret));
}

/// The nonce of the span of this number.
fn by_definition(secret: &[u8], number: u64) -> String {
    let number = number.to_be_bytes();
    let mac = hmac(secret, &[&b"DPoP-Nonce "[..], &number].concat());
    data_encoding::BASE64URL_NOPAD.encode(&[&number[..], &mac].concat())
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { sha256(key) } else { key.to_vec() };
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = sha256(&[&padded(0x36), message].concat());
    sha256(&[padded(0x5c), inner].concat())
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    let text = testbed::proofs::sha256(bytes);
    data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).expect("it is base64url")
}
