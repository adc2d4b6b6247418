//! How long to wait before the next attempt when Postgres or NATS is away.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Waits between attempts, doubled from the first to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LONGEST: Duration = Duration::from_secs(2);

/// Growing waits between attempts.
pub(crate) struct Retry(Duration);

impl Retry {
    pub(crate) fn new() -> Self {
        Self(RETRY_FIRST)
    }

    /// Whether nothing has been waited for since the last success: the moment to say so.
    pub(crate) fn is_first(&self) -> bool {
        self.0 == RETRY_FIRST
    }

    pub(crate) fn reset(&mut self) {
        self.0 = RETRY_FIRST;
    }

    pub(crate) async fn wait(&mut self, stop: &CancellationToken) {
        stop.run_until_cancelled(tokio::time::sleep(self.0)).await;
        self.0 = (self.0 * 2).min(RETRY_LONGEST);
    }
}
