//! Steps 5 and 6: bytes of a request become an unverified token.

pub mod base64url;
pub mod json;
