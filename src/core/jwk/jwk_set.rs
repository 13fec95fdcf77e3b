//! A JWK Set (RFC 7517 5), and which of its keys are candidates for a token. Keys that cannot be used are skipped and
//! reported: the others keep working (RFC 7517 5, last paragraph).

use std::fmt;
use std::rc::Rc;

use super::jwk::{self, Jwk, JwkError, Origin};
use super::mistaken::Mistaken;
use crate::core::json::{Document, JsonError, Kind, Value};
use crate::core::limits::{JWKS_JSON, MAX_JWKS_BYTES, MAX_KEYS_PER_SET, MAX_VERIFICATION_COST};
use crate::core::signature::alg::Alg;
use crate::core::text::quoted;
use crate::core::unix_time::Seconds;

/// Keys of one owner, in the order of their source.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Rc<Jwk>>,
    /// The skipped keys of the source, for the log.
    pub skipped: Vec<SkippedKey>,
    /// The source is a single JWK, not a set.
    pub is_lone: bool,
    /// How often a bundle wants to be fetched (`spiffe_refresh_hint`).
    pub refresh_hint: Option<Seconds>,
}

/// A skipped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the array `keys`, from 0.
    pub index: usize,
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// Why it is skipped.
    pub reason: JwkError,
}

/// Why a text is not a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwkSetError {
    /// Longer than [`MAX_JWKS_BYTES`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not an acceptable JSON text.
    Json(JsonError),
    /// Not an object.
    NotAnObject,
    /// Without an array `keys` (RFC 7517 5.1).
    NoKeys,
    /// A known document of another kind.
    Mistaken(Mistaken),
}

impl JwkSet {
    /// Reads a set, or a single JWK as a set. A set without a usable key is accepted, too: it verifies nothing.
    ///
    /// # Errors
    /// See [`JwkSetError`].
    #[inline(never)]
    pub fn parse(json: Vec<u8>, origin: Origin) -> Result<Self, JwkSetError> {
        if json.len() > MAX_JWKS_BYTES {
            return Err(JwkSetError::TooLarge { bytes: json.len() });
        }
        let json = without_byte_order_mark(json);
        let mistaken = Mistaken::of_text(&json);
        let no_json = |error| mistaken.map_or(JwkSetError::Json(error), JwkSetError::Mistaken);
        let document = Document::parse(json, JWKS_JSON).map_err(no_json)?;
        Self::from_value(document.root(), origin)
    }

    /// The same of what has been parsed.
    ///
    /// # Errors
    /// See [`JwkSetError`].
    pub fn from_value(set: Value<'_>, origin: Origin) -> Result<Self, JwkSetError> {
        match set.member("keys") {
            Some(list) if list.kind() == Kind::Array => {
                let read = Self::of_values(&mut list.elements(), origin);
                let hint = set.member("spiffe_refresh_hint").filter(|_| origin == Origin::Bundle);
                let refresh_hint =
                    hint.and_then(Value::as_number).and_then(|text| text.parse().ok()).map(Seconds);
                return Ok(Self { refresh_hint, ..read });
            }
            None if set.member("kty").is_some() => {
                return Ok(Self { is_lone: true, ..Self::of_values(&mut [set].into_iter(), origin) });
            }
            Some(_) | None => {}
        }
        Err(match (Mistaken::of_value(set), set.kind()) {
            (Some(mistaken), _) => JwkSetError::Mistaken(mistaken),
            (None, Kind::Object) => JwkSetError::NoKeys,
            (None, _) => JwkSetError::NotAnObject,
        })
    }

