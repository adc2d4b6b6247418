//! From the directory's facts to sessions that have ended: read, enforce, tell the other instances, acknowledge.

use std::{collections::BTreeMap, time::Duration};

use bus_contract::{
    Message as _,
    console::SessionsEnded,
    stream::DIRECTORY,
    subject::{EVERY_USER_FACT, SESSIONS_ENDED},
};
use bus_jetstream::{pull::Delivery, share::Share};
use service_runtime::{
    Causes,
    trace::{InTrace as _, Kind},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{End, Reading, in_hand::InHand, read};
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
/// Facts of one batch. They are enforced and acknowledged company by company.
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

/// Follows until asked to stop; what was begun is finished.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let mut wait = RETRY_FIRST;
    while !stop.is_cancelled() {
        let mut follower = Follower::new(&app, &stop);
        let Err(error) = follower.follow().await else { continue };
        if follower.has_finished {
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
    /// Other histories of which facts have come, and when the directory last said that its own is another one.
    former: BTreeMap<Uuid, Instant>,
    in_hand: InHand,
    /// When what has failed is tried again, and after which wait the time after that.
    again: Option<(Instant, Duration)>,
    has_finished: bool,
}

impl<'a> Follower<'a> {
    fn new(app: &'a App, stop: &'a CancellationToken) -> Self {
        Self {
            app,
            stop,
            history: None,
            former: BTreeMap::new(),
            in_hand: InHand::default(),
            again: None,
            has_finished: false,
        }
    }

    /// Reads until asked to stop, or until the bus does not answer.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let bus = &self.app.bus;
        if self.stop.run_until_cancelled(bus.connected_after(0)).await.is_none() {
            return Ok(());
        }
        let known = self.app.pool.transaction("access.history", directory_history::present).await?;
        self.history = known;
        self.look_at_history().await;
        let mut share = bus.open_share(&DIRECTORY, CONSUMER, EVERY_USER_FACT, AGAIN_AFTER).await?;
        // What an earlier reading had in hand comes again.
        self.app.metrics.access.companies_waiting.set(0);
        while let Some(batch) = self.next_batch(&mut share).await? {
            let is_due = self.again.is_none_or(|(at, _)| at <= Instant::now());
            for delivery in batch {
                self.take(&share, delivery).await?;
            }
            self.enforce(&share, is_due).await?;
            if is_due && self.place(&share).await? {
                self.enforce(&share, false).await?;
            }
            self.set_again(is_due);
        }
        Ok(())
    }

    /// Nothing in it when it is time to try again; `None` when it is time to stop.
    async fn next_batch(&mut self, share: &mut Share) -> anyhow::Result<Option<Vec<Delivery>>> {
        loop {
            let silence = Instant::now() + SILENCE;
            let until = self.again.map_or(silence, |(at, _)| at.min(silence));
            let next = tokio::time::timeout_at(until, share.next_batch(MAX_BATCH));
            match self.stop.run_until_cancelled(next).await {
                None => return Ok(None),
                Some(Ok(batch)) => return Ok(Some(batch?)),
                Some(Err(_again)) if self.again.is_some() => return Ok(Some(Vec::new())),
                Some(Err(_silence)) => self.look_at_history().await,
            }
        }
    }

    /// After an attempt at all that waits, or at what has come since.
    fn set_again(&mut self, was_due: bool) {
        let waiting = i64::try_from(self.in_hand.count_companies()).unwrap_or(i64::MAX);
        self.app.metrics.access.companies_waiting.set(waiting);
        self.again = match self.again {
            _ if self.in_hand.is_empty() => None,
            Some((_, wait)) if was_due => Some((Instant::now() + wait, (wait * 2).min(RETRY_LONGEST))),
            None => Some((Instant::now() + RETRY_FIRST, RETRY_FIRST * 2)),
            not_due => not_due,
        };
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

    /// Sorts what has come; what takes nothing away is finished with.
    async fn take(&mut self, share: &Share, delivery: Delivery) -> anyhow::Result<()> {
        match read(&delivery.payload) {
            Ok(reading) => match reading.history {
                Some(history) if Some(history) != self.history && !self.is_former(history) => {
                    self.in_hand.hold_unplaced(delivery, reading);
                    Ok(())
                }
                _ => self.sort(share, delivery, reading).await,
            },
            Err(error) => {
                let (subject, stream_sequence) = (delivery.subject.as_str(), delivery.stream_sequence);
                tracing::error!(error = %Causes(&error), subject, stream_sequence, "passed over");
                self.finish(share, &delivery, UNREADABLE).await
            }
        }
    }

    async fn sort(&mut self, share: &Share, delivery: Delivery, reading: Reading) -> anyhow::Result<()> {
        match reading.end {
            Some(end) => {
                self.in_hand.hold(delivery, end);
                Ok(())
            }
            None => self.finish(share, &delivery, PASSED_OVER).await,
        }
    }

    /// Whether the directory has said so of late. It is asked again after a while: what it said when a restored one had just
    /// begun may have come from the one before.
    fn is_former(&mut self, history: Uuid) -> bool {
        self.former.retain(|_, said_at| said_at.elapsed() < SILENCE);
        self.former.contains_key(&history)
    }

    /// Asks the directory, once for all whose history nobody knew; whether they have their places now.
    async fn place(&mut self, share: &Share) -> anyhow::Result<bool> {
        let Some(history) = self.in_hand.unplaced_history() else { return Ok(false) };
        if let Err(error) = self.learn_history().await {
            if self.again.is_none() {
                tracing::warn!(error = %format!("{error:#}"), "facts that may take access away wait");
            }
            return Ok(false);
        }
        if self.history.is_some_and(|present| present != history) {
            self.former.insert(history, Instant::now());
        }
        for (delivery, reading) in self.in_hand.take_unplaced() {
            self.sort(share, delivery, reading).await?;
        }
        Ok(true)
    }

    /// Enforces what is in hand, each company on its own, so that one that fails holds up no other.
    async fn enforce(&mut self, share: &Share, is_due: bool) -> anyhow::Result<()> {
        for company in self.in_hand.companies(is_due) {
            let (deliveries, ends): (Vec<Delivery>, Vec<End>) = self.in_hand.of(company).into_iter().unzip();
            // With the trace of the first one: Entra sends one at a time when it is not in a hurry.
            let Some(first) = deliveries.first() else { continue };
            let trace = first.headers.trace();
            let span = trace
                .span(Kind::Consumer, format_args!("end access"))
                .with("messaging.system", "nats")
                .with("messaging.destination.name", DIRECTORY.name)
                .with_text("company.id", &company.to_string())
                .begin();
            let done = self.enforce_in(company, ends).in_trace(span.trace()).await;
            match done {
                Ok(()) => {
                    self.in_hand.done(company);
                    for delivery in &deliveries {
                        self.finish(share, delivery, ENFORCED).await?;
                    }
                }
                Err(error) => {
                    if self.in_hand.failed(company) {
                        tracing::warn!(company.id = %company, error = %Causes(&error), "facts that may take access away wait");
                    }
                    // The others would hear the same, each after a while.
                    if matches!(error, pg_pool::Error::Unavailable(_)) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn finish(&mut self, share: &Share, delivery: &Delivery, effect: &str) -> anyhow::Result<()> {
        share.acknowledge(delivery).await?;
        self.app.metrics.access.facts.with_label_values(&[effect]).inc();
        self.has_finished = true;
        Ok(())
    }

    async fn enforce_in(&self, company: CompanyId, mut ends: Vec<End>) -> Result<(), pg_pool::Error> {
        // Each takes its person's turn, and two instances that take two turns take them in one order.
        ends.sort_by_key(|end| end.user);
        let app = self.app.clone();
        let done = self
            .app
            .pool
            .transaction("access.end", move |connection| {
                store::act_for(connection, company)?;
                let mut ended_by = Vec::new();
                for end in &ends {
                    let whose = (company, end.user);
                    let ended =
                        person_sessions::end_below(connection, whose, end.below_version, end.history)?;
                    ended_by.extend(ended.map(|ended| (end, ended)));
                }
                // Not before all of them have waited for their turns: a receipt says that this was done by then.
                let now = app.now();
                let mut done = Vec::new();
                for (end, ended) in ended_by {
                    let row = end.row(now, ended.len());
                    let is_new = row.map(|row| access_ends::insert(connection, &row)).transpose()?;
                    done.push((end.clone(), is_new == Some(true), ended));
                }
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
