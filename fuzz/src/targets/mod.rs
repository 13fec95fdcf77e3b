//! Every target with its name. What a new reader of foreign bytes needs is a row here, and a corpus.

mod claims;
mod configuration;
mod convert;
mod decide;
mod documents;
mod expression;
mod http;
mod json;
mod keys;
mod nonce;
mod pem;
mod proof;
mod request;
mod revocation;
mod signature;
mod token;
mod url;

/// A reader of foreign bytes, held against its oracle if there is one.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Reads an input. Panics if something is wrong.
    pub run: fn(&[u8]),
    /// Where the inputs of its corpus come.
    pub reaches: &'static [&'static str],
}

macro_rules! targets {
    ($($name:literal: $run:path => $reaches:expr),* $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target { name: $name, run: $run, reaches: &$reaches }),*];
    };
}

targets! {
    "json": json::json => ["accepted", "refused", "too complex"],
    "header": json::header => ["accepted", "refused"],
    "claims": claims::claims => ["a date", "no date", "found at a path", "holds on", "ends"],
    "token": token::token => ["parsed", "padded", "refused", "accepted by both", "refused by both"],
    "signed": token::signed => ["accepted by both", "refused by both", "a difference"],
    "keys": keys::sets => ["a key", "skipped", "no set", "a bundle", "the curve agrees"],
    "presented": keys::presented => ["a key", "refused"],
    "pem": pem::pem => ["keys", "certificates", "a private key", "refused"],
    "der": pem::der => ["a key", "refused", "a certificate"],
    "point": signature::point => ["on the curve", "no point"],
    "signature": signature::signature => ["verified", "refused"],
    "response": http::response => ["a document", "a redirect", "refused", "a head"],
    "request": http::request => ["a request", "a tunnel", "refused"],
    "gzip": http::gzip => ["content", "refused", "too large"],
    "record": documents::record => ["a record", "refused"],
    "directory": documents::directory => ["as stored", "refused"],
    "discovery": documents::discovery => ["a URL", "refused", "a lifetime"],
    "configuration": configuration::configuration => ["compiled", "refused", "warned"],
    "expression": expression::expression => ["true", "false", "undecided", "refused"],
    "pattern": expression::pattern => ["matches", "does not match", "refused"],
    "url": url::url => ["a URL", "refused", "followed"],
    "cookie": request::cookie => ["a value", "others stay"],
    "query": request::query => ["a value", "others stay"],
    "path": request::path => ["unambiguous", "ambiguous", "matches", "does not match"],
    "decide": decide::decide => ["an identity", "forwarded without", "rejected", "known from before"],
    "dpop": proof::dpop => ["proven", "refused"],
    "certificate": proof::certificate => ["traefik", "pem-escaped", "xfcc", "rfc9440", "refused"],
    "nonce": nonce::nonce => ["current", "previous", "nothing", "no secret"],
    "revocation": revocation::list => ["revoked", "not revoked", "refused"],
    "markers": revocation::markers => ["revoked", "not revoked", "accepted unseen", "unavailable"],
    "convert": convert::convert => ["good", "not yet good", "none of another"],
}
