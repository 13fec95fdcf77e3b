//! When a document is fresh, stale or due: a pure state machine fed with `(now, event)`.
//!
//! Requests only ask; this file decides how often asking leads to a fetch, regardless of what clients send.
//!
//! The clock is that of the machine, and may be set back. A time that lies before the last event says nothing about how
//! old a document is or how long ago an attempt was: the document serves as it did then, and is asked for at once.

use crate::core::fetching::{CacheRules, DocumentState};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::limits::LEAST_SETBACK;

/// First wait after a failure without any usable document; it doubles up to the cooldown.
const FIRST_BACK_OFF: Seconds = Seconds(1);

/// The state of one source and when it may be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    rules: CacheRules,
    /// The last event, success or failure.
    as_of: UnixTime,
    /// Last success.
    fetched_at: Option<UnixTime>,
    fresh_until: Option<UnixTime>,
    /// When to refresh ahead of `fresh_until`.
    due_at: UnixTime,
    /// Earliest attempt that the clock causes.
    next_attempt: UnixTime,
    /// Earliest attempt that a client can cause while there is a document.
    next_on_demand: UnixTime,
    failures: u32,
}

impl Freshness {
    /// A source that has never been fetched.
    pub const fn new(rules: CacheRules) -> Self {
        let epoch = UnixTime::from_millis(0);
        Self {
            rules,
            as_of: epoch,
            fetched_at: None,
            fresh_until: None,
            due_at: epoch,
            next_attempt: epoch,
            next_on_demand: epoch,
            failures: 0,
        }
    }

    /// Whether the clock was set back since the last event.
    pub fn is_from_the_future(&self, now: UnixTime) -> bool {
        self.as_of > now.saturating_add(LEAST_SETBACK)
    }

    /// State of the document at `now`.
    pub fn state(&self, now: UnixTime) -> DocumentState {
        if self.is_from_the_future(now) {
            return match self.state(self.as_of) {
                DocumentState::Fresh | DocumentState::Stale => DocumentState::Stale,
                DocumentState::Absent => DocumentState::Absent,
            };
        }
        match self.fresh_until {
            Some(until) if now < until => DocumentState::Fresh,
            Some(until) if now < until.saturating_add(self.rules.stale) => DocumentState::Stale,
            Some(_) | None => DocumentState::Absent,
        }
    }

    /// Whether to refresh a document now although it is still usable: shortly before it becomes stale, and whenever a fetch
    /// is allowed after that. One that never came or is too old is not due: it waits for a request that needs it.
    pub fn is_due(&self, now: UnixTime) -> bool {
        let is_time = now >= self.due_at && now >= self.next_attempt;
        self.state(now) != DocumentState::Absent && (is_time || self.is_from_the_future(now))
    }

    /// Whether a request that needs something may cause a fetch at `now`: once per cooldown if there is a document,
    /// regardless of the last outcome; otherwise after the back-off.
    pub fn may_ask(&self, now: UnixTime) -> bool {
        let allowed_at = match self.state(now) {
            DocumentState::Fresh | DocumentState::Stale => self.next_on_demand,
            DocumentState::Absent => self.next_attempt,
        };
        now >= allowed_at || self.is_from_the_future(now)
    }

    /// Time until [`Self::may_ask`] is true, at least a second.
    pub fn retry_after(&self, now: UnixTime) -> Seconds {
        Seconds(self.next_attempt.seconds_since(now).0.saturating_add(1))
    }

    /// Failures since the last success.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The last success.
    pub const fn fetched_at(&self) -> Option<UnixTime> {
        self.fetched_at
    }

    /// When the clock alone causes a fetch, as long as the document is usable.
    pub fn asked_at(&self) -> Option<UnixTime> {
        self.fetched_at.map(|_| self.due_at.max(self.next_attempt))
    }

    /// After a success at `now`: fresh for `lifetime`, or for the configured time if the server gave no lifetime. Due
    /// after four fifths of that and up to a tenth more, so that routers and replicas do not all fetch at once.
    pub fn fetched(self, now: UnixTime, lifetime: Option<Seconds>) -> Self {
        let lifetime = lifetime.unwrap_or(self.rules.ttl);
        let millis = lifetime.0.saturating_mul(1000);
        let ahead = (millis / 5).saturating_sub(jitter(now, millis / 10));
        let fresh_until = now.saturating_add(lifetime);
        Self {
            as_of: now,
            fetched_at: Some(now),
            fresh_until: Some(fresh_until),
            due_at: UnixTime::from_millis(fresh_until.as_millis().saturating_sub(ahead)),
            next_attempt: now.saturating_add(self.rules.cooldown),
            next_on_demand: now.saturating_add(self.rules.cooldown),
            failures: 0,
            ..self
        }
    }

    /// The same at `now`, for a document that is as old as nobody knows: if it serves, it does so as one that has just become
    /// stale, and is due.
    pub fn of_unknown_age(self, now: UnixTime) -> Self {
        let serves = self.state(now) != DocumentState::Absent;
        Self {
            as_of: now,
            fetched_at: self.fetched_at.map(|_| now),
            fresh_until: self.fresh_until.filter(|_| serves).map(|until| until.min(now)),
            due_at: now,
            next_attempt: now,
            next_on_demand: now,
            ..self
        }
    }

    /// Before an event at `now`: nothing of it lies ahead any more.
    pub fn settled(self, now: UnixTime) -> Self {
        if self.is_from_the_future(now) { self.of_unknown_age(now) } else { self }
    }

    /// After one more failure at `now`.
    pub fn failed(self, now: UnixTime) -> Self {
        self.failed_times(now, self.failures.saturating_add(1))
    }

