//! Keys from a URL: one GET over sockets and TLS. Only in `plugin.wasm` (feature `fetch`).

pub mod http;
pub mod url;

#[cfg(target_os = "wasi")]
mod get;
#[cfg(target_os = "wasi")]
mod connect;
#[cfg(target_os = "wasi")]
mod tls;
#[cfg(target_os = "wasi")]
pub(crate) mod sockets;
#[cfg(target_os = "wasi")]
mod files;

#[cfg(target_os = "wasi")]
pub use files::MountedFiles;
#[cfg(target_os = "wasi")]
pub use get::HostFetch;

/// Closes the standard streams that the host opened for this runtime. Only the first instance finds them; a later
/// one may find somebody's socket under the same number, which is why the type is asked for.
#[cfg(target_os = "wasi")]
pub(crate) fn close_standard_streams() {
    for descriptor in sockets::Descriptor::STANDARD {
        if sockets::file_type(descriptor) == Ok(sockets::FileType::CharacterDevice) {
            // Nothing is lost with a stream that stays open but its descriptor.
            let _ = sockets::close(descriptor);
        }
    }
}
