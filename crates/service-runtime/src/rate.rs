//! How often may somebody do something? A bucket for each of them, of a bounded number.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as GovernorClock, Reference as _},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{
        InMemoryState, NotKeyed, StateStore,
        keyed::{DashMapStateStore, ShrinkableKeyedStateStore},
    },
};

use crate::clock::Clock;

/// So much at once, and as much more as time brings.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    quota: Quota,
}

impl Allowance {
    /// `at_once`, and as many more per second.
    #[must_use]
    pub const fn per_second(per_second: NonZeroU32, at_once: NonZeroU32) -> Self {
        Self { quota: Quota::per_second(per_second).allow_burst(at_once) }
    }

    /// `at_once`, and as many more per minute.
    #[must_use]
    pub const fn per_minute(at_once: NonZeroU32) -> Self {
        Self { quota: Quota::per_minute(at_once) }
    }
}

/// A bucket for each key.
pub struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Bounded<K>, Time, NoOpMiddleware<Duration>>,
    at_once: NonZeroU32,
    time: Time,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Full buckets. Of those that are in use, `most` are kept apart; whoever comes when there are so many shares one
    /// with all others who do.
    #[must_use]
    pub fn new(allowance: Allowance, most: usize, clock: &Clock) -> Self {
        let time = Time(clock.clone());
        let buckets = Bounded { apart: DashMapStateStore::default(), others: InMemoryState::default(), most };
        let limiter = RateLimiter::new(allowance.quota, buckets, time.clone());
        Self { limiter, at_once: allowance.quota.burst_size(), time }
    }

    /// Takes one out of this key's bucket.
    ///
    /// # Errors
    ///
    /// When it is empty: how long until there is one again.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        self.take_many(key, NonZeroU32::MIN)
    }

    /// Takes so many out of this key's bucket, or as many as it holds when it is full, so that nothing is beyond all
    /// patience.
    ///
    /// # Errors
    ///
    /// As [`Self::take`]; then nothing is taken.
    pub fn take_many(&self, key: &K, many: NonZeroU32) -> Result<(), Duration> {
        match self.limiter.check_key_n(key, many.min(self.at_once)) {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.earliest_possible().duration_since(self.time.now()).into()),
        }
    }

    /// Lets go of buckets that are full again: they are as good as new ones.
    pub fn forget_the_full(&self) {
        self.limiter.retain_recent();
    }

    /// Buckets that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.limiter.len()
    }

    /// Whether all buckets are full.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limiter.is_empty()
    }
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets")
            .field("at_once", &self.at_once)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A bucket for each of so many keys, and one for all others. So many between two rounds of upkeep are no customers: they
/// share what is left rather than take our memory, and whoever had a bucket before them keeps it.
struct Bounded<K: Hash + Eq + Clone> {
    apart: DashMapStateStore<K>,
    others: InMemoryState,
    most: usize,
}

impl<K: Hash + Eq + Clone> StateStore for Bounded<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // Counting locks all of the map, so those who are known do not pay for it.
        if self.apart.contains_key(key) || self.apart.len() < self.most {
            self.apart.measure_and_replace(key, measure)
        } else {
            self.others.measure_and_replace(&NotKeyed::NonKey, measure)
        }
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Bounded<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.apart.retain_recent(drop_below);
    }

    fn len(&self) -> usize {
        self.apart.len()
    }

    fn is_empty(&self) -> bool {
        self.apart.is_empty()
    }
}

/// A wait as `Retry-After` says it (RFC 9110 §10.2.3): rounded up, so that whoever waits as told is let in.
#[must_use]
pub const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// The process's clock, as governor reads it: one that is set back would have everybody wait until it is again as late as
/// it was.
#[derive(Debug, Clone)]
struct Time(Clock);

impl GovernorClock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_000;
    const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
    const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();

    fn buckets() -> (Clock, Buckets<u32>) {
        let clock = Clock::manual(1_000);
        let buckets = Buckets::new(Allowance::per_second(FIVE, TEN), MOST, &clock);
        (clock, buckets)
    }

    fn taken(buckets: &Buckets<u32>, times: usize) -> usize {
        (0..times).filter(|_| buckets.take(&1).is_ok()).count()
    }

    #[test]
    fn whoever_waits_as_told_is_let_in_and_others_are_not_kept_waiting() {
        let (clock, buckets) = buckets();
        assert_eq!(taken(&buckets, 100), 10);
        let wait = buckets.take(&1).unwrap_err();
        buckets.take(&2).unwrap();
        clock.advance(wait);
        buckets.take(&1).unwrap();
    }

    #[test]
    fn as_many_a_second_for_ever() {
        let (clock, buckets) = buckets();
        taken(&buckets, 10);
        for _ in 0..60 {
            clock.advance(Duration::from_secs(1));
            assert_eq!(taken(&buckets, 100), 5);
        }
    }

    #[test]
    fn more_than_a_bucket_holds_takes_all_of_it() {
        let (_, buckets) = buckets();
        let many = NonZeroU32::new(1_000).unwrap();
        buckets.take_many(&1, many).unwrap();
        assert_eq!(taken(&buckets, 1), 0);
        assert_eq!(buckets.take_many(&1, many), Err(Duration::from_secs(2)), "what ten need");
    }

    #[test]
    fn whoever_has_a_bucket_keeps_it_when_there_are_too_many_others() {
        let (_, buckets) = buckets();
        buckets.take(&1).unwrap();
        let refused = (2..3_000).filter(|key| buckets.take(key).is_err()).count();
        assert_eq!(refused, 3_000 - 1 - MOST - 10, "the others share ten");
        assert_eq!(taken(&buckets, 100), 9);
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_full_ones_are_let_go() {
        let (clock, buckets) = buckets();
        for key in 0..3_000 {
            // Those beyond the bound share one bucket, and some of them are refused.
            buckets.take(&key).ok();
        }
        assert_eq!(buckets.len(), MOST);
        clock.advance(Duration::from_secs(61));
        buckets.forget_the_full();
        assert!(buckets.is_empty());
    }
}
