//! Proofs that were used, as directories (`proofs.directory`): creating one is an atomic test-and-set on every file system,
//! for all instances, routers and processes that share it. `DIRECTORY/SPAN-SHARD/NAME`: proofs of one span of time are together,
//! so that they can be removed when none of them counts any more, and in shards, so that no directory grows too large.

use std::cell::Cell;

use crate::core::limits::{MAX_PROOFS_PER_SHARD, MAX_SWEPT_PROOFS};
use crate::core::proof::replay::{ReplayMemory, Use, UsedProof};
use crate::core::unix_time::{Seconds, UnixTime};

/// How many uses an instance sees between two sweeps. Each removes up to [`MAX_SWEPT_PROOFS`], eight times as many as it adds.
const USES_PER_SWEEP: u32 = 64;
/// After how many spans a proof is removed. From the second on it counts no more; the others are for clocks that differ.
const KEPT_SPANS: u64 = 4;
/// Bytes of a directory for each name in it: more than any file system takes, for those that do not count what is in it.
const BYTES_PER_NAME: u64 = 128;
/// After that time, the request that began a sweep has ended.
const SWEEP_PATIENCE: Seconds = Seconds(10);
/// Length of the name of a proof.
const NAME_LENGTH: usize = 43;

/// What became of a directory that was to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is new.
    New,
    /// There was one.
    Exists,
    /// Its parent is not there.
    NoParent,
    /// It could not be created.
    Failed,
}

/// What is known of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryStat {
    /// Its links: two more than it has directories, or 1 if the file system does not count them.
    pub links: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When something in it was last created or removed.
    pub modified: UnixTime,
}

/// Directories below the mounts. Implemented by `host`.
pub trait Directories {
    /// Creates the directory `path`.
    fn create(&self, path: &str) -> Created;

    /// The state of the directory `path`; `None` if it cannot be had.
    fn stat(&self, path: &str) -> Option<DirectoryStat>;

    /// Names in the directory `path`, some of them if there are many.
    fn list(&self, path: &str) -> Vec<String>;

    /// Removes the directory `path` if it is empty.
    fn remove(&self, path: &str);
}

/// The proofs that were used, as one instance asks for them.
pub struct ReplayDirectory<D> {
    directories: D,
    uses: Cell<u32>,
}

impl<D: Directories> ReplayDirectory<D> {
    /// The memory in these directories.
    #[must_use]
    pub const fn new(directories: D) -> Self {
        Self { directories, uses: Cell::new(0) }
    }

    /// A shard that has room; `None` if all are full.
    fn shard(&self, proof: &UsedProof<'_>) -> Option<String> {
        let shard = format!("{}/{}-{}", proof.directory, proof.span, shard(proof.name));
        let has_room = |stat: DirectoryStat| {
            stat.links < MAX_PROOFS_PER_SHARD
                && stat.size < MAX_PROOFS_PER_SHARD.saturating_mul(BYTES_PER_NAME)
        };
        if let Some(stat) = self.directories.stat(&shard) {
            return has_room(stat).then_some(shard);
        }
        match self.directories.create(&shard) {
            Created::New => self.sweep(proof),
            Created::Exists => {}
            Created::NoParent | Created::Failed => return None,
        }
        Some(shard)
    }

    /// Removes proofs that count no more, unless somebody else is at it: the host reads a directory for one instance at a
    /// time.
    fn sweep(&self, proof: &UsedProof<'_>) {
        let claim = format!("{}/sweeping", proof.directory);
        if self.directories.create(&claim) == Created::New {
            self.remove_old(proof);
            self.directories.remove(&claim);
            return;
        }
        // Its owner may have gone. One equally far in the future has none, either.
        let age = |stat: DirectoryStat| proof.now.as_millis().abs_diff(stat.modified.as_millis());
        let patience = SWEEP_PATIENCE.0.saturating_mul(1_000);
        if self.directories.stat(&claim).is_some_and(|stat| age(stat) > patience) {
            self.directories.remove(&claim);
        }
    }

