//! When a fetched key set is fresh, stale or due: a pure state machine fed with `(now, event)`.
//!
//! Requests only ever ask; how often asking leads to a fetch is decided here, whatever clients send.

use crate::core::jwk::lookup::CacheRules;
use crate::core::unix_time::{Seconds, UnixTime};

/// First wait after a failure without any usable set; it doubles up to the cooldown.
const FIRST_BACK_OFF: Seconds = Seconds(1);

/// What is known of one source and when it may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    rules: CacheRules,
    fresh_until: Option<UnixTime>,
    next_attempt: UnixTime,
    failures: u32,
}

/// State of the set at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Younger than its freshness.
    Fresh,
    /// Past its freshness, still allowed to serve.
    Stale,
    /// Never loaded, or too old to serve.
    Absent,
}

impl Freshness {
    /// A source that has never been asked.
    #[must_use]
    pub const fn new(rules: CacheRules) -> Self {
        Self { rules, fresh_until: None, next_attempt: UnixTime::from_millis(0), failures: 0 }
    }

    /// State of the set at `now`.
    #[must_use]
    pub fn state(&self, now: UnixTime) -> State {
        match self.fresh_until {
            Some(until) if now < until => State::Fresh,
            Some(until) if now < until.saturating_add(self.rules.stale) => State::Stale,
            Some(_) | None => State::Absent,
        }
    }

    /// Whether the source may be asked at `now`: the cooldown after a success and the back-off after a failure
    /// are over.
    #[must_use]
    pub fn may_ask(&self, now: UnixTime) -> bool {
        now >= self.next_attempt
    }

    /// Time until [`Self::may_ask`], at least a second.
    #[must_use]
    pub fn retry_after(&self, now: UnixTime) -> Seconds {
        Seconds(self.next_attempt.seconds_since(now).0.saturating_add(1))
    }

    /// When the set stops being fresh.
    #[must_use]
    pub const fn fresh_until(&self) -> Option<UnixTime> {
        self.fresh_until
    }

    /// After a success at `now`: fresh for `lifetime`, or for the configured time where the server named none.
    #[must_use]
    pub fn fetched(self, now: UnixTime, lifetime: Option<Seconds>) -> Self {
        Self {
            fresh_until: Some(now.saturating_add(lifetime.unwrap_or(self.rules.ttl))),
            next_attempt: now.saturating_add(self.rules.cooldown),
            failures: 0,
            ..self
        }
    }

    /// After a failure at `now`.
    #[must_use]
    pub fn failed(self, now: UnixTime) -> Self {
        let failures = self.failures.saturating_add(1);
        let wait = match self.state(now) {
            State::Fresh | State::Stale => self.rules.cooldown,
            State::Absent => {
                let doubled = FIRST_BACK_OFF.0.saturating_mul(1 << failures.saturating_sub(1).min(16));
                Seconds(doubled).min(self.rules.cooldown)
            }
        };
        Self { next_attempt: now.saturating_add(wait), failures, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{Freshness, State};
    use crate::core::jwk::lookup::CacheRules;
    use crate::core::unix_time::{Seconds, UnixTime};

    const RULES: CacheRules = CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) };

    const fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(10_000 + seconds)
    }

    #[test]
    fn a_set_is_fresh_then_stale_then_absent() {
        let never = Freshness::new(RULES);
        assert_eq!((never.state(at(0)), never.may_ask(at(0))), (State::Absent, true));
        let set = never.fetched(at(0), None);
        for (now, state) in [
            (0, State::Fresh),
            (599, State::Fresh),
            (600, State::Stale),
            (1599, State::Stale),
            (1600, State::Absent),
        ] {
            assert_eq!(set.state(at(now)), state, "{now}");
        }
        assert_eq!(never.fetched(at(0), Some(Seconds(60))).state(at(60)), State::Stale);
    }

    #[test]
    fn at_most_one_fetch_per_cooldown_while_keys_are_kept() {
        let set = Freshness::new(RULES).fetched(at(0), None);
        assert!(!set.may_ask(at(29)));
        assert!(set.may_ask(at(30)));
        let failed = set.failed(at(700));
        assert_eq!((failed.may_ask(at(729)), failed.may_ask(at(730))), (false, true));
        assert_eq!(failed.state(at(700)), State::Stale);
    }

    #[test]
    fn back_off_without_keys_doubles_up_to_the_cooldown() {
        let mut freshness = Freshness::new(RULES);
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            freshness = freshness.failed(at(0));
            assert!(!freshness.may_ask(UnixTime::from_millis(at(wait).as_millis() - 1)));
            assert!(freshness.may_ask(at(wait)));
        }
        assert_eq!(freshness.retry_after(at(0)), Seconds(31));
        assert_eq!(Freshness::new(RULES).fetched(at(0), None).failed(at(0)).failures, 1);
    }
}
