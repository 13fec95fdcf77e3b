//! What ring 3 provides to ring 2.

use crate::core::unix_time::UnixTime;
use crate::documents::directory::Directory;
use crate::documents::fetch::Fetch;
use crate::documents::files::ReadFile;
use crate::documents::lease::Share;

/// Everything that refreshing documents needs of the outside.
#[derive(Clone, Copy)]
pub struct Io<'a> {
    /// The current time.
    pub now: &'a dyn Fn() -> UnixTime,
    /// Files below the mounts.
    pub files: &'a dyn ReadFile,
    /// Servers.
    pub fetch: &'a dyn Fetch,
    /// Other instances of the router.
    pub share: &'a dyn Share,
    /// Other routers.
    pub directory: &'a dyn Directory,
}

impl Io<'_> {
    /// The current time.
    pub fn now(&self) -> UnixTime {
        (self.now)()
    }
}
