//! The life of a partition in the hands of this instance: take over, read in order, apply, acknowledge, answer.

mod spans;

use std::sync::Arc;

use anyhow::Context as _;
use bus_contract::{
    Message,
    headers::OUTCOME_INBOX,
    partition::Partition,
    provisioning,
    stream::{self, Stream},
    subject,
};
use bus_jetstream::{Bus, provision::StreamState, pull};
use pg_pool::Pool;
use service_runtime::{
    Causes,
    trace::{InTrace as _, Span, Trace},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    apply::{
        self, Applied, Delivery,
        removals::{CameOn, News},
        request,
    },
    brake::{self, BrakeSettings},
    history::Requests,
    metrics::{self, Metrics},
    relay,
    retry::Retry,
    store::{self, partitions::Tenure},
    time::now,
    waiting,
};

/// The most requests that one transaction applies. Beyond this the gain per request is gone and the first one waits.
pub(crate) const MAX_BATCH: usize = 256;

/// What a partition's work needs.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) bus: Bus,
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    /// Held while the streams are made sure of: nats-server counts the storage of a stream that two create at once
    /// twice, and then has too little.
    pub(crate) streams: Arc<tokio::sync::Mutex<()>>,
    pub(crate) brake: BrakeSettings,
}

impl Context {
    /// Makes sure of the streams of requests and facts; returns what is known of the requests.
    pub(crate) async fn streams(&self) -> anyhow::Result<StreamState> {
        let _one_at_a_time = self.streams.lock().await;
        self.bus.ensure_stream(&stream::DIRECTORY).await?;
        self.stream(&stream::PROVISIONING).await
    }

    /// The same for the stream of calls.
    pub(crate) async fn calls_stream(&self) -> anyhow::Result<StreamState> {
        let _one_at_a_time = self.streams.lock().await;
        self.stream(&stream::CALLS).await
    }

    async fn stream(&self, stream: &Stream) -> anyhow::Result<StreamState> {
        self.bus.ensure_stream(stream).await?;
        self.bus.stream_state(stream).await?.context("the stream was deleted at once")
    }
}

/// Why a tenure was given up.
enum Left {
    /// We were asked to.
    Stopped,
    /// Another instance took over, or the reading broke: begin again.
    Ended,
}

/// Works on a partition until asked to stop; then finishes the batch in hand.
pub(crate) async fn own(context: Context, partition: Partition, stop: CancellationToken) {
    let mut retry = Retry::new();
    while !stop.is_cancelled() {
        match tenure(&context, partition, &stop, &mut retry).await {
            Ok(Left::Stopped) => return,
            Ok(Left::Ended) => {}
            Err(error) if retry.is_first() => {
                tracing::warn!(partition = partition.number(), error = %format!("{error:#}"), "a partition waits");
            }
            Err(error) => {
                tracing::debug!(partition = partition.number(), error = %format!("{error:#}"), "a partition still waits");
            }
        }
        retry.wait(&stop).await;
    }
}

async fn tenure(
    context: &Context,
    partition: Partition,
    stop: &CancellationToken,
    retry: &mut Retry,
) -> anyhow::Result<Left> {
    // Made sure of at every beginning: a NATS that lost its disk has lost the streams too.
    let before = context.pool.run("history.look", store::history::look).await?;
    let requests = requests(context.streams().await?);
    let (tenure, breach) = context
        .pool
        .transaction("partitions.take_over", move |conn| {
            store::partitions::take_over(conn, partition, &before, requests)
        })
        .await?;
    if let Some(breach) = breach {
        context.metrics.histories.with_label_values(&[breach.as_str()]).inc();
        tracing::warn!(
            reason = breach.as_str(),
            applied_sequence = before.applied_sequence,
            first_sequence = requests.first_sequence,
            last_sequence = requests.last_sequence,
            "the database and the bus no longer tell the same story: a new history of facts begins"
        );
    }
    let mut reading = context
        .bus
        .open_pull(
            &stream::PROVISIONING,
            &format!("directory-p{partition}-"),
            &subject::requests_of(partition),
        )
        .await?;
    tracing::info!(
        partition = partition.number(),
        epoch = tenure.epoch,
        pending = reading.pending(),
        "took over"
    );
    retry.reset();

    let committed = Arc::new(Notify::new());
    // What an earlier owner committed and did not announce.
    committed.notify_one();
    let ended = CancellationToken::new();
    let relay = relay::run(context, partition, &committed, &ended);
    let telling = waiting::requests(context, partition, reading.backlog(), &ended);
    let keeping = brake::upkeep::run(context, partition, &ended);
    let working = async {
        let left = work(context, tenure, &mut reading, stop, &committed).await;
        ended.cancel();
        left
    };
    let (left, (), (), ()) = tokio::join!(working, relay, telling, keeping);
    left
}

