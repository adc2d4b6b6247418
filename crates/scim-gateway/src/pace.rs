//! How often a company may call, and how many of its changes may wait for the directory: so that none keeps another
//! waiting.
//!
//! Companies share the partitions of the stream, and a partition is applied in order. What one company has there, the
//! others behind it wait for.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus_contract::subject::Verb;
use prometheus::Histogram;
use service_runtime::{
    clock::Clock,
    rate::{Allowance, Buckets},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};
use typed_ids::CompanyId;

use crate::metrics::Metrics;

/// Companies whose pace is known apart; beyond, all others share one.
pub(crate) const COMPANIES_MOST: usize = 100_000;
/// What a company that has rested may call at once, in seconds' worth of what it may call for ever.
const SECONDS_AT_ONCE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// How long a call that comes too early is kept, rather than refused: Entra was seen to put a job into quarantine after
/// a burst of 429s (entra-wire §1.12). A caller that waits for its answers slows down by that alone.
const SLOWED_DOWN: Duration = Duration::from_secs(2);
/// Changes of one company that await the directory at once: enough to keep it busy, and a quarter of a batch of it.
const TURNS: usize = 64;
/// The longest that a change waits for its turn. When turns take longer than that the directory is away, and then a
/// change is safer in the stream, which keeps it, than here. Entra's 25 a second find room all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often each company calls.
pub(crate) struct Pace(Buckets<CompanyId>);

impl Pace {
    pub(crate) fn new(per_second: NonZeroU32, clock: &Clock) -> Self {
        let at_once = per_second.saturating_mul(SECONDS_AT_ONCE);
        Self(Buckets::new(Allowance::per_second(per_second, at_once), COMPANIES_MOST, clock))
    }

    /// Lets this company make so many calls more when it may, if that is soon.
    ///
    /// # Errors
    ///
    /// When that is not soon: how long until then.
    pub(crate) async fn keep(&self, company: CompanyId, calls: usize) -> Result<(), Duration> {
        let Some(calls) = NonZeroU32::new(u32::try_from(calls).unwrap_or(u32::MAX)) else { return Ok(()) };
        let until = Instant::now() + SLOWED_DOWN;
        while let Err(wait) = self.0.take_many(&company, calls) {
            // Others of the company may be quicker when the time has come.
            if Instant::now() + wait > until {
                return Err(wait);
            }
            sleep(wait).await;
        }
        Ok(())
    }

    /// Lets go of companies that have rested.
    pub(crate) fn forget_the_rested(&self) {
        self.0.forget_the_full();
    }
}

/// The turns of each company's changes.
pub(crate) struct Turns {
    companies: Mutex<HashMap<CompanyId, Arc<Semaphore>>>,
    wait: Histogram,
}

/// A change's turn, until its outcome is there; none for a change that did not wait for one.
#[derive(Debug)]
pub(crate) struct Turn(
    #[cfg_attr(not(test), expect(dead_code, reason = "the turn ends when it is dropped"))]
    Option<OwnedSemaphorePermit>,
);

impl Turns {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self { companies: Mutex::default(), wait: metrics.pace.turn_wait.clone() }
    }

    /// Waits for a turn, in the order in which changes came; a change that ends somebody's access goes ahead of all that
    /// still wait.
    pub(crate) async fn take(&self, company: CompanyId, verb: Verb) -> Turn {
        if matches!(verb, Verb::Deactivate | Verb::Delete) {
            return Turn(None);
        }
        let waited = self.wait.start_timer();
        let turn = timeout(PATIENCE, self.of(company).acquire_owned()).await;
        waited.observe_duration();
        Turn(turn.ok().and_then(Result::ok))
    }

    /// Lets go of companies none of whose changes are under way.
    pub(crate) fn forget_the_idle(&self) {
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        companies.retain(|_, turns| Arc::strong_count(turns) > 1);
    }

    fn of(&self, company: CompanyId) -> Arc<Semaphore> {
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(companies.entry(company).or_insert_with(|| Arc::new(Semaphore::new(TURNS))))
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;

    fn turns() -> Turns {
        Turns::new(&Metrics::register(&Registry::new()).unwrap())
    }

    async fn all_of(turns: &Turns, company: CompanyId) -> Vec<Turn> {
        let mut taken = Vec::new();
        for _ in 0..TURNS {
            taken.push(turns.take(company, Verb::Create).await);
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn who_calls_a_little_too_often_is_kept_and_not_refused() {
        let (clock, company) = (Clock::manual(1_000), CompanyId::mint());
        let pace = Pace::new(NonZeroU32::new(25).unwrap(), &clock);
        pace.keep(company, 250).await.unwrap();
        let before = Instant::now();
        let time_goes_on = async { clock.advance(Duration::from_secs(1)) };
        let (kept, ()) = tokio::join!(pace.keep(company, 1), time_goes_on);
        kept.unwrap();
        assert!(before.elapsed() > Duration::ZERO, "it was let in at once");
        pace.keep(company, 250).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_begins_when_another_ends_and_other_companies_have_their_own() {
        let (turns, company) = (turns(), CompanyId::mint());
        let mut taken = all_of(&turns, company).await;
        assert!(turns.take(CompanyId::mint(), Verb::Create).await.0.is_some());
        let (turn, ()) = tokio::join!(turns.take(company, Verb::Update), async { drop(taken.pop()) });
        assert!(turn.0.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_access_waits_for_no_turn() {
        let (turns, company) = (turns(), CompanyId::mint());
        let _taken = all_of(&turns, company).await;
        let before = Instant::now();
        turns.take(company, Verb::Deactivate).await;
        turns.take(company, Verb::Delete).await;
        assert_eq!(before.elapsed(), Duration::ZERO, "the paused clock moves only when all wait");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_turn_in_time_a_change_goes_to_the_stream_all_the_same() {
        let (turns, company) = (turns(), CompanyId::mint());
        let _taken = all_of(&turns, company).await;
        let before = Instant::now();
        assert!(turns.take(company, Verb::Create).await.0.is_none());
        assert!(before.elapsed() >= PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn companies_without_changes_under_way_are_forgotten() {
        let turns = turns();
        let turn = turns.take(CompanyId::mint(), Verb::Create).await;
        drop(turns.take(CompanyId::mint(), Verb::Create).await);
        turns.forget_the_idle();
        assert_eq!(turns.companies.lock().unwrap().len(), 1);
        drop(turn);
        turns.forget_the_idle();
        assert!(turns.companies.lock().unwrap().is_empty());
    }
}
