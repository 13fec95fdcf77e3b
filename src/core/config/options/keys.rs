//! Where keys come from, and whose they are.

use crate::core::config::options::row::{own, rows, top, words};
use crate::core::config::options::{Kind, Row, Shared, Table, Words};
use crate::core::jwk::Origin;

words! {
    /// `format`.
    FORMATS: Origin = { "jwks" => Origin::Fetched, "spiffe" => Origin::Bundle };
}

rows! {
    "Keys and issuers";

    /// JWK Set to fetch (`plugin.wasm` only): `https`, or `http` with `clientConfig.allowHttp`; a relative URL is resolved
    /// against the issuer. With `{kid}` in its path, the key of each name as PEM.
    JWKS_URL = own("jwksUrl", Kind::Text).or_empty();

    /// Find the JWK Set through the metadata of the issuer: OpenID Connect Discovery, then RFC 8414.
    DISCOVERY = own("discovery", Kind::Flag(false));

    /// JWK Set in the configuration.
    JWKS = own("jwks", Kind::KeySet).or_empty();

    /// Path of a JWK Set below `settings.mounts`, or the set itself.
    JWKS_FILE = own("jwksFile", Kind::Secret).or_empty();

    /// What the key set is: a JWK Set, or the bundle of the trust domain that `issuer` names (`spiffe://example.org`), whose
    /// tokens are JWT-SVIDs.
    FORMAT = own("format", Kind::Word(FORMATS.names, 0));

    /// Public keys or certificates in PEM, or the base64 of one.
    PUBLIC_KEY = own("publicKey", Kind::Secret).or_empty();

    /// HMAC secret: at least 32 bytes for HS256, 48 for HS384, 64 for HS512.
    SIGNING_SECRET = own("signingSecret", Kind::Secret).or_empty();

    /// `signingSecret` is base64, in either alphabet, with or without padding.
    SIGNING_SECRET_BASE64 = own("signingSecretBase64Encoded", Kind::Flag(false));

    /// Keys by `kid`: PEM, or an HMAC secret.
    KEYS = own("keys", Kind::Secrets(
        "an object of kids, each with PEM or a secret; a URL is jwksUrl, PEM without kid publicKey, a secret signingSecret",
    )).or_empty();

    /// Accepted values of `iss`, compared byte for byte; `{tenant}` stands for a tenant, `kubernetes` alone for the issuer of
    /// the cluster that Traefik runs in.
    ISSUER = own("issuer", Kind::Issuers).instead("leave the option out to accept every issuer").otherwise("every issuer");

    /// Values that `{tenant}` in `issuer` may have.
    TENANTS = own("tenants", Kind::List).instead("leave the option out to accept every tenant").otherwise("every tenant");

    /// Claim that has to equal the tenant in `iss`.
    TENANT_CLAIM = own("tenantClaim", Kind::Text).instead("leave the option out to compare the tenant with tid")
        .otherwise("`tid` without `tenants`");

    /// `signer` in the header of a token has to be one of these: the ARNs of AWS's load balancers.
    SIGNER = own("signer", Kind::List).instead("leave the option out to accept every signer").otherwise("every signer");

    /// Further issuers, each with its own keys; rules that an entry leaves out are those of the top level.
    TRUSTED_ISSUERS = top("trustedIssuers", Kind::Objects(Shared::OfIssuers));
}

/// The options that keys come from.
pub static SOURCES: [&Row; 8] =
    [&JWKS_URL, &DISCOVERY, &JWKS, &JWKS_FILE, &PUBLIC_KEY, &SIGNING_SECRET, &KEYS, &TRUSTED_ISSUERS];
