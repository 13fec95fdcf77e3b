//! What the instances of one runtime share, and everything that goes through the host's shared descriptor table:
//! connections, files, the lock that keeps instances apart, and the record that tells them what another has fetched.

pub(crate) mod connect;
pub(crate) mod deadline;
pub(crate) mod imports;
pub(crate) mod mailbox;
mod directory;
mod files;
mod mark;
mod notify;
mod private_socket;

pub use directory::MountedDirectory;
pub use files::MountedFiles;
pub use mailbox::Mailbox;

/// Closes the standard streams that the host opened for this runtime. Only the first instance finds them; a later
/// one may find somebody's socket under the same number, which is why the type is asked for.
pub(crate) fn close_standard_streams() {
    let mut found = false;
    for descriptor in imports::Descriptor::STANDARD {
        if imports::file_type(descriptor) == Ok(imports::FileType::CharacterDevice) {
            // Nothing is lost with a stream that stays open but its descriptor.
            found |= imports::close(descriptor).is_ok();
        }
    }
    if found {
        mailbox::mark_first_instance();
    }
}

/// Opens the mailbox of this runtime, in its first instance.
pub(crate) fn open_mailbox() {
    Mailbox::open();
}
