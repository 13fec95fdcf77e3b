//! The algorithms (RFC 7518 3.1, RFC 8037 3.1, RFC 8812 3.2, RFC 9864 2.2, RFC 9964 3): one row says everything about one `alg`.
//! Nothing else in the project looks at an algorithm's name. `none` has no row (RFC 7518 3.6, RFC 8725 3.2).

use std::fmt;

use sha2::{Digest, Sha256, Sha384, Sha512};

/// A JWS algorithm that this project verifies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alg {
    /// HMAC with SHA-256
    Hs256,
    /// HMAC with SHA-384
    Hs384,
    /// HMAC with SHA-512
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512
    Ps512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// ECDSA on P-521 with SHA-512
    Es512,
    /// ECDSA on secp256k1 with SHA-256
    Es256k,
    /// EdDSA; of its curves Ed25519 only
    EdDsa,
    /// EdDSA on Ed25519, the fully specified name (RFC 9864)
    Ed25519,
    /// ML-DSA-44 (FIPS 204)
    MlDsa44,
    /// ML-DSA-65
    MlDsa65,
    /// ML-DSA-87
    MlDsa87,
}

/// Type of a key (RFC 7517 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kty {
    /// A secret.
    Oct,
    /// RSA.
    Rsa,
    /// A Weierstrass curve.
    Ec,
    /// An Edwards curve (RFC 8037 2).
    Okp,
    /// A key whose parameters its algorithm names (RFC 9964 4).
    Akp,
}

/// Curve of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crv {
    /// P-256, secp256r1
    P256,
    /// P-384, secp384r1
    P384,
    /// P-521, secp521r1
    P521,
    /// secp256k1 (RFC 8812 3.1)
    Secp256k1,
    /// Ed25519
    Ed25519,
}

/// How a signature is made from a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Hmac,
    RsaPkcs1,
    RsaPss,
    Ecdsa,
    Ed25519,
    MlDsa,
}

/// A hash function of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

struct Row {
    name: &'static str,
    kty: Kty,
    crv: Option<Crv>,
    scheme: Scheme,
    /// The hash of the signing input; ML-DSA has its own inside.
    hash: Hash,
    /// Length of a signature; `None` for RSA, whose signatures are as long as the modulus.
    signature_bytes: Option<usize>,
}

const fn row(
    name: &'static str,
    kty: Kty,
    crv: Option<Crv>,
    scheme: Scheme,
    hash: Hash,
    signature_bytes: Option<usize>,
) -> Row {
    Row { name, kty, crv, scheme, hash, signature_bytes }
}

impl Alg {
    /// Every algorithm, in the order of the table.
    pub const ALL: [Self; 18] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256k,
        Self::EdDsa,
        Self::Ed25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        match self {
            Self::Hs256   => row("HS256",   Kty::Oct, None,               Scheme::Hmac,     Hash::Sha256, Some(32)),
            Self::Hs384   => row("HS384",   Kty::Oct, None,               Scheme::Hmac,     Hash::Sha384, Some(48)),
            Self::Hs512   => row("HS512",   Kty::Oct, None,               Scheme::Hmac,     Hash::Sha512, Some(64)),
            Self::Rs256   => row("RS256",   Kty::Rsa, None,               Scheme::RsaPkcs1, Hash::Sha256, None),
            Self::Rs384   => row("RS384",   Kty::Rsa, None,               Scheme::RsaPkcs1, Hash::Sha384, None),
            Self::Rs512   => row("RS512",   Kty::Rsa, None,               Scheme::RsaPkcs1, Hash::Sha512, None),
            Self::Ps256   => row("PS256",   Kty::Rsa, None,               Scheme::RsaPss,   Hash::Sha256, None),
            Self::Ps384   => row("PS384",   Kty::Rsa, None,               Scheme::RsaPss,   Hash::Sha384, None),
            Self::Ps512   => row("PS512",   Kty::Rsa, None,               Scheme::RsaPss,   Hash::Sha512, None),
            Self::Es256   => row("ES256",   Kty::Ec,  Some(Crv::P256),    Scheme::Ecdsa,    Hash::Sha256, Some(64)),
            Self::Es384   => row("ES384",   Kty::Ec,  Some(Crv::P384),    Scheme::Ecdsa,    Hash::Sha384, Some(96)),
            Self::Es512   => row("ES512",   Kty::Ec,  Some(Crv::P521),    Scheme::Ecdsa,    Hash::Sha512, Some(132)),
            Self::Es256k  => row("ES256K",  Kty::Ec,  Some(Crv::Secp256k1), Scheme::Ecdsa,  Hash::Sha256, Some(64)),
            Self::EdDsa   => row("EdDSA",   Kty::Okp, Some(Crv::Ed25519), Scheme::Ed25519,  Hash::Sha512, Some(64)),
            Self::Ed25519 => row("Ed25519", Kty::Okp, Some(Crv::Ed25519), Scheme::Ed25519,  Hash::Sha512, Some(64)),
            Self::MlDsa44 => row("ML-DSA-44", Kty::Akp, None,             Scheme::MlDsa,    Hash::Sha512, Some(2420)),
            Self::MlDsa65 => row("ML-DSA-65", Kty::Akp, None,             Scheme::MlDsa,    Hash::Sha512, Some(3309)),
            Self::MlDsa87 => row("ML-DSA-87", Kty::Akp, None,             Scheme::MlDsa,    Hash::Sha512, Some(4627)),
        }
    }

    /// The algorithm called `name`, compared byte for byte: names are case-sensitive (RFC 7515 4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    /// The value of `alg` in a header or a key.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether the key is a secret shared with the issuer.
    pub fn is_hmac(self) -> bool {
        self.row().kty == Kty::Oct
    }

    /// The type of the keys that serve this algorithm.
    pub const fn kty(self) -> Kty {
        self.row().kty
    }

    /// The curve of the keys that serve this algorithm.
    pub const fn crv(self) -> Option<Crv> {
        self.row().crv
    }

    /// Bytes of a signature; `None` if that is the length of the key's modulus.
    pub const fn signature_bytes(self) -> Option<usize> {
        self.row().signature_bytes
    }

    pub(super) const fn scheme(self) -> Scheme {
        self.row().scheme
    }

    pub(super) const fn hash(self) -> Hash {
        self.row().hash
    }
}

