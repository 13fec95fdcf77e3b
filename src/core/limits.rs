//! Every bound of the rules and of what they look at: value, unit, reason. Those of what is fetched and shared are in
//! `documents/limits.rs`, those of the host's work in `host/limits.rs`; `tests/layout.rs` finds any that stands elsewhere.
//! Nothing grows with input unless its bound is in one of the three.

use crate::core::json::JsonLimits;
use crate::core::unix_time::Seconds;

pub use arithmetic::rsa::{MAX_RSA_BITS, MAX_RSA_EXPONENT, MIN_RSA_BITS};

/// Largest key set read from a file or URL, in bytes. Real sets are 1 to 20 KB.
pub const MAX_JWKS_BYTES: usize = 1 << 20;
/// JSON of a token's claims, of the claims of a test, and of a metadata document: what a large token has room for.
/// Identity providers stay under 10 levels.
pub const CLAIMS_JSON: JsonLimits = JsonLimits { max_depth: 32, max_nodes: 4096 };
/// JSON of a token's header: a handful of members, of which only `jwk` has members of its own. It is not read, but has to
/// parse.
pub const HEADER_JSON: JsonLimits = JsonLimits { max_depth: 8, max_nodes: 256 };
/// JSON of a key set. A key has about 10 values, one with a certificate chain 15.
pub const JWKS_JSON: JsonLimits = JsonLimits { max_depth: 32, max_nodes: 16_384 };
/// JSON of a configuration: one of a megabyte has fewer values, and claims of `tests` stand inside lists and objects.
pub const CONFIG_JSON: JsonLimits = JsonLimits { max_depth: 64, max_nodes: 1 << 17 };
/// Tests in a configuration (`tests`): every instance of the module runs them all when it is made.
pub const MAX_SELF_TESTS: usize = 64;
/// Keys kept of one set. The largest known public sets have about 20.
pub const MAX_KEYS_PER_SET: usize = 256;
/// Latest NumericDate, in seconds: beyond it a double no longer tells seconds apart.
pub const MAX_NUMERIC_DATE: u64 = 1 << 53;
/// Longest tenant in an issuer, in bytes. Identifiers have 36, domain names at most 253.
pub const MAX_TENANT_BYTES: usize = 253;
/// Fewest different bytes in a secret. 32 random hexadecimal digits have 14, and 7 or fewer once in 30 million.
pub const MIN_DIFFERENT_SECRET_BYTES: usize = 8;
/// Keys of a curve that may have a table in one instance (`signature/in_use.rs`): 9 to 14 KB each, for every request in
/// flight.
pub const MAX_TABLES_OF_A_CURVE: usize = 8;
/// What the signature of one token may cost (`signature/cost.rs`), if several keys fit it: no further key is tried when
/// this much has been spent. About a microsecond each, and 14 times what a refusal without arithmetic takes.
pub const MAX_VERIFICATION_COST: u32 = 1_800;
/// Longest proof (RFC 9449), in bytes: one with an RSA key of 4096 bits has 2,300, most have 700.
pub const MAX_PROOF_BYTES: usize = 8 << 10;
/// Largest `proofs.maxAgeSeconds`: so long does a copy of a proof count that nothing remembers.
pub const MAX_PROOF_AGE_SECONDS: u64 = 300;
/// Fewest bytes of the secret of nonces: as many as the hash has (RFC 2104 3).
pub const MIN_NONCE_SECRET_BYTES: usize = 32;
/// What the signature of a proof may cost, in the same units: every key but those of RSA above 4096 bits.
pub const MAX_PROOF_COST: u32 = 1_000;
/// Keys of proofs that an instance keeps, half as many as may have tables: the others are for keys of issuers.
pub const MAX_KEPT_PROOF_KEYS: usize = 4;
/// Proofs remembered in one of 16 directories of a span (`proofs.maxAgeSeconds`): half a million together. Below what ext4
/// counts. Each takes a kilobyte of a kernel's memory on tmpfs.
pub const MAX_PROOFS_PER_SHARD: u64 = 32_768;
/// Proofs that one request removes which count no more: about a millisecond.
pub const MAX_SWEPT_PROOFS: u32 = 512;
/// Different tokens in copies of one cookie that are looked at: a browser sends one for its host and one for each domain
/// above. Together they may cost what one token may.
pub const MAX_COOKIE_COPIES: usize = 4;
/// Bytes that an instance holds of verified tokens: they are paid by every request in flight.
pub const MAX_KNOWN_TOKENS_BYTES: usize = 32 << 10;
/// The same for tokens that no key verifies, separate from the others: anyone can send them.
pub const MAX_FAILED_TOKENS_BYTES: usize = 8 << 10;
/// Largest file that a value of the configuration names (`file:/path`): certificates, secrets, credentials.
pub const MAX_TEXT_FILE_BYTES: usize = 256 << 10;
/// Largest document with one key in PEM (`jwksUrl` with `{kid}`).
pub const MAX_KEY_BYTES: usize = 8 << 10;
/// Keys that are kept of such a URL, the newest ones: AWS has one or two in use at a time, and a token chooses which is asked
/// for.
pub const MAX_KEYS_BY_KID: usize = 4;
/// Longest SPIFFE ID, in bytes (SPIFFE-ID 2.3).
pub const MAX_SPIFFE_ID_BYTES: usize = 2048;
/// Longest trust domain, in bytes (SPIFFE-ID 2.3).
pub const MAX_TRUST_DOMAIN_BYTES: usize = 255;
/// Entries of `rules`: each request is compared with them in turn.
pub const MAX_RULES: usize = 256;
/// Longest `claims` expression, in bytes: each instance of the module parses it anew.
pub const MAX_EXPRESSION_BYTES: usize = 16 << 10;
/// Nesting of parentheses and `!` in an expression. Parsing and evaluation recurse this deep.
pub const MAX_EXPRESSION_DEPTH: usize = 32;
/// Functions in one expression.
pub const MAX_EXPRESSION_TERMS: usize = 256;
/// Work of one evaluation of an expression, in units of about 8 ns in the host: an element compared, half a
/// byte searched, a quarter of a state of a pattern looked at. 2 ms; what is not decided until then is undecided.
pub const MAX_EXPRESSION_WORK: usize = 250_000;
/// Memory of one compiled pattern, about 1,000 states.
pub const MAX_COMPILED_PATTERN_BYTES: usize = 16 << 10;
/// Longest value that a pattern is tried on, in bytes. An email address has at most 254.
pub const MAX_MATCHED_BYTES: usize = 1024;
/// Largest `maxTokenBytes`: Traefik takes a request head of 1 MiB, and a token is held several times over.
pub const MAX_TOKEN_BYTES: u64 = 128 << 10;
/// Bytes of all cookies, or of a target, times the places for a token: what has more is not searched for one, but refused,
/// or left out if a request is forwarded without its token. Browsers and servers keep to 8 or 16 KiB.
pub const MAX_SEARCHED_BYTES: usize = 128 << 10;
/// Longest `Connection` that is searched for names of headers, in bytes: a longer one does not go on. Real ones have two
/// or three names.
pub const MAX_CONNECTION_BYTES: usize = 8 << 10;
/// Longest path that rules look at, in bytes. Most servers take 8 KiB.
pub const MAX_UNAMBIGUOUS_PATH_BYTES: usize = 64 << 10;
/// Largest `clockSkewSeconds`: more would keep expired tokens alive; 60000 is milliseconds by mistake.
pub const MAX_CLOCK_SKEW_SECONDS: u64 = 3600;
/// How far `nbf` and `iat` may lie in the future without `clockSkewSeconds`. Clocks that are kept (NTP) differ by
/// less than a second and virtual machines that wake up by a few; a token that is used when it is made then seems early.
pub const CLOCK_AHEAD: Seconds = Seconds(10);
/// Largest `maxLifetimeSeconds` and `maxAgeSeconds`, ten years: longer spans are mistakes.
pub const MAX_TOKEN_AGE_SECONDS: u64 = 10 * 365 * 86_400;
/// Longest URL that is fetched, in bytes (RFC 9110 4.1 asks for 8000 at least).
pub const MAX_URL_BYTES: usize = 8000;
/// Longest name of a host, in bytes (RFC 1035 2.3.4).
pub const MAX_HOST_BYTES: usize = 253;
/// Largest `clientConfig.timeoutSeconds`: so long may a request wait for keys.
pub const MAX_FETCH_TIMEOUT_SECONDS: u64 = 60;
/// Largest `clientConfig.maxRetries`.
pub const MAX_FETCH_RETRIES: u64 = 10;
/// Largest `jwksCache.ttlSeconds`, a week: that long may a key that was withdrawn go on working.
pub const MAX_JWKS_TTL_SECONDS: u64 = 7 * 86_400;
/// Largest `jwksCache.cooldownSeconds`: that long may a new key go unnoticed.
pub const MAX_JWKS_COOLDOWN_SECONDS: u64 = 3600;
/// Largest `jwksCache.staleSeconds`, 30 days.
pub const MAX_JWKS_STALE_SECONDS: u64 = 30 * 86_400;
/// Longest foreign text in a log line, or in an error that is kept, in characters: a `kid`, an issuer, a value of
/// the configuration.
pub const MAX_SHOWN_CHARS: usize = 128;
/// Longest reason why keys are unavailable, in characters: our words, and up to two foreign texts.
pub const MAX_REASON_CHARS: usize = 400;
/// Longest name of a scheme in a log line, in bytes: the longest that is registered has 20.
pub const MAX_SHOWN_SCHEME_BYTES: usize = 20;
/// Names of keys in one log line, keys that it says are not used, and issuers that a warning names.
pub const MAX_LOGGED_NAMES: usize = 32;
/// Longest path in a log line, in characters.
pub const MAX_LOGGED_PATH_CHARS: usize = 256;
/// Longest of the texts in the line of a refusal that say what was found and what is expected, in characters.
pub const MAX_LOGGED_EVIDENCE_CHARS: usize = 256;
/// Longest line about the configuration that is in force, in characters.
pub const MAX_LOGGED_SUMMARY_CHARS: usize = 2048;
/// Part of [`MAX_EXPRESSION_WORK`] that may go into saying which function of an expression does not hold.
pub const MAX_EXPLANATION_WORK: usize = MAX_EXPRESSION_WORK / 8;
/// Largest `log.perMinute`: a thousand lines a second.
pub const MAX_LINES_PER_MINUTE: u64 = 60_000;
/// Longest `errors.body`, in bytes: every instance keeps it.
pub const MAX_ERROR_BODY_BYTES: usize = 16 << 10;
/// Longest `errors.realm`, in bytes: every challenge carries it.
pub const MAX_REALM_BYTES: usize = 256;
/// Largest list of revoked tokens, in bytes.
pub const MAX_REVOCATION_LIST_BYTES: usize = 16 << 20;
/// Entries of a list of revoked tokens: 16 bytes each, in every instance.
pub const MAX_REVOCATIONS: usize = 100_000;
