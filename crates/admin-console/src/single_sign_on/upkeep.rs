//! What is done for every company again and again: metadata is read before it is too old, and what is over is forgotten.

use std::time::Duration;

use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use super::{refresh, sign_in_test};
use crate::{
    access,
    app::App,
    store::{self, access_ends, person_sessions, sign_in_requests, sign_in_tests},
};

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(600);

/// Goes round until asked to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        match app.companies.all().await {
            Ok(companies) => {
                let ids = companies.iter().filter_map(|company| company.company_id.parse().ok());
                for company in ids.take_while(|_| !stop.is_cancelled()) {
                    visit(&app, company).await;
                }
            }
            Err(error) => tracing::warn!(error = %Causes(&error), "no company is visited in this round"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn visit(app: &App, company: CompanyId) {
    if let Err(error) = forget(app, company).await {
        tracing::warn!(%company, error = %Causes(&error), "what is over was not forgotten");
    }
    if let Err(error) = refresh::one_if_old(app, company).await {
        tracing::warn!(%company, error = %Causes(&error), "metadata was not read again");
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
