//! How keys are fetched, and how long they are kept.

use crate::core::config::options::row::{inherited, own, rows, top};
use crate::core::config::options::syntax::{MOUNTED, SERVER_NAME};
use crate::core::config::options::{Kind, Range, Row, Table};
use crate::core::limits::{
    MAX_FETCH_RETRIES, MAX_FETCH_TIMEOUT_SECONDS, MAX_JWKS_COOLDOWN_SECONDS, MAX_JWKS_STALE_SECONDS,
    MAX_JWKS_TTL_SECONDS,
};

const TIMEOUT: Range = Range { least: 1, most: MAX_FETCH_TIMEOUT_SECONDS, default: 5, unit: "seconds" };
const RETRIES: Range = Range { least: 0, most: MAX_FETCH_RETRIES, default: 3, unit: "retries" };
const TTL: Range = Range { least: 1, most: MAX_JWKS_TTL_SECONDS, default: 600, unit: "seconds" };
const COOLDOWN: Range = Range { least: 1, most: MAX_JWKS_COOLDOWN_SECONDS, default: 30, unit: "seconds" };
const STALE: Range = Range { least: 0, most: MAX_JWKS_STALE_SECONDS, default: 86_400, unit: "seconds" };

rows! {
    "Fetching";

    /// How keys are fetched.
    CLIENT = inherited("clientConfig", Kind::Object).or_empty();

    /// How servers are known, and this client to them.
    TLS = inherited("clientConfig.tls", Kind::Object).or_empty();

    /// Certificates that are trusted besides the built-in roots: PEM, `env:NAME`, an absolute path or `file:/path`.
    /// Refused beside `insecureSkipVerify: true`.
    TLS_CA = inherited("clientConfig.tls.ca", Kind::Secret).or_empty().otherwise("the built-in roots alone");

    /// Certificate of the client, its own one first, for the server of the URL beside it.
    TLS_CERT = own("clientConfig.tls.cert", Kind::Secret).or_empty();

    /// Private key of the client certificate: PKCS#8, PKCS#1 or SEC 1, not encrypted.
    TLS_KEY = own("clientConfig.tls.key", Kind::Secret).or_empty();

    /// Name that is asked for and expected in the certificate.
    TLS_SERVER_NAME = own("clientConfig.tls.serverName", Kind::Text).like(&SERVER_NAME).or_empty().otherwise("the host of the URL");

    /// Accept any certificate: any server that answers then chooses the keys. That of the top level does not hold for
    /// `issuer: kubernetes` and for entries with a `tls.ca`.
    TLS_INSECURE = inherited("clientConfig.tls.insecureSkipVerify", Kind::Flag(false));

    /// Deadline over name, connection, TLS, answer and retries.
    CLIENT_TIMEOUT = inherited("clientConfig.timeoutSeconds", Kind::Whole(&TIMEOUT));

    /// Further attempts after faults that may pass.
    CLIENT_RETRIES = inherited("clientConfig.maxRetries", Kind::Whole(&RETRIES));

    /// Headers of the request, for the server of the URL beside it: a text, `env:NAME` or `file:/path`, also behind a
    /// scheme.
    CLIENT_HEADERS = own("clientConfig.headers", Kind::Secrets("an object whose values are strings")).or_empty();

    /// Allow `http://` URLs: the network then chooses the keys.
    CLIENT_ALLOW_HTTP = inherited("clientConfig.allowHttp", Kind::Flag(false));

    /// Proxy to fetch through (CONNECT): `http://[user:password@]host[:port]`, or `env:NAME`.
    CLIENT_PROXY = inherited("clientConfig.proxy", Kind::Secret).or_empty().otherwise("`HTTPS_PROXY`, if forwarded");

    /// Hosts that are asked without the proxy: names with all below them, addresses, networks, or `*`.
    CLIENT_NO_PROXY = inherited("clientConfig.noProxy", Kind::List).or_empty().otherwise("`NO_PROXY`, if forwarded");

    /// How long fetched keys are kept.
    CACHE = top("jwksCache", Kind::Object).or_empty();

    /// Freshness of a set whose answer names none.
    CACHE_TTL = top("jwksCache.ttlSeconds", Kind::Whole(&TTL));

    /// Least time between two fetches that clients can cause.
    CACHE_COOLDOWN = top("jwksCache.cooldownSeconds", Kind::Whole(&COOLDOWN));

    /// How long a set serves past its freshness while it cannot be fetched; 0 is not at all.
    CACHE_STALE = top("jwksCache.staleSeconds", Kind::Whole(&STALE));

    /// Directory below `settings.mounts`, writable, where fetched sets are kept for all routers, reloads and restarts.
    CACHE_DIRECTORY = top("jwksCache.directory", Kind::Text).like(&MOUNTED).or_empty();
}