    fn of_values<'d>(values: &mut dyn Iterator<Item = Value<'d>>, origin: Origin) -> Self {
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, value) in values.enumerate() {
            if index == MAX_KEYS_PER_SET {
                let reason = JwkError::TooManyKeys { max: MAX_KEYS_PER_SET };
                skipped.push(SkippedKey { index, kid: None, reason });
                break;
            }
            match jwk::parse(value, origin) {
                // Every bundle has them, and they are none of ours.
                Err(JwkError::Use { found }) if origin == Origin::Bundle && found == "x509-svid" => {}
                Ok(key) => keys.push((index, key)),
                Err(reason) => {
                    let kid = jwk::name(value.member("kid").and_then(Value::as_str));
                    skipped.push(SkippedKey { index, kid, reason });
                }
            }
        }
        // Providers whose keys have no kid put thumbprints into tokens.
        let has_another_name = |key: &Jwk| key.x5t_s256.is_some() || key.thumbprint.is_some();
        Self::within_reach(keys, skipped, has_another_name)
    }

    /// A set of keys from other sources than JSON, which have no names.
    pub fn from_keys(keys: Vec<Jwk>) -> Self {
        Self::within_reach(keys.into_iter().enumerate().collect(), Vec::new(), |_| false)
    }

    /// The set without unreachable keys: earlier keys that match the same tokens use up the cost limit of a token. A key with
    /// a unique name can always be reached by it.
    fn within_reach(
        keys: Vec<(usize, Jwk)>,
        mut skipped: Vec<SkippedKey>,
        has_another_name: impl Fn(&Jwk) -> bool,
    ) -> Self {
        let all = keys.iter().fold(0_u32, |sum, (_, key)| sum.saturating_add(key.key().cost(0)));
        if all < MAX_VERIFICATION_COST {
            let keys = keys.into_iter().map(|(_, key)| Rc::new(key)).collect();
            return Self { keys, skipped, ..Self::default() };
        }
        let mut kept: Vec<Rc<Jwk>> = Vec::with_capacity(keys.len());
        for (index, key) in keys {
            let rivals = kept.iter().filter(|other| other.kid == key.kid && other.shares_an_alg_with(&key));
            let cost = rivals.fold(0_u32, |sum, other| sum.saturating_add(other.key().cost(0)));
            if has_another_name(&key) || cost < MAX_VERIFICATION_COST {
                kept.push(Rc::new(key));
            } else {
                skipped.push(SkippedKey { index, kid: key.kid, reason: JwkError::OutOfReach });
            }
        }
        Self { keys: kept, skipped, ..Self::default() }
    }

    /// The set with keys that are for `issuer` alone.
    #[must_use]
    pub fn of_issuer(mut self, issuer: &str) -> Self {
        for key in &mut self.keys {
            // The set is new, so nobody else has a key of it.
            if let Some(key) = Rc::get_mut(key) {
                key.issuer = Some(issuer.to_owned());
            }
        }
        self
    }

    /// An unreachable key with the reason, if there is one.
    pub fn out_of_reach(&self) -> Option<&SkippedKey> {
        self.skipped.iter().find(|skipped| skipped.reason == JwkError::OutOfReach)
    }

    /// The usable keys.
    pub fn keys(&self) -> &[Rc<Jwk>] {
        &self.keys
    }

    /// The names of the usable keys, in their order.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.kid.as_deref())
    }

    /// Whether a usable key is called `kid`.
    pub fn has_kid(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.is_called(kid))
    }

    /// The keys that a token with this `kid` and `alg` may be verified with. A token's `kid` selects the keys of that name,
    /// then those without a name; a token without `kid` selects all (RFC 7515 4.1.4). Names may repeat with another `kty`
    /// (RFC 7517 4.5). The caller limits the cost of trying them.
    pub fn select<'s>(&'s self, kid: Option<&'s str>, alg: Alg) -> impl Iterator<Item = &'s Rc<Jwk>> {
        let named = self.keys.iter().filter(move |key| kid.is_none_or(|kid| key.is_called(kid)));
        let is_other = move |key: &Rc<Jwk>| key.kid.is_none() && kid.is_some_and(|kid| !key.is_called(kid));
        let unnamed = self.keys.iter().filter(move |key| is_other(key));
        named.chain(unnamed).filter(move |key| key.fits(alg))
    }
}

