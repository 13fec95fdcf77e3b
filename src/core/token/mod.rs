//! Steps 5 and 6: bytes of a request become an unverified token.

pub mod source;
pub mod base64url;
pub mod jws;
pub mod header;
pub mod claims_set;
