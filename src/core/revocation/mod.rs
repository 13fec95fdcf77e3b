//! Tokens that were taken back before their time. It is looked up for every request, also with a token that is known.

pub mod name;
pub mod marker;
pub mod list;
pub mod revoked;

use std::rc::Rc;

use crate::core::fetching::{CacheRules, ClientRules, DocumentView};
use crate::core::revocation::list::RevocationList;
use crate::core::revocation::marker::{MarkerRules, Missing};
use crate::core::url::Url;

/// `revocation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationRules {
    /// `revocation.directory`.
    pub markers: Option<MarkerRules>,
    /// `revocation.file` or `revocation.url`.
    pub list: Option<Rc<ListSource>>,
    /// `revocation.onMissing`.
    pub missing: Missing,
}

/// Where the list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListSource {
    /// In a file below the mounts.
    File(String),
    /// On a server.
    Url(Box<RemoteList>),
}

/// A list on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteList {
    /// Its URL.
    pub url: Url,
    /// How it is fetched.
    pub client: ClientRules,
    /// How long it is kept.
    pub cache: CacheRules,
    /// Where routers share it (`jwksCache.directory`).
    pub directory: Option<String>,
}

/// The list, as an instance has it.
pub trait Revocations {
    /// The last good one; `None` if none was ever had, or the last is too old.
    fn list(&self) -> Option<Rc<RevocationList>>;

    /// What operators may see of it; `None` if there is nothing to see.
    fn list_view(&self) -> Option<ListView> {
        None
    }
}

/// The state of the list that operators may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// The document that it is.
    pub document: DocumentView,
    /// How many names it has.
    pub entries: usize,
}

/// The state of `revocation` that operators may see: of each part that is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationView {
    /// The directory of markers, and whether it is there.
    pub directory: Option<(String, bool)>,
    /// The list.
    pub list: Option<ListView>,
}