    /// What anybody else keeps there has other names, and is not empty.
    fn remove_old(&self, proof: &UsedProof<'_>) {
        let mut left = MAX_SWEPT_PROOFS;
        let old = |name: &String| {
            span(name).is_some_and(|span| span.saturating_add(KEPT_SPANS) < proof.current_span)
        };
        for shard in self.directories.list(proof.directory).into_iter().filter(old) {
            let shard = format!("{}/{shard}", proof.directory);
            for name in self.directories.list(&shard).into_iter().filter(|name| name.len() == NAME_LENGTH) {
                if left == 0 {
                    return;
                }
                left = left.saturating_sub(1);
                self.directories.remove(&format!("{shard}/{name}"));
            }
            self.directories.remove(&shard);
        }
    }
}

impl<D: Directories> ReplayMemory for ReplayDirectory<D> {
    fn first_use(&self, proof: &UsedProof<'_>) -> Use {
        let Some(shard) = self.shard(proof) else {
            return Use::Unknown;
        };
        let used = match self.directories.create(&format!("{shard}/{}", proof.name)) {
            Created::New => Use::First,
            Created::Exists => Use::Again,
            // Somebody has swept it whose clock is far ahead.
            Created::NoParent | Created::Failed => Use::Unknown,
        };
        self.uses.set(self.uses.get().saturating_add(1) % USES_PER_SWEEP);
        if self.uses.get() == 0 {
            self.sweep(proof);
        }
        used
    }
}

/// One of 16 letters, by the first character of the name of a proof.
fn shard(name: &str) -> char {
    let first = name.bytes().next().unwrap_or_default();
    char::from(b'a'.saturating_add(first % 16))
}

