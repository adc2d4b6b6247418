//! The one instance that reads the stream of calls: it holds an advisory lock, and the others wait to take over.
//!
//! As with partitions, the lock only decides who tries. That nothing is counted twice is the watermark's doing, which is
//! read under a row lock and moved in the transaction that counts.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus_contract::{Message as _, directory::ActivityChanged, stream, subject};
use bus_jetstream::pull;
use chrono::TimeDelta;
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Bool, Integer},
};
use pg_pool::Session;
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use super::{
    apply::{self, Applied, Content, Delivery},
    places::Places,
    upkeep,
};
use crate::{partition::Context, retry::Retry, settings::ActivitySettings, store, time::now};

/// The keys of the advisory lock.
const READER_CLASS: i32 = 0x7c36_5003;
const READER: i32 = 1;
/// How often the lock is looked at. Bounds how long the stream of a dead reader stays without one.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most messages that one transaction counts; each holds up to some hundred calls.
const MAX_BATCH: usize = 32;
/// What the consumers of the stream are called.
const FAMILY: &str = "directory-calls-";

/// Companies whose users or groups may have changed since they were counted.
pub(super) type Touched = Arc<Mutex<std::collections::BTreeSet<CompanyId>>>;

/// Reads the stream whenever this instance can get the lock, until asked to stop.
pub(crate) async fn run(
    context: Context,
    postgres: pg_pool::Settings,
    settings: ActivitySettings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut complained = false;
    while !stop.is_cancelled() {
        if context.bus.is_connected() {
            match Session::connect(&postgres, "calls").await {
                Ok(session) => {
                    complained = false;
                    wait_and_hold(&context, &session, settings, &stop).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::warn!(error = %Causes(&error), "calls are not counted: Postgres is away");
                    }
                }
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
    }
    Ok(())
}

/// Waits for the lock, then reads for as long as it is held.
async fn wait_and_hold(
    context: &Context,
    session: &Session,
    settings: ActivitySettings,
    stop: &CancellationToken,
) {
    loop {
        match session.run("calls.acquire", lock).await {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(error = %Causes(&error), "cannot ask who reads the calls");
                return;
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
    tracing::info!("counts calls now");
    let held = stop.child_token();
    let touched = Touched::default();
    let places = Places::new(settings.company_series, &context.metrics.calls.of_companies);
    let watching = async {
        // The lock is gone with the connection, and so is the right to keep others from reading. Nor is it of use to
        // who cannot reach the stream.
        while held.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if session.ping().await.is_err() || !context.bus.is_connected() {
                tracing::warn!("counts calls no more: Postgres or NATS is away");
                break;
            }
        }
        held.cancel();
    };
    tokio::join!(
        watching,
        read(context, settings.pause, &touched, &places, &held),
        upkeep::run(context, settings.retention, &touched, &places, &held),
    );
    context.metrics.calls.leave();
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

fn lock(conn: &mut PgConnection) -> QueryResult<bool> {
    let row: LockedRow = sql_query("select pg_try_advisory_lock($1, $2) as locked")
        .bind::<Integer, _>(READER_CLASS)
        .bind::<Integer, _>(READER)
        .get_result(conn)?;
    Ok(row.locked)
}

/// Reads until asked to stop, beginning again after every failure.
async fn read(
    context: &Context,
    pause: TimeDelta,
    touched: &Touched,
    places: &Places<'_>,
    stop: &CancellationToken,
) {
    let mut retry = Retry::new();
    while !stop.is_cancelled() {
        if let Err(error) = reading(context, pause, touched, places, stop, &mut retry).await {
            if retry.is_first() {
                tracing::warn!(error = %format!("{error:#}"), "calls wait to be counted");
            }
            retry.wait(stop).await;
        }
    }
}

async fn reading(
    context: &Context,
    pause: TimeDelta,
    touched: &Touched,
    places: &Places<'_>,
    stop: &CancellationToken,
    retry: &mut Retry,
) -> anyhow::Result<()> {
    // Made sure of at every beginning: a NATS that lost its disk has lost the stream too.
    let (_, before) = context.pool.run("calls.look", store::activity::look).await?;
    let calls = context.calls_stream().await?;
    let incarnation = calls.identity.created_unix_nanos;
    // A stream of more than 2⁶³ messages would have run for a million years.
    let last = i64::try_from(calls.last_sequence).unwrap_or(i64::MAX);
    context
        .pool
        .run("calls.begin", move |conn| store::activity::begin(conn, incarnation, last, before))
        .await?;
    let mut reading = context.bus.open_pull(&stream::CALLS, FAMILY, stream::CALLS.subject).await?;
    loop {
        let messages = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            messages = reading.next_batch(MAX_BATCH) => messages?,
        };
        context.metrics.calls.lag.set(i64::try_from(reading.pending()).unwrap_or(i64::MAX));
        let timer = context.metrics.calls.batch_seconds.start_timer();
        let Some(applied) = count_whole(context, incarnation, &messages, pause).await? else {
            anyhow::bail!("another incarnation of the stream is being counted");
        };
        timer.observe_duration();
        retry.reset();
        context.metrics.calls.lines.inc_by(applied.lines);
        for (company, tally) in &applied.companies {
            context.metrics.calls.counted.inc_by(u64::try_from(tally.counts.calls).unwrap_or(0));
            places.count(*company, tally, now());
        }
        let changed: Vec<CompanyId> = applied.companies.iter().map(|(company, _)| *company).collect();
        touched.lock().unwrap_or_else(PoisonError::into_inner).extend(&changed);
        if let Some(last) = messages.last() {
            reading.ack_through(last).await?;
        }
        tell(context, &changed).await;
    }
}

/// Counts a batch, or each message by itself when one of them cannot be stored; that one is passed over.
async fn count_whole(
    context: &Context,
    incarnation: i64,
    messages: &[pull::Delivery],
    pause: TimeDelta,
) -> Result<Option<Applied>, pg_pool::Error> {
    let read = |message: &pull::Delivery| {
        Delivery::read(message.stream_sequence, &message.subject, &message.payload, now())
    };
    let batch: Arc<[Delivery]> = messages.iter().map(read).collect();
    for delivery in batch.iter().filter(|delivery| matches!(delivery.content, Content::Unreadable)) {
        context.metrics.calls.dead.inc();
        tracing::error!(stream_sequence = delivery.sequence, "calls that nobody can read are passed over");
    }
    match count(context, incarnation, Arc::clone(&batch), pause).await {
        Err(error) if error.is_about_the_data() => {}
        result => return result,
    }
    let mut sum = Applied::default();
    for delivery in batch.iter() {
        let sequence = delivery.sequence;
        let applied = match count(context, incarnation, Arc::new([delivery.clone()]), pause).await {
            Err(error) if error.is_about_the_data() => {
                context.metrics.calls.dead.inc();
                tracing::error!(stream_sequence = sequence, error = %Causes(&error), "calls that cannot be stored are passed over");
                let nothing = Delivery { sequence, content: Content::Unreadable };
                count(context, incarnation, Arc::new([nothing]), pause).await?
            }
            result => result?,
        };
        let Some(applied) = applied else { return Ok(None) };
        sum.companies.extend(applied.companies);
        sum.lines += applied.lines;
    }
    Ok(Some(sum))
}

async fn count(
    context: &Context,
    incarnation: i64,
    batch: Arc<[Delivery]>,
    pause: TimeDelta,
) -> Result<Option<Applied>, pg_pool::Error> {
    let now = now();
    context
        .pool
        .transaction("calls.count", move |conn| apply::apply(conn, incarnation, &batch, pause, now))
        .await
}

/// Tells whoever shows it, after the commit. Whoever is not told shows it a little later.
pub(crate) async fn tell(context: &Context, companies: &[CompanyId]) {
    for company in companies {
        let told = context.bus.publish(subject::activity(*company), ActivityChanged {}.encode_to_vec()).await;
        if let Err(error) = told {
            tracing::debug!(error = %Causes(&error), "a change of activity could not be told");
            return;
        }
    }
}
