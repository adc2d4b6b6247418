//! Questions about the present, answered from Postgres.
//!
//! Look-ups by key are gathered and answered many at a time, as requests are applied: a transaction for sixty of them
//! costs little more than one for one. Other questions are answered one by one, a few at a time, in the order of [`queue`].
//!
//! [`queue`]: crate::queue

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bus_contract::{
    Message,
    directory::{LookUpUser, Reply, failure::Reason, reply},
};
use bus_jetstream::{
    Bus,
    answering::{Answered, Answering},
    request::{Incoming, Subscription},
};
use futures_util::{FutureExt as _, StreamExt as _};
use pg_pool::Pool;
use service_runtime::{
    Causes,
    trace::{InTrace as _, Kind, Trace},
};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    metrics::Metrics,
    question,
    queue::{Next, Queue, Turn},
};

/// The most look-ups that one transaction answers.
pub(crate) const MAX_LOOK_UPS_PER_BATCH: usize = 256;
/// The most batches of look-ups that are under way at once.
pub(crate) const MAX_LOOK_UP_BATCHES: usize = 2;
/// The most searches of one kind that are under way at once.
pub(crate) const MAX_SEARCHES: usize = 4;
/// How often it is looked whether the connection lasts while the last questions are awaited.
const DRAIN_LOOK: Duration = Duration::from_millis(200);

/// Answers look-ups until asked to stop, then those that have arrived.
pub(crate) async fn look_ups(
    mut questions: Subscription,
    bus: Bus,
    pool: Pool,
    metrics: Arc<Metrics>,
    kind: bus_jetstream::metrics::Kind,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let slots = Arc::new(Semaphore::new(MAX_LOOK_UP_BATCHES));
    let mut running = JoinSet::new();
    let mut draining = false;
    while let Some(first) = next(&mut questions, &bus, &stop, &mut draining).await {
        // Waiting for a slot is what lets a batch grow while the others are under way.
        let slot = Arc::clone(&slots).acquire_owned().await.context("wait for a slot")?;
        let mut batch = vec![(kind.begin_with_others(&first.headers), first)];
        while batch.len() < MAX_LOOK_UPS_PER_BATCH {
            match tokio::task::unconstrained(questions.next()).now_or_never() {
                Some(Some(question)) => batch.push((kind.begin_with_others(&question.headers), question)),
                Some(None) | None => break,
            }
        }
        metrics.look_up_batch.observe(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        let (bus, pool) = (bus.clone(), pool.clone());
        running.spawn(async move {
            answer_look_ups(&bus, &pool, batch).await;
            drop(slot);
        });
        while running.try_join_next().is_some() {}
    }
    running.join_all().await;
    Ok(())
}

async fn answer_look_ups(bus: &Bus, pool: &Pool, batch: Vec<(Answering, Incoming)>) {
    let questions: Vec<_> = batch
        .iter()
        .map(|(_, incoming)| question::read(LookUpUser::decode(incoming.payload.clone())))
        .collect();
    let traces = batch.iter().map(|(answering, _)| answering.trace());
    let span = Trace::batch_of(traces, Kind::Internal, format_args!("look up a batch of users"))
        .with("messaging.batch.message_count", i64::try_from(batch.len()).unwrap_or(i64::MAX))
        .begin();
    let replies = question::look_up(pool, questions).in_trace(span.trace()).await;
    drop(span);
    for ((answering, incoming), reply) in batch.into_iter().zip(replies) {
        respond(bus, answering, &incoming, &reply).await;
    }
}

/// Answers each question of a kind by itself, at most `at_once` at a time, and at most half of them of one company.
pub(crate) async fn each<F, Fut>(
    mut questions: Subscription,
    bus: Bus,
    kind: bus_jetstream::metrics::Kind,
    at_once: usize,
    stop: CancellationToken,
    answer: F,
) -> anyhow::Result<()>
where
    F: Fn(bus_jetstream::Bytes, Duration) -> Fut,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let mut queue = Queue::new(at_once);
    let mut running = JoinSet::new();
    let (mut draining, mut is_over) = (false, false);
    while !is_over || !queue.is_idle() {
        while let Some(next) = queue.next(Instant::now()) {
            let Turn { question: (answering, incoming), company, within } = match next {
                Next::Answer(turn) => turn,
                Next::GivenUp(question) => {
                    given_up(question);
                    continue;
                }
            };
            let reply = answer(incoming.payload.clone(), within).in_trace(answering.trace());
            let bus = bus.clone();
            running.spawn(async move {
                respond(&bus, answering, &incoming, &or_failed(reply).await).await;
                company
            });
        }
        tokio::select! {
            question = next(&mut questions, &bus, &stop, &mut draining), if !is_over => match question {
                None => is_over = true,
                Some(incoming) => {
                    let payload = incoming.payload.clone();
                    let question = (kind.begin(&incoming.headers), incoming);
                    if let Err((answering, incoming)) = queue.push(question, &payload, Instant::now()) {
                        respond(&bus, answering, &incoming, &question::too_many()).await;
                    }
                }
            },
            Some(company) = running.join_next() => queue.end(&company.context("answer a question")?),
        }
    }
    Ok(())
}

/// The reply; where making it panics, one that says so. A question fails alone: its company's share is given back, and the
/// others are answered.
async fn or_failed(reply: impl Future<Output = Reply>) -> Reply {
    AssertUnwindSafe(reply).catch_unwind().await.unwrap_or_else(|_panic| {
        // What it says may hold what was asked.
        tracing::error!("answering a question panicked");
        question::unavailable()
    })
}

/// Nobody hears an answer, so there is none.
fn given_up((answering, _): (Answering, Incoming)) {
    tracing::debug!("a question waited until its asker gave up");
    answering.end(Answered::Failed);
}

/// The next question; after `stop`, those that were already on their way, then nothing.
async fn next(
    questions: &mut Subscription,
    bus: &Bus,
    stop: &CancellationToken,
    draining: &mut bool,
) -> Option<Incoming> {
    if !*draining {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            question = questions.next() => return question,
        }
        // Said before it is noted: whoever waits here is sometimes interrupted, and begins again.
        questions.drain().await.ok();
        *draining = true;
    }
    // The server says when that was the last one; without a connection nobody does, and nothing is on its way.
    while bus.is_connected() {
        if let Ok(question) = tokio::time::timeout(DRAIN_LOOK, questions.next()).await {
            return question;
        }
    }
    None
}

async fn respond(bus: &Bus, answering: Answering, incoming: &Incoming, reply: &Reply) {
    // Whoever asked notices by its own timeout, and will ask again.
    if let Err(error) = incoming.respond(bus, reply.encode_to_vec()).await {
        tracing::debug!(error = %Causes(&error), "an answer could not be sent");
    }
    answering.end(answered(reply));
}

fn answered(reply: &Reply) -> Answered {
    match &reply.result {
        Some(reply::Result::Failure(failure)) => match failure.reason() {
            Reason::Invalid | Reason::Conflict => Answered::Refused,
            Reason::Unavailable | Reason::Unspecified => Answered::Failed,
        },
        _ => Answered::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_at_which_the_code_panics_is_answered() {
        let panics = async { panic!("at this question") };
        assert_eq!(or_failed(panics).await, question::unavailable());
        assert_eq!(or_failed(async { question::too_many() }).await, question::too_many());
    }
}
