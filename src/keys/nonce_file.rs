//! The secret of nonces in a file (`proofs.nonceSecret: file:/path`), as one instance has it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::core::limits::{MAX_REASON_CHARS, MAX_TEXT_FILE_BYTES, MIN_NONCE_SECRET_BYTES};
use crate::core::policy::Policy;
use crate::core::proof::dpop::Replay;
use crate::core::proof::nonce::{NonceSecret, NonceSecrets, NonceSource};
use crate::core::refusal_log::LogLevel;
use crate::core::text::{cut, one_line};
use crate::core::unix_time::UnixTime;
use crate::documents::files::FileStamp;
use crate::documents::io::Io;
use crate::keys::revocations::Event;

/// Time between two looks at the file, in milliseconds.
const LOOK_INTERVAL: u64 = 1_000;

/// What an instance has of the file. The last good secret stays, whatever becomes of the file: there is nothing that a newer
/// one would forbid.
#[derive(Default)]
pub struct NonceFile {
    path: Option<String>,
    secret: RefCell<Option<Rc<NonceSecret>>>,
    looked_at: Cell<Option<UnixTime>>,
    /// Of the file that was read; `None` if that failed.
    stamp: Cell<Option<FileStamp>>,
    has_failed: Cell<bool>,
}

impl NonceFile {
    /// Nothing has been read yet.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let dpop = policy.proofs.as_ref().and_then(|rules| rules.dpop.as_ref());
        let path = match dpop.map(|rules| &rules.replay) {
            Some(Replay::Nonce(NonceSource::File(path))) => Some(path.clone()),
            Some(_) | None => None,
        };
        Self { path, ..Self::default() }
    }

    /// Reads the file if it has changed.
    pub fn catch_up(&self, now: UnixTime, io: &Io<'_>) -> Option<Event> {
        let path = self.path.as_ref()?;
        // A clock that was set back does not keep it from being read.
        let is_near = |at: UnixTime| now.as_millis().abs_diff(at.as_millis()) < LOOK_INTERVAL;
        if self.looked_at.get().is_some_and(is_near) {
            return None;
        }
        self.looked_at.set(Some(now));
        let stamp = io.files.stat(path);
        if let (Ok(stamp), Some(read)) = (&stamp, self.stamp.get())
            && *stamp == read
        {
            return None;
        }
        let read = stamp.and_then(|stamp| Ok((io.files.read(path, MAX_TEXT_FILE_BYTES)?, stamp)));
        let read = read.map(|(bytes, stamp)| (NonceSecret::new(&bytes), stamp));
        let problem = match read {
            Ok((Some(secret), stamp)) => {
                self.stamp.set(Some(stamp));
                self.has_failed.set(false);
                *self.secret.borrow_mut() = Some(Rc::new(secret));
                return Some((LogLevel::Info, one_line(format_args!("{path}: a secret of nonces"))));
            }
            Ok((None, _)) => format!("it has less than {MIN_NONCE_SECRET_BYTES} bytes"),
            Err(error) => error.to_string(),
        };
        self.stamp.set(None);
        let (level, rest) = if self.secret.borrow().is_some() {
            (LogLevel::Warn, "the one from before is used")
        } else {
            (LogLevel::Error, "there is none")
        };
        let problem = cut(&problem, MAX_REASON_CHARS);
        let text = format_args!("{path}: no secret of nonces: {problem}; {rest}");
        (!self.has_failed.replace(true)).then(|| (level, one_line(text)))
    }
}

impl NonceSecrets for NonceFile {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        self.secret.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::NonceFile;
    use crate::core::config::{Capabilities, compile};
    use crate::core::proof::nonce::{NonceSecret, NonceSecrets};
    use crate::core::refusal_log::LogLevel;
    use crate::core::unix_time::UnixTime;
    use crate::documents::outside::Outside;

    const CONFIG: &str = r#"{"signingSecret": "0123456789abcdefghijklmnopqrstuv", "proofs":
        {"dpop": "required", "replay": "nonce", "nonceSecret": "file:/secret"}}"#;

    #[test]
    fn the_secret_is_read_again_when_the_file_changes_and_the_last_good_one_stays() {
        let policy = compile(CONFIG.as_bytes(), &Capabilities { fetch: true, env: &|_| None }).unwrap();
        let (file, outside) = (NonceFile::new(&policy), Outside::new());
        let caught_up = |content: Option<(u64, &str)>| {
            *outside.file.borrow_mut() = content.map(|(at, text)| (at, text.to_owned()));
            outside.wait(2);
            let event = file.catch_up(outside.now(), &outside.io());
            (event, file.nonce_secret())
        };
        let (first, other) = ("a".repeat(32), "b".repeat(40));
        let secret = |text: &str| NonceSecret::new(text.as_bytes()).unwrap();
        let none = "/secret: no secret of nonces: ";
        for (content, level, text, expected) in [
            (None, Some(LogLevel::Error), "; there is none", None),
            (None, None, "", None),
            (Some((1, first.as_str())), Some(LogLevel::Info), "/secret: a secret of nonces", Some(&first)),
            (Some((1, first.as_str())), None, "", Some(&first)),
            (Some((2, "short")), Some(LogLevel::Warn), none, Some(&first)),
            (Some((2, "short")), None, "", Some(&first)),
            (None, None, "", Some(&first)),
            (Some((3, other.as_str())), Some(LogLevel::Info), "/secret: a secret of nonces", Some(&other)),
            (None, Some(LogLevel::Warn), "the one from before is used", Some(&other)),
            (Some((3, other.as_str())), Some(LogLevel::Info), "/secret: a secret of nonces", Some(&other)),
        ] {
            let (event, found) = caught_up(content);
            assert_eq!(event.as_ref().map(|(level, _)| *level), level, "{content:?} {event:?}");
            let said = event.map_or(String::new(), |(_, said)| said);
            assert!(said.contains(text) && !said.contains(&first), "{content:?} {said}");
            assert_eq!(found.as_deref(), expected.map(|text| secret(text)).as_ref(), "{content:?}");
        }
    }

    #[test]
    fn a_file_is_looked_at_once_a_second_whichever_way_the_clock_goes() {
        let policy = compile(CONFIG.as_bytes(), &Capabilities { fetch: true, env: &|_| None }).unwrap();
        for (milliseconds, expected) in
            [(0, false), (1, false), (999, false), (1_000, true), (-1, false), (-999, false), (-1_000, true)]
        {
            let (file, outside) = (NonceFile::new(&policy), Outside::new());
            let first = file.catch_up(outside.now(), &outside.io());
            assert_eq!(first.map(|(level, _)| level), Some(LogLevel::Error));
            *outside.file.borrow_mut() = Some((1, "a".repeat(32)));
            outside.set(UnixTime::from_millis(outside.now().as_millis().saturating_add_signed(milliseconds)));
            file.catch_up(outside.now(), &outside.io());
            assert_eq!(file.nonce_secret().is_some(), expected, "{milliseconds}");
        }
    }

    #[test]
    fn a_file_that_nobody_names_is_not_read() {
        let config = CONFIG.replace("file:/secret", &"a".repeat(32));
        let policy = compile(config.as_bytes(), &Capabilities { fetch: true, env: &|_| None }).unwrap();
        let (file, outside) = (NonceFile::new(&policy), Outside::new());
        assert!(file.catch_up(outside.now(), &outside.io()).is_none());
        assert!(file.nonce_secret().is_none());
    }
}
