//! From the directory's facts to sessions that have ended: read, enforce, tell the other instances, acknowledge.

use std::{collections::BTreeMap, time::Duration};

use bus_contract::{
    Message as _,
    console::SessionsEnded,
    stream::DIRECTORY,
    subject::{EVERY_USER_FACT, SESSIONS_ENDED},
};
use bus_jetstream::{pull::Delivery, share::Share};
use chrono::TimeDelta;
use service_runtime::{
    Causes,
    trace::{InTrace as _, Kind, Trace},
};
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{End, read};
use crate::{
    app::App,
    store::{self, access_ends, directory_history, person_sessions},
};

/// Every metric label of what is done with a fact.
pub(crate) const EFFECTS: [&str; 3] = [ENFORCED, PASSED_OVER, UNREADABLE];
const ENFORCED: &str = "enforced";
/// It takes nothing away.
const PASSED_OVER: &str = "passed_over";
const UNREADABLE: &str = "unreadable";

/// The consumer that all instances share. The bus lets the console read under this name alone.
const CONSUMER: &str = "access";
/// Facts of one batch. They are enforced company by company, and acknowledged together.
const MAX_BATCH: usize = 128;
/// When an instance dies, another one has what it had in hand after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Where facts are silent for so long, the directory is asked whether its history is still the one that we know.
const SILENCE: Duration = Duration::from_secs(60);
/// Waits between attempts, doubled from the first to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);
/// Between two looks at how many facts wait.
const BACKLOG_EVERY: Duration = Duration::from_secs(15);
/// For how long it is kept when somebody lost access: whoever audits a year finds all of it.
const KEPT: TimeDelta = TimeDelta::days(400);

/// Follows until asked to stop; what was begun is finished.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let mut wait = RETRY_FIRST;
    while !stop.is_cancelled() {
        let mut follower = Follower { app: &app, stop: &stop, history: None, has_enforced: false };
        let Err(error) = follower.follow().await else { continue };
        if follower.has_enforced {
            wait = RETRY_FIRST;
        }
        if wait == RETRY_FIRST {
            tracing::warn!(error = %format!("{error:#}"), "facts that may take access away wait");
        }
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        wait = (wait * 2).min(RETRY_LONGEST);
    }
    Ok(())
}

/// Keeps the number of facts that wait, for all instances together.
pub(crate) async fn watch(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let backlog = app.bus.backlog(&DIRECTORY, CONSUMER);
    while stop.run_until_cancelled(tokio::time::sleep(BACKLOG_EVERY)).await.is_some() {
        match backlog.count().await {
            Ok(count) => app.metrics.access.facts_waiting.set(i64::try_from(count).unwrap_or(i64::MAX)),
            Err(error) => tracing::debug!(error = %Causes(&error), "it cannot be said how many facts wait"),
        }
    }
    Ok(())
}

struct Follower<'a> {
    app: &'a App,
    stop: &'a CancellationToken,
    /// The directory's, as this reading knows it.
    history: Option<Uuid>,
    has_enforced: bool,
}