    /// After `failures` in a row, the last at `now`: the wait doubles from a second up to the cooldown, and up to a
    /// quarter is added.
    pub fn failed_times(self, now: UnixTime, failures: u32) -> Self {
        let doubled = FIRST_BACK_OFF.0.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let millis = Seconds(doubled).min(self.rules.cooldown).0.saturating_mul(1000);
        let wait = millis.saturating_add(jitter(now, millis / 4));
        Self {
            as_of: self.as_of.max(now),
            next_attempt: UnixTime::from_millis(now.as_millis().saturating_add(wait)),
            next_on_demand: now.saturating_add(self.rules.cooldown),
            failures,
            ..self
        }
    }
}

/// Below `bound`, and different at different milliseconds. It does not have to be unpredictable.
const fn jitter(now: UnixTime, bound: u64) -> u64 {
    let mixed = now.as_millis().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    match mixed.checked_rem(bound) {
        Some(jitter) => jitter,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Freshness;
    use crate::core::fetching::{CacheRules, DocumentState};
    use crate::core::unix_time::{Seconds, UnixTime};

    const RULES: CacheRules = CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) };

    const fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(10_000 + seconds)
    }

    #[test]
    fn a_set_is_fresh_then_stale_then_absent() {
        let never = Freshness::new(RULES);
        assert_eq!((never.state(at(0)), never.may_ask(at(0))), (DocumentState::Absent, true));
        let set = never.fetched(at(0), None);
        for (now, state) in [
            (0, DocumentState::Fresh),
            (599, DocumentState::Fresh),
            (600, DocumentState::Stale),
            (1599, DocumentState::Stale),
            (1600, DocumentState::Absent),
        ] {
            assert_eq!(set.state(at(now)), state, "{now}");
        }
        assert_eq!(never.fetched(at(0), Some(Seconds(60))).state(at(60)), DocumentState::Stale);
    }

    #[test]
    fn a_loaded_set_is_due_ahead_of_its_end() {
        let never = Freshness::new(RULES);
        assert!(!never.is_due(at(0)));
        for second in 0..100 {
            let set = never.fetched(at(second), None);
            assert!(!set.is_due(at(second + 479)), "{second}");
            assert!(set.is_due(at(second + 541)), "{second}");
        }
        let ahead = |millis: u64| {
            let set = never.fetched(UnixTime::from_millis(millis), None);
            set.due_at.as_millis() - millis
        };
        let aheads: std::collections::BTreeSet<_> = (0..100).map(ahead).collect();
        assert!(aheads.len() > 90, "{aheads:?}");
        // Long after it became stale, it waits for a request that needs it.
        assert!(!never.fetched(at(0), None).is_due(at(5000)));
        // The cooldown comes first.
        assert!(!never.fetched(at(0), Some(Seconds(10))).is_due(at(29)));
    }

    #[test]
    fn a_clock_that_was_set_back_shows_what_was_there_and_has_it_asked_for() {
        let never = Freshness::new(RULES);
        let set = never.fetched(at(5_000), None);
        let too_old = set.failed(at(7_000));
        for (freshness, now, state, due, may_ask) in [
            (set, 4_999, DocumentState::Fresh, false, false),
            (set, 4_998, DocumentState::Stale, true, true),
            (set, 0, DocumentState::Stale, true, true),
            (set.failed(at(6_000)), 5_990, DocumentState::Stale, true, true),
            // It was too old when the clock was last looked at, and is no younger now.
            (too_old, 7_000, DocumentState::Absent, false, false),
            (too_old, 5_001, DocumentState::Absent, false, true),
            (never.failed(at(100)), 100, DocumentState::Absent, false, false),
            (never.failed(at(100)), 50, DocumentState::Absent, false, true),
        ] {
            // To the millisecond.
            let now = UnixTime::from_millis(at(now).as_millis() - u64::from(now == 4_998));
            let found = (freshness.state(now), freshness.is_due(now), freshness.may_ask(now));
            assert_eq!(found, (state, due, may_ask), "{freshness:?} at {now:?}");
            let settled = freshness.settled(now);
            if freshness.is_from_the_future(now) {
                assert_eq!(settled.fetched_at(), freshness.fetched_at().map(|_| now));
            } else {
                assert_eq!(settled.fetched_at(), freshness.fetched_at());
            }
            let failed = freshness.settled(now).failed(now);
            assert!(!failed.may_ask(now), "the cooldown holds from then on");
            assert_eq!(failed.state(now), state);
        }
        // What another instance tried before the set was fetched changes nothing about its age.
        let failed = set.settled(at(5_100)).failed_times(at(4_900), 1);
        assert_eq!((failed.fetched_at(), failed.state(at(5_100))), (Some(at(5_000)), DocumentState::Fresh));
    }

    #[test]
    fn unknown_kids_cannot_ask_before_the_cooldown() {
        let set = Freshness::new(RULES).fetched(at(0), None);
        assert!(!set.may_ask(at(29)));
        assert!(set.may_ask(at(30)));
    }

    #[test]
    fn a_failure_does_not_let_clients_ask_faster() {
        let set = Freshness::new(RULES).fetched(at(0), None).failed(at(100));
        assert!(!set.may_ask(at(129)));
        assert!(set.may_ask(at(130)));
    }

    #[test]
    fn back_off_doubles_up_to_the_cooldown() {
        let mut freshness = Freshness::new(RULES);
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            freshness = freshness.failed(at(100));
            assert!(!freshness.may_ask(UnixTime::from_millis(at(100 + wait).as_millis() - 1)));
            assert!(freshness.may_ask(at(100 + wait + wait.div_ceil(4))));
        }
        let due = freshness.fetched(at(200), None).failed(at(790));
        assert!(!due.is_due(at(790)));
        assert!(due.is_due(at(792)));
        assert_eq!(due.fetched(at(800), None).failures, 0);
    }
}
