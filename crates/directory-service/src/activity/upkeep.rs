//! What the reader of the calls does beside reading: counts sizes, counts companies by their health for operators, and
//! forgets what is old.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::{Duration, Instant},
};

use bus_contract::directory::{concern::Kind, health::State};
use chrono::TimeDelta;
use diesel::{PgConnection, QueryResult};
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{
    answer::{self, STATES},
    places::{Places, Standing},
    reader::{self, Touched},
};
use crate::{
    partition::Context,
    store,
    time::{first_id_from, from_timestamp, now},
};

/// How often there is a look at what is to be done.
const TICK: Duration = Duration::from_secs(1);
/// How often a company is counted at most; and how often the companies are.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How often old lines are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// Log lines and cycles that one transaction deletes.
const FORGOTTEN_AT_ONCE: i64 = 1_000;
/// Users to whom one transaction gives search keys; their partition's changes wait for it.
const KEYED_AT_ONCE: i64 = 200;
/// Companies that are listed at once.
const PAGE: i64 = 1_000;

/// Works until asked to stop. What fails is tried again next time.
pub(super) async fn run(
    context: &Context,
    retention: TimeDelta,
    touched: &Touched,
    places: &Places<'_>,
    stop: &CancellationToken,
) {
    let mut counted: BTreeMap<CompanyId, Instant> = BTreeMap::new();
    // Whoever read before may not have come to it.
    let mut waiting: BTreeSet<CompanyId> = connected(context).await.unwrap_or_default();
    let (mut told, mut forgot, mut keyed) = (None, None, None);
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        waiting.append(&mut touched.lock().unwrap_or_else(PoisonError::into_inner));
        counted.retain(|_, at| at.elapsed() < COUNT_EVERY);
        let due: Vec<_> = waiting.iter().filter(|company| !counted.contains_key(company)).copied().collect();
        for company in due {
            if stop.is_cancelled() {
                return;
            }
            if let Err(error) = count_size(context, company).await {
                tracing::debug!(error = %Causes(&error), "a company's size could not be counted");
                break;
            }
            reader::tell(context, &[company]).await;
            waiting.remove(&company);
            counted.insert(company, Instant::now());
        }
        if is_due(told, COUNT_EVERY) {
            told = Some(Instant::now());
            if let Err(error) = tell_operators(context, places, stop).await {
                tracing::debug!(error = %Causes(&error), "the companies' health could not be counted");
            }
        }
        if is_due(forgot, FORGET_EVERY) {
            match forget(context, retention, stop).await {
                Ok(()) => forgot = Some(Instant::now()),
                Err(error) => tracing::warn!(error = %Causes(&error), "old log lines could not be deleted"),
            }
        }
        if is_due(keyed, FORGET_EVERY) {
            match key(context, stop).await {
                Ok(()) => keyed = Some(Instant::now()),
                Err(error) => tracing::warn!(error = %Causes(&error), "users wait for their search keys"),
            }
        }
    }
}

/// Every company that was ever called for.
async fn connected(context: &Context) -> Result<BTreeSet<CompanyId>, pg_pool::Error> {
    let mut companies = BTreeSet::new();
    loop {
        let after = companies.last().map_or(Uuid::nil(), |last: &CompanyId| last.as_uuid());
        let page = move |conn: &mut PgConnection| store::activity::connected(conn, after, PAGE);
        let page = context.pool.run("companies.connected", page).await?;
        if page.is_empty() {
            return Ok(companies);
        }
        companies.extend(page);
    }
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

async fn count_size(context: &Context, company: CompanyId) -> Result<(), pg_pool::Error> {
    let now = now();
    let counting = context.pool.transaction("connections.count", move |conn| {
        store::open_companies(conn, &[company])?;
        store::activity::count_size(conn, company, now)
    });
    counting.await
}

/// Says how many companies there are in each state of health, and how each stands that is told apart.
async fn tell_operators(
    context: &Context,
    places: &Places<'_>,
    stop: &CancellationToken,
) -> Result<(), pg_pool::Error> {
    let mut counts = [0; STATES.len()];
    let mut silent = 0;
    let mut standings = Vec::new();
    let mut after = Uuid::nil();
    while !stop.is_cancelled() {
        let page = answer::healths(&context.pool, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = last.as_uuid();
        for (company, health) in page {
            let Some(place) = STATES.iter().position(|(state, _)| *state == health.state()) else { continue };
            counts[place] += 1;
            let is_silent = health.concerns.iter().any(|concern| concern.kind() == Kind::Silent);
            silent += i64::from(is_silent && health.state() != State::Disconnected);
            let last_call_at = health.last_call_at.as_ref().and_then(from_timestamp);
            let health = i64::try_from(place).unwrap_or(i64::MAX);
            standings.push(Standing { company, last_call_at, health });
        }
    }
    if stop.is_cancelled() {
        return Ok(());
    }
    places.tell(standings, now());
    context.metrics.calls.silent.set(silent);
    for ((_, word), count) in STATES.into_iter().zip(counts) {
        context.metrics.calls.companies.with_label_values(&[word]).set(count);
    }
    Ok(())
}

/// Deletes what is older than it is to be kept, a little at a time: the log is written meanwhile.
async fn forget(
    context: &Context,
    retention: TimeDelta,
    stop: &CancellationToken,
) -> Result<(), pg_pool::Error> {
    let before = first_id_from(now() - retention);
    bit_by_bit(context, "provisioning_log.forget", FORGOTTEN_AT_ONCE, stop, move |conn, company| {
        store::activity::drop_older(conn, company, before, FORGOTTEN_AT_ONCE)
    })
    .await
}

/// Gives search keys to the users who were stored by a version that knew none.
async fn key(context: &Context, stop: &CancellationToken) -> Result<(), pg_pool::Error> {
    bit_by_bit(context, "users.key", KEYED_AT_ONCE, stop, |conn, company| {
        store::search_keys::fill(conn, company, KEYED_AT_ONCE)
    })
    .await
}

/// Does something for every company in transactions of their own, each again until it did less than `most`.
async fn bit_by_bit(
    context: &Context,
    statement: &'static str,
    most: i64,
    stop: &CancellationToken,
    work: impl Fn(&mut PgConnection, CompanyId) -> QueryResult<usize> + Copy + Send + 'static,
) -> Result<(), pg_pool::Error> {
    let mut after = Uuid::nil();
    loop {
        let page =
            context.pool.run("companies.page", move |conn| store::companies::page(conn, after, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.as_uuid();
        for company in page {
            loop {
                if stop.is_cancelled() {
                    return Ok(());
                }
                let done = context.pool.transaction(statement, move |conn| {
                    store::open_companies(conn, &[company])?;
                    work(conn, company)
                });
                if i64::try_from(done.await?).unwrap_or(0) < most {
                    break;
                }
            }
        }
    }
}
