//! Proof of possession: whether the sender of a token is the one that the token is bound to (RFC 9449, RFC 8705 3). It is
//! about the request, so it is checked for every request, also with a token that is known.

pub mod fault;
pub mod target;
pub mod nonce;
pub mod replay;
pub mod certificate;
pub mod dpop;
pub mod mtls;
pub mod rules;
pub mod possession;
