//! Keys from a URL: one GET over sockets and TLS. Only in `plugin.wasm` (feature `fetch`).

pub mod http;
pub mod gzip;
pub mod proxy;

#[cfg(target_os = "wasi")]
mod get;
#[cfg(target_os = "wasi")]
mod private_socket;
#[cfg(target_os = "wasi")]
mod mailbox;
#[cfg(target_os = "wasi")]
mod bell;
#[cfg(target_os = "wasi")]
mod connect;
#[cfg(target_os = "wasi")]
mod deadline;
#[cfg(target_os = "wasi")]
mod mark;
#[cfg(target_os = "wasi")]
mod tls;
#[cfg(target_os = "wasi")]
mod tls_trust;
#[cfg(target_os = "wasi")]
mod tls_algorithms;
#[cfg(target_os = "wasi")]
mod tls_error;
#[cfg(target_os = "wasi")]
pub(crate) mod sockets;
#[cfg(target_os = "wasi")]
mod files;
#[cfg(target_os = "wasi")]
mod archive;

#[cfg(target_os = "wasi")]
pub use archive::MountedArchive;
#[cfg(target_os = "wasi")]
pub use files::MountedFiles;
#[cfg(target_os = "wasi")]
pub use get::HostFetch;
#[cfg(target_os = "wasi")]
pub use mailbox::Mailbox;

/// Closes the standard streams that the host opened for this runtime. Only the first instance finds them; a later
/// one may find somebody's socket under the same number, which is why the type is asked for.
#[cfg(target_os = "wasi")]
pub(crate) fn close_standard_streams() {
    let mut found = false;
    for descriptor in sockets::Descriptor::STANDARD {
        if sockets::file_type(descriptor) == Ok(sockets::FileType::CharacterDevice) {
            // Nothing is lost with a stream that stays open but its descriptor.
            found |= sockets::close(descriptor).is_ok();
        }
    }
    if found {
        mailbox::mark_first_instance();
    }
}

/// Opens the mailbox of this runtime, in its first instance.
#[cfg(target_os = "wasi")]
pub(crate) fn open_mailbox() {
    Mailbox::open();
}
