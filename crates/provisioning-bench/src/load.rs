//! Closed-loop load: so many callers, each of which sends its next request when the last one is answered.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::join_all;

use crate::client::{Connection, Credential};

/// Whom the load is put on.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// A credential per company; callers are dealt out to them in turn.
    pub(crate) credentials: Vec<Credential>,
}

impl Target {
    /// Connects so many callers.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn connect(&self, in_flight: usize) -> Result<Vec<Connection>> {
        let mut connections = Vec::with_capacity(in_flight);
        for credential in self.credentials.iter().cycle().take(in_flight) {
            connections.push(Connection::open(self.address, credential).await?);
        }
        Ok(connections)
    }
}

/// What came of one run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// One per operation.
    pub(crate) latencies: Vec<Duration>,
    /// What each caller that was answered wrongly met; it stops there.
    pub(crate) failures: Vec<String>,
}

impl Outcome {
    /// Operations per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Lets every caller call again and again for this long.
pub(crate) async fn closed_loop<C>(
    callers: &mut [C],
    duration: Duration,
    call: impl AsyncFn(&mut C) -> Result<()>,
) -> Outcome {
    let begin = Instant::now();
    let calling = callers.iter_mut().map(async |caller| {
        let mut latencies = Vec::new();
        loop {
            let begun = Instant::now();
            if begun >= begin + duration {
                return (latencies, None);
            }
            if let Err(error) = call(caller).await {
                return (latencies, Some(format!("{error:#}")));
            }
            latencies.push(begun.elapsed());
        }
    });
    let mut outcome = Outcome::default();
    for (mut latencies, failure) in join_all(calling).await {
        outcome.latencies.append(&mut latencies);
        outcome.failures.extend(failure);
    }
    outcome.elapsed = begin.elapsed();
    outcome
}