/// The span of a shard.
fn span(shard: &str) -> Option<u64> {
    let (span, letter) = shard.split_once('-')?;
    (letter.len() == 1).then(|| span.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{Created, Directories, DirectoryStat, ReplayDirectory, USES_PER_SWEEP, shard};
    use crate::core::limits::{MAX_PROOFS_PER_SHARD, MAX_SWEPT_PROOFS};
    use crate::core::proof::replay::{ReplayMemory, Use, UsedProof, name};
    use crate::core::unix_time::UnixTime;
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    /// Real directories, as the modules have them.
    struct Real;

    impl Directories for Real {
        fn create(&self, path: &str) -> Created {
            match fs::create_dir(path) {
                Ok(()) => Created::New,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Created::Exists,
                Err(error) if error.kind() == ErrorKind::NotFound => Created::NoParent,
                Err(_) => Created::Failed,
            }
        }

        fn stat(&self, path: &str) -> Option<DirectoryStat> {
            let stat = fs::metadata(path).ok()?;
            let modified = UnixTime::from_seconds(stat.mtime().unsigned_abs());
            Some(DirectoryStat { links: stat.nlink(), size: stat.size(), modified })
        }

        fn list(&self, path: &str) -> Vec<String> {
            let entries = fs::read_dir(path).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).take(200).collect()
        }

        fn remove(&self, path: &str) {
            let _ = fs::remove_dir(path);
        }
    }

    /// A new empty directory, gone with its value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("replay-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> &str {
            self.0.to_str().unwrap()
        }

        fn count(&self) -> usize {
            let inside = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            inside(self.0.clone()).flat_map(inside).count()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn used(memory: &ReplayDirectory<Real>, directory: &str, span: u64, jti: u64) -> Use {
        let name = name("key", "https://api.example/", &jti.to_string());
        let now = UnixTime::from_seconds(testbed::wait::unix_now().unsigned_abs());
        memory.first_use(&UsedProof { directory, span, current_span: span, now, name: &name })
    }

    #[test]
    fn a_proof_is_used_once_by_however_many_at_once() {
        let folder = Folder::new("once");
        for jti in 0..50 {
            let path = folder.path();
            let ask = || used(&ReplayDirectory::new(Real), path, 100, jti);
            let found: Vec<Use> = std::thread::scope(|scope| {
                let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
                asking.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(found.iter().filter(|use_| **use_ == Use::First).count(), 1, "{found:?}");
            assert_eq!(found.iter().filter(|use_| **use_ == Use::Again).count(), 7, "{found:?}");
        }
        assert_eq!(folder.count(), 50);
    }

    #[test]
    fn without_a_directory_nothing_is_known() {
        let folder = Folder::new("gone");
        let memory = ReplayDirectory::new(Real);
        assert_eq!(used(&memory, &format!("{}/none", folder.path()), 1, 1), Use::Unknown);
        fs::write(folder.0.join("file"), "").unwrap();
        assert_eq!(used(&memory, &format!("{}/file", folder.path()), 1, 1), Use::Unknown);
    }

    #[test]
    fn what_counts_no_more_is_removed_bit_by_bit() {
        let (folder, memory) = (Folder::new("sweep"), ReplayDirectory::new(Real));
        for jti in 0..1_000 {
            assert_eq!(used(&memory, folder.path(), 100, jti), Use::First);
        }
        fs::create_dir_all(folder.0.join("1-a/kept")).unwrap();
        fs::create_dir_all(folder.0.join("mine-a/b")).unwrap();
        fs::create_dir_all(folder.0.join("2-bc/d")).unwrap();
        assert_eq!(used(&memory, folder.path(), 104, 0), Use::First);
        assert_eq!(folder.count(), 1_000 + 3 + 1);
        let limit = usize::try_from(MAX_SWEPT_PROOFS).unwrap();
        assert_eq!(used(&memory, folder.path(), 105, 0), Use::First);
        assert!(folder.count() >= 1_005 - limit);
        for jti in 1..=u64::from(USES_PER_SWEEP) * 8 {
            assert_eq!(used(&memory, folder.path(), 105, jti), Use::First);
        }
        // Nothing of the old span is left, and nothing of others is gone.
        let left = |name: &str| folder.0.join(name).is_dir();
        assert!((b'a'..=b'p').all(|letter| !left(&format!("100-{}", char::from(letter)))));
        assert!(left("1-a/kept") && left("mine-a/b") && left("2-bc/d"));
        assert_eq!(used(&memory, folder.path(), 105, 0), Use::Again);
    }

    #[test]
    fn one_sweeps_at_a_time_and_whoever_is_gone_holds_nobody_up() {
        let (folder, memory) = (Folder::new("claim"), ReplayDirectory::new(Real));
        assert_eq!(used(&memory, folder.path(), 100, 0), Use::First);
        let claim = folder.0.join("sweeping");
        assert!(!claim.exists());
        fs::create_dir(&claim).unwrap();
        for jti in 0..u64::from(USES_PER_SWEEP) {
            assert_eq!(used(&memory, folder.path(), 200, jti), Use::First);
        }
        let shards = |span: &str| {
            let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.to_str().unwrap().starts_with(span)).count()
        };
        assert!(claim.exists() && shards("100-") == 1);
        // Of long ago, and of a clock that was set back since.
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        let year_2100 = long_ago + std::time::Duration::from_secs(4_102_444_800);
        for (span, made) in [(201, long_ago), (202, year_2100)] {
            fs::create_dir_all(&claim).unwrap();
            fs::File::open(&claim).unwrap().set_times(fs::FileTimes::new().set_modified(made)).unwrap();
            for jti in 0..3 * u64::from(USES_PER_SWEEP) {
                assert_eq!(used(&memory, folder.path(), span, jti), Use::First);
            }
            assert!(!claim.exists() && shards("100-") == 0, "{made:?}");
        }
    }

    /// The request that began a sweep has ended after ten seconds, and not before.
    #[test]
    fn a_sweep_of_another_has_its_time() {
        struct Claimed(UnixTime, RefCell<Vec<String>>);
        impl Directories for Claimed {
            fn create(&self, path: &str) -> Created {
                if path.ends_with("/sweeping") { Created::Exists } else { Created::New }
            }
            fn stat(&self, path: &str) -> Option<DirectoryStat> {
                let claim = DirectoryStat { links: 2, size: 40, modified: self.0 };
                path.ends_with("/sweeping").then_some(claim)
            }
            fn list(&self, _: &str) -> Vec<String> {
                Vec::new()
            }
            fn remove(&self, path: &str) {
                self.1.borrow_mut().push(path.to_owned());
            }
        }
        for (now, removed) in [(100, false), (110, false), (111, true), (90, false), (89, true)] {
            let memory = ReplayDirectory::new(Claimed(UnixTime::from_seconds(100), RefCell::default()));
            let now = UnixTime::from_seconds(now);
            let proof = UsedProof { directory: "/d", span: 1, current_span: 1, now, name: "x" };
            assert_eq!(memory.first_use(&proof), Use::First);
            let expected: &[&str] = if removed { &["/d/sweeping"] } else { &[] };
            assert_eq!(*memory.directories.1.borrow(), expected, "{now:?}");
        }
    }

    /// In a span that lasts, no shard is new, and what is old goes all the same.
    #[test]
    fn an_instance_sweeps_after_so_many_uses() {
        struct Counted(RefCell<u32>);
        impl Directories for Counted {
            fn create(&self, path: &str) -> Created {
                *self.0.borrow_mut() += u32::from(path.ends_with("/sweeping"));
                Created::New
            }
            fn stat(&self, _: &str) -> Option<DirectoryStat> {
                Some(DirectoryStat { links: 2, size: 40, modified: UnixTime::from_seconds(60) })
            }
            fn list(&self, _: &str) -> Vec<String> {
                Vec::new()
            }
            fn remove(&self, _: &str) {}
        }
        let memory = ReplayDirectory::new(Counted(RefCell::new(0)));
        for uses in 1..=3 * USES_PER_SWEEP {
            let now = UnixTime::from_seconds(60);
            let proof = UsedProof { directory: "/d", span: 1, current_span: 1, now, name: "x" };
            assert_eq!(memory.first_use(&proof), Use::First);
            assert_eq!(*memory.directories.0.borrow(), uses / USES_PER_SWEEP, "{uses}");
        }
    }

    #[test]
    fn names_are_spread_evenly() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut shards = BTreeMap::new();
        for first in alphabet.chars() {
            *shards.entry(shard(&format!("{first}x"))).or_insert(0) += 1;
        }
        assert!(
            shards.keys().copied().eq('a'..='p') && shards.values().all(|names| *names <= 6),
            "{shards:?}"
        );
    }

    #[test]
    fn a_full_shard_takes_no_more() {
        struct Full(DirectoryStat);
        impl Directories for Full {
            fn create(&self, _: &str) -> Created {
                Created::New
            }
            fn stat(&self, _: &str) -> Option<DirectoryStat> {
                Some(self.0)
            }
            fn list(&self, _: &str) -> Vec<String> {
                Vec::new()
            }
            fn remove(&self, _: &str) {}
        }
        for (links, size, expected) in [
            (2, 40, Use::First),
            (MAX_PROOFS_PER_SHARD - 1, 4096, Use::First),
            (MAX_PROOFS_PER_SHARD, 4096, Use::Unknown),
            (1, MAX_PROOFS_PER_SHARD * 128 - 1, Use::First),
            (1, MAX_PROOFS_PER_SHARD * 128, Use::Unknown),
        ] {
            let now = UnixTime::from_seconds(60);
            let memory = ReplayDirectory::new(Full(DirectoryStat { links, size, modified: now }));
            let proof = UsedProof { directory: "/d", span: 1, current_span: 1, now, name: "x" };
            assert_eq!(memory.first_use(&proof), expected, "{links} {size}");
        }
    }
}