impl Follower<'_> {
    /// Reads until asked to stop, or until something does not answer.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let bus = &self.app.bus;
        if self.stop.run_until_cancelled(bus.connected_after(0)).await.is_none() {
            return Ok(());
        }
        let known = self.app.pool.transaction("access.history", directory_history::present).await?;
        self.history = known;
        self.look_at_history().await;
        let mut share = bus.open_share(&DIRECTORY, CONSUMER, EVERY_USER_FACT, AGAIN_AFTER).await?;
        while let Some(batch) = self.next_batch(&mut share).await? {
            self.enforce(&batch).await?;
            self.has_enforced = true;
            for delivery in &batch {
                share.acknowledge(delivery).await?;
            }
        }
        Ok(())
    }

    /// `None` when it is time to stop.
    async fn next_batch(&mut self, share: &mut Share) -> anyhow::Result<Option<Vec<Delivery>>> {
        loop {
            let next = tokio::time::timeout(SILENCE, share.next_batch(MAX_BATCH));
            match self.stop.run_until_cancelled(next).await {
                None => return Ok(None),
                Some(Ok(batch)) => return Ok(Some(batch?)),
                Some(Err(_silence)) => self.look_at_history().await,
            }
        }
    }

    /// Where the directory does not say, things stay as they are; its next fact says.
    async fn look_at_history(&mut self) {
        if let Err(error) = self.learn_history().await {
            tracing::debug!(error = %format!("{error:#}"), "the directory does not say which history is its own");
        }
    }

    /// Believes the directory, and not a fact: late facts of a former history come behind the first one of the next.
    async fn learn_history(&mut self) -> anyhow::Result<()> {
        let Some(present) = self.app.companies.history().await? else { return Ok(()) };
        if self.history == Some(present) {
            return Ok(());
        }
        let adopt = move |connection: &mut _| directory_history::adopt(connection, present);
        self.app.pool.transaction("access.adopt_history", adopt).await?;
        if self.history.is_some() {
            tracing::warn!("the directory has begun another history: people sign in again");
        }
        self.history = Some(present);
        Ok(())
    }

    async fn enforce(&mut self, batch: &[Delivery]) -> anyhow::Result<()> {
        // With the trace of the first one: Entra sends one at a time when it is not in a hurry.
        let mut ends: BTreeMap<CompanyId, (Trace, Vec<End>)> = BTreeMap::new();
        let counted = |effect| self.app.metrics.access.facts.with_label_values(&[effect]);
        let (mut enforced, mut passed_over) = (0, 0);
        for delivery in batch {
            let reading = match read(&delivery.payload) {
                Ok(reading) => reading,
                Err(error) => {
                    tracing::error!(error = %Causes(&error), stream_sequence = delivery.stream_sequence, "passed over");
                    counted(UNREADABLE).inc();
                    continue;
                }
            };
            if reading.history.is_some() && reading.history != self.history {
                self.learn_history().await?;
            }
            match reading.end {
                Some(end) => {
                    enforced += 1;
                    let of_company = ends.entry(end.company);
                    of_company.or_insert_with(|| (delivery.headers.trace(), Vec::new())).1.push(end);
                }
                None => passed_over += 1,
            }
        }
        for (company, (trace, ends)) in ends {
            let span = trace
                .span(Kind::Consumer, format_args!("end access"))
                .with("messaging.system", "nats")
                .with("messaging.destination.name", DIRECTORY.name)
                .with_text("company.id", &company.to_string())
                .begin();
            self.enforce_in(company, ends).in_trace(span.trace()).await?;
        }
        counted(ENFORCED).inc_by(enforced);
        counted(PASSED_OVER).inc_by(passed_over);
        Ok(())
    }

    async fn enforce_in(&self, company: CompanyId, mut ends: Vec<End>) -> anyhow::Result<()> {
        // Each takes its person's turn, and two instances that take two turns take them in one order.
        ends.sort_by_key(|end| end.user);
        let app = self.app.clone();
        let done = self
            .app
            .pool
            .transaction("access.end", move |connection| {
                store::act_for(connection, company)?;
                let mut done = Vec::new();
                for end in &ends {
                    let whose = (company, end.user);
                    let ended =
                        person_sessions::end_below(connection, whose, end.below_version, end.history)?;
                    let is_new = match end.row(app.now(), ended.len()) {
                        Some(row) => access_ends::insert(connection, &row)?,
                        None => false,
                    };
                    done.push((end.clone(), is_new, ended));
                }
                access_ends::forget(connection, company, app.now() - KEPT)?;
                Ok(done)
            })
            .await?;
        self.tell(&done).await;
        Ok(())
    }

    /// Measures what is committed, and has every instance end what is still open of the sessions.
    async fn tell(&self, done: &[(End, bool, Vec<Uuid>)]) {
        let metrics = &self.app.metrics;
        let now = self.app.now();
        for (end, is_new, ended) in done {
            let sessions = u64::try_from(ended.len()).unwrap_or(u64::MAX);
            metrics.sessions_ended.inc_by(sessions);
            metrics.access.sessions_ended.with_label_values(&[end.cause.as_str()]).inc_by(sessions);
            if let Some(requested_at) = end.requested_at.filter(|_| *is_new) {
                let seconds = (now - requested_at).as_seconds_f64();
                // The gateway's clock may be ahead of ours.
                metrics.access.removal.observe(seconds.max(0.0));
            }
        }
        let session_ids: Vec<_> =
            done.iter().flat_map(|(_, _, ended)| ended.iter().map(Uuid::to_string)).collect();
        if session_ids.is_empty() {
            return;
        }
        let told = self.app.bus.publish(SESSIONS_ENDED, SessionsEnded { session_ids }.encode_to_vec()).await;
        if let Err(error) = told {
            tracing::warn!(error = %Causes(&error), "open pages of ended sessions end at their next heartbeat");
        }
    }
}
