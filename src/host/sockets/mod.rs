//! What the instances of one runtime share, and everything that uses their common descriptor table:
//! connections, files, the lock that keeps instances apart, and the mailbox in which they find what another has fetched.
//!
//! Lock, signals, notifications and mailbox stand on [`kernel::Kernel`] only: tests run many instances of them on a
//! simulated host.

#[cfg_attr(
    test,
    expect(dead_code, reason = "connections and files, which need more of it, are not simulated")
)]
pub(crate) mod deadline;
#[cfg_attr(
    test,
    expect(dead_code, reason = "connections and files, which need more of it, are not simulated")
)]
pub(crate) mod kernel;
pub(crate) mod lock;
mod mailbox;
mod mark;
mod notify;
mod private_socket;
mod signals;

#[cfg(target_os = "wasi")]
pub(crate) mod connect;
#[cfg(target_os = "wasi")]
pub(crate) mod imports;
#[cfg(target_os = "wasi")]
mod directory;
#[cfg(target_os = "wasi")]
mod files;

#[cfg(test)]
mod simulated;

#[cfg(target_os = "wasi")]
pub use directory::MountedDirectory;
#[cfg(target_os = "wasi")]
pub use files::MountedFiles;
#[cfg(target_os = "wasi")]
pub use imports::margins_are_clean;
pub use mailbox::Mailbox;

#[cfg(target_os = "wasi")]
pub(crate) use imports::Wasi as Host;
#[cfg(test)]
pub(crate) use simulated::Simulated as Host;
