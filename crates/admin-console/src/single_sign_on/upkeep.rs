//! What is done for every company again and again: metadata is read before it is too old, and what is over is forgotten.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt as _};
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use super::{Configuration, refresh, sign_in_test};
use crate::{
    access,
    app::App,
    store::{self, access_ends, person_sessions, sign_in_requests, sign_in_tests},
};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(600);
/// Companies whose identity providers are asked at once: one that does not answer takes seconds, and nobody waits for it.
const AT_ONCE: usize = 16;
/// Waits after metadata could not be read, doubled from the first to the longest.
const RETRY_FIRST: TimeDelta = TimeDelta::minutes(20);
const RETRY_LONGEST: TimeDelta = TimeDelta::hours(6);

/// Goes round until asked to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let failing = Mutex::default();
    loop {
        match app.companies.all().await {
            Ok(companies) => {
                let ids = companies.iter().filter_map(|company| company.company_id.parse().ok());
                round(&app, ids, &failing, &stop).await;
            }
            Err(error) => tracing::warn!(error = %Causes(&error), "no company is visited in this round"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Visits one company after the other, for pages need the pool too, and reads what is old beside that.
async fn round(
    app: &App,
    companies: impl Iterator<Item = CompanyId>,
    failing: &Mutex<Failing>,
    stop: &CancellationToken,
) {
    let old = stream::iter(companies.take_while(|_| !stop.is_cancelled()))
        .filter_map(|company| async move { Some((company, visit(app, company, failing).await?)) });
    let read = |(company, configuration)| async move {
        let done = refresh::one(app, company, configuration, refresh::system()).await;
        held(failing).note(company, done.is_ok(), app.now());
        if let Err(error) = done {
            tracing::warn!(company.id = %company, error = %Causes(&error), "metadata was not read again");
        }
    };
    old.for_each_concurrent(AT_ONCE, read).await;
}

/// Forgets what is over; how the company signs in, when its metadata is to be read again now.
async fn visit(app: &App, company: CompanyId, failing: &Mutex<Failing>) -> Option<Configuration> {
    if let Err(error) = forget(app, company).await {
        tracing::warn!(company.id = %company, error = %Causes(&error), "what is over was not forgotten");
    }
    if held(failing).waits(company, app.now()) {
        return None;
    }
    refresh::old(app, company).await.unwrap_or_else(|error| {
        tracing::warn!(company.id = %company, error = %Causes(&error), "metadata was not read again");
        None
    })
}

fn held(failing: &Mutex<Failing>) -> MutexGuard<'_, Failing> {
    failing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Companies whose metadata could not be read: until when each is left alone, and how long that was.
#[derive(Debug, Default)]
struct Failing(HashMap<CompanyId, (DateTime<Utc>, TimeDelta)>);

impl Failing {
    fn waits(&self, company: CompanyId, now: DateTime<Utc>) -> bool {
        self.0.get(&company).is_some_and(|(until, _)| now < *until)
    }

    fn note(&mut self, company: CompanyId, is_read: bool, now: DateTime<Utc>) {
        let before = self.0.remove(&company);
        if !is_read {
            let wait = before.map_or(RETRY_FIRST, |(_, wait)| (wait * 2).min(RETRY_LONGEST));
            self.0.insert(company, (now + wait, wait));
        }
    }
}

/// Signing in forgets as well, but a company in which nobody does keeps what identity providers have said of people.
async fn forget(app: &App, company: CompanyId) -> Result<(), pg_pool::Error> {
    let (now, cutoff) = (app.now(), app.limits.cutoff(app.now()));
    app.pool
        .transaction("single_sign_on.forget", move |connection| {
            store::act_for(connection, company)?;
            sign_in_tests::forget_old(connection, company, now - sign_in_test::KEPT)?;
            sign_in_requests::forget_expired(connection, company, now)?;
            person_sessions::forget_expired(connection, company, cutoff)?;
            access_ends::forget(connection, company, now - access::KEPT)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_asked_less_and_less_and_who_does_is_asked_as_before() {
        let (mut failing, company, mut now) = (Failing::default(), CompanyId::mint(), DateTime::UNIX_EPOCH);
        for minutes in [20, 40, 80, 160, 320, 360, 360] {
            failing.note(company, false, now);
            let end = now + TimeDelta::minutes(minutes);
            assert!(failing.waits(company, end - TimeDelta::seconds(1)) && !failing.waits(company, end));
            now = end;
        }
        assert!(!failing.waits(CompanyId::mint(), DateTime::UNIX_EPOCH), "nobody else waits for it");
        failing.note(company, true, now);
        assert!(!failing.waits(company, now));
        failing.note(company, false, now);
        assert!(!failing.waits(company, now + RETRY_FIRST), "the first wait again");
    }
}