/// RFC 8259 8.1 lets readers ignore a byte order mark, which some editors and servers put before the text.
fn without_byte_order_mark(mut text: Vec<u8>) -> Vec<u8> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if text.starts_with(MARK) {
        text.drain(..MARK.len());
    }
    text
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "the key set has {bytes} bytes, expected at most {MAX_JWKS_BYTES}")
            }
            Self::Json(error) => write!(f, "the key set is unreadable: {error}"),
            Self::NotAnObject => f.write_str("the key set is not a JSON object"),
            Self::NoKeys => f.write_str("the key set has no array \"keys\""),
            Self::Mistaken(mistaken) => mistaken.fmt(f),
        }
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "key {} (kid {}) is not used: {}", self.index, quoted(kid), self.reason),
            None => write!(f, "key {} is not used: {}", self.index, self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{JwkSet, JwkSetError, SkippedKey};
    use crate::core::json::JsonError;
    use crate::core::jwk::mistaken::Mistaken;
    use crate::core::jwk::{Jwk, JwkError, Origin};
    use crate::core::limits::{MAX_JWKS_BYTES, MAX_KEYS_PER_SET};
    use crate::core::signature::alg::{Alg, Crv};
    use crate::core::signature::{KeyError, VerifyingKey};
    use crate::core::unix_time::Seconds;
    use proptest::prelude::*;

    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    const P256: &str = concat!(
        r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
        r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#
    );

    fn parse(json: &str) -> Result<JwkSet, JwkSetError> {
        JwkSet::parse(json.as_bytes().to_vec(), Origin::Fetched)
    }

    /// A set of keys, each given by its members.
    fn set(keys: &[&str]) -> JwkSet {
        let keys: Vec<String> = keys.iter().map(|members| format!("{{{members}}}")).collect();
        parse(&format!(r#"{{"keys":[{}],"other":1}}"#, keys.join(","))).unwrap()
    }

    #[test]
    fn unusable_keys_are_skipped_and_the_rest_works_rfc_7517_5() {
        let named = |name: &str, members: &str| format!(r#""kid":"{name}",{members}"#);
        let set = set(&[
            &named("akp", r#""kty":"XYZ""#),
            &named("good", ED25519),
            &named("enc", &format!(r#""use":"enc",{P256}"#)),
            r#""kty":"RSA","n":"gQ","e":"AQAB","kid":7"#,
            &named("secret", r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8""#),
            &named("also", P256),
        ]);
        assert_eq!(set.kids().collect::<Vec<_>>(), ["good", "also"]);
        assert_eq!(set.keys().len(), 2);
        assert!(set.has_kid("also") && !set.has_kid("enc") && !set.has_kid(""));
        let skipped =
            |index, kid: Option<&str>, reason| SkippedKey { index, kid: kid.map(str::to_owned), reason };
        let not_text = JwkError::WrongType { member: "kid", expected: "a string" };
        assert_eq!(
            set.skipped,
            [
                skipped(0, Some("akp"), JwkError::UnknownKty { found: "XYZ".to_owned() }),
                skipped(2, Some("enc"), JwkError::Use { found: "enc".to_owned() }),
                skipped(3, None, not_text),
                skipped(4, Some("secret"), JwkError::SecretFetched),
            ]
        );
        assert_eq!(
            set.skipped.first().map(ToString::to_string).as_deref(),
            Some(r#"key 0 (kid "akp") is not used: kty is "XYZ", expected RSA, EC, OKP, AKP or oct"#)
        );
    }

    #[test]
    fn the_keys_of_a_cluster_are_for_its_issuer_alone() {
        let set = set(&[ED25519, P256]).of_issuer("https://cluster.example");
        let issuers: Vec<_> = set.keys().iter().map(|key| key.issuer.as_deref()).collect();
        assert_eq!(issuers, [Some("https://cluster.example"); 2]);
    }

    #[test]
    fn of_a_bundle_only_the_keys_of_jwt_svids() {
        let bundle = |members: &str, keys: &[String]| {
            let json = format!(r#"{{"keys":[{}]{members}}}"#, keys.join(","));
            JwkSet::parse(json.into_bytes(), Origin::Bundle).unwrap()
        };
        let key = |members: &str| format!("{{{members},{P256}}}");
        let keys = [
            key(r#""use":"x509-svid","x5c":["MII"]"#),
            key(r#""use":"jwt-svid","kid":"a""#),
            key(r#""use":"jwt-svid""#),
            key(r#""use":"sig","kid":"b""#),
            key(r#""kid":"c""#),
            key(r#""use":"JWT-SVID","kid":"d""#),
            r#"{"use":"jwt-svid","kid":"e","kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"}"#
                .into(),
        ];
        let set = bundle(r#","spiffe_sequence":7,"spiffe_refresh_hint":300"#, &keys);
        assert_eq!(set.kids().collect::<Vec<_>>(), ["a"]);
        assert_eq!(set.refresh_hint, Some(Seconds(300)));
        let reasons: Vec<&JwkError> = set.skipped.iter().map(|skipped| &skipped.reason).collect();
        let is = |found: &str| JwkError::Use { found: found.into() };
        assert_eq!(
            reasons,
            [
                &JwkError::Missing { member: "kid" },
                &is("sig"),
                &JwkError::Missing { member: "use" },
                &is("JWT-SVID"),
                &JwkError::SecretFetched,
            ]
        );
        for (hint, expected) in
            [("0", Some(0)), ("-1", None), ("1.5", None), ("\"300\"", None), ("null", None)]
        {
            let set = bundle(&format!(r#","spiffe_refresh_hint":{hint}"#), &keys);
            assert_eq!(set.refresh_hint, expected.map(Seconds), "{hint}");
        }
        // In a set of its own, a bundle's keys are for something else.
        let json = format!(r#"{{"keys":[{}],"spiffe_refresh_hint":300}}"#, keys[1]);
        let set = JwkSet::parse(json.into_bytes(), Origin::Fetched).unwrap();
        assert_eq!((set.keys().len(), set.refresh_hint), (0, None));
    }

    #[test]
    fn a_name_is_a_kid_a_certificate_or_a_thumbprint() {
        // RFC 8037 A.3
        let thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        let named = format!(r#""kid":"a","x5t#S256":"cert",{ED25519}"#);
        let set = set(&[&named, P256, ED25519]);
        let selected = |name, alg| -> Vec<usize> {
            let all = set.keys();
            set.select(name, alg)
                .map(|key| all.iter().position(|own| std::rc::Rc::ptr_eq(own, key)).unwrap())
                .collect()
        };
        // Keys without kid come after the named one, and each comes once.
        assert_eq!(selected(Some("a"), Alg::EdDsa), [0, 2]);
        assert_eq!(selected(Some("cert"), Alg::EdDsa), [0, 2]);
        assert_eq!(selected(Some(thumbprint), Alg::EdDsa), [2]);
        assert_eq!(selected(Some("b"), Alg::EdDsa), [2]);
        assert_eq!(selected(None, Alg::EdDsa), [0, 2]);
        assert!(set.has_kid("cert") && set.has_kid(thumbprint) && !set.has_kid("b"));
        // A key that has a kid is not found by its thumbprint.
        assert!(!self::set(&[&named]).has_kid(thumbprint));
    }

    #[test]
    fn a_set_without_usable_keys_is_a_set() {
        for json in [r#"{"keys":[]}"#, r#"{"keys":[{}]}"#, r#"{"keys":[1,null,"a",[]]}"#] {
            let set = parse(json).unwrap();
            assert!(set.keys().is_empty());
            assert_eq!(set.select(None, Alg::EdDsa).count(), 0);
        }
    }

    #[test]
    fn a_lone_key_is_a_set_and_says_so() {
        for (json, keys, skipped, is_lone) in [
            (format!("{{{P256}}}"), 1, 0, true),
            (r#"{"kty":"OKP"}"#.to_owned(), 0, 1, true),
            (format!(r#"{{"keys":[{{{P256}}}]}}"#), 1, 0, false),
            // If there is a set, it decides.
            (format!(r#"{{"keys":[],{P256}}}"#), 0, 0, false),
        ] {
            let set = parse(&json).unwrap();
            assert_eq!(
                (set.keys().len(), set.skipped.len(), set.is_lone),
                (keys, skipped, is_lone),
                "{json}"
            );
        }
        let secret = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8"}"#;
        assert_eq!(parse(secret).unwrap().skipped[0].reason, JwkError::SecretFetched);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_set_rfc_8259_8_1() {
        assert_eq!(parse(&format!("\u{feff}{{\"keys\":[{{{P256}}}]}}")).unwrap().keys().len(), 1);
    }

    #[test]
    fn an_empty_kid_is_none() {
        let set = set(&[&format!(r#""kid":"",{ED25519}"#), r#""kid":"","kty":"EC","x":"AQ","y":"AQ""#]);
        assert!(set.keys().iter().all(|key| key.kid.is_none() && key.thumbprint.is_some()));
        assert!(!set.has_kid(""));
        let skipped: Vec<String> = set.skipped.iter().map(ToString::to_string).collect();
        let reason =
            "key 1 is not used: member crv is missing, and a curve is not guessed from the length of a key";
        assert_eq!(skipped, [reason]);
    }

    #[test]
    fn what_is_no_set_rfc_7517_5_1() {
        for (json, error) in [
            ("", JwkSetError::Mistaken(Mistaken::Empty)),
            ("\u{feff}", JwkSetError::Mistaken(Mistaken::Empty)),
            ("<html>", JwkSetError::Mistaken(Mistaken::Html)),
            ("not found", JwkSetError::Json(JsonError::Syntax)),
            ("\u{feff}\u{feff}{}", JwkSetError::Json(JsonError::Syntax)),
            (r#"{"keys":[]"#, JwkSetError::Json(JsonError::Syntax)),
            (r#"{"keys":[],"keys":[]}"#, JwkSetError::Json(JsonError::DuplicateMember)),
            (r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#, JwkSetError::Json(JsonError::DuplicateMember)),
            ("[]", JwkSetError::NotAnObject),
            ("1", JwkSetError::NotAnObject),
            (r#"[{"kty":"RSA"}]"#, JwkSetError::Mistaken(Mistaken::List)),
            (r#"{"error":"x"}"#, JwkSetError::Mistaken(Mistaken::Error { says: "x".into() })),
            (r#"{"keys":{},"kty":"OKP"}"#, JwkSetError::NoKeys),
            ("{}", JwkSetError::NoKeys),
            (r#"{"keys":{}}"#, JwkSetError::NoKeys),
            (r#"{"keys":null}"#, JwkSetError::NoKeys),
            (r#"{"Keys":[]}"#, JwkSetError::NoKeys),
            (r#"{"kid":"a"}"#, JwkSetError::NoKeys),
        ] {
            assert_eq!(parse(json).map(|set| set.keys().len()), Err(error), "{json}");
        }
        let deep = format!(r#"{{"keys":[],"a":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
        assert_eq!(parse(&deep).err(), Some(JwkSetError::Json(JsonError::TooComplex)));
        let wide = format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(20_000));
        assert_eq!(parse(&wide).err(), Some(JwkSetError::Json(JsonError::TooComplex)));
        let bytes = MAX_JWKS_BYTES + 1;
        let large = JwkSet::parse(vec![b' '; bytes], Origin::Configured);
        assert_eq!(large.err(), Some(JwkSetError::TooLarge { bytes }));
        let empty = r#"{"keys":[]}"#;
        assert!(parse(&format!("{empty}{}", " ".repeat(MAX_JWKS_BYTES - empty.len()))).is_ok());
    }

    #[test]
    fn keys_behind_the_bound_are_ignored_and_reported() {
        let set = set(&vec![ED25519; MAX_KEYS_PER_SET + 7]);
        assert_eq!(set.keys().len(), MAX_KEYS_PER_SET);
        let reason = JwkError::TooManyKeys { max: MAX_KEYS_PER_SET };
        assert_eq!(set.skipped, [SkippedKey { index: MAX_KEYS_PER_SET, kid: None, reason }]);
    }

    #[test]
    fn keys_that_no_token_reaches_are_skipped_and_reported() {
        // The base point, a valid key.
        let point = [
            "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38",
            "5502f25dbf55296c3a545e3872760ab7",
        ]
        .concat();
        let digit = |at: usize| point.as_bytes()[at..at + 2].to_vec();
        let byte = |at| u8::from_str_radix(&String::from_utf8(digit(at)).unwrap(), 16).unwrap();
        let sec1: Vec<u8> = (0..point.len()).step_by(2).map(byte).collect();
        let p384 = || Jwk::from_key(VerifyingKey::ec_sec1(Crv::P384, &sec1).unwrap());
        // Each costs 440 of 1800, and the last one that is tried may go beyond.
        let set = JwkSet::from_keys((0..7).map(|_| p384()).collect());
        assert_eq!(set.keys().len(), 5);
        let skipped = |index| SkippedKey { index, kid: None, reason: JwkError::OutOfReach };
        assert_eq!(set.skipped, [skipped(5), skipped(6)]);
        assert_eq!(
            set.out_of_reach().map(ToString::to_string).as_deref(),
            Some(
                "key 5 is not used: the keys before it that serve the same tokens cost as much as one token may; \
                 give it a kid of its own"
            )
        );
        // With different names, all are reached; with one name for all, they are not.
        let named = |kid: fn(usize) -> String| {
            let keys = (0..7).map(|n| Jwk { kid: Some(kid(n)), ..p384() }).collect();
            JwkSet::from_keys(keys).keys().len()
        };
        assert_eq!(named(|n| n.to_string()), 7);
        assert_eq!(named(|_| "a".into()), 5);
        // Of another algorithm, a key is reached whatever the others cost.
        let ed25519 = Jwk::from_key(VerifyingKey::ed25519(&[7; 32]).unwrap());
        let others = (0..5).map(|_| p384()).chain([ed25519]).collect();
        assert_eq!(JwkSet::from_keys(others).skipped, []);
        // Those without kid in a JWK Set have thumbprints.
        assert_eq!(self::set(&vec![P256; 40]).out_of_reach(), None);
        assert_eq!(self::set(&vec![P256; 40]).keys().len(), 40);
    }

    #[test]
    fn keys_are_selected_by_kid_and_algorithm_rfc_7515_4_1_4_and_rfc_7517_4_5() {
        let set = set(&[
            ED25519,
            &format!(r#""kid":"a",{ED25519}"#),
            // The same name with another kty, and with another alg.
            &format!(r#""kid":"a",{P256}"#),
            &format!(r#""kid":"a","alg":"Ed25519",{ED25519}"#),
            &format!(r#""kid":"b",{ED25519}"#),
            &format!(r#""kid":"",{ED25519}"#),
        ]);
        let index =
            |key: &std::rc::Rc<Jwk>| set.keys().iter().position(|other| std::rc::Rc::ptr_eq(other, key));
        for (kid, alg, expected) in [
            // The keys of that name, then those without: an empty name does not count.
            (Some("a"), Alg::EdDsa, &[1, 0, 5][..]),
            (Some("a"), Alg::Ed25519, &[1, 3, 0, 5]),
            (Some("a"), Alg::Es256, &[2]),
            (Some("a"), Alg::Rs256, &[]),
            (Some("b"), Alg::EdDsa, &[4, 0, 5]),
            (Some("b"), Alg::Es256, &[]),
            // A kid is compared byte for byte; no fallback to keys of another name.
            (Some("A"), Alg::EdDsa, &[0, 5]),
            (Some("c"), Alg::Es256, &[]),
            (Some(""), Alg::EdDsa, &[0, 5]),
            // Without one: all.
            (None, Alg::EdDsa, &[0, 1, 4, 5]),
            (None, Alg::Ed25519, &[0, 1, 3, 4, 5]),
            (None, Alg::Es256, &[2]),
            (None, Alg::Hs256, &[]),
        ] {
            let selected: Vec<usize> = set.select(kid, alg).filter_map(index).collect();
            assert_eq!(selected, expected, "{kid:?} {alg}");
        }
    }

    #[test]
    fn sets_of_other_sources_serve_every_kid() {
        let secret = VerifyingKey::hmac(&[7; 32]).unwrap();
        let set = JwkSet::from_keys(vec![Jwk::from_key(secret)]);
        assert_eq!(set.select(Some("any"), Alg::Hs256).count(), 1);
        assert_eq!(set.select(Some("any"), Alg::Hs384).count(), 0);
        assert_eq!(VerifyingKey::hmac(&[7; 8]).err(), Some(KeyError::SecretTooShort { bytes: 8 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_bytes_are_a_set_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..64),
            text in "[\\[\\]{}\",:0-9a-z\\\\]{0,32}",
        ) {
            let _ = JwkSet::parse(bytes, Origin::Fetched);
            let _ = parse(&format!(r#"{{"keys":[{{{ED25519},{text}}}]}}"#));
            let _ = parse(&format!(r#"{{"keys":[{text}]}}"#));
        }
    }
}
