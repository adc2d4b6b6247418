//! Waiting with a reason: the only place where time passes.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// How long anything may take before a scenario gives up.
///
/// Generous: it is no promise of ours, only the point where waiting longer tells nothing more.
pub const DEADLINE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(25);

/// Observes until `accept` finds something in the observation, and returns that with the time it took.
///
/// # Panics
/// After [`DEADLINE`], with `what` and the last observation.
pub async fn eventually<O, T>(
    what: &str,
    observe: impl AsyncFnMut() -> O,
    accept: impl Fn(&O) -> Option<T>,
) -> (T, Duration)
where
    O: Debug,
{
    within(DEADLINE, what, observe, accept).await
}

/// The same with another deadline: for what is done once a minute.
///
/// # Panics
/// After `deadline`, with `what` and the last observation.
pub async fn within<O, T>(
    deadline: Duration,
    what: &str,
    mut observe: impl AsyncFnMut() -> O,
    accept: impl Fn(&O) -> Option<T>,
) -> (T, Duration)
where
    O: Debug,
{
    let began = Instant::now();
    loop {
        let seen = observe().await;
        if let Some(found) = accept(&seen) {
            return (found, began.elapsed());
        }
        assert!(
            began.elapsed() < deadline,
            "{what}: not within {deadline:?}; the last observation was {seen:#?}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Turns a condition into what [`eventually`] accepts.
#[must_use]
pub fn when(condition: bool) -> Option<()> {
    condition.then_some(())
}
