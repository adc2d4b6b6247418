//! Makes the bucket `TOKENS` agree with the database: after every change, after every reconnect, and from time to time.
//!
//! One task does it all, so its writes never overtake one another; whoever changed something asks it and waits.
//! The bucket is read before the database. What is in the bucket was committed before it was written there, so what the
//! database, read later, does not know has expired, and may go. The other order would undo a revocation that another
//! instance publishes in between.

use std::{collections::BTreeMap, time::Duration};

use bus_contract::stream::{KEY_PREFIX, REVOKED_PREFIX, TOKENS};
use bus_jetstream::{Bytes, publish::PublishError};
use chrono::TimeDelta;
use service_runtime::Causes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    sign,
    signing_keys::{self, SetupError},
    store::{keys, revocations},
};

/// How often the bucket is compared without a reason. A bucket that somebody emptied is wrong for at most this long.
const INTERVAL: Duration = Duration::from_secs(15);
/// After a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How long the end of a token is kept after the token expired by our clock; a gateway's clock may be behind.
const KEPT_AFTER_EXPIRY: TimeDelta = TimeDelta::hours(1);
/// Comparisons in a row.
const COMPARISONS_MOST: usize = 4;
/// Changes that may wait to be published; one more waits to be noted.
const WAITING_MOST: usize = 64;

/// Why the bucket may disagree with the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishFailure {
    #[error("there is no signing key to publish")]
    Setup(#[from] SetupError),
    #[error("keys and revocations cannot be read")]
    Database(#[from] pg_pool::Error),
    #[error("the bucket cannot be compared")]
    Bucket(#[from] bus_jetstream::Error),
    #[error("the bucket cannot be written")]
    Write(#[from] PublishError),
}

/// Asks the task. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher(mpsc::Sender<oneshot::Sender<()>>);

/// The task's half.
pub(crate) struct Publishing(mpsc::Receiver<oneshot::Sender<()>>);

impl Publisher {
    pub(crate) fn new() -> (Self, Publishing) {
        let (sender, receiver) = mpsc::channel(WAITING_MOST);
        (Self(sender), Publishing(receiver))
    }

    /// Publishes what is in the database now; whether it is done. If not, it will be, as soon as that is possible.
    pub(crate) async fn publish(&self) -> bool {
        let (done, told) = oneshot::channel();
        self.0.send(done).await.is_ok() && told.await.is_ok()
    }
}

impl Publishing {
    /// Publishes until asked to stop.
    pub(crate) async fn run(mut self, app: App, stop: CancellationToken) -> anyhow::Result<()> {
        let mut connection = 0;
        let mut complained = false;
        let mut pause = INTERVAL;
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                new = app.bus.connected_after(connection) => connection = new,
                asked = self.0.recv() => waiting.extend(asked),
                () = tokio::time::sleep(pause) => {}
            }
            // Whoever asked before the reading begins is served by it.
            while let Ok(asked) = self.0.try_recv() {
                waiting.push(asked);
            }
            match reconcile(&app).await {
                Ok(entries) => {
                    app.metrics.published.set(i64::try_from(entries).unwrap_or(i64::MAX));
                    if std::mem::take(&mut complained) {
                        tracing::info!("keys and revocations are published again");
                    }
                    pause = INTERVAL;
                    for asked in waiting {
                        // Whoever asked may have gone.
                        asked.send(()).ok();
                    }
                }
                Err(failure) => {
                    app.metrics.publish_failures.inc();
                    if !std::mem::replace(&mut complained, true) {
                        tracing::warn!(error = %Causes(&failure), "keys and revocations cannot be published yet");
                    }
                    pause = RETRY;
                }
            }
        }
    }
}

/// Compares until there is nothing left to change; the number of entries that the bucket holds then.
///
/// Between our reading of the database and our writing, another instance may have published a sooner end, which we then
/// overwrite. The comparison after the last write sees that. Whoever keeps changing things beyond
/// [`COMPARISONS_MOST`] compares after them too.
async fn reconcile(app: &App) -> Result<usize, PublishFailure> {
    app.bus.ensure_bucket(&TOKENS).await?;
    let mut entries = 0;
    for _ in 0..COMPARISONS_MOST {
        let changes;
        (entries, changes) = compare(app).await?;
        if changes == 0 {
            break;
        }
    }
    Ok(entries)
}

/// Compares once; how many entries the bucket holds then, and how many of them had to be changed.
async fn compare(app: &App) -> Result<(usize, usize), PublishFailure> {
    let published = app.bus.entries(&TOKENS).await?;
    let wanted = wanted(app).await?;
    let mut changes = 0_usize;
    // Backwards, so revocations come before keys: whoever sees a key in a bucket that was empty knows what it refuses.
    for (key, value) in wanted.iter().rev() {
        if published.get(key) != Some(value) {
            app.bus.put(&TOKENS, key, value.clone()).await?;
            changes += 1;
        }
    }
    for key in published.keys().filter(|key| !wanted.contains_key(*key)) {
        app.bus.delete(&TOKENS, key).await?;
        changes += 1;
    }
    if changes > 0 {
        tracing::info!(changes, entries = wanted.len(), "published keys and revocations");
    }
    Ok((wanted.len(), changes))
}

/// What the bucket should hold.
async fn wanted(app: &App) -> Result<BTreeMap<String, Bytes>, PublishFailure> {
    signing_keys::ensure(app).await?;
    let forgotten = app.now() - KEPT_AFTER_EXPIRY;
    let (keys, ends) = app
        .pool
        .transaction("publish.read", move |connection| {
            revocations::forget_expired(connection, forgotten)?;
            Ok((keys::public(connection)?, revocations::of_what_expires_after(connection, forgotten)?))
        })
        .await?;
    let keys = keys.into_iter().map(|(kid, public)| {
        (format!("{KEY_PREFIX}{kid}"), Bytes::from(sign::jwk(&kid, &public).to_string()))
    });
    let ends = ends.into_iter().map(|(credential, ends_at)| {
        let key = format!("{REVOKED_PREFIX}{}", credential.as_hyphenated());
        (key, Bytes::from(sign::unix_seconds(ends_at).to_string()))
    });
    Ok(keys.chain(ends).collect())
}
