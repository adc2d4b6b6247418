//! What is done from time to time: gauges of what all companies have, and forgetting whom the rate limits have met.

use std::time::Duration;

use chrono::TimeDelta;
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    store::{
        clients,
        expiries::{self, Kind},
    },
};

/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);
/// Within how many days what expires is counted; an alert waits for the last, a notice for the first.
const DAYS: [i64; 3] = [30, 7, 1];
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Goes round until asked to stop.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        app.limits.forget_the_idle();
        app.refused_calls.forget_the_idle();
        if let Err(error) = count(&app).await {
            tracing::warn!(error = %Causes(&error), "cannot count clients and what expires soon");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn count(app: &App) -> Result<(), pg_pool::Error> {
    let now = app.now();
    let (clients, expiring, next) = app
        .pool
        .transaction("upkeep.count", move |connection| {
            expiries::forget_expired(connection, now)?;
            let mut expiring = Vec::new();
            for kind in Kind::ALL {
                for days in DAYS {
                    let until = now + TimeDelta::days(days);
                    expiring.push((kind, days, expiries::count_until(connection, kind, until)?));
                }
            }
            Ok((clients::count_live(connection)?, expiring, expiries::next(connection)?))
        })
        .await?;
    app.metrics.clients.set(clients);
    for (kind, days, count) in expiring {
        app.metrics.expiring.with_label_values(&[kind.as_str(), &days.to_string()]).set(count);
    }
    match next {
        Some(next) => app.metrics.next_expiry.set((next - now).as_seconds_f64() / SECONDS_PER_DAY),
        None => app.metrics.next_expiry.reset(),
    }
    Ok(())
}