impl fmt::Debug for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kty {
    /// The value of `kty` in a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oct => "oct",
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Akp => "AKP",
        }
    }
}

impl Crv {
    const ALL: [Self; 5] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1, Self::Ed25519];

    /// The curve called `name` of the keys of type `kty` (RFC 7518 6.2.1.1, RFC 8037 2).
    pub fn from_name(kty: Kty, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|crv| crv.kty() == kty && crv.name() == name)
    }

    /// The value of `crv` in a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The type of the keys on this curve.
    pub const fn kty(self) -> Kty {
        match self {
            Self::P256 | Self::P384 | Self::P521 | Self::Secp256k1 => Kty::Ec,
            Self::Ed25519 => Kty::Okp,
        }
    }

    /// Bytes of a coordinate, leading zeros included (RFC 7518 6.2.1.2, RFC 8037 2).
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 | Self::Ed25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl Hash {
    /// Bytes of a digest.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `parts`, one after the other.
    pub(in crate::core) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{Alg, Crv, Kty};

    #[test]
    fn names_are_case_sensitive_rfc_7515_4_1_1() {
        for alg in Alg::ALL {
            assert_eq!(Alg::from_name(alg.name()), Some(alg));
            assert_eq!(format!("{alg} {alg:?}"), format!("{0} {0}", alg.name()));
        }
        for name in [
            "", "hs256", "rs256", "Rs256", "EDDSA", "ed25519", "RS256 ", " RS256", "RS256\0", "ES256k",
            "Ed448", "ML-DSA",
        ] {
            assert_eq!(Alg::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn none_is_no_algorithm_in_any_case_rfc_8725_3_2() {
        for name in ["none", "None", "NONE", "nOnE"] {
            assert_eq!(Alg::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_table_as_in_rfc_7518_3_1() {
        let list: Vec<_> = Alg::ALL
            .into_iter()
            .map(|alg| (alg.name(), alg.kty().name(), alg.crv().map(Crv::name)))
            .collect();
        assert_eq!(
            list,
            [
                ("HS256", "oct", None),
                ("HS384", "oct", None),
                ("HS512", "oct", None),
                ("RS256", "RSA", None),
                ("RS384", "RSA", None),
                ("RS512", "RSA", None),
                ("PS256", "RSA", None),
                ("PS384", "RSA", None),
                ("PS512", "RSA", None),
                ("ES256", "EC", Some("P-256")),
                ("ES384", "EC", Some("P-384")),
                ("ES512", "EC", Some("P-521")),
                ("ES256K", "EC", Some("secp256k1")),
                ("EdDSA", "OKP", Some("Ed25519")),
                ("Ed25519", "OKP", Some("Ed25519")),
                ("ML-DSA-44", "AKP", None),
                ("ML-DSA-65", "AKP", None),
                ("ML-DSA-87", "AKP", None),
            ]
        );
        assert!(Alg::ALL.into_iter().all(|alg| alg.is_hmac() == alg.name().starts_with("HS")));
    }

    #[test]
    fn a_curve_belongs_to_one_kty() {
        assert_eq!(Crv::from_name(Kty::Ec, "P-256"), Some(Crv::P256));
        assert_eq!(Crv::from_name(Kty::Okp, "Ed25519"), Some(Crv::Ed25519));
        for (kty, name) in [
            (Kty::Okp, "P-256"),
            (Kty::Ec, "Ed25519"),
            (Kty::Ec, "secp256r1"),
            (Kty::Okp, "X25519"),
            (Kty::Ec, "p-256"),
        ] {
            assert_eq!(Crv::from_name(kty, name), None, "{name}");
        }
    }
}
