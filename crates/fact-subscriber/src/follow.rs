//! The loop: find the place in the stream again, or take a snapshot where it is lost; then read, apply, acknowledge.

use std::{sync::Arc, time::Duration};

use bus_contract::stream::DIRECTORY;
use bus_jetstream::{
    Bus,
    provision::StreamState,
    pull::{Delivery, Pull},
};
use service_runtime::{
    clock::Clock,
    trace::{Kind, Span},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    change::{Reading, read},
    keeper::Keeper,
    metrics::Metrics,
    model::Place,
    snapshot::{self, Reason},
};

/// Facts that one transaction applies at most: beyond this the gain per fact is gone, and the first one waits.
const MAX_BATCH: usize = 512;
/// Waits between attempts, doubled from the first to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);
/// For how long it is remembered that something is gone. No fact is repeated after so long: the stream keeps facts for 30
/// days, and the directory announces again only what it could not delete from its outbox.
const REMEMBER_GONE_SECONDS: i64 = 90 * 24 * 3600;
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// What following needs.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) bus: Bus,
    pub(crate) keeper: Keeper,
    pub(crate) metrics: Arc<Metrics>,
    /// The consumer's name.
    pub(crate) name: Arc<str>,
    /// Whether the stream is being read, for readiness.
    pub(crate) is_reading: watch::Sender<bool>,
}

/// Follows until asked to stop.
pub(crate) async fn run(follower: Follower, stop: CancellationToken) -> anyhow::Result<()> {
    let mut wait = RETRY_FIRST;
    while !stop.is_cancelled() {
        let ended = stop.run_until_cancelled(follow(&follower)).await;
        let was_reading = follower.is_reading.send_replace(false);
        let Some(Err(error)) = ended else { continue };
        if was_reading {
            wait = RETRY_FIRST;
        }
        if wait == RETRY_FIRST {
            tracing::warn!(error = %format!("{error:#}"), "facts wait");
        }
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        wait = (wait * 2).min(RETRY_LONGEST);
    }
    Ok(())
}

/// Forgets from time to time what has been gone for long.
pub(crate) async fn forget(keeper: Keeper, clock: Clock, stop: CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let now = i64::try_from(clock.unix_seconds()).unwrap_or(i64::MAX);
        keeper.run(move |model| model.forget_gone_before(now - REMEMBER_GONE_SECONDS)).await?;
        stop.run_until_cancelled(tokio::time::sleep(FORGET_EVERY)).await;
    }
    Ok(())
}

/// Reads from where the model is, until the reading breaks or the model has to be filled anew.
async fn follow(follower: &Follower) -> anyhow::Result<()> {
    let Follower { bus, keeper, .. } = follower;
    bus.connected_after(0).await;
    let state = bus.stream_state(&DIRECTORY).await?;
    let state = state.ok_or_else(|| anyhow::anyhow!("the stream DIRECTORY does not exist yet"))?;
    let place = keeper.run(|model| model.place()).await?;
    let knows_more = keeper.run(|model| model.has_missed_what_it_now_knows()).await?;
    let mut place = match reason_for_snapshot(&place, state, knows_more) {
        Some(reason) => take_snapshot(follower, reason).await?,
        None => place,
    };
    // Once more the last fact that was applied, to see that it is still the one.
    let again = if place.fact_id.is_empty() { place.sequence + 1 } else { place.sequence };
    let mut reading = bus.open_follow(&DIRECTORY, &follower.name, DIRECTORY.subject, again).await?;
    let mut is_recognised = place.fact_id.is_empty();
    follower.is_reading.send_replace(true);
    loop {
        let deliveries = reading.next_batch(MAX_BATCH).await?;
        let mut facts: Vec<_> = deliveries.iter().map(received).collect();
        if !is_recognised {
            let (sequence, found, _) = facts.remove(0);
            if sequence != place.sequence || found.fact_id != place.fact_id {
                take_snapshot(follower, Reason::PlaceLost).await?;
                return Ok(());
            }
            is_recognised = true;
        }
        let is_foreign = |(_, fact, _): &(u64, Reading, _)| {
            !fact.history_id.is_empty() && !place.history_id.is_empty() && fact.history_id != place.history_id
        };
        if facts.iter().any(is_foreign) {
            take_snapshot(follower, Reason::AnotherHistory).await?;
            return Ok(());
        }
        place = apply(follower, place, facts).await?;
        acknowledge(&mut reading, &deliveries).await?;
        follower.metrics.lag.set(i64::try_from(reading.pending()).unwrap_or(i64::MAX));
    }
}

/// Whether the stream, as it is, cannot be followed from this place.
fn reason_for_snapshot(place: &Place, state: StreamState, knows_more: bool) -> Option<Reason> {
    if !place.is_filled {
        return Some(Reason::New);
    }
    let is_kept = state.first_sequence <= place.sequence && place.sequence <= state.last_sequence;
    // A snapshot's place has no fact to recognise; the one behind it has to be there, now or later.
    let is_next = place.fact_id.is_empty()
        && state.first_sequence == place.sequence + 1
        && place.sequence <= state.last_sequence;
    if !is_kept && !is_next {
        return Some(Reason::PlaceLost);
    }
    knows_more.then_some(Reason::Understood)
}

