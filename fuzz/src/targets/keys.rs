//! JWK Sets, bundles and keys of proofs.

use std::rc::Rc;

use traefik_jwt_auth::core::json::{Document, Kind};
use traefik_jwt_auth::core::jwk::jwk::JwkError;
use traefik_jwt_auth::core::jwk::{JwkSet, Origin, PresentedKey};
use traefik_jwt_auth::core::limits::{JWKS_JSON, MAX_KEYS_PER_SET};
use traefik_jwt_auth::core::signature::KeyError;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::keys::{by_kid, cluster};

use crate::cut::text;
use crate::mark::mark;
use crate::strict::Tree;

/// A set in each place that it may come from: what it says of a key is what it says of the key alone.
pub(super) fn sets(input: &[u8]) {
    // Documents of several, as they are shared between instances.
    let _ = (cluster::parts(input).is_ok(), by_kid::parts(input).is_ok());
    for origin in [Origin::Configured, Origin::Fetched, Origin::Bundle] {
        let set = match JwkSet::parse(input.to_vec(), origin) {
            Ok(set) => set,
            Err(error) => {
                mark("no set");
                assert!(error.to_string().chars().all(|c| matches!(c, ' '..='~')), "{error}");
                continue;
            }
        };
        assert!(set.kids().all(|kid| set.has_kid(kid)));
        for skipped in &set.skipped {
            mark("skipped");
            assert!(skipped.reason.to_string().chars().all(|c| matches!(c, ' '..='~')), "{}", skipped.reason);
        }
        for key in set.keys() {
            mark("a key");
            assert_usable(&set, key, origin);
        }
        alone(input, &set, origin);
    }
}

fn assert_usable(set: &JwkSet, key: &Rc<traefik_jwt_auth::core::jwk::Jwk>, origin: Origin) {
    let algs: Vec<Alg> = Alg::ALL.into_iter().filter(|alg| key.fits(*alg)).collect();
    assert!(!algs.is_empty(), "a key for nothing");
    assert!(key.alg.is_none() || algs == [key.alg.expect("one")]);
    assert!(
        origin == Origin::Configured || !algs.iter().any(|alg| alg.is_hmac()),
        "a secret that all can read"
    );
    for alg in algs {
        assert!(set.select(key.kid.as_deref(), alg).any(|selected| Rc::ptr_eq(selected, key)));
        let other = set.select(Some("\u{0}another"), alg).any(|selected| Rc::ptr_eq(selected, key));
        assert_eq!(other, key.kid.is_none(), "a key with a name serves that name alone");
    }
}

/// Each key of a set by itself, and those on curves as RustCrypto takes them.
fn alone(input: &[u8], set: &JwkSet, origin: Origin) {
    let json = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let document = Document::parse(json.to_vec(), JWKS_JSON).expect("it is a set");
    let Some(list) = document.root().member("keys").filter(|list| list.kind() == Kind::Array) else { return };
    let mut kids = Vec::new();
    for value in list.elements().take(MAX_KEYS_PER_SET) {
        let Ok(lone) = JwkSet::parse(value.raw().into(), origin) else { continue };
        if !lone.is_lone {
            continue;
        }
        kids.extend(lone.keys().iter().map(|key| key.kid.clone()));
        let tree = Tree::of(value.raw().as_bytes()).expect("both read it");
        let refused = lone.skipped.first().map(|skipped| &skipped.reason);
        if let Some(is_on_curve) = is_on_curve(&tree) {
            match refused {
                None => assert!(is_on_curve || lone.keys().is_empty(), "{tree:?}"),
                Some(JwkError::Key(KeyError::NotOnCurve { .. })) => assert!(!is_on_curve, "{tree:?}"),
                Some(_) => {}
            }
            // The keys of certificates in a bundle are none of ours.
            mark("the curve agrees");
        }
        if origin == Origin::Bundle && refused.is_none() && !lone.keys().is_empty() {
            mark("a bundle");
            assert_eq!(tree.member("use").and_then(Tree::text), Some("jwt-svid"));
        }
    }
    let is_out_of_reach = set.out_of_reach().is_some();
    assert!(is_out_of_reach || kids.iter().eq(set.keys().iter().map(|key| &key.kid)), "{kids:?}");
}

/// The numbers of a key in either alphabet of base64, with all of its padding or none.
fn number(tree: &Tree, member: &str) -> Option<Vec<u8>> {
    let text = tree.member(member)?.text()?;
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    if padding > 2 || (padding > 0 && text.len() % 4 != 0) {
        return None;
    }
    let folded = bare.replace('+', "-").replace('/', "_");
    let bytes = data_encoding::BASE64URL_NOPAD.decode(folded.as_bytes()).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// As RustCrypto sees it; `None` for what is no point of full length.
fn is_on_curve(tree: &Tree) -> Option<bool> {
    if tree.member("kty")?.text()? != "EC" {
        return None;
    }
    let crv = tree.member("crv")?.text()?;
    let size = match crv {
        "P-256" | "secp256k1" => 32,
        "P-384" => 48,
        "P-521" => 66,
        _ => return None,
    };
    let coordinate = |member| {
        let number = number(tree, member)?;
        Some([vec![0; usize::checked_sub(size, number.len())?], number].concat())
    };
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    Some(match crv {
        "P-256" => p256::PublicKey::from_sec1_bytes(&point).is_ok(),
        "P-384" => p384::PublicKey::from_sec1_bytes(&point).is_ok(),
        "P-521" => p521::PublicKey::from_sec1_bytes(&point).is_ok(),
        _ => k256::PublicKey::from_sec1_bytes(&point).is_ok(),
    })
}

/// The key of a proof: public alone, and its thumbprint is that of RFC 7638 3 for the members that define it.
pub(super) fn presented(input: &[u8]) {
    let Ok(document) = Document::parse(input.to_vec(), JWKS_JSON) else { return };
    let Ok(key) = PresentedKey::parse(document.root()) else {
        mark("refused");
        return;
    };
    let tree = Tree::of(input).expect("both read it");
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        assert!(tree.member(private).is_none(), "{private}");
    }
    assert_eq!(key.thumbprint.len(), 43);
    let member = |name: &str| tree.member(name).and_then(Tree::text).expect("it has it").to_owned();
    let encoded = |name: &str, size: usize| {
        let number = number(&tree, name).expect("it has it");
        let zeros = vec![0; size.saturating_sub(number.len())];
        data_encoding::BASE64URL_NOPAD.encode(&[zeros, number].concat())
    };
    let size = match tree.member("crv").and_then(Tree::text) {
        Some("P-384") => 48,
        Some("P-521") => 66,
        Some(_) | None => 32,
    };
    let defining = match member("kty").as_str() {
        "EC" => format!(
            r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
            member("crv"),
            encoded("x", size),
            encoded("y", size)
        ),
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encoded("e", 0), encoded("n", 0)),
        // Not numbers: every byte counts, and whether it is a key shows later.
        _ => return,
    };
    let usable = key.key().is_ok();
    mark(if usable { "a key" } else { "no key" });
    assert_eq!(key.thumbprint, testbed::proofs::sha256(defining.as_bytes()), "{defining} {}", text(input));
}
