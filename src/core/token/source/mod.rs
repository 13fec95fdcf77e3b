//! Step 5: where the token is (RFC 6750 2), from finding it to stripping it.

mod places;
mod search;
mod characters;
mod found;
mod strip;
mod copies;
mod find;
#[cfg(test)]
mod examples;

pub use copies::without_strays;
pub use find::{find, presented};
pub use found::FoundToken;
pub use places::{Encoding, Form, TokenPlace, TokenSources};
pub use strip::{Stripped, strip};