async fn take_snapshot(follower: &Follower, reason: Reason) -> anyhow::Result<Place> {
    follower.is_reading.send_replace(false);
    let place = snapshot::take(&follower.bus, &follower.keeper, reason).await?;
    follower.metrics.snapshots.with_label_values(&[reason.as_str()]).inc();
    Ok(place)
}

/// Reads every fact that the stream holds into a model that knows nothing yet, and ends where the stream ended at the
/// beginning; returns the sequence of the first fact that there was.
pub(crate) async fn replay(follower: &Follower) -> anyhow::Result<u64> {
    let Follower { bus, keeper, .. } = follower;
    let mut place = keeper.run(|model| model.place()).await?;
    anyhow::ensure!(!place.is_filled, "the model is filled already; a replay needs a new file");
    let state = bus.stream_state(&DIRECTORY).await?;
    let state = state.ok_or_else(|| anyhow::anyhow!("the stream DIRECTORY does not exist yet"))?;
    let name = format!("{}-replay", follower.name);
    let mut reading = bus.open_follow(&DIRECTORY, &name, DIRECTORY.subject, state.first_sequence).await?;
    while place.sequence < state.last_sequence && state.first_sequence <= state.last_sequence {
        let deliveries = reading.next_batch(MAX_BATCH).await?;
        let facts = deliveries.iter().map(received).collect();
        place = apply(follower, place, facts).await?;
        acknowledge(&mut reading, &deliveries).await?;
    }
    Ok(state.first_sequence)
}

fn received(delivery: &Delivery) -> (u64, Reading, Span) {
    let reading = read(&delivery.payload);
    // The trace began with Entra's request.
    let trace = delivery.headers.trace();
    let span = trace
        .span(Kind::Consumer, format_args!("process {}", reading.change.kind()))
        .with("messaging.system", "nats")
        .with("messaging.destination.name", DIRECTORY.name)
        .with_text("messaging.message.id", &reading.fact_id)
        .with_text("company.id", &reading.company)
        .begin();
    (delivery.stream_sequence, reading, span)
}

async fn apply(follower: &Follower, place: Place, facts: Vec<(u64, Reading, Span)>) -> anyhow::Result<Place> {
    let timer = follower.metrics.batch_seconds.start_timer();
    let kinds: Vec<_> = facts.iter().map(|(_, fact, _)| fact.change.kind()).collect();
    let (place, effects) = follower.keeper.run(move |model| model.apply(&place, &facts)).await?;
    timer.observe_duration();
    for (kind, effect) in kinds.into_iter().zip(effects) {
        follower.metrics.facts.with_label_values(&[kind, effect.as_str()]).inc();
    }
    Ok(place)
}

/// After the commit. The stream does not need it, because the place is in the model; whoever looks at the consumer sees
/// by it how far we are, and the server sends no more than a reader has room for.
async fn acknowledge(reading: &mut Pull, deliveries: &[Delivery]) -> anyhow::Result<()> {
    if let Some(last) = deliveries.last() {
        reading.ack_through(last).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bus_jetstream::provision::StreamIdentity;

    use super::*;

    fn state(first_sequence: u64, last_sequence: u64) -> StreamState {
        StreamState { identity: StreamIdentity { created_unix_nanos: 1 }, first_sequence, last_sequence }
    }

    fn at(sequence: u64, fact_id: &str) -> Place {
        Place { sequence, fact_id: fact_id.to_owned(), is_filled: true, ..Place::default() }
    }

    #[test]
    fn a_place_is_good_for_as_long_as_its_fact_is_in_the_stream() {
        assert_eq!(reason_for_snapshot(&Place::default(), state(1, 0), false), Some(Reason::New));
        assert_eq!(reason_for_snapshot(&at(5, "f"), state(1, 9), false), None);
        assert_eq!(reason_for_snapshot(&at(5, "f"), state(5, 5), false), None);
        for lost in [state(6, 9), state(6, 5), state(1, 4), state(1, 0)] {
            assert_eq!(reason_for_snapshot(&at(5, "f"), lost, false), Some(Reason::PlaceLost), "{lost:?}");
        }
    }

    #[test]
    fn the_place_of_a_snapshot_is_good_for_as_long_as_what_follows_is_in_the_stream() {
        for good in [state(1, 5), state(1, 9), state(5, 5), state(6, 9), state(6, 5)] {
            assert_eq!(reason_for_snapshot(&at(5, ""), good, false), None, "{good:?}");
        }
        assert_eq!(reason_for_snapshot(&at(0, ""), state(1, 0), false), None);
        for lost in [state(7, 9), state(1, 4)] {
            assert_eq!(reason_for_snapshot(&at(5, ""), lost, false), Some(Reason::PlaceLost), "{lost:?}");
        }
    }

    #[test]
    fn who_has_learned_what_it_passed_over_begins_anew() {
        assert_eq!(reason_for_snapshot(&at(5, "f"), state(1, 9), true), Some(Reason::Understood));
    }
}