fn requests(state: StreamState) -> Requests {
    // A stream of more than 2⁶³ messages would have run for a million years.
    let number = |sequence| i64::try_from(sequence).unwrap_or(i64::MAX);
    Requests {
        created_unix_nanos: state.identity.created_unix_nanos,
        first_sequence: number(state.first_sequence),
        last_sequence: number(state.last_sequence),
    }
}

async fn work(
    context: &Context,
    tenure: Tenure,
    reading: &mut pull::Pull,
    stop: &CancellationToken,
    committed: &Notify,
) -> anyhow::Result<Left> {
    loop {
        let messages = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Left::Stopped),
            messages = reading.next_batch(MAX_BATCH) => messages?,
        };
        context.metrics.redeliveries.inc_by(reading.take_repeated());
        let traces: Vec<_> = messages.iter().map(|message| message.headers.trace()).collect();
        let span = spans::of_batch(tenure.partition, &messages, &traces);
        let (batch, applying): (Vec<_>, Vec<_>) =
            messages.iter().zip(&traces).map(|(message, trace)| begin(message, trace, &span)).unzip();
        let applied = apply_whole(context, tenure, batch.into(), stop).in_trace(span.trace()).await;
        let Some(outcomes) = applied else {
            applying.iter().for_each(|span| span.fail("given_back"));
            return Ok(Left::Ended);
        };
        drop(span);
        committed.notify_one();
        // Told before acknowledged: the caller waits, the stream does not.
        for ((message, outcome), span) in messages.iter().zip(outcomes).zip(applying) {
            span.note("outcome", metrics::word(outcome.as_ref()));
            answer(context, message, outcome).await;
        }
        if let Some(last) = messages.last() {
            reading.ack_through(last).await?;
        }
    }
}

