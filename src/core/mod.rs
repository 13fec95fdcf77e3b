//! Ring 1: pure. No clock, no I/O, no globals, no `cfg`.

pub mod refusal;
pub mod refusal_log;
pub mod text;
pub mod limits;
pub mod about;
pub mod unix_time;
pub mod url;
pub mod json;
pub mod presented;
pub mod steps;
pub mod fetching;
pub mod known_token;
pub mod walk;
pub mod decide;
pub mod evidence;
pub mod issuer_id;
pub mod policy;
pub mod request;
pub mod bypass;
pub mod token;
pub mod jwk;
pub mod tls_material;
pub mod signature;
pub mod claims;
pub mod answer;
pub mod config;
