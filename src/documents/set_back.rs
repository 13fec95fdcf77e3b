//! A clock that was set back: what is kept by it is neither kept for longer nor kept away.

use std::cell::RefCell;

use crate::core::fetching::{ClientRules, DocumentState};
use crate::core::unix_time::Seconds;
use crate::documents::ask::Remote;
use crate::documents::error::DocumentError;
use crate::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use crate::documents::io::Io;
use crate::documents::kept::{Change, Kept};
use crate::documents::lease::Waiting;
use crate::documents::lines::{Lines, document, lines, with_client, with_remote};
use crate::documents::outside::{Outside, client};

const DAYS: u64 = 30 * 86_400;

/// Fetched by a clock that is a month ahead, and seen by two instances; the clock is right again.
fn fetched_ahead(remote: &Remote<'_>, outside: &Outside) -> [Kept<Vec<String>>; 2] {
    let (never, meaning) = (Kept::of_remote(remote), Lines::default());
    outside.wait(DAYS);
    outside.next(document("a"));
    let (kept, _) = never.asked(remote, &meaning, Waiting::ForDocument, &outside.io());
    let other = never.caught_up(remote, &meaning, outside.now(), &outside.io());
    assert_eq!((lines(&kept), lines(&other)), (vec!["a"], vec!["a"]));
    assert!(!kept.is_due(outside.now()) && !other.may_look(outside.now()));
    outside.set_back(DAYS);
    [kept, other]
}

#[test]
fn a_clock_that_was_set_back_keeps_no_document_for_longer() {
    with_remote(None, |remote| {
        let (outside, meaning) = (Outside::new(), Lines::default());
        let [kept, other] = fetched_ahead(remote, &outside);
        // It serves, and is fetched anew at once; so it is by an instance that is born now.
        let born = Kept::of_remote(remote).caught_up(remote, &meaning, outside.now(), &outside.io());
        for kept in [&kept, &other, &born] {
            let state = (kept.freshness.state(outside.now()), lines(kept));
            assert_eq!(state, (DocumentState::Stale, vec!["a"]));
            assert!(kept.is_due(outside.now()) && kept.freshness.may_ask(outside.now()));
        }
        outside.next(document("b"));
        let (kept, change) = kept.asked(remote, &meaning, Waiting::NotAtAll, &outside.io());
        assert_eq!((lines(&kept), change), (vec!["b"], Some(Change::Replaced)));
        assert!(!kept.is_due(outside.now()) && !kept.freshness.may_ask(outside.now()));
        // The others look although they have looked in what is the future now.
        for other in [other, born] {
            outside.wait(1);
            assert!(other.may_look(outside.now()));
            let other = other.caught_up(remote, &meaning, outside.now(), &outside.io());
            assert_eq!(lines(&other), ["b"]);
            assert!(!other.is_due(outside.now()));
        }
    });
}

#[test]
fn a_clock_that_was_set_back_does_not_prolong_the_time_without_a_provider() {
    with_remote(None, |remote| {
        let (outside, meaning) = (Outside::new(), Lines::default());
        let [kept, other] = fetched_ahead(remote, &outside);
        let (kept, change) = kept.asked(remote, &meaning, Waiting::NotAtAll, &outside.io());
        assert_eq!((lines(&kept), change.is_some()), (vec!["a"], true));
        let other = other.caught_up(remote, &meaning, outside.now(), &outside.io());
        let born = Kept::of_remote(remote).caught_up(remote, &meaning, outside.now(), &outside.io());
        // It counts as fetched by this attempt, for whoever comes and however often that fails.
        outside.wait(300);
        let (failed, _) = other.asked(remote, &meaning, Waiting::ForDocument, &outside.io());
        let late = Kept::of_remote(remote).caught_up(remote, &meaning, outside.now(), &outside.io());
        outside.set_back(300);
        for kept in [&kept, &other, &born, &failed, &late] {
            let at = |seconds| outside.now().saturating_add(Seconds(seconds));
            assert!(!kept.is_due(at(479)) && kept.is_due(at(541)));
            let states = [at(1599), at(1600)].map(|at| kept.freshness.state(at));
            assert_eq!(states, [DocumentState::Stale, DocumentState::Absent]);
        }
    });
}

#[test]
fn a_clock_that_was_set_back_keeps_no_document_away() {
    with_remote(None, |remote| {
        let (outside, meaning) = (Outside::new(), Lines::default());
        outside.wait(DAYS);
        let never = Kept::of_remote(remote);
        let (failed, _) = never.asked(remote, &meaning, Waiting::ForDocument, &outside.io());
        assert!(!failed.freshness.may_ask(outside.now()));
        outside.set_back(DAYS);
        assert!(failed.freshness.may_ask(outside.now()));
        // Nor does another instance that was fetching then.
        outside.forget_shared();
        let [kept, _] = fetched_ahead(remote, &outside);
        outside.wait(DAYS + 590);
        outside.busy.set(true);
        let (busy, _) = kept.asked(remote, &meaning, Waiting::NotAtAll, &outside.io());
        outside.busy.set(false);
        assert!(!busy.is_due(outside.now()));
        // Less than since the document was fetched.
        outside.set_back(40);
        assert!(busy.is_due(outside.now()));
    });
}

/// A provider that fails, at which the clock is set back.
struct SetsBack<'o>(&'o Outside, RefCell<Vec<Seconds>>);

impl Fetch for SetsBack<'_> {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        self.1.borrow_mut().push(request.timeout);
        self.0.set_back(DAYS);
        Err(FetchError::Connect)
    }
}

#[test]
fn a_clock_that_is_set_back_during_a_fetch_gives_it_no_more_time() {
    let client = ClientRules { max_retries: 2, ..client() };
    with_client(&client, None, |remote| {
        let outside = Outside::new();
        outside.wait(3 * DAYS);
        let fetch = SetsBack(&outside, RefCell::default());
        let io = Io { fetch: &fetch, ..outside.io() };
        let never = Kept::of_remote(remote);
        let (_, change) = never.asked(remote, &Lines::default(), Waiting::ForDocument, &io);
        assert!(change.is_some());
        assert_eq!(fetch.1.take(), [remote.client.timeout; 3]);
    });
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_file_from_being_read() {
    let (outside, read) =
        (Outside::new(), |bytes| String::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8));
    let reread = |kept: &Kept<String>, text: &str| {
        *outside.file.borrow_mut() = Some((text.len().try_into().unwrap(), text.to_owned()));
        kept.reread("/file", 100, &read, outside.now(), &outside.io()).0
    };
    outside.wait(DAYS);
    let kept = reread(&Kept::of_file(), "a");
    outside.set_back(DAYS);
    assert!(kept.is_due(outside.now()));
    let kept = reread(&kept, "bb");
    assert_eq!(kept.content.as_deref().map(String::as_str), Some("bb"));
    assert!(!kept.is_due(outside.now()));
    // A file that is gone by then counts for a day, and is looked for again.
    outside.wait(DAYS);
    let kept = reread(&kept, "ccc");
    outside.set_back(DAYS);
    *outside.file.borrow_mut() = None;
    let (kept, _) = kept.reread("/file", 100, &read, outside.now(), &outside.io());
    assert!(kept.is_due(outside.now().saturating_add(Seconds(2))));
    let state = |seconds| kept.freshness.state(outside.now().saturating_add(Seconds(seconds)));
    assert_eq!((state(86_399), state(86_400)), (DocumentState::Stale, DocumentState::Absent));
}