/// Applies a batch, trying again for as long as Postgres is away; `None` when the tenure or the process ends first.
async fn apply_whole(
    context: &Context,
    tenure: Tenure,
    batch: Arc<[Delivery]>,
    stop: &CancellationToken,
) -> Option<Vec<Option<provisioning::Outcome>>> {
    let timer = context.metrics.batch_seconds.start_timer();
    let size = batch.len();
    let mut outcomes = Vec::with_capacity(size);
    // Parts of the batch still to be applied, the next one last. Usually the whole.
    let mut parts = Vec::new();
    parts.push(0..size);
    let mut retry = Retry::new();
    while let Some(part) = parts.pop() {
        let slice = Part { batch: Arc::clone(&batch), range: part.clone(), condemned: None };
        match apply_part(context, tenure, slice.clone()).await {
            Ok(Applied::Outcomes(part, news)) => {
                outcomes.extend(part);
                say_removals(context, &news);
            }
            Ok(Applied::TenureEnded) => {
                say_taken_over(tenure);
                return None;
            }
            Err(error) if part.len() > 1 && (error.is_about_the_data() || is_bug(&error)) => {
                // One request spoils the transaction for all. Halve until it stands alone.
                let middle = part.start + part.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(error) if error.is_about_the_data() => {
                context.metrics.dead_letters.inc();
                tracing::error!(
                    partition = tenure.partition.number(),
                    stream_sequence = batch.get(part.start).map(|delivery| delivery.stream_sequence),
                    error = %Causes(&error),
                    "a request can never be stored; kept as a dead letter"
                );
                let reason = "Postgres refuses to store it".to_owned();
                match apply_part(context, tenure, Part { condemned: Some(reason), ..slice }).await {
                    Ok(Applied::Outcomes(part, _)) => outcomes.extend(part),
                    Ok(Applied::TenureEnded) => return None,
                    Err(error) => {
                        tracing::error!(
                            partition = tenure.partition.number(),
                            error = %Causes(&error),
                            "a dead letter cannot be kept; trying again"
                        );
                        parts.push(part);
                        retry.wait(stop).await;
                        if stop.is_cancelled() {
                            return None;
                        }
                    }
                }
            }
            Err(error) => {
                if retry.is_first() {
                    tracing::warn!(
                        partition = tenure.partition.number(),
                        error = %Causes(&error),
                        "a batch waits for Postgres"
                    );
                }
                parts.push(part);
                retry.wait(stop).await;
                if stop.is_cancelled() {
                    // Nothing is lost: the requests stay in the stream for the next owner.
                    return None;
                }
            }
        }
    }
    say_applied(tenure, size, timer.stop_and_record());
    context.metrics.count(&batch, &outcomes, now());
    Some(outcomes)
}

fn say_applied(tenure: Tenure, requests: usize, seconds: f64) {
    tracing::debug!(
        partition = tenure.partition.number(),
        requests,
        duration_us = std::time::Duration::from_secs_f64(seconds).as_micros(),
        "applied a batch"
    );
}

fn say_removals(context: &Context, news: &[News]) {
    for news in news {
        match news {
            News::CameOn(CameOn { company, brake, removed, had_access, people }) => {
                context.metrics.brakes.came_on.inc();
                tracing::warn!(
                    company.id = %company, %brake, removed, had_access, people,
                    "a mass removal: access has ended, and what cannot be undone waits for a human"
                );
            }
            News::NotHeld { company, people } => {
                context.metrics.brakes.not_held.inc_by(u64::try_from(*people).unwrap_or(0));
                tracing::warn!(
                    company.id = %company, not_held = people,
                    "as many people are kept as may be: deleted ones are not"
                );
            }
        }
    }
}

fn say_taken_over(tenure: Tenure) {
    tracing::info!(partition = tenure.partition.number(), epoch = tenure.epoch, "another instance took over");
}

/// A part of a batch, cheap to hand to a blocking thread again and again.
#[derive(Clone)]
struct Part {
    batch: Arc<[Delivery]>,
    range: std::ops::Range<usize>,
    condemned: Option<String>,
}

async fn apply_part(context: &Context, tenure: Tenure, part: Part) -> Result<Applied, pg_pool::Error> {
    let (now, brake) = (now(), context.brake);
    context
        .pool
        .run("users.apply", move |conn| {
            let deliveries = part.batch.get(part.range.clone()).unwrap_or_default();
            apply::apply(conn, tenure, deliveries, part.condemned.as_deref(), brake, now)
        })
        .await
}

/// Whether it may be one request's doing or everybody's, a missing table for instance. Its neighbours need not wait
/// for it, and it is never condemned.
fn is_bug(error: &pg_pool::Error) -> bool {
    matches!(error, pg_pool::Error::Bug(_))
}

/// Reads a message; its application begins.
fn begin(message: &pull::Delivery, trace: &Trace, batch: &Span) -> (Delivery, Span) {
    let request = request::read(&message.subject, &message.payload);
    let span = spans::of_request(&request, message, trace, batch);
    let delivery = Delivery {
        // A stream of more than 2⁶³ messages would have run for a million years.
        stream_sequence: i64::try_from(message.stream_sequence).unwrap_or(i64::MAX),
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
        trace: span.trace().clone(),
        stored_at: message.stored_at.into(),
        request,
    };
    (delivery, span)
}

async fn answer(context: &Context, message: &pull::Delivery, outcome: Option<provisioning::Outcome>) {
    let (Some(inbox), Some(outcome)) = (message.headers.get(OUTCOME_INBOX), outcome) else { return };
    // The caller that is not told waits for its timeout and asks again; the request stays applied.
    if let Err(error) = context.bus.publish(inbox.to_owned(), outcome.encode_to_vec()).await {
        tracing::warn!(error = %Causes(&error), "an outcome could not be sent");
    }
}
